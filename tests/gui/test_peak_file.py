"""A list of peaks saved and opened by mouse: what comes back is what was shown, and a bad file changes nothing."""

from napari_wse2xai.stages import Deconvolve, Peak


def test_peaks_with_bounds_ties_and_own_shapes_come_back(panels, tmp_path, monkeypatch) -> None:
    form, buttons = panels.panels[Deconvolve].form, panels.peak_file
    window = (205.0, 295.0)
    peaks = (
        Peak(name="A1'", position=250, fwhm=5, window=window, height_bounds=(0, 5000), fwhm_bounds=(2.5, 9)),
        Peak(name="2LA(M)", position=260, fwhm=9, window=window, ties="fwhm = 2*A1'.fwhm; position = A1'.position + 10"),
        Peak(name="B", shape="own", formula="1/cosh(u)", position=230, fwhm=4, window=window),
    )
    form.put(form.value().model_copy(update={"peaks": peaks}))
    assert form.value().peaks == peaks
    path = tmp_path / "mine.yaml"
    monkeypatch.setattr("napari_wse2xai.gui.maps.peak_file.QFileDialog.getSaveFileName", lambda *_: (str(path), ""))
    monkeypatch.setattr("napari_wse2xai.gui.maps.peak_file.QFileDialog.getOpenFileName", lambda *_: (str(path), ""))
    buttons.save_button.click()
    assert "Saved mine.yaml: 3 peaks" in buttons.message.text()
    form.put(form.value().model_copy(update={"peaks": peaks[:1]}))
    buttons.open_button.click()
    assert form.value().peaks == peaks
    path.write_text("peaks: 3", encoding="utf-8")
    buttons.open_button.click()
    assert "is no list of peaks" in buttons.message.text()
    assert form.value().peaks == peaks

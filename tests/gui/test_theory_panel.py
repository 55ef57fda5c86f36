"""The Theory panel: compared, shown, saved, found again; structures turn in a window of their own."""

from dataclasses import replace

import numpy as np
import pytest

from learned import make_explanation, make_model
from made_calculations import write_phonon
from napari_wse2xai import io
from napari_wse2xai.data import Pairable, PeakMaps, Record, SpectralMap
from napari_wse2xai.gui.explain.panel import ExplainPanel
from napari_wse2xai.gui.explain.pixel_curves import PixelCurves
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.session.saving import results_in
from napari_wse2xai.gui.theory.panel import MAP_MISSING, MISSING, TheoryPanel
from napari_wse2xai.gui.theory.result import BESIDE, MOTION, RAMAN
from napari_wse2xai.layers import to_layers
from napari_wse2xai.stages import CompareTheory, Deconvolve, Pair, Peak, Train
from napari_wse2xai.stages.pair import StageCoordinates
from napari_wse2xai.theory.reference import supercell


@pytest.fixture
def panel(viewer, qtbot) -> TheoryPanel:
    panel = TheoryPanel(viewer)
    qtbot.addWidget(panel)
    panel.show()
    return panel


@pytest.fixture
def compared(panel: TheoryPanel, viewer, small: SpectralMap, small_peaks: PeakMaps, settle) -> TheoryPanel:
    """The panel after a run on the small map."""
    contents.add(viewer, to_layers(small) + to_layers(small_peaks))
    settle(lambda: panel.peaks.count() == 1)
    panel.work.begin_button.click()
    settle(lambda: panel.view.beside is not None)
    return panel


def test_it_says_what_it_lacks(panel: TheoryPanel, viewer, small_peaks: PeakMaps, settle) -> None:
    assert panel.work.message.text() == MISSING
    assert not panel.work.begin_button.isEnabled()
    contents.add(viewer, to_layers(small_peaks))
    settle(lambda: panel.peaks.count() == 1)
    assert panel.work.message.text() == MAP_MISSING
    assert not panel.work.begin_button.isEnabled()


def test_a_bad_setting_is_one_sentence(compared: TheoryPanel) -> None:
    assert compared.form.value() == CompareTheory()
    compared.form._inputs["share"].widget.value = "0.9"
    assert "0.5" in compared.work.message.text()
    assert not compared.work.begin_button.isEnabled()


def test_names_words_and_figures_are_shown(compared: TheoryPanel) -> None:
    view = compared.view
    assert [view.table.item(0, column).text() for column in (0, 1)] == ["A1'", "250.0"]
    assert view.table.item(0, 2).text().startswith("A1' at 249.9 cm⁻¹, 0.1 cm⁻¹ below")
    assert view.shown == BESIDE
    assert len(view.canvas.figure.axes) == 2
    assert "LDA: shifted by" in view.words.text()
    view.tabs.setCurrentIndex(1)
    assert view.shown == MOTION
    assert "270 cm⁻¹ in diep" in view.words.text()
    assert view.engine.findText("LDA") < 0
    view.tabs.setCurrentIndex(2)
    assert view.shown == RAMAN
    assert "must not be compared" in view.words.text()
    view.tabs.setCurrentIndex(0)
    view.engine.setCurrentText("diep")
    assert "diep" in view.canvas.figure.axes[0].get_title()


def test_regions_lie_in_the_window_and_leave_the_choice_of_layer_alone(panel, viewer, small, small_peaks, settle) -> None:
    layers = contents.add(viewer, to_layers(small) + to_layers(small_peaks))
    viewer.layers.selection.active = layers[0]
    settle(lambda: panel.peaks.count() == 1)
    panel.compare()
    settle(lambda: panel.view.beside is not None)
    regions = viewer.layers["bright and dark by RS light"]
    assert not regions.visible
    assert viewer.layers.selection.active is layers[0]
    np.testing.assert_array_equal(regions.data, panel.view.beside.region)
    np.testing.assert_allclose(regions.scale, layers[0].scale[-2:])


def test_what_was_compared_is_saved_with_everything_and_opens_again(compared: TheoryPanel, viewer, tmp_path, qtbot) -> None:
    assert next(iter(results_in(viewer).values())).theory is compared.view.beside
    for name in ("theory.png", "theory.svg", "theory.pdf"):
        compared.save("figure", tmp_path / name)
        assert (tmp_path / name).stat().st_size > 5000
    compared.save("netcdf", tmp_path / "theory.nc")
    found = io.read_results(tmp_path / "theory.nc").theory
    assert found.proposals == compared.view.beside.proposals
    viewer.layers.clear()
    contents.add(viewer, to_layers(found))
    again = TheoryPanel(viewer)
    qtbot.addWidget(again)
    assert again.view.beside is found


def test_an_explanation_of_these_peaks_is_spoken_of_on_its_card_too(panel, viewer, small, light, one_line, samples, settle):
    named = one_line(small)
    on_light = Deconvolve(peaks=(Peak(name="A exciton", position=1.65, fwhm=0.05, window=(1.5, 1.8)),))
    pair = Pair(method=StageCoordinates())(Pairable(named, on_light(light)))
    model = replace(make_model(samples), history=(Record("Train", {}, "0.1.0", 1.0, "2026-01-01T00:00:00", Train().taken([pair])),))
    only = replace(samples, lines=samples.lines[1:2], features=samples.features[:, 3:6], feature_errors=samples.feature_errors[:, 3:6])
    only = replace(only, filled=samples.filled[:, 3:6], frames=(small.frame,), row=samples.row % 12, column=samples.column % 16)
    whole = make_explanation(samples)
    fields = ("pdp_grid", "pdp", "pdp_low", "pdp_high", "supported", "ice", "step", "slope", "slope_error", "off_cloud")
    fields += ("importance", "importance_error", "slope_rms")
    fields += ("ale", "permutation", "permutation_error", "curvature")
    cut = {name: getattr(whole, name)[3:6] for name in fields}
    units = whole.feature_units[3:6]
    made = replace(
        whole,
        samples=only,
        features=only.feature_names,
        feature_units=units,
        ranking=(2, 0, 1),
        not_separable=(),
        **cut,
    )
    made = replace(made, history=(*model.history, Record("Explain", {}, when="2026-01-02T00:00:00")))
    another = replace(made, history=(Record("Train", {}, when="2026-01-03T00:00:00"), Record("Explain", {}, when="2026-01-04T00:00:00")))
    for artefact in (small, named, pair, model, made, another):
        contents.add(viewer, to_layers(artefact))
    settle(lambda: panel.peaks.count() == 1)
    panel.compare()
    settle(lambda: panel.view.beside is not None)
    evidence = panel.view.beside.evidence
    assert "theory has A1' at 249.9 cm-1" in evidence[0]
    assert evidence[0].replace("cm-1", "cm⁻¹") in panel.view.finding.text()
    assert contents.evidence_for(viewer, made) == evidence
    assert contents.evidence_for(viewer, another) == (), "the newer, of another model"


def test_your_own_calculations_take_the_place_of_the_reference(panel, viewer, small, small_peaks, tmp_path, settle) -> None:
    pytest.importorskip("castep_outputs", reason="castep-outputs comes with the extra 'theory'")
    write_phonon(tmp_path / "mine.phonon", supercell("GFN1-xTB", "pristine"))
    contents.add(viewer, to_layers(small) + to_layers(small_peaks))
    settle(lambda: panel.peaks.count() == 1)
    panel.take_files([tmp_path / "mine.phonon", tmp_path / "missing.phonon"])
    panel.compare()
    settle(lambda: "missing.phonon' does not exist" in panel.work.message.text())
    panel.take_files([tmp_path / "mine.phonon"])
    panel.compare()
    settle(lambda: panel.view.beside is not None)
    assert panel.view.beside.result.engines == ("CASTEP",)
    assert panel.view.table.item(0, 2).text() == "none within 10 cm⁻¹"  # GFN1 has A1' at 238
    assert panel.view.beside.history[-1].settings["calculations"] == [str(tmp_path / "mine.phonon")]
    assert "mine.phonon" in panel.files.text()
    panel.take_files(())
    assert "comes with the plugin" in panel.files.text()


@pytest.mark.own_window
def test_structures_turn_in_their_own_window_and_leave_the_maps_alone(compared: TheoryPanel, viewer, settle, qtbot) -> None:
    before = (viewer.dims.ndisplay, [layer.name for layer in viewer.layers], [layer.visible for layer in viewer.layers])
    compared.structure_button.click()
    try:
        other = compared.structures.viewer
        assert other is not viewer
        assert other.dims.ndisplay == 3
        assert [layer.visible for layer in other.layers] == [True, False, False]
        pristine, missing, oxygen = other.layers
        assert (len(pristine.data), len(missing.data), len(oxygen.data)) == (48, 47, 48)
        assert list(oxygen.features["element"]).count("O") == 1
        np.testing.assert_allclose(np.ptp(pristine.data[:, 0]), np.ptp(supercell("diep", "pristine").positions[:, 2]), atol=1e-4)
        start = other.scene.camera.angles
        settle(lambda: other.scene.camera.angles != start)
        compared.turn_button.setChecked(False)
        assert not compared.structures.turning
        assert before == (viewer.dims.ndisplay, [layer.name for layer in viewer.layers], [layer.visible for layer in viewer.layers])
    finally:
        compared.structures.close()
    assert not compared.structures.open


def test_the_card_saved_from_the_explain_panel_holds_what_theory_says(viewer, samples, qtbot, tmp_path, monkeypatch, settle) -> None:
    monkeypatch.setattr(PixelCurves, "network", lambda self: None)
    explanation, model = make_explanation(samples), make_model(samples)
    contents.add(viewer, to_layers(model) + to_layers(explanation))
    panel = ExplainPanel(viewer)
    qtbot.addWidget(panel)
    settle(lambda: panel.result.explanation is not None)
    monkeypatch.setattr(contents, "evidence_for", lambda *_: ("Theory says so.",))
    panel.save("card", tmp_path / "card.html")
    assert "Theory says so." in (tmp_path / "card.html").read_text(encoding="utf-8")

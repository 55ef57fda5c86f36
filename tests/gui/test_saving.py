"""Saving from the window, and a peak added by a double click."""

from pathlib import Path

import pytest
from matplotlib.backend_bases import MouseButton
from qtpy.QtWidgets import QTableWidget

from napari_wse2xai import io, recipe
from napari_wse2xai.gui.main_widget import LEAST_WIDTH, new_peak
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.session.saving import SaveButtons
from napari_wse2xai.layers import to_layers
from napari_wse2xai.stages import Deconvolve, Peak


@pytest.fixture
def filled(viewer, clean_raman, raman_peaks):
    contents.add(viewer, [*to_layers(clean_raman), *to_layers(raman_peaks)])
    return viewer


def saved(buttons, save, path: Path, qtbot) -> str:
    save(path)
    qtbot.waitUntil(lambda: bool(buttons.message.text()), timeout=10_000)
    return str(buttons.message.text())


def test_results_are_saved_and_come_back_the_same(filled, tmp_path, qtbot, raman_peaks):
    buttons = SaveButtons(filled)
    qtbot.addWidget(buttons)
    assert "Saved" in saved(buttons, buttons.save_results, tmp_path / "results.nc", qtbot)
    back = io.read_results(tmp_path / "results.nc")
    assert back.peaks["raman"].height == pytest.approx(raman_peaks.height, nan_ok=True)
    assert back.maps["raman"].flake is not None


def test_a_folder_that_cannot_be_written_gets_one_sentence(filled, tmp_path, qtbot):
    (tmp_path / "file").write_text("in the way")
    buttons = SaveButtons(filled)
    qtbot.addWidget(buttons)
    message = saved(buttons, buttons.save_table, tmp_path / "file" / "peaks.csv", qtbot)
    assert "file" in message
    assert "Saved" not in message


def test_the_recipe_of_what_was_done_is_saved(viewer, tmp_path, qtbot, small, one_line):
    io.write_map(small, tmp_path / "map.nc")
    source = io.read(tmp_path / "map.nc")
    contents.add(viewer, [*to_layers(source), *to_layers(one_line(source))])
    buttons = SaveButtons(viewer)
    qtbot.addWidget(buttons)
    assert "Saved" in saved(buttons, buttons.save_recipe, tmp_path / "recipe.yaml", qtbot)
    assert (tmp_path / "recipe.yaml").read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=")
    kept = recipe.load(tmp_path / "recipe.yaml").raman
    assert kept.file == tmp_path / "map.nc"
    assert kept.deconvolve == one_line
    assert kept.despike is None
    saved(buttons, buttons.save_results, tmp_path / "results.nc", qtbot)
    qtbot.waitUntil((tmp_path / "results.nc").exists, timeout=10_000)
    assert "map.nc" in io.read_results(tmp_path / "results.nc").recipe


def test_a_recipe_of_a_map_that_is_in_no_file_is_refused_in_one_sentence(filled, tmp_path, qtbot):
    buttons = SaveButtons(filled)
    qtbot.addWidget(buttons)
    assert "was not read from a file" in saved(buttons, buttons.save_recipe, tmp_path / "recipe.yaml", qtbot)
    assert not (tmp_path / "recipe.yaml").exists()


def test_the_buttons_make_the_dock_no_wider(viewer, qtbot):
    """At the dock's least width a third button in the row put a scroll bar below everything."""
    buttons = SaveButtons(viewer)
    qtbot.addWidget(buttons)
    assert buttons.minimumSizeHint().width() < LEAST_WIDTH - 20  # its scroll bar


def test_nothing_to_save_is_said(viewer, tmp_path, qtbot):
    buttons = SaveButtons(viewer)
    qtbot.addWidget(buttons)
    assert "nothing to save" in saved(buttons, buttons.save_table, tmp_path / "peaks.csv", qtbot)
    assert not (tmp_path / "peaks.csv").exists()


def test_a_new_peak_takes_after_its_nearest():
    peaks = (Peak(name="A", position=250, fwhm=4, window=(183, 300)), Peak(name="B", position=360, fwhm=9, window=(314, 410)))
    inside, outside = new_peak(peaks, 262.0), new_peak(peaks, 450.0)
    assert (inside.window, inside.fwhm) == ((183, 300), 4)
    assert outside.window == (396, 504)
    Deconvolve(peaks=(*peaks, inside, outside))


def test_a_double_click_in_the_spectrum_adds_a_peak(viewer, clean_raman):
    from napari_wse2xai.gui import window

    contents.add(viewer, to_layers(clean_raman))
    panels, spectrum = window.furnish(viewer)
    before = panels.panels[Deconvolve].form.value().peaks

    class Event:
        button, dblclick, inaxes, xdata, ydata = MouseButton.LEFT, True, spectrum.axes, 287.5, 0.0

    spectrum._on_click(Event())
    after = panels.panels[Deconvolve].form.value().peaks
    assert len(after) == len(before) + 1
    assert after[-1].position == 287.5


def test_a_double_click_while_the_list_of_peaks_is_not_valid_says_why(viewer, clean_raman):
    from napari_wse2xai.gui import window

    contents.add(viewer, to_layers(clean_raman))
    panels, _ = window.furnish(viewer)
    table = panels.panels[Deconvolve].form.findChild(QTableWidget)
    table.item(0, 1).setText("oops")
    rows = table.rowCount()
    panels.add_peak(287.5)
    assert table.rowCount() == rows
    assert panels.said.text() == "No peak was added: Peaks: row 1, Position: 'oops' is no number."

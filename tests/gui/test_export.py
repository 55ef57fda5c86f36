"""Saving and copying what is seen, from the button that every plot carries."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_wse2xai.gui.maps.spectrum_view import SpectrumView
from napari_wse2xai.gui.parts import export
from napari_wse2xai.gui.parts.plot_canvas import PlotCanvas
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.session.saving import SaveButtons
from napari_wse2xai.layers import to_layers


@pytest.fixture
def told(monkeypatch) -> list[tuple[str, bool]]:
    said: list[tuple[str, bool]] = []
    monkeypatch.setattr(export, "_tell", lambda text, grave=False: said.append((text, grave)))
    return said


@pytest.fixture
def view(viewer, qtbot, small, small_peaks) -> SpectrumView:
    view = SpectrumView(viewer)
    qtbot.addWidget(view)
    view.resize(900, 300)
    contents.add(viewer, to_layers(small))
    contents.add(viewer, to_layers(replace(small_peaks, history=small_peaks.history)))
    view.on_layers()
    view.show_pixel((4, 5))
    return view


def act(button: export.ExportButton, words: str):
    return next(action for action in button.menu().actions() if action.text().startswith(words))


def test_the_spectrum_is_saved_dark_on_white_and_stays_as_it_was(view: SpectrumView, tmp_path: Path, told) -> None:
    before = view.figure.get_facecolor(), view.plot._measured.get_color()
    button = view.canvas.export_button
    for name in ("a.svg", "a.pdf", "a.png"):
        button.save(tmp_path / name)
    assert [grave for _, grave in told] == [False] * 3
    from PIL import Image

    pixels = np.asarray(Image.open(tmp_path / "a.png").convert("L"))
    assert np.median(pixels) == 255, "paper"
    assert (pixels < 60).any(), "ink"
    assert (view.figure.get_facecolor(), view.plot._measured.get_color()) == before


def test_the_numbers_of_a_spectrum_are_those_of_the_map(view: SpectrumView, small, tmp_path: Path, told) -> None:
    view.canvas.export_button.save(tmp_path / "a.csv")
    table = pd.read_csv(tmp_path / "a.csv")
    assert table["Raman shift (cm-1)"].to_numpy() == pytest.approx(small.axis.values)
    assert table["measured (counts)"].to_numpy() == pytest.approx(small.counts[4, 5], rel=1e-6)
    act(view.canvas.export_button, "Copy numbers").trigger()
    assert QApplication.clipboard().text().splitlines()[0].split("\t") == list(table)
    act(view.canvas.export_button, "Copy picture").trigger()
    assert QApplication.clipboard().image().width() > 300


def test_the_menu_asks_for_a_path_and_a_bad_one_is_told_in_a_sentence(view: SpectrumView, tmp_path: Path, told, monkeypatch) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "file" / "plot.svg"), ""))
    act(view.canvas.export_button, "Save as SVG").trigger()
    ((text, grave),) = told
    assert grave
    assert "cannot be written" in text
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "plot"), ""))
    act(view.canvas.export_button, "Save as PDF").trigger()
    assert (tmp_path / "plot.pdf").read_bytes().startswith(b"%PDF")


def test_nothing_seen_is_told(viewer, qtbot, told, tmp_path: Path) -> None:
    view = SpectrumView(viewer)
    qtbot.addWidget(view)
    view.canvas.export_button.save(tmp_path / "a.svg")
    assert told == [("There is nothing in this plot to save yet.", True)]
    assert not list(tmp_path.iterdir())


def test_every_layer_is_saved_with_axes_in_micrometres(viewer, qtbot, small, small_peaks, tmp_path: Path, told) -> None:
    buttons = SaveButtons(viewer)
    qtbot.addWidget(buttons)
    flake = np.zeros(small.frame.shape, bool)
    flake[3:6, 2:9] = True
    contents.add(viewer, to_layers(replace(small, flake=flake)))
    contents.add(viewer, to_layers(small_peaks))
    for number, layer in enumerate(viewer.layers):
        viewer.layers.selection.active = layer
        for ending in ("png", "csv"):
            buttons.layer_button.save(tmp_path / f"{number}.{ending}")
        table = pd.read_csv(tmp_path / f"{number}.csv")
        assert list(table)[:2] == ["y (um)", "x (um)"]
        assert len(table) == 12 * 16
        assert table["x (um)"].max() == 20 + 15 * 0.25
    assert not any(grave for _, grave in told), told
    height = pd.read_csv(tmp_path / f"{len(viewer.layers) - 1}.csv")
    assert height.columns[2] == "A1' height (counts)"
    assert height.iloc[:, 2].to_numpy() == pytest.approx(small_peaks.height[0].ravel(), nan_ok=True, rel=1e-6)
    viewer.layers.selection.active = viewer.add_points([[1, 2]])
    buttons.layer_button.save(tmp_path / "points.csv")
    assert told[-1][1]
    assert not (tmp_path / "points.csv").exists()


def test_the_report_is_what_a_run_leaves(viewer, qtbot, settle, small, small_peaks, tmp_path: Path) -> None:
    buttons = SaveButtons(viewer)
    qtbot.addWidget(buttons)
    contents.add(viewer, to_layers(small))
    contents.add(viewer, to_layers(small_peaks))
    buttons.save_report(tmp_path / "report")
    settle(lambda: not buttons.runner.busy, 60_000)
    assert "Saved" in buttons.message.text()
    assert {"report.html", "results.nc", "figures"} <= {each.name for each in (tmp_path / "report").iterdir()}


def test_every_plot_of_the_panels_carries_the_button(panels) -> None:
    plots = panels.findChildren(FigureCanvasQTAgg)
    assert len(plots) > 5
    assert all(isinstance(plot, PlotCanvas) for plot in plots)

"""The Batch panel: the real batch on tiny maps, in processes of their own."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QComboBox, QLineEdit, QSpinBox, QTableView

from napari_wse2xai import batch, io, recipe
from napari_wse2xai.gui.batch import panel as module
from napari_wse2xai.gui.batch.flake_table import COLUMNS
from napari_wse2xai.gui.batch.panel import BatchPanel
from napari_wse2xai.gui.session import contents
from napari_wse2xai.layers import to_layers

SETTINGS = {"find_flake": False, "despike": False, "peaks": [{"name": "A1'", "position": 249.5, "fwhm": 5, "window": [210, 290]}]}
SERIES = {"raman": SETTINGS, "stop_after": "deconvolve", "figures": False, "flakes": {"raman": "*_rs.nc"}}


@pytest.fixture
def folder(tmp_path: Path, small) -> Path:
    """Three maps, one of them cut, and a recipe for all of them."""
    for name in "abc":
        io.write_map(small, tmp_path / f"{name}_rs.nc")
    whole = (tmp_path / "b_rs.nc").read_bytes()
    (tmp_path / "b_rs.nc").write_bytes(whole[: len(whole) // 3])
    (tmp_path / "series.yaml").write_text(yaml.safe_dump(SERIES), encoding="utf-8")
    return tmp_path


@pytest.fixture
def panel(viewer, qtbot) -> BatchPanel:
    made = BatchPanel(viewer)
    qtbot.addWidget(made)
    made.choice.processes.setValue(1)
    return made


def states(panel: BatchPanel) -> str:
    return " ".join(row.state for row in panel.table.rows)


def test_a_batch_runs_beside_the_window_is_cancelled_and_goes_on(viewer, panel, folder, settle, small) -> None:
    out, told = folder / "out", []
    panel.choice.take("output", out)
    assert not panel.work.begin_button.isEnabled()
    panel.choice.take("recipe", folder / "series.yaml")
    settle(lambda: states(panel) == "waiting waiting waiting")
    assert not panel.choice.fields["raman"].isEnabled(), "the recipe names its flakes"
    panel.came.connect(lambda row: told.append((row.folder, row.state)))
    panel.came.connect(lambda row: panel.work.cancel_button.click() if row.state == "done" else None)
    panel.work.begin_button.click()
    settle(lambda: ("a", "done") in told, timeout=120_000)  # processes that load torch, on a busy machine
    assert told[0] == ("a", "at work")
    settle(panel.work.begin_button.isEnabled)
    assert states(panel) == "done waiting waiting"
    assert "1 of them done already" in panel.work.message.text()
    kept = (out / "a" / "results.nc").stat().st_mtime_ns
    panel.came.disconnect()
    panel.came.connect(panel.table.follow)
    panel.work.begin_button.click()
    settle(lambda: not panel.work.runner.busy)
    assert states(panel) == "done failed done"
    assert "b_rs.nc" in words(panel, 1, "Verdict, or reason")
    assert words(panel, 0, "RS ok") == "42 %", "the line is on 80 of 192 pixels"
    assert panel.work.message.text().startswith("2 of 3 flakes done. 1 flake failed")
    assert (out / "a" / "results.nc").stat().st_mtime_ns == kept, "nothing is done twice"
    for line in (1, 2):
        panel.view.doubleClicked.emit(panel.table.index(line, 0))
        assert panel.opening.busy == (line == 2), "what failed cannot be opened"
    settle(lambda: contents.all_peaks(viewer) and not panel.queue._waiting)
    alone = recipe.load_series(folder / "series.yaml", there=False).members[2].recipe.chains()["raman"].run(small).peaks
    np.testing.assert_array_equal(contents.all_peaks(viewer)[0].height, alone.height)


def words(panel: BatchPanel, line: int, title: str) -> str:
    column = [each.title for each in COLUMNS].index(title)
    return str(panel.table.data(panel.table.index(line, column), Qt.DisplayRole))


def test_other_flakes_are_done_as_one_of_the_window_was(viewer, panel, folder, settle, one_line, monkeypatch) -> None:
    peaks = one_line(io.read(folder / "a_rs.nc"))
    contents.add(viewer, to_layers(peaks))
    settle(lambda: panel.choice.source.count() == 2)
    panel.choice.take("output", folder / "out")
    panel.choice.source.setCurrentIndex(1)
    assert panel.choice.fields["raman"].text() == str(folder / "*.nc")
    settle(lambda: [row.folder for row in panel.table.rows] == ["a_rs", "b_rs", "c_rs"])
    asked: list[Path] = []
    monkeypatch.setattr(module, "run_batch", lambda path, *_, **__: asked.append(path) or batch.Batch(folder, ()))
    panel.work.begin_button.click()
    settle(lambda: asked and not panel.work.runner.busy)
    shutil.move(asked[0], folder / "elsewhere.yaml")  # it is whole: the command line takes it from anywhere
    one, *_ = recipe.load_series(folder / "elsewhere.yaml").members
    assert one.recipe.raman.deconvolve == one_line
    assert one.recipe.stop_after == "deconvolve"


def test_a_recipe_of_one_flake_asks_for_maps_and_says_what_is_wrong(panel, folder, settle) -> None:
    (folder / "one.yaml").write_text(yaml.safe_dump({"raman": {**SETTINGS, "file": "gone.nc"}}), encoding="utf-8")
    panel.choice.take("output", folder / "out")
    panel.choice.take("recipe", folder / "one.yaml")
    settle(lambda: "say which maps" in panel.work.message.text())
    panel.choice.fields["raman"].setText(str(folder / "*_pl.nc"))
    settle(lambda: "no file matches" in panel.work.message.text())
    assert not panel.work.begin_button.isEnabled()
    panel.choice.fields["raman"].setText(str(folder / "{name}_rs.nc"))
    settle(panel.work.begin_button.isEnabled)
    assert [row.name for row in panel.table.rows] == ["a", "b", "c"]
    fields = [each for kind in (QAbstractButton, QLineEdit, QComboBox, QSpinBox, QTableView) for each in panel.findChildren(kind)]
    inside = [each for each in fields if each.objectName().startswith("qt_") or type(each) is QAbstractButton]  # Qt's own parts
    assert all(each.toolTip() for each in fields if each not in inside)

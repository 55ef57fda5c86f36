"""The table of stages: a file makes a stage, and recipe, chain, help and history read it from there."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_wse2xai.cli import main
from napari_wse2xai.data import AxisKind, Frame, Pairable, PeakMaps, Record, Recovery, SpectralMap
from napari_wse2xai.io import write_map
from napari_wse2xai.recipe import from_history
from napari_wse2xai.stages import BY_NAME, STAGES, TABLE, CompareTheory, Deconvolve, Explain, FindFlake, Pair, Peak, Simulate, Train
from napari_wse2xai.stages.pair import StageCoordinates

ORDER = [
    "correct_response",
    "convert_axis",
    "find_flake",
    "despike",
    "calibrate",
    "baseline",
    "normalise",
    "deconvolve",
    "pair",
    "train",
    "explain",
    "simulate",
    "theory",
]
NEW = '''"""Smooth."""

from dataclasses import replace
from typing import ClassVar

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.progress import Progress
from napari_wse2xai.stages._stage import Stage, setting


class Smooth(Stage[SpectralMap, SpectralMap]):
    """Mean of some channels."""

    title: ClassVar[str] = "Smooth"
    order: ClassVar[int] = 65

    width: int = setting(3, ge=1, title="Width", description="Channels.", unit="channels")

    @classmethod
    def facts(cls, result: SpectralMap) -> list[tuple[str, str]]:
        """In the report."""
        return [("Made smooth", f"over {record.settings['width']} channels") for record in result.history if record.step == "Smooth"]

    def run(self, source: SpectralMap, progress: Progress) -> SpectralMap:
        """Twice of it, so that it shows."""
        return replace(source, counts=2 * source.counts)
'''
LATE = '''"""Lift."""

from dataclasses import replace
from typing import ClassVar

from napari_wse2xai.data import PairedMaps
from napari_wse2xai.progress import Progress
from napari_wse2xai.stages._stage import Stage, setting


class Lift(Stage[PairedMaps, PairedMaps]):
    """Mean of some channels."""

    title: ClassVar[str] = "Lift"
    order: ClassVar[int] = 115
    takes: ClassVar[tuple[type, ...]] = (PairedMaps,)
    gives: ClassVar[type] = PairedMaps
    kept: ClassVar[str] = "paired"

    by: float = setting(1.0, title="By", description="Counts.")

    @classmethod
    def facts(cls, result: PairedMaps) -> list[tuple[str, str]]:
        """In the report."""
        return [("Lifted", f"by {record.settings['by']} counts") for record in result.history if record.step == "Lift"]

    def run(self, source: PairedMaps, progress: Progress) -> PairedMaps:
        """All heights of PL."""
        return replace(source, pl=replace(source.pl, height=source.pl.height + self.by))
'''
RECIPE = """
figures: false
lift: {by: 1000}
pair: {method: {kind: stage coordinates}}
pl:
  file: pl.nc
  find_flake: {window: [1.5, 1.8]}
  despike: false
  baseline: false
  peaks: [{name: X, position: 1.65, fwhm: 0.06, window: [1.5, 1.8]}]
raman:
  file: map.nc
  find_flake: {window: [210, 290]}
  despike: false
  baseline: false
  smooth: {width: 5}
  peaks: [{name: A, position: 250, fwhm: 8, window: [210, 290]}]
"""
USED = """
import json, sys
from pathlib import Path
from qtpy.QtWidgets import QApplication, QLabel
from napari_wse2xai import batch, io
from napari_wse2xai.stages import STAGES, TABLE, BY_NAME
from napari_wse2xai.recipe import from_history, load
from napari_wse2xai.gui.parts.form import Form

folder, application = Path(sys.argv[1]), QApplication([])
batch.run(folder / "recipe.yaml", folder / "out")
kept = io.read_results(folder / "out" / "results.nc")
before, after = io.read(folder / "map.nc"), kept.maps["raman"]
print(json.dumps(float(after.counts[0, 0, 0] / before.counts[0, 0, 0])))
print(json.dumps(after.history[-1].settings["width"]))
form = Form(BY_NAME["Smooth"])
assert BY_NAME["Smooth"] in STAGES  # the window makes a panel of each
print(json.dumps([label.text() for label in form.findChildren(QLabel) if "Width" in label.text()]))
keys = [step.key for step in TABLE if 55 < step.order < 80]
print(json.dumps([key for key in keys if key in ("baseline", "smooth", "normalise")]))
print(json.dumps([type(stage).__name__ for stage in from_history(kept.peaks["raman"]).stages]))
lifted, ok = kept.paired.pl.height[0], kept.paired.paired
print(json.dumps(float((lifted - kept.peaks["pl"].height[0])[ok].mean())))
print(json.dumps([type(stage).__name__ for stage in from_history(kept.paired).stages]))
without = load(folder / "recipe.yaml").model_copy(update={"lift": None, "stop_after": "simulate"})
print(json.dumps([type(step).__name__ for step in without.late_steps]))
"""
PANEL = """
import json, sys, time
from pathlib import Path
from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication, QLabel
from napari_wse2xai import io
from napari_wse2xai.data import PairedMaps
from napari_wse2xai.gui.main_widget import MainWidget
from napari_wse2xai.gui.session import contents
from napari_wse2xai.recipe import load
from napari_wse2xai.stages import BY_NAME

folder, application, viewer, told = Path(sys.argv[1]), QApplication([]), ViewerModel(), []
bench = MainWidget(viewer)
(panel,) = [panel for panel in bench.late if panel.stage is BY_NAME["Lift"]]
section = bench.sections[BY_NAME["Lift"]]
assert section.content() is panel or panel in section.findChildren(type(panel))
print(json.dumps([panel.work.begin_button.isEnabled(), [label.text() for label in panel.findChildren(QLabel) if label.text() == "By"]]))
before = io.read_results(folder / "out" / "results.nc").paired
contents.session(viewer).add(before)
bench.refresh()
bench._on_recipe(load(folder / "recipe.yaml"))
panel.told.connect(lambda text, severity: told.append(text))
print(json.dumps([panel.work.begin_button.isEnabled(), panel.source.currentText(), panel.form.value().by]))
panel.form.put(BY_NAME["Lift"](by=7))
panel.run()
end = time.monotonic() + 120
while len(contents.of_kind(viewer, PairedMaps)) < 2 or not viewer.layers:
    assert time.monotonic() < end, told
    application.processEvents()
after = contents.of_kind(viewer, PairedMaps)[-1]
print(json.dumps(float((after.pl.height - before.pl.height)[0][before.paired].mean())))
print(json.dumps([after.history[-1].step, bench.said.text(), contents.session(viewer).parents(after) == [before]]))
bench.set_listening(False)
"""


def test_the_table_holds_every_step_in_the_order_of_a_run():
    keys = [step.key for step in TABLE]
    assert [key for key in keys if key in ORDER] == ORDER
    assert set(ORDER[:8]) <= {step.key for step in STAGES}
    assert not set(ORDER[8:]) & {step.key for step in STAGES}
    assert {"find_flake", "despike", "baseline", "deconvolve"} <= {step.key for step in TABLE if step.usual}
    assert len(set(keys)) == len({step.order for step in TABLE}) == len(TABLE)
    assert BY_NAME["CompareTheory"] is CompareTheory


def test_what_a_step_takes_is_given_by_one_before_it():
    made = {SpectralMap}
    for step in TABLE:
        taken = {PeakMaps if kind is Pairable else kind for kind in step.takes}
        assert taken <= made, step.key
        made.add(step.gives)
    assert Recovery in made


def house_with(room: str, files: Mapping[str, str], where: Path) -> Path:
    """The package as links, with some files more in a room; what is imported from there is a house of its own."""
    import napari_wse2xai

    own = Path(napari_wse2xai.__file__).parent
    (where / own.name / room).mkdir(parents=True)
    for old, new in ((own, where / own.name), (own / room, where / own.name / room)):
        for each in old.iterdir():
            if each.name not in (room, "__pycache__"):
                (new / each.name).symlink_to(each)
    for name, text in files.items():
        (where / own.name / room / name).write_text(text)
    return where


def test_a_file_in_the_folder_is_a_stage_with_section_run_report_panel_and_history(tmp_path: Path):
    """All that is written for one is its file: nothing else of the house is told of it; one behind the pairing is as well off."""
    write_map(small(AxisKind.ENERGY, 1.5, 1.8, 1.65, 0.03), tmp_path / "pl.nc")
    write_map(small(AxisKind.RAMAN_SHIFT, 200, 300, 250.0, 4.0), tmp_path / "map.nc")
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    house = house_with("stages", {"smooth.py": NEW, "lift.py": LATE}, tmp_path / "house")
    env = os.environ | {"PYTHONPATH": str(house), "QT_QPA_PLATFORM": "offscreen"}
    told = subprocess.run([sys.executable, "-c", USED, tmp_path], env=env, capture_output=True, text=True, timeout=300, check=False)
    assert told.returncode == 0, told.stderr
    heights, widths, labels, listed, steps, lifted, late, without = map(json.loads, told.stdout.splitlines()[-8:])
    assert heights == 2.0  # the file's own arithmetic was done
    assert widths == 5
    assert labels == ["Width (channels)"]
    assert listed == ["baseline", "smooth", "normalise"]
    assert steps[-2:] == ["Smooth", "Deconvolve"]
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "Made smooth" in report
    assert "over 5 channels" in report
    assert lifted == pytest.approx(1000)
    assert late[-2:] == ["Pair", "Lift"]
    assert without == ["Pair", "Train", "Explain", "Simulate"], "where it is not named it does not run"
    assert "by 1000.0 counts" in report
    panel = subprocess.run([sys.executable, "-c", PANEL, tmp_path], env=env, capture_output=True, text=True, timeout=300, check=False)
    assert panel.returncode == 0, panel.stderr
    empty, offered, lifted, done = map(json.loads, panel.stdout.splitlines()[-4:])
    assert empty == [False, ["By"]], "nothing is there to be lifted"
    assert offered == [True, "1. map + map", 1000], "a recipe's settings are shown"
    assert lifted == pytest.approx(7)
    assert done == ["Lift", "Lift: Done.", True]


def test_the_help_of_a_run_names_every_step(capsys):
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    told = capsys.readouterr().out
    positions = [told.index(f"\n  {key} ") for key in ORDER]
    assert positions == sorted(positions)
    with pytest.raises(SystemExit):
        main(["convert", "--help"])
    assert "deconvolve" not in capsys.readouterr().out


def small(kind: AxisKind, low: float, high: float, line: float, width: float) -> SpectralMap:
    """A map of one line on a disc."""
    rng = np.random.default_rng(1)
    x, (rows, columns) = np.linspace(low, high, 60), np.indices((9, 11))
    disc = (rows - 4) ** 2 + (columns - 5) ** 2 < 12
    counts = 300 * disc[..., None] / (1 + ((x - line) / width) ** 2) + 50 + rng.normal(0, 2, (9, 11, 60))
    history = (Record("read", {"file": "a.txt"}, "0.1.0"),)
    return SpectralMap.from_arrays(counts, x, kind, frame=Frame((9, 11), (0.5, 0.5)), history=history)


def test_a_chain_from_a_history_makes_peaks_and_pair_again():
    fits = {}
    for name, given in {"raman": (AxisKind.RAMAN_SHIFT, 200, 300, 250.0, 4.0), "pl": (AxisKind.ENERGY, 1.5, 1.8, 1.65, 0.03)}.items():
        source = small(*given)
        peak = Peak(name=name, position=given[3], fwhm=2 * given[4], window=given[1:3])
        fits[name] = (source, Deconvolve(peaks=(peak,))(FindFlake(window=given[1:3])(source)))
    source, raman = fits["raman"]
    chain = from_history(raman)
    assert [type(stage).__name__ for stage in chain.stages] == ["FindFlake", "Deconvolve"]
    again = chain.run(source)
    np.testing.assert_array_equal(again.peaks.height, raman.height)
    assert again.last is again.peaks
    both = Pairable(raman, fits["pl"][1])
    pair = Pair(method=StageCoordinates())(both)
    made = from_history(pair).run(both)
    np.testing.assert_array_equal(made.last.pl.height, pair.pl.height)
    assert made.last.history[-1].settings == pair.history[-1].settings


def test_a_history_of_what_was_learnt_gives_its_steps_with_their_settings(trained, explanation):
    train, explain, simulate = Train(target=("position",), seed=4), Explain(refits=9), Simulate(seed=8)
    for artefact, wanted in ((trained, (train,)), (explanation, (train, explain)), (explanation, (simulate,))):
        records = tuple(Record(type(one).__name__, one.model_dump(mode="json"), "0.1.0") for one in wanted)
        assert from_history(replace(artefact, history=records)).stages == wanted

"""The table of stages: a file makes a stage, and recipe, chain, help and history read it from there."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_wse2xai.cli import main
from napari_wse2xai.data import AxisKind, Frame, Pairable, PeakMaps, Record, Recovery, SpectralMap
from napari_wse2xai.recipe import _model, from_history
from napari_wse2xai.stages import BY_NAME, STAGES, TABLE, CompareTheory, Deconvolve, Explain, FindFlake, Pair, Peak, Simulate, Train
from napari_wse2xai.stages._table import on_one_map, steps_in
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

from typing import ClassVar

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.progress import Progress
from napari_wse2xai.stages._stage import Stage, setting


class Smooth(Stage[SpectralMap, SpectralMap]):
    """Mean of some channels."""

    title: ClassVar[str] = "Smooth"
    order: ClassVar[int] = 65

    width: int = setting(3, ge=1, title="Width", description="Channels.")

    def run(self, source: SpectralMap, progress: Progress) -> SpectralMap:
        """Leave it as it is."""
        return source
'''


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


def test_a_file_in_the_folder_makes_a_stage_with_its_key_in_a_recipe(tmp_path: Path, monkeypatch):
    package = tmp_path / "further_stages"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "smooth.py").write_text(NEW)
    (package / "_private.py").write_text("raise ImportError")
    monkeypatch.syspath_prepend(tmp_path)
    (smooth,) = steps_in([str(package)], "further_stages")
    every = tuple(sorted((*TABLE, smooth), key=lambda step: step.order))
    stages = tuple(on_one_map(every))
    keys = [step.key for step in stages]
    assert keys.index("baseline") < keys.index("smooth") < keys.index("normalise")
    monkeypatch.setattr(_model, "SIDE", stages)
    monkeypatch.setattr(_model, "STEPS", {stage.key: stage for stage in stages})
    section = _model._with_all_stages(_model.Section)(smooth={"width": 5}, baseline=None)
    names = [type(stage).__name__ for stage in section.stages()]
    assert names == ["FindFlake", "Despike", "Smooth", "Deconvolve"]
    assert next(stage for stage in section.stages() if type(stage) is smooth).width == 5
    assert _model._with_all_stages(_model.Section)().smooth is None
    del sys.modules["further_stages.smooth"]


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

"""Many flakes: one that is broken costs nothing, what is done stays done, and it is the same however many processes do it."""

import dataclasses
import multiprocessing
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from napari_wse2xai import batch, cli, io, recipe, report
from napari_wse2xai.batch import _jobs
from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.errors import Cancelled, DataWarning, SettingsError

SHAPE, CENTRE = (3, 4), 250.0
SETTINGS = {
    "raman": {"find_flake": False, "despike": False, "peaks": [{"name": "A", "position": 250, "fwhm": 8, "window": [220, 280]}]},
    "stop_after": "deconvolve",
    "figures": False,
}


def write_map(path: Path, height: float = 500.0, seed: int = 0, **metadata: str) -> Path:
    """A line of a known height on 60 channels at 3 x 4 pixels."""
    x = np.linspace(210, 290, 60)
    line = height * 16 / ((x - CENTRE - 0.1 * seed) ** 2 + 16)
    counts = np.random.default_rng(seed).normal(line + 20, 2.0, size=(*SHAPE, 60)).astype(np.float32)
    made = SpectralMap.from_arrays(counts, x, AxisKind.RAMAN_SHIFT)
    path.parent.mkdir(parents=True, exist_ok=True)
    io.write_map(dataclasses.replace(made, name=path.stem, metadata=metadata), path)
    return path


def write_recipe(folder: Path, flakes, **changes) -> Path:
    path = folder / "series.yaml"
    path.write_text(yaml.safe_dump({**SETTINGS, "flakes": flakes, **changes}), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def maps(tmp_path_factory) -> Path:
    """Five maps, one of them cut, in two folders."""
    folder = tmp_path_factory.mktemp("maps")
    for index, name in enumerate(("hot/a", "hot/b", "cold/a", "cold/b", "cold/cut")):
        write_map(folder / f"{name}_rs.nc", seed=index)
    whole = (folder / "cold" / "cut_rs.nc").read_bytes()
    (folder / "cold" / "cut_rs.nc").write_bytes(whole[: len(whole) // 3])
    return folder


@pytest.fixture
def here(maps, tmp_path) -> Path:
    """The same in a folder of the test's own, with a recipe."""
    shutil.copytree(maps, tmp_path / "in")
    write_recipe(tmp_path / "in", {"files": {"raman": "{condition}/*_rs.nc"}})
    return tmp_path


def arrays(folder: Path) -> dict[str, np.ndarray]:
    """Every array of every result, and the name of every file."""
    found: dict[str, np.ndarray] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        found[name] = np.empty(0)
        if path.name == "results.nc":
            peaks = io.read_results(path).peaks["raman"]
            found |= {f"{name} {field}": getattr(peaks, field) for field in ("position", "fwhm", "height", "height_error", "status")}
    return found


def require_same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    assert sorted(one) == sorted(other)
    for name, values in one.items():
        np.testing.assert_array_equal(values, other[name], err_msg=name)


def test_a_broken_flake_costs_nothing_and_the_same_command_does_what_is_missing(here, monkeypatch, capsys):
    monkeypatch.chdir("/")  # paths count from the recipe's folder
    command = ["run", str(here / "in" / "series.yaml"), "--output", str(here / "out"), "--jobs", "1"]
    assert cli.main(command) == 1
    said = capsys.readouterr()
    assert "4 of 5 done" in said.out
    assert "Traceback" not in said.err
    table = pd.read_csv(here / "out" / "summary.csv")
    assert list(table.columns[:4]) == ["condition", "name", "state", "reason"]
    assert table["state"].to_list() == ["done", "done", "failed", "done", "done"]
    assert "cut_rs.nc" in table["reason"][2]
    assert (table["raman_ok"].dropna() > 0.9).all()
    done = {path: path.stat().st_mtime_ns for path in here.glob("out/*/*/results.nc")}
    assert {path.parent.relative_to(here / "out").as_posix() for path in done} == {"hot/a", "hot/b", "cold/a", "cold/b"}
    write_map(here / "in" / "cold" / "cut_rs.nc", seed=9)
    before = (here / "in" / "cold" / "b_rs.nc").read_bytes()
    write_map(here / "in" / "cold" / "b_rs.nc", seed=8)
    series = recipe.load_series(here / "in" / "series.yaml")
    assert [row.state for row in batch.look(series, here / "out")] == ["done", "waiting", "waiting", "done", "done"]
    (here / "in" / "cold" / "b_rs.nc").write_bytes(before)
    assert cli.main(command) == 0
    assert {path: path.stat().st_mtime_ns for path in done} == done, "nothing is done twice"
    assert io.read_results(here / "out" / "cold" / "cut" / "results.nc").peaks
    assert set(pd.read_csv(here / "out" / "summary.csv")["state"]) == {"done"}
    page = (here / "out" / "report.html").read_text(encoding="utf-8")
    assert 'href="cold/cut/report.html"' in page
    assert cli.main([*command, "--anew"]) == 0
    assert all(path.stat().st_mtime_ns != before for path, before in done.items()), "unless that is asked for"


@pytest.mark.filterwarnings("ignore:cut failed")
def test_figures_do_not_decide_what_is_there_and_are_drawn_later(here, monkeypatch):
    write_recipe(here / "in", {"files": {"raman": "cold/*_rs.nc"}}, figures=True)
    path, drawn = here / "in" / "series.yaml", []
    monkeypatch.setattr(report, "draw_figures", lambda results, progress: drawn.append(results) or {"raman_x.png": b"\x89PNG"})
    batch.run_batch(path, here / "out", figures=False)
    series = recipe.load_series(path)
    assert [row.state for row in batch.look(series, here / "out")] == ["done", "done", "waiting"]
    before = arrays(here / "out")
    monkeypatch.setattr(_jobs, "run_chains", lambda *args: pytest.fail("it was fitted again"))
    batch.run_batch(path, here / "out", figures=False)
    assert drawn == []
    monkeypatch.setattr(report, "pooled_figures", lambda *args: {})
    batch.run_batch(path, here / "out")
    assert len(drawn) == 2
    pictures = {"a/figures", "b/figures", "a/figures/raman_x.png", "b/figures/raman_x.png"}
    after = arrays(here / "out")
    assert pictures <= {*after}
    require_same(before, {name: values for name, values in after.items() if name not in pictures})
    for figures in (True, False):
        batch.run_batch(path, here / "out", figures=figures)
    assert len(drawn) == 2


@pytest.mark.filterwarnings("ignore:cut failed")
def test_one_process_or_two_and_a_killed_one_give_the_same(here):
    recipe, seen = here / "in" / "series.yaml", []
    one = batch.run_batch(recipe, here / "one")
    two = batch.run_batch(recipe, here / "two", lambda fraction, words: seen.append(fraction), jobs=2)
    require_same(arrays(here / "one"), arrays(here / "two"))
    assert (seen == sorted(seen), seen[-1]) == (True, 1.0)
    assert [row.state for row in one.rows] == [row.state for row in two.rows]
    killed = []

    def kill_once(fraction: float, words: str) -> None:
        if not killed and (children := multiprocessing.active_children()):
            killed.append(children[0].pid)
            os.kill(children[0].pid, 9)

    assert len(batch.run_batch(recipe, here / "killed", kill_once, jobs=2).failed) == 1
    assert killed
    require_same(arrays(here / "one"), arrays(here / "killed"))


def test_processes_begin_with_what_a_job_needs_and_no_job_loads_what_learns(here):
    recipe = write_recipe(here / "in", {"files": {"raman": "hot/*_rs.nc"}})
    code = f"""import gc, sys
import napari_wse2xai.preloaded
from napari_wse2xai import batch
before, searched = {{*sys.modules}}, (gc.isenabled(), gc.get_freeze_count() > 100_000)
batch.run_batch({str(recipe)!r}, {str(here / "out")!r})
ours = "torch" in before, *searched
print(len({{*sys.modules}} - before), *ours, *(name in sys.modules for name in ("sklearn", "pandas", "matplotlib")))"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    further, *others = done.stdout.split()
    assert (int(further) < 40, others) == (True, ["True", "True", "True", "False", "False", "False"]), done.stdout


@pytest.mark.parametrize(("text", "begins"), [("stop_after: pair\nflakes: {}\n", True), ("raman: {file: flakes.nc}\n", False)])
def test_the_server_of_processes_loads_while_the_command_does(tmp_path, text, begins):
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    code = f"""import sys
from multiprocessing import forkserver
forkserver.ensure_running = lambda: print("begins, numpy loaded:", "numpy" in sys.modules)
from napari_wse2xai.cli import main
main(["run", {str(tmp_path / "recipe.yaml")!r}, "--output", {str(tmp_path / "out")!r}, "--jobs", "2"])"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert ("begins, numpy loaded: False" in done.stdout) == begins
    assert "Traceback" not in done.stderr


@pytest.mark.filterwarnings("ignore:cut failed")
def test_other_settings_or_files_are_done_anew_and_no_other(here):
    recipe = here / "in" / "series.yaml"
    batch.run_batch(recipe, here / "out")
    before = {path.parent.parent.name + path.parent.name: path.stat().st_mtime_ns for path in here.glob("out/*/*/results.nc")}
    write_map(here / "in" / "hot" / "a_rs.nc", seed=7)
    batch.run_batch(recipe, here / "out")
    after = {path.parent.parent.name + path.parent.name: path.stat().st_mtime_ns for path in here.glob("out/*/*/results.nc")}
    assert {name for name in before if before[name] != after[name]} == {"hota"}
    write_recipe(here / "in", {"files": {"raman": "{condition}/*_rs.nc"}}, stop_after="baseline")
    batch.run_batch(recipe, here / "out")
    assert not io.read_results(here / "out" / "hot" / "b" / "results.nc").peaks


@pytest.mark.filterwarnings("ignore:cut failed")
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_batch_that_is_stopped_goes_on(here, jobs):
    recipe = here / "in" / "series.yaml"

    def stop(fraction: float, words: str) -> None:
        if fraction > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        batch.run_batch(recipe, here / "out", stop, jobs=jobs)
    assert (here / "out" / io.UNFINISHED).exists()
    batch.run_batch(recipe, here / "out")
    batch.run_batch(recipe, here / "whole")
    require_same(arrays(here / "out"), arrays(here / "whole"))


@pytest.mark.filterwarnings("ignore:cut failed")
def test_killed_between_two_deliveries_the_same_command_ends_the_same(here):
    recipe = here / "in" / "series.yaml"
    batch.run_batch(recipe, here / "whole")
    code = f"from napari_wse2xai import batch; batch.run_batch({str(recipe)!r}, {str(here / 'out')!r})"
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", code])
    while process.poll() is None and not list(here.glob("out/*/*/results.nc")):
        time.sleep(0.002)
    process.kill()  # between the first delivery and the end; tools/kill_batches.py kills at fifty moments
    process.wait()
    assert process.returncode == -9
    for results in here.glob("out/*/*/results.nc"):
        io.read_results(results)
    batch.run_batch(recipe, here / "out")
    require_same(arrays(here / "out"), arrays(here / "whole"))


def test_heights_of_different_exposure_are_not_pooled_and_that_is_told(tmp_path):
    for name, seconds in (("a", "1"), ("b", "10")):
        write_map(tmp_path / f"{name}.nc", **{"Exposure time (s)": seconds})
    recipe = write_recipe(tmp_path, {"raman": "*.nc"})
    with pytest.warns(DataWarning, match=r"Not pooled over flakes: raman A height, raman A area\. 'b' was taken with 10 s, 'a' with 1 s"):
        batch.run_batch(recipe, tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "conditions.csv")
    assert set(table["parameter"]) == {"position", "fwhm"}
    assert (table["flakes"] == 2).all()
    assert (table["pixels"] == 24).all()
    assert len(pd.read_csv(tmp_path / "out" / "values.csv")) == 8


def test_a_series_over_power_gives_the_exponent(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "draw_figures", lambda results, progress: {})  # those of each flake are others' matter
    powers = (0.5, 1, 2, 4)
    for index, power in enumerate(powers):
        write_map(tmp_path / f"w_{power:g}mW.nc", height=300 * power**0.8, seed=index, **{"Laser power (mW)": f"{power}"})
    recipe = write_recipe(tmp_path, {"files": {"raman": "w_{value}mW.nc"}}, over="power (mW)", figures=True)
    with pytest.warns(DataWarning, match="Not pooled over flakes: raman A height"):  # by condition; over the power it is what is asked
        made = batch.run_batch(recipe, tmp_path / "out")
    assert made.summary["value"].to_list() == list(powers)
    over = pd.read_csv(tmp_path / "out" / "over.csv").set_index("parameter")
    height = over.loc["height"]
    assert abs(height["exponent"] - 0.8) < min(4 * height["exponent_error"], 0.05)
    medians = pd.read_csv(tmp_path / "out" / "values.csv").query("parameter == 'position'")
    assert np.sign(over.loc["position", "slope"]) == np.sign(np.polyfit(medians["at"], medians["median"], 1)[0]) == 1
    assert (tmp_path / "out" / "figures" / "over_raman_height.svg").exists()
    assert "power (mW)" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    peaks = made.results("w_2mW").peaks["raman"]
    assert np.median(peaks.height) == pytest.approx(300 * 2**0.8, rel=0.05)


@pytest.mark.parametrize(
    ("flakes", "words"),
    [
        ([{"name": "figures", "raman": {"file": "a.nc"}}], "the series' own 'figures'"),
        ([{"name": "a b", "raman": {"file": "a.nc"}}, {"name": "a/b", "raman": {"file": "a.nc"}}], "name them apart"),
        ([{"name": "a", "raman": {"file": "a.nc"}}] * 2, "two flakes of condition 'all' are called 'a'"),
    ],
)
def test_names_that_would_meet_in_one_folder_are_refused(tmp_path, flakes, words):
    write_map(tmp_path / "a.nc")
    with pytest.raises(SettingsError, match=words):
        batch.run_batch(write_recipe(tmp_path, flakes), tmp_path / "out")
    assert not (tmp_path / "out").exists()

"""Flakes on a Dask cluster: the same results as here, a broken flake costs nothing, and it can be cancelled."""

import os
import signal
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

sys.path.append(str(Path(__file__).parent))

from napari_wse2xai import batch, cli, io
from napari_wse2xai.batch import _cluster
from napari_wse2xai.errors import Cancelled, SettingsError
from test_many_flakes import SETTINGS, arrays, require_same, write_map, write_recipe

distributed = pytest.importorskip("distributed")
pytestmark = pytest.mark.filterwarnings("ignore:cut failed")


@pytest.fixture(scope="module")
def cluster():
    """A scheduler that is spoken to over a socket, as on a real cluster, and one worker, a process of its own with two threads."""
    with distributed.LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=":0", host="127.0.0.1") as made:
        yield made


@pytest.fixture
def here(tmp_path) -> Path:
    """Three maps, one of them cut."""
    for index, name in enumerate(("a", "b", "cut")):
        write_map(tmp_path / "in" / f"{name}_rs.nc", seed=index)
    cut = tmp_path / "in" / "cut_rs.nc"
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 3])
    write_recipe(tmp_path / "in", {"files": {"raman": "*_rs.nc"}})
    return tmp_path


def test_a_scheduler_gives_what_one_process_gives_though_its_worker_is_killed(here, cluster, monkeypatch):
    monkeypatch.chdir(here)
    assert batch.run_batch("in/series.yaml", "alone").summary["state"].to_list() == ["done", "done", "failed"]
    (worker,) = cluster.workers.values()
    pid = worker.pid

    def kill_once(fraction: float, words: str) -> None:
        if worker.pid == pid and worker.process.is_alive():
            os.kill(pid, signal.SIGKILL)

    batch.run_batch("in/series.yaml", "shared", kill_once, scheduler=cluster.scheduler_address)
    assert worker.pid != pid
    require_same(arrays(here / "alone"), arrays(here / "shared"))
    reasons = [pd.read_csv(here / name / "summary.csv")["reason"][2] for name in ("alone", "shared")]
    assert reasons[0] == reasons[1]


def test_a_client_is_taken_and_stays_open_and_cancel_ends_the_work(here, cluster):
    def stop(fraction: float, words: str) -> None:
        if client.processing() and any(client.processing().values()):
            raise Cancelled

    slow = {"raman": SETTINGS["raman"] | {"deconvolve": {"solver": {"kind": "radam", "steps": 1_000_000}}}}
    recipe = write_recipe(here / "in", {"files": {"raman": "*_rs.nc"}}, **slow)
    with distributed.Client(cluster, set_as_default=False) as client:
        with pytest.raises(Cancelled):
            batch.run_batch(recipe, here / "out", stop, scheduler=client)
        begun = time.monotonic()
        while any(client.processing().values()) or any(client.call_stack().values()):
            assert time.monotonic() - begun < 30, "the worker was not told"
            time.sleep(0.05)
        assert client.status == "running"
        assert (here / "out" / io.UNFINISHED).exists()
        recipe = write_recipe(here / "in", {"files": {"raman": "*_rs.nc"}})
        assert len(batch.run_batch(recipe, here / "out", scheduler=client).failed) == 1


def test_what_cannot_be_reached_is_one_sentence(here, monkeypatch, capsys):
    monkeypatch.setattr(_cluster, "_ANSWER_S", 0.5)
    command = ["run", str(here / "in" / "series.yaml"), "--output", str(here / "out"), "--scheduler"]
    for address in ("tcp://127.0.0.1:9", "nonsense://x", "tcp://127.0.0.1:x"):
        assert cli.main([*command, address]) == 2
        (line,) = capsys.readouterr().err.strip().splitlines()
        assert f"No Dask scheduler answers at '{address}'" in line
    assert not list((here / "out").glob("*/results.nc"))


def test_workers_of_which_the_results_could_not_be_trusted_are_refused(here, cluster, monkeypatch):
    recipe = here / "in" / "series.yaml"
    with distributed.Client(cluster, set_as_default=False) as client:
        for seen, says in (
            (("0.0.1", True, ("x", 1)), r"has napari-wse2xai 0\.0\.1, here it is .*; they must be the same"),
            ((_cluster.__version__, False, ("x", 1)), "that all machines see by the same path"),
            ((_cluster.__version__, True, _cluster._process()), "workers must be processes of their own"),
        ):
            monkeypatch.setattr(client, "run", lambda asked, folder, seen=seen: {"tcp://x": seen})
            with pytest.raises(SettingsError, match=says):
                batch.run_batch(recipe, here / "out", scheduler=client)

"""Runs that are interrupted while they train: the same command goes on, another one does not, and nothing is left behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import yaml
from sklearn.dummy import DummyRegressor

from napari_wse2xai import cli, io, report
from napari_wse2xai.learning import references
from napari_wse2xai.synthetic import make_flake

RECIPE = {
    "raman": {"file": "rs.nc", "peaks": [{"name": "A1'", "position": 250, "fwhm": 4, "window": [244, 256]}]},
    "pl": {"file": "pl.nc"},
    "pair": {"method": {"kind": "stage coordinates"}},
    "stop_after": "train",
}
TRAIN = {"target": "position", "recipe": {"kind": "one cycle", "epochs": 4}, "network_on_blocks": False, "surrogates": 39, "block_folds": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Two small maps."""
    flake, folder = make_flake("triangle", shape_px=(20, 22), seed=3), tmp_path_factory.mktemp("runs")
    io.write_map(flake.raman, folder / "rs.nc")
    io.write_map(flake.pl, folder / "pl.nc")
    return folder


def run(folder: Path, output: str, monkeypatch, *, stop_at: str = "nowhere", **train) -> tuple[int, list[str]]:
    """Run from the command line; what the exit status was and what was told."""
    told: list[str] = []

    def listen(fraction: float, message: str) -> None:
        told.append(message)
        if stop_at in message:
            raise KeyboardInterrupt

    @contextmanager
    def listening() -> Iterator[object]:
        yield listen

    monkeypatch.setattr(cli, "_progress", listening)
    monkeypatch.setattr(report, "draw_figures", lambda results, progress: {})
    monkeypatch.setattr(references, "reference_models", lambda seed: {"mean": DummyRegressor()})
    (folder / "recipe.yaml").write_text(yaml.safe_dump(RECIPE | {"train": TRAIN | train}), encoding="utf-8")
    return cli.main(["run", str(folder / "recipe.yaml"), "--output", str(folder / output)]), told


def test_the_same_command_goes_on_and_gives_the_same(folder: Path, monkeypatch, capsys) -> None:
    assert run(folder, "out", monkeypatch, stop_at="epoch 2 of 4")[0] == 130
    said = capsys.readouterr().err
    assert "What was trained is kept in" in said
    assert "Traceback" not in said
    assert [place.name for place in (folder / "out").iterdir()] == ["unfinished"]
    assert run(folder, "out", monkeypatch, stop_at="epoch 1 of 4", seed=7)[0] == 130
    assert "keeps an interrupted training with other settings or data (seed); it stays there" in capsys.readouterr().err
    status, told = run(folder, "out", monkeypatch)
    assert status == 0
    assert any("train: CNN, random, resumed at epoch 2 of 4: epoch 3 of 4" in message for message in told)
    assert run(folder, "whole", monkeypatch)[0] == 0
    one, other = (io.read_results(folder / name / "results.nc").model for name in ("out", "whole"))
    np.testing.assert_array_equal(one.predicted, other.predicted)
    assert len(list((folder / "out" / "unfinished").iterdir())) == 1, "that of the other seed"
    assert not (folder / "whole" / "unfinished").exists()


def test_a_run_that_stops_before_it_trains_leaves_nothing(folder: Path, monkeypatch, capsys) -> None:
    assert run(folder, "early", monkeypatch, stop_at="pair: ")[0] == 130
    assert "kept" not in capsys.readouterr().err
    assert not (folder / "early").exists()

"""A run that is kept on disk: written once a minute, not at every epoch."""

from pathlib import Path

import pytest
import torch

from napari_wse2xai.errors import DataWarning
from napari_wse2xai.learning import checkpoint
from napari_wse2xai.learning.checkpoint import EVERY_S, KEPT_S, Checkpoint, UnusableError, write_tensors


def test_a_run_is_kept_each_second_and_written_each_minute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(checkpoint.time, "perf_counter", lambda: now)
    kept = Checkpoint(tmp_path / "run.pt", "a run")
    for seconds, due, written in (
        (0.9 * KEPT_S, False, False),
        (1.1 * KEPT_S, True, False),
        (EVERY_S - 1, True, False),
        (EVERY_S + 1, True, True),
    ):
        now = 100.0 + seconds
        assert kept.due is due
        kept.keep({"epoch": torch.tensor(seconds)})
        kept.kept_s = 100.0
        assert kept.path.exists() is written
    assert float(Checkpoint.read(kept.path, "a run")["epoch"]) == EVERY_S + 1
    kept.path.unlink()
    now += EVERY_S - 1
    kept.keep({"epoch": torch.tensor(0.0)})
    assert not kept.path.exists(), "a minute since it was written"


def test_folders_are_made_and_a_disk_that_takes_nothing_is_a_warning(tmp_path: Path) -> None:
    for name in ("a/b/run.pt", "a/b/other.pt"):
        kept = Checkpoint(tmp_path / name, "a run")
        kept.write()
        assert not kept.path.exists(), "nothing is kept yet"
        kept.keep({"epoch": torch.tensor(1.0)})
        kept.write()
        assert float(Checkpoint.read(kept.path, "a run")["epoch"]) == 1.0
    assert sorted(each.name for each in (tmp_path / "a" / "b").iterdir()) == ["other.pt", "run.pt"]
    blocked = Checkpoint(tmp_path / "a" / "b" / "run.pt" / "run.pt", "a run")
    blocked.keep({"epoch": torch.tensor(1.0)})
    with pytest.warns(DataWarning, match="the training goes on"):
        blocked.write()


@pytest.mark.parametrize("damage", ["cut", "garbled", "empty", "foreign", "a network"])
def test_what_is_damaged_or_no_run_is_unusable(tmp_path: Path, damage: str) -> None:
    kept = Checkpoint(tmp_path / "run.pt", "a run")
    kept.keep({"epoch": torch.arange(100.0)})
    kept.write()
    content = kept.path.read_bytes()
    spoilt = {"cut": content[: len(content) // 2], "garbled": content[:200] + bytes(99) + content[299:], "empty": b""}
    kept.path.write_bytes(spoilt.get(damage, b"import os"))
    if damage == "a network":
        write_tensors(kept.path, {"state": {}})
    with pytest.raises(UnusableError, match="network"):
        Checkpoint.read(kept.path, "a run")

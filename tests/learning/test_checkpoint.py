"""A run that is kept on disk: written once a minute, not at every epoch."""

from pathlib import Path

import pytest
import torch

from napari_wse2xai.learning import checkpoint
from napari_wse2xai.learning.checkpoint import EVERY_S, KEPT_S, Checkpoint


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

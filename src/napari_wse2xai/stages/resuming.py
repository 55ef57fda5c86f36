"""Trainings kept beside the results that they are for: resumed by the same run, removed when the results are written."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from napari_wse2xai.data import PairedMaps, TrainedModel
from napari_wse2xai.errors import DataWarning
from napari_wse2xai.progress import Progress
from napari_wse2xai.stages.train import Train
from napari_wse2xai.stages.unfinished import Unfinished

SHELF = "unfinished"
"""Folder beside a network's results that its training is kept in."""


def trained(training: Train, pairs: Sequence[PairedMaps], folder: Path | None, progress: Progress) -> TrainedModel:
    """Train; with the folder of the results, go on from where the same training was interrupted."""
    if folder is None:
        return training(pairs, progress)
    kept = Unfinished.among(folder / SHELF, training, training.samples(pairs))
    if different := kept.difference():
        warnings.warn(
            f"'{folder / SHELF}' keeps an interrupted training with other settings or data ({different}); it stays there, "
            "and this one begins with its first epoch.",
            DataWarning,
            stacklevel=2,
        )
    return training(pairs, progress, checkpoint=kept.folder)


def forget(model: TrainedModel | None, folder: Path) -> None:
    """Remove what was kept of a training whose results are written."""
    if model is not None and (folder / SHELF).is_dir():
        Unfinished.among(folder / SHELF, Train(**model.history[-1].settings), model.samples).remove()


@contextmanager
def naming_what_is_kept(folder: Path) -> Iterator[None]:
    """Say how to go on, where a run ends before its time and something was trained in it."""
    before, done = _networks(folder), False
    try:
        yield
        done = True
    finally:
        if not done and _networks(folder) != before:
            text = f"What was trained is kept in '{folder}': the same run with the same settings goes on from there."
            warnings.warn(text, DataWarning, stacklevel=3)


def _networks(folder: Path) -> dict[Path, float]:
    """Networks of interrupted trainings, and when they were kept."""
    return {file: file.stat().st_mtime for file in folder.glob(f"**/{SHELF}/*/*/*.pt")}

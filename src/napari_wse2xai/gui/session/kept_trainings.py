"""Trainings that were interrupted in the window: kept in a folder of the user's, found again when napari is opened anew."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import platformdirs

from napari_wse2xai.data import PairedMaps, TrainedModel
from napari_wse2xai.errors import DataError
from napari_wse2xai.gui.parts import preloading
from napari_wse2xai.progress import Progress
from napari_wse2xai.stages import Train
from napari_wse2xai.stages.unfinished import Unfinished

WAITING = "Waiting for the cancelled training to end…"
POLL_S = 0.1
_turn = threading.Lock()
"""A cancelled training ends a little after it was cancelled, and only then is all of it kept."""


def shelf() -> Path:
    """Folder that interrupted trainings of all windows are kept in."""
    return platformdirs.user_data_path("napari-wse2xai", appauthor=False) / "unfinished"


def train(settings: Train, pairs: Sequence[PairedMaps], progress: Progress) -> TrainedModel:
    """Train in the working thread; go on from where the same training was interrupted."""
    preloading.wait(progress)
    with _in_turn(progress):
        one = Unfinished.among(shelf(), settings, settings.samples(pairs))
        one.prune()
        return settings(pairs, progress, checkpoint=one.folder)


def run(step: Any, source: Any, progress: Progress) -> Any:
    """Run any step; what is trained is kept where it is interrupted, as by the Train panel."""
    if not isinstance(step, Train):
        return step(source, progress)
    model = train(step, source, progress)
    forget(step, model)
    return model


def forget(settings: Train, model: TrainedModel) -> None:
    """Remove what was kept of a training that is done."""
    Unfinished.among(shelf(), settings, model.samples).remove()


def are_some_kept() -> bool:
    """Whether there is any training that was interrupted."""
    return any(shelf().glob("*"))


def offer(settings: Train, pairs: Sequence[PairedMaps]) -> str:
    """Say that this training was begun before; empty where it was not.  Takes the noise out of RS: not for the window's own thread."""
    try:
        stopped = Unfinished.among(shelf(), settings, settings.samples(pairs)).stopped
    except DataError:  # these flakes cannot be trained on together, which Train itself says
        return ""
    if stopped is None:
        return ""
    when = datetime.fromtimestamp(stopped).strftime("%d %b %Y, %H:%M")
    return f"What was learnt with these settings and flakes until {when} is kept: Train goes on from there."


@contextmanager
def _in_turn(progress: Progress) -> Iterator[None]:
    while not _turn.acquire(timeout=POLL_S):
        progress(0.0, WAITING)
    try:
        yield
    finally:
        _turn.release()

"""Trainings that may be interrupted: a folder each, with what the training is and a file for every network begun."""

import hashlib
import json
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from napari_wse2xai._version import __version__
from napari_wse2xai.data import Samples
from napari_wse2xai.errors import DataError, DataWarning
from napari_wse2xai.stages._stage import Settings

NOTE = "training.json"
"""Says what the training is."""
NETWORKS = "*/*.pt"
FEW = 3
"""Interrupted trainings that are kept where nobody named a folder."""


@dataclass(frozen=True)
class Unfinished:
    """One training that is under way or was interrupted.

    Notes
    -----
    It is the same training where settings, data and version are the same.  Networks are kept as tensors and text (`learning.checkpoint`):
    nothing in the folder can run code.
    """

    folder: Path
    identity: str
    """JSON of the settings, the version and a digest of the data."""

    @classmethod
    def at(cls, folder: str | Path, settings: Settings, samples: Samples) -> Self:
        """Take a folder for this training."""
        return cls(Path(folder).expanduser(), _identity(settings, samples))

    @classmethod
    def among(cls, shelf: str | Path, settings: Settings, samples: Samples) -> Self:
        """Take the folder among others that is named after settings and data, so that no training meets another's."""
        identity = _identity(settings, samples)
        return cls(Path(shelf) / hashlib.sha256(identity.encode()).hexdigest()[:16], identity)

    @property
    def stopped(self) -> float | None:
        """When a network was kept last, in seconds since 1970; None where there is none."""
        return max((file.stat().st_mtime for file in self.folder.glob(NETWORKS)), default=None)

    @contextmanager
    def claimed(self) -> Iterator[Path | None]:
        """Give the folder to a training; where it cannot be written, say so and give None: the training goes on without.

        Raises
        ------
        DataError
            Another training lies there.
        """
        self._refuse_another()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / NOTE).write_text(self.identity, encoding="utf-8")
        except OSError as error:
            text = f"'{self.folder}' cannot be written ({error.strerror}): the training could not be resumed after an interruption."
            warnings.warn(text, DataWarning, stacklevel=4)
            yield None
            return
        try:
            yield self.folder
        finally:
            if self.stopped is None:
                self.remove()

    def remove(self) -> None:
        """Remove the folder, and that above it where nothing else lies in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.folder.parent.is_dir() and not any(self.folder.parent.iterdir()):
            self.folder.parent.rmdir()

    def difference(self) -> str:
        """Name the settings in which another training beside this one differs; empty where there is none, or this one was begun."""
        others = [] if self.stopped else [note for note in self.folder.parent.glob(f"*/{NOTE}") if note.parent != self.folder]
        return _difference(others[0], self.identity) if others else ""

    def prune(self, keep: int = FEW) -> None:
        """Remove all but the latest of the other trainings beside this one."""
        notes = sorted(self.folder.parent.glob(f"*/{NOTE}"), key=lambda note: note.stat().st_mtime, reverse=True)
        for note in [note for note in notes if note.parent != self.folder][keep:]:
            shutil.rmtree(note.parent, ignore_errors=True)

    def _refuse_another(self) -> None:
        note = self.folder / NOTE
        if note.exists() and (other := _difference(note, self.identity)):
            raise DataError(
                f"'{self.folder}' keeps an interrupted training with other settings or data ({other}); name another folder, or delete it."
            )


def _identity(settings: Settings, samples: Samples) -> str:
    digest = hashlib.sha256()
    for values in (samples.features, samples.targets, samples.coordinates_um, samples.flake):
        digest.update(values.tobytes())
    return json.dumps({**settings.model_dump(mode="json"), "version": __version__, "data": digest.hexdigest()})


def _difference(note: Path, identity: str) -> str:
    """Names of what differs from a folder's training."""
    now = json.loads(identity)
    try:
        before = dict(json.loads(note.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return "damaged"
    return ", ".join(name for name in now if before.get(name) != now[name])

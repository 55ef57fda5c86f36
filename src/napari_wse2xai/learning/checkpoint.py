"""Tensors on disk without code: what a network is saved to, and what an interrupted run goes on from."""

import copy
import io
import json
import os
import pickle
import time
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from napari_wse2xai.errors import DataError, DataWarning

EVERY_S = 60.0
"""A running fit is saved about so often."""
KEPT_S = 1.0
"""So much of it is lost at most where it is stopped within an epoch."""


class UnusableError(DataError):
    """A checkpoint is damaged, or of another run; the run can begin anew without it."""


class Checkpoint:
    """File that a run is saved to at the ends of epochs, at most once a minute, and when it ends in whatever way."""

    def __init__(self, path: str | Path, identity: str) -> None:
        self.path, self.identity = Path(path), identity
        self.latest: Mapping[str, Any] | None = None
        self.written_s = self.kept_s = time.perf_counter()

    @property
    def due(self) -> bool:
        """Whether it is time to keep a state again: copying one takes as long as a short epoch on a GPU."""
        return time.perf_counter() - self.kept_s > KEPT_S

    def keep(self, state: Mapping[str, object]) -> None:
        """Remember the state at the end of an epoch; write it where a minute has passed."""
        self.latest, self.kept_s = copy.deepcopy(dict(state)), time.perf_counter()
        if time.perf_counter() - self.written_s > EVERY_S:
            self.write()

    def write(self) -> None:
        """Write the state at the end of the latest whole epoch; a disk that takes nothing must not end the run."""
        if self.latest is None:
            return
        self.written_s = time.perf_counter()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_tensors(self.path, {"identity": self.identity, "run": self.latest})
        except OSError as error:
            text = (
                f"'{self.path}' cannot be written ({error.strerror}): the training goes on, but could not be resumed if it was interrupted."
            )
            warnings.warn(text, DataWarning, stacklevel=2)

    @staticmethod
    def read(path: str | Path, identity: str) -> dict[str, Any]:
        """Read the state of a run of the same settings on the same data.

        Raises
        ------
        UnusableError
            The file is damaged, or of another run.
        """
        try:
            content = read_tensors(path)
        except DataError as error:
            raise UnusableError(str(error)) from error
        if "run" not in content:
            raise UnusableError(f"'{path}' is a network, not an interrupted run; load it instead.")
        if content["identity"] != identity:
            raise UnusableError(f"'{path}' was saved by {difference(content['identity'], identity)}; start again without it.")
        return dict(content["run"])


def write_tensors(path: str | Path, content: Mapping[str, object]) -> None:
    """Write tensors, numbers and strings; a reader never sees half a file."""
    part = Path(path).with_name(f"{Path(path).name}.{os.getpid()}.part")
    buffer = io.BytesIO()
    torch.save(dict(content), buffer)
    try:
        part.write_bytes(buffer.getvalue())
        os.replace(part, path)
    finally:
        with suppress(OSError):  # gone where all went well
            part.unlink()


def read_tensors(path: str | Path) -> dict[str, Any]:
    """Read what `write_tensors` wrote; torch refuses everything but tensors, numbers, strings and their containers."""
    damaged = DataError(f"'{path}' was not saved from a network, or is damaged; save it again.")
    try:
        with zipfile.ZipFile(path) as archive:  # torch writes checksums, but does not look at them
            if archive.testzip() is not None:
                raise damaged
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise DataError(f"There is no file '{path}'; name one that was saved from a network or a run.") from None
    except (OSError, zipfile.BadZipFile, zlib.error, pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise damaged from error
    if not isinstance(content, dict) or not content.keys() & {"run", "state"}:
        raise damaged
    return content


def difference(saved: str, wanted: str) -> str:
    """Say in what two runs differ, from the JSON of their settings and of a digest of their data."""
    before, now = json.loads(saved), json.loads(wanted)
    names = [name for name in now if before.get(name) != now[name]]
    return f"a run with other settings or data ({', '.join(names)})"

"""Tensors on disk without code: what a network is saved to, and what an interrupted run goes on from."""

import copy
import io
import json
import os
import pickle
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from napari_wse2xai.errors import DataError

EVERY_S = 60.0
"""A running fit is saved about so often."""


class Checkpoint:
    """File that a run is saved to at the ends of epochs, at most once a minute."""

    def __init__(self, path: str | Path, identity: str) -> None:
        self.path, self.identity = Path(path), identity
        self.latest: Mapping[str, Any] | None = None
        self.written_s = time.perf_counter()

    def keep(self, state: Mapping[str, Any]) -> None:
        """Remember the state at the end of an epoch; write it where a minute has passed."""
        self.latest = copy.deepcopy(dict(state))
        if time.perf_counter() - self.written_s > EVERY_S:
            self.write()

    def write(self) -> None:
        """Write the state at the end of the latest whole epoch."""
        if self.latest is not None:
            write_tensors(self.path, {"identity": self.identity, "run": self.latest})
            self.written_s = time.perf_counter()

    @staticmethod
    def read(path: str | Path, identity: str) -> dict[str, Any]:
        """Read the state of a run of the same settings on the same data.

        Raises
        ------
        DataError
            The file is of another run.
        """
        content = read_tensors(path)
        if "run" not in content:
            raise DataError(f"'{path}' is a network, not an interrupted run; load it instead.")
        if content["identity"] != identity:
            raise DataError(f"'{path}' was saved by {_difference(content['identity'], identity)}; start again without it.")
        return dict(content["run"])


def write_tensors(path: str | Path, content: Mapping[str, Any]) -> None:
    """Write tensors, numbers and strings; a reader never sees half a file."""
    part = Path(path).with_name(Path(path).name + ".part")
    buffer = io.BytesIO()
    torch.save(dict(content), buffer)
    part.write_bytes(buffer.getvalue())
    os.replace(part, path)


def read_tensors(path: str | Path) -> dict[str, Any]:
    """Read what `write_tensors` wrote; torch refuses everything but tensors, numbers, strings and their containers."""
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise DataError(f"There is no file '{path}'; name one that was saved from a network or a run.") from None
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        raise DataError(f"'{path}' was not saved from a network, or is damaged; save it again.") from error
    if not isinstance(content, dict) or not content.keys() & {"run", "state"}:
        raise DataError(f"'{path}' was not saved from a network, or is damaged; save it again.")
    return content


def _difference(saved: str, wanted: str) -> str:
    """Say in what two runs differ."""
    before, now = json.loads(saved), json.loads(wanted)
    names = [name for name in now if before.get(name) != now[name]]
    return f"a run with other settings or data ({', '.join(names)})"

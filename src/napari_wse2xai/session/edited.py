"""A flake that was found on one map and is used on another, as it is drawn now."""

from dataclasses import replace
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai._version import __version__
from napari_wse2xai.data import Record, SpectralMap
from napari_wse2xai.data.history import ABOUT_THE_FLAKE

BY_HAND = "flake edited by hand"


def with_flake(source: SpectralMap, flake: NDArray[np.bool_], found: SpectralMap) -> SpectralMap:
    """Map with a flake (ny, nx) that was found on `found` and may have been edited since; its history says so."""
    if source.flake is not None and np.array_equal(flake, source.flake):
        return source
    steps = [record for record in found.history if record.step in ABOUT_THE_FLAKE and record not in source.history]
    changed = int(np.count_nonzero(flake != found.flake))
    if changed:
        steps.append(edited(flake, changed))
    return carried(source, flake, *steps)


def edited(flake: NDArray[np.bool_], changed: int) -> Record:
    """Step of editing a flake by hand in some pixels."""
    told = {"pixels": int(flake.sum()), "changed": changed, "sha256": sha256(np.packbits(flake).tobytes()).hexdigest()}
    return Record(BY_HAND, told, __version__)


def carried(source: SpectralMap, flake: NDArray[np.bool_] | None, *steps: Record) -> SpectralMap:
    """Map with a flake, and the steps that gave it behind its own."""
    if steps and not source.history:
        steps = (replace(steps[0], of=(source.fingerprint,)), *steps[1:])
    return replace(source, flake=flake, history=(*source.history, *steps))

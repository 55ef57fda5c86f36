"""Where spectra lie whose coordinates stand in columns with names: on a plan, along a line, or in a series."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Direction, Frame
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io import grid


@dataclass(frozen=True, eq=False)
class Along:
    """Coordinate of every spectrum in one direction."""

    direction: Direction
    values: NDArray[np.float64]
    """(m,) in the unit of the direction."""

    @property
    def varies(self) -> bool:
        """Whether the spectra differ in it."""
        return len(self.values) > 1 and float(np.ptp(self.values)) > 0


def placed(spectra: NDArray[np.float32], coordinates: Sequence[Along], name: str) -> tuple[NDArray[np.float32], Frame]:
    """Put spectra (m, n) where their coordinates say: a cube (ny, nx, n) and its frame.

    Coordinates that do not change say nothing and are left out, unless they are x and y.
    """
    for one in coordinates:
        if not np.isfinite(one.values).all():
            row = int(np.argmin(np.isfinite(one.values))) + 1
            raise ReaderError(f"'{name}': spectrum {row} has no {one.direction.name}; export the map again with its positions.")
    plan = {one.direction.name: one for one in coordinates}
    varying = [one for one in coordinates if one.varies]
    if len(varying) > 2:
        names = ", ".join(one.direction.name for one in varying)
        raise ReaderError(f"'{name}' changes in {names} at once, a map has two directions; export one plane of the scan.")
    if len(spectra) > 1 and not varying:
        return grid.as_list(spectra, f"'{name}' has all its spectra at one place")
    if {"x", "y"} <= plan.keys() and all(one.direction.name in "xy" for one in varying):
        return grid.place(spectra, plan["y"].values, plan["x"].values, name)
    if len(varying) == 2:
        return _plane(spectra, varying, name)
    return _series(spectra, varying[0] if varying else None, name)


def _plane(spectra: NDArray[np.float32], varying: Sequence[Along], name: str) -> tuple[NDArray[np.float32], Frame]:
    """A map in two directions of which one is none of a plan: x or y, or else the first one, runs along the columns."""
    first, second = varying
    across, down = (second, first) if second.direction.name in "xy" else (first, second)
    return grid.place(spectra, down.values, across.values, name, (down.direction, across.direction))


def _series(spectra: NDArray[np.float32], along: Along | None, name: str) -> tuple[NDArray[np.float32], Frame]:
    """Spectra one below the other: along a line on the sample by their places, in any other series in the order of the file."""
    if along is None:
        return spectra[:, None, :], Frame((len(spectra), 1))
    if not along.direction.is_length or grid.find_lines(along.values) is None:
        return grid.as_series(spectra, along.values, along.direction)
    cube, frame = grid.as_line(spectra, along.values, name)
    other = Direction("y" if along.direction.name == "x" else "x")
    return cube, replace(frame, directions=(along.direction, other)) if frame.has_places else frame

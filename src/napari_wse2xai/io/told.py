"""What the user says of a file when it is read, over what the file says, and how a map is made by it."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.data.history import SAID
from napari_wse2xai.data.stored_counts import StoredCounts
from napari_wse2xai.errors import DataError, DataWarning
from napari_wse2xai.io.stored import bands
from napari_wse2xai.numerics import seams
from napari_wse2xai.numerics.seams import Overlap, Seam

JOINED = "Joined"
"""Key of the metadata under which it stands how pieces of a spectrum were joined."""
SWAP_XY = "swap x and y"
_OPTIONS = "'blend' (as measured), 'scale' or 'offset' (each piece made to agree with the one before)"
HOW_TO_SWAP = f"'{SWAP_XY}' when you load it (in the Load maps panel, swap_xy: true in a recipe, --swap-xy) if it is mirrored"


@dataclass(frozen=True)
class Told:
    """What the user says; None leaves it to the file."""

    unit: str | None = None
    """Unit of the spectral axis."""
    overlap: Overlap | None = None
    """How pieces of a stitched spectrum are joined."""
    swap_xy: bool = False
    """Whether what was taken for x is y, and the other way round."""
    laser_nm: float | None = None
    """Wavelength of the laser."""
    is_listing: bool = False
    """Whether the file is only looked into: pieces are joined somehow then, and it is said that they must be."""

    def settings(self) -> dict[str, Any]:
        """What was said, for the history."""
        return {key: value for key in SAID if (value := getattr(self, key))}

    def applied(self, found: SpectralMap) -> SpectralMap:
        """Map with axis, laser and order of directions as the user says, whatever the file says."""
        axis = found.axis if self.unit is None else replace(found.axis, kind=AxisKind.from_unit(self.unit))
        named = replace(found, axis=axis if self.laser_nm is None else replace(axis, laser_nm=self.laser_nm))
        return _swapped(named) if self.swap_xy else named


NOTHING = Told()
LISTING = Told(is_listing=True)


def made_map(counts: Any, axis_values: NDArray[np.float64], kind: AxisKind, told: Told, *, name: str, **fields: Any) -> SpectralMap:
    """Make a map as `SpectralMap.from_arrays` does; an axis in pieces is joined as the user says, or refused where they say nothing."""
    values = np.asarray(axis_values, dtype=np.float64)
    if values.ndim == 1 and len(values) > 1 and np.isfinite(values).all() and len(turns := seams.turns_of(values)):
        counts, values, words = _in_one(counts, values, turns, kind, told)
        if not told.is_listing:
            warnings.warn(f"'{name}': {words}.", DataWarning, stacklevel=3)
        fields["metadata"] = {**fields.get("metadata", {}), JOINED: words}
    return SpectralMap.from_arrays(counts, values, kind, name=name, **fields)


def _in_one(
    counts: Any, values: NDArray[np.float64], turns: NDArray[np.intp], kind: AxisKind, told: Told
) -> tuple[NDArray[np.float32], NDArray[np.float64], str]:
    """Counts (ny, nx, n) and axis (n,) of one piece, and how they came about in words."""
    if told.overlap is None:
        sentence = _sentence(values, turns, kind)
        if not told.is_listing:
            raise DataError(sentence)
        warnings.warn(sentence, DataWarning, stacklevel=4)
    first, joints = seams.planned(values, _mean(counts), told.overlap or "blend")
    axis = joints[-1].values
    joined = np.empty((*counts.shape[:2], len(axis)), dtype=np.float32)
    for band in bands(counts.shape):
        joined[band] = seams.joined(np.asarray(counts[band]), first, joints)
    return joined, axis, "; ".join(_words(joints, kind, told.overlap))


def _sentence(values: NDArray[np.float64], turns: NDArray[np.intp], kind: AxisKind) -> str:
    place = f"{values[turns[0]]:g} {kind.unit}"
    is_twice = bool((values[turns] == values[turns - 1]).all())
    more = f", and {len(turns) - 1} more" if len(turns) > 1 else ""
    what = f"has {place}{more} twice" if is_twice else f"turns back at {place}, as where positions of a grating overlap"
    return (
        f"The spectral axis {what}; join its pieces with the option 'overlap' (in the Load maps panel, 'overlap: scale' in a recipe, "
        f"'--overlap scale'): {_OPTIONS}."
    )


def _mean(counts: Any) -> NDArray[np.float64]:
    """Mean spectrum (n,) of what was measured."""
    total, number = np.zeros(counts.shape[2]), np.zeros(counts.shape[2])
    for band in bands(counts.shape):
        part = np.asarray(counts[band], dtype=np.float64)
        is_known = np.isfinite(part)
        total += np.where(is_known, part, 0.0).sum(axis=(0, 1))
        number += is_known.sum(axis=(0, 1))
    return np.asarray(np.divide(total, number, out=np.full(len(total), np.nan), where=number > 0))


def _words(joints: list[Seam], kind: AxisKind, how: Overlap | None) -> Iterator[str]:
    """What was done at every seam."""
    for joint in joints:
        span = f"over {joint.low:g} to {joint.high:g}" if joint.high > joint.low else f"at {joint.low:g}"
        where = f"{'without overlap ' if joint.is_gap else ''}{span} {kind.unit}"
        done = (
            f"the second multiplied by {joint.factor:.4g} +- {joint.error:.1g}"
            if how == "scale"
            else f"{joint.offset:+.4g} +- {joint.error:.1g} added to the second"
            if how == "offset"
            else "as they were measured"
        )
        yield f"two pieces of its spectral axis were joined {where}, {done}"


def _swapped(found: SpectralMap) -> SpectralMap:
    """Map with x and y exchanged, of its pixels and of their places; the names of its directions stay where they are."""
    frame = found.frame
    rows, columns = frame.directions
    if not (rows.is_length and columns.is_length):
        what = (columns if rows.is_length else rows).label
        raise DataError(f"'{found.name}' has {what} in one direction, which is no place: it cannot be loaded with 'swap x and y'.")
    turned = replace(
        frame,
        shape=frame.shape[::-1],
        step_um=frame.step_um[::-1],
        origin_um=frame.origin_um[::-1],
        directions=(replace(rows, values=columns.values), replace(columns, values=rows.values)),
        rotation_deg=-frame.rotation_deg if frame.rotation_deg else 0.0,
    )
    counts: Any = found.counts.transpose(1, 0, 2)
    cube: Any = counts if isinstance(counts, StoredCounts) else np.ascontiguousarray(counts)
    return replace(
        found,
        frame=turned,
        counts=cube,
        flake=None if found.flake is None else np.ascontiguousarray(found.flake.T),
        repaired=None if found.repaired is None else np.ascontiguousarray(found.repaired.T),
        replaced=_turned(found.replaced),
        saturated=_turned(found.saturated),
        bridged=_turned(found.bridged),
    )


def _turned(places: NDArray[np.int32] | None) -> NDArray[np.int32] | None:
    """Rows and columns of some channels exchanged, row by row."""
    if places is None:
        return None
    turned = places[:, [1, 0, 2]]
    return turned[np.lexsort(turned.T[::-1])]

"""Stitched spectra: pieces that several positions of a grating took, joined where they overlap.

Each piece rises or falls on its own; where two meet, both have channels.  There the joined spectrum goes over from one to the other
linearly, each interpolated at the channels of the other: the ends of a detector count least, and no step is left.  What a piece is
multiplied by, or what is added to it, is one number for the whole map, from the mean spectrum: it stands for the instrument, and single
spectra are too weak to tell it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.errors import DataError, counted

Floats = NDArray[np.float64]
Overlap = Literal["blend", "scale", "offset"]
"""How pieces are joined: as they were measured, or each after the first multiplied, or shifted, to agree with what is there already."""
_FEWEST = 3
"""Channels of a piece, and of an overlap that tells a number: fewer are no piece of a spectrum."""
_MOST_PIECES = 64
"""Positions of a grating; what turns back oftener is no axis."""
_DENSEST = 0.5
"""Distance of channels, in those of the finer piece, below which one of them is left out where the pieces meet."""
_SUREST = 0.25
"""Error of a factor, in parts of it, above which the overlap does not tell it."""
_MAD_TO_SIGMA = 1.4826
_NUMBERS = {"scale": "scale", "offset": "shift"}


@dataclass(frozen=True, eq=False)
class Seam:
    """Where a piece is joined to what lies below it, and how."""

    low: float
    """First value of the piece."""
    high: float
    """Last value of what lies below; less than `low` where they do not overlap."""
    part: slice
    """Channels of the piece in the file, in rising order."""
    below: NDArray[np.intp]
    """Channels that are kept of what lies below, (k,)."""
    above: NDArray[np.intp]
    """Channels that are kept of the piece, (l,)."""
    axis_below: Floats
    axis_piece: Floats
    factor: float = 1.0
    offset: float = 0.0
    error: float = 0.0
    """One standard error of the factor or the offset."""

    @property
    def values(self) -> Floats:
        """Joined axis."""
        return np.concatenate([self.axis_below[self.below], self.axis_piece[self.above]])

    @property
    def is_gap(self) -> bool:
        """Whether the pieces do not overlap."""
        return self.high < self.low

    def both(self, below: NDArray[np.floating], piece: NDArray[np.floating]) -> tuple[Floats, Floats, Floats]:
        """Values in the overlap, and both spectra (..., k) there."""
        values = self.values
        shared = values[(values >= self.low) & (values <= self.high)]
        return shared, at(shared, self.axis_below, below), at(shared, self.axis_piece, piece)

    def applied(self, below: NDArray[np.floating], piece: NDArray[np.floating]) -> Floats:
        """Joined spectra (..., n) of those below (..., m) and of the piece (..., k), as the file has it."""
        raised = self.factor * piece + self.offset
        joined = np.concatenate([below[..., self.below], raised[..., self.above]], axis=-1).astype(np.float64)
        shared, lower, upper = self.both(below, raised)
        if len(shared):
            # From one piece over into the other, so that no step is left at either end of the overlap.
            share = (shared - self.low) / (self.high - self.low) if self.high > self.low else np.full(len(shared), 0.5)
            blend = (1 - share) * lower + share * upper
            first = int(np.searchsorted(self.values, shared[0]))
            joined[..., first : first + len(shared)] = np.where(np.isnan(lower), upper, np.where(np.isnan(upper), lower, blend))
        return joined


def turns_of(values: Floats) -> NDArray[np.intp]:
    """Places of the channels at which an axis turns back, or stays, against its direction as a whole."""
    steps = np.diff(values)
    falls = bool((steps < 0).sum() > (steps > 0).sum())
    return np.flatnonzero((steps >= 0) if falls else (steps <= 0)) + 1


def pieces_of(values: Floats) -> list[slice]:
    """Pieces of an axis in rising order of where they begin, each as a slice that rises."""
    turns = turns_of(values)
    bounds = [0, *turns.tolist(), len(values)]
    pieces = [_rising(values, start, stop) for start, stop in pairwise(bounds)]
    if len(pieces) > _MOST_PIECES or min(stop - start for start, stop in pairwise(bounds)) < _FEWEST:
        raise DataError(
            f"The spectral axis turns back or stands still {len(turns)} times, with fewer than {_FEWEST} channels in between: these are no "
            "pieces of a spectrum that could be joined; export it again, with all digits of its axis."
        )
    return sorted(pieces, key=lambda piece: float(values[piece][0]))


def _rising(values: Floats, start: int, stop: int) -> slice:
    if values[start] <= values[stop - 1]:
        return slice(start, stop)
    return slice(stop - 1, start - 1 if start else None, -1)


def at(wanted: Floats, values: Floats, spectra: NDArray[np.floating]) -> Floats:
    """Spectra (..., n) over rising values (n,), interpolated at wanted ones within them."""
    above = np.clip(np.searchsorted(values, wanted), 1, len(values) - 1) if len(values) > 1 else np.zeros(len(wanted), dtype=np.intp)
    below = np.maximum(above - 1, 0)
    width = values[above] - values[below]
    share = np.divide(wanted - values[below], width, out=np.zeros(len(wanted)), where=width > 0)
    found = (1 - share) * spectra[..., below] + share * spectra[..., above]
    for channel, exact in ((below, share == 0), (above, share == 1)):  # a neighbour that was not measured says nothing of this channel
        found[..., exact] = spectra[..., channel[exact]]
    return np.asarray(found, dtype=np.float64)


def planned(values: Floats, mean: Floats, how: Overlap) -> tuple[slice, list[Seam]]:
    """First piece of an axis (n,), and the seams by which the others are joined to it, from the mean spectrum (n,)."""
    first, *others = pieces_of(values)
    axis, spectrum, seams = values[first], mean[first], []
    for part in others:
        seam = _fitted(_met(axis, values[part], part), spectrum, mean[part], how)
        axis, spectrum = seam.values, seam.applied(spectrum, mean[part])
        seams.append(seam)
    return first, seams


def joined(spectra: NDArray[np.floating], first: slice, seams: Sequence[Seam]) -> NDArray[np.float32]:
    """Spectra (..., n) of the file as they are joined."""
    found = spectra[..., first]
    for seam in seams:
        found = seam.applied(found, spectra[..., seam.part])
    return np.asarray(found, dtype=np.float32)


def _met(axis: Floats, piece: Floats, part: slice) -> Seam:
    """Seam of a piece with what lies below it: half of the channels of the overlap from each."""
    low, high = float(piece[0]), float(axis[-1])
    if piece[-1] <= high:
        raise DataError(
            f"Of the pieces of its spectral axis, {low:g} to {piece[-1]:g} lies within {axis[0]:g} to {high:g}: these are two measurements "
            "of one range, not a stitched spectrum; export them one by one."
        )
    middle = (low + high) / 2 if high >= low else high
    below, above = np.flatnonzero(axis <= middle), np.flatnonzero(piece > middle)
    step = min(float(np.median(np.diff(values))) for values in (axis, piece))
    above = above[piece[above] - axis[below[-1]] >= _DENSEST * step]
    return Seam(low, high, part, below, above, axis, piece)


def _fitted(seam: Seam, below: Floats, piece: Floats, how: Overlap) -> Seam:
    """Seam with the factor or the offset by which the piece agrees with what lies below."""
    if how == "blend":
        return seam
    _, lower, upper = seam.both(below, piece)
    known = np.isfinite(lower) & np.isfinite(upper)
    where = f"at {seam.low:g}"
    if seam.is_gap or known.sum() < _FEWEST:
        shared = counted(0 if seam.is_gap else int(known.sum()), "channel")
        raise DataError(
            f"The pieces of its spectral axis that meet {where} share {shared}, too few to tell a {_NUMBERS[how]}; "
            "join them with overlap 'blend'."
        )
    lower, upper = lower[known], upper[known]
    if how == "offset":
        offset = float(np.median(lower - upper))
        return replace(seam, offset=offset, error=_error(lower - upper - offset))
    if min(lower.sum(), upper.sum()) <= 0:
        raise DataError(f"The light in the overlap {where} is not above zero, so that no scale fits; take overlap 'offset' or 'blend'.")
    # Bright channels know the factor best, each to its own noise over its light.
    factor = _weighted_median(lower[upper > 0] / upper[upper > 0], upper[upper > 0])
    error = _error(lower - factor * upper) / float(np.mean(upper))
    if not factor > 0 or error > _SUREST * factor:
        raise DataError(
            f"The light in the overlap {where} is too weak to tell a scale ({factor:.2g} +- {error:.2g}); take overlap 'offset' or 'blend'."
        )
    return replace(seam, factor=factor, error=error)


def _error(residuals: Floats) -> float:
    """Standard error of a median, from the spread of what is left."""
    spread = _MAD_TO_SIGMA * float(np.median(np.abs(residuals - np.median(residuals))))
    # sqrt(pi / 2) = 1.2533: a median scatters by so much more than a mean.
    return 1.2533 * spread / float(np.sqrt(len(residuals)))


def _weighted_median(values: Floats, weights: Floats) -> float:
    """Value with half of the weight on either side: a cosmic ray in one channel moves it little."""
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(np.interp(total[-1] / 2, total - weights[order] / 2, values[order]))

"""Names proposed for measured peaks: the nearest calculated mode of the right symmetry."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

FARTHEST_CM1 = 10.0
"""A mode farther away is none of the peak's."""
IN_BACKSCATTERING = ("A1'", "E'")
"""Modes of an MX2 monolayer that light scattered back along z shows; E'' is seen at an angle only, A2'' by infrared light."""
_SYMMETRIES = {"A1'": "A1'", "A1g": "A1'", "A2''": "A2''", "E''": "E''", "E1g": "E''", "E'": "E'", "E2g": "E'"}
"""How a peak's name says its symmetry, names of the bulk crystal's modes included; the longer before the shorter."""


@dataclass(frozen=True)
class Assignment:
    """What a measured peak may be.

    Attributes
    ----------
    peak, position : its name, and where it lies (median over the pixels that show it), cm-1
    mode : the calculated mode that is nearest; empty where none lies within `FARTHEST_CM1`
    calculated : where that lies, cm-1; NaN where there is none
    also : other modes that lie within the peak's own width: it may be both
    nearer : another measured peak that lies nearer to the mode; empty where this one does
    """

    peak: str
    position: float
    mode: str = ""
    calculated: float = np.nan
    also: tuple[str, ...] = ()
    nearer: str = ""

    @property
    def distance(self) -> float:
        """Measured less calculated, cm-1."""
        return self.position - self.calculated

    @property
    def sentence(self) -> str:
        """What is proposed, in words."""
        if not np.isfinite(self.position):
            return "not found in the flake"
        if not self.mode:
            return f"none within {FARTHEST_CM1:g} cm-1"
        words = f"{self.mode} at {self.calculated:.1f} cm-1, {abs(self.distance):.1f} cm-1 {'below' if self.distance >= 0 else 'above'}"
        if self.also:
            words += f"; {' and '.join(self.also)} within the line's width"
        return f"{words}; {self.nearer} lies nearer to it" if self.nearer else words


def symmetry_of(peak: str) -> str:
    """Symmetry that a peak's name claims, as one of the monolayer's modes; empty where it claims none."""
    plain = peak.strip().replace("’", "'").replace("′", "'").replace("″", "''").replace('"', "''").replace("_", "")
    return next((mode for word, mode in _SYMMETRIES.items() if plain == word or plain.startswith((f"{word} ", f"{word}("))), "")


def propose(peaks: Sequence[str], positions: Sequence[float], fwhms: Sequence[float], modes: Mapping[str, float]) -> tuple[Assignment, ...]:
    """Name measured peaks.

    Parameters
    ----------
    peaks, positions, fwhms : name, place and width of each, cm-1; NaN where a peak was not found
    modes : calculated wavenumber of each Gamma mode, cm-1
    """
    first = [_nearest(*peak, modes) for peak in zip(peaks, positions, fwhms, strict=True)]
    return tuple(replace(one, nearer=_nearer(one, first)) for one in first)


def _nearest(peak: str, position: float, fwhm: float, modes: Mapping[str, float]) -> Assignment:
    claimed = symmetry_of(peak)
    allowed = (claimed,) if claimed else IN_BACKSCATTERING
    known = {mode: abs(position - place) for mode, place in modes.items() if np.isfinite(place) and np.isfinite(position)}
    near = sorted((mode for mode in known if mode in allowed and known[mode] <= FARTHEST_CM1), key=lambda mode: known[mode])
    if not near:
        return Assignment(peak, position)
    also = tuple(mode for mode in IN_BACKSCATTERING if mode != near[0] and known.get(mode, np.inf) <= fwhm)
    return Assignment(peak, position, near[0], float(modes[near[0]]), also)


def _nearer(one: Assignment, every: Sequence[Assignment]) -> str:
    rivals = [other for other in every if other is not one and one.mode and (other.mode == one.mode or one.mode in other.also)]
    closer = [other for other in rivals if abs(other.position - one.calculated) < abs(one.distance)]
    return min(closer, key=lambda other: abs(other.position - one.calculated)).peak if closer else ""

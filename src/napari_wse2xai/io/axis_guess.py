"""The unit of a spectral axis that comes without one."""

import re
import warnings

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind
from napari_wse2xai.data.axis import CODES, spectral_unit
from napari_wse2xai.errors import DataWarning

FARTHEST_SHIFT = 9000.0
"""cm-1: what starts above it is no Raman shift, nor light told as one: with 532 nm it would lie beyond 1 um."""


_LOWEST_LIGHT = 4500.0
"""cm-1: light below it is beyond 2.2 um.  Who calls a Raman shift a wavenumber, as many do, means less."""
_SHIFT_WORDS = re.compile(r"raman|shift|(?<![a-z])rel(?![a-z])")
_CALLED = {"wavelength": AxisKind.WAVELENGTH, "energy": AxisKind.ENERGY}


def guess_kind(values: NDArray[np.float64], name: str, called: str = "") -> AxisKind:
    """Most likely kind of an axis without a unit, said aloud in a `DataWarning`.

    Parameters
    ----------
    called : what the file calls the axis, such as ``Raman shift``; it goes before the values

    Notes
    -----
    Photon energies are below 20 (eV); what lies within 350-1100 is taken as wavelengths (nm), since Raman spectra
    of crystals start lower or end higher; what starts above 9000 as wavenumbers of light; anything else is a Raman shift.  A narrow Raman
    window around silicon's 520 cm-1 is taken wrongly: give the unit then.
    """
    low, high = float(values.min()), float(values.max())
    kind = _named_kind(low, called) or _likely_kind(low, high)
    warnings.warn(
        f"'{name}' does not say the unit of its spectral axis; {low:g} to {high:g} is taken as {kind.unit} ({kind.value}): "
        f"if that is wrong, give the unit when you load it: {CODES}.",
        DataWarning,
        stacklevel=2,
    )
    return kind


def _named_kind(low: float, called: str) -> AxisKind | None:
    """Kind that an axis is called by; None where its name says none."""
    plain = called.lower()
    if _SHIFT_WORDS.search(plain):
        return AxisKind.RAMAN_SHIFT
    if "wavenumber" in plain or "wave number" in plain:
        return AxisKind.WAVENUMBER if low > _LOWEST_LIGHT else AxisKind.RAMAN_SHIFT
    return next((kind for word, kind in _CALLED.items() if word in plain), None)


def _likely_kind(low: float, high: float) -> AxisKind:
    # No Raman spectrum ends at 20 cm-1, and no laser of a laboratory has photons of 20 eV.
    if high < 20:
        return AxisKind.ENERGY
    if low > FARTHEST_SHIFT:
        return AxisKind.WAVENUMBER
    # What silicon detectors see, in nm.
    return AxisKind.WAVELENGTH if low >= 350 and high <= 1100 else AxisKind.RAMAN_SHIFT


def settle_axis(
    values: NDArray[np.float64], in_file: str | None, *, given: str | None, name: str, called: str = ""
) -> tuple[NDArray[np.float64], AxisKind]:
    """Values in the unit of their kind, and the kind: what the user says, else what the file says, else a guess.

    Parameters
    ----------
    in_file, given : unit in the file, and the one that the user gives
    called : what the file calls the axis, for a unit that several kinds share
    """
    unit = given or in_file
    if not unit:
        return values, guess_kind(values, name, called)
    found = spectral_unit(unit)
    if given is None and found.kind is AxisKind.RAMAN_SHIFT and values.size:
        return values, _shift_or_light(values, f"{called} {unit}".lower(), name)
    return values if found.factor == 1.0 else values * found.factor, found.kind


def _shift_or_light(values: NDArray[np.float64], words: str, name: str) -> AxisKind:
    """Kind of an axis in 1/cm, by the words that the file has for it and by where it lies; what is not sure is said aloud."""
    low, high = float(values.min()), float(values.max())
    says_light = "wavenumber" in words or "wave number" in words
    if _SHIFT_WORDS.search(words):
        kind, is_sure = AxisKind.RAMAN_SHIFT, low <= FARTHEST_SHIFT
    elif says_light:
        kind, is_sure = (AxisKind.WAVENUMBER, True) if low > _LOWEST_LIGHT else (AxisKind.RAMAN_SHIFT, False)
    else:
        kind, is_sure = (AxisKind.WAVENUMBER, False) if low > FARTHEST_SHIFT else (AxisKind.RAMAN_SHIFT, True)
    if not is_sure:
        other = AxisKind.RAMAN_SHIFT if kind is AxisKind.WAVENUMBER else AxisKind.WAVENUMBER
        warnings.warn(
            f"'{name}': {low:g} to {high:g} cm-1 is taken as {kind.value}; if it is {other.value}, give the unit '{other.code}' when you "
            "load it.",
            DataWarning,
            stacklevel=3,
        )
    return kind

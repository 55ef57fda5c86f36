"""The unit of a spectral axis that comes without one."""

import warnings

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind
from napari_wse2xai.data.axis import CODES, spectral_unit
from napari_wse2xai.errors import DataWarning

FARTHEST_SHIFT = 9000.0
"""cm-1: what starts above it is no Raman shift, nor light told as one: with 532 nm it would lie beyond 1 um."""


def guess_kind(values: NDArray[np.float64], name: str) -> AxisKind:
    """Most likely kind of an axis without a unit, said aloud in a `DataWarning`.

    Notes
    -----
    Photon energies are below 20 (eV); what lies within 350-1100 is taken as wavelengths (nm), since Raman spectra
    of crystals start lower or end higher; what starts above 9000 as wavenumbers of light; anything else is a Raman shift.  A narrow Raman
    window around silicon's 520 cm-1 is taken wrongly: give the unit then.
    """
    low, high = float(values.min()), float(values.max())
    kind = AxisKind.WAVELENGTH if low >= 350 and high <= 1100 else AxisKind.RAMAN_SHIFT
    if high < 20:
        kind = AxisKind.ENERGY
    elif low > FARTHEST_SHIFT:
        kind = AxisKind.WAVENUMBER
    warnings.warn(
        f"'{name}' does not say the unit of its spectral axis; {low:g} to {high:g} is taken as {kind.unit} ({kind.value}): "
        f"if that is wrong, give the unit when you load it: {CODES}.",
        DataWarning,
        stacklevel=2,
    )
    return kind


def settle_axis(values: NDArray[np.float64], in_file: str | None, *, given: str | None, name: str) -> tuple[NDArray[np.float64], AxisKind]:
    """Values in the unit of their kind, and the kind: what the user says, else what the file says, else a guess."""
    unit = given or in_file
    if not unit:
        return values, guess_kind(values, name)
    found = spectral_unit(unit)
    if given is None and found.kind is AxisKind.RAMAN_SHIFT and values.size and values.min() > FARTHEST_SHIFT:
        warnings.warn(
            f"'{name}': {values.min():g} to {values.max():g} cm-1 is no Raman shift; it is taken as {AxisKind.WAVENUMBER.value}: "
            "if that is wrong, give the unit cm-1 when you load it.",
            DataWarning,
            stacklevel=2,
        )
        return values, AxisKind.WAVENUMBER
    return values if found.factor == 1.0 else values * found.factor, found.kind

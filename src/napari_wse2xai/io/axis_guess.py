"""The unit of a spectral axis that comes without one."""

import warnings

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind
from napari_wse2xai.errors import DataWarning


def guess_kind(values: NDArray[np.float64], name: str) -> AxisKind:
    """Most likely kind of an axis without a unit, said aloud in a `DataWarning`.

    Notes
    -----
    Photon energies are below 20 (eV); what lies within 350-1100 is taken as wavelengths (nm), since Raman spectra
    of crystals start lower or end higher; anything else is a Raman shift.  A narrow Raman window around silicon's 520 cm-1
    is taken wrongly: give the unit then.
    """
    low, high = float(values.min()), float(values.max())
    kind = AxisKind.WAVELENGTH if low >= 350 and high <= 1100 else AxisKind.RAMAN_SHIFT
    if high < 20:
        kind = AxisKind.ENERGY
    warnings.warn(
        f"'{name}' does not say the unit of its spectral axis; {low:g} to {high:g} is taken as {kind.unit}: "
        "if that is wrong, give the unit (cm-1, nm or eV) when you load it.",
        DataWarning,
        stacklevel=2,
    )
    return kind


def settle_kind(values: NDArray[np.float64], given: str | None, in_file: str | None, name: str) -> AxisKind:
    """Kind of an axis: what the user says, else what the file says, else a guess."""
    unit = given or in_file
    return AxisKind.from_unit(unit) if unit else guess_kind(values, name)

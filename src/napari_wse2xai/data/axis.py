"""The spectral axis: what the channels of a spectrum measure."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_wse2xai.errors import DataError

HC_EV_NM = 1239.841984
"""Planck constant times speed of light, eV nm (CODATA 2018)."""
NM_PER_CM = 1e7


class AxisKind(StrEnum):
    """What a spectral axis measures; its unit follows."""

    RAMAN_SHIFT = "Raman shift"
    WAVELENGTH = "wavelength"
    ENERGY = "energy"

    @property
    def unit(self) -> str:
        """Unit of the axis values, as written in files and layers."""
        return {"Raman shift": "cm-1", "wavelength": "nm", "energy": "eV"}[self.value]

    @classmethod
    def from_unit(cls, unit: str) -> "AxisKind":
        """Kind from any common spelling of its unit (``1/cm``, ``rel. 1/cm``, ``cm⁻¹``, ``nm``, ``eV``...)."""
        text = unit.strip().lower().replace("⁻¹", "-1").replace("^", "").replace("−", "-")
        if text.endswith(("1/cm", "cm-1")):
            return cls.RAMAN_SHIFT
        if text in ("nm", "nanometer", "nanometre", "nanometers"):
            return cls.WAVELENGTH
        if text in ("ev", "electronvolt"):
            return cls.ENERGY
        raise DataError(f"The spectral unit '{unit}' is not known; use cm-1, nm or eV.")


@dataclass(frozen=True, eq=False)
class SpectralAxis:
    """Strictly rising channel positions, not necessarily equidistant."""

    values: NDArray[np.float64]
    """(n,) in the unit of the kind."""
    kind: AxisKind
    laser_nm: float | None = None
    """Wavelength of the exciting laser in nm, where it is known."""

    def __post_init__(self) -> None:
        """Refuse an axis on which no spectrum can be drawn."""
        steps = np.diff(self.values)
        if self.values.ndim != 1 or not len(self.values):
            raise DataError("The spectral axis is empty; choose a file or item that holds spectra.")
        if not np.isfinite(self.values).all():
            raise DataError("The spectral axis holds values that are not numbers; export the map again with its axis.")
        if (steps == 0).any():
            where = self.values[:-1][steps == 0][0]
            raise DataError(f"The spectral axis has {where:g} {self.unit} twice; remove the doubled channel and load the file again.")
        if (steps < 0).any():
            where = self.values[1:][steps < 0][0]
            raise DataError(f"The spectral axis is not monotonic: it turns back at {where:g} {self.unit}; load one grating position only.")

    @property
    def unit(self) -> str:
        """Unit of the values: cm-1, nm or eV."""
        return self.kind.unit

    @property
    def label(self) -> str:
        """Axis label with unit, for plots."""
        return f"{self.kind.value} ({'cm⁻¹' if self.kind is AxisKind.RAMAN_SHIFT else self.unit})"

    @property
    def span(self) -> tuple[float, float]:
        """First and last value."""
        return float(self.values[0]), float(self.values[-1])

    def __len__(self) -> int:
        """Give the number of channels."""
        return len(self.values)

    def between(self, low: float, high: float) -> slice:
        """Channels whose values lie in [low, high]."""
        first, last = np.searchsorted(self.values, [low, high], side="left")
        if last < len(self.values) and self.values[last] == high:
            last += 1
        return slice(int(first), int(last))


def convert_values(values: ArrayLike, source: AxisKind, target: AxisKind, laser_nm: float | None) -> NDArray[np.float64]:
    """Values of one kind expressed as another; order follows the input, so it may come out falling.

    Raman shift is ``1e7 (1/laser - 1/wavelength)`` in cm-1 (Stokes positive); energy is hc/wavelength, in vacuum.
    """
    given = np.asarray(values, dtype=np.float64)
    if source is target:
        return given
    if laser_nm is None and AxisKind.RAMAN_SHIFT in (source, target):
        raise DataError("Converting to or from a Raman shift needs the laser's wavelength; set laser_nm.")
    laser = laser_nm or np.nan
    with np.errstate(divide="ignore"):
        if source is AxisKind.RAMAN_SHIFT:
            wavelength = 1.0 / (1.0 / laser - given / NM_PER_CM)
        else:
            wavelength = given if source is AxisKind.WAVELENGTH else HC_EV_NM / given
        if target is AxisKind.RAMAN_SHIFT:
            return NM_PER_CM * (1.0 / laser - 1.0 / wavelength)
        return wavelength if target is AxisKind.WAVELENGTH else HC_EV_NM / wavelength

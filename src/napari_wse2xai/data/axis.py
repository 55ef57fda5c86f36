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


class Medium(StrEnum):
    """Where wavelengths are measured; those of lamps and lasers are usually given in air."""

    AIR = "air"
    VACUUM = "vacuum"


def air_index(vacuum_nm: ArrayLike) -> NDArray[np.float64]:
    """Refractive index of dry air at 15 degrees Celsius, 101325 Pa and 450 ppm CO2.

    Parameters
    ----------
    vacuum_nm : wavelengths in vacuum, nm; below 200 nm, where wavelengths are given in vacuum by convention, as at 200 nm

    Notes
    -----
    Ciddor 1996, Appl. Opt. 35, 1566, equation 1: 0.23 to 1.69 um.  The air of a room (22 degrees, damp) differs by 1e-5 at most, which is
    0.005 cm-1 at silicon.
    """
    wavenumber = 1e6 / np.maximum(np.abs(np.asarray(vacuum_nm, dtype=np.float64)), 200.0) ** 2  # um-2
    return np.asarray(1.0 + 1e-8 * (5792105.0 / (238.0185 - wavenumber) + 167917.0 / (57.362 - wavenumber)))


def to_vacuum(air_nm: ArrayLike) -> NDArray[np.float64]:
    """Wavelengths in vacuum of those given in air, nm."""
    air = np.asarray(air_nm, dtype=np.float64)
    vacuum = air * air_index(air)
    for _ in range(2):  # the index changes so little with wavelength that each round gives five more digits
        vacuum = air * air_index(vacuum)
    return np.asarray(vacuum)


def to_air(vacuum_nm: ArrayLike) -> NDArray[np.float64]:
    """Wavelengths in air of those given in vacuum, nm."""
    return np.asarray(np.asarray(vacuum_nm, dtype=np.float64) / air_index(vacuum_nm))


@dataclass(frozen=True, eq=False)
class SpectralAxis:
    """Strictly rising channel positions, not necessarily equidistant."""

    values: NDArray[np.float64]
    """(n,) in the unit of the kind."""
    kind: AxisKind
    laser_nm: float | None = None
    """Wavelength of the exciting laser in nm, where it is known."""
    medium: Medium | None = None
    """Where the wavelengths are measured, the laser's too.  None: nobody says; conversions leave refraction out, as instruments do."""
    error: NDArray[np.float64] | None = None
    """(n,) one standard error of each value, in the unit of the kind, common to all pixels; None where the axis was never calibrated."""

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
        if self.error is not None and self.error.shape != self.values.shape:
            raise DataError(f"The spectral axis has {len(self.values)} values but {self.error.size} errors; calibrate the map again.")

    @property
    def unit(self) -> str:
        """Unit of the values: cm-1, nm or eV."""
        return self.kind.unit

    @property
    def label(self) -> str:
        """Axis label with unit, for plots."""
        where = f" in {self.medium}" if self.kind is AxisKind.WAVELENGTH and self.medium is not None else ""
        return f"{self.kind.value}{where} ({'cm⁻¹' if self.kind is AxisKind.RAMAN_SHIFT else self.unit})"

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


def convert_values(
    values: ArrayLike, source: AxisKind, target: AxisKind, laser_nm: float | None, medium: Medium | None = None
) -> NDArray[np.float64]:
    """Values of one kind expressed as another; order follows the input, so it may come out falling.

    Parameters
    ----------
    values : in the unit of `source`
    laser_nm : wavelength of the laser, in the same medium as all other wavelengths
    medium : ``air`` takes refraction into account; without a medium wavelengths are taken as they are, which is what instruments do

    Notes
    -----
    Raman shift is ``1e7 (1/laser - 1/wavelength)`` in cm-1 (Stokes positive) and energy hc/wavelength, both with wavelengths in vacuum.
    Air makes a Raman shift 0.03 % smaller (0.15 cm-1 at silicon with 532 nm) and an energy 0.03 % (0.46 meV at 1.65 eV).
    """
    given = np.asarray(values, dtype=np.float64)
    if source is target:
        return given
    if laser_nm is None and AxisKind.RAMAN_SHIFT in (source, target):
        raise DataError("Converting to or from a Raman shift needs the laser's wavelength; set laser_nm.")
    in_air = medium is Medium.AIR
    laser = np.nan if laser_nm is None else float(to_vacuum(laser_nm) if in_air else laser_nm)
    with np.errstate(divide="ignore"):
        if source is AxisKind.RAMAN_SHIFT:
            wavelength = 1.0 / (1.0 / laser - given / NM_PER_CM)
        elif source is AxisKind.WAVELENGTH:
            wavelength = to_vacuum(given) if in_air else given
        else:
            wavelength = HC_EV_NM / given
        if target is AxisKind.RAMAN_SHIFT:
            return NM_PER_CM * (1.0 / laser - 1.0 / wavelength)
        if target is AxisKind.WAVELENGTH:
            return to_air(wavelength) if in_air else wavelength
        return np.asarray(HC_EV_NM / wavelength)

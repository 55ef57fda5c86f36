"""The spectral axis: what the channels of a spectrum measure."""

import re
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
    WAVENUMBER = "wavenumber of light"

    @property
    def unit(self) -> str:
        """Unit of the axis values, as written in files and layers; that of a Raman shift and of a wavenumber of light is the same."""
        return {"wavelength": "nm", "energy": "eV"}.get(self.value, "cm-1")

    @property
    def code(self) -> str:
        """How a recipe, ``--unit`` or a table writes the kind: its unit, with ``abs.`` before that of a wavenumber of light."""
        return "abs. cm-1" if self is AxisKind.WAVENUMBER else self.unit

    @property
    def modality(self) -> str:
        """Section of a recipe, and group of a file, for maps on such an axis: ``raman`` or ``pl``."""
        return "raman" if self is AxisKind.RAMAN_SHIFT else "pl"

    @classmethod
    def from_unit(cls, unit: str) -> "AxisKind":
        """Kind from any common spelling of a unit without a prefix (``1/cm``, ``rel. 1/cm``, ``abs. cm⁻¹``, ``nm``, ``eV``...)."""
        found = spectral_unit(unit)
        if found.factor != 1.0:
            raise DataError(f"The spectral unit '{unit}' is not known here; use {CODES}.")
        return found.kind


CODES = "cm-1 (Raman shift), abs. cm-1 (wavenumber of light), nm or eV"
"""The units of a spectral axis in words, for sentences that ask for one."""


@dataclass(frozen=True)
class SpectralUnit:
    """A unit that a file writes for its spectral axis."""

    kind: AxisKind
    factor: float = 1.0
    """By which values are multiplied to come out in the unit of the kind."""


_WORDS = {
    "nm": SpectralUnit(AxisKind.WAVELENGTH),
    "nanomet": SpectralUnit(AxisKind.WAVELENGTH),
    "um": SpectralUnit(AxisKind.WAVELENGTH, 1e3),
    "micron": SpectralUnit(AxisKind.WAVELENGTH, 1e3),
    "micromet": SpectralUnit(AxisKind.WAVELENGTH, 1e3),
    "å": SpectralUnit(AxisKind.WAVELENGTH, 0.1),
    "angstrom": SpectralUnit(AxisKind.WAVELENGTH, 0.1),
    "ångström": SpectralUnit(AxisKind.WAVELENGTH, 0.1),
    "mev": SpectralUnit(AxisKind.ENERGY, 1e-3),
    "millielectronvolt": SpectralUnit(AxisKind.ENERGY, 1e-3),
    "ev": SpectralUnit(AxisKind.ENERGY),
    "electronvolt": SpectralUnit(AxisKind.ENERGY),
}
_WHOLE_WORDS = ("nm", "um", "å", "mev", "ev")
_INVERSE_CM = re.compile(r"1/(cm|centimet(er|re)s?)|(cm|centimet(er|re)s?)(\*\*)?-1|kayser")
_OF_LIGHT = re.compile(r"(?<![a-z])abs(olute)?(?![a-z])|of light|vacuum")


def spectral_unit(text: str) -> SpectralUnit:
    """Kind and factor of a unit as people write it: ``cm^{-1}``, ``1 / centimeter``, ``abs. 1/cm``, ``Raman shift (cm-1)``, ``Å``...

    Raises
    ------
    DataError
        Where it is no unit of light.
    """
    plain = text.strip().lower().replace("⁻¹", "-1").replace("¹", "1").replace("µ", "u").replace("μ", "u").replace("å", "å")
    for sign in "−⁻–":
        plain = plain.replace(sign, "-")
    close = re.sub(r"</?su[pb]>|\\\+\((?=-1\))|[\s^{}$\\_]|mathrm|text", "", plain)
    if _INVERSE_CM.search(close):
        return SpectralUnit(AxisKind.WAVENUMBER if _OF_LIGHT.search(plain) else AxisKind.RAMAN_SHIFT)
    last = (re.findall(r"[a-zåö]+", plain) or [""])[-1]
    for word, unit in _WORDS.items():
        if last == word if word in _WHOLE_WORDS else last.startswith(word):
            return unit
    raise DataError(f"The spectral unit '{text}' is not known; use {CODES}.")


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
    # The index is given for wavelengths in vacuum, which are what is looked for: by turns.
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
        return f"{self.kind.value}{where} ({self.unit.replace('cm-1', 'cm⁻¹')})"

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
    Raman shift is ``1e7 (1/laser - 1/wavelength)`` in cm-1 (Stokes positive), energy hc/wavelength and wavenumber ``1e7/wavelength``, all
    with wavelengths in vacuum.  Air makes a Raman shift 0.03 % smaller (0.15 cm-1 at silicon with 532 nm) and an energy 0.03 % (0.46 meV
    at 1.65 eV).
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
            wavelength = (HC_EV_NM if source is AxisKind.ENERGY else NM_PER_CM) / given
        if target is AxisKind.RAMAN_SHIFT:
            return NM_PER_CM * (1.0 / laser - 1.0 / wavelength)
        if target is AxisKind.WAVELENGTH:
            return to_air(wavelength) if in_air else wavelength
        return np.asarray((HC_EV_NM if target is AxisKind.ENERGY else NM_PER_CM) / wavelength)

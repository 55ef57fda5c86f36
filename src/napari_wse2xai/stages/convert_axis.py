"""Express a map on another kind of spectral axis."""

from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind, SpectralAxis, SpectralMap
from napari_wse2xai.data.axis import Medium, convert_values
from napari_wse2xai.progress import Progress
from napari_wse2xai.stages._bands import pixel_by_pixel
from napari_wse2xai.stages._screening import screened
from napari_wse2xai.stages._stage import Stage, setting


class ConvertAxis(Stage[SpectralMap, SpectralMap]):
    """Wavelength, energy, wavenumber of light and Raman shift into one another.

    Notes
    -----
    Between wavelength, energy and wavenumber a spectral density changes its value too: ``I(E) = I(wavelength) hc / E^2`` (Mooney and
    Kambhampati 2013, J. Phys. Chem. Lett. 4, 3316); its noise is scaled with it, and later steps read the noise off the scaled counts.
    A Raman shift keeps its counts: a line's height is then read per channel.
    """

    title: ClassVar[str] = "Convert axis"
    order: ClassVar[int] = 20

    to: Literal["cm-1", "nm", "eV", "abs. cm-1"] = setting(
        "eV",
        title="Axis",
        description="Unit that the spectral axis shall have; 'abs. cm-1' is the wavenumber of light.",
    )
    jacobian: bool = setting(
        True,
        title="Jacobian",
        description="Between nm, eV and wavenumbers, scale the intensities (with hc/E² from nm to eV) so that they stay a density; peak "
        "positions shift slightly.",
    )
    medium: Literal["as read", "air", "vacuum"] = setting(
        "as read",
        title="Wavelengths in",
        description="Where wavelengths, the laser's too, are measured: 'air' takes its refraction into account (0.15 cm-1 at silicon, "
        "0.46 meV at 1.65 eV); 'as read' does so where the map says air, and else converts as instruments' own software does.",
    )

    def run(self, source: SpectralMap, progress: Progress) -> SpectralMap:
        """Convert; a map that has this axis already comes back unchanged."""
        target = AxisKind.from_unit(self.to)
        old = source.axis if self.medium == "as read" else replace(source.axis, medium=Medium(self.medium))
        if target is old.kind:
            return replace(source, axis=old)
        source = screened(source)
        values = convert_values(old.values, old.kind, target, old.laser_nm, old.medium)
        factor, unit, way = np.ones(1, dtype=np.float32), source.intensity_unit, 1
        if self.jacobian and AxisKind.RAMAN_SHIFT not in (old.kind, target):
            factor, unit = _jacobian(old.values, values), f"{unit} {old.kind.unit}/{target.unit}"
        error, marks = _carried(old, values), _marks(source)
        if values[0] > values[-1]:
            values, way = values[::-1].copy(), -1
            error = None if error is None else error[::-1].copy()
            marks = {name: _turned(each, len(values)) for name, each in marks.items()}
        counts = pixel_by_pixel(source.counts, lambda some: (some * factor)[..., ::way], lambda done: progress(done, "converting the axis"))
        axis = SpectralAxis(values, target, old.laser_nm, old.medium, error)
        return replace(source, axis=axis, counts=counts, intensity_unit=unit, **marks)


def _marks(source: SpectralMap) -> dict[str, Any]:
    """What the map knows of single channels."""
    return {name: getattr(source, name) for name in ("replaced", "saturated", "bad_channels", "bridged")}


def _turned(places: NDArray[np.int32] | None, channels: int) -> NDArray[np.int32] | None:
    """Channels, or rows, columns and channels, on an axis that runs the other way."""
    if places is None:
        return None
    turned = places.copy()
    channel = turned if turned.ndim == 1 else turned[:, 2]
    channel[:] = channels - 1 - channel
    return turned


def _jacobian(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float32]:
    """|d source / d target|: wavelength, energy and wavenumber are proportional to one another or to their inverse, so it is the quotient.

    In air this leaves out the dispersion of the index, 1e-5 of the intensity, and nearly the same for all channels.
    """
    return np.asarray(source / target, dtype=np.float32)


def _carried(old: SpectralAxis, values: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Error of a calibration, on the new axis."""
    if old.error is None or len(old) < 2:
        return old.error
    return np.asarray(old.error * np.abs(np.gradient(values, old.values)))

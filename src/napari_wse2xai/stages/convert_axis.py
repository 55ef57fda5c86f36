"""Express a map on another kind of spectral axis."""

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np

from napari_wse2xai.data import AxisKind, SpectralAxis, SpectralMap
from napari_wse2xai.data.axis import HC_EV_NM, convert_values
from napari_wse2xai.stages._stage import Progress, Stage, setting


class ConvertAxis(Stage[SpectralMap, SpectralMap]):
    """Wavelength, energy and Raman shift into one another.

    Notes
    -----
    Between wavelength and energy a spectral density changes its value too: ``I(E) = I(wavelength) hc / E^2`` (Mooney and
    Kambhampati 2013, J. Phys. Chem. Lett. 4, 3316).  A Raman shift keeps its counts: a line's height is then read per channel.
    """

    title: ClassVar[str] = "Convert axis"

    to: Literal["cm-1", "nm", "eV"] = setting("eV", title="Axis", description="Unit that the spectral axis shall have.")
    jacobian: bool = setting(
        True,
        title="Jacobian",
        description="Between nm and eV, scale the intensities with hc/E² so that they stay a density; peak positions shift slightly.",
    )

    def run(self, source: SpectralMap, progress: Progress) -> SpectralMap:
        """Convert; a map that has this axis already comes back unchanged."""
        target = AxisKind.from_unit(self.to)
        kind = source.axis.kind
        if target is kind:
            return source
        values = convert_values(source.axis.values, kind, target, source.axis.laser_nm)
        counts, unit = source.counts, source.intensity_unit
        if self.jacobian and AxisKind.RAMAN_SHIFT not in (kind, target):
            counts, unit = counts * _jacobian(values, target), f"{unit} {kind.unit}/{target.unit}"
        if values[0] > values[-1]:
            values, counts = values[::-1].copy(), np.ascontiguousarray(counts[..., ::-1])
        return replace(source, axis=SpectralAxis(values, target, source.axis.laser_nm), counts=counts, intensity_unit=unit)


def _jacobian(values: np.ndarray, target: AxisKind) -> np.ndarray:
    """|d source / d target| at the converted values: nm/eV or eV/nm; the formula hc / value^2 serves both ways."""
    assert target in (AxisKind.ENERGY, AxisKind.WAVELENGTH)
    return np.asarray(HC_EV_NM / values**2, dtype=np.float32)

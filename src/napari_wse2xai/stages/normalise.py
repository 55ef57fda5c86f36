"""Counts per second and milliwatt."""

import warnings
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.data.acquisition import COUNTS, NORMALISED, RATE, Acquisition, is_rate
from napari_wse2xai.errors import DataError, DataWarning
from napari_wse2xai.progress import Progress
from napari_wse2xai.stages._bands import pixel_by_pixel
from napari_wse2xai.stages._screening import screened
from napari_wse2xai.stages._stage import Stage, setting


class Normalise(Stage[SpectralMap, SpectralMap]):
    """Divide by exposure and laser power, so that maps that were taken differently have one unit.

    Notes
    -----
    Lines of Raman scattering and of excitons grow with exposure and power; where a line saturates, or is of two excitons, its height per
    milliwatt still depends on the power.  Positions and widths stay as they are.
    """

    title: ClassVar[str] = "Normalise"
    order: ClassVar[int] = 70

    exposure_s: float | None = setting(
        None, title="Exposure", unit="s", description="Exposure of one accumulation; empty for what the file says.", gt=0
    )
    power_mw: float | None = setting(
        None, title="Laser power", unit="mW", description="Power of the laser on the sample; empty for what the file says.", gt=0
    )
    accumulations: Literal["averaged", "summed"] = setting(
        "averaged",
        title="Accumulations",
        description="What the instrument's software does with several accumulations: 'summed' divides by their number too.",
    )

    def run(self, source: SpectralMap, progress: Progress) -> SpectralMap:
        """Divide the counts; a map that is normalised already comes back unchanged."""
        if NORMALISED in source.intensity_unit:
            return source
        source = screened(source)
        factor = np.float32(1.0 / (self._seconds(source) * self._milliwatts(source)))
        counts = pixel_by_pixel(source.counts, lambda some: some * factor, lambda done: progress(done, "dividing by exposure and power"))
        return replace(source, counts=counts, intensity_unit=_per_second_and_milliwatt(source.intensity_unit))

    def _seconds(self, source: SpectralMap) -> float:
        """Time that the counts were collected in; one second where they are per second."""
        if is_rate(source.intensity_unit):
            return 1.0
        said = Acquisition.from_metadata(source.metadata)
        exposure, taken = self.exposure_s or said.exposure_s, said.accumulations or 1
        if exposure is None:
            raise DataError(f"'{source.name}' does not say its exposure; give its exposure in seconds (exposure_s).")
        if taken > 1 and "accumulations" not in self.model_fields_set:
            warnings.warn(
                f"'{source.name}' was taken in {taken} accumulations, which are taken as averaged; "
                "if its software adds them, as WiRE does, set accumulations to 'summed'.",
                DataWarning,
                stacklevel=4,
            )
        return exposure * (taken if self.accumulations == "summed" else 1)

    def _milliwatts(self, source: SpectralMap) -> float:
        said = Acquisition.from_metadata(source.metadata)
        power = self.power_mw or said.power_mw
        if power is None:
            known = f" (only a filter: {said.attenuation})" if said.attenuation else ""
            raise DataError(f"'{source.name}' does not say the power of its laser{known}; give that on the sample in mW (power_mw).")
        return power


def _per_second_and_milliwatt(unit: str) -> str:
    for known in (RATE, COUNTS):
        if unit.startswith(known):
            return NORMALISED + unit.removeprefix(known)
    return f"{unit}/mW" if is_rate(unit) else f"{unit}/(s mW)"

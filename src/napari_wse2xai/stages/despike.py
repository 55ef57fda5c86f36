"""Remove cosmic rays."""

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.numerics import despike
from napari_wse2xai.stages._stage import Progress, Settings, Stage, setting
from napari_wse2xai.stages._windows import Window


class Guarded(Settings):
    """Spikes of 1 to 4 channels that stand out of their spectrum and that the neighbouring pixels do not show: spares sharp lines."""

    kind: Literal["guarded"] = "guarded"
    threshold: float = setting(
        6.0, title="Threshold", unit="σ", description="How far a channel must stand out of the noise.", gt=0, le=1000
    )
    neighbour_factor: float = setting(
        1.3,
        title="Neighbour factor",
        description="How many times what the neighbouring pixels show at this channel a spike must exceed.",
        ge=0,
        le=100,
    )

    def spikes(self, source: SpectralMap) -> NDArray[np.bool_]:
        """(ny, nx, n) channels to replace."""
        return despike.guarded_spikes(source.counts, threshold=self.threshold, neighbour_factor=self.neighbour_factor)


class AreaThreshold(Settings):
    """A spectral area with its own threshold."""

    window: Window = setting(title="Area", unit="axis", description="From, to.")
    threshold: float = setting(8.0, title="Threshold", unit="σ", description="Jump that counts as a spike in this area.", gt=0, le=1000)


class FirstDifference(Settings):
    """The paper's filter: jumps of the first-order difference.  It has no guard: too low a threshold eats sharp lines such as A1'."""

    kind: Literal["first difference"] = "first difference"
    threshold: float = setting(
        8.0, title="Threshold", unit="σ", description="Jump that counts as a spike outside the areas.", gt=0, le=1000
    )
    areas: tuple[AreaThreshold, ...] = setting((), title="Areas", description="Spectral areas with a threshold of their own.")

    def spikes(self, source: SpectralMap) -> NDArray[np.bool_]:
        """(ny, nx, n) channels to replace."""
        threshold = np.full(len(source.axis), self.threshold)
        for area in self.areas:
            threshold[source.axis.between(*area.window)] = area.threshold
        return despike.first_difference_spikes(source.counts, threshold)


Method = Annotated[Guarded | FirstDifference, Field(discriminator="kind")]


class Despike(Stage[SpectralMap, SpectralMap]):
    """Replace channels hit by cosmic rays, and single channels without a value, by a straight line between the good ones beside them."""

    title: ClassVar[str] = "Remove spikes"

    method: Method = setting(Guarded(), title="Method", description="How spikes are told from lines.")

    def run(self, source: SpectralMap, progress: Progress) -> SpectralMap:
        """Return the repaired map; `repaired` counts the replaced channels of each pixel."""
        counts = np.empty_like(source.counts)
        repaired = np.zeros(source.frame.shape, dtype=np.uint16)
        for rows, padded in _bands(source.frame.shape[0], source.counts[0].size):
            progress(rows.start / source.frame.shape[0], "looking for cosmic rays")
            band = replace(
                source,
                counts=source.counts[padded],
                frame=replace(source.frame, shape=(padded.stop - padded.start, source.frame.shape[1])),
                flake=None,
                repaired=None,
            )
            own = slice(rows.start - padded.start, rows.stop - padded.start)
            spikes = self.method.spikes(band)[own] | _gaps(source.counts[rows])
            counts[rows] = despike.interpolate(source.counts[rows], spikes)
            repaired[rows] = spikes.sum(axis=-1)
        progress(1.0, f"replaced {int(repaired.sum())} channels")
        return replace(source, counts=counts, repaired=repaired)


def _gaps(counts: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Single channels without a value (saturated, or lost on export), in spectra that are otherwise whole."""
    missing = np.isnan(counts)
    return np.asarray(missing & (missing.mean(axis=-1, keepdims=True) < 0.1))


def _bands(ny: int, row_size: int) -> list[tuple[slice, slice]]:
    """Rows to work on at a time, and the same with two rows of neighbours; bounds the memory of a large map."""
    height = max(8, min(ny, 4_000_000 // max(row_size, 1)))
    return [
        (slice(start, min(start + height, ny)), slice(max(start - 2, 0), min(start + height + 2, ny))) for start in range(0, ny, height)
    ]

"""What the substrate shines by itself: a spectrum of which every pixel has some, fitted with the background."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.errors import DataError
from napari_wse2xai.stages._bands import rows_of
from napari_wse2xai.stages.correct_response import Spectrum, on_axis

CLEAR = 2
"""Pixels round the flake that are not asked: the spot still lights it from there."""
FEWEST = 4
"""Pixels whose mean is a spectrum of the substrate."""


@dataclass(frozen=True)
class Substrate:
    """Its spectrum on the axis of a map."""

    values: NDArray[np.float64]
    """(n,) counts."""
    pixels: float
    """Spectra that it is the mean of: so much smaller is its noise, which all pixels share; inf where that is not known."""

    @classmethod
    def off_flake(cls, source: SpectralMap) -> "Substrate":
        """Mean of what lies well off the flake; raises DataError where nothing does."""
        from scipy import ndimage

        if source.flake is None:
            raise DataError(
                f"'{source.name}' has no flake, so its substrate is not known: find the flake first, give a substrate_file, or say "
                "substrate: none."
            )
        bare = source.measured & ~source.flake
        far = bare & ~ndimage.binary_dilation(source.flake, iterations=CLEAR)
        chosen = far if far.sum() >= FEWEST else bare
        if source.saturated is not None:
            chosen[source.saturated[:, 0], source.saturated[:, 1]] = False
        if chosen.sum() < FEWEST:
            raise DataError(
                f"'{source.name}' has {int(chosen.sum())} pixels off the flake, too few for the spectrum of the substrate; give a "
                "substrate_file, or say substrate: none."
            )
        return cls(_mean(source, chosen), float(chosen.sum()))

    @classmethod
    def of_file(cls, given: Spectrum, source: SpectralMap) -> "Substrate":
        """From a measurement of the bare substrate."""
        return cls(on_axis(given, source, given.unit or "as the map", "spectrum of the substrate"), np.inf)


def _mean(source: SpectralMap, chosen: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(n,) mean of some pixels; a row at a time, for a map on disk."""
    total, count = np.zeros(len(source.axis)), np.zeros(len(source.axis))
    for row in np.flatnonzero(chosen.any(axis=1)).tolist():
        spectra = np.asarray(rows_of(source.counts, slice(row, row + 1))[0][chosen[row]], dtype=np.float64)
        total += np.nansum(spectra, axis=0)
        count += np.isfinite(spectra).sum(axis=0)
    return total / np.maximum(count, 1.0)

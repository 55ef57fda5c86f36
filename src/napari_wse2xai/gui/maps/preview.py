"""A preview: the pixel that is shown, fitted as the settings stand, before anything is run."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject

from napari_wse2xai.data import Frame, PeakMaps, SpectralMap
from napari_wse2xai.gui.parts.newest import Newest
from napari_wse2xai.plots.spectra import FittedCurves
from napari_wse2xai.progress import Progress, silent
from napari_wse2xai.stages import Baseline, Deconvolve


@dataclass(frozen=True, eq=False)
class PreviewWanted:
    """What is to be fitted, and how."""

    source: SpectralMap
    pixel: tuple[int, int]
    deconvolve: Deconvolve
    baseline: Baseline | None = None
    """Taken off before; None where the map has none any more."""


@dataclass(frozen=True, eq=False)
class PreviewedFit:
    """What came of it."""

    wanted: PreviewWanted
    peaks: PeakMaps
    """Of one pixel."""
    baseline: NDArray[np.float64]
    """(n,) counts under it all."""

    @property
    def total(self) -> NDArray[np.float64]:
        """(n,) fit over the baseline, as it lies on the spectrum; NaN outside the windows."""
        return np.asarray(FittedCurves.of(self.peaks, 0, 0).total + self.baseline)


def fit_one(wanted: PreviewWanted, progress: Progress = silent) -> PreviewedFit:
    """Fit one pixel by the very stages that would fit the map; what these learn from neighbours and from the substrate is not to be had."""
    row, column = wanted.pixel
    counts = np.array(wanted.source.counts[row : row + 1, column : column + 1])
    none: dict[str, Any] = dict.fromkeys(("flake", "repaired", "replaced", "saturated", "bridged"))
    one = replace(wanted.source, frame=Frame((1, 1)), counts=counts, **none)
    above = one if wanted.baseline is None else wanted.baseline(one, progress)
    settings = wanted.deconvolve.model_copy(update={"pixels": "everywhere", "substrate": "none"})
    return PreviewedFit(wanted, settings(above, progress), np.asarray(counts[0, 0] - above.counts[0, 0], dtype=np.float64))


class Preview(Newest):
    """Fits in a thread what was asked for last; gives a `PreviewedFit`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__("Preview of a fit", parent)

    def ask(self, wanted: PreviewWanted) -> None:
        """Fit this soon."""
        self.do(lambda progress: fit_one(wanted, progress))

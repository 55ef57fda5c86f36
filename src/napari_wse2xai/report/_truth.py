"""A result beside the truth of a synthetic flake."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import PeakMaps, SpectralMap
from napari_wse2xai.synthetic import ModalityTruth, Truth


@dataclass(frozen=True)
class PeakErrors:
    """Median absolute deviations from the truth of one peak over the pixels where it was found."""

    name: str
    position: float
    """Axis unit."""
    fwhm: float
    """Axis unit."""
    height: float
    """Fraction of the true height."""
    pixels: int


@dataclass(frozen=True)
class Comparison:
    """How near one modality's result comes to what was put in."""

    flake_iou: float
    """Common pixels of found and true flake over the pixels of either."""
    hit_pixels: int
    """Pixels in which a cosmic ray was planted."""
    repaired_pixels: int
    """Those of them in which channels were repaired."""
    unit: str
    peaks: tuple[PeakErrors, ...]


def compare(source: SpectralMap, peaks: PeakMaps, truth: Truth, part: ModalityTruth) -> Comparison:
    """Compare a preprocessed map and its peaks with the truth.

    Parameters
    ----------
    part : ``truth.raman`` or ``truth.pl``
    """
    flake = np.zeros(source.frame.shape, dtype=bool) if source.flake is None else source.flake
    hit = part.spikes.per_pixel > 0
    repaired = hit & (source.repaired > 0) if source.repaired is not None else np.zeros_like(hit)
    rows = tuple(_errors(peaks, part, name) for name in peaks.names if name in part.names)
    iou = float((flake & truth.flake).sum() / max(int((flake | truth.flake).sum()), 1))
    return Comparison(iou, int(hit.sum()), int(repaired.sum()), peaks.axis.unit, rows)


def _errors(peaks: PeakMaps, part: ModalityTruth, name: str) -> PeakErrors:
    mine, theirs = peaks.names.index(name), part.names.index(name)
    position, fwhm, height = (np.abs(getattr(peaks, p)[mine] - getattr(part, p)[theirs]) for p in ("position", "fwhm", "height"))
    return PeakErrors(name, _median(position), _median(fwhm), _median(height / part.height[theirs]), int(np.isfinite(position).sum()))


def _median(values: NDArray[np.floating]) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else float("nan")

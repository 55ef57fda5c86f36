"""Correlations of the fitted parameters, on request: for one pixel or for the mean spectrum."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.errors import DataError
from napari_wse2xai.stages._pixels import Pixels
from napari_wse2xai.stages._plan import Plan
from napari_wse2xai.stages.peaks import KINDS


@dataclass(frozen=True)
class Correlations:
    """How the errors of the fitted parameters of one spectrum hang together."""

    names: tuple[str, ...]
    """Peak and parameter, such as ``A1' fwhm``; only what was fitted and has an error."""
    matrix: NDArray[np.float64]
    """(m, m) correlation coefficients; 0 between windows, which are fitted apart."""

    def __str__(self) -> str:
        """Write the matrix as a table."""
        width = max(map(len, self.names), default=0)
        rows = (f"{name:<{width}} " + " ".join(f"{value:+.2f}" for value in row) for name, row in zip(self.names, self.matrix, strict=True))
        return "\n".join(rows)


def correlations(plans: Sequence[Plan], source: SpectralMap, spectra: Pixels, pixel: tuple[int, int] | None) -> Correlations:
    """Fit one spectrum, of a pixel or the mean of all, as a stage would, and give the correlations of what was fitted."""
    from napari_wse2xai.numerics import uncertainty

    names: list[str] = []
    parts = []
    for plan in plans:
        window, problem, mean = plan.window, plan.problem, spectra.mean(plan.window)[None].astype(np.float32)
        counts = mean if pixel is None else _spectrum(source, pixel, window.channels)
        fit = window.fit(problem, counts, plan.terms.solver, lambda done: None)
        matrix = uncertainty.correlations(problem, counts, fit.found, fit.free)[0]
        known = np.flatnonzero(np.isfinite(np.diag(matrix)))
        every = [f"{peak.name} {kind}" for peak in window.peaks for kind in KINDS]
        names += [every[place] for place in known]
        parts.append(matrix[np.ix_(known, known)])
    return Correlations(tuple(names), _blocks(parts))


def _spectrum(source: SpectralMap, pixel: tuple[int, int], channels: slice | NDArray[np.intp]) -> NDArray[np.float32]:
    """(1, n) counts of a pixel."""
    counts = np.asarray(source.counts[pixel[0], pixel[1], channels], dtype=np.float32)[None]
    if not np.isfinite(counts).all():
        raise DataError(f"Pixel {pixel} of '{source.name}' has channels without a value in a fit window; choose another pixel.")
    return counts


def _blocks(parts: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Matrix with the parts along its diagonal."""
    size = sum(len(part) for part in parts)
    result, at = np.zeros((size, size)), 0
    for part in parts:
        result[at : at + len(part), at : at + len(part)] = part
        at += len(part)
    return result

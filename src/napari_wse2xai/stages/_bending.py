"""Single spectra whose background bends more often than the map's: fluorescence of a particle, where others have none."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.problem import FORM, LONGEST
from napari_wse2xai.stages._fitting import Done, Fit, FitWindow
from napari_wse2xai.stages._otherwise import fitted_otherwise
from napari_wse2xai.stages._pixels import Pixels

if TYPE_CHECKING:
    from napari_wse2xai.numerics.problem import Problem

SOME = 2.3
"""Structure of a residual, in standard deviations, from which it is asked: chance alone leaves as much in two spectra of three."""
MORE = 2
"""Degrees by which a background may bend more often."""
SURE = 20.0
"""Fall of chi2 by these from which a spectrum asks for them: chance alone reaches it in one of 20,000."""
FAR = 2.5
"""Errors by which they move some parameter from which that is told: less is held by the error, more or less."""
FIRST = 64
"""Pixels that are asked first, those of most structure; where none of these asks, none of the rest is."""
THEN, SELDOM, LIT = 256, 0.02, 4.0
"""Pixels that are asked at a time after them; share of these that ask, below which the rest is not asked; and noise standard deviations
of light that is worth asking."""
ACROSS = 8
"""Channels over which a background hardly bends, and which share more noise than neighbours do."""


def with_more_bends(
    window: FitWindow, problem: "Problem", fit: Fit, spectra: Pixels, asked: NDArray[np.bool_], progress: Done
) -> NDArray[np.float32]:
    """(pixel, peak, 4) by how much a background that bends more often moves the parameters, 0 where a spectrum does not ask for one.

    Only those are asked, (pixel,), of which nothing else is known to be missed: a line that is missing would bend it too.
    """
    moved = np.zeros(fit.found.shape, dtype=np.float32)
    if problem.degree is None:
        return moved
    from napari_wse2xai.numerics.structure import raised

    lit = fit.found[..., 2].sum(axis=1) > LIT * fit.quality.noise
    structure = np.where(asked & lit, fit.quality.structure, 0.0)
    rows = np.argsort(-structure, kind="stable")[: int((structure > SOME).sum())]
    bent = replace(problem, degree=problem.degree + MORE)
    sure = SURE * raised(ACROSS, fit.noise.memory)
    for some in np.split(rows, range(FIRST, len(rows), THEN)):
        counts, found = spectra.of(window, some), fit.found[some].astype(np.float64)
        other, rise = fitted_otherwise(bent, problem, fit, counts, some, found, progress)
        by = np.abs(other - found)
        farthest = np.nan_to_num(by[..., :FORM] / fit.quality.error[some][..., :FORM]).max(axis=(1, 2))
        asks = (rise < -sure) & (farthest > FAR)
        moved[some[asks]] = np.minimum(by[asks], LONGEST)
        if not len(some) or asks.mean() < SELDOM:
            break
    return moved

"""Whether models that predict as well tell the same story: which of them is trusted, and where their slopes differ."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
APART = 0.1
"""A model whose slopes agree with the others' by so much less than those of another is not trusted, however well it predicts."""


def concordance(slopes: Numbers, others: Numbers, step: Numbers) -> float:
    """How far two models' slopes (feature, n) are the same, all parameters together in the prediction's unit.

    1 where they are equal, 0 where they are unrelated, -1 where they are opposite: ``2 <ab> / (<a^2> + <b^2>)`` (Lin 1989, about zero).
    A parameter that does nothing has no weight, and one of constant slope counts though its map has no pattern to correlate.
    """
    a, b = slopes * step[:, None], others * step[:, None]
    size = float((a**2).sum() + (b**2).sum())
    return 2 * float((a * b).sum()) / size if size else 1.0


def trusted(slopes: Mapping[str, Numbers], step: Numbers) -> str:
    """Name of the model to explain, among models that predict as well, the best first.

    Parameters
    ----------
    slopes : (feature, n) of each
    step : (feature,) by which slopes become effects

    Notes
    -----
    The first whose slopes agree with the others' about as well as any model's do: one that predicts best by a hair and stands alone with
    its map is passed over.
    """
    names = list(slopes)
    if len(names) < 3:
        return names[0]
    usual = {name: float(np.mean([concordance(slopes[name], slopes[other], step) for other in names if other != name])) for name in names}
    return next(name for name in names if usual[name] >= max(usual.values()) - APART)


def disagreement(slopes: Sequence[Numbers], error: Numbers) -> Numbers:
    """By how many errors the slopes (feature, n) of models differ, at most: beyond 1.96 they are not the same.

    Parameters
    ----------
    error : (feature, n) one standard deviation of a model's slope, of each model alike

    Notes
    -----
    The farthest two of many lie farther apart by chance than two alone do: by the studentised range (Tukey 1949), so that as many pixels
    are taken for disputed by chance however many models there are.
    """
    from scipy.special import ndtri
    from scipy.stats import studentized_range

    usual = float(studentized_range.ppf(0.95, len(slopes), np.inf) / ndtri(0.975))
    apart = np.ptp(np.stack(slopes), axis=0)
    return np.asarray(np.divide(apart, usual * error, out=np.zeros_like(apart), where=error > 0))

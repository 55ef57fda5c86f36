"""What theory says of what the network found: sentences with numbers for the finding card."""

from dataclasses import dataclass

import numpy as np

from napari_wse2xai.data.quantities import Feature
from napari_wse2xai.theory.cell import GAMMA_MODES, Array
from napari_wse2xai.theory.evaluation import TheoryResult
from napari_wse2xai.theory.findings import NOTHING, fall_with_defects
from napari_wse2xai.theory.naming import FARTHEST_CM1, Assignment

_SURE = 2.0
"""Standard errors by which a correlation must differ from zero to have a sign."""
FEWEST_PIXELS = 10
"""Fewer have no correlation that is worth telling."""
_MOST_PIXELS = 1500
"""Of which all pairs are looked at, to learn how far neighbours are alike."""
_BINS = 40
"""Of the distances between pixels."""


@dataclass(frozen=True)
class Agreement:
    """How a slope image goes with the measured height of a mode over the pixels.

    Attributes
    ----------
    correlation, error : rank correlation, and the standard deviation of that of two maps as smooth that owe nothing to one another
    pixels : how many count
    """

    correlation: float
    error: float
    pixels: int

    @property
    def verdict(self) -> str:
        """``agrees``, ``disagrees`` or ``tells nothing``."""
        if not abs(self.correlation) > _SURE * self.error:
            return "tells nothing"
        return "agrees" if self.correlation > 0 else "disagrees"


def rank_correlation(one: Array, other: Array, places: Array) -> Agreement:
    """Rank correlation of two values per pixel, with the error that it has where neighbouring pixels are alike.

    Parameters
    ----------
    one, other : (n,) finite
    places : (n, 2) where each pixel is; (n, 3) with the number of its flake behind

    Notes
    -----
    Two smooth maps that owe nothing to one another correlate by chance far more than 1 / sqrt(n).  The variance is that of Clifford,
    Richardson and Hemon 1989 (doi 10.2307/2532039): the product of both autocorrelations, summed over all pairs of pixels.
    """
    from scipy.stats import rankdata  # takes long to load

    if len(one) < FEWEST_PIXELS or not (np.ptp(one) and np.ptp(other)):
        return Agreement(np.nan, np.nan, len(one))
    first, second = (_standardised(rankdata(values)) for values in (one, other))
    return Agreement(float((first * second).mean()), float(np.sqrt(_variance(first, second, places))), len(one))


def _standardised(values: Array) -> Array:
    return np.asarray((values - values.mean()) / values.std())


def _variance(one: Array, other: Array, places: Array) -> float:
    """Variance of the mean product of two standardised maps that owe nothing to one another."""
    n = len(one)
    rows = np.random.default_rng(0).permutation(n)[:_MOST_PIXELS]
    first, second = np.triu_indices(len(rows), 1)
    first, second = rows[first], rows[second]
    if places.shape[1] > 2:
        same = places[first, 2] == places[second, 2]
        first, second = first[same], second[same]
    apart = np.hypot(*(places[first, :2] - places[second, :2]).T)
    bins = np.minimum((apart / (apart.max() or 1.0) * _BINS).astype(np.int64), _BINS - 1)
    pairs = np.bincount(bins, minlength=_BINS)
    products = (np.bincount(bins, values[first] * values[second], _BINS) / np.maximum(pairs, 1) for values in (one, other))
    both = 2 * float((pairs * np.prod(list(products), axis=0)).sum()) * (n / len(rows)) ** 2
    return max((n + both) / n**2, 1.0 / n)


@dataclass(frozen=True)
class NetworkFinding:
    """What the network makes of the flake.

    Attributes
    ----------
    feature : the parameter that it relies on most, as ``A1'.height``
    target : what it predicts
    stamp : what must stand on everything drawn from it; empty where it is interpretable
    agreement : of its slope image with the height of the peak that is `pristine`; None where that could not be asked
    pristine : the measured peak whose height says how pristine a pixel is; empty where there is none
    """

    feature: str
    target: str
    stamp: str
    agreement: Agreement | None
    pristine: str


def sentences_of(result: TheoryResult, proposals: tuple[Assignment, ...], found: NetworkFinding) -> tuple[str, ...]:
    """Say whether theory has the mode, whether it falls with defects, and whether the slope image agrees."""
    peak, parameter = Feature.of(found.feature)
    named = next((one for one in proposals if one.peak == peak), None)
    stamp = f" ({found.stamp.lower()})" if found.stamp else ""
    words = f"For PL {found.target} the network{stamp} relies most on the {parameter} of {peak}"
    if named is None or not named.mode:
        where = "" if named is None or not np.isfinite(named.position) else f" at {named.position:.1f} cm-1"
        return (f"{words}{where}: {NOTHING}; it has no mode that could be seen there within {FARTHEST_CM1:g} cm-1.",)
    exists = f"{words}, measured at {named.position:.1f} cm-1; theory has {named.mode} at {named.calculated:.1f} cm-1 ({result.leading})."
    if named.nearer:
        exists = f"{exists[:-1]}, but {named.nearer} lies nearer to it: the name is doubtful."
    fall = fall_with_defects(result, named.mode)
    return exists, *_also(named), fall.sentence, _slopes(result, found, named.mode)


def _also(named: Assignment) -> tuple[str, ...]:
    if not named.also:
        return ()
    return (f"{' and '.join(named.also)} lies within the width of {named.peak}: the measurement cannot tell them apart.",)


def pristine_mode(result: TheoryResult, relied_on: str) -> str:
    """Mode whose measured height says how pristine a pixel is: it falls with defects beyond all null controls; empty where none does."""
    order = [relied_on, *(mode for mode in GAMMA_MODES if mode != relied_on)]
    return next((mode for mode in order if mode in ("A1'", "E'") and fall_with_defects(result, mode).real), "")


def _slopes(result: TheoryResult, found: NetworkFinding, relied_on: str) -> str:
    mode = pristine_mode(result, relied_on)
    if not mode:
        return f"Slope image of {_words(found.feature)}: {NOTHING}; no mode's height tells pristine crystal from defects."
    agreement = found.agreement
    if agreement is None or not np.isfinite(agreement.correlation):
        return f"Slope image of {_words(found.feature)}: the height of {mode}, to compare it with, is not measured on these pixels."
    numbers = f"rank correlation {agreement.correlation:.2f} ± {agreement.error:.2f}, {agreement.pixels} pixels"
    beside = f"the measured height of {found.pristine}, which by theory is high where the crystal is pristine"
    if agreement.verdict == "tells nothing":
        return f"The slope image of {_words(found.feature)} does not go with {beside} ({numbers}): it tells nothing for or against theory."
    side = "high" if agreement.verdict == "agrees" else "low"
    return f"The slope image of {_words(found.feature)} {agreement.verdict}: the slope is {side} where {beside} ({numbers})."


def _words(feature: str) -> str:
    peak, parameter = Feature.of(feature)
    return f"{peak} {parameter}"

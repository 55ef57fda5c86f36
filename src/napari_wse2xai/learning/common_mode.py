"""Do all RS heights and the PL move together?  A drifting focus or laser does that, and a network would take it for a law."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from napari_wse2xai.data import NullTest
from napari_wse2xai.errors import DataError
from napari_wse2xai.learning.fast_model import folds_of, predictions
from napari_wse2xai.learning.null_test import DrawnMaps, MapData, compared
from napari_wse2xai.learning.scores import r2
from napari_wse2xai.learning.tame_scale import tamed
from napari_wse2xai.learning.variogram import Numbers
from napari_wse2xai.numerics.standard import standardised
from napari_wse2xai.progress import Progress, silent

TOGETHER = 0.6
"""All heights move together where one component holds this share of their variance."""
MOSTLY_POSITIVE = 0.9
"""A line takes part where this share of its heights is positive."""
HEIGHTS = slice(2, None, 3)
"""Columns of `data.Samples.features` that are heights."""
LOWEST = 0.02
"""Heights below this share of the line's median count as this: noise has no logarithm."""


@dataclass(frozen=True)
class CommonMode:
    """What is left of a prediction when nothing tells it how bright RS is as a whole."""

    target: str
    first_share: float
    """Share of the variance of the heights' standardised logarithms that their first principal component holds."""
    together: bool
    """Whether all heights have the same sign in it."""
    correlation: float
    """Between the logarithm of the common factor and the target."""
    r2: Mapping[str, float]
    """Of the fast model as measured, by validation."""
    r2_normalised: Mapping[str, float]
    """With every height divided by the common factor of its pixel."""
    p_normalised: Mapping[str, float]
    """Null test of that."""
    r2_divided: Mapping[str, float]
    """With the target divided by the common factor too."""
    surrogates: int = 99
    """How many the null test drew."""
    lines: int = 2
    """How many lines rise above the noise; of one alone nothing tells what is the focus."""

    @property
    def moving(self) -> bool:
        """Whether all heights move together."""
        return self.together and self.first_share > TOGETHER

    @property
    def text(self) -> str:
        """What was found, as two sentences."""
        validation, place = ("blocks", "in spatial blocks") if "blocks" in self.r2 else ("random", "on the random split")
        asis, normalised, divided = (one.get(validation, float("nan")) for one in (self.r2, self.r2_normalised, self.r2_divided))
        without = "without that height" if self.lines == 1 else "with the heights divided by that factor"
        scores = f"{asis:.2f} as measured, {normalised:.2f} {without}, {divided:.2f} with PL divided too"
        return f"{self._heights()}. R2 {place}: {scores}."

    def _heights(self) -> str:
        """How the heights go with one another and with PL."""
        if self.lines == 1:
            return (
                "One RS line alone rises above the noise in most pixels, and no other tells whether its height is the crystal or the focus "
                f"(correlation with PL {self.correlation:.2f})"
            )
        moving = "All RS heights move together" if self.moving else "The RS heights do not all move together"
        shares = f"first component {self.first_share:.0%} of their variance, correlation of their common factor with PL"
        return f"{moving} ({shares} {self.correlation:.2f})"


def is_intensity(target: str, unit: str) -> bool:
    """Whether a target follows the focus: a height, an area, or another number of counts."""
    return target in ("height", "area") or "counts" in unit.split()


def common_factor(heights: ArrayLike) -> Numbers:
    """Brightness of a pixel's RS as a whole: geometric mean of heights (n, line), each over its line's median; (n,) around 1."""
    logs = _logs(np.asarray(heights, dtype=np.float64))
    return np.asarray(np.exp(logs.mean(axis=1)))


def common_mode(  # noqa: PLR0913 - data, then options
    X: Numbers,  # noqa: N803 - as in scikit-learn
    y: ArrayLike,
    coordinates: ArrayLike,
    measured: NullTest,
    *,
    heights: slice | Sequence[int] = HEIGHTS,
    flake: ArrayLike | None = None,
    plain: Numbers | None = None,
    seed: int = 0,
    progress: Progress = silent,
) -> CommonMode:
    """Predict a PL intensity with and without what all RS heights have in common.

    Parameters
    ----------
    X : (n, feature) without NaN
    y : (n,) PL height or area; a position or FWHM does not follow the focus
    coordinates, flake, plain, seed : as for `null_test`
    measured : null test of the same target; as many surrogates are drawn again
    heights : columns of X that are heights

    Notes
    -----
    Ratios of heights, positions and FWHM do not change with the focus.  A PL map that they still predict better than surrogates cannot be
    the focus alone; one that they do not predict may be.  Dividing PL by the common factor as well puts the factor's own dependence on the
    crystal into the target, so that a high score proves nothing then: it is told, and not judged.
    """
    known = np.isfinite(np.asarray(y, dtype=np.float64))
    factor = common_factor(X[known][:, heights])
    bare = np.array(X, dtype=np.float64)
    bare[np.ix_(known, np.arange(X.shape[1])[heights])] /= factor[:, None]
    count = len(measured.surrogate_r2["random"])
    data = MapData.of(bare, y, coordinates, flake)
    drawn = DrawnMaps.of(data, count, [], seed, plain)
    values = np.asarray(y, dtype=np.float64)[known]
    # Of PL divided too, by the same models: alone it would take as long as all surrogates.
    asked = np.column_stack([drawn.targets.T, tamed(values / factor)])
    splits = folds_of(data.values, data.places, data.flake, seed, quiet=True)  # a flake too small for blocks: said by the first null test
    predicted = predictions(data.features, asked, splits, seed, progress)
    test = compared(data, drawn, {name: each[:, :-1] for name, each in predicted.items()}, measured.target)
    r2_divided = {name: float(r2(asked[:, -1:], each[:, -1:])[0]) for name, each in predicted.items()}
    logs = _logs(X[known][:, heights])
    found = _first_component(logs), _correlation(np.log(factor), values)
    return CommonMode(measured.target, *found[0], found[1], measured.r2, test.r2, test.p_value, r2_divided, count, logs.shape[1])


def _first_component(logs: Numbers) -> tuple[float, bool]:
    """Share of the variance of heights' logarithms, standardised, in the first principal component; whether all have one sign in it."""
    _, singular, directions = np.linalg.svd(standardised(logs), full_matrices=False)
    if not singular[0]:  # the same everywhere
        return 0.0, False
    return float(singular[0] ** 2 / np.sum(singular**2)), bool(np.all(directions[0] > 0) or np.all(directions[0] < 0))


def _correlation(one: Numbers, other: Numbers) -> float:
    """Of two rows of numbers; 0 where either is the same everywhere."""
    return float(np.corrcoef(one, other)[0, 1]) if np.ptp(one) and np.ptp(other) else 0.0


def _logs(heights: Numbers) -> Numbers:
    """Logarithms of heights over the line's median, (n, line that takes part)."""
    middle = np.median(heights, axis=0)
    usable = (np.mean(heights > 0, axis=0) >= MOSTLY_POSITIVE) & (middle > 0)
    if not usable.any():
        raise DataError("No RS line rises above the noise in most pixels, so it cannot be told whether the heights move together.")
    return np.asarray(np.log(np.maximum(heights[:, usable] / middle[usable], LOWEST)))

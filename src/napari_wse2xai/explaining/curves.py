"""Partial dependence (Friedman 2001) and ICE curves (Goldstein et al. 2015) of all parameters in one pass."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.explaining.bunch import Bunch
from napari_wse2xai.explaining.cloud import Cloud
from napari_wse2xai.explaining.model import Model, Numbers, moved
from napari_wse2xai.explaining.subject import Subject
from napari_wse2xai.progress import Progress, silent

KINDS = ("average", "individual", "both")
NODES = 9
"""Points at which the model is evaluated; a cubic spline gives the rest to some 0.1 % of a curve's range."""
MOST_LEAVING = 0.5
"""A value at which a larger share of the pixels would leave the cloud of the data is beyond it."""
PIXELS = 400
"""Curves of so many weighted pixels are averaged; they agree with all 3,000 to some 0.3 % of the 95 % band of the target."""


def partial_dependence(  # noqa: PLR0913 - scikit-learn's arguments, and how much may be saved
    estimator: object,
    X: Numbers | None = None,  # noqa: N803 - scikit-learn's name
    features: Sequence[int] | None = None,
    *,
    grid_resolution: int = 50,
    percentiles: tuple[float, float] = (0.025, 0.975),
    kind: str = "average",
    centered: bool = False,
    nodes: int | None = NODES,
    samples: int | None = PIXELS,
    random_state: int = 0,
    progress: Progress = silent,
) -> Bunch:
    """Partial dependence ``PDP_i(v) = mean over pixels of f(x with x_i = v)`` of many parameters at once, with the ICE curves it averages.

    Parameters
    ----------
    estimator : whatever `as_model` takes, or a `Subject`, which has a table of its own
    X : (n, column) raw units
    features : columns to explain; all where none are named
    grid_resolution : points of a curve, equally spaced between the percentiles, as in `sklearn.inspection.partial_dependence`
    percentiles : first and last point of each grid, as quantiles of the column
    kind : ``average``, ``individual`` or ``both``
    centered : curves start at 0 on the left
    nodes : points at which the model is evaluated, the rest by a cubic spline; None evaluates every point (for models with steps, as trees)
    samples : pixels whose curves are averaged, with weights (`representative`); None takes all
    random_state : seed of the choice of pixels
    progress : called per chunk

    Returns
    -------
    Bunch with ``grid_values`` (feature, grid); ``average`` (feature, grid) and ``individual`` (feature, sample, grid) as asked for;
    ``std`` (feature, grid), the standard deviation over pixels of the curves once each is centred on its own mean, 0 where all curves
    are parallel; ``off_cloud`` (feature, grid) share of pixels that leave the cloud of the data there; ``supported`` (feature, grid)
    where that is at most half; ``pixels`` (sample,) and ``weights`` (sample,). With all points and all pixels, ``average``,
    ``individual`` and ``grid_values`` are scikit-learn's (``method="brute"``).

    Notes
    -----
    Not to be trusted where ``supported`` is False: the model was never shown such pixels.
    """
    subject = Subject.of(estimator, X)
    table, columns = subject.table, subject.columns(features)
    if kind not in KINDS:
        raise SettingsError(f"The kind '{kind}' is not known; use {', '.join(KINDS[:-1])} or {KINDS[-1]}.")
    pixels, weights = subject.pixels(samples, random_state)
    grid = grids(table[:, columns], grid_resolution, percentiles)
    few = grids(table[:, columns], min(nodes or grid_resolution, grid_resolution), percentiles)
    curves = refined(ice_curves(subject.model, table[pixels], columns, few, progress), grid_resolution)
    curves = curves - curves[:, :, :1] if centered else curves
    result = Bunch(grid_values=grid, pixels=pixels, weights=weights, **_support(subject.cloud, columns, grid, pixels))
    result.update({} if kind == "individual" else averaged(curves, weights), **({} if kind == "average" else {"individual": curves}))
    return result


def grids(table: Numbers, points: int, percentiles: tuple[float, float]) -> Numbers:
    """(feature, point) equally spaced values between two quantiles of each column, scikit-learn's."""
    from scipy.stats.mstats import mquantiles

    low, high = np.asarray(mquantiles(table, prob=percentiles, axis=0))
    return np.linspace(low, high, points, axis=1)


def ice_curves(model: Model, table: Numbers, columns: NDArray[np.int64], values: Numbers, progress: Progress = silent) -> Numbers:
    """Predictions (feature, pixel, point) for a table (pixel, column), one column at a time set to its values (feature, point)."""
    shape = (len(columns), len(table), values.shape[1])
    there = np.broadcast_to(values[:, :, None], (len(columns), values.shape[1], len(table)))
    short = moved(model, table, columns, there, progress, "Curves")
    if short is not None:
        return short.swapaxes(1, 2)

    def rows(start: int, stop: int) -> Numbers:
        feature, pixel, point = np.unravel_index(np.arange(start, stop), shape)
        changed = table[pixel]
        changed[np.arange(stop - start), columns[feature]] = values[feature, point]
        return changed

    return model.rows(int(np.prod(shape)), rows, progress, "Curves").reshape(shape)


def refined(curves: Numbers, points: int) -> Numbers:
    """Cubic spline (not-a-knot) through equally spaced nodes, last axis from nodes to points."""
    from scipy.interpolate import CubicSpline

    if curves.shape[-1] == points:
        return curves
    spline = CubicSpline(np.linspace(0, 1, curves.shape[-1]), curves, axis=-1)
    return np.asarray(spline(np.linspace(0, 1, points)))


def averaged(curves: Numbers, weights: Numbers) -> dict[str, Numbers]:
    """Weighted mean (feature, grid) of curves (feature, pixel, grid), and the spread over pixels of the centred ones."""
    centred = curves - curves.mean(axis=-1, keepdims=True)
    return {"average": np.einsum("fpg,p->fg", curves, weights), "std": centred.std(axis=1)}


def _support(cloud: Cloud, columns: NDArray[np.int64], grid: Numbers, pixels: NDArray[np.int64]) -> dict[str, Numbers | NDArray[np.bool_]]:
    share = np.stack([cloud.leaving_at(int(k), values, pixels).mean(axis=0) for k, values in zip(columns, grid, strict=True)])
    return {"off_cloud": share, "supported": share <= MOST_LEAVING}

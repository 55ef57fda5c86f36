"""Accumulated local effects (Apley and Zhu 2020): curves that never ask the model about pixels far from those it knows."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.explaining.bunch import Bunch
from napari_wse2xai.explaining.model import Numbers
from napari_wse2xai.explaining.subject import Subject
from napari_wse2xai.progress import Progress, silent

BINS = 20
"""Intervals of the quantiles; a curve's slope is a mean over the pixels within one, so that more would be noisier."""
SCHEMES = ("steps", "autograd")


def accumulated_local_effects(
    estimator: object,
    X: Numbers | None = None,  # noqa: N803 - scikit-learn's name
    features: Sequence[int] | None = None,
    *,
    bins: int = BINS,
    scheme: str = "steps",
    progress: Progress = silent,
) -> Bunch:
    """Accumulated local effect of each parameter: mean change across each bin, over the pixels in that bin, summed up.

    Parameters
    ----------
    estimator : whatever `as_model` takes, or a `Subject`, which has a table of its own
    X : (n, column) raw units
    features : columns to explain; all where none are named
    bins : number of bins, with equally many pixels each
    scheme : ``steps`` moves each pixel to the edges of its bin (for any model); ``autograd`` takes its derivative times the bin's width
        (Gkolemis et al. 2022), one pass for all parameters
    progress : called per chunk

    Returns
    -------
    Bunch with ``grid_values`` (feature, bins + 1) edges; ``average`` (feature, bins + 1), centred on a mean of 0 over the pixels; ``std``
    (feature, bins) spread of the local change within each bin; ``count`` (feature, bins).  Values repeat where a column has too few
    different values for that many bins.

    Notes
    -----
    Where parameters go together, a PDP asks about pixels that do not exist and this does not.  Still it divides the credit between
    parameters that are nearly copies (`not_separable`).
    """
    subject = Subject.of(estimator, X)
    table, columns = subject.table, subject.columns(features)
    if scheme not in SCHEMES:
        raise SettingsError(f"The scheme '{scheme}' is not known; use {' or '.join(SCHEMES)}.")
    edges = np.quantile(table[:, columns], np.linspace(0, 1, bins + 1), axis=0).T
    where = np.stack([_bins(table[:, column], own) for column, own in zip(columns, edges, strict=True)])
    if scheme == "autograd":
        changes = subject.model.gradient(table, progress)[:, columns].T * np.take_along_axis(np.diff(edges, axis=1), where, axis=1)
    else:
        changes = _steps(subject, columns, edges, where, progress)
    average, spread, count = (np.stack(parts) for parts in zip(*map(_accumulate, changes, where, [bins] * len(columns)), strict=True))
    return Bunch(grid_values=edges, average=average, std=spread, count=count)


def _bins(values: Numbers, edges: Numbers) -> NDArray[np.int64]:
    """Bin of each value, those on an edge to the left of it, as in Apley and Zhu's own code."""
    return np.clip(np.searchsorted(edges, values, side="left") - 1, 0, len(edges) - 2)


def _steps(subject: Subject, columns: NDArray[np.int64], edges: Numbers, where: NDArray[np.int64], progress: Progress) -> Numbers:
    """Change (feature, n) of the prediction from the lower to the upper edge of each pixel's bin."""
    there = np.stack([np.take_along_axis(edges, where + side, axis=1) for side in (0, 1)])
    low, high = subject.moved(columns, there, progress, "Accumulated local effects")
    return np.asarray(high - low)


def _accumulate(changes: Numbers, where: NDArray[np.int64], bins: int) -> tuple[Numbers, Numbers, NDArray[np.int64]]:
    """Sum up the mean changes of one parameter and centre them; also spread and number of pixels in each bin."""
    count = np.bincount(where, minlength=bins)
    divisor = np.maximum(count, 1)
    mean = np.bincount(where, changes, bins) / divisor
    spread = np.sqrt(np.bincount(where, (changes - mean[where]) ** 2, bins) / divisor)
    curve = np.concatenate([[0.0], np.cumsum(mean)])
    level = ((curve[:-1] + curve[1:]) / 2 * count).sum() / count.sum()
    return curve - level, spread, count

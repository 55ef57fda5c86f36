"""Where on the flake a parameter acts in which way: clusters of ICE curves, and regions that the other parameters set apart."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.explaining.bunch import Bunch
from napari_wse2xai.explaining.curves import NODES, grids, ice_curves, refined
from napari_wse2xai.explaining.model import Numbers
from napari_wse2xai.explaining.subject import Subject
from napari_wse2xai.progress import Progress, silent

if TYPE_CHECKING:
    from sklearn.tree import DecisionTreeRegressor


PERCENTILES = (0.025, 0.975)
"""Quantiles between which the curves run that regions are made from."""
SMALLEST_REGION = 0.05
"""Of the pixels."""
LEAST_GAIN = 0.05
"""A split must take away so much of the curves' spread."""
NOTICEABLE = 1e-5
"""And so much of the variance of all predictions: where curves differ by rounding only, there is nothing to split."""


def ice_clusters(
    estimator: object,
    X: Numbers | None,  # noqa: N803 - scikit-learn's name
    feature: int,
    *,
    clusters: int = 3,
    grid_resolution: int = 50,
    random_state: int = 0,
    progress: Progress = silent,
) -> Bunch:
    """Group pixels by the shape of their ICE curve (k-means on curves that are each centred on their own mean).

    Parameters
    ----------
    estimator : whatever `as_model` takes, or a `Subject`, which has a table of its own
    X : (n, column) raw units
    feature : column to explain
    clusters : number of groups
    grid_resolution : points of a curve
    random_state : seed of k-means
    progress : called per chunk

    Returns
    -------
    Bunch with ``labels`` (n,) from 1, by rising slope of the curves, for a layer of labels; ``grid_values`` (grid,); ``average``
    (cluster, grid), mean curve of each cluster; ``heterogeneity`` before and ``remaining`` after: root mean square off the mean curve,
    in the prediction's unit
    """
    from sklearn.cluster import KMeans

    curves, centred, grid = _curves(Subject.of(estimator, X), feature, progress)
    found = KMeans(clusters, n_init=4, random_state=random_state).fit_predict(centred)
    labels = _by_slope(found, centred)
    return Bunch(labels=labels, **_summary(labels, curves, centred, grid, grid_resolution))


def regional_effects(
    estimator: object,
    X: Numbers | None,  # noqa: N803 - scikit-learn's name
    feature: int,
    *,
    names: Sequence[str] = (),
    depth: int = 2,
    grid_resolution: int = 50,
    progress: Progress = silent,
) -> Bunch:
    """Split the pixels, by the other parameters, into regions in each of which the ICE curves are alike (Herbinger et al. 2023).

    Parameters
    ----------
    estimator : whatever `as_model` takes, or a `Subject`, which has a table of its own
    X : (n, column) raw units
    feature : column to explain
    names : of the columns, for the rules
    depth : splits one below another, at most
    grid_resolution : points of a curve
    progress : called per chunk

    Returns
    -------
    As `ice_clusters`, with ``rules``: for each region when a pixel belongs to it, in words.  One region where no split takes away 5 % of
    the curves' spread: then the parameter acts alike everywhere, or differs for no reason that RS shows.
    """
    from sklearn.tree import DecisionTreeRegressor

    subject = Subject.of(estimator, X)
    table = subject.table
    curves, centred, grid = _curves(subject, feature, progress)
    others = np.delete(np.arange(table.shape[1]), feature)
    least = max(LEAST_GAIN * centred.var(axis=0).mean(), NOTICEABLE * float(curves.var()))
    tree = DecisionTreeRegressor(max_depth=depth, min_samples_leaf=SMALLEST_REGION, min_impurity_decrease=least, random_state=0)
    leaves = tree.fit(table[:, others], centred).apply(table[:, others])
    labels = _by_slope(leaves, centred)
    words = [names[k] if names else f"column {k}" for k in others.tolist()]
    rules = _rules(tree, words)
    ordered = [rules[int(leaves[labels == label][0])] for label in range(1, int(labels.max()) + 1)]
    return Bunch(labels=labels, rules=ordered, **_summary(labels, curves, centred, grid, grid_resolution))


def _curves(subject: Subject, feature: int, progress: Progress) -> tuple[Numbers, Numbers, Numbers]:
    """ICE curves (n, node) of one column at a few nodes, the same centred, and the nodes."""
    columns = subject.columns([feature])
    grid = grids(subject.table[:, columns], NODES, PERCENTILES)
    curves = ice_curves(subject.model, subject.table, columns, grid, progress)[0]
    return curves, curves - curves.mean(axis=1, keepdims=True), grid[0]


def _by_slope(groups: NDArray[np.int64], centred: Numbers) -> NDArray[np.int64]:
    """Number the groups from 1 by the rise of their mean curve."""
    names = np.unique(groups)
    rise = [float((centred[groups == name, -1] - centred[groups == name, 0]).mean()) for name in names]
    labels = np.empty(len(groups), dtype=np.int64)
    for label, index in enumerate(np.argsort(rise), start=1):
        labels[groups == names[index]] = label
    return labels


def _summary(labels: NDArray[np.int64], curves: Numbers, centred: Numbers, grid: Numbers, points: int) -> dict[str, Any]:
    every = range(1, int(labels.max()) + 1)
    average = np.stack([curves[labels == label].mean(axis=0) for label in every])
    within = centred - np.stack([centred[labels == label].mean(axis=0) for label in every])[labels - 1]
    return {
        "grid_values": np.linspace(grid[0], grid[-1], points),
        "average": refined(average, points),
        "heterogeneity": float(centred.std(axis=0).mean()),
        "remaining": float(np.sqrt((within**2).mean(axis=0)).mean()),
    }


def _rules(tree: "DecisionTreeRegressor", words: Sequence[str]) -> dict[int, str]:
    """Rule of each leaf, by its number."""
    inner, rules = tree.tree_, {0: ""}
    for node in range(inner.node_count):
        left, right = int(inner.children_left[node]), int(inner.children_right[node])
        if left >= 0:
            before = f"{rules[node]} and " if rules[node] else ""
            split = f"{words[inner.feature[node]]} {{}} {inner.threshold[node]:.4g}"
            rules[left], rules[right] = before + split.format("≤"), before + split.format(">")
    return {node: rule or "everywhere" for node, rule in rules.items()}

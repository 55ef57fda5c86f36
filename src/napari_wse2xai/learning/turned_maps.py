"""A map mirrored and turned on its own flake: if one of these follows RS better than the map itself, RS and PL are drawn differently."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.learning.variogram import Numbers, Raster

TURNS: dict[str, Callable[[Numbers, Numbers], tuple[Numbers, Numbers]]] = {
    "mirrored left to right": lambda y, x: (y, -x),
    "mirrored top to bottom": lambda y, x: (-y, x),
    "turned by 180°": lambda y, x: (-y, -x),
    "turned by 90°": lambda y, x: (x, -y),
    "turned by 270°": lambda y, x: (-x, y),
    "with x and y exchanged": lambda y, x: (x, y),
    "with x and y exchanged and turned by 180°": lambda y, x: (-x, -y),
}
"""Where a pixel's value is taken from, by place about the middle of the flake in shares of its sides."""


def turned(values: Numbers, places: Numbers, flake: NDArray[np.int64]) -> Numbers:
    """Give each pixel the value of the one that lies there once the flake's map is turned: (n, turn) in the order of `TURNS`.

    Where the turned flake has no pixel the nearest one stands in; each flake is turned about its own middle.
    """
    found = np.empty((len(values), len(TURNS)))
    for one in np.unique(flake):
        here = flake == one
        found[here] = values[here][_sources(Raster.of(places[here]))]
    return found


def _sources(raster: Raster) -> NDArray[np.int64]:
    from scipy.spatial import cKDTree

    sides = np.maximum(np.array(raster.shape) - 1, 1)
    places = 2.0 * raster.index / sides - 1.0
    tree = cKDTree(places)
    return np.stack([tree.query(np.column_stack(turn(*places.T)))[1] for turn in TURNS.values()], axis=1)

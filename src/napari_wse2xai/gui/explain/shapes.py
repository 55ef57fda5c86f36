"""Regions drawn as shapes on the canvas: which pixels of a layer lie inside."""

from typing import Any

import numpy as np
from matplotlib.path import Path
from numpy.typing import NDArray

from napari_wse2xai.data import Explanation
from napari_wse2xai.layers import KEY, LayerTuple, Shown
from napari_wse2xai.layers.shown import place

ROUND = np.linspace(0, 2 * np.pi, 72, endpoint=False)
FEWEST_CORNERS = 3


def shapes_layer(explanation: Explanation) -> LayerTuple:
    """Make an empty Shapes layer, in pixels of the first flake; what is drawn in it counts on every flake that it covers."""
    keywords = {
        "ndim": 2,
        "name": "drawn regions of the curves",
        "face_color": "#e8711a33",
        "edge_color": "#e8711a",
        "edge_width": 0.3,
        "metadata": {KEY: Shown(explanation, "drawn")},
    }
    return None, keywords | place(explanation.samples.frames[0]), "shapes"


def covered(shapes: Any, image: Any) -> NDArray[np.bool_]:
    """Pixels (ny, nx) of an image layer whose middle lies in some shape, wherever either layer was moved or turned to."""
    found = np.zeros(image.data.shape[-2:], dtype=bool)
    middles = np.argwhere(np.ones_like(found))
    for corners, kind in zip(shapes.data, shapes.shape_type, strict=True):
        outline = _outline(np.asarray(corners, dtype=float), kind)
        if len(outline) >= FEWEST_CORNERS:
            there = np.array([image.world_to_data(shapes.data_to_world(corner))[-2:] for corner in outline])
            found |= Path(there).contains_points(middles).reshape(found.shape)
    return found


def _outline(corners: NDArray[np.float64], kind: str) -> NDArray[np.float64]:
    """Corners of a shape; an ellipse is kept by napari as the four corners of its box."""
    if kind != "ellipse":
        return corners
    middle, across, along = corners.mean(axis=0), (corners[1] - corners[0]) / 2, (corners[3] - corners[0]) / 2
    return np.asarray(middle + np.cos(ROUND)[:, None] * across + np.sin(ROUND)[:, None] * along)

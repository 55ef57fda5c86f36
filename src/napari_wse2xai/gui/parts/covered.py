"""Shapes that are drawn on the canvas: which pixels of a layer lie inside."""

import numpy as np
from matplotlib.path import Path
from napari.layers import Layer, Shapes
from numpy.typing import NDArray

ROUND = np.linspace(0, 2 * np.pi, 72, endpoint=False)
FEWEST_CORNERS = 3


def covered(shapes: Shapes, image: Layer) -> NDArray[np.bool_]:
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

"""Two parameters at once: mean prediction as a heat map, with the pixels that there are."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from napari_wse2xai.data import Explanation
from napari_wse2xai.data.quantities import COLORMAPS, pretty, with_unit
from napari_wse2xai.data.questions import TwoParameters
from napari_wse2xai.plots.judged import badge, stamp

PIXEL: dict[str, Any] = {"color": "white", "markersize": 3.2, "alpha": 0.7, "markeredgewidth": 0}
MOST_PIXELS = 600
"""Dots on a surface; more would hide it."""

Numbers = NDArray[np.float64]


def draw_pair(axes: Axes, explanation: Explanation, pair: TwoParameters, *, bar: Axes) -> Any:
    """Partial dependence on two parameters; white dots are pixels: where there are none the model was never asked while it learnt.

    Parameters
    ----------
    pair : the first feature runs to the right, the second upwards
    bar : where the colour bar lies, above the heat map

    Returns
    -------
    the image
    """
    samples, grid = explanation.samples, pair.grid
    image = axes.imshow(
        pair.surface.T, extent=_edges(grid), origin="lower", aspect="auto", cmap=COLORMAPS["surface"], interpolation="nearest"
    )
    columns = [samples.feature_names.index(explanation.features[feature]) for feature in pair.features]
    every = slice(None, None, -(-len(samples) // MOST_PIXELS))
    axes.plot(*samples.features[every, columns].T, ".", **PIXEL)
    axes.set(xlim=grid[0, [0, -1]], ylim=grid[1, [0, -1]])
    first, second = (with_unit(explanation.features[k], explanation.feature_units[k]) for k in pair.features)
    axes.set(xlabel=first, ylabel=second)
    colours = axes.figure.colorbar(image, cax=bar, orientation="horizontal", location="top")
    colours.set_label(f"mean PL {explanation.target} ({pretty(explanation.target_unit)}), {explanation.model_words}", fontsize="small")
    colours.ax.tick_params(labelsize="x-small")
    badge(axes, explanation.verdict, inside=True)
    stamp(axes, explanation.stamp)
    return image


def _edges(grid: Numbers) -> tuple[float, float, float, float]:
    """Outer edges (left, right, bottom, top) of an image whose pixels lie at the grid."""
    half = (grid[:, -1] - grid[:, 0]) / (2 * (grid.shape[1] - 1))
    low, high = grid[:, 0] - half, grid[:, -1] + half
    return float(low[0]), float(high[0]), float(low[1]), float(high[1])

"""ICE curves of one parameter and their mean, on Axes that can show another parameter at once."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from napari_wse2xai.data import Explanation
from napari_wse2xai.data.quantities import pretty, with_unit
from napari_wse2xai.plots.judged import badge, stamp

CURVE, MEAN = "#4c9be8", "#d1495b"
LOCAL = (0, (4, 1.5))
"""Dashes of accumulated local effects."""
UNSUPPORTED = "#b4bcc4"
ROOM = 0.05
"""Above and below the curves, of their reach."""

Numbers = NDArray[np.float64]


class CurvePlot:
    """Curves of all kept pixels, their mean, accumulated local effects (ALE), and shades where the data do not reach.

    Lines, shades and letters are made once and then changed: to make new ones takes longer than to draw them.
    """

    def __init__(self, axes: Axes, explanation: Explanation) -> None:
        self.axes, self.explanation = axes, explanation
        self.lines = LineCollection([], colors=CURVE, linewidths=0.6, alpha=0.35)
        axes.add_collection(self.lines, autolim=False)
        (self.mean,) = axes.plot([], [], color=MEAN, linewidth=1.8, label="mean (PDP)")
        (self.local,) = axes.plot([], [], color="#1d2733", linewidth=1.2, linestyle=LOCAL, label="ALE")
        if explanation.ale is not None:
            axes.legend(loc="upper left", fontsize="x-small", frameon=False)
        self._shades = [self._shade() for _ in range(2)]
        axes.set_title(f"{explanation.model_words}, {len(explanation.pixels)} pixels", loc="left")
        badge(axes, explanation.verdict)
        stamp(axes, explanation.stamp)

    def show(self, feature: int, *, centred: bool = False) -> None:
        """Show one parameter.

        Parameters
        ----------
        feature : number of the feature
        centred : measure every curve from its value in the middle of the grid
        """
        explanation, axes = self.explanation, self.axes
        x, curves, mean = explanation.pdp_grid[feature], explanation.ice[feature], explanation.pdp[feature]
        local = np.full_like(mean, np.nan) if explanation.ale is None else explanation.ale[feature]
        if centred:
            middle = len(x) // 2
            curves, mean, local = curves - curves[:, middle : middle + 1], mean - mean[middle], local - local[middle]
        self.lines.set_segments(segments(x, curves))
        self.mean.set_data(x, mean)
        self.local.set_data(x, local)
        self._reach_over(x, np.vstack([curves, mean]))
        self._show_unsupported(x, explanation.supported[feature])
        change = "change of " if centred else ""
        axes.set_xlabel(with_unit(explanation.features[feature], explanation.feature_units[feature]))
        axes.set_ylabel(f"{change}PL {explanation.target} ({pretty(explanation.target_unit)})")

    def _reach_over(self, x: Numbers, curves: Numbers) -> None:
        low, high = float(curves.min()), float(curves.max())
        room = ROOM * (high - low) or 0.5
        self.axes.set(xlim=(x[0], x[-1] if x[-1] > x[0] else x[0] + 1.0), ylim=(low - room, high + room))

    def _shade(self) -> Rectangle:
        shade = Rectangle((0, 0), 1, 1, facecolor="none", edgecolor=UNSUPPORTED, hatch="///", linewidth=0, zorder=0, visible=False)
        shade.set_transform(self.axes.get_xaxis_transform())
        self.axes.add_patch(shade)
        return shade

    def _show_unsupported(self, x: Numbers, supported: NDArray[np.bool_]) -> None:
        """Shade what lies left and right of the supported values."""
        inside = x[supported] if supported.any() else x
        for shade, (low, high) in zip(self._shades, ((x[0], inside[0]), (inside[-1], x[-1])), strict=True):
            shade.set(x=low, width=high - low, visible=bool(high > low))


def segments(x: Numbers, curves: Numbers) -> list[Numbers]:
    """Curves (curve, grid) as the segments (grid, 2) of a LineCollection."""
    return list(np.stack(np.broadcast_arrays(x, curves), axis=-1))

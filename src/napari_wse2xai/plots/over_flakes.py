"""Effects of parameters on several flakes, each explained by itself, beside their mean."""

import numpy as np
from matplotlib.axes import Axes

from napari_wse2xai.numerics.over_flakes import OverFlakes
from napari_wse2xai.plots.plain_text import plain

SPREAD = 0.25
"""Half of the height over which the flakes of a parameter are spread, in distances of parameters."""
MOST = 8
"""Parameters that are shown; the table has all."""


def draw_over_flakes(axes: Axes, found: OverFlakes) -> None:
    """A point with its standard error for each flake, and the mean over flakes with its own, from the most to the least important."""
    shown = found.ranking[:MOST]
    places = np.arange(len(shown))
    beside = places + np.linspace(-SPREAD, SPREAD, len(found.effect))[:, None]
    effect, error = (np.ravel(each[:, shown]) for each in (found.effect, found.error))
    axes.errorbar(effect, beside.ravel(), xerr=error, fmt="o", color="#7c8794", markersize=3, linewidth=0.8, label="a flake")
    mean, error = found.mean[shown], found.mean_error[shown]
    axes.errorbar(mean, places, xerr=error, fmt="D", color="#1f4e79", markersize=6, linewidth=2.0, label="mean over flakes")
    axes.axvline(0.0, color="#7c8794", linewidth=0.8)
    axes.set_yticks(range(len(shown)), [plain(found.features[feature]) for feature in shown])
    axes.invert_yaxis()
    axes.set_xlabel("effect (σ of PL per σ of the parameter)")
    axes.legend(fontsize="small", frameon=False, loc="best")

"""Many flakes on one pair of axes: a quantity by condition, or against what was changed."""

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from napari_wse2xai.data.pooled import Pool
from napari_wse2xai.data.quantities import pretty, with_error
from napari_wse2xai.numerics.trend import Trend, trend
from napari_wse2xai.plots.plain_text import make_logarithmic, plain

Numbers = NDArray[np.float64]
COLOURS = ("#1f4e79", "#d1495b", "#2a9d8f", "#e9a23b", "#7b5ea7", "#7c8794")
"""Of conditions, in their order."""
BOX, SPREAD = 0.5, 0.16
"""Width of a box, and half of that over which its points are spread, in distances of conditions."""
ROOM = 30
"""Letters of conditions that stand beside one another under a panel."""
MOST_SAID = 3
"""Conditions whose slopes stand over a panel; the table has all."""
FEWEST_IN_BOX = 5
"""Flakes from which quartiles say something."""


def draw_by_condition(axes: Axes, pool: Pool) -> None:
    """A point for each flake's median, the middle half of its pixels as a line; over five flakes or more the box of their quartiles."""
    for place, condition in enumerate(pool.conditions):
        flakes, colour = pool.under(condition), COLOURS[place % len(COLOURS)]
        medians = np.array([flake.value.median for flake in flakes])
        at = place + (np.linspace(-SPREAD, SPREAD, len(flakes)) if len(flakes) > 1 else np.zeros(1))
        axes.vlines(
            at, [flake.value.low for flake in flakes], [flake.value.high for flake in flakes], color=colour, alpha=0.35, linewidth=1.0
        )
        axes.plot(at, medians, "o", color=colour, markersize=3.5, zorder=3)
        if len(flakes) >= FEWEST_IN_BOX:
            grey = {"color": "#7c8794", "linewidth": 0.8}
            middle = {"color": "black", "linewidth": 1.2}
            drawn = {"boxprops": grey, "whiskerprops": grey, "medianprops": middle}
            axes.boxplot(medians, positions=[place], widths=BOX, showfliers=False, showcaps=False, **drawn)  # type: ignore[arg-type]
    slanted = {"rotation": 30, "ha": "right"} if max(map(len, pool.conditions)) * len(pool.conditions) > ROOM else {}
    axes.set_xticks(range(len(pool.conditions)), [plain(condition) for condition in pool.conditions], **slanted)  # type: ignore[arg-type]
    axes.set_xlim(-0.6, len(pool.conditions) - 0.4)
    _label(axes, pool)


def draw_along(axes: Axes, pool: Pool, label: str) -> None:
    """Each condition's flakes at their values, with standard errors and the straight line or power law through them.

    Parameters
    ----------
    label : what the values are, with the unit
    """
    logarithmic = _is_power_law(pool)
    for place, condition in enumerate(pool.conditions):
        x, y, errors = pool.points(condition)
        if not x:
            continue
        colour, fitted = COLOURS[place % len(COLOURS)], trend(x, y, errors)
        axes.errorbar(x, y, errors, fmt="o", color=colour, markersize=3.5, linewidth=1.0, capsize=2, label=condition)
        curve = np.geomspace(min(x), max(x), 60) if logarithmic else np.linspace(min(x), max(x), 60)
        axes.plot(curve, _law(fitted, curve, x, y, logarithmic), "-", color=colour, linewidth=0.9)
    if logarithmic:
        make_logarithmic(axes.xaxis)
        make_logarithmic(axes.yaxis)
    _label(axes, pool)
    axes.set_title(f"{axes.get_title()}\n{_found(pool, logarithmic)}", fontsize="small")
    axes.set_xlabel(label, fontsize="small")


def _is_power_law(pool: Pool) -> bool:
    """Whether intensities against something positive over more than a factor of two: then a power law is what is asked for."""
    every = [(x, y) for condition in pool.conditions for x, y in zip(*pool.points(condition)[:2], strict=True)]
    intensity = pool.first.parameter in ("height", "area")
    positive = bool(every) and min(min(x, y) for x, y in every) > 0
    return intensity and positive and max(x for x, _ in every) > 2 * min(x for x, _ in every)


def _law(fitted: Trend, curve: Numbers, x: list[float], y: list[float], logarithmic: bool) -> Numbers:
    if not logarithmic:
        return fitted.intercept + fitted.slope * curve
    return np.asarray(np.exp(np.mean(np.log(y))) * (curve / np.exp(np.mean(np.log(x)))) ** fitted.exponent)


def _found(pool: Pool, logarithmic: bool) -> str:
    """Slope or exponent of each condition, in words."""
    said = []
    for condition in pool.conditions:
        fitted = trend(*pool.points(condition))
        value, error = (fitted.exponent, fitted.exponent_error) if logarithmic else (fitted.slope, fitted.slope_error)
        if np.isfinite(value):
            said.append(f"{'exponent' if logarithmic else 'slope'} {with_error(value, error)}")
    return "\n".join(said[:MOST_SAID])


def _label(axes: Axes, pool: Pool) -> None:
    first = pool.first
    axes.set_title(f"{first.peak} {first.parameter}".strip(), fontsize="small")
    axes.set_ylabel(pretty(first.unit), fontsize="small")
    axes.tick_params(labelsize="small")

"""One quantity of the pixels against another: points, or their density where they are many; some can be lit."""

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, PowerNorm
from numpy.typing import NDArray

from napari_wse2xai.data.map_values import MapValues

Array = NDArray[np.float64]
MOST_POINTS = 3000
"""Beyond, points would hide one another, and take long to draw."""
CELLS = 110
"""Cells of the density, along each axis."""
TAILS = 0.1
"""Percent of the points that may lie outside at each end, so that one bad fit does not press all others into a corner."""
ROOM = 0.06
"""On either side of the points, of their span."""
POINT, LIT = "#4c9be8", "#e8711a"
LIT_COLOURS = LinearSegmentedColormap.from_list("lit", ["#f6b26b", LIT, "#a33c00"])


class CloudPlot:
    """Pixels as a cloud on Axes that can show two other quantities at once; lit ones are drawn over the others.

    Parameters
    ----------
    animated : of what is lit, for a canvas that draws only that anew
    """

    def __init__(self, axes: Axes, *, animated: bool = False) -> None:
        self.axes = axes
        self.x, self.y = np.empty(0), np.empty(0)
        self.outside = 0
        """Points beyond the limits of the axes."""
        (self.points,) = axes.plot([], [], ".", color=POINT, markersize=4, alpha=0.6, markeredgewidth=0, label="pixels")
        (self.lit_points,) = axes.plot([], [], ".", color=LIT, markersize=5, markeredgewidth=0, animated=animated, label="chosen")
        style: dict[str, Any] = {"origin": "lower", "aspect": "auto", "interpolation": "nearest", "extent": (0, 1, 0, 1)}
        empty = np.zeros((CELLS, CELLS))
        self.density = axes.imshow(empty, cmap="viridis", norm=PowerNorm(0.4), zorder=1, **style)
        self.lit_density = axes.imshow(empty, cmap=LIT_COLOURS, norm=PowerNorm(0.4), zorder=3, animated=animated, **style)
        for image in (self.density, self.lit_density):
            image.set_gid("density")  # an image that is no map: see gui.parts.paper
        self._cell: NDArray[np.int64] = np.empty(0, dtype=np.int64)

    @property
    def moving(self) -> list[Artist]:
        """What is drawn anew when other points are lit."""
        return [self.lit_density, self.lit_points]

    @property
    def is_density(self) -> bool:
        """Whether points are too many to be drawn one by one."""
        return len(self.x) > MOST_POINTS

    def show(self, x: Array, y: Array, along: MapValues, up: MapValues) -> None:
        """Show pixels.

        Parameters
        ----------
        x, y : (n,) finite
        along, up : what they are, for the axes
        """
        self.x, self.y = x, y
        spans = _span(x), _span(y)
        self.axes.set(xlim=spans[0], ylim=spans[1], xlabel=along.label, ylabel=up.label)
        self.outside = int((_beyond(x, spans[0]) | _beyond(y, spans[1])).sum())
        for image in (self.density, self.lit_density):
            image.set_extent((*spans[0], *spans[1]))
        self.axes.set(xlim=spans[0], ylim=spans[1])
        self._cell = _cells(x, spans[0]) + CELLS * _cells(y, spans[1])
        few = np.array([], dtype=float) if self.is_density else x
        self.points.set_data(few, y[: len(few)])
        self._put(self.density, self._counted(np.ones(len(x), dtype=bool)))
        self.light(np.zeros(len(x), dtype=bool))

    def light(self, chosen: NDArray[np.bool_]) -> None:
        """Let some of the points (n,) stand out, and no others."""
        few = chosen if not self.is_density else np.zeros_like(chosen)
        self.lit_points.set_data(self.x[few], self.y[few])
        self._put(self.lit_density, self._counted(chosen))

    def _counted(self, chosen: NDArray[np.bool_]) -> Array:
        if not self.is_density:
            return np.zeros((CELLS, CELLS))
        inside = self._cell[chosen & (self._cell >= 0)]
        return np.bincount(inside, minlength=CELLS**2).reshape(CELLS, CELLS).astype(np.float64)

    def _put(self, image: Any, counts: Array) -> None:
        image.set_data(np.ma.masked_equal(counts, 0.0))
        image.set_clim(0.0, max(float(counts.max()), 1.0))
        image.set_visible(bool(counts.any()))


def _span(values: Array) -> tuple[float, float]:
    """Limits of an axis."""
    if not values.size:
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(values, [TAILS, 100 - TAILS]))
    room = ROOM * (high - low) or 0.5
    return max(low - room, float(values.min()) - room), min(high + room, float(values.max()) + room)


def _beyond(values: Array, span: tuple[float, float]) -> NDArray[np.bool_]:
    return (values < span[0]) | (values > span[1])


def _cells(values: Array, span: tuple[float, float]) -> NDArray[np.int64]:
    """Number of each value's cell; far below zero for what lies outside."""
    cells = np.clip(np.floor((values - span[0]) / (span[1] - span[0]) * CELLS).astype(np.int64), 0, CELLS - 1)
    return np.where(_beyond(values, span), -(CELLS**2), cells)


def draw_histogram(axes: Axes, values: Array, what: MapValues, chosen: NDArray[np.bool_]) -> None:
    """Draw how often values (n,) occur, all and those of the chosen pixels."""
    edges = [float(e) for e in np.histogram_bin_edges(values, bins=min(80, max(10, int(np.sqrt(len(values))))), range=_span(values))]
    axes.hist(values, edges, color=POINT, alpha=0.75, label=f"all: {len(values)}")
    if chosen.any():
        axes.hist(values[chosen], edges, color=LIT, alpha=0.85, label=f"chosen: {int(chosen.sum())}")
        axes.legend(fontsize="x-small", frameon=False)
    axes.set(xlabel=what.label, ylabel="pixels", xlim=(edges[0], edges[-1]))


def draw_profiles(axes: Axes, along: str, profiles: list[tuple[MapValues, Any]]) -> list[Axes]:
    """Draw means with their errors, one quantity up the left side and the other up the right.

    Parameters
    ----------
    along : what the places are, with the unit
    profiles : at most two quantities, each with its `numerics.profiles.Profile`
    """
    sides = [axes, *([axes.twinx()] if len(profiles) > 1 else [])]
    for side, (what, means), colour in zip(sides, profiles, ("#4c9be8", "#d1495b"), strict=False):
        side.errorbar(
            means.place, means.mean, yerr=means.error, fmt=".-", color=colour, linewidth=1, markersize=4, capsize=2, label=what.words
        )
        side.set_ylabel(what.label, color=colour)
        side.tick_params(axis="y", colors=colour)
        side.ticklabel_format(axis="y", useOffset=False)
    axes.set_xlabel(along)
    return sides

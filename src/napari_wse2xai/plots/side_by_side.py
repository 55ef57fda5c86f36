"""RS, ICE slope and PL of a flake beside one another: maps that can show another parameter at once, or curves along a line scan."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from numpy.typing import NDArray

from napari_wse2xai.data import Explanation, Frame
from napari_wse2xai.data.quantities import COLORMAPS, Feature, colormap_of, feature_words
from napari_wse2xai.plots.grid import extent_um
from napari_wse2xai.plots.judged import badge, stamp
from napari_wse2xai.plots.maps import MapPlot, draw_profile, limits

HATCHES = "#5b6876"

Image = NDArray[np.floating]


class Veil:
    """Pale, hatched pixels over a map: what is not sure."""

    def __init__(self, axes: Axes, frame: Frame) -> None:
        left, right, bottom, top = self.extent = extent_um(frame)
        style: dict[str, Any] = {"cmap": "Greys_r", "vmin": 0, "vmax": 1, "alpha": 0.55, "interpolation": "nearest", "aspect": "equal"}
        self.pale = axes.imshow(np.full(frame.shape, np.nan), extent=self.extent, **style)
        self.hatches = PathPatch(Path(np.zeros((0, 2))), facecolor="none", edgecolor=HATCHES, hatch="/////", linewidth=0)
        # As an artist, not as a patch, whose every corner matplotlib would look at for the limits, which the map has set.
        axes.add_artist(self.hatches)
        corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1), (0, 0)])
        self._pixel = corners * [(right - left) / frame.shape[1], (bottom - top) / frame.shape[0]]

    def lie_over(self, pixels: NDArray[np.bool_]) -> None:
        """Cover some pixels (ny, nx) and no others."""
        self.pale.set_data(np.ma.masked_array(np.ones(pixels.shape), mask=~pixels))
        left, _, _, top = self.extent
        places = np.argwhere(pixels)[:, ::-1] * self._pixel[2] + [left, top]
        around = np.array([Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY], dtype=Path.code_type)
        self.hatches.set_path(Path((places[:, None] + self._pixel).reshape(-1, 2), np.tile(around, len(places))))
        for part in (self.pale, self.hatches):
            part.set_visible(bool(pixels.any()))


class SlopePlot:
    """ICE slope of a parameter on a flake, red where PL rises with it; stamped where the verdict demands it.

    Pale and hatched lie pixels whose slope is within two standard deviations of zero, or leaves the cloud of the data.

    Parameters
    ----------
    flake : which of `samples.frames`
    """

    def __init__(self, axes: Axes, explanation: Explanation, *, flake: int = 0) -> None:
        self.explanation, self.flake = explanation, flake
        frame = explanation.samples.frames[flake]
        self.map, self.veil = MapPlot(axes, frame), Veil(axes, frame)
        stamp(axes, explanation.stamp)

    def show(self, feature: int) -> None:
        """Show one parameter."""
        values, title, unit = slope_of(self.explanation, feature, self.flake)
        reach = slope_reach(values)
        self.map.show(values, title=title, unit=unit, colors=COLORMAPS["slope"], clim=(-reach, reach))
        doubtful = (~self.explanation.sure(feature)).astype(np.float64)
        self.veil.lie_over(self.explanation.samples.image(doubtful, self.flake) == 1)


class ThreeMaps:
    """RS, ICE-slope and PL images of one flake on three Axes, with the verdict."""

    def __init__(self, grid: Sequence[Axes], explanation: Explanation, *, flake: int = 0) -> None:
        self.explanation, self.flake = explanation, flake
        frame = explanation.samples.frames[flake]
        self.raman, self.slope, self.pl = MapPlot(grid[0], frame), SlopePlot(grid[1], explanation, flake=flake), MapPlot(grid[2], frame)
        values, title, unit = _pl_of(explanation, flake)
        _show_values(self.pl, values, title, unit, explanation.target)
        _judge(grid, explanation)

    def show(self, feature: int) -> None:
        """Show one parameter; PL stays."""
        values, title, unit = _raman_of(self.explanation, feature, self.flake)
        _show_values(self.raman, values, title, unit, Feature.of(self.explanation.features[feature]).parameter)
        self.slope.show(feature)

    def changing(self) -> list[Artist]:
        """What changes from parameter to parameter, and what lies over it, in the order in which it is drawn."""
        both = (self.raman.axes, self.slope.map.axes)
        return [artist for axes in both for artist in _over_the_ground(axes)]


def _over_the_ground(axes: Axes) -> list[Artist]:
    """All of an Axes but its ground and its ticks."""
    artists = [artist for artist in axes.get_children() if artist not in (axes.patch, axes.xaxis, axes.yaxis)]
    return sorted(artists, key=Artist.get_zorder)


def _show_values(plot: MapPlot, values: Image, title: str, unit: str, parameter: str) -> None:
    plot.show(values, title=title, unit=unit, colors=colormap_of(parameter), clim=limits(values, parameter=parameter))


def draw_three_profiles(grid: Sequence[Axes], explanation: Explanation, feature: int, flake: int) -> None:
    """RS, ICE slope and PL along a line scan."""
    frame = explanation.samples.frames[flake]
    for axes, (values, title, unit) in zip(grid[::2], (_raman_of(explanation, feature, flake), _pl_of(explanation, flake)), strict=True):
        draw_profile(axes, frame, values, title=title, unit=unit)
    draw_slope_profile(grid[1], explanation, feature, flake)
    _judge(grid, explanation)


def draw_slope_profile(axes: Axes, explanation: Explanation, feature: int, flake: int) -> None:
    """ICE slope along a line scan, with one standard error up and down; stamped where the verdict demands it."""
    values, title, unit = slope_of(explanation, feature, flake)
    errors = explanation.samples.image(explanation.slope_error[feature], flake)
    draw_profile(axes, explanation.samples.frames[flake], values, errors=errors, title=title, unit=unit)
    stamp(axes, explanation.stamp)


def _judge(grid: Sequence[Axes], explanation: Explanation) -> None:
    """Verdict on the slopes, stamp on the two beside them, which would else go without."""
    badge(grid[1], explanation.verdict, inside=True)
    for axes in (grid[0], grid[2]):
        stamp(axes, explanation.stamp)


def slope_of(explanation: Explanation, feature: int, flake: int) -> tuple[Image, str, str]:
    """ICE slope on a flake (ny, nx), its title and its unit."""
    unit = f"{explanation.target_unit} / {explanation.feature_units[feature]}"
    return explanation.samples.image(explanation.slope[feature], flake), _slope_title(explanation, feature), unit


def _slope_title(explanation: Explanation, feature: int) -> str:
    """What the map shows, and of which model."""
    return f"ICE slope, {feature_words(explanation.features[feature])} ({explanation.model_words})"


def _raman_of(explanation: Explanation, feature: int, flake: int) -> tuple[Image, str, str]:
    samples, name = explanation.samples, explanation.features[feature]
    values = samples.image(samples.features[:, samples.feature_names.index(name)], flake)
    return values, feature_words(name), explanation.feature_units[feature]


def _pl_of(explanation: Explanation, flake: int) -> tuple[Image, str, str]:
    samples = explanation.samples
    values = samples.image(samples.targets[:, samples.target(explanation.target)], flake)
    return values, f"PL {explanation.target}", explanation.target_unit


def slope_reach(values: Image) -> float:
    """Colour limit, up and down, of a slope image: deaf to a few outliers, never zero."""
    low, high = limits(values)
    return max(abs(low), abs(high)) if np.isfinite(values).any() and np.nanmax(np.abs(values)) > 0 else 1.0

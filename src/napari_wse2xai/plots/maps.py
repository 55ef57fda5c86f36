"""Maps, drawn on a given Axes; a line scan or a series, which has no area to show, is drawn as a curve."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colorbar import Colorbar
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from napari_wse2xai.data import ComputedMap, Frame, PeakMaps, Status, peaks_there
from napari_wse2xai.data.quantities import COLORMAPS, STATUS_COLORS, WORDS, pretty
from napari_wse2xai.plots.grid import along, aspect, dress, dress_line, extent_um, few_ticks, is_line, line_extent, line_of

Map = NDArray[np.floating] | NDArray[np.integer] | NDArray[np.bool_]

OUTLINE = "#00c8d7"


def limits(values: Map, *, parameter: str = "") -> tuple[float, float]:
    """Colour limits deaf to a few outliers; about the median for a position."""
    finite = np.asarray(values, dtype=np.float64)[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    if parameter == "count":
        return 0.0, max(1.0, float(finite.max()))
    low, high = (float(v) for v in np.percentile(finite, [2, 98]))
    if parameter == "position":
        middle = float(np.median(finite))
        reach = max(high - middle, middle - low)
        low, high = middle - reach, middle + reach
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def draw_map(axes: Axes, frame: Frame, values: Map, *, title: str, unit: str, parameter: str = "height", flake: Map | None = None) -> Any:
    """One value per pixel with a colour bar.

    Parameters
    ----------
    axes : where to draw
    frame : grid of the map
    values : (ny, nx); NaN stays blank
    title : above the map
    unit : beside the colour bar
    parameter : key of `COLORMAPS`, chooses colours and limits
    flake : (ny, nx) bool, outlined where given

    Returns
    -------
    the image
    """
    plot = MapPlot(axes, frame)
    plot.show(values, title=title, unit=unit, colors=COLORMAPS[parameter], clim=limits(values, parameter=parameter))
    if flake is not None:
        draw_outline(axes, frame, flake)
    return plot.image


class MapPlot:
    """A map with its colour bar, on Axes that can show other values at once.

    Image, colour bar and letters are made once and then changed: to make new ones takes longer than to draw them.
    """

    def __init__(self, axes: Axes, frame: Frame) -> None:
        self.axes = axes
        self.image = axes.imshow(np.full(frame.shape, np.nan), extent=extent_um(frame), interpolation="nearest", aspect=aspect(frame))
        self.bar: Colorbar | None = None
        _dress(axes, frame, "")

    def show(self, values: Map, *, title: str, unit: str, colors: str, clim: tuple[float, float]) -> None:
        """Show one value per pixel.

        Parameters
        ----------
        values : (ny, nx); NaN stays blank
        title : above the map
        unit : beside the colour bar
        colors : name of a colour map
        clim : values at its ends
        """
        shown = np.ma.masked_invalid(np.asarray(values, dtype=np.float64))
        self.image.set(data=shown, clim=clim)
        if self.image.get_cmap().name != colors:
            self.image.set_cmap(colors)
        self._put_bar("both" if _cut(shown, *clim) else "neither")
        assert self.bar is not None
        self.bar.set_label(pretty(unit))
        self.axes.set_title(title)

    def _put_bar(self, extend: str) -> None:
        """Let there be a colour bar whose ends are pointed or not; one that is there follows the image by itself, but for its ends."""
        if self.bar is not None and self.bar.extend == extend:
            return
        if self.bar is not None:
            self.bar.remove()
            self.axes.apply_aspect()  # undone by taking a colour bar away
        place = self.axes.inset_axes((1.03, 0.0, 0.05, 1.0))  # as tall as the map, whatever the figure's layout
        self.bar = self.axes.figure.colorbar(self.image, cax=place, extend=extend, ticks=few_ticks())
        _plain_numbers(self.bar.ax.yaxis)


def draw_outline(axes: Axes, frame: Frame, flake: Map) -> None:
    """Edges of the flake's pixels, without smoothing: what is inside is what was used."""
    segments = outline_segments(frame, np.asarray(flake, dtype=bool))
    axes.add_collection(LineCollection(list(segments), colors=OUTLINE, linewidths=0.9), autolim=False)


def outline_segments(frame: Frame, flake: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Line segments (m, 2, 2), each two points (x, y) where `extent_um` has them, between pixels on and off the flake."""
    padded = np.pad(flake, 1)
    rows, columns = np.nonzero(padded[1:, 1:-1] != padded[:-1, 1:-1])
    level = np.stack([np.column_stack([columns, rows]), np.column_stack([columns + 1, rows])], axis=1)
    rows, columns = np.nonzero(padded[1:-1, 1:] != padded[1:-1, :-1])
    upright = np.stack([np.column_stack([columns, rows]), np.column_stack([columns, rows + 1])], axis=1)
    corners = np.concatenate([level, upright]).astype(np.float64) - 0.5
    left, right, bottom, top = extent_um(frame)
    ny, nx = frame.shape
    return np.asarray((corners + 0.5) * [(right - left) / nx, (bottom - top) / ny] + [left, top])


def draw_profile(
    axes: Axes, frame: Frame, values: Map, *, title: str, unit: str, errors: Map | None = None, flake: Map | None = None
) -> None:
    """One value per pixel of a line scan or a series against what runs along it, with one standard error up and down.

    Parameters
    ----------
    values, errors, flake : (ny, nx), one of the two being 1; the flake is shaded
    """
    places = along(frame, line_of(frame))
    value = np.ravel(values).astype(np.float64)
    error = None if errors is None else np.ravel(errors)
    axes.errorbar(places, value, yerr=error, fmt=".", markersize=4, linewidth=0.8, color="#1f4e79", ecolor="#9db7d1")
    if flake is not None:
        step = abs(float(places[1] - places[0])) / 2
        for place in places[np.ravel(flake)]:
            axes.axvspan(place - step, place + step, color=OUTLINE, alpha=0.10, linewidth=0)
    axes.set(title=title, ylabel=pretty(unit))
    dress_line(axes, frame)
    _plain_numbers(axes.yaxis)
    if np.isfinite(value).any():
        low, high = float(np.nanmin(value)), float(np.nanmax(value))
        room = 0.08 * (high - low) or 0.5
        axes.set_ylim(low - room, high + room)  # from the values, not from the largest error bar


def draw_values(
    axes: Axes, frame: Frame, values: Map, *, title: str, unit: str, flake: Map | None = None, parameter: str = "height"
) -> None:
    """Any value per pixel: a map, or a curve for a line scan."""
    if is_line(frame):
        draw_profile(axes, frame, values, title=title, unit=unit, flake=flake)
    else:
        draw_map(axes, frame, values, title=title, unit=unit, flake=flake, parameter=parameter)


def draw_parameter(axes: Axes, peaks: PeakMaps, index: int, parameter: str, *, flake: Map | None = None) -> None:
    """One parameter of one peak.

    Parameters
    ----------
    index : number of the peak
    parameter : one of `PARAMETERS`
    flake : (ny, nx) bool, outlined where given
    """
    values = getattr(peaks, parameter)[index]
    title, unit = f"{peaks.names[index]} {WORDS[parameter]}", peaks.unit(parameter)
    if is_line(peaks.frame):
        errors = getattr(peaks, f"{parameter}_error")[index]
        draw_profile(axes, peaks.frame, values, errors=errors, title=title, unit=unit, flake=flake)
    else:
        draw_map(axes, peaks.frame, values, title=title, unit=unit, parameter=parameter, flake=flake)


def draw_computed(axes: Axes, peaks: PeakMaps, computed: ComputedMap, *, flake: Map | None) -> None:
    """One computed map, the flake outlined where it is given; a curve with errors for a line scan."""
    unit = "" if computed.unit == "1" else computed.unit
    if is_line(peaks.frame):
        draw_profile(axes, peaks.frame, computed.value, errors=computed.error, title=computed.name, unit=unit, flake=flake)
    else:
        draw_map(axes, peaks.frame, computed.value, title=computed.name, unit=unit, parameter="fwhm", flake=flake)


def draw_status(axes: Axes, peaks: PeakMaps) -> None:
    """What became of each pixel's fit, with a legend of what occurs."""
    kinds = {int(status): (status.meaning, STATUS_COLORS[status]) for status in Status}
    draw_kinds(axes, peaks.frame, peaks.status, kinds, "Status of the fit")


def draw_kinds(axes: Axes, frame: Frame, values: NDArray[np.uint8], kinds: Mapping[int, tuple[str, str]], title: str) -> None:
    """Which of some kinds each pixel is of, with a legend of those that occur and their numbers of pixels.

    Parameters
    ----------
    values : (ny, nx) keys of `kinds`; others stay blank
    kinds : words and colour of each
    """
    shown = np.full(values.shape, np.nan)
    for number, key in enumerate(kinds):
        shown[values == key] = number
    line = is_line(frame)
    axes.imshow(
        shown.reshape(1, -1) if line else shown,
        extent=line_extent(frame) if line else extent_um(frame),
        cmap=ListedColormap([colour for _, colour in kinds.values()] or ["none"]),
        norm=BoundaryNorm(np.arange(max(len(kinds), 1) + 1) - 0.5, max(len(kinds), 1)),
        interpolation="nearest",
        aspect="auto" if line else aspect(frame),
    )
    counts = {key: int((values == key).sum()) for key in kinds}
    handles = [Patch(color=colour, label=f"{words} ({counts[key]})") for key, (words, colour) in kinds.items() if counts[key]]
    _dress(axes, frame, title)
    if line:
        axes.set(ylabel="", yticks=[])
        dress_line(axes, frame)
        axes.legend(handles=handles, loc="center right", framealpha=1.0, fontsize="small")
    else:
        axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.02, 1.0), frameon=False, fontsize="small")


def panel(figure: Figure, peaks: PeakMaps, parameter: str, *, flake: Map | None = None, columns: int) -> None:
    """Maps of one parameter side by side, in rows of so many columns: of every peak that the fits have."""
    drawn = np.flatnonzero(peaks_there([peaks]))
    grid = figure.subplots(-(-len(drawn) // columns), columns, squeeze=False).ravel()
    for index, axes in zip(drawn, grid, strict=False):
        draw_parameter(axes, peaks, int(index), parameter, flake=flake)
    for axes in grid[len(drawn) :]:
        axes.set_axis_off()


def _cut(values: Any, low: float, high: float) -> bool:
    return bool(values.count()) and bool(values.min() < low or values.max() > high)


def _dress(axes: Axes, frame: Frame, title: str) -> None:
    axes.set_title(title)
    dress(axes, frame)
    axes.set_facecolor("#f4f4f4")


def _plain_numbers(axis: Any) -> None:
    """Write positions in full: an offset such as +2.498e2 in a corner is overlooked."""
    formatter = axis.get_major_formatter()
    if hasattr(formatter, "set_useOffset"):
        formatter.set_useOffset(False)

"""What a figure shows, as columns of a table: any figure, by its curves, error bars, bars, points and images."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from numpy.typing import NDArray

MARK = "mark"
"""Group of artists that only point at something: they are no data."""
Column = tuple[str, NDArray[Any]]
FEWEST = 2
"""Points of a curve; fewer mark a place."""


def columns_of(figure: Figure) -> list[Column]:
    """Heading with unit, and values, of everything that is seen in a figure; headings differ from one another."""
    found: list[Column] = []
    plots = [axes for axes in figure.axes if axes.get_visible() and axes.has_data() and not hasattr(axes, "_colorbar")]
    for axes in plots:
        title = axes.get_title() or axes.get_title(loc="left")
        found += _joined(list(_of_axes(axes)), f"{title}: " if len(plots) > 1 and title else "")
    return _distinct(found)


def _of_axes(axes: Axes) -> Iterator[tuple[Column, Column]]:
    """Pairs of columns, along and up."""
    along, up = _xlabel(axes), axes.get_ylabel()
    barred = [each for each in axes.containers if isinstance(each, ErrorbarContainer) and each.lines[0] is not None]
    known = {id(part) for bars in barred for part in (bars.lines[0], *bars.lines[1])}
    for each in axes.containers:
        if isinstance(each, BarContainer):
            yield _of_bars(each, along, up)
    for each in barred:
        yield from _with_errors(each, along, up)
    seen = [part for part in (*axes.get_lines(), *axes.collections, *axes.images) if part.get_visible() and part.get_gid() != MARK]
    for number, part in enumerate((part for part in seen if id(part) not in known), 1):
        if isinstance(part, Line2D):
            yield from _of_line(axes, part, number)
        elif isinstance(part, AxesImage):
            yield from _of_image(axes, part, along)
        else:
            yield from _of_collection(part, along, up)


def _of_bars(bars: BarContainer, along: str, up: str) -> tuple[Column, Column]:
    left, width, heights = (np.array([getattr(bar, f"get_{name}")() for bar in bars]) for name in ("x", "width", "height"))
    return (f"{along}, middle", left + width / 2), (_named(str(bars.get_label()), up), heights)


def _of_line(axes: Axes, line: Line2D, number: int) -> Iterator[tuple[Column, Column]]:
    x, y = (np.asarray(values, dtype=np.float64) for values in line.get_data())
    label = str(line.get_label())
    if line.get_transform() == axes.transData and np.isfinite(y).sum() >= FEWEST:
        yield (_xlabel(axes), x), (_named(f"curve {number}" if label.startswith("_") else label, axes.get_ylabel()), y)


def _with_errors(bars: ErrorbarContainer, along: str, up: str) -> Iterator[tuple[Column, Column]]:
    x, y = (np.asarray(values, dtype=np.float64) for values in bars.lines[0].get_data())
    label = "" if str(bars.get_label()).startswith("_") else str(bars.get_label())
    yield (along, x), (_named(label, up), y)
    if bars.has_yerr and bars.lines[2]:
        segments = np.array([each if len(each) else np.full((2, 2), np.nan) for each in bars.lines[2][-1].get_segments()])
        yield (along, x), (f"standard error of {_named(label, up)}", np.abs(np.diff(segments[:, :, 1], axis=1)[:, 0]) / 2)


def _of_collection(collection: object, along: str, up: str) -> Iterator[tuple[Column, Column]]:
    if isinstance(collection, PathCollection):
        x, y = np.ma.getdata(collection.get_offsets()).T
        if len(x) >= FEWEST:
            yield (along, x), (_named("", up), y)
    elif isinstance(collection, LineCollection):
        for number, segment in enumerate(collection.get_segments(), 1):
            if len(segment) > FEWEST:  # two points are an outline or a bar, not a curve
                yield (along, segment[:, 0]), (_named(f"curve {number}", up), segment[:, 1])


def _of_image(axes: Axes, image: AxesImage, along: str) -> Iterator[tuple[Column, Column]]:
    """A map, one line per pixel: where its middle is drawn, and its value."""
    shown = image.get_array()
    if shown is None or shown.ndim != 2:  # colours, not values
        return
    values = np.ma.filled(np.ma.asarray(shown, dtype=np.float64), np.nan)
    left, right, bottom, top = image.get_extent()
    if image.origin == "upper":
        bottom, top = top, bottom
    ny, nx = values.shape
    x = left + (np.arange(nx) + 0.5) / nx * (right - left)
    y = bottom + (np.arange(ny) + 0.5) / ny * (top - bottom)
    unit = "" if image.colorbar is None else image.colorbar.ax.get_ylabel() or image.colorbar.ax.get_xlabel()
    across, up = np.meshgrid(x, y)
    yield (along, across.ravel()), (axes.get_ylabel(), up.ravel())
    yield (along, across.ravel()), (_named(axes.get_title() or "value", unit), values.ravel())


def _xlabel(axes: Axes) -> str:
    """What runs along; of plots above one another only the lowest says it."""
    said = (each.get_xlabel() for each in (axes, *axes.get_shared_x_axes().get_siblings(axes)))
    return next(filter(None, said), axes.figure.get_supxlabel() or "x")


def _named(label: str, up: str) -> str:
    """Heading of a curve: what it is, and in which unit."""
    label = "" if label.startswith("_") else label
    if not label or not up:
        return label or up or "value"
    return f"{label}: {up}" if "(" in up else f"{label} ({up})"


def _joined(pairs: list[tuple[Column, Column]], before: str) -> list[Column]:
    """Columns behind one another; what runs along stands once where it is the same for several."""
    found: list[Column] = []
    last: Column | None = None
    for along, up in pairs:
        if last is None or last[0] != along[0] or not np.array_equal(last[1], along[1], equal_nan=True):
            found.append((before + along[0], along[1]))
            last = along
        found.append((before + up[0], up[1]))
    return found


def _distinct(columns: list[Column]) -> list[Column]:
    counted: dict[str, int] = {}
    found = []
    for name, values in columns:
        counted[name] = counted.get(name, 0) + 1
        found.append((name if counted[name] == 1 else f"{name} [{counted[name]}]", values))
    return found

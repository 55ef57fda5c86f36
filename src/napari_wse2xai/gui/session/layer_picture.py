"""The selected layer as a picture with axes in micrometres and a colour bar, and as numbers."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from napari import Viewer
from napari.layers import Labels, Layer
from numpy.typing import NDArray

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.data.quantities import pretty
from napari_wse2xai.errors import UserError
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.session.sliders import shown_channel
from napari_wse2xai.io.shown import Column
from napari_wse2xai.layers import Shown
from napari_wse2xai.plots.grid import is_line, proportions
from napari_wse2xai.plots.maps import MapPlot, draw_kinds, draw_profile
from napari_wse2xai.plots.plain_text import PlainFigure

NONE = "Select a layer of this plugin in napari's list first: a map, a peak map, or labels."
WIDTH = 5.0
UNIT = re.compile(r"\s*\(([^()]+)\)")


class LayerPicture:
    """What the layer that is selected shows."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    def export_name(self) -> str:
        """Name of the layer, in letters that files may have."""
        layer = self.viewer.layers.selection.active
        return "layer" if layer is None else re.sub(r"[^\w.-]+", "_", layer.name).strip("_")[:60] or "layer"

    def export_figure(self) -> Figure | None:
        """Map with axes and colour bar, or labels with their legend; a line scan as a curve."""
        layer, is_ = self._selected()
        figure = PlainFigure(figsize=(WIDTH + 1.6, WIDTH * proportions(is_.frame) + 0.9), layout="constrained")
        axes, (values, title, unit) = figure.subplots(), self._values(layer, is_)
        if type(layer).__name__ == "Labels":
            draw_kinds(axes, is_.frame, values.astype(np.uint8), _kinds(layer, values), title)
        elif is_line(is_.frame):
            draw_profile(axes, is_.frame, values, title=title, unit=unit)
        else:
            plot = MapPlot(axes, is_.frame)
            low, high = (float(limit) for limit in layer.contrast_limits)
            plot.show(values, title=title, unit=unit, colors="gray", clim=(low, high))
            plot.image.set_cmap(ListedColormap(layer.colormap.map(np.linspace(0.0, 1.0, 256))))
        return figure

    def export_columns(self) -> Sequence[Column]:
        """A line per pixel: its place, and its value."""
        layer, is_ = self._selected()
        values, title, unit = self._values(layer, is_)
        places = is_.frame.at(*np.indices(is_.frame.shape)).reshape(-1, 2)
        down, across = (direction.column for direction in is_.frame.directions)
        return [(down, places[:, 0]), (across, places[:, 1]), (f"{title} ({unit})" if unit else title, values.ravel())]

    def _selected(self) -> tuple[Any, Shown]:
        layer = self.viewer.layers.selection.active
        is_ = None if layer is None else contents.shown(layer)
        if is_ is None or type(layer).__name__ not in ("Image", "Labels") or getattr(layer, "rgb", False):
            raise UserError(NONE)
        return layer, is_

    def _values(self, layer: Layer, is_: Shown) -> tuple[NDArray[Any], str, str]:
        """What is seen (ny, nx), its title and its unit."""
        if is_.part == "map" and isinstance(is_.artefact, SpectralMap):
            source, channel = is_.artefact, shown_channel(layer, is_.artefact, self.viewer.dims.point)
            if channel is None:
                raise UserError("The slider stands beside the spectra of this map; move it to a channel.")
            at = f"{layer.name} at {source.axis.values[channel]:.6g} {pretty(source.axis.unit)}"
            return np.asarray(source.counts[..., channel]), at, pretty(source.intensity_unit)
        found = UNIT.search(layer.name)
        title = UNIT.sub("", layer.name, count=1) if found else layer.name
        return np.asarray(layer.data), str(title), "" if found is None else found[1]


def _kinds(layer: Labels, values: NDArray[Any]) -> dict[int, tuple[str, str]]:
    """Words and colour of each label that is there and seen."""
    from matplotlib.colors import to_hex

    table = layer.features
    words = dict(zip(table["index"], table.iloc[:, -1], strict=True)) if "index" in table and table.shape[1] > 1 else {}
    kinds = {}
    for label in np.unique(values):
        colour = layer.get_color(int(label)) if label else layer.colormap.map(0)
        if colour is not None and np.ravel(colour)[-1] > 0:
            kinds[int(label)] = (str(words.get(label, f"label {label}")), to_hex(tuple(np.ravel(colour)[:3])))
    return kinds

"""Mean spectrum of a region with its spread: of the flake, of labels or of shapes that lie in the window."""

from collections.abc import Iterator

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import FillBetweenPolyCollection
from napari import Viewer
from napari.layers import Labels, Layer, Shapes
from numpy.typing import NDArray
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.errors import counted
from napari_wse2xai.gui.parts.covered import covered
from napari_wse2xai.gui.parts.guarded import ComboBox
from napari_wse2xai.gui.parts.newest import Newest
from napari_wse2xai.gui.session import contents
from napari_wse2xai.progress import Progress, silent

NONE, FLAKE = "no mean", "flake's mean"
MEAN = "#d87cb6"
Curves = tuple[NDArray[np.float64], NDArray[np.float64], int]
"""Mean and standard deviation, (n,) each, and of how many pixels."""


def mean_and_spread(source: SpectralMap, mask: NDArray[np.bool_], progress: Progress = silent) -> Curves:
    """Mean and standard deviation over some pixels of every channel, row by row so that a large map is not copied; NaN is left out."""
    count, total, squares = (np.zeros(len(source.axis)) for _ in range(3))
    rows = np.flatnonzero(mask.any(axis=1))
    for number, row in enumerate(rows):
        progress(number / len(rows), "mean of the region")
        some = np.asarray(source.counts[row], dtype=np.float64)[mask[row]]
        known = np.isfinite(some)
        some = np.where(known, some, 0.0)
        count += known.sum(axis=0)
        total += some.sum(axis=0)
        squares += (some**2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / count
        spread = np.sqrt(np.maximum(squares / count - mean**2, 0.0) * count / np.maximum(count - 1, 1))
    return mean, spread, int(mask.sum())


class RegionMean(ComboBox):
    """Choice of the region; its mean is worked out in a thread and drawn with a band of one standard deviation."""

    drawn = Signal()
    """There is something else to draw."""

    def __init__(self, viewer: Viewer, axes: Axes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._axes, self._work = viewer, axes, Newest("Mean of a region", self)
        self.curves: Curves | None = None
        self._x: NDArray[np.float64] = np.empty(0)
        self._band: FillBetweenPolyCollection | None = None
        (self._line,) = axes.plot([], [], color=MEAN, linewidth=1.3, zorder=1.7)
        self.setToolTip("Mean spectrum of the flake, or of a Shapes or Labels layer; the band is the standard deviation of its pixels.")
        self.setSizeAdjustPolicy(ComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(11)
        self.addItems([NONE, FLAKE])
        self.currentIndexChanged.connect(lambda _: self.ask())
        self._work.gave.connect(self._on_mean)
        self.forget = self._work.forget

    def refresh(self) -> None:
        """List the regions that lie in the window; what is chosen is worked out anew, for it may have been drawn at since."""
        names = [NONE, FLAKE, *(str(layer.name) for layer in self._layers())]
        if names != [self.itemText(index) for index in range(self.count())]:
            self.put([(name, name) for name in names], self.currentText())
        self.ask()

    def _layers(self) -> Iterator[Shapes | Labels]:
        """Layers that a user drew regions in."""
        for layer in self._viewer.layers:
            is_ = contents.shown(layer)
            if isinstance(layer, Shapes | Labels) and (is_ is None or is_.part not in ("flake", "status")):
                yield layer

    def ask(self) -> None:
        """Have the mean worked out."""
        layer = contents.current(self._viewer).layer
        mask = None if layer is None or self.currentText() == NONE else self._mask(layer)
        if layer is None or mask is None or not mask.any():
            self._on_mean(None)
            return
        source = contents.map_of(layer)
        self._work.do(lambda progress: (source.axis.values, mean_and_spread(source, mask, progress)))

    def _mask(self, layer: Layer) -> NDArray[np.bool_] | None:
        source = contents.map_of(layer)
        if self.currentText() == FLAKE:
            return contents.with_edited_flake(self._viewer, source).flake
        region = next((each for each in self._layers() if each.name == self.currentText()), None)
        if region is None:
            return None
        return covered(region, layer) if isinstance(region, Shapes) else _labelled(region, layer)

    def _on_mean(self, found: tuple[NDArray[np.float64], Curves] | None) -> None:
        had = self.curves is not None
        self._x, self.curves = (np.empty(0), None) if found is None else found
        if self._band is not None:
            self._band.remove()
            self._band = None
        self._line.set_data([], [])
        if self.curves is not None:
            mean, spread, _ = self.curves
            self._line.set_data(self._x, mean)
            self._band = self._axes.fill_between(self._x, mean - spread, mean + spread, color=MEAN, alpha=0.25, linewidth=0)
        if had or self.curves is not None:
            self.drawn.emit()

    def words(self) -> str:
        """What is drawn, in its colour."""
        if self.curves is None:
            return ""
        return f"<br><span style='color:{MEAN}'>■</span> mean ± standard deviation of {counted(self.curves[2], 'pixel')}"


def _labelled(labels: Labels, image: Layer) -> NDArray[np.bool_]:
    """(ny, nx) pixels of a map whose middle lies in some label, wherever the layers lie."""
    shape: tuple[int, int] = image.data.shape[-2:]
    middles = np.argwhere(np.ones(shape, dtype=bool))
    ends = np.array([(0, 0), (shape[0], 0), (0, shape[1])])
    leading = (0,) * (image.ndim - 2)
    origin, down, right = (np.asarray(labels.world_to_data(image.data_to_world((*leading, *end))[-2:]))[-2:] for end in ends)
    places = origin + middles @ np.stack([(down - origin) / shape[0], (right - origin) / shape[1]])
    at = np.rint(places).astype(int)
    inside = ((at >= 0) & (at < labels.data.shape[-2:])).all(axis=1)
    found = np.zeros(len(middles), dtype=bool)
    found[inside] = np.asarray(labels.data)[..., at[inside, 0], at[inside, 1]].reshape(-1, inside.sum()).any(axis=0)
    return found.reshape(shape)

"""Pinned pixels: their spectra stay while the mouse goes on, each in a colour that also marks it on the map."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from napari import Viewer
from numpy.typing import NDArray

from napari_wse2xai.data import Frame, SpectralMap
from napari_wse2xai.gui.session.marks import Marks

Pixel = tuple[int, int]
COLORS = ("#ff6f61", "#3fb6ff", "#e0b000", "#3fc47a", "#b98cff", "#ff9f40")
"""As many as can be told from each other; one more takes the place of the first."""


class Pins:
    """Pixels of one frame, with their curves on the axes of the spectrum: these stay, and are no part of what is drawn for every pixel."""

    def __init__(self, viewer: Viewer, axes: Axes) -> None:
        self._marks = Marks(viewer, "pinned pixels")
        self._frame: Frame | None = None
        self.pixels: dict[Pixel, str] = {}
        self._lines: dict[str, Line2D] = {}
        for colour in COLORS:
            (self._lines[colour],) = axes.plot([], [], color=colour, linewidth=0.9, zorder=1.8)

    def toggle(self, source: SpectralMap, pixel: Pixel) -> None:
        """Pin a pixel, or let go of one that is pinned."""
        if source.frame != self._frame:
            self.pixels, self._frame = {}, source.frame
        if pixel in self.pixels:
            del self.pixels[pixel]
        else:
            if len(self.pixels) == len(COLORS):
                del self.pixels[next(iter(self.pixels))]
            self.pixels[pixel] = next(colour for colour in COLORS if colour not in self.pixels.values())
        self._mark()

    def clear(self) -> None:
        """Let go of all."""
        self.pixels = {}
        self._mark()

    def _mark(self) -> None:
        if self._frame is not None:
            self._marks.show(self._frame, list(self.pixels), list(self.pixels.values()))

    def follow(self, source: SpectralMap) -> NDArray[np.float64]:
        """Draw the pinned spectra of a map; returns them (pin, n)."""
        there = self.pixels if source.frame == self._frame else {}
        for line in self._lines.values():
            line.set_data([], [])
        spectra = np.array([source.counts[pixel] for pixel in there], dtype=np.float64).reshape(len(there), len(source.axis))
        for spectrum, colour in zip(spectra, there.values(), strict=True):
            self._lines[colour].set_data(source.axis.values, spectrum)
        return spectra

    def words(self, source: SpectralMap) -> str:
        """Which pixels are pinned, in their colours."""
        there = self.pixels if source.frame == self._frame else {}
        told = (f"<span style='color:{colour}'>■</span> {row}, {column}" for (row, column), colour in there.items())
        return f"<br>pinned (row, column): {'&nbsp; '.join(told)}" if there else ""

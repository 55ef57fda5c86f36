"""The other spectrum of the same place: PL beside RS once the two are paired, on axes of its own."""

from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from napari_wse2xai.data import PeakMaps, SpectralMap
from napari_wse2xai.data.quantities import SIDES
from napari_wse2xai.data.transform import Transform, pixel_coordinates
from napari_wse2xai.plots.spectra import SpectrumPlot, describe
from napari_wse2xai.session import Session

Pixel = tuple[int, int]
HEIGHTS = (4, 1)
"""Spectrum and residual."""


@dataclass(frozen=True, eq=False)
class Counterpart:
    """The map that shows the same flake in the other light."""

    source: SpectralMap
    peaks: PeakMaps
    way: Transform
    """From the stage coordinates of the map that is shown to those of this one."""

    @classmethod
    def of(cls, known: Session, source: SpectralMap) -> "Counterpart | None":
        """Counterpart of a map by the newest pair that it is of; None where it was not paired, or the other map is not here."""
        for pair in reversed(known.pairs()):
            both = {peaks.axis.kind.modality: peaks for peaks in (pair.raman, *known.peaks_in(pair))}
            if source.axis.kind.modality not in both or not known.is_of(both[source.axis.kind.modality], source):
                continue
            other = next((peaks for key, peaks in both.items() if key != source.axis.kind.modality), None)
            found = None if other is None else known.source_of(other)
            if other is not None and found is not None:
                shown = known.peaks_of(found) or other
                return cls(found, shown, pair.transform if source.axis.kind.modality == "pl" else pair.transform.inverse)
        return None

    def pixel_of(self, source: SpectralMap, pixel: Pixel) -> Pixel | None:
        """Pixel here that lies at a pixel of the map that is shown; None outside of the scan."""
        place = self.way.apply(source.frame.at(*(np.array([each]) for each in pixel)))
        row, column = (round(float(each)) for each in np.asarray(pixel_coordinates(self.source.frame, place)).ravel())
        inside = 0 <= row < self.source.frame.shape[0] and 0 <= column < self.source.frame.shape[1]
        return (row, column) if inside else None


class Beside:
    """Two axes at the right of the spectrum's own; they take half of the room while there is something to show on them."""

    def __init__(self, figure: Figure, axes: Axes, residual_axes: Axes) -> None:
        self._own = axes, residual_axes
        self._whole = figure.add_gridspec(2, 1, height_ratios=HEIGHTS)
        self._halves = figure.add_gridspec(2, 2, height_ratios=HEIGHTS)
        self.axes = figure.add_subplot(self._halves[0, 1])
        self.residual_axes = figure.add_subplot(self._halves[1, 1], sharex=self.axes)
        self.axes.tick_params(labelbottom=False)
        self.plot = SpectrumPlot(self.axes, self.residual_axes, animated=True)
        self.counterpart: Counterpart | None = None
        self._words = ""
        self._lay_out(False)

    @property
    def artists(self) -> list[Artist]:
        """All that moves."""
        return self.plot.artists if self.counterpart is not None else []

    @property
    def every_axes(self) -> tuple[Axes, Axes]:
        """Both."""
        return self.axes, self.residual_axes

    def know(self, known: Session, source: SpectralMap | None) -> bool:
        """Look for the counterpart of the map that is shown; return whether it is another one now."""
        before = self.counterpart
        found = None if source is None else Counterpart.of(known, source)
        if (found is None) != (self.counterpart is None):
            self._lay_out(found is not None)
        if found is None or self.counterpart is None or found.source.axis.kind is not self.counterpart.source.axis.kind:
            self.plot.view = None
        self.counterpart = found
        same = found is not None and before is not None and (found.source, found.peaks) == (before.source, before.peaks)
        return not same and found is not before

    def _lay_out(self, both: bool) -> None:
        for number, axes in enumerate(self._own):
            axes.set_subplotspec(self._halves[number, 0] if both else self._whole[number])
        for axes in self.every_axes:
            axes.set_visible(both)
            axes.set_in_layout(both)

    def show(self, source: SpectralMap, pixel: Pixel) -> bool:
        """Show the same place; return whether axes or ticks have changed."""
        self._words = ""
        if self.counterpart is None:
            return False
        there = self.counterpart.pixel_of(source, pixel)
        if there is None:
            self._words = "not measured there"
            return self.plot.clear()
        self._words = describe(self.counterpart.source, *there, self.counterpart.peaks)
        return self.plot.show(self.counterpart.source, *there, self.counterpart.peaks)

    def side(self, source: SpectralMap) -> str:
        """RS or PL, before the words of a map that has a counterpart; empty where it has none."""
        return "" if self.counterpart is None else f"<b>{SIDES[source.axis.kind.modality]}</b> "

    def words(self) -> str:
        """Pixel, place and fit of the counterpart, in a line; empty where there is none."""
        if self.counterpart is None:
            return ""
        return f"<br>{self.side(self.counterpart.source)}{'<br>'.join(part for part in self._words.split('  ') if part)}"

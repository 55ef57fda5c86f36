"""What the mouse can take hold of in the spectrum: start peaks, ends of fit windows, ends of the baseline's areas."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import MouseEvent

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.gui.maps.fit_ends import FitEnds
from napari_wse2xai.gui.maps.start_peaks import StartPeaks


class FitHandles:
    """Handles of the settings of baseline and deconvolution, seen while the mouse is over the spectrum of a map of their kind."""

    def __init__(self, axes: Axes, redraw: Callable[[], None]) -> None:
        self.starts, self.ends = StartPeaks(axes, redraw), FitEnds(axes)
        self._redraw = redraw
        self._panels: Any = None
        self._shown: tuple[SpectralMap, tuple[int, int]] | None = None

    @property
    def artists(self) -> tuple[Artist, ...]:
        """All that moves."""
        return (*self.ends.artists, *self.starts.artists)

    def show(self, panels: Any, source: SpectralMap, pixel: tuple[int, int]) -> None:
        """Show what the panels' settings say for this map; go on to do so while they change."""
        if panels is not self._panels:
            panels.settings_changed.connect(self._on_settings)
        self._panels, self._shown = panels, (source, pixel)
        self.starts.show(panels, source, pixel)
        baseline, _ = panels.settings_of_fit()
        self.ends.show(source, pixel, self.starts.peaks, None if is_above_baseline(source) else baseline)

    def let_go(self) -> None:
        """Hear of the panels no more."""
        if self._panels is not None:
            with suppress(RuntimeError):  # they are gone already
                self._panels.settings_changed.disconnect(self._on_settings)
        self._panels = self._shown = None

    def _on_settings(self) -> None:
        """Follow the fields."""
        if self._shown is not None:
            self.show(self._panels, *self._shown)
            self._redraw()

    def follow(self, source: SpectralMap, pixel: tuple[int, int]) -> None:
        """Go with the spectrum to another pixel."""
        self.starts.follow(source, pixel)
        if self._shown is not None:
            self._shown = (source, pixel)
            self.ends.follow(source, pixel)

    def hide(self) -> None:
        """Show nothing, unless something is held: the mouse may leave the axes with it."""
        if self.ends.is_held:
            return
        self._shown = None
        self.ends.hide()
        self.starts.hide()
        self._redraw()

    def grab(self, event: MouseEvent) -> bool:
        """Take hold of the handle under the mouse; return whether there is one."""
        return self.starts.grab(event) or self.ends.grab(event)

    def remove(self, event: MouseEvent) -> bool:
        """Take the peak whose handle is under the mouse out of the panel's list; return whether there is one."""
        return self.starts.remove(event)

    def drag(self, event: MouseEvent) -> None:
        """Move what is held to the mouse."""
        if self.ends.drag(event):
            self._redraw()
        else:
            self.starts.drag(event)

    def release(self, event: MouseEvent) -> None:
        """Let go, and write what was changed into the panels."""
        before = tuple(dict.fromkeys(peak.window for peak in self.starts.peaks))
        held = self.ends.release()
        if held == "windows":
            now = dict(zip(before, self.ends.windows.spans, strict=True))
            moved = tuple(peak.model_copy(update={"window": now[peak.window]}) for peak in self.starts.peaks)
            self._panels.put_start_peaks(moved)
        elif held == "areas":
            self._panels.put_areas(self.ends.areas.spans)
        else:
            self.starts.release(event)


def is_above_baseline(source: SpectralMap) -> bool:
    """Whether a map's baseline is taken off already."""
    return any(record.step == "Baseline" for record in source.history)

"""Where fits and baseline begin and end, as handles in the spectrum view: ends of the fit windows above, of the baseline's areas below."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backend_bases import MouseEvent

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.stages import Baseline, Peak
from napari_wse2xai.stages.baseline import PiecewiseLinear

Span = tuple[float, float]
REACH = 9.0
"""Distance from a handle at which the mouse takes hold of it, in points of the screen."""
WINDOW_COLOR, AREA_COLOR = "#f2c14e", "#7fb069"
WINDOW_Y, AREA_Y = 0.9, 0.06
"""Heights of the handles, shares of the axes."""
LEAST_SHARE = 1e-2
"""Of the axis: what a window or an area keeps."""


@dataclass(frozen=True)
class Ends:
    """Windows or areas, with what must stay inside of each."""

    spans: tuple[Span, ...]
    inside: tuple[Span, ...] = ()
    """Lowest and highest place that each span holds; none of spans that must only stay clear of one another."""

    @property
    def places(self) -> list[float]:
        """Every end once, rising."""
        return sorted({end for span in self.spans for end in span})

    def moved(self, end: float, to: float, axis: Span) -> "Ends":
        """Every span that ends there with its end elsewhere, as far as the neighbours and what lies inside allow."""
        least = LEAST_SHARE * (axis[1] - axis[0])
        others = [place for place in self.places if place != end] if not self.inside else []
        low = max([axis[0], *(place + least for place in others if place < end)])
        high = min([axis[1], *(place - least for place in others if place > end)])
        for span, held in zip(self.spans, self.inside, strict=False):
            if span[0] == end:
                high = min(high, span[1] - least, held[0])
            elif span[1] == end:
                low = max(low, span[0] + least, held[1])
        to = float(f"{np.clip(to, low, high):.5g}")  # a mouse knows no more
        return replace(self, spans=tuple((to if span[0] == end else span[0], to if span[1] == end else span[1]) for span in self.spans))


class FitEnds:
    """Handles of both kinds, and the baseline as the areas give it on the spectrum that is shown."""

    def __init__(self, axes: Axes) -> None:
        self.axes = axes
        self.windows, self.areas = Ends(()), Ends(())
        self._method: PiecewiseLinear | None = None
        self._source: SpectralMap | None = None
        self._pixel = (0, 0)
        self._held: tuple[str, float, Ends] | None = None
        """What is held: its kind, its place, and all ends when it was taken."""
        style: dict[str, Any] = {"linestyle": "", "markeredgecolor": "black", "markeredgewidth": 0.5, "animated": True}
        high = axes.get_xaxis_transform()
        (self._window_marks,) = axes.plot([], [], marker="s", markersize=6, color=WINDOW_COLOR, transform=high, **style)
        (self._area_marks,) = axes.plot([], [], marker="^", markersize=8, color=AREA_COLOR, transform=high, **style)
        (self._window_lines,) = axes.plot([], [], color=WINDOW_COLOR, linewidth=0.8, linestyle=":", transform=high, animated=True)
        (self._baseline,) = axes.plot([], [], color=AREA_COLOR, linewidth=1.2, animated=True)

    @property
    def artists(self) -> tuple[Artist, ...]:
        """All that moves."""
        return (self._window_lines, self._baseline, self._window_marks, self._area_marks)

    @property
    def is_held(self) -> bool:
        """Whether the mouse holds an end."""
        return self._held is not None

    def show(self, source: SpectralMap, pixel: tuple[int, int], peaks: tuple[Peak, ...], baseline: Baseline | None) -> None:
        """Show the windows of some peaks, and the areas of a baseline that is not taken off yet; None where it is, or is not valid."""
        self._source, self._pixel = source, pixel
        if self._held is None:
            spans = tuple(dict.fromkeys(peak.window for peak in peaks))
            at = [[peak.position for peak in peaks if peak.window == span] for span in spans]
            self.windows = Ends(spans, tuple((min(places), max(places)) for places in at))
            method = None if baseline is None else baseline.method
            self._method = method if isinstance(method, PiecewiseLinear) else None
            low, high = source.axis.span
            given = self._method.areas if self._method is not None else ()
            self.areas = Ends(given if all(low <= end <= high for area in given for end in area) else ())
        self._place()

    def follow(self, source: SpectralMap, pixel: tuple[int, int]) -> None:
        """Go with the spectrum to another pixel."""
        self._source, self._pixel = source, pixel
        self._place()

    def hide(self) -> None:
        """Show nothing."""
        self.windows, self.areas, self._method = Ends(()), Ends(()), None
        self._place()

    def grab(self, event: MouseEvent) -> bool:
        """Take hold of the handle under the mouse; return whether there is one."""
        if event.inaxes is not self.axes:
            return False
        found = {(kind, place): self._distance(event, place, height) for kind, place, height in self._handles()}
        nearest = min(found, key=found.__getitem__, default=None)
        if nearest is None or found[nearest] > REACH:
            return False
        self._held = (*nearest, getattr(self, nearest[0]))
        return True

    def drag(self, event: MouseEvent) -> bool:
        """Move what is held to the mouse; return whether anything was."""
        if self._held is None or self._source is None or event.inaxes is not self.axes or event.xdata is None:
            return False
        kind, place, begun = self._held
        setattr(self, kind, begun.moved(place, float(event.xdata), self._source.axis.span))
        self._place()
        return True

    def release(self) -> str:
        """Let go; return what was held: ``windows`` or ``areas``, empty for nothing."""
        held, self._held = self._held, None
        return "" if held is None else held[0]

    def _handles(self) -> Iterable[tuple[str, float, float]]:
        yield from (("windows", place, WINDOW_Y) for place in self.windows.places)
        yield from (("areas", place, AREA_Y) for place in self.areas.places)

    def _distance(self, event: MouseEvent, place: float, height: float) -> float:
        there = self.axes.get_xaxis_transform().transform((place, height))
        return float(np.hypot(*(there - (event.x, event.y))))

    def _place(self) -> None:
        """Put the handles, and the baseline, where they belong."""
        for marks, ends, height in ((self._window_marks, self.windows, WINDOW_Y), (self._area_marks, self.areas, AREA_Y)):
            marks.set_data(ends.places, [height] * len(ends.places))
        upright = [(place, y) for place in self.windows.places for y in (0.0, 1.0, np.nan)]
        self._window_lines.set_data(*np.reshape(upright, (-1, 2)).T)
        self._baseline.set_data([], [])
        if self.areas.spans and self._method is not None and self._source is not None:
            counts = np.asarray(self._source.counts[self._pixel])
            if np.isfinite(counts).all():
                method = self._method.model_copy(update={"areas": self.areas.spans})
                self._baseline.set_data(self._source.axis.values, method.under(self._source, counts))

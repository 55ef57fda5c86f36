"""One pixel's spectrum with its fit, components and residual, drawn on given Axes.

`SpectrumPlot` makes its curves once and then only moves them, so that the window can follow the mouse; the report draws with the same code.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from napari_wse2xai.data import PARAMETERS, PeakMaps, SpectralMap
from napari_wse2xai.data.peak_maps import GOOD
from napari_wse2xai.data.stored_counts import is_stored
from napari_wse2xai.numerics.brightness import light_about, sampled, signal, telling_channel, without_rays
from napari_wse2xai.numerics.lineshapes import SHAPES

Curve = NDArray[np.float64]
COMPONENT_COLORS = ("#4c9be8", "#59c08a", "#e8a33d", "#b07a5b", "#9a7fd1", "#4cc3c7", "#d87cb6", "#a3b14b")


@dataclass(frozen=True)
class FittedCurves:
    """The curves of one pixel's fit on the whole axis, counts; NaN outside the fit windows."""

    total: Curve
    components: NDArray[np.float64]
    """(peak, n), each above the background of its window."""
    background: Curve

    @classmethod
    def of(cls, peaks: PeakMaps, row: int, column: int) -> "FittedCurves":
        """Evaluate the fit of a pixel; an absent peak has no component."""
        x = peaks.axis.values
        total = peaks.background_at(row, column)
        under = total.copy()
        components = np.full((len(peaks.names), len(x)), np.nan)
        for index, (window, shape, values) in enumerate(zip(peaks.windows, peaks.shapes, peaks.parameters(row, column), strict=True)):
            if np.isfinite(values).all():
                inside = peaks.axis.between(*window)
                curve = SHAPES[shape](x[inside], *values, width=peaks.channel(index))
                total[inside] += curve
                components[index, inside] = under[inside] + curve
        return cls(total, components, under)


class SpectrumPlot:
    """Curves on Axes that can be moved to another pixel; `artists` are what a blitting canvas must draw anew."""

    def __init__(self, axes: Axes, residual_axes: Axes | None = None, *, color: str = "#3d3d3d", animated: bool = False) -> None:
        self.axes, self.residual_axes = axes, residual_axes
        self._components: list[Line2D] = []
        self._animated = animated
        self._measured = self._line(axes, color=color, linewidth=0.9, label="measured")
        self._total = self._line(axes, color="#d1495b", linewidth=1.5, label="fit")
        self._under = self._line(axes, color="#888888", linewidth=1.0, linestyle="--", label="background")
        self._residual = None if residual_axes is None else self._line(residual_axes, color=color, linewidth=0.7)
        self._ray = axes.text(0, 0.99, "", transform=axes.get_xaxis_transform(), va="top", ha="center", fontsize=7, animated=animated)
        self.view: tuple[float, float] | None = None
        """Part of the spectral axis that is drawn; None for all of it."""
        self.also: NDArray[np.float64] | None = None
        """(k, n) further curves that the axes must hold."""
        self.label = ""
        """Words below the spectral axis, where it is labelled in another unit than its own."""
        if residual_axes is not None:
            residual_axes.axhline(0, color="#888888", linewidth=0.6)
            residual_axes.set_ylabel("residual", fontsize="small")
            residual_axes.set_ylim(-1, 1)
            residual_axes.locator_params(axis="y", nbins=2)  # it is low: more ticks would lie on one another

    @property
    def artists(self) -> list[Artist]:
        """All that moves."""
        return [
            *self._components,
            self._measured,
            self._under,
            self._total,
            self._ray,
            *([self._residual] if self._residual is not None else []),
        ]

    def set_color(self, color: str) -> None:
        """Colour of what was measured: dark on paper, light on a dark window."""
        for line in (self._measured, self._residual):
            if line is not None:
                line.set_color(color)
        self._ray.set_color(color)

    def show(self, source: SpectralMap, row: int, column: int, peaks: PeakMaps | None = None) -> bool:
        """Move the curves to a pixel; return whether more than curves and y limits changed, so that a blitting canvas must draw all."""
        x, counts = source.axis.values, np.asarray(source.counts[row, column], dtype=np.float64)
        self._measured.set_data(x, counts)
        fit = FittedCurves.of(peaks, row, column) if peaks is not None and np.isfinite(peaks.height[:, row, column]).any() else None
        nothing = np.full(len(x), np.nan)
        self._total.set_data(x, nothing if fit is None else fit.total)
        self._under.set_data(x, nothing if fit is None else fit.background)
        self._show_components(x, fit)
        if self._residual is not None:
            self._residual.set_data(x, nothing if fit is None else counts - fit.total)
        labels = self._set_labels(source)
        inside = self._inside(source)
        level = self._with_further(self._level(source, row, column, inside), inside)
        _fit_limits(self.axes, level)
        if self.residual_axes is not None and fit is not None:
            _fit_limits(self.residual_axes, (counts - fit.total)[inside], about_zero=True)
        return self._set_span(x[inside]) or labels

    def _line(self, axes: Axes, **style: Any) -> Line2D:
        (line,) = axes.plot([], [], animated=self._animated, **style)
        return line

    def _show_components(self, x: Curve, fit: FittedCurves | None) -> None:
        wanted = 0 if fit is None else len(fit.components)
        while len(self._components) < wanted:
            color = COMPONENT_COLORS[len(self._components) % len(COMPONENT_COLORS)]
            self._components.append(self._line(self.axes, color=color, linewidth=0.9, zorder=1.5))
        for index, line in enumerate(self._components):
            there = np.isfinite(fit.components[index]) if fit is not None and index < wanted else np.zeros(0, dtype=bool)
            line.set_visible(bool(there.any()))
            if fit is not None and there.any():
                line.set_data(x[there], fit.components[index][there])

    def _set_labels(self, source: SpectralMap) -> bool:
        bottom = self.residual_axes or self.axes
        label, unit = self.label or source.axis.label, source.intensity_unit
        changed = bool(bottom.get_xlabel() != label or self.axes.get_ylabel() != unit)
        bottom.set_xlabel(label)
        self.axes.set_ylabel(unit)
        return changed

    def _inside(self, source: SpectralMap) -> slice:
        """Channels in view; all of them where the view has left the axis."""
        inside = slice(0, len(source.axis)) if self.view is None else source.axis.between(*self.view)
        return inside if inside.stop - inside.start > 1 else slice(0, len(source.axis))

    def clear(self) -> bool:
        """Draw no curve; returns False, since axes and ticks stay."""
        for line in (*self._components, self._measured, self._under, self._total, *([self._residual] if self._residual else [])):
            line.set_data([], [])
        self._ray.set_text("")
        return False

    def _with_further(self, level: Curve, inside: slice) -> Curve:
        """What the y axis must hold, the further curves included."""
        if self.also is None or not self.also.size:
            return level
        return np.concatenate([level, self.also[:, inside].ravel()])

    def _level(self, source: SpectralMap, row: int, column: int, inside: slice) -> Curve:
        """What the y axis must hold; a cosmic ray that dwarfs all lines is left out, and told in words where it leaves the axes."""
        counts = np.asarray(source.counts[row, column, inside], dtype=np.float64)
        tame = without_rays(source.counts, row, column)[inside]
        self._ray.set_text("")
        if not np.isfinite(counts).all() or np.ptp(counts) < 2 * np.ptp(tame):
            return counts
        peak = int(np.argmax(counts))
        self._ray.set_x(source.axis.values[inside][peak])
        self._ray.set_text(f"▲ cosmic ray, {counts[peak]:.0f}")
        return tame

    def _set_span(self, x: Curve) -> bool:
        if self.axes.get_xlim() == (x[0], x[-1]) or len(x) < 2:
            return False
        self.axes.set_xlim(x[0], x[-1])
        if self.residual_axes is not None:
            self.residual_axes.set_xlim(x[0], x[-1])
        return True


def _fit_limits(axes: Axes, values: Curve, *, about_zero: bool = False) -> None:
    """Widen or narrow the y limits only where the curve leaves them or fills less than a third: still ticks are quick to draw."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return
    low, high = float(finite.min()), float(finite.max())
    if about_zero:
        high = max(abs(low), abs(high))
        low = -high
    bottom, top = axes.get_ylim()
    span = max(high - low, 1e-12)
    if low < bottom or top < high or span <= 0.35 * (top - bottom):
        axes.set_ylim(low - 0.06 * span, high + 0.25 * span)


def draw_spectrum(
    axes: Axes, spectral_map: SpectralMap, row: int, column: int, peaks: PeakMaps | None, residual_axes: Axes | None
) -> SpectrumPlot:
    """Draw one pixel's spectrum with its fit on paper: for figures and the report."""
    plot = SpectrumPlot(axes, residual_axes)
    plot.show(spectral_map, row, column, peaks)
    axes.legend(loc="upper right", fontsize="small", frameon=False)
    return plot


def brightest_pixel(source: SpectralMap, peaks: PeakMaps | None = None) -> tuple[int, int]:
    """Row and column of the flake's pixel with the strongest peak that was fitted well, or without peaks with the highest signal."""
    if peaks is not None and np.isfinite(peaks.height).any():
        strength = np.nanmax(np.where(np.isfinite(peaks.height), peaks.height, -np.inf), axis=0)
        choice = np.isin(peaks.status, GOOD)
    else:
        if is_stored(source.counts):
            return _bright_among_some(source)
        strength = np.nan_to_num(signal(source.counts), nan=-np.inf)
        choice = source.flake if source.flake is not None else np.zeros_like(strength, dtype=bool)
    if choice.any():
        strength = np.where(choice, strength, -np.inf)
    row, column = np.unravel_index(int(np.argmax(strength)), strength.shape)
    return int(row), int(column)


def _bright_among_some(source: SpectralMap) -> tuple[int, int]:
    """A bright pixel of a map that would have to be read for the brightest."""
    places, spectra = sampled(source.counts)
    strength = np.nan_to_num(light_about(spectra, telling_channel(source.counts)), nan=-np.inf)
    row, column = places[int(np.argmax(strength))]
    return int(row), int(column)


def describe(source: SpectralMap, row: int, column: int, peaks: PeakMaps | None = None) -> str:
    """Pixel, its place in um or its place in a series, and what became of its fit, in one line."""
    place = f"row {row}, column {column}  {source.frame.place_words(row, column)}"
    if peaks is None:
        return place
    chi2 = float(peaks.reduced_chi2[row, column])
    quality = f", reduced χ² {chi2:.2f}" if np.isfinite(chi2) else ""
    return f"{place}  fit: {peaks.status_words(row, column)}{quality}"


def fitted_numbers(peaks: PeakMaps, row: int, column: int) -> list[tuple[str, ...]]:
    """One row per peak: its name, then position, FWHM and height with their standard errors, in the units of `PeakMaps.unit`."""
    rows = []
    for index, name in enumerate(peaks.names):
        values = [
            with_error(*(float(getattr(peaks, f"{parameter}{suffix}")[index, row, column]) for suffix in ("", "_error")))
            for parameter in PARAMETERS
        ]
        rows.append((name, *values))
    return rows


def with_error(value: float, error: float) -> str:
    """Value and standard error, both to the error's second digit."""
    if not np.isfinite(value):
        return "absent"
    if not np.isfinite(error) or error <= 0:
        return f"{value:.5g}"
    digits = max(0, 1 - int(np.floor(np.log10(error))))
    return f"{value:.{digits}f} ± {error:.{digits}f}"

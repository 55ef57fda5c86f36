"""The result of a deconvolution: three parameters per peak and pixel, each with its error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data.axis import SpectralAxis
from napari_wse2xai.data.computed_map import ComputedMap
from napari_wse2xai.data.frame import Frame
from napari_wse2xai.data.history import History, Record

PARAMETERS = ("position", "fwhm", "height")
"""Parameters of every peak, in the order used everywhere."""
BOUND_FLAGS = {1: "position", 2: "FWHM", 4: "height", 8: "form"}
"""Bits of `PeakMaps.at_bound`."""
LACKED = 0.98
"""Share of fits without a peak (height 0) from which the peak is not there: the few others are chance."""


class Status(IntEnum):
    """What became of a pixel's fit."""

    OK = 0
    NOT_ON_FLAKE = 1
    NOT_MEASURED = 2
    BELOW_NOISE = 3
    AT_BOUND = 4
    NOT_CONVERGED = 5
    TOO_FEW_CHANNELS = 6
    PEAKS_MERGED = 7
    SPIKE_LEFT = 8
    ABNORMAL = 9
    MISFIT = 10
    SATURATED = 11

    @property
    def meaning(self) -> str:
        """Words for the user."""
        return {
            Status.OK: "ok",
            Status.NOT_ON_FLAKE: "not on flake",
            Status.NOT_MEASURED: "not measured",
            Status.BELOW_NOISE: "signal below noise",
            Status.AT_BOUND: "parameter at its bound",
            Status.NOT_CONVERGED: "not converged",
            Status.TOO_FEW_CHANNELS: "too few channels",
            Status.PEAKS_MERGED: "peaks merged",
            Status.SPIKE_LEFT: "spike left",
            Status.ABNORMAL: "badly described",
            Status.MISFIT: "model does not fit",
            Status.SATURATED: "saturated",
        }[self]


@dataclass(frozen=True)
class Under:
    """How one window was fitted: what lay under its peaks, and what held that."""

    degree: int | None
    """Of the polynomial; None for none."""
    beside: tuple[tuple[float, float], ...] = ()
    """Channels outside of the window that were fitted with it, from and to, axis unit."""


def through(x: NDArray[np.float64], window: tuple[float, float], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Polynomial on x through values (points, ...) at places evenly spaced from one end of a window to the other (Lagrange)."""
    places = np.linspace(*window, len(values))
    total = np.zeros(np.broadcast_shapes(x.shape, values.shape[1:]))
    for k, value in enumerate(values):
        others = np.delete(places, k)
        total += value * np.prod((x[..., None] - others) / (places[k] - others), axis=-1)
    return total


@dataclass(frozen=True, eq=False)
class PeakMaps:
    """Position, FWHM and height of every peak at every pixel; NaN where there is no value."""

    frame: Frame
    axis: SpectralAxis
    """The axis that was fitted on: gives the unit, and what is needed to draw the fit."""
    names: tuple[str, ...]
    shapes: tuple[str, ...]
    """Line shape of each peak, a name of `numerics.lineshapes.SHAPES`."""
    windows: tuple[tuple[float, float], ...]
    """Spectral window in which each peak was fitted, in the axis unit; peaks of equal windows were fitted together."""
    position: NDArray[np.float32]
    """(peak, ny, nx) in the axis unit."""
    fwhm: NDArray[np.float32]
    """(peak, ny, nx) in the axis unit."""
    height: NDArray[np.float32]
    """(peak, ny, nx) in `intensity_unit`."""
    position_error: NDArray[np.float32]
    fwhm_error: NDArray[np.float32]
    height_error: NDArray[np.float32]
    """Each error is one standard error, same shape and unit as its parameter."""
    status: NDArray[np.uint8]
    """(ny, nx) a `Status` each."""
    reduced_chi2: NDArray[np.float32]
    """(ny, nx) mean squared residual over the noise that the data show; about 1 for a good fit."""
    background: NDArray[np.float32] | None = None
    """(window, points, ny, nx) polynomial fitted under the peaks: its value at the lower and the upper end of each distinct window, and,
    where it bends, at places evenly between them, in `intensity_unit`; None where none was fitted."""
    substrate: NDArray[np.float64] | None = None
    """(n,) spectrum of the substrate on the axis, in `intensity_unit`; None where none was fitted."""
    substrate_share: NDArray[np.float32] | None = None
    """(window, ny, nx) how much of it lies under the peaks of each distinct window."""
    under: tuple["Under", ...] = ()
    """How each distinct window was fitted; empty in files of before."""
    form: NDArray[np.float32] | None = None
    form_error: NDArray[np.float32] | None = None
    """(peak, ny, nx) fourth parameter of the shapes that have one (Voigt, pseudo-Voigt, Fano), NaN for the others; None where none has."""
    area: NDArray[np.float32] | None = None
    area_error: NDArray[np.float32] | None = None
    """(peak, ny, nx) area in `intensity_unit` times the axis unit, its error with the covariance of height and FWHM."""
    at_bound: NDArray[np.uint8] | None = None
    """(peak, ny, nx) which parameters lie at their bound: 1 position, 2 FWHM, 4 height, 8 form, added up."""
    r2: NDArray[np.float32] | None = None
    """(ny, nx) share of the variance above the background that the peaks explain."""
    peak_status: NDArray[np.uint8] | None = None
    """(peak, ny, nx) a `Status` each: `status` is the gravest of those of the peaks that are there; None in files of before."""
    averaged: NDArray[np.float64] | None = None
    """(peak,) width of the channels that each line was averaged over, in the axis unit; 0 for one so wide that its value in their middle
    served; None in files of before."""
    computed: tuple[ComputedMap, ...] = ()
    """What was worked out of the parameters, each with its error."""
    report: str = ""
    """What the second look at abnormal pixels found and mended, in words."""
    name: str = "map"
    intensity_unit: str = "counts"
    metadata: Mapping[str, str] = field(default_factory=dict)
    history: History = ()

    def with_record(self, record: Record) -> Self:
        """Return the same maps with one more step in their history."""
        return replace(self, history=(*self.history, record))

    def unit(self, parameter: str) -> str:
        """Unit of one of `PARAMETERS`."""
        return self.intensity_unit if parameter == "height" else self.axis.unit

    @property
    def distinct_windows(self) -> tuple[tuple[float, float], ...]:
        """Windows that were fitted, in the order of `background`."""
        return tuple(dict.fromkeys(self.windows))

    def channel(self, peak: int) -> float | None:
        """Width of the channels that a peak is averaged over where it is drawn; None where its value in their middle serves."""
        return None if self.averaged is None or not self.averaged[peak] else float(self.averaged[peak])

    def background_at(self, row: int, column: int) -> NDArray[np.float64]:
        """Fitted background of one pixel on the whole axis, (n,) counts; NaN outside the windows."""
        curve = np.full(len(self.axis), np.nan)
        for index, (low, high) in enumerate(self.distinct_windows):
            inside = self.axis.between(low, high)
            curve[inside] = self._under(index, inside, (row, column))
        return curve

    def mean_background(self, window: int, pixels: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Mean over pixels of the background under one of `distinct_windows`, (n,) counts on the channels within."""
        return self._under(window, self.axis.between(*self.distinct_windows[window]), pixels)

    def _under(self, window: int, inside: slice, pixels: NDArray[np.bool_] | tuple[int, int]) -> NDArray[np.float64]:
        """Background on some channels, mean over pixels (those of a mask, or one)."""
        curve = np.zeros(inside.stop - inside.start)
        if self.background is not None:
            values = self.background[window][:, *pixels] if isinstance(pixels, tuple) else self.background[window][:, pixels].mean(-1)
            curve = curve + through(self.axis.values[inside], self.distinct_windows[window], values.astype(np.float64))
        if self.substrate is not None and self.substrate_share is not None:
            curve = curve + float(self.substrate_share[window][pixels].mean()) * self.substrate[inside]
        return curve

    def parameters(self, row: int, column: int) -> NDArray[np.float64]:
        """All parameters of one pixel, (peak, 4): those of `PARAMETERS`, then the form (0 for a shape without)."""
        form = np.zeros_like(self.height) if self.form is None else np.nan_to_num(self.form)
        maps = (*(getattr(self, name) for name in PARAMETERS), form)
        return np.stack([values[:, row, column] for values in maps], axis=-1).astype(np.float64)

    @property
    def light(self) -> NDArray[np.float32]:
        """(ny, nx) sum of the heights of all peaks, in `intensity_unit`; NaN where there is none."""
        there = np.isfinite(self.height).any(axis=0)
        return np.where(there, np.nansum(self.height, axis=0), np.nan).astype(np.float32)

    @property
    def snr(self) -> NDArray[np.float32]:
        """(peak, ny, nx) height over its standard error."""
        return np.asarray(self.height / self.height_error, dtype=np.float32)

    def status_words(self, row: int, column: int) -> str:
        """What became of a pixel; of a parameter at its bound, which."""
        words = Status(int(self.status[row, column])).meaning
        if self.status[row, column] != Status.AT_BOUND or self.at_bound is None:
            return words
        flags = self.at_bound[:, row, column]
        which = [f"{name} {kind}" for name, flag in zip(self.names, flags, strict=True) for bit, kind in BOUND_FLAGS.items() if flag & bit]
        return f"{words}: {', '.join(which)}"


def peaks_there(maps: Sequence[PeakMaps]) -> NDArray[np.bool_]:
    """(peak,) which peaks the fits of some flakes have, those of one list of peaks; all where they have none."""
    heights = np.concatenate([peaks.height[:, np.isfinite(peaks.height).all(axis=0)] for peaks in maps], axis=1)
    there = (heights != 0).mean(axis=1) > 1 - LACKED if heights.size else np.zeros(len(heights), dtype=bool)
    return np.asarray(there if there.any() else ~there)

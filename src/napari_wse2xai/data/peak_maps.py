"""The result of a deconvolution: three parameters per peak and pixel, each with its error."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data.axis import SpectralAxis
from napari_wse2xai.data.computed_map import ComputedMap
from napari_wse2xai.data.declared import PLACES, Coordinates, Tabled, along, attribute
from napari_wse2xai.data.frame import Frame
from napari_wse2xai.data.history import History, Recorded

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
    ACCEPTED = 12
    REJECTED = 13

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
            Status.ACCEPTED: "accepted by hand",
            Status.REJECTED: "rejected by hand",
        }[self]


GOOD = (Status.OK, Status.ACCEPTED)
"""What a fit that is believed is called."""
STATUSES = {int(code): code.meaning for code in Status}
per_peak = partial(along, "peak", *PLACES)
AXIS, LIGHT, AREA = "{0.axis.unit}", "{0.intensity_unit}", "{0.intensity_unit} {0.axis.unit}"
Values = NDArray[np.float32]


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
class PeakMaps(Recorded, Tabled):
    """Position, FWHM and height of every peak at every pixel; NaN where there is no value."""

    frame: Frame
    axis: SpectralAxis
    """The axis that was fitted on: gives the unit, and what is needed to draw the fit."""
    names: Annotated[tuple[str, ...], along("peak", stored="peak", says="name of the peak")]
    shapes: Annotated[tuple[str, ...], along("peak", stored="shape", says="line shape")]
    """Line shape of each peak, a name of `numerics.lineshapes.SHAPES`."""
    windows: Annotated[tuple[tuple[float, float], ...], along("peak", "limit", stored="window", unit=AXIS, says="window of the fit")]
    """Peaks of equal windows were fitted together."""
    position: Annotated[Values, per_peak(unit=AXIS, says="position")]
    fwhm: Annotated[Values, per_peak(unit=AXIS, says="fwhm")]
    height: Annotated[Values, per_peak(unit=LIGHT, says="height")]
    position_error: Annotated[Values, per_peak(unit=AXIS, says="standard error of position")]
    fwhm_error: Annotated[Values, per_peak(unit=AXIS, says="standard error of fwhm")]
    height_error: Annotated[Values, per_peak(unit=LIGHT, says="standard error of height")]
    status: Annotated[NDArray[np.uint8], along(*PLACES, flags=STATUSES, says="what became of the fit")]
    reduced_chi2: Annotated[Values, along(*PLACES, unit="1", says="mean squared residual over the variance of the noise")]
    """About 1 for a good fit."""
    background: Annotated[
        Values | None,
        along("fit_window", "background_point", *PLACES, unit=LIGHT, says="curve under the peaks, from end to end of each window"),
    ] = None
    """At places evenly from the lower to the upper end of each distinct window; None where none was fitted."""
    substrate: Annotated[NDArray[np.float64] | None, along("substrate_channel", unit=LIGHT, says="spectrum of the substrate")] = None
    """On the axis; None where none was fitted."""
    substrate_share: Annotated[Values | None, along("fit_window", *PLACES, unit="1", says="how much of substrate lies under the peaks")] = (
        None
    )
    under: Annotated[tuple[Under, ...], attribute()] = ()
    """How each distinct window was fitted; empty in files of before."""
    form: Annotated[Values | None, per_peak(unit="1", says="fourth parameter of the line shape")] = None
    form_error: Annotated[Values | None, per_peak(unit="1", says="standard error of fourth parameter of the line shape")] = None
    """Of the shapes that have one (Voigt, pseudo-Voigt, Fano), NaN for the others; None where none has."""
    area: Annotated[Values | None, per_peak(unit=AREA, says="area of the peak")] = None
    area_error: Annotated[Values | None, per_peak(unit=AREA, says="standard error of area of the peak")] = None
    """With the covariance of height and FWHM."""
    at_bound: Annotated[NDArray[np.uint8] | None, per_peak(masks=BOUND_FLAGS, says="which parameters lie at their bound")] = None
    r2: Annotated[
        Values | None, along(*PLACES, unit="1", heading="R2", says="share of the variance above the background that the peaks explain")
    ] = None
    peak_status: Annotated[
        NDArray[np.uint8] | None, per_peak(flags=STATUSES, heading="status", says="what became of the fit of each peak")
    ] = None
    """`status` is the gravest of those of the peaks that are there; None in files of before."""
    averaged: Annotated[
        NDArray[np.float64] | None, along("peak", unit=AXIS, says="width of the channels averaged over; 0 not averaged")
    ] = None
    """0 for one so wide that its value in their middle served; None in files of before."""
    computed: Annotated[tuple[ComputedMap, ...], along("computed")] = ()
    """What was worked out of the parameters, each with its error."""
    report: Annotated[str, attribute()] = ""
    """What the second look at abnormal pixels found and mended, in words."""
    name: Annotated[str, attribute()] = "map"
    intensity_unit: Annotated[str, attribute()] = "counts"
    metadata: Annotated[Mapping[str, str], attribute()] = field(default_factory=dict)
    history: Annotated[History, attribute()] = ()

    def to_hyperspy(self, parameter: str = "height") -> Any:
        """Pictures of one parameter, one for each peak, as a signal of HyperSpy, where that is installed."""
        from napari_wse2xai.data.hyperspy_signal import signal_of_peaks

        return signal_of_peaks(self, parameter)

    def coordinates(self) -> Coordinates:
        """Places of the pixels, and the axis."""
        return self.frame.coordinates() | {"spectral": (("spectral",), self.axis.values, self.axis.unit)}

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
        of_one = [getattr(self, name)[:, row, column] for name in PARAMETERS]  # one pixel first: this is asked at every move of a mouse
        form = np.zeros_like(of_one[0]) if self.form is None else np.nan_to_num(self.form[:, row, column])
        return np.stack([*of_one, form], axis=-1).astype(np.float64)

    @property
    def light(self) -> NDArray[np.float32]:
        """(ny, nx) sum of the heights of all peaks, in `intensity_unit`; NaN where there is none."""
        there = np.isfinite(self.height).any(axis=0)
        return np.where(there, np.nansum(self.height, axis=0), np.nan).astype(np.float32)

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


def strongest(heights: Iterable[NDArray[Any]]) -> int:
    """Index of the map of heights with the largest median: one pixel in which a weak peak ran away makes none of it."""
    return int(np.argmax([np.nanmedian(height) if np.isfinite(height).any() else -np.inf for height in heights]))

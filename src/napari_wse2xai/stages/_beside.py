"""Lists of peaks that lie beside the lines of a spectrum: all by the same amount, as where the axis needs calibration."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.numerics.lineshapes import SHAPES
from napari_wse2xai.numerics.noise import channel_sigma
from napari_wse2xai.numerics.problem import polynomials
from napari_wse2xai.stages._fitting import FitWindow

if TYPE_CHECKING:
    from napari_wse2xai.stages.peaks import Peak

Values = NDArray[np.float64]
FARTHEST, FINE = 2.5, 4
"""Largest shift that is tried, in the FWHM of the narrowest line, and tries in a channel."""
LEFT = 0.4
"""Share of what the list leaves of the spectrum where it stands that it may leave where it fits."""
EXPLAINS = 0.6
"""Share of the spectrum, above its background, that the shifted list explains."""
EMPTY = 0.15
"""Share of the shifted lines' heights that may stand at the places of the list."""
WORTH = 10.0
"""Standard deviations of the mean spectrum by which the shifted list must be better."""
SILICON, SEARCHED, STANDS = 520.7, 15.0, 8.0
"""Silicon's line in cm-1, how far from there it is looked for, and the standard deviations that it must stand out by."""


@dataclass(frozen=True)
class Shift:
    """Where a list of peaks would fit."""

    amount: float
    """How much farther on the spectrum has its lines, axis unit."""
    worth: float
    """Standard deviations of the mean spectrum by which the list is better there."""
    seen: tuple["Peak", ...]
    """Peaks that the spectrum shows there, the strongest first."""


def shifted(windows: Sequence[FitWindow], mean: Sequence[Values]) -> Shift | None:
    """The shift at which a list explains the mean spectrum (n,) of each window; None where it may stay where it is."""
    peaks = [peak for window in windows for peak in window.peaks]
    narrow, pitch = min(peak.fwhm for peak in peaks), min(float(np.diff(window.x).min()) for window in windows)
    shifts = np.arange(-FARTHEST * narrow, FARTHEST * narrow, min(pitch, narrow) / FINE)
    allowed = np.abs(shifts) <= max(min(peak.reach for peak in peaks), 0.3 * narrow)
    if _may_stay(windows, mean, shifts, allowed):
        return None
    left = np.array([sum(_left(w, y, (shift,))[1] for w, y in zip(windows, mean, strict=True)) for shift in shifts])
    all_of_it = sum(_left(window, y, ())[1] for window, y in zip(windows, mean, strict=True))
    here, best = float(left[allowed].min()), int(left.argmin())
    noise = float(np.median([channel_sigma(y) for y in mean])) + 1e-300
    worth = float(np.sqrt(max(here - left[best], 0.0))) / noise
    if allowed[best] or left[best] > LEFT * here or left[best] > (1 - EXPLAINS) * all_of_it or worth < WORTH:
        return None
    heights = np.concatenate([_left(window, y, (shifts[best], 0.0))[0] for window, y in zip(windows, mean, strict=True)], axis=1)
    there, still = heights
    if still.max() > EMPTY * there.max():
        return None
    order = [int(k) for k in np.argsort(-there) if there[k] > EMPTY * there.max()]
    return Shift(float(shifts[best]), worth, tuple(peaks[k] for k in order))


def _may_stay(windows: Sequence[FitWindow], mean: Sequence[Values], shifts: Values, allowed: NDArray[np.bool_]) -> bool:
    """Whether heights that may be negative, which leave no more than others, leave too much wherever the list may not stand."""
    least, some = np.sum([_free(w, y, shifts) for w, y in zip(windows, mean, strict=True)], axis=0)
    return bool(least[~allowed].min(initial=np.inf) > LEFT * some[allowed].min())


def _free(window: FitWindow, mean: Values, shifts: Values) -> Values:
    """(2, shift) sums of squares that the lines leave of a spectrum: with heights of any sign; and without those below zero."""
    each = [_columns(window, mean, (shift,)) for shift in shifts]
    columns, rest = np.stack([lines for lines, _ in each]), each[0][1]
    heights = np.linalg.pinv(columns) @ rest
    left = [rest - (columns @ some[..., None])[..., 0] for some in (heights, np.maximum(heights, 0.0))]
    return np.asarray(np.einsum("asn,asn->as", left, left))


def _left(window: FitWindow, mean: Values, shifts: tuple[float, ...]) -> tuple[Values, float]:
    """Heights (shift, peak) of the listed lines at some shifts, none below zero, and the sum of squares that they leave of a spectrum."""
    from scipy.optimize import nnls  # takes as long to load as all else of a check

    columns, rest = _columns(window, mean, shifts)
    if not shifts:
        return np.empty((0, len(window.peaks))), float(rest @ rest)
    heights, size = nnls(columns, rest)
    return heights.reshape(len(shifts), -1), float(size) ** 2


def _columns(window: FitWindow, mean: Values, shifts: tuple[float, ...]) -> tuple[Values, Values]:
    """The listed lines at some shifts (n, shift * peak), and a spectrum (n,), a straight line taken off all of them."""
    x = window.x
    basis = polynomials(x, 1, np.ones_like(x))
    columns = np.stack(list(_lines(window, shifts)) or [np.zeros_like(x)], axis=1)
    return columns - basis @ (basis.T @ columns), mean - basis @ (basis.T @ mean)


def _lines(window: FitWindow, shifts: tuple[float, ...]) -> Iterator[Values]:
    for shift in shifts:
        for peak in window.peaks:
            shape = SHAPES[peak.line_shape]
            usual = shape.form[1] if shape.form else 0.0
            form = usual if peak.form is None else peak.form
            yield np.asarray(shape(window.x, *(np.asarray(value) for value in (peak.position + shift, peak.fwhm, 1.0, form))))


def silicon(source: SpectralMap) -> float | None:
    """How much too high silicon's line lies, cm-1; None where it is not seen."""
    x = source.axis.values
    if source.axis.unit != "cm-1" or not x[0] < SILICON - SEARCHED < SILICON + SEARCHED < x[-1]:
        return None
    near = np.flatnonzero(np.abs(x - SILICON) < SEARCHED)
    mean = np.nanmean(np.asarray(source.counts, dtype=np.float64)[..., near], axis=(0, 1))
    noise = float(np.median(np.abs(np.diff(mean)))) * 1.05 + 1e-300
    if mean.max() - np.median(mean) < STANDS * noise:
        return None
    return top(x[near], mean) - SILICON


def top(x: Values, spectrum: Values) -> float:
    """Place of a spectrum's highest value, between channels by the parabola through the three about it."""
    k = int(np.clip(spectrum.argmax(), 1, len(x) - 2))
    below, middle, above = spectrum[k - 1 : k + 2]
    bend = below - 2 * middle + above
    between = 0.5 * (below - above) / bend if bend < 0 else 0.0
    return float(x[k] + np.clip(between, -0.5, 0.5) * 0.5 * (x[k + 1] - x[k - 1]))

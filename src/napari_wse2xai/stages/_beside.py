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
AT_ONCE = 100
"""Shifts whose lines are drawn in one go."""
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
    spectra = [_Spectrum(window, y) for window, y in zip(windows, mean, strict=True)]
    if _may_stay(spectra, shifts, allowed):
        return None
    left: Values = np.sum([spectrum.left(shifts) for spectrum in spectra], axis=0)
    all_of_it = sum(float(spectrum.rest @ spectrum.rest) for spectrum in spectra)
    here, best = float(left[allowed].min()), int(left.argmin())
    noise = float(np.median([channel_sigma(y) for y in mean])) + 1e-300
    worth = float(np.sqrt(max(here - left[best], 0.0))) / noise
    if allowed[best] or left[best] > LEFT * here or left[best] > (1 - EXPLAINS) * all_of_it or worth < WORTH:
        return None
    there, still = np.concatenate([spectrum.shared(shifts[best], 0.0) for spectrum in spectra], axis=1)
    if still.max() > EMPTY * there.max():
        return None
    order = [int(k) for k in np.argsort(-there) if there[k] > EMPTY * there.max()]
    return Shift(float(shifts[best]), worth, tuple(peaks[k] for k in order))


def _may_stay(spectra: Sequence["_Spectrum"], shifts: Values, allowed: NDArray[np.bool_]) -> bool:
    """Whether heights that may be negative, which leave no more than others, leave too much wherever the list may not stand."""
    least, some = np.sum([spectrum.free(shifts) for spectrum in spectra], axis=0)
    return bool(least[~allowed].min(initial=np.inf) > LEFT * some[allowed].min())


class _Spectrum:
    """A window's mean spectrum without its straight background, to be explained by the listed lines at some shifts."""

    def __init__(self, window: FitWindow, mean: Values) -> None:
        self._window = window
        self._basis = polynomials(window.x, 1, np.ones_like(window.x))
        self.rest = mean - self._basis @ (self._basis.T @ mean)

    def free(self, shifts: Values) -> Values:
        """(2, shift) sums of squares that the list leaves: with heights of any sign; and without those below zero."""
        return np.concatenate([self._free(lines) for lines in self._lines(shifts)], axis=1)

    def _free(self, lines: Values) -> Values:
        heights = self.rest @ np.linalg.pinv(lines)
        left = [self.rest - (some[:, None] @ lines)[:, 0] for some in (heights, np.maximum(heights, 0.0))]
        return np.asarray(np.einsum("asn,asn->as", left, left))

    def left(self, shifts: Values) -> Values:
        """Sum of squares (shift,) that the list leaves with no height below zero."""
        from scipy.optimize import nnls  # takes as long to load as all else of a check

        return np.array([nnls(each.T, self.rest)[1] for lines in self._lines(shifts) for each in lines]) ** 2

    def shared(self, *shifts: float) -> Values:
        """Heights (shift, peak) of lists at several shifts together, none below zero."""
        from scipy.optimize import nnls

        (lines,) = self._lines(np.array(shifts))
        return np.asarray(nnls(np.concatenate(lines).T, self.rest)[0].reshape(len(shifts), -1))

    def _lines(self, shifts: Values) -> Iterator[Values]:
        """Lines (shift, peak, channel) of height one without their straight part, some shifts at a time."""
        for part in np.array_split(shifts, 1 + len(shifts) // AT_ONCE):
            lines = np.stack([_line(peak, self._window.x, part[:, None]) for peak in self._window.peaks], axis=1)
            yield lines - (lines @ self._basis) @ self._basis.T


def _line(peak: "Peak", x: Values, shift: Values) -> Values:
    """Shape of a peak of height one at some shifts (shift, 1)."""
    shape = SHAPES[peak.line_shape]
    usual = shape.form[1] if shape.form else 0.0
    form = usual if peak.form is None else peak.form
    return np.asarray(shape(x, peak.position + shift, *(np.asarray(value) for value in (peak.fwhm, 1.0, form))))


def silicon(source: SpectralMap) -> float | None:
    """How much too high silicon's line lies, cm-1; None where it is not seen."""
    x = source.axis.values
    if source.axis.unit != "cm-1" or not x[0] < SILICON - SEARCHED < SILICON + SEARCHED < x[-1]:
        return None
    near = np.flatnonzero(np.abs(x - SILICON) < SEARCHED)
    mean: Values = np.nanmean(np.asarray(source.counts, dtype=np.float64)[..., near], axis=(0, 1))
    # 1.05: of white noise half of the steps between channels are smaller than 0.95 of its standard deviation.
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

"""Lay a calculated spectrum over a measured one: one shift, one scale, a straight background, each with its error."""

from dataclasses import dataclass

import numpy as np

from napari_wse2xai.theory.cell import Array

FARTHEST_CM1 = 25.0
"""Farthest shift that is tried: beyond it, lines are other lines."""
_MARGIN_CM1 = 30.0
"""Beyond the outermost lines, so that a shift leaves them within."""
_STEP_CM1 = 0.25
"""Of the shifts that are tried; a parabola through the best three goes on from there."""
_SURE = 3.0
"""Standard errors by which a scale must differ from zero."""
FEWEST_CHANNELS = 12
"""Measured channels that a match needs."""


@dataclass(frozen=True)
class Match:
    """How a calculated spectrum has to be moved and stretched to lie on a measured one; NaN where it cannot be.

    Attributes
    ----------
    shift, shift_error : cm-1 to be added to calculated wavenumbers
    scale, scale_error : measured counts per unit of the calculated spectrum
    window : cm-1, where both were compared
    problem : why there is none, in words; empty where there is one
    """

    shift: float = np.nan
    shift_error: float = np.nan
    scale: float = np.nan
    scale_error: float = np.nan
    window: tuple[float, float] = (np.nan, np.nan)
    problem: str = ""


def match(axis: Array, counts: Array, wavenumbers: Array, calculated: Array, lines: tuple[float, ...]) -> Match:
    """Find the shift and scale with which a calculated spectrum lies nearest to a measured one.

    Parameters
    ----------
    axis, counts : (n,) the measured spectrum, cm-1 and counts; NaN is not measured
    wavenumbers, calculated : (m,) the calculated one
    lines : cm-1, where its lines lie

    Notes
    -----
    A straight line is fitted under the calculated spectrum and forgotten.  Errors come from the residuals, which hold what theory does not
    have (other lines, resonance) and go together over many channels: their correlation is counted.  How well the *shape* fits is no
    measure of anything: the calculated heights are static, the measured ones resonant.
    """
    if not lines or not np.isfinite(calculated).all():
        return Match(problem="no Raman spectrum was calculated")
    window = (min(lines) - _MARGIN_CM1, max(lines) + _MARGIN_CM1)
    inside = (axis >= window[0]) & (axis <= window[1]) & np.isfinite(counts)
    if inside.sum() < FEWEST_CHANNELS or axis[inside].min() > min(lines) or axis[inside].max() < max(lines):
        places = f"{window[0]:.0f} to {window[1]:.0f} cm-1"
        return Match(window=window, problem=f"the measurement has too few channels from {places}, where the calculated lines lie")
    x, y = axis[inside], counts[inside]
    fit = _Projected(x, y, wavenumbers, calculated)
    shifts = np.arange(-FARTHEST_CM1, FARTHEST_CM1 + _STEP_CM1 / 2, _STEP_CM1)
    losses = np.array([fit.at(shift)[1] for shift in shifts])
    best = int(losses.argmin())
    if best in (0, len(shifts) - 1):
        return Match(window=window, problem=f"no shift of up to {FARTHEST_CM1:g} cm-1 brings the calculated lines onto measured ones")
    # A sum of squares is a parabola about its minimum: finer steps would cost more and tell no more.
    shift = float(shifts[best] + _STEP_CM1 * _vertex(losses[best - 1 : best + 2]))
    return _with_errors(fit, shift, window)


def _vertex(three: Array) -> float:
    """Where a parabola through three equidistant values is lowest, in steps from the middle one."""
    bend = three[0] - 2 * three[1] + three[2]
    return float(np.clip((three[0] - three[2]) / (2 * bend), -0.5, 0.5)) if bend > 0 else 0.0


@dataclass(frozen=True, eq=False)
class _Projected:
    """The measured spectrum, to be fitted by a shifted calculated one and a straight line."""

    x: Array
    y: Array
    wavenumbers: Array
    calculated: Array

    def shape(self, shift: float) -> Array:
        """(n,) the calculated spectrum at the measured channels."""
        return np.interp(self.x - shift, self.wavenumbers, self.calculated)

    def design(self, shift: float) -> Array:
        """(n, 3) what is added up with free amounts."""
        middle = (self.x - self.x.mean()) / np.ptp(self.x)
        return np.stack([self.shape(shift), np.ones_like(self.x), middle], axis=1)

    def at(self, shift: float) -> tuple[Array, float]:
        """Amounts, and the sum of squares that is left; a line upside down does not count as one."""
        design = self.design(shift)
        amounts = np.asarray(np.linalg.lstsq(design, self.y, rcond=None)[0], dtype=np.float64)
        if amounts[0] <= 0:
            amounts = np.array([0.0, *np.linalg.lstsq(design[:, 1:], self.y, rcond=None)[0]])
        return amounts, float(((self.y - design @ amounts) ** 2).sum())


def _with_errors(fit: _Projected, shift: float, window: tuple[float, float]) -> Match:
    amounts, loss = fit.at(shift)
    # By the shift, over a fifth of a wavenumber: less would see the corners of the interpolated spectrum.
    slope = amounts[0] * (fit.shape(shift + 0.1) - fit.shape(shift - 0.1)) / 0.2
    jacobian = np.column_stack([slope, fit.design(shift)])
    left = fit.y - jacobian[:, 1:] @ amounts
    # Residuals that go together count once: lines that theory lacks cover many channels.
    freedom = max(len(fit.x) / _correlated(left) - jacobian.shape[1], 1.0)
    spread = np.sqrt(np.diag(np.linalg.pinv(jacobian.T @ jacobian)) * loss / freedom)
    found = Match(shift, float(spread[0]), float(amounts[0]), float(spread[1]), window)
    if found.scale < _SURE * found.scale_error:
        size = f"their scale is {_plain(found.scale)} ± {_plain(found.scale_error)}"
        return Match(window=window, problem=f"the measured spectrum has nothing there that looks like the calculated lines ({size})")
    return found


def _plain(number: float) -> str:
    return str(np.format_float_positional(number, precision=2, fractional=False, trim="-"))


def _correlated(residuals: Array) -> float:
    """Channels that go together: 1 for white noise; sum of the autocorrelation up to where it first falls below zero."""
    size = len(residuals)
    power = np.abs(np.fft.rfft(residuals - residuals.mean(), 2 * size)) ** 2
    together = np.fft.irfft(power)[:size]
    if together[0] <= 0:
        return 1.0
    ratio = together / together[0]
    end = int(np.argmax(ratio < 0)) or size
    return float(max(1.0, 2 * ratio[:end].sum() - 1))

"""How noise of one channel goes on in the next ones: read off residuals of many fits, or off spectra; what was taken off is given back."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.all_over import all_over
from napari_wse2xai.numerics.noise import median, robust_sigma
from napari_wse2xai.numerics.slopes import RIDGE, Slopes

MEMORY, FORGOTTEN = 24, 0.03
"""Most channels over which noise remembers, and the share of its variance that counts as nothing."""
ASKED = 4
"""Pixels of which it is worked out what a fit took of the memory."""
UNUSUAL = 5.0
"""Spreads of the pixels from which one remembers more, or less, than the others: what it misses is no noise."""
GRADUAL = 0.7
"""Share of noise's variance that a straight line through its next two covariances must reach, for it to have been smoothed."""
WIDER = 1.25
"""Usual spreads of a channel over the spectra up to which nothing but noise makes them differ there."""
SOME, WAYS = 300, 4
"""Spectra that are asked how their noise goes on, and ways in which they may differ besides: in a line's height, place and width."""
LEAST = 1e-12
"""Of noise, in its own unit, where there is none."""
AT_ONCE = 64
"""Pixels whose slopes are held at once: they stay in the cache."""
Values = NDArray[np.float64]


def covariances(standard: Values, sigma: Values, slopes: Slopes) -> list[float]:
    """Covariance of the noise with itself 0, 1, ... channels away, as far as it lasts; none where the noise is white.

    Parameters
    ----------
    standard : (pixel, n) residuals over `sigma`, what lies far off drawn in
    sigma : (pixel, n) noise of a channel, counts
    slopes : of the fits that left the residuals

    Notes
    -----
    What is slow in a residual is seldom noise.  A channel that lies far off drags its fit along: to first order that is gone once what was
    drawn in is fitted again.  A misfit of broad lines, or of a background, is slower than instruments smooth: curves that turn but once in
    `MEMORY` channels are fitted too.  What all of that takes of smoothed noise is given back.
    """
    lags = _lags(standard)
    if _lasting(lags, standard.size) < 2:
        return []
    followed = _Followed(slopes)
    lags = _lags(followed.taken_off(standard * sigma) / sigma)
    lasting = _lasting(lags, standard.size)
    if lasting < 2:
        return []
    lags = followed.given_back(lags[: 3 * lasting])  # what a fit leaves of noise turns negative sooner than the noise
    return lags[: next((lag for lag, value in enumerate(lags) if value < FORGOTTEN * lags[0]), len(lags))]


def carried(scaled: NDArray[Any], lags: tuple[float, ...]) -> NDArray[Any]:
    """(..., n) covariance of every channel with a sum of channels that weigh (..., n), for covariances 0, 1, ... channels away."""
    total = lags[0] * scaled
    for lag, share in enumerate(lags[1:], start=1):
        total[..., lag:] += share * scaled[..., :-lag]
        total[..., :-lag] += share * scaled[..., lag:]
    return total


@dataclass(frozen=True)
class Memory:
    """Covariances of the noise with itself 0, 1, ... channels away, over the variance that differences of neighbouring channels show."""

    lags: tuple[float, ...] = (1.0,)

    @property
    def size(self) -> float:
        """How many times the noise that differences show a channel has."""
        return float(np.sqrt(self.lags[0]))

    def of_sum(self, weight: Values) -> float:
        """Standard deviation of a weighted sum of channels (n,), over that of one channel."""
        return float(np.sqrt(max(float(self.between(weight[None, :, None])[0, 0, 0]), 0.0)))

    def between(self, weights: Values) -> Values:
        """(m, k, k) covariances of weighted sums of channels, weights (m, n, k), over the variance of one channel."""
        rows = np.swapaxes(weights, 1, 2)
        return np.asarray(rows @ np.swapaxes(carried(rows, tuple(lag / self.lags[0] for lag in self.lags)), 1, 2))

    def drawn(self, shape: tuple[int, int]) -> Values:
        """(m, n) noise of such a memory, each channel of variance 1; the same whenever it is drawn."""
        wide = shape[1] + 2 * len(self.lags)  # round the end nothing meets that is asked for
        covariance = np.zeros(wide)
        covariance[: len(self.lags)] = self.lags
        covariance[wide - len(self.lags) + 1 :] = self.lags[:0:-1]
        power = np.maximum(np.fft.rfft(covariance / self.lags[0]).real, 0.0)
        white = np.random.default_rng(0).standard_normal((shape[0], wide))
        return np.asarray(np.fft.irfft(np.fft.rfft(white, axis=1) * np.sqrt(power), wide, axis=1)[:, : shape[1]])


WHITE = Memory()


def among(spectra: NDArray[np.floating], noise: Values) -> Memory:
    """How the noise of spectra (m, n) of one map goes on; what they differ by most, lines and curves, is not asked.

    Spectra that were smoothed, or drawn on another axis, show a fraction of their noise in the differences of neighbouring channels.

    Parameters
    ----------
    noise : (m,) counts, of a channel of each, as these differences show it
    """
    some = all_over(len(spectra), SOME)
    rest = (spectra[some] - np.median(spectra[some], axis=0)) / noise[some, None]
    most = np.linalg.eigh(rest @ rest.T)[1][:, -WAYS:]
    return memory(rest - most @ (most.T @ rest))


def memory(standard: Values) -> Memory:
    """How noise goes on in spectra (m, n) of nothing but noise, and of what is slow, over the noise that their differences show."""
    slow = _slow(standard.shape[1])
    quick = standard - (standard @ slow) @ slow.T
    spread = robust_sigma(quick, axis=0)
    alike = spread <= WIDER * max(float(median(spread)), LEAST)  # in the others lines differ from spectrum to spectrum, or light is noisier
    far = UNUSUAL * max(float(robust_sigma(quick[:, alike])), LEAST)
    lags = _lags(np.clip(quick, -far, far) * alike)
    lasting = _lasting(lags, quick.size)
    if lasting < 2:
        return WHITE
    asked = alike.astype(np.float64)
    pairs = [float(asked[lag:] @ asked[: len(asked) - lag]) / (len(asked) - lag) for lag in range(lasting)]
    measured = [lag / max(share, LEAST) for lag, share in zip(lags[:lasting], pairs, strict=True)]
    # Noise that was smoothed falls off step by step; what falls at once and then stays is white noise, and more of lines or of a curve.
    following = 2.0 * measured[1] - (measured[2] if lasting > 2 else 0.0)
    if following <= GRADUAL * measured[0]:
        return WHITE
    return Memory(tuple(_with_slow(measured, slow.shape[1] / len(slow))))


def _with_slow(lags: list[float], share: float) -> list[float]:
    """Covariances of noise from which the slowest curves, a share of all, were taken off, with what that took of it given back.

    Noise that is soon forgotten has as much of one slow curve as of another, the sum of its covariances: so much less is left in each.
    """
    summed = 2.0 * sum(lags) - lags[0]
    slow = summed / max(1.0 - share * (2 * len(lags) - 1), 0.5)
    return [lag + slow * share * float(np.sinc(share * away)) for away, lag in enumerate(lags)]


def _lags(standard: Values) -> list[float]:
    """Mean products of channels 0, 1, ... apart, of the pixels that are as the most of them."""
    n, most = standard.shape[1], min(MEMORY, standard.shape[1] // 4)
    size = 32 * -(-(n + most) // 32)  # products that go round the end fall beyond the last lag
    power = np.abs(np.fft.rfft(standard, size, axis=1)) ** 2
    each = (np.fft.irfft(power, size, axis=1)[:, : most + 1] / (n - np.arange(most + 1))).T
    shared = each[1:].sum(axis=0)
    away = shared - median(shared)
    usual = np.abs(away) <= UNUSUAL * robust_sigma(away)
    return [float(value) for value in each[:, usual].mean(axis=1)]


def _lasting(lags: list[float], size: int) -> int:
    """How many channels noise remembers, itself included."""
    # A correlation of so many products is known to 1 / sqrt(size): four of these are no chance.
    forgotten = max(FORGOTTEN, 4.0 / np.sqrt(size))
    return next((lag for lag, value in enumerate(lags) if value < forgotten * lags[0]), len(lags))


class _Followed:
    """What fits, and whatever is slow, can follow of the data."""

    def __init__(self, slopes: Slopes) -> None:
        self.slopes = slopes
        self.slow = _slow(slopes.fitted.shape[1])

    def taken_off(self, residual: Values) -> Values:
        """Residuals (pixel, n) without that, to first order."""
        root = self.slopes.root
        left = (residual * root) @ (np.eye(len(self.slow)) - self.slow @ self.slow.T)
        for first in range(0, len(left), AT_ONCE):
            some = slice(first, first + AT_ONCE)
            rows, inverse = self._rest(some)
            left[some] -= (np.swapaxes(rows, 1, 2) @ (inverse @ (rows @ left[some, :, None])))[..., 0]
        return np.asarray(left / root)

    def _rest(self, some: slice) -> tuple[Values, Values]:
        """(pixel, m, n) directions of some fits that are not slow, and the inverse of their products."""
        rows = self.slopes.scaled(some)[0].astype(np.float64)
        rows -= (rows @ self.slow) @ self.slow.T
        normal = rows @ np.swapaxes(rows, 1, 2) + RIDGE * np.eye(rows.shape[1])
        return rows, np.asarray(np.linalg.inv(normal), dtype=np.float64)

    def given_back(self, lags: list[float]) -> list[float]:
        """Covariances of noise 0, 1, ... channels away, from those of what is left when all of that was taken off."""
        which = all_over(len(self.slopes.fitted), ASKED)
        left = np.mean([self._of_what_lasts(int(pixel), len(lags)) for pixel in which], axis=0)
        # What fits take away nearly whole cannot be given back: such directions are left at nought.
        return [float(value) for value in np.linalg.lstsq(left, np.array(lags), rcond=1e-3)[0]]

    def _of_what_lasts(self, pixel: int, many: int) -> Values:
        """(many, many) covariances that are left, 0, 1, ... channels apart, of noise with a covariance of one 0, 1, ... channels away."""
        rows, inverse = self._rest(slice(pixel, pixel + 1))
        n, taken = len(self.slow), np.concatenate([self.slow.T, np.linalg.cholesky(inverse[0]).T @ rows[0]])
        result = np.empty((many, many))
        for lag in range(many):
            moved = _moved(taken, lag) + _moved(taken, -lag) if lag else taken
            half = (0.5 * (moved @ taken.T)) @ taken - moved  # K S K = S + U^T H + H^T U for K = 1 - U^T U, H = U S U^T U / 2 - U S
            for apart in range(many):
                one, other = slice(0, n - apart), slice(apart, n)
                crossed = np.vdot(taken[:, one], half[:, other]) + np.vdot(half[:, one], taken[:, other])
                result[apart, lag] = ((n - lag) * (apart == lag) + crossed) / (n - apart)
        return result


def _slow(n: int) -> Values:
    """(n, k) orthonormal curves that turn but once in `MEMORY` channels, or less often: cosines."""
    k = np.arange(1 + n // MEMORY)
    curves = np.cos(np.pi * np.outer(np.arange(n) + 0.5, k) / n)
    return np.asarray(curves / np.linalg.norm(curves, axis=0))


def _moved(rows: Values, by: int) -> Values:
    """Rows (m, n) with every value so many channels farther on, zeros where none comes from."""
    result = np.zeros_like(rows)
    if by > 0:
        result[:, by:] = rows[:, :-by]
    else:
        result[:, :by] = rows[:, -by:]
    return result

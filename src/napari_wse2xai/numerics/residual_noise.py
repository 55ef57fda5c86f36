"""The noise of a fit's residuals: read off neighbouring channels, with what the fit took of it given back and common misfits left out."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.all_over import all_over
from napari_wse2xai.numerics.noise import median, robust_sigma
from napari_wse2xai.numerics.noise_memory import covariances
from napari_wse2xai.numerics.problem import Problem
from napari_wse2xai.numerics.slopes import Slopes

SAMPLE, PAIRS = 32_000, 32
"""Channels that the noise is read off, and the fewest pairs of neighbouring pixels that have them."""
FEW = 30
"""Pixels below which no noise is called usual, and nothing common to them."""
DARK, LEAST = 0.02, 0.1
"""Shares of all noise, and of the usual constant, that a constant has at least."""
UNLIKE = 4.0
"""Standard deviations, by chance, off the usual noise from which a pixel's noise is its own."""
COMMON, MOST = 3.0, 4
"""Variance of a pattern that residuals share, over the largest of white noise, from which it is no noise; and at most so many of them."""
SLOW = 0.25
"""Correlation of a pattern with itself one channel on, from which it is a misfit."""
FAR = 4.0
"""Standard deviations at which a residual is cut off where its memory is measured."""
ALIKE, BESIDE, CHANCE = 0.1, 0.2, 3.5
"""Squared mean over mean square of how much of a pattern pixels have, and the correlation of that with the next pixel, with the standard
deviations by chance that it must reach, from which it is a misfit: noise has no sign, and knows nothing of the next pixel."""
AGAIN = 4
"""Times that patterns are looked for, each time in what the last ones left."""
CLASSES, FEWEST = 16, 20
"""Classes of level, by number and again by signal, and the fewest samples of one."""
OF_VARIANCE = 2.3
"""Relative error of a robust variance, times the root of the number of samples."""
CERTAIN = 2.0
"""Standard errors from which a gain is one."""
AT_ONCE = 64
"""Pixels whose slopes are held at once: they stay in the cache."""
LONE = 6.0
"""Standard deviations of a difference from which it is a spike's."""
LOUD, SURELY = 1.3, 5.0
"""Standard deviation of a channel over the usual one from which the channel is noisier than the others, and the errors of that."""
ROUNDED = 8 * float(np.finfo(np.float32).eps)
"""Share of the largest count by which single precision may err after some sums."""


@dataclass(frozen=True)
class Noise:
    """Noise variance of a channel: a constant plus the gain times the fitted signal."""

    gain: float
    """Counts."""
    usual: float
    """Median of the pixels' constants, counts^2."""
    trust: float
    """Weight of a pixel's own constant against the usual one: 0 where the constants scatter by no more than chance."""
    kept: float
    """Share of white noise that the fit leaves in the differences of neighbouring residuals."""
    level: float
    """The same of shot noise: mean variance of a difference for a gain of one, over the mean fitted signal."""
    memory: tuple[float, ...] = ()
    """Correlation of the noise with itself 0, 1, ... channels away; empty for white noise."""
    channel: NDArray[np.float32] | None = None
    """(n,) standard deviation of each channel over what constant and gain make of it, where some are noisier than that."""

    @classmethod
    def of(cls, problem: Problem, counts: NDArray[np.float32], parameters: NDArray[np.float64]) -> "Noise":
        """Read off some pixels evenly taken.

        Notes
        -----
        From n channels a pixel's variance is known to sqrt(3 / n) of itself; what the constants scatter beyond that is their own.  A fit
        follows the noise, most of all under lines of few channels, so what is left of it in differences is worked out from the slopes.
        What all pixels miss alike is no noise: patterns that residuals share are taken off before.
        """
        some = _in_pairs(len(counts), max(SAMPLE // (2 * counts.shape[1]), PAIRS))
        slopes = Slopes(problem, parameters[some])
        left = problem.without_background((counts[some] - slopes.fitted) * problem.root) / problem.root
        residual = without_common(left.astype(np.float32))
        rounding = float(ROUNDED * np.abs(counts[some]).max(initial=0.0))
        if not rounding or float(np.abs(residual).max(initial=0.0)) <= rounding:  # counts that are nought, or a model without noise
            return cls(0.0, max(rounding**2, float(np.finfo(np.float32).tiny)), 1.0, 1.0, 0.0)
        share, level = _left(slopes)
        deviation = np.diff(residual, axis=1) / np.float32(np.sqrt(2.0))
        gain, constant = _line((deviation / np.sqrt(share)).ravel(), (level / share).ravel())
        kept, ratio = float(share.mean()), float(level.mean()) / max(float(slopes.fitted.mean()), 1e-300)
        rough = cls(gain, max(constant, DARK * float(median((deviation**2).mean(axis=1))) / kept), 1.0, kept, ratio)
        excess, error = rough._excess(np.diff(residual, axis=1), slopes.fitted)
        few, middle = len(excess) < FEW, float(median(excess))
        usual = max(rough.usual + middle / kept, DARK * rough.usual)
        # Of few pixels no noise is called usual: each is believed by itself.
        plain = replace(rough, usual=usual, trust=1.0 if few else _trust(excess - middle, error))
        return plain if few else plain._with_memory(residual, slopes, problem.root)

    def _with_memory(self, residual: NDArray[np.floating], slopes: Slopes, root: NDArray[np.float64]) -> "Noise":
        """Add what the standardised residuals of many pixels tell of channels and of neighbouring ones."""
        sigma = np.sqrt(self.variance(residual, slopes.fitted))
        standard = residual / sigma
        usual = float(robust_sigma(standard))  # far above one where neighbours share noise
        spread = robust_sigma(standard, axis=0) / usual
        loud = spread > max(LOUD, 1.0 + SURELY * 0.5 * OF_VARIANCE / np.sqrt(len(standard)))
        channel = np.where(loud, spread, 1.0).astype(np.float32) if loud.any() else None
        sigma = sigma if channel is None else sigma * channel
        cut = np.clip(residual / sigma, -FAR * usual, FAR * usual)
        lags = covariances(cut, sigma * root, slopes)
        if not lags:
            return replace(self, channel=channel)
        more = lags[0]  # noise that neighbours share does not show in their difference
        memory = tuple(lag / more for lag in lags)
        scaled = {"gain": self.gain * more, "usual": self.usual * more, "kept": self.kept / more, "level": self.level / more}
        return replace(self, memory=memory, channel=channel, **scaled)

    def variance(self, residual: NDArray[np.floating], fitted: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of every channel, (pixel, n) counts^2; a pixel whose residual is far from usual noise is believed all the same."""
        excess, error = self._excess(np.diff(residual, axis=1), fitted)
        trust = np.where(np.abs(excess) > UNLIKE * error, 1.0, self.trust).astype(np.float32)
        usual = np.float32(self.usual)
        least = np.float32(LEAST) * usual + np.finfo(np.float32).tiny
        variance = np.maximum(usual + trust * excess / np.float32(self.kept), least)[:, None]
        return self._of_channels(variance, fitted)

    def usual_variance(self, fitted: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of every channel of pixels as noisy as usual, (pixel, n) counts^2."""
        return self._of_channels(np.full((len(fitted), 1), self.usual, dtype=np.float32), fitted)

    def _of_channels(self, constant: NDArray[np.floating], fitted: NDArray[np.float32]) -> NDArray[np.float32]:
        """Variance (pixel, n) for each pixel's constant (pixel, 1)."""
        gain = np.float32(self.gain)
        variance = constant + gain * np.maximum(fitted, np.float32(0.0)) if gain else np.broadcast_to(constant, fitted.shape)
        return np.asarray(variance if self.channel is None else variance * self.channel**2, dtype=np.float32)

    def _excess(self, difference: NDArray[np.floating], fitted: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(pixel,) by how much the constant seen in differences exceeds the usual one, and the error of that, counts^2.

        Channels count by how well they know it: those under a line, whose shot noise is large, hardly.
        """
        many, usual = difference.shape[1], np.float32(self.kept * self.usual)
        if not self.gain:
            own = _mean_square(difference) * np.float32(0.5)
            # The mean square of differences, which share channels, has 3 / n of its square as its variance, not 2 / n.
            return own - usual, np.maximum(own, usual) * np.float32(np.sqrt(3.0 / many))
        lit = np.maximum(fitted, np.float32(0.0))
        expected = usual + np.float32(0.5 * self.gain * self.level) * (lit[:, 1:] + lit[:, :-1])
        inverse: NDArray[np.float32] = np.reciprocal(expected, dtype=np.float32)
        weight = np.einsum("bn,bn->b", inverse, inverse)
        excess = (np.float32(0.5 * many) * _mean_square(difference * inverse) - inverse.sum(axis=1)) / weight
        return excess, np.sqrt(3 / weight) * np.maximum(1 + excess / usual, np.float32(1.0))

    @property
    def flat(self) -> bool:
        """Whether all channels of a pixel are equally noisy."""
        return self.gain == 0 and self.channel is None

    @property
    def freedom(self) -> float:
        """Degrees of freedom, per channel, that a pixel's noise is known with."""
        return 2.0 / 3.0 / max(self.trust, 1e-3) ** 2


def _trust(away: NDArray[np.floating], error: NDArray[np.floating]) -> float:
    """Weight of pixels' own constants by how far these are from the usual one (pixel,), over what chance makes of that."""
    scatter = float(robust_sigma(away / np.maximum(error, 1e-30))) ** 2
    # As large as the scatter may be by chance counts as chance: own constants must be clearly different to be believed.
    surely = scatter / (1.0 + OF_VARIANCE / np.sqrt(len(away)))
    # James and Stein: the share of a scatter that is more than the errors is the weight of one's own.
    return float(np.clip(1.0 - 1.0 / max(surely, 1e-300), 0.0, 1.0))


def _mean_square(difference: NDArray[np.floating]) -> NDArray[np.floating]:
    """(pixel,) mean square of (pixel, m), without the two largest where one stands out: a spike must not be its own yardstick."""
    many = difference.shape[1]
    total, highest = np.einsum("bn,bn->b", difference, difference), np.maximum(difference.max(axis=1), -difference.min(axis=1)) ** 2
    mean = total / np.float32(many)
    rows = np.flatnonzero(highest * many > LONE**2 * np.maximum(total - 2 * highest, 0.0)) if many > 4 else np.empty(0, dtype=np.intp)
    if len(rows):
        # A spike in one channel stands in two differences.
        mean[rows] = (total[rows] - np.partition(difference[rows] ** 2, -2, axis=1)[:, -2:].sum(axis=1)) / np.float32(many - 2)
    return np.asarray(mean)


def _in_pairs(many: int, pairs: int) -> NDArray[np.intp]:
    """So many pixels, evenly taken, and the one after each; the last one, too, where their number is odd."""
    first = 2 * all_over(many // 2, pairs)
    return np.concatenate([np.stack([first, first + 1], axis=1).ravel(), np.arange(many - many % 2, many)])


def without_common(residual: NDArray[np.floating]) -> NDArray[np.floating]:
    """Residuals (pixel, n) without the patterns that they share by more than chance: misfits, not noise; two and two are neighbours."""
    pixels, n = residual.shape
    if pixels < FEW:
        return residual
    for _ in range(AGAIN):
        least = max(1e-9 * float(np.abs(residual).max()), 1e-30)  # squares of more would be beyond single precision
        standard = residual / np.maximum(robust_sigma(np.diff(residual, axis=1), axis=1), least).astype(np.float32)[:, None]
        white = float(robust_sigma(standard)) ** 2
        chance = (1 + np.sqrt(n / pixels)) ** 2 * white  # largest variance of white noise: Marchenko and Pastur
        variance, patterns = _strongest(standard, COMMON * chance)
        slow = (patterns[:, 1:] * patterns[:, :-1]).sum(axis=1) > SLOW  # channels that are just noisier come out one by one
        shared = patterns[(variance > COMMON * chance) & slow & _alike(standard @ patterns.T)]
        residual = residual - (residual @ shared.T) @ shared
        if len(shared) < MOST:
            break
    return residual


def _alike(has: NDArray[np.floating]) -> NDArray[np.bool_]:
    """(pattern,) whether pixels, or pixels beside one another, have a pattern (pixel, pattern) alike; smoothed noise is slow as well."""
    power = np.maximum((has**2).mean(axis=0), 1e-30)
    one, other = has[: len(has) // 2 * 2 : 2], has[1::2]
    along = 2 * (one * other).sum(axis=0) / np.maximum((one**2 + other**2).sum(axis=0), 1e-30)
    return np.asarray((has.mean(axis=0) ** 2 > ALIKE * power) | (along > max(BESIDE, CHANCE / np.sqrt(len(one)))))


def _strongest(standard: NDArray[np.floating], least: float) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Variances and patterns (k, n) of length 1 of what rows (pixel, n) share most, at most `MOST`; none where none has a variance."""
    tall = len(standard) > standard.shape[1]
    products = standard.T @ standard if tall else standard @ standard.T
    if _at_most(products) < least * len(standard):
        return np.empty(0, dtype=np.float32), np.empty((0, standard.shape[1]), dtype=np.float32)
    power, found = (part[..., -MOST:] for part in np.linalg.eigh(products))
    patterns = found.T if tall else found.T @ standard / np.sqrt(np.maximum(power, 1e-30))[:, None]
    return power / len(standard), patterns


def _at_most(products: NDArray[np.floating]) -> float:
    """What the largest eigenvalue of a symmetric matrix cannot exceed: the size of its eighth power, which is hardly more."""
    scale = float(np.linalg.norm(products))
    if not scale:
        return 0.0
    power = products / scale
    for _ in range(3):
        power = power @ power
    return scale * float(np.linalg.norm(power) ** 0.125)


def _nearly_sorted(values: NDArray[np.float32]) -> NDArray[np.intp]:
    """Order of values that are not negative, to 1 % of themselves: sorted by half of their bits, which takes a tenth of the time."""
    return np.argsort((values.view(np.uint32) >> 16).astype(np.uint16), kind="stable")


def _line(deviation: NDArray[np.floating], level: NDArray[np.float32]) -> tuple[float, float]:
    """Slope of the noise's variance against the signal, 0 where the deviations do not show one, and the variance without signal.

    Notes
    -----
    Lines may fill few channels, so classes of level hold equal numbers of samples *or* equal shares of all signal, whichever is less.
    """
    order = _nearly_sorted(level)
    level, deviation = level[order], deviation[order]
    signal, shares = np.cumsum(level, dtype=np.float64), np.linspace(0, 1, CLASSES + 1)
    edges = np.unique(np.concatenate([shares * len(level), np.searchsorted(signal, shares * signal[-1])]).astype(np.intp))
    parts = [slice(a, b) for a, b in pairwise(edges) if b - a >= FEWEST]
    if len(parts) < 3:
        return 0.0, float(robust_sigma(deviation)) ** 2
    at = np.array([float(level[part].mean()) for part in parts])
    many = np.array([part.stop - part.start for part in parts])
    variance = np.array([float(robust_sigma(deviation[part])) ** 2 for part in parts])
    fitted = np.full(len(parts), float(np.median(variance)))
    for _ in range(4):
        # A variance is known to a share of itself: classes count by how many, over the square of what is fitted there, round by round.
        weight = many / np.maximum(fitted, 1e-150) ** 2
        away = at - np.average(at, weights=weight)
        spread = float((weight * away**2).sum())
        slope = float((weight * away * variance).sum()) / max(spread, 1e-300)
        level_of = float(np.average(variance, weights=weight))
        fitted = np.maximum(level_of + slope * away, 0.1 * level_of)
    if slope * np.sqrt(spread) > CERTAIN * OF_VARIANCE:
        return slope, level_of - slope * float(np.average(at, weights=weight))
    return 0.0, float(robust_sigma(deviation)) ** 2


def _left(slopes: Slopes) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Variance that the fit leaves in differences of neighbouring residuals, for noise of variance one, and of the fitted signal.

    Returns
    -------
    two (pixel, n - 1)
    """
    share, level = (np.empty((len(slopes.fitted), slopes.fitted.shape[1] - 1), dtype=np.float32) for _ in range(2))
    for first in range(0, len(share), AT_ONCE):
        some = slice(first, first + AT_ONCE)
        rows, inverse = slopes.scaled(some)
        signal = np.maximum(slopes.fitted[some], np.float32(0.0))
        turned = inverse @ rows
        lit = ((rows * signal[:, None]) @ np.swapaxes(rows, 1, 2)) @ turned
        own, across = _beside(rows, turned)  # what a fit follows of a channel's noise, and of that of the next one
        share[some] = 1.0 - (0.5 * (own[:, 1:] + own[:, :-1]) - across)
        own_lit, across_lit = _beside(turned, lit)
        change = signal[:, 1:] * (own[:, 1:] - across) + signal[:, :-1] * (own[:, :-1] - across)
        level[some] = 0.5 * (signal[:, 1:] + signal[:, :-1] + own_lit[:, 1:] + own_lit[:, :-1]) - across_lit - change
    # A channel that the fit follows nearly whole says nothing of the noise: a small share would only blow it up.
    return np.maximum(share, np.float32(0.05)), np.maximum(level, np.float32(0.0))


def _beside(one: NDArray[np.float32], other: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Scalar products of columns (pixel, m, n) of two arrays: of one channel, (pixel, n), and of one and the next, (pixel, n - 1)."""
    return np.einsum("bmn,bmn->bn", one, other), np.einsum("bmn,bmn->bn", one[..., 1:], other[..., :-1])

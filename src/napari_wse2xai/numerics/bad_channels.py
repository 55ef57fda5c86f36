"""Channels that tell nothing in any pixel: without a value, stuck, hot or dull; what all spectra show in one channel, and no light can."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.noise import median, robust_sigma

Values = NDArray[np.float64]
Bools = NDArray[np.bool_]
FEWEST = 8
"""Spectra below which nothing is said of channels."""
MISSING = 0.95
"""Share of the measured spectra without a value from which a channel has none."""
SURE, ROUGH = 20.0, 0.08
"""Errors by which a channel must stand out of its neighbours in the mean of all spectra; and share of that by which these may differ from a
smooth curve: beside a line of one channel's width they already do by 0.16."""
WIDEST, SIDE = 3, 3
"""Most channels side by side that are hot together, and channels to either side that tell what is expected there."""
STEADY = 0.7
"""Share of what stands out in bright spectra that dark ones must show too: of a line they show less."""
SMOOTH, LEVEL = 0.02, 0.5
"""The same as `ROUGH` where two or three channels are hot, which are less unlike a line; and share of the highest that each must reach."""
MOST = 0.05
"""Share of all channels from which it is the spectra that are rough."""
CUT = 4.0
"""Standard deviations at which single spectra are cut off in means."""


@dataclass(frozen=True)
class Bad:
    """(n,) True in channels that tell nothing."""

    missing: Bools
    stuck: Bools
    hot: Bools
    dull: Bools

    @property
    def any(self) -> Bools:
        """(n,) whatever the reason."""
        return self.missing | self.stuck | self.hot | self.dull


def find(spectra: NDArray[np.float32]) -> Bad:
    """Find what is wrong with channels in nearly all of some spectra.

    Parameters
    ----------
    spectra : (m, n) counts, some hundred from all over a map; NaN where nothing was measured

    Notes
    -----
    A channel is hot or dull where the mean spectrum stands out there in one to three channels beside which it is smooth, and does so in
    dark pixels as in bright ones.  Light that fills a single channel of a spectrometer is not known.
    """
    measured = spectra[np.isfinite(spectra).mean(axis=1) > 0.5]
    n = spectra.shape[1]
    nothing = np.zeros(n, dtype=bool)
    if len(measured) < FEWEST or n < 2 * SIDE + WIDEST + 2:
        return Bad(nothing, nothing, nothing, nothing)
    missing = np.isnan(measured).mean(axis=0) > MISSING
    good = np.flatnonzero(~missing)
    whole = measured[:, good]
    whole = whole[np.isfinite(whole).all(axis=1)]
    if len(whole) < FEWEST or len(good) < 2 * SIDE + WIDEST + 2:
        return Bad(missing, nothing, nothing, nothing)
    stuck, hot, dull = nothing.copy(), nothing.copy(), nothing.copy()
    ordered = _ordered(whole)
    stuck[good] = _stuck(ordered)
    hot[good], dull[good] = _standing_out(whole, _middle(ordered))
    return Bad(missing, stuck & ~hot & ~dull, hot, dull)


def _ordered(spectra: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, m) values of every channel of some spectra (m, n), rising."""
    return np.sort(np.ascontiguousarray(spectra.T), axis=1)


def _middle(ordered: NDArray[np.float32]) -> Values:
    """(n,) medians of rising values (n, m)."""
    many = ordered.shape[1]
    return np.asarray(0.5 * (ordered[:, (many - 1) // 2].astype(np.float64) + ordered[:, many // 2]))


def _stuck(ordered: NDArray[np.float32]) -> Bools:
    """(n,) channels whose value never changes although those beside them do."""
    low, high = 0.1 * (ordered.shape[1] - 1), 0.9 * (ordered.shape[1] - 1)
    spread = ordered[:, int(np.ceil(high))] - ordered[:, int(low)]
    # Two channels on, for what sits on one channel may reach the next; the lower of both, lest a line's flank convicts a quiet channel.
    beside = np.minimum(np.roll(spread, 2), np.roll(spread, -2))
    still = (spread == 0) & (beside > 0)
    return still if still.mean() < MOST else np.zeros_like(still)


def _standing_out(spectra: NDArray[np.float32], middle: Values) -> tuple[Bools, Bools]:
    """(n,) channels that are higher, and those that are lower, in all spectra than those beside them lead to expect."""
    light = spectra.mean(axis=1, dtype=np.float64)
    order = np.argsort(light)
    # A hot channel is as high in the dark third as in the bright one; a line is not.
    third = max(len(order) // 3, 3)
    parts = [spectra, spectra[order[:third]], spectra[order[-third:]]]
    typical = np.stack([middle, *(_middle(_ordered(part)) for part in parts[1:])])
    result = {1: np.zeros(spectra.shape[1], dtype=bool), -1: np.zeros(spectra.shape[1], dtype=bool)}
    for width in range(1, WIDEST + 1):
        for at, sign in _candidates(typical, width):
            near = result[1] | result[-1]
            if not near[max(at - SIDE, 0) : at + width + SIDE].any() and _sure(parts, at, width, sign):
                result[sign][at : at + width] = True
    few = {sign: flags if flags.mean() < MOST else np.zeros_like(flags) for sign, flags in result.items()}
    return few[1], few[-1]


@cache
def _curve(width: int) -> tuple[Values, Values]:
    """Matrices that give a parabola through three channels to either side of a run: on the run, (width, 6), and on themselves, (6, 6)."""
    far = 0.5 * (width - 1) + np.arange(1, SIDE + 1)
    beside, inside = np.concatenate([-far[::-1], far]), np.arange(width) - 0.5 * (width - 1)
    inverse = np.linalg.pinv(np.vander(beside, 3))
    return np.vander(inside, 3) @ inverse, np.vander(beside, 3) @ inverse


def _cut_out(spectra: Values, first: NDArray[np.intp], width: int) -> tuple[Values, Values]:
    """Runs (..., k, width) of channels, and the three channels to either side of them, (..., k, 6)."""
    outer = np.concatenate([np.arange(-SIDE, 0), np.arange(width, width + SIDE)])
    return spectra[..., first[:, None] + np.arange(width)], spectra[..., first[:, None] + outer]


def _candidates(typical: Values, width: int) -> Iterator[tuple[int, int]]:
    """First channels of runs that stand out alike in typical spectra (all, dark, bright), the highest first, and whether up or down."""
    first = np.arange(SIDE, typical.shape[1] - SIDE - width + 1)
    inner, outer = _cut_out(typical, first, width)
    on_run, on_sides = _curve(width)
    expected = outer @ on_run.T
    excess = inner - expected
    rough = np.abs(outer - outer @ on_sides.T).max(axis=(0, 2))
    share = np.clip(expected[1] / np.where(expected[2] == 0, np.inf, expected[2]), 0.0, 1.0).min(axis=1)
    for sign in (1, -1):
        height = (sign * excess).min(axis=(0, 2))
        steady = (sign * excess[1]).min(axis=1) > STEADY * share * (sign * excess[2]).max(axis=1)
        even = height > (LEVEL if width > 1 else 0.0) * (sign * excess).max(axis=(0, 2))
        found = np.flatnonzero((height > rough / (SMOOTH if width > 1 else ROUGH)) & (height > 0) & steady & even)
        yield from ((int(first[k]), sign) for k in found[np.argsort(-height[found])])


def _sure(parts: list[NDArray[np.float32]], at: int, width: int, sign: int) -> bool:
    """Whether a run stands out of its neighbours by far more than chance, in all spectra, in dark and in bright ones."""
    for spectra in parts:
        inner, outer = _cut_out(spectra[:, at - SIDE : at + width + SIDE].astype(np.float64), np.array([SIDE]), width)
        each = (sign * (inner - outer @ _curve(width)[0].T))[:, 0]
        middle = median(each, axis=0)
        sigma = robust_sigma(each - middle, axis=0)
        mean = np.clip(each, middle - CUT * sigma, middle + CUT * sigma).mean(axis=0)
        if (mean < SURE * np.maximum(sigma, np.std(each, axis=0) / CUT) / np.sqrt(len(each))).any():
            return False
    return True

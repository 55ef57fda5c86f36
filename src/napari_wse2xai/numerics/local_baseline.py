"""Spectra of a window above their local baseline, and without whatever is as slow as a curve."""

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.noise import median

Values = NDArray[np.float64]
Counts = NDArray[np.floating]
ENDS = 0.08
"""Share of the window's channels at either end through which its local baseline goes."""
BEYOND, CUT = 20.0, 6.0
"""How many times the channels beside it, plus so many standard deviations, a channel may be: above is a cosmic ray."""
LEVEL, STRAIGHT, CURVED = 0, 1, 3
"""Degree of the polynomial that is no light: where a window cuts luminescence off, of the local baseline, and where light as smooth as a
curve, of fluorescence, varies most."""
HALF, CLEAR = 0.5, 10.0
"""Share of a difference that must be light, and noise standard deviations from which it is no chance that dark spectra lack it."""
NO_LIGHT, CUT_OFF, WIDE = 0.1, (0.15, 0.98), 0.5
"""Shares of the top of what bright spectra have more of: up to which one end has none, and from which to which the other is cut off; and of
the window, over which fluorescence reaches half of its top."""
LEAST_NOISE = 1e-30
"""Counts; of spectra in which nothing changes."""


def above_baseline(spectra: Counts, at: Counts, degree: int = STRAIGHT) -> Values:
    """Spectra (..., n) without the straight line through their ends, or the level of the lower one; channels lie at (n,) along the axis."""
    n = spectra.shape[-1]
    few = few_of(n)
    left, right = (median(spectra[..., part], axis=-1)[..., None] for part in (slice(None, few), slice(n - few, None)))
    if degree == LEVEL:
        return np.asarray(spectra - np.minimum(left, right))
    first, last = at[:few].mean(), at[n - few :].mean()
    return np.asarray(spectra - left - (right - left) * (at - first) / max(last - first, 1.0 / n))


def few_of(n: int) -> int:
    """How many of n channels are an end: three at least, that a single spike does not tilt the baseline; of short windows a quarter."""
    return max(min(3, n // 4), int(ENDS * n), 1)


def degree_beside(spectra: Counts) -> int | None:
    """Degree of what lies beside what bright spectra (m, n) have more of than dark ones, where that ends at an end of the window, or both.

    What ends at neither is more than an emission: fluorescence.
    """
    light, few = spectra.mean(axis=1), few_of(spectra.shape[1])
    bright, dark = (np.median(spectra[which], axis=0) for which in (light >= np.percentile(light, 95), light <= np.percentile(light, 25)))
    more = np.convolve(np.pad(bright - dark, few // 2, mode="edge"), np.full(few, 1 / few), "valid")
    more /= max(float(more.max()), LEAST_NOISE)
    more = more if more[-1] > more[0] else more[::-1]
    width, away = float((more > HALF).mean()), 1.0 - float(more.argmax()) / len(more)
    if not -NO_LIGHT < more[0] < NO_LIGHT or width > WIDE or more.min() < -CUT_OFF[0]:
        return None
    if more[-1] < NO_LIGHT:
        return STRAIGHT
    return LEVEL if CUT_OFF[0] < more[-1] < CUT_OFF[1] and away < width else None


def rough_light(spectra: Counts, at: Values) -> Values:
    """(...,) mean of each spectrum above its local baseline, the 2 % highest channels left out: a first guess."""
    lines = above_baseline(spectra, at)
    keep = lines.shape[-1] - (max(1, lines.shape[-1] // 50) if lines.shape[-1] > 4 else 0)
    return np.asarray(np.partition(lines, keep - 1, axis=-1)[..., :keep].mean(axis=-1))


def without_rays(lines: Values, noise: Values) -> Values:
    """Spectra (..., n) whose channels are cut off where those beside them are far lower: cosmic rays of one channel."""
    result, near = lines.copy(), np.maximum(lines[..., :-2], lines[..., 2:])
    highest = BEYOND * np.maximum(near, 0.0) + CUT * noise[..., None].astype(lines.dtype)
    np.minimum(lines[..., 1:-1], highest, out=result[..., 1:-1])
    return result


def beyond_known(spectra: Counts, noise: Values, at: Values, known: Values) -> Values:
    """Spectra (m, n) above their local baseline, rays cut off, without what is known to be no light where that is more than straight."""
    lines = without_rays(above_baseline(spectra, at, known.shape[1] - 1), noise)
    return without(lines, known) if is_bent(known) else lines


def without_curve(spectrum: Values, degree: int, at: Values) -> Values:
    """Spectra (..., n), whose channels lie at (n,) along the axis, without their best polynomials."""
    return without(spectrum, curves(at, degree))


def without(spectra: Values, basis: Values) -> Values:
    """Spectra (..., n) without the best combination of some orthonormal columns (n, b)."""
    return np.asarray(spectra - (spectra @ basis) @ basis.T)


def curves(at: Values, degree: int) -> Values:
    """(n, degree + 1) orthonormal polynomials; Legendre's, for powers of a degree above 20 are all alike to a computer."""
    return np.asarray(np.linalg.qr(np.polynomial.legendre.legvander(at, degree))[0])


def is_bent(known: Values) -> bool:
    """Whether orthonormal columns (n, b) are more than a level and a slope."""
    return len(known.T) > STRAIGHT + 1

"""Light of the lines in a window: what bright spectra have more of than dark ones, above a local baseline."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.noise import MAD_TO_SIGMA, channel_sigma

Values = NDArray[np.float64]
Counts = NDArray[np.floating]
ENDS = 0.08
"""Share of the window's channels at either end through which its local baseline goes."""
BRIGHT, DARK = 0.5, 0.25
"""Shares of the brightest tenth's light from which, and up to which, a spectrum shows what bright and dark ones have in common."""
FEWEST = 3
"""Spectra that a typical one is taken from, at least."""
ROUNDS = 4
BEYOND, CUT = 20.0, 6.0
"""How many times the channels beside it, plus so many standard deviations, a channel may be: above is a cosmic ray."""
CERTAIN, SECOND = 4.0, 8.0
"""Noise standard deviations of a single spectrum from which lines are there, and from which there are others besides."""
HALF, CLEAR = 0.5, 10.0
"""Share of a difference that must be light, and noise standard deviations from which it is no chance that dark spectra lack it."""
A_THIRD, VISIBLE = 1 / 3, 5.0
"""Share of what bright spectra show, and noise standard deviations, from which dark spectra show the lines themselves."""
LIKE = 0.25
"""How often dark spectra may have the lines for more or less of them to be no light: a bright strip of the substrate."""


def above_baseline(spectra: Counts) -> Values:
    """Spectra (..., n) without the straight line through their ends."""
    n = spectra.shape[-1]
    few = max(min(3, n // 4), int(ENDS * n), 1)
    channel = np.arange(n, dtype=np.float64)
    left, right = (np.median(spectra[..., part], axis=-1)[..., None] for part in (slice(None, few), slice(n - few, None)))
    first, last = channel[:few].mean(), channel[n - few :].mean()
    return np.asarray(spectra - left - (right - left) * (channel - first) / max(last - first, 1.0))


def rough_light(spectra: Counts) -> Values:
    """(...,) mean of each spectrum above its local baseline, the 2 % highest channels left out: a first guess."""
    lines = above_baseline(spectra)
    keep = lines.shape[-1] - (max(1, lines.shape[-1] // 50) if lines.shape[-1] > 4 else 0)
    return np.asarray(np.partition(lines, keep - 1, axis=-1)[..., :keep].mean(axis=-1))


def without_rays(lines: Values, noise: Values) -> Values:
    """Spectra (..., n) whose channels are cut off where those beside them are far lower: cosmic rays of one channel."""
    result = lines.copy()
    near = np.maximum(lines[..., :-2], lines[..., 2:])
    result[..., 1:-1] = np.minimum(lines[..., 1:-1], BEYOND * np.maximum(near, 0.0) + CUT * noise[..., None])
    return result


@dataclass(frozen=True)
class Pattern:
    """What bright spectra of a map have more of than dark ones: one or two spectra of lines."""

    lines: Values
    """(q, n) counts above the local baseline, q at most 2: a second where other pixels shine elsewhere in the window."""
    dark: Values
    """(n,) what dark spectra have, counts above their local baseline."""
    contrast: float
    """Standard deviations by which the first stands out of the noise of a single spectrum."""
    noise: float
    """Of a channel of a typical spectrum, counts."""

    @classmethod
    def of(cls, spectra: Counts) -> "Pattern":
        """Learn from spectra (m, n) all over a map, by turns which are bright and what these have in common."""
        noise = np.maximum(channel_sigma(spectra), 1e-300)
        lines = without_rays(above_baseline(spectra), noise)
        more, below, contrast = _learnt(lines, rough_light(spectra), noise)
        found = cls(more[None], below, contrast, float(np.median(noise)))
        if contrast < CERTAIN:
            return found
        rest = lines - (lines @ found._weights.T) @ found.lines
        other, _, certain = _learnt(rest, rest @ _smooth(rest / noise[:, None]), noise)
        if certain < SECOND or other.mean() <= 0 or not other.any():
            return found
        return cls(np.stack([more, other]), below, contrast, found.noise)

    def light(self, spectra: Counts) -> tuple[Values, Values]:
        """Mean counts of the lines in each spectrum (..., n), and one standard deviation of that by its own noise; two (...,)."""
        weight = self.lines.mean(axis=1) @ self._weights
        noise = np.maximum(channel_sigma(spectra), 1e-300)
        lines = without_rays(above_baseline(spectra), noise)
        return lines @ weight, noise * float(np.linalg.norm(weight))

    @property
    def _weights(self) -> Values:
        """(q, n) that give how often a spectrum has each of the lines, blind to level, slope and more or less of the dark spectrum."""
        n = self.lines.shape[1]
        bend = without_curve(self.dark, 1)
        held = abs(float(bend @ self.lines[0])) / max(float(self.lines[0] @ self.lines[0]), 1e-300)
        known = np.vander(np.linspace(-1, 1, n), 2).T
        columns = np.concatenate([self.lines, known, bend[None]] if held < LIKE else [self.lines, known])
        scale = np.maximum(np.linalg.norm(columns, axis=1, keepdims=True), 1e-300)
        return np.asarray((np.linalg.pinv((columns / scale).T, rcond=1e-6) / scale)[: len(self.lines)])

    @property
    def everywhere(self) -> bool:
        """Whether dark spectra clearly have what bright ones have, level, slope and bend apart."""
        dark, bright = without_curve(self.dark, 2), without_curve(self.dark + self.lines[0], 2)
        share = float(dark @ bright) / max(float(bright @ bright), 1e-300)
        more = without_curve(self.lines[0], 2)
        other = abs(float(dark @ more)) < LIKE * float(more @ more) and self.lines[0].sum() > HALF * np.abs(self.lines[0]).sum()
        return share > A_THIRD and float(np.linalg.norm(dark)) > VISIBLE * self.noise and not (other and self.contrast > CLEAR)


def _learnt(lines: Values, light: Values, noise: Values) -> tuple[Values, Values, float]:
    """What bright spectra (m, n) have more of than dark ones, what the dark ones have, and how clearly one shows the difference."""
    more, below, contrast = np.zeros(lines.shape[1]), np.zeros(lines.shape[1]), 0.0
    if len(lines) < 2 * FEWEST:
        return more, below, contrast
    for _ in range(ROUNDS):
        low, high = np.percentile(light, [1, 95])
        rank = light.argsort().argsort()
        bright = (light >= low + BRIGHT * (high - low)) | (rank >= len(rank) - FEWEST)
        dark = ((light <= low + DARK * (high - low)) | (rank < FEWEST)) & ~bright
        below = np.median(lines[dark], axis=0)
        more = np.median(lines[bright], axis=0) - below
        variance = sum(1.57 * float((noise[which] ** 2).mean()) / int(which.sum()) for which in (bright, dark))
        excess = float((without_curve(more, 1) ** 2).sum()) - len(more) * variance
        contrast = float(np.sqrt(max(excess, 0.0)) / np.median(noise))
        light = lines @ without_curve(more, 1)
    return more, below, contrast


def _smooth(lines: Values) -> Values:
    """(n,) first guess of what some spectra (m, n) have more of: the way in which they differ most, turned upwards."""
    centred = lines - np.median(lines, axis=0)
    reach = CUT * np.maximum(np.median(np.abs(centred)), 1e-300) * 1.5
    _, ways = np.linalg.eigh(np.clip(centred, -reach, reach).T @ np.clip(centred, -reach, reach))
    return np.asarray(ways[:, -1] * (1.0 if ways[:, -1].sum() >= 0 else -1.0))


def without_curve(spectrum: Values, degree: int) -> Values:
    """Spectrum (n,) without its best polynomial."""
    basis = np.linalg.qr(np.vander(np.linspace(-1, 1, spectrum.shape[-1]), degree + 1))[0]
    return np.asarray(spectrum - (spectrum @ basis) @ basis.T)


def split(light: Values) -> float:
    """Value that parts light (m,) into a dark and a bright class, the variance between them greatest (Otsu 1979)."""
    values = np.sort(light)
    many = np.arange(1, len(values))
    below = np.cumsum(values)[:-1] / many
    above = (values.sum() - np.cumsum(values)[:-1]) / (len(values) - many)
    return float(values[1:][np.argmax(many * (len(values) - many) * (above - below) ** 2)]) if len(values) > 1 else float(values[0])


def spread(values: Values) -> float:
    """Standard deviation, the larger of the usual and the robust one: of a few values neither is safe."""
    robust = MAD_TO_SIGMA * float(np.median(np.abs(values - np.median(values))))
    return max(robust, float(np.std(values, ddof=1)) if len(values) > 1 else 0.0)

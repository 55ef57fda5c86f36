"""Light of the lines in a window: what bright spectra have more of than dark ones, above a local baseline."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.masking import Background
from napari_wse2xai.numerics.noise import MAD_TO_SIGMA, channel_sigma, robust_sigma

Values = NDArray[np.float64]
Counts = NDArray[np.floating]
ENDS = 0.08
"""Share of the window's channels at either end through which its local baseline goes."""
BRIGHT, DARK = 0.5, 0.25
"""Shares of the brightest tenth's light from which, and up to which, a spectrum shows what bright and dark ones have in common."""
FEWEST = 3
"""Spectra that a typical one is taken from, at least."""
FEW = 20
"""Rows of a product whose vectors are all found as soon as one."""
PIECE = 256
"""Spectra whose light is read off at a time: they stay in the processor's cache, which halves the time."""
ROUNDS = 4
"""Times that bright and dark spectra are chosen anew, by the difference that the last choice showed."""
BENDS = (40.0, 20.0, 10.0)
"""Shares of the window over which a pattern is asked which way it bends most."""
TOGETHER, WITHIN = 0.02, 6.0
"""Share of all spectra that lie together where there is no flake, and within how many noise standard deviations."""
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
STRAIGHT, CURVED = 1, 3
"""Degree of the polynomial that is no light: of the local baseline, and where light as smooth as a curve, of fluorescence, varies most."""
SMOOTH = 0.5
"""Share of a pattern beyond a curve below which it is mostly that."""
FAINTEST, FAINT, SAME = 0.01, 0.08, 0.7
"""Share of all spectra that are the faintest; of bright spectra's lines that these show, and likeness of what bright ones have more of to
what dark ones have, from which a film covers the scan, thin in places."""


def above_baseline(spectra: Counts) -> Values:
    """Spectra (..., n) without the straight line through their ends."""
    n = spectra.shape[-1]
    # Three channels at least, that a single spike does not tilt the baseline; of short windows a quarter.
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


CHANCE = 1.65
"""Variance of the logarithm of the noise that n channels show by their differences, times n."""
LEAST_NOISE = 1e-30
"""Counts; of spectra in which nothing changes."""


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
    degree: int = STRAIGHT
    """Of the polynomial that every spectrum may have besides."""
    own_noise: float = 1.0
    """Share of a spectrum's own noise, seen in its channels, that is more than what so few channels show by chance."""
    smooth: bool = False
    """Whether it is no more than a curve, as fluorescence is."""
    thin: bool = False
    """Whether the faintest spectra show the lines too, and bright ones nothing but more of them."""

    @classmethod
    def of(cls, spectra: Counts) -> "Pattern":
        """Learn from spectra (m, n) all over a map; where a curve, fluorescence, varies most, from what stands out of it."""
        found = cls._of(spectra, STRAIGHT)
        more = found.lines[0]
        smooth = bool(np.linalg.norm(without_curve(more, CURVED)) < SMOOTH * np.linalg.norm(without_curve(more, STRAIGHT)))
        if not smooth and _upwards(more):
            return found
        beyond = cls._of(spectra, CURVED)
        return beyond if beyond.contrast > CERTAIN or beyond.everywhere else replace(found, smooth=smooth)

    @classmethod
    def _of(cls, spectra: Counts, degree: int) -> "Pattern":
        """Learn by turns which spectra are bright and what these have in common."""
        noise = np.maximum(channel_sigma(spectra), LEAST_NOISE)
        lines = _beyond(spectra, noise, degree)
        guess = rough_light(spectra) if degree == STRAIGHT else lines @ _way(lines / noise[:, None])
        more, below, contrast = _learnt(lines, guess, noise)
        thin = _shown_by_the_faintest(lines, noise, more, below)
        found = cls(more[None], below, contrast, float(np.median(noise)), degree, _own_share(noise, lines.shape[1]), thin=thin)
        if contrast < CERTAIN:
            return found
        rest = lines - (lines @ found._weights.T) @ found.lines
        other, _, certain = _learnt(rest, rest @ _smooth(rest / noise[:, None]), noise)
        if certain < SECOND or other.mean() <= 0 or not other.any():
            return found
        return replace(found, lines=np.stack([more, other]))

    def light(self, spectra: Counts) -> tuple[Values, Values]:
        """Mean counts of the lines in each spectrum (m, n), and one standard deviation of that by its own noise; two (m,)."""
        height = self.lines.mean(axis=1) - (self.lines.min(axis=1) if self.degree > STRAIGHT else 0.0)
        weight = height @ self._weights
        light, noise = np.empty(len(spectra)), np.empty(len(spectra))
        for first in range(0, len(spectra), PIECE):
            part = slice(first, first + PIECE)
            own = np.maximum(channel_sigma(spectra[part]), LEAST_NOISE)
            noise[part] = own**self.own_noise * self.noise ** (1.0 - self.own_noise)
            light[part] = _beyond(spectra[part], noise[part], self.degree) @ weight
        return light, noise * float(np.linalg.norm(weight))

    @property
    def _weights(self) -> Values:
        """(q, n) that give how often a spectrum has each of the lines, blind to level, slope and more or less of the dark spectrum."""
        n = self.lines.shape[1]
        bend = self._bend()
        held = abs(float(bend @ self.lines[0])) / max(float(self.lines[0] @ self.lines[0]), 1e-300)
        known = np.vander(np.linspace(-1, 1, n), self.degree + 1).T
        columns = np.concatenate([self.lines, known, bend[None]] if held < LIKE else [self.lines, known])
        scale = np.maximum(np.linalg.norm(columns, axis=1, keepdims=True), 1e-300)
        return np.asarray((np.linalg.pinv((columns / scale).T, rcond=1e-6) / scale)[: len(self.lines)])

    def _bend(self) -> Values:
        """(n,) the dark spectrum without level and slope, nor what it lacks of the lines because dark spectra were chosen for little of it.

        Blind to that, the light would be blind to half of the lines themselves.
        """
        bend, line = without_curve(self.dark, 1), without_curve(self.lines[0], 1)
        size = max(float(np.linalg.norm(line)), 1e-300)
        lacking = min(max(-float(bend @ line) / size, 0.0), self.noise)
        return bend + lacking * line / size

    @property
    def everywhere(self) -> bool:
        """Whether dark spectra clearly have what bright ones have, level, slope and bend apart."""
        dark, bright = without_curve(self.dark, 2), without_curve(self.dark + self.lines[0], 2)
        share = float(dark @ bright) / max(float(bright @ bright), 1e-300)
        more = without_curve(self.lines[0], 2)
        upwards = self.degree > STRAIGHT or self.lines[0].sum() > HALF * np.abs(self.lines[0]).sum()
        other = abs(float(dark @ more)) < LIKE * float(more @ more) and upwards
        visible = share > A_THIRD and float(np.linalg.norm(dark)) > VISIBLE * self.noise
        return self.thin or (visible and not (other and self.contrast > CLEAR))


def _own_share(noise: Values, channels: int) -> float:
    """How much of the differences between the noise of spectra (m,), logarithms, is not the chance of so many channels: 0 to 1."""
    spread = np.log(noise) - np.log(np.median(noise))
    variance = float(robust_sigma(spread)) ** 2
    return max(1.0 - CHANCE / channels / variance, 0.0) if variance > 0 else 0.0


def _learnt(lines: Values, light: Values, noise: Values) -> tuple[Values, Values, float]:
    """What bright spectra (m, n) have more of than dark ones, what the dark ones have, and how clearly one shows the difference."""
    more, below, contrast = np.zeros(lines.shape[1]), np.zeros(lines.shape[1]), 0.0
    if len(lines) < 2 * FEWEST:
        return more, below, contrast
    for _ in range(ROUNDS):
        if not np.ptp(light):  # nothing at all in most of the spectra
            break
        low, high = np.percentile(light, [1, 98])
        rank = light.argsort().argsort()
        bright = (light >= low + BRIGHT * (high - low)) | (rank >= len(rank) - FEWEST)
        dark = ((light <= low + DARK * (high - low)) | (rank < FEWEST)) & ~bright
        below = np.median(lines[dark], axis=0)
        more = np.median(lines[bright], axis=0) - below
        # A median has pi / 2 = 1.57 times the variance of a mean.
        variance = sum(1.57 * float((noise[which] ** 2).mean()) / int(which.sum()) for which in (bright, dark))
        # Noise alone has that square, on average: only what goes beyond it is a difference.
        excess = float((without_curve(more, 1) ** 2).sum()) - len(more) * variance
        contrast = float(np.sqrt(max(excess, 0.0)) / np.median(noise))
        light = lines @ without_curve(more, 1)
    return more, below, contrast


def _beyond(spectra: Counts, noise: Values, degree: int) -> Values:
    """Spectra (m, n) above their local baseline, rays cut off; of a higher degree without their best polynomial of it, too."""
    lines = without_rays(above_baseline(spectra), noise)
    return lines if degree == STRAIGHT else without_curve(lines, degree)


def _shown_by_the_faintest(lines: Values, noise: Values, more: Values, below: Values) -> bool:
    """Whether spectra (m, n) show, to the faintest, what the bright ones have, curves apart, and these nothing but more of it."""
    dark, extra = without_curve(below, CURVED), without_curve(more, CURVED)
    bright = dark + extra
    like = float(dark @ extra) / max(float(np.linalg.norm(dark) * np.linalg.norm(extra)), 1e-300)
    if like < SAME or len(lines) < 2 * FEWEST:
        return False
    shown = without_curve(lines, CURVED) @ bright / float(bright @ bright)
    usual = float(np.median(shown[shown >= np.median(shown)]))
    few = np.argsort(shown)[: max(FEWEST, int(FAINTEST * len(shown)))]
    error = float(np.sqrt(1.57 * np.mean(noise[few] ** 2) / len(few))) / float(np.linalg.norm(bright))
    faintest = float(np.median(shown[few]))
    return faintest > FAINT * usual and faintest > VISIBLE * error


def _way(lines: Values) -> Values:
    """(n,) way in which some spectra (m, n) differ most, its lines upwards."""
    way = _smooth(lines)
    return way if _upwards(way) else -way


def _upwards(spectrum: Values) -> bool:
    """Whether lines in a spectrum (n,) point upwards: one bends most at its top, whatever curve was taken off."""
    from scipy.ndimage import gaussian_filter1d

    scales = [len(spectrum) / share for share in BENDS]
    bends = [gaussian_filter1d(spectrum, scale, order=2) * scale**2 for scale in scales]
    return sum(float((bend**3).sum()) for bend in bends) <= 0


def _smooth(lines: Values) -> Values:
    """(n,) first guess of what some spectra (m, n) have more of: the way in which they differ most, turned upwards."""
    centred = lines - np.median(lines, axis=0)
    # 1.5 median deviations are about one standard deviation (1.4826 for normal noise).
    reach = CUT * np.maximum(np.median(np.abs(centred)), 1e-300) * 1.5
    way = first_direction(np.clip(centred, -reach, reach))
    return way if way.sum() >= 0 else -way


def first_direction(table: Values) -> Values:
    """(n,) unit vector along which the rows of a table (m, n) reach farthest from zero: its first right singular vector."""
    from scipy.sparse.linalg import ArpackError, eigsh

    across = table.shape[0] < table.shape[1]
    small = table @ table.T if across else table.T @ table
    if len(small) <= FEW or not small.any():
        first = np.linalg.eigh(small)[1][:, -1]
    else:  # one vector of the smaller product: all of them take ten times as long
        try:
            first = eigsh(small, k=1, v0=np.random.default_rng(0).standard_normal(len(small)), tol=1e-9)[1][:, 0]
        except ArpackError:  # many ways reach equally far, and it went round among them
            first = np.linalg.eigh(small)[1][:, -1]
    way = table.T @ first if across else first
    length = float(np.linalg.norm(way))
    return np.asarray(way / length if length else np.full(len(way), 1 / np.sqrt(len(way))))


def without_curve(spectrum: Values, degree: int) -> Values:
    """Spectra (..., n) without their best polynomials."""
    basis = np.linalg.qr(np.vander(np.linspace(-1, 1, spectrum.shape[-1]), degree + 1))[0]
    return np.asarray(spectrum - (spectrum @ basis) @ basis.T)


def floor(light: Values, noise: float) -> Background:
    """The lowest light (m,) at which many spectra lie as close as noise leaves them: those beside the flake, however bright the rest."""
    values = np.sort(light)
    few = min(max(FEWEST, int(TOGETHER * len(values))), len(values) - 1)
    wide = values[few:] - values[:-few]
    first = int(np.argmax(wide <= max(WITHIN * noise, float(wide.min()))))
    reach = values[first] + max(2 * WITHIN * noise, 2 * float(wide[first]))
    below = values[first:][values[first:] <= reach]
    middle = float(np.median(below))
    return Background("darkest pixels", middle, max(noise, MAD_TO_SIGMA * float(np.median(np.abs(below - middle)))))

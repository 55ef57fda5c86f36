"""Light of the lines in a window: what bright spectra have more of than dark ones, above a local baseline."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.masking import Background
from napari_wse2xai.numerics.noise import MAD_TO_SIGMA, channel_sigma, median, robust_sigma

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
LEVEL, STRAIGHT, CURVED = 0, 1, 3
"""Degree of the polynomial that is no light: where a window cuts luminescence off, of the local baseline, and where light as smooth as a
curve, of fluorescence, varies most."""
NO_LIGHT, CUT_OFF, WIDE = 0.1, (0.15, 0.98), 0.5
"""Shares of the top of what bright spectra have more of: up to which one end has none, and from which to which the other is cut off; and of
the window, over which fluorescence reaches half of its top."""
ALIKE, NEARLY = 0.9, 0.5
"""Correlation of what stands out of a straight line with what stands out of many bends, below which fluorescence is in the former; and
share of the former's contrast from which the latter is as good."""
ENOUGH = 1500
"""Spectra that narrow lines are learnt from besides, at most: half of the time for a whole axis goes into medians of so many."""
SMOOTH = 0.5
"""Share of a pattern beyond a curve below which it is mostly that."""
FAINTEST, FAINT, SAME = 0.01, 0.08, 0.7
"""Share of all spectra that are the faintest; of bright spectra's lines that these show, and likeness of what bright ones have more of to
what dark ones have, from which a film covers the scan, thin in places."""


def above_baseline(spectra: Counts, at: Counts, degree: int = STRAIGHT) -> Values:
    """Spectra (..., n) without the straight line through their ends, or the level of the lower one; channels lie at (n,) along the axis."""
    n = spectra.shape[-1]
    few = _few(n)
    left, right = (median(spectra[..., part], axis=-1)[..., None] for part in (slice(None, few), slice(n - few, None)))
    if degree == LEVEL:
        return np.asarray(spectra - np.minimum(left, right))
    first, last = at[:few].mean(), at[n - few :].mean()
    return np.asarray(spectra - left - (right - left) * (at - first) / max(last - first, 1.0 / n))


def _few(n: int) -> int:
    """How many of n channels are an end: three at least, that a single spike does not tilt the baseline; of short windows a quarter."""
    return max(min(3, n // 4), int(ENDS * n), 1)


def _degree_beside(spectra: Counts) -> int | None:
    """Degree of what lies beside what bright spectra (m, n) have more of than dark ones, where that ends at an end of the window, or both.

    What ends at neither is more than an emission: fluorescence.
    """
    light, few = spectra.mean(axis=1), _few(spectra.shape[1])
    bright, dark = (np.median(spectra[which], axis=0) for which in (light >= np.percentile(light, 95), light <= np.percentile(light, 25)))
    more = np.convolve(np.pad(bright - dark, few // 2, mode="edge"), np.full(few, 1 / few), "valid")
    more /= max(float(more.max()), LEAST_NOISE)
    more = more if more[-1] > more[0] else more[::-1]
    width, away = float((more > HALF).mean()), 1.0 - float(more.argmax()) / len(more)
    if not -NO_LIGHT < more[0] < NO_LIGHT or width > WIDE:
        return None
    if more[-1] < NO_LIGHT:
        return STRAIGHT
    return LEVEL if CUT_OFF[0] < more[-1] < CUT_OFF[1] and away < width else None


def rough_light(spectra: Counts, at: Values) -> Values:
    """(...,) mean of each spectrum above its local baseline, the 2 % highest channels left out: a first guess."""
    lines = above_baseline(spectra, at)
    keep = lines.shape[-1] - (max(1, lines.shape[-1] // 50) if lines.shape[-1] > 4 else 0)
    return np.asarray(np.partition(lines, keep - 1, axis=-1)[..., :keep].mean(axis=-1))


CHANCE = 1.65
"""Variance of the logarithm of the noise that n channels show by their differences, times n."""
LEAST_NOISE = 1e-30
"""Counts; of spectra in which nothing changes."""


def without_rays(lines: Values, noise: Values) -> Values:
    """Spectra (..., n) whose channels are cut off where those beside them are far lower: cosmic rays of one channel."""
    result, near = lines.copy(), np.maximum(lines[..., :-2], lines[..., 2:])
    highest = BEYOND * np.maximum(near, 0.0) + CUT * noise[..., None].astype(lines.dtype)
    np.minimum(lines[..., 1:-1], highest, out=result[..., 1:-1])
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
    at: Values
    """(n,) where the channels lie along the axis, -1 to 1: there may be gaps among them."""
    known: Values
    """(n, b) what every spectrum may have besides: orthonormal columns."""
    own_noise: float = 1.0
    """Share of a spectrum's own noise, seen in its channels, that is more than what so few channels show by chance."""
    smooth: bool = False
    """Whether it is no more than a curve, as fluorescence is."""
    thin: bool = False
    """Whether the faintest spectra show the lines too, and bright ones nothing but more of them."""

    @classmethod
    def of(cls, spectra: Counts, at: Values, slow: Values | None = None, *, glow: bool = False) -> "Pattern":
        """Learn from spectra (m, n) all over a map what bright ones have more of.

        Parameters
        ----------
        at : (n,) where the channels lie along the axis, -1 to 1
        slow : (n, b) what fluorescence and the laser's tail are made of, which bends too slowly for lines; None in a narrow window
        glow : whether it is luminescence, which a window may cut off: a straight line through both ends would take it for no light

        Notes
        -----
        In a wide window fluorescence and the laser's tail outshine the lines in most ways that spectra differ.  What stands out of
        `slow` is blind to both, but to broad bands too, so it is asked for where it is as clear, or where the other tells something else.
        """
        degree = _degree_beside(spectra) if glow else None
        if degree is not None:
            return cls._of(spectra, at, curves(at, degree))
        usual = cls._above_few_bends(spectra, at)
        if slow is None:
            return usual
        some = spectra[:: 1 + len(spectra) // ENOUGH]
        fine = cls._of(some, at, np.linalg.qr(slow)[0], narrow=True)
        return fine if fine._rather_than(usual, some) else usual

    @classmethod
    def _above_few_bends(cls, spectra: Counts, at: Values) -> "Pattern":
        """What stands out of a straight line, or, where a curve varies most, out of a curve."""
        found = cls._of(spectra, at, curves(at, STRAIGHT))
        more = found.lines[0]
        smooth = bool(np.linalg.norm(without_curve(more, CURVED, at)) < SMOOTH * np.linalg.norm(without_curve(more, STRAIGHT, at)))
        if not smooth and _upwards(more):
            return found
        beyond = cls._of(spectra, at, curves(at, CURVED))
        return beyond if beyond.contrast > CERTAIN or beyond.everywhere else replace(found, smooth=smooth)

    def _rather_than(self, usual: "Pattern", spectra: Counts) -> bool:
        """Whether this, of narrow lines only, is as clear as the usual pattern, or that has fluorescence in it."""
        if not _narrow(self.lines[0]):
            return False
        if self.contrast < SECOND:
            return self.contrast > VISIBLE and usual.everywhere
        if usual.smooth or usual.bent or self.contrast > max(2 * SECOND, NEARLY * usual.contrast):
            return True
        return bool(np.corrcoef(self.light(spectra)[0], usual.light(spectra)[0])[0, 1] < ALIKE)

    @classmethod
    def _of(cls, spectra: Counts, at: Values, known: Values, *, narrow: bool = False) -> "Pattern":
        """Learn by turns which spectra are bright and what these have in common, beyond what is known; of narrow lines only or of any."""
        noise = np.maximum(channel_sigma(spectra), LEAST_NOISE)
        lines = _beyond(spectra, noise, at, known)
        level = known.shape[1] == LEVEL + 1
        guess = lines.mean(axis=1) if level else lines @ _way(lines / noise[:, None]) if _is_bent(known) else rough_light(spectra, at)
        more, below, contrast = (_learnt_of_narrow if narrow else _learnt)(lines, guess, noise, at)
        thin = _shown_by_the_faintest(lines, noise, more, below, at)
        found = cls(more[None], below, contrast, float(np.median(noise)), at, known, _own_share(noise, lines.shape[1]), thin=thin)
        if contrast < CERTAIN:
            return found
        rest = lines - (lines @ found._weights.T) @ found.lines
        other, _, certain = _learnt(rest, rest @ _smooth(rest / noise[:, None]), noise, at)
        is_light = _is_other_place(other, more) if narrow else other.mean() > 0
        return replace(found, lines=np.stack([more, other])) if certain >= SECOND and is_light else found

    @property
    def bent(self) -> bool:
        """Whether every spectrum may have more than a straight line besides."""
        return _is_bent(self.known)

    def light(self, spectra: Counts) -> tuple[Values, Values]:
        """Mean counts of the lines in each spectrum (m, n), and one standard deviation of that by its own noise; two (m,)."""
        at = self.at.astype(spectra.dtype)  # single precision until the sum takes half of the time
        height = self.lines.mean(axis=1) - (self.lines.min(axis=1) if self.bent else 0.0)
        weight = height @ self._weights
        light, noise = np.empty(len(spectra)), np.empty(len(spectra))
        for first in range(0, len(spectra), PIECE):
            part = slice(first, first + PIECE)
            own = np.maximum(channel_sigma(spectra[part]), LEAST_NOISE)
            noise[part] = own**self.own_noise * self.noise ** (1.0 - self.own_noise)
            lines = above_baseline(spectra[part], at, self.known.shape[1] - 1)
            light[part] = without_rays(lines, noise[part]) @ weight  # blind to what is known
        return light, noise * float(np.linalg.norm(weight))

    @cached_property
    def _weights(self) -> Values:
        """(q, n) that give how often a spectrum has each of the lines, blind to level, slope and more or less of the dark spectrum."""
        bend = self._bend()
        held = abs(float(bend @ self.lines[0])) / max(float(self.lines[0] @ self.lines[0]), 1e-300)
        columns = np.concatenate([self.lines, self.known.T, bend[None]] if held < LIKE else [self.lines, self.known.T])
        scale = np.maximum(np.linalg.norm(columns, axis=1, keepdims=True), 1e-300)
        return np.asarray((np.linalg.pinv((columns / scale).T, rcond=1e-6) / scale)[: len(self.lines)])

    def _bend(self) -> Values:
        """(n,) the dark spectrum without level and slope, nor what it lacks of the lines because dark spectra were chosen for little of it.

        Blind to that, the light would be blind to half of the lines themselves.
        """
        bend, line = without_curve(self.dark, 1, self.at), without_curve(self.lines[0], 1, self.at)
        size = max(float(np.linalg.norm(line)), 1e-300)
        lacking = min(max(-float(bend @ line) / size, 0.0), self.noise)
        return bend + lacking * line / size

    @property
    def everywhere(self) -> bool:
        """Whether dark spectra clearly have what bright ones have, level, slope and bend apart."""
        dark, bright = without_curve(self.dark, 2, self.at), without_curve(self.dark + self.lines[0], 2, self.at)
        share = float(dark @ bright) / max(float(bright @ bright), 1e-300)
        more = without_curve(self.lines[0], 2, self.at)
        upwards = self.bent or self.lines[0].sum() > HALF * np.abs(self.lines[0]).sum()
        other = abs(float(dark @ more)) < LIKE * float(more @ more) and upwards
        visible = share > A_THIRD and float(np.linalg.norm(dark)) > VISIBLE * self.noise
        return self.thin or (visible and not (other and self.contrast > CLEAR))


def _own_share(noise: Values, channels: int) -> float:
    """How much of the differences between the noise of spectra (m,), logarithms, is not the chance of so many channels: 0 to 1."""
    spread = np.log(noise) - np.log(np.median(noise))
    variance = float(robust_sigma(spread)) ** 2
    return max(1.0 - CHANCE / channels / variance, 0.0) if variance > 0 else 0.0


def _learnt(lines: Values, light: Values, noise: Values, at: Values) -> tuple[Values, Values, float]:
    """What bright spectra (m, n) have more of than dark ones, what the dark ones have, and how clearly one shows the difference."""
    more, below, contrast = np.zeros(lines.shape[1]), np.zeros(lines.shape[1]), 0.0
    if len(lines) < 2 * FEWEST:
        return more, below, contrast
    before = None
    for _ in range(ROUNDS):
        if not np.ptp(light):  # nothing at all in most of the spectra
            break
        bright, dark = _bright_and_dark(light)
        if before is not None and np.array_equal(before, (bright, dark)):
            break
        before = (bright, dark)
        below = np.median(lines[dark], axis=0)
        more = np.median(lines[bright], axis=0) - below
        light = lines @ without_curve(more, 1, at)
    if before is not None:
        # A median has pi / 2 = 1.57 times the variance of a mean.
        variance = sum(1.57 * float((noise[which] ** 2).mean()) / int(which.sum()) for which in before)
        # Noise alone has that square, on average: only what goes beyond it is a difference.
        excess = float((without_curve(more, 1, at) ** 2).sum()) - len(more) * variance
        contrast = float(np.sqrt(max(excess, 0.0)) / np.median(noise))
    return more, below, contrast


def _bright_and_dark(light: Values) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which of (m,) spectra are near the brightest, and which near the darkest, some of each."""
    low, high = np.percentile(light, [1, 98])
    rank = light.argsort().argsort()
    bright = (light >= low + BRIGHT * (high - low)) | (rank >= len(rank) - FEWEST)
    return bright, ((light <= low + DARK * (high - low)) | (rank < FEWEST)) & ~bright


def _learnt_of_narrow(lines: Values, light: Values, noise: Values, at: Values) -> tuple[Values, Values, float]:
    """The same of narrow lines, which tell themselves which of the spectra are the bright ones."""
    more, below, contrast = _learnt(lines, light, noise, at)
    if contrast < SECOND:  # few pixels may be all that is bright, and those are found from their side only
        more, below, contrast = max(_learnt(lines, -light, noise, at), (more, below, contrast), key=lambda found: found[2])
    return (-more, below + more, contrast) if _narrow(-more) else (more, below, contrast)


def _is_other_place(other: Values, more: Values) -> bool:
    """Whether narrow lines (n,) are light of other places, not the first ones in other proportions."""
    return _narrow(other) and bool(np.abs(other) @ np.abs(more) < LIKE * np.linalg.norm(other) * np.linalg.norm(more))


def _narrow(lines: Values) -> bool:
    """Whether lines (n,) are narrow and high, and what lies between them wide and low."""
    return bool((lines**3).sum() > HALF * (np.abs(lines) ** 3).sum())


def _beyond(spectra: Counts, noise: Values, at: Values, known: Values) -> Values:
    """Spectra (m, n) above their local baseline, rays cut off, without what is known to be no light where that is more than straight."""
    lines = without_rays(above_baseline(spectra, at, known.shape[1] - 1), noise)
    return without(lines, known) if _is_bent(known) else lines


def _shown_by_the_faintest(lines: Values, noise: Values, more: Values, below: Values, at: Values) -> bool:
    """Whether spectra (m, n) show, to the faintest, what the bright ones have, curves apart, and these nothing but more of it."""
    dark, extra = without_curve(below, CURVED, at), without_curve(more, CURVED, at)
    bright = dark + extra
    like = float(dark @ extra) / max(float(np.linalg.norm(dark) * np.linalg.norm(extra)), 1e-300)
    if like < SAME or len(lines) < 2 * FEWEST:
        return False
    shown = without_curve(lines, CURVED, at) @ bright / float(bright @ bright)
    usual = float(np.median(shown[shown >= np.median(shown)]))
    few = np.argsort(shown)[: max(FEWEST, int(FAINTEST * len(shown)))]
    # 1.57 is pi / 2: the variance of a median over that of a mean.
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


def without_curve(spectrum: Values, degree: int, at: Values) -> Values:
    """Spectra (..., n), whose channels lie at (n,) along the axis, without their best polynomials."""
    return without(spectrum, curves(at, degree))


def without(spectra: Values, basis: Values) -> Values:
    """Spectra (..., n) without the best combination of some orthonormal columns (n, b)."""
    return np.asarray(spectra - (spectra @ basis) @ basis.T)


def curves(at: Values, degree: int) -> Values:
    """(n, degree + 1) orthonormal polynomials; Legendre's, for powers of a degree above 20 are all alike to a computer."""
    return np.asarray(np.linalg.qr(np.polynomial.legendre.legvander(at, degree))[0])


def _is_bent(known: Values) -> bool:
    return len(known.T) > STRAIGHT + 1


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

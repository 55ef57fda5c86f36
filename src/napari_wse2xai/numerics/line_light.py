"""Light of the lines in a window: what bright spectra have more of than dark ones, above a local baseline."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from napari_wse2xai.numerics import noise_memory
from napari_wse2xai.numerics.bright_spectra import (
    A_THIRD,
    CERTAIN,
    FEWEST,
    LIKE,
    SECOND,
    VISIBLE,
    is_narrow,
    is_other_place,
    learnt,
    learnt_of_narrow,
    likeness,
    shown_by_the_faintest,
    smooth_way,
    upwards,
    way,
)
from napari_wse2xai.numerics.local_baseline import (
    CURVED,
    HALF,
    LEAST_NOISE,
    LEVEL,
    STRAIGHT,
    Counts,
    Values,
    above_baseline,
    beyond_known,
    curves,
    degree_beside,
    is_bent,
    rough_light,
    without_curve,
    without_rays,
)
from napari_wse2xai.numerics.masking import Background
from napari_wse2xai.numerics.noise import MAD_TO_SIGMA, channel_sigma, robust_sigma
from napari_wse2xai.numerics.noise_memory import WHITE, Memory

PIECE = 256
"""Spectra whose light is read off at a time: they stay in the processor's cache, which halves the time."""
TOGETHER, WITHIN = 0.02, 6.0
"""Share of all spectra that lie together where there is no flake, and within how many noise standard deviations."""
CLEAR = 10.0
"""Noise standard deviations from which it is no chance that dark spectra lack it."""
ALIKE, NEARLY = 0.9, 0.5
"""Correlation of what stands out of a straight line with what stands out of many bends, below which fluorescence is in the former; and
share of the former's contrast from which the latter is as good."""
ENOUGH = 1500
"""Spectra that narrow lines are learnt from besides, at most: half of the time for a whole axis goes into medians of so many."""
SAME_LINES = 0.9
"""Correlation of what dark spectra have with the lines from which it is a little of them: nothing could be blind to that and see these."""
SMOOTH = 0.5
"""Share of a pattern beyond a curve below which it is mostly that."""
CHANCE = 1.65
"""Variance of the logarithm of the noise that n channels show by their differences, times n."""


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
    glows: bool = False
    """Whether the second is a curve: fluorescence, of which some spectra have more wherever they lie, and which is no light."""
    memory: Memory = WHITE
    """How the noise goes on along the channels."""

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
        degree = degree_beside(spectra) if glow else None
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
        if not smooth and upwards(more):
            return found
        beyond = cls._of(spectra, at, curves(at, CURVED))
        return beyond if beyond.contrast > CERTAIN or beyond.everywhere else replace(found, smooth=smooth)

    def _rather_than(self, usual: "Pattern", spectra: Counts) -> bool:
        """Whether this, of narrow lines only, is as clear as the usual pattern, or that has fluorescence in it."""
        if not is_narrow(self.lines[0]):
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
        lines = beyond_known(spectra, noise, at, known)
        level = known.shape[1] == LEVEL + 1
        guess = lines.mean(axis=1) if level else lines @ way(lines / noise[:, None]) if is_bent(known) else rough_light(spectra, at)
        memory = noise_memory.among(lines[guess <= np.median(guess)], noise[guess <= np.median(guess)])
        noise *= memory.size
        more, below, contrast = (learnt_of_narrow if narrow else learnt)(lines, guess, noise, at)
        thin = shown_by_the_faintest(lines, noise, more, below, at)
        own = _own_share(noise, lines.shape[1])
        found = cls(more[None], below, contrast, float(np.median(noise)), at, known, own, thin=thin, memory=memory)
        if contrast < CERTAIN:
            return found
        rest = lines - (lines @ found._weights.T) @ found.lines
        other, _, certain = learnt(rest, rest @ smooth_way(rest / noise[:, None]), noise, at)
        if certain < SECOND:
            return found
        glow = None if narrow else curve_among(np.stack([more, other]), at)
        if glow is not None and is_beside(glow, more, lines, noise):
            return replace(found, lines=np.stack([more, glow]), glows=True)
        is_light = is_other_place(other, more) if narrow else other.mean() > 0
        return replace(found, lines=np.stack([more, other])) if is_light else found

    @property
    def bent(self) -> bool:
        """Whether every spectrum may have more than a straight line besides."""
        return is_bent(self.known)

    def light(self, spectra: Counts) -> tuple[Values, Values]:
        """Mean counts of the lines in each spectrum (m, n), and one standard deviation of that by its own noise; two (m,)."""
        at, weight = self.at.astype(spectra.dtype), self._weight  # single precision until the sum takes half of the time
        light, noise = np.empty(len(spectra)), np.empty(len(spectra))
        for first in range(0, len(spectra), PIECE):
            part = slice(first, first + PIECE)
            noise[part] = self._noise_of(spectra[part])
            lines = above_baseline(spectra[part], at, self.known.shape[1] - 1)
            light[part] = without_rays(lines, noise[part]) @ weight
        return light, noise * self.memory.of_sum(weight)

    def _noise_of(self, spectra: Counts) -> Values:
        """(m,) noise of a channel of each spectrum (m, n)."""
        own = np.maximum(channel_sigma(spectra), LEAST_NOISE) * self.memory.size
        return np.asarray(own**self.own_noise * self.noise ** (1.0 - self.own_noise))

    @property
    def _weight(self) -> Values:
        """(n,) that give the mean counts of the lines; blind to what is known."""
        height = self.lines.mean(axis=1) - (self.lines.min(axis=1) if self.bent else 0.0)
        height[1:] *= not self.glows
        return np.asarray(height @ self._weights)

    @cached_property
    def _weights(self) -> Values:
        """(q, n) that give how often a spectrum has each of the lines, blind to level, slope and more or less of the dark spectrum."""
        bend = self._bend()
        held = abs(float(bend @ self.lines[0])) / max(float(self.lines[0] @ self.lines[0]), 1e-300)
        blind = held < LIKE and likeness(bend, without_curve(self.lines[0], 1, self.at)) < SAME_LINES
        columns = np.concatenate([self.lines, self.known.T, bend[None]] if blind else [self.lines, self.known.T])
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


def curve_among(pair: Values, at: Values) -> Values | None:
    """(n,) what is mostly a curve among all mixtures of two spectra (2, n) whose channels lie at (n,), of which not all are; or None."""
    from scipy.linalg import eigh

    squares = [beyond @ beyond.T for beyond in (without_curve(pair, degree, at) for degree in (CURVED, STRAIGHT))]
    shares, mixtures = eigh(*squares)
    return mixtures[:, 0] @ pair if shares[0] < SMOOTH**2 < shares[1] else None


def is_beside(glow: Values, lines: Values, spectra: Values, noise: Values) -> bool:
    """Whether many spectra (m, n) have glow and none of the lines, more than have few of them: it is not the lines' own luminescence."""
    weights = np.linalg.pinv(np.stack([lines, glow]))
    amounts = (spectra @ weights) / (noise[:, None] * np.linalg.norm(weights, axis=0))
    faint = amounts[:, 0] <= np.median(amounts[:, 0])
    away = np.abs(amounts - np.median(amounts[faint], axis=0))
    light = away[away[:, 1] > VISIBLE, 0]
    none, few = int((light < VISIBLE).sum()), int(((light >= VISIBLE) & (light < 3 * VISIBLE)).sum())
    return none > max(few, TOGETHER * len(spectra))


def _own_share(noise: Values, channels: int) -> float:
    """How much of the differences between the noise of spectra (m,), logarithms, is not the chance of so many channels: 0 to 1."""
    spread = np.log(noise) - np.log(np.median(noise))
    variance = float(robust_sigma(spread)) ** 2
    return max(1.0 - CHANCE / channels / variance, 0.0) if variance > 0 else 0.0


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

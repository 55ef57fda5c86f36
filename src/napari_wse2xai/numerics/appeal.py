"""Second instance for channels taken for cosmic rays: whether a line that the map shows, scaled, moved and narrowed, explains them.

The first instance (`spikes.Judge`) looks at the channels beside a suspect and asks what they lead to expect on it.  Of a line three
channels wide these know next to nothing: its top is judged here, with the top itself among the evidence.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Index = NDArray[np.intp]

WIDEST = 4
"""Channels of the widest spike; two channels this far to either side of a spike's channel are free of it."""
LIKENESS, ROUGH = 0.012, 0.04
"""Standard deviation by which a line may differ from the neighbours' as moved and narrowed: shares of it, and of its second difference."""
SHIFT, BLUR, STRETCH = 0.7, 0.25, 0.25
"""Standard deviations, before looking, of a line's shift against the neighbours' (channels), of half its squared blur (channels^2), and of
its relative widening."""
SEEN, MANY_TIMES = 6.0, 20.0
"""Standard deviations from which the neighbours show a line; then it may be this many times as high, else about as high."""
FARTHEST = 1.5
"""Channels by which a line may lie off the neighbours' for what its shift leaves out to be known."""
PER_CHANNEL = 3.0
"""Fall of chi2 that one channel more must be worth to count to a spike."""
FREEDOM = 15.0
"""Fall of chi2 that a spike of one channel more must be worth more to be believed: so much freer it is to look like a line."""
ON_A_LINE = 2.0
"""How many times that on a line: a spike of several channels is nearly the line itself, moved and as high as that."""
USUAL_MISFIT = 1.5
"""Reduced chi2 that chance makes; from there on the noise counts as larger in proportion."""
WAYS = 5
"""Ways to differ that a spectrum without a spike may show."""
AT_ONCE = 256
"""Windows whose ways are worked out together."""


@dataclass(frozen=True)
class Bank:
    """How the spectra of a map differ from one another, spikes left out: what lines do there."""

    spectra: NDArray[np.float32]
    """(pixel, n) counts."""

    def ways(self, channels: Index) -> tuple[Values, Values]:
        """Greatest ways in which spectra differ in windows (m, length).

        Returns
        -------
        (m, length, q) ways, and (m, q) how far they go, one standard deviation, counts
        """
        first, which = np.unique(channels[:, 0], return_inverse=True)
        length = channels.shape[1]
        parts = [self._of(first[at : at + AT_ONCE, None] + np.arange(length)) for at in range(0, len(first), AT_ONCE)]
        variance, ways = (np.concatenate(each) for each in zip(*parts, strict=True))
        noise = np.median(variance, axis=1, keepdims=True)
        spread = np.sqrt(np.maximum(variance[:, -WAYS:] - noise, 1e-6 * noise + 1e-300))
        return ways[which, :, -WAYS:], spread[which]

    def _of(self, channels: Index) -> tuple[Values, Values]:
        window = self.spectra[:, channels].swapaxes(0, 1).astype(np.float64)
        window -= window.mean(axis=1, keepdims=True)
        variance, ways = np.linalg.eigh(window.swapaxes(1, 2) @ window / len(self.spectra))
        return variance, ways


@dataclass(frozen=True)
class Suspects:
    """Windows about suspects, (m, length) each."""

    own: Values
    template: Values
    """What the neighbours show there."""
    template_variance: Values
    variance: Values
    """Noise of what is measured, counts^2."""
    trusted: NDArray[np.bool_]
    """False in channels that may hold another spike."""


@dataclass(frozen=True)
class Ruling:
    """What is left of the suspicion."""

    significance: Values
    """(m,) standard deviations by which the best run of channels stands out."""
    spike: NDArray[np.bool_]
    """(m, length) that run."""
    expected: Values
    """(m, length) what is expected without a spike."""
    scale: Values
    """(m,) how often the neighbours' line is there."""
    shift: Values
    """(m,) by how many channels it is moved, to first order."""


def hear(evidence: Suspects, centre: Index, ways: tuple[Values, Values] | None = None) -> Ruling:
    """Fit the neighbours' line and a spike of 1 to 4 channels at the suspect; tell by how much the spike is needed.

    Parameters
    ----------
    centre : (m,) place of the suspect in its window
    ways : further ways in which spectra differ there, see `Bank.ways`

    Notes
    -----
    Linear least squares on a level, a slope, the neighbours' spectrum, its first two derivatives, its derivative times the distance to the
    suspect, and the ways.  Each has a standard deviation that is expected of it before looking.  A spike is one more column for each of its
    channels; what each choice of them is worth follows from one fit without (Frisch and Waugh 1933).
    """
    line = np.maximum(evidence.own, evidence.template)
    variance = evidence.variance + (LIKENESS * (line - line.min(axis=1, keepdims=True))) ** 2
    columns, spread = _columns(evidence, centre, ways)
    first = _SuspectFit(evidence, columns, spread, variance).best_run(centre)
    scale, curve = first.scale[:, None], columns[..., 4]
    left_out = first.shift[:, None] ** 3 / 6.0 * np.gradient(curve, axis=1)  # a shift is one of its first and second derivatives
    spread[:, 3:] *= np.maximum(scale, 1.0)  # a line of twice the height differs by twice as much
    variance += scale**2 * (evidence.template_variance + (ROUGH * curve) ** 2 + left_out**2)
    return _SuspectFit(evidence, columns, spread, variance).best_run(centre)


def _columns(evidence: Suspects, centre: Index, ways: tuple[Values, Values] | None) -> tuple[Values, Values]:
    """(m, length, p) what a spectrum without a spike is made of, the third expected once, the others not at all; (m, p) how surely."""
    template = evidence.template
    from_centre = np.arange(template.shape[1]) - centre[:, None].astype(np.float64)
    bend = np.gradient(template, axis=1)
    curve = np.empty_like(template)
    curve[:, 1:-1] = template[:, 2:] + template[:, :-2] - 2.0 * template[:, 1:-1]
    curve[:, 0], curve[:, -1] = curve[:, 1], curve[:, -2]
    above = template - np.median(template, axis=1, keepdims=True)
    columns = np.stack([np.ones_like(template), from_centre, above, bend, curve, bend * from_centre], axis=-1)
    spread = np.repeat(np.array([[np.inf, np.inf, 1.0, SHIFT, BLUR, STRETCH]]), len(template), axis=0)
    near = np.abs(from_centre) <= WIDEST
    seen = np.where(near, above / np.sqrt(evidence.template_variance), 0.0).max(axis=1) > SEEN
    spread[seen, 2] = MANY_TIMES
    if ways is not None:
        columns, spread = np.concatenate([columns, ways[0]], axis=-1), np.concatenate([spread, ways[1]], axis=1)
    return columns, spread


class _SuspectFit:
    """Spectra without a spike, fitted."""

    def __init__(self, evidence: Suspects, columns: Values, spread: Values, variance: Values) -> None:
        self.own, self.columns, self.weight = evidence.own, columns, evidence.trusted / variance
        self.freedom = FREEDOM * np.where(spread[:, 2] > 1.0, ON_A_LINE, 1.0)
        mean, precision = np.zeros(columns.shape[-1]), spread**-2.0
        mean[2] = 1.0
        self.weighted = columns * self.weight[..., None]
        normal = np.swapaxes(self.weighted, 1, 2) @ columns
        diagonal: Values = np.einsum("bii->bi", normal)
        diagonal += precision
        unit = 1.0 / np.sqrt(np.maximum(diagonal, 1e-300))  # columns have units of their own: only of one length do they compare
        scaled = normal * unit[:, :, None] * unit[:, None, :] + 1e-12 * np.eye(columns.shape[-1])
        self.inverse = np.linalg.inv(scaled) * unit[:, :, None] * unit[:, None, :]
        right: Values = np.einsum("bli,bl->bi", self.weighted, evidence.own) + precision * mean
        self.found: Values = np.einsum("bij,bj->bi", self.inverse, right)
        self.expected: Values = np.einsum("bli,bi->bl", columns, self.found)
        self.residual = self.weight * (evidence.own - self.expected)
        self.chi2 = (self.residual * (evidence.own - self.expected)).sum(axis=1) + (precision * (self.found - mean) ** 2).sum(axis=1)

    def best_run(self, centre: Index) -> Ruling:
        """Try every run of 1 to 4 channels that holds the suspect."""
        m, length = self.own.shape
        rows = np.arange(m)[:, None]
        best, worth, surely = np.full(m, -np.inf), np.zeros(m), np.zeros(m)
        spike, amplitude = np.zeros((m, length), dtype=bool), np.zeros((m, length))
        for size in range(1, WIDEST + 1):
            for before in range(size):
                run = np.clip(centre - before, 0, length - size)[:, None] + np.arange(size)
                high, fall = self._worth(rows, run)
                surely = np.maximum(surely, np.where((high > 0).all(axis=1), fall - self.freedom * (size - 1), 0.0))
                better = (fall - PER_CHANNEL * size > best) & (high > 0).all(axis=1)
                best[better], worth[better] = (fall - PER_CHANNEL * size)[better], fall[better]
                spike[better], amplitude[better] = False, 0.0
                spike[rows[better], run[better]], amplitude[rows[better], run[better]] = True, high[better]
        return self._verdict(spike, amplitude, worth, surely)

    def _worth(self, rows: Index, run: Index) -> tuple[Values, Values]:
        """(m, size) counts of a spike in some channels, and (m,) by how much chi2 falls with it."""
        shadow = self.weighted[rows, run]
        left = -shadow @ self.inverse @ np.swapaxes(shadow, 1, 2)
        diagonal: Values = np.einsum("bii->bi", left)
        # A hair more than all, so that a spike which the model explains whole can still be solved for.
        diagonal += self.weight[rows, run] * (1.0 + 1e-9)
        right = self.residual[rows, run]
        high = np.linalg.solve(left, right[..., None])[..., 0]
        return high, (high * right).sum(axis=1)

    def _verdict(self, spike: NDArray[np.bool_], amplitude: Values, worth: Values, surely: Values) -> Ruling:
        """What follows from a spike of some channels, with which chi2 falls by its worth, and surely by so much with some of them."""
        many = spike.sum(axis=1)
        freedom = np.maximum((self.weight > 0).sum(axis=1) - 6 - many, 1)
        misfit = np.maximum((self.chi2 - worth) / freedom / USUAL_MISFIT, 1.0)
        change: Values = np.einsum("bij,blj,bl->bi", self.inverse, self.weighted, amplitude)
        expected: Values = self.expected - np.einsum("bli,bi->bl", self.columns, change)
        scale = np.clip(self.found[:, 2] - change[:, 2], 0.0, MANY_TIMES)
        shift = np.clip((self.found[:, 3] - change[:, 3]) / np.maximum(scale, 1e-3), -FARTHEST, FARTHEST)
        return Ruling(np.sqrt(surely / misfit), spike, expected, scale, shift)

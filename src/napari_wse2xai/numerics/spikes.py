"""Cosmic rays told from lines: what a spectrum shows at one place and its neighbours on the map, scaled to it, do not.

Three instances, each for those whom the one before did not acquit: the channels beside a suspect (`Judge.judge`), the suspect itself
against the neighbours' line (`Judge.appeal`), and the same with all the ways in which spectra of this map differ (`appeal.Bank`).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.appeal import WIDEST, Bank, Suspects, hear
from napari_wse2xai.numerics.noise import median, robust_sigma

REACH = 10
"""Channels to either side of a suspected one that its judgement looks at."""
CHANCE = 3.5
"""Noise standard deviations from which a channel is suspected; the judgement decides."""
CHARGE = 0.7
"""Share of the threshold from which a suspect goes on to the second instance."""
SURE = 1.1
"""How many times the threshold the last instance asks for."""
BANK = 400
"""Spectra from which is learnt how spectra of the map differ."""
BATCH = 4096
"""Suspects judged at once."""
POOR = 4.0
"""Reduced chi2 beside a suspect from which another spike is looked for there."""
USUAL_MISFIT = 1.5
"""Reduced chi2 beside a suspect that chance makes; from there on the noise counts as larger in proportion."""

Cube = NDArray[np.float32]
Values = NDArray[np.float64]
Index = NDArray[np.intp]
Places = tuple[Index, Index, Index]
"""Row, column and channel of each."""


@dataclass(frozen=True)
class Guard:
    """How a spike is told from a line."""

    threshold: float
    """Standard deviations of its noise by which a channel must stand out."""
    factor: float
    """How many times the line that the neighbours lead to expect a spike must reach."""
    constant: float
    slope: float
    """Noise variance of a channel: a constant, and a slope against the signal, in counts."""
    floor: float
    """Least variance that is believed."""
    bank: Callable[[], Bank | None] = lambda: None
    """Gives how spectra of the map differ, worked out when the first spike is accused; without it the last instance is not asked."""

    def variance(self, level: NDArray[np.floating]) -> NDArray[np.float64]:
        """Noise variance at a level, counts^2."""
        return np.maximum(self.constant + self.slope * np.asarray(level, dtype=np.float64), self.floor)


@dataclass(frozen=True)
class Neighbourhood:
    """Which pixels are next to which: the eight around, on a line scan the four nearest."""

    reach_y: int
    reach_x: int

    @classmethod
    def of(cls, shape: tuple[int, int]) -> "Neighbourhood":
        """Neighbours on a map of this shape."""
        ny, nx = shape
        return cls((2 if nx == 1 else 1) if ny > 1 else 0, (2 if ny == 1 else 1) if nx > 1 else 0)

    @property
    def offsets(self) -> tuple[Index, Index]:
        """Rows and columns to each neighbour."""
        dy, dx = np.mgrid[-self.reach_y : self.reach_y + 1, -self.reach_x : self.reach_x + 1].reshape(2, -1)
        beside = (dy != 0) | (dx != 0)
        return dy[beside], dx[beside]

    def counted(self, measured: NDArray[np.bool_]) -> NDArray[np.float32]:
        """(ny, nx) number of measured neighbours of each pixel."""
        total = self.summed(measured.astype(np.float32)[..., None], slice(0, len(measured)))[..., 0]
        return np.asarray(total - measured)

    def summed(self, values: Cube, rows: slice) -> Cube:
        """Sum over each pixel of some rows and its neighbours, channel by channel."""
        ny, nx = values.shape[:2]
        upright = np.zeros((rows.stop - rows.start, nx + 2 * self.reach_x, values.shape[2]), dtype=np.float32)
        inner = upright[:, self.reach_x : self.reach_x + nx]
        for step in range(-self.reach_y, self.reach_y + 1):
            first = max(rows.start + step, 0)
            last = max(min(rows.stop + step, ny), first)
            inner[first - step - rows.start : last - step - rows.start] += values[first:last]
        total = upright[:, :nx].copy()
        for step in range(1, 2 * self.reach_x + 1):
            total += upright[:, step : step + nx]
        return total

    def difference(self, values: Cube, row: int, counted: NDArray[np.float32]) -> tuple[Cube, Cube]:
        """(nx, n) one row minus its neighbours' mean, and a rough level of the signal there."""
        around = self.summed(values, slice(row, row + 1))[0] - values[row]
        around *= (1.0 / np.maximum(counted[row], 1.0))[:, None]
        difference = values[row] - around
        # A tenth of the pixel itself: where it alone is bright its noise is larger, but a spike must not be its own excuse.
        around += np.float32(0.1) * difference
        return difference, around


def suspects(difference: Cube, level: Cube, guard: Guard) -> tuple[Index, Index]:
    """Pixels and channels that stand out, by more than chance, of the channels four away to either side (at an end, to one).

    A line that all neighbours show is gone from the difference to their mean; a spike is not.
    """
    variance = np.float32(guard.slope) * level
    variance += np.float32(guard.constant)
    np.maximum(variance, np.float32(guard.floor), out=variance)
    bump = difference.copy()
    bump[:, WIDEST:-WIDEST] -= np.float32(0.5) * (difference[:, 2 * WIDEST :] + difference[:, : -2 * WIDEST])
    bump[:, :WIDEST] -= difference[:, WIDEST : 2 * WIDEST]
    bump[:, -WIDEST:] -= difference[:, -2 * WIDEST : -WIDEST]
    np.maximum(bump, np.float32(0.0), out=bump)
    bump *= bump
    # A channel less half of two others has 1.5 times the variance of one.
    variance *= np.float32(1.5 * CHANCE**2)
    column, channel = np.divmod(np.flatnonzero(bump > variance), bump.shape[1])  # of many rows far quicker than to look row by row
    return column, channel


@dataclass(frozen=True)
class Judgement:
    """Channels about some suspects, (m, 2 REACH + 1): which are spikes, and what is expected there instead."""

    row: Index
    column: Index
    channels: Index
    spike: NDArray[np.bool_]
    expected: NDArray[np.float64]
    significance: NDArray[np.float64]
    """(m,) by how many standard deviations something stands out near the suspect."""
    excess: NDArray[np.float64]
    """(m, 2 REACH + 1) counts above what is expected."""

    def write(self, values: Cube, marks: NDArray[np.bool_] | None = None) -> None:
        """Repair what it calls spikes in a cube, and mark it."""
        order = np.argsort(self.significance)  # the strongest is written last: it knows best where its spike is
        which, at = np.nonzero(self.spike[order])
        which = order[which]
        where = self.row[which], self.column[which], self.channels[which, at]
        values[where] = self.expected[which, at]
        if marks is not None:
            marks[where] = True


class Judge:
    """Compares spectra near suspected channels with what their neighbours show there."""

    def __init__(self, values: Cube, measured: NDArray[np.bool_], guard: Guard) -> None:
        self.values, self.measured, self.guard = values, measured, guard
        self.dy, self.dx = Neighbourhood.of(measured.shape).offsets

    def judge(self, row: Index, column: Index, channel: Index) -> Judgement:
        """Fit the neighbours' mean, scaled, shifted and raised, to the channels beside each suspect; see what stands out between them."""
        channels = self._window(channel)
        near = np.abs(channels - channel[:, None]) < WIDEST
        own = self.values[row[:, None], column[:, None], channels].astype(np.float64)
        template, many = self._template(row, column, channels)
        expected, variance = self._expected(own, template, many, ~near)
        excess = own - expected
        significance = np.where(near, excess / np.sqrt(variance), 0.0)
        core = (significance > CHARGE * self.guard.threshold) & self._high(excess, expected)
        # Beside a core less is asked: a ray that falls between two channels lights both.
        flank = significance > min(2.5, self.guard.threshold)
        return Judgement(row, column, channels, core | (flank & _beside(core)), expected, significance.max(axis=1), excess)

    def appeal(self, row: Index, column: Index, channel: Index, doubtful: NDArray[np.bool_], bank: Bank | None) -> Judgement:
        """Judge again, now with the suspect among the evidence; `doubtful` (ny, nx, n) are channels that may be of a spike."""
        channels = self._window(channel)
        near = np.abs(channels - channel[:, None]) < WIDEST
        own = self.values[row[:, None], column[:, None], channels].astype(np.float64)
        template, many = self._template(row, column, channels)
        of_template = self.guard.variance(template) / np.maximum(many, 1.0)
        of_own = self.guard.variance(np.maximum(own, template))
        trusted = near | ~doubtful[row[:, None], column[:, None], channels]
        ways = None if bank is None else bank.ways(channels)
        said = hear(Suspects(own, template, of_template, of_own, trusted), channel - channels[:, 0], ways)
        excess = np.where(said.spike, own - said.expected, 0.0)
        least = self.guard.threshold * (1.0 if bank is None else SURE)
        guilty = self._high(excess, said.expected).any(axis=1) & (said.significance > least)
        return Judgement(row, column, channels, said.spike & guilty[:, None], said.expected, said.significance, excess)

    def _window(self, channel: Index) -> Index:
        """(m, length) channels about some."""
        n = self.values.shape[2]
        length = min(2 * REACH + 1, n)
        return np.asarray(np.clip(channel - REACH, 0, n - length)[:, None] + np.arange(length))

    def _high(self, excess: Values, expected: Values) -> NDArray[np.bool_]:
        """(m, length) True where more stands out than may be of the line that is expected there."""
        return np.asarray(excess > (self.guard.factor - 1.0) * (expected - expected.min(axis=1, keepdims=True)))

    def _template(self, row: Index, column: Index, channels: Index) -> tuple[Values, Values]:
        """(m, length) mean of the neighbours, and (m, 1) how many there are.

        In each channel the second largest stands for the largest, which may be a spike.
        """
        rows, columns = row[:, None] + self.dy, column[:, None] + self.dx
        ny, nx = self.measured.shape
        there = (rows >= 0) & (rows < ny) & (columns >= 0) & (columns < nx)
        rows, columns = np.clip(rows, 0, ny - 1), np.clip(columns, 0, nx - 1)
        there &= self.measured[rows, columns]
        first = (rows * nx + columns) * self.values.shape[2] + channels[:, :1]
        shown = self.values.take(first[..., None] + np.arange(channels.shape[1]))
        shown[~there] = 0.0
        total, many = shown.sum(axis=1, dtype=np.float64), there.sum(axis=1)[:, None]
        shown[~there] = -np.inf
        largest, second = _two_largest(shown)
        total += np.where(many > 1, second, 0.0) - np.where(many > 0, largest, 0.0)
        return total / np.maximum(many, 1), many.astype(np.float64)

    def _expected(self, own: Values, template: Values, many: Values, flank: NDArray[np.bool_]) -> tuple[Values, Values]:
        """What the neighbours lead to expect, and the variance of what is measured about it, (m, length)."""
        first = self._fit(own, template, many, flank)
        poor = np.flatnonzero(first.misfit[:, 0] > POOR)
        # Another spike beside the suspect: what is left without it must be well described, or nothing was explained.
        tidy = flank[poor] & ~_outlying(own[poor] - template[poor], flank[poor])
        second = self._fit(own[poor], template[poor], many[poor], tidy)
        better = (second.misfit[:, 0] < USUAL_MISFIT) & ((flank[poor] & ~tidy).sum(axis=1) <= WIDEST)
        first.expected[poor[better]], first.variance[poor[better]] = second.expected[better], second.variance[better]
        return first.expected, first.variance

    def _fit(self, own: Values, template: Values, many: Values, flank: NDArray[np.bool_]) -> "_Expectation":
        # About its mean, so that height and level do not stand for one another in what is expected before looking.
        middle = (template * flank).sum(axis=1, keepdims=True) / flank.sum(axis=1, keepdims=True)
        bend = np.gradient(template, axis=1)
        columns = np.stack([np.ones_like(template), template - middle, bend], axis=-1)
        weight = flank / self.guard.variance(np.where(flank, own, template))
        # Expected before looking: as high as the neighbours and not shifted, give or take once and one channel. Binds where no line is.
        inverse = np.linalg.inv(np.swapaxes(columns * weight[..., None], 1, 2) @ columns + np.diag([0.0, 1.0, 1.0]))
        seen = np.einsum("bli,bl->bi", columns, weight * own) + np.array([0.0, 1.0, 0.0])
        found = (inverse @ seen[..., None])[..., 0]
        expected = np.einsum("bli,bi->bl", columns, found)
        freedom = np.maximum(flank.sum(axis=1, keepdims=True) - 3, 1)
        misfit = (weight * (own - expected) ** 2).sum(axis=1, keepdims=True) / freedom
        leverage = ((columns @ inverse) * columns).sum(axis=-1)
        scale = np.clip(found[:, 1:2], 0.0, None)
        # What is expected errs too: by the neighbours' own noise, scaled as they are, and by how far the flanks reach.
        noise = self.guard.variance(expected) + scale**2 * self.guard.variance(template) / np.maximum(many, 1.0)
        return _Expectation(expected, (noise + leverage) * np.maximum(misfit / USUAL_MISFIT, 1.0), misfit)


@dataclass(frozen=True)
class _Expectation:
    expected: Values
    variance: Values
    misfit: Values
    """(m, 1) reduced chi2 beside the suspect."""


def _two_largest(values: Cube) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(m, length) largest and second largest of values (m, k, length)."""
    largest, second = values[:, 0].copy(), np.full_like(values[:, 0], -np.inf)
    for each in values[:, 1:].swapaxes(0, 1):
        np.maximum(second, np.minimum(largest, each), out=second)
        np.maximum(largest, each, out=largest)
    return largest, second


def _outlying(difference: Values, flank: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(m, length) True where a difference stands far above the others of the flank."""
    among = np.where(flank, difference, np.nan)
    away = among - median(among, axis=1)[:, None]
    return np.asarray(np.nan_to_num(away) > 6.0 * robust_sigma(away, axis=1)[:, None])


def _beside(core: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """True within two channels of a True one."""
    beside = core.copy()
    for step in (1, 2):
        beside[:, step:] |= core[:, :-step]
        beside[:, :-step] |= core[:, step:]
    return beside


def repair(counts: Cube, guard: Guard, rows: slice, *, alone: bool = False) -> tuple[Cube, NDArray[np.bool_]]:
    """Replace cosmic rays, 1 to 4 channels wide, by what the spectrum and its neighbours lead to expect there.

    Parameters
    ----------
    counts : (ny, nx, n) counts; a pixel with any NaN is left alone and no neighbour to others
    guard : how a spike is told from a line
    rows : the rows that are wanted; others serve as neighbours
    alone : whether spikes in these neighbours are left as they are: quicker, and nearly the same

    Returns
    -------
    counts, repaired, and True where they were replaced, of the wanted rows

    Notes
    -----
    Two rounds: what a spike in a neighbour, or another one nearby, hid in the first comes out in the second.  Not for pixels with fewer
    than two neighbours, nor for spikes wider than four channels.
    """
    measured = np.asarray(np.isfinite(counts).all(axis=-1))
    values = counts.copy() if measured.all() else np.where(measured[..., None], counts, np.float32(0.0))
    reach = 0 if alone else Neighbourhood.of(measured.shape).reach_y
    seen = range(max(rows.start - reach, 0), min(rows.stop + reach, len(counts)))
    places, marks = _suspected(values, measured, guard, seen), np.zeros(counts.shape, dtype=bool)
    for _ in range(2):
        _convict(values, marks, Judge(values, measured, guard), places)
        places = _again(marks, places, measured)
    values[~measured] = counts[~measured]
    return values[rows], marks[rows]


def _suspected(values: Cube, measured: NDArray[np.bool_], guard: Guard, rows: range) -> Places:
    """All suspects in some rows whose pixels have two neighbours at least."""
    around = Neighbourhood.of(measured.shape)
    counted = around.counted(measured)
    found = []
    for row in rows:
        column, channel = suspects(*around.difference(values, row, counted), guard)
        keep = measured[row, column] & (counted[row, column] >= 2)
        found.append((np.full(int(keep.sum()), row, dtype=np.intp), column[keep], channel[keep]))
    return _joined(found)


def _convict(values: Cube, marks: NDArray[np.bool_], judge: Judge, places: Places) -> None:
    """Mark and repair the spikes among suspects."""
    charged, doubtful = _charged([judge.judge(*some) for some in _batches(places)], values.shape)
    said = [judge.appeal(*some, doubtful, None) for some in _batches(charged)]
    if not any(each.spike.any() for each in said):
        return
    bank = judge.guard.bank()
    if bank is not None:
        guilty = np.concatenate([each.spike.any(axis=1) for each in said])
        row, column, channel = (part[guilty] for part in charged)
        said = [judge.appeal(*some, doubtful, bank) for some in _batches((row, column, channel))]
    for each in said:  # all are judged before any is repaired
        each.write(values, marks)


def _batches(places: Places) -> list[Places]:
    row, column, channel = places
    parts = [slice(first, first + BATCH) for first in range(0, len(row), BATCH)]
    return [(row[part], column[part], channel[part]) for part in parts]


def _charged(said: list[Judgement], shape: tuple[int, ...]) -> tuple[Places, NDArray[np.bool_]]:
    """Each spike of the first instance once, at its strongest channel, and (ny, nx, n) all channels that may be of one."""
    doubtful, places = np.zeros(shape, dtype=bool), []
    for each in said:
        some = np.flatnonzero(each.spike.any(axis=1))
        which, at = np.nonzero(each.spike)
        doubtful[each.row[which], each.column[which], each.channels[which, at]] = True
        strongest = np.where(each.spike, each.excess, -np.inf).argmax(axis=1)
        places.append((each.row[some], each.column[some], each.channels[some, strongest[some]]))
    if not places:
        return _joined([(np.empty(0, dtype=np.intp),) * 3]), doubtful
    rows, columns, channels = np.unique(np.stack(_joined(places)), axis=1)
    return (rows, columns, channels), doubtful


def _again(marks: NDArray[np.bool_], places: Places, measured: NDArray[np.bool_]) -> Places:
    """Suspects of the second round: those not convicted that have marks in their window, and the marked channels in the neighbours."""
    row, column, channel = places
    window = np.clip(channel[:, None] + np.arange(-REACH, REACH + 1), 0, marks.shape[2] - 1)
    near = marks[row[:, None], column[:, None], window].any(axis=1) & ~marks[places]
    row, column, channel = np.unravel_index(np.flatnonzero(marks), marks.shape)
    dy, dx = Neighbourhood.of(measured.shape).offsets
    rows, columns = (row[:, None] + dy).ravel(), (column[:, None] + dx).ravel()
    inside = (rows >= 0) & (rows < len(measured)) & (columns >= 0) & (columns < measured.shape[1])
    inside[inside] = measured[rows[inside], columns[inside]]
    beside = rows[inside], columns[inside], np.repeat(channel, len(dy))[inside]
    return _joined([(places[0][near], places[1][near], places[2][near]), beside])


def _joined(parts: list[Places]) -> Places:
    rows, columns, channels = zip(*parts, strict=True)
    return np.concatenate(rows), np.concatenate(columns), np.concatenate(channels)

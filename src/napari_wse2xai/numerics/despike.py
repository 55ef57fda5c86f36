"""Cosmic rays: found as channels that neither their spectrum nor their neighbours on the map explain."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics import noise_memory
from napari_wse2xai.numerics.all_over import all_over
from napari_wse2xai.numerics.appeal import Bank
from napari_wse2xai.numerics.noise import channel_sigma, photon, variance_line
from napari_wse2xai.numerics.noise_memory import WHITE, Memory
from napari_wse2xai.numerics.spikes import BANK, REACH, Guard, Neighbourhood, repair

Counts = NDArray[np.float32]
FEWEST, LEAST = 30, 1e-30
"""Spectra that tell how their noise goes on, and counts that stand for none."""
MOSTLY = 0.02
"""Share of the variance of smoothed spectra that their bends must show to tell how it grows with the signal."""
GOES_ON = 0.5
"""Fall of the two channels behind the first one beside a marked run, as a share of the fall to that, from which the run is a line's top."""

# Comparators of a sorting network whose element 4 of 9 ends up as the median (Paeth 1990, Graphics Gems).
_MEDIAN_OF_9 = (
    *((1, 2), (4, 5), (7, 8), (0, 1), (3, 4), (6, 7), (1, 2), (4, 5), (7, 8), (0, 3)),
    *((5, 8), (4, 7), (3, 6), (1, 4), (2, 5), (4, 7), (4, 2), (6, 4), (4, 2)),
)


def spectral_median(counts: NDArray[np.float32]) -> NDArray[np.float32]:
    """Median of nine channels along the last axis: follows lines wider than that, passes under spikes of up to four channels."""
    n = counts.shape[-1]
    padded = np.pad(counts, [(0, 0)] * (counts.ndim - 1) + [(4, 4)], mode="reflect" if n > 4 else "edge")
    lanes = [padded[..., i : i + n].copy() for i in range(9)]
    for low, high in _MEDIAN_OF_9:
        smaller = np.minimum(lanes[low], lanes[high])
        np.maximum(lanes[low], lanes[high], out=lanes[high])
        lanes[low] = smaller
    return lanes[4]


def noise_model(counts: NDArray[np.float32], level: NDArray[np.float32]) -> tuple[float, float]:
    """Constant and slope of the noise variance against the signal's level.

    Parameters
    ----------
    counts, level : (ny, nx, n) counts; the measured signal, and a smooth one

    Notes
    -----
    The sample of the noise is how a channel departs from the mean of the channels beside it, compared with the next pixel: a sharp
    line departs too, but alike in both.  On a single spectrum there is no next pixel, and the noise is taken for shot noise.
    """
    # Of white noise x0 - (x1 + x2) / 2 has 1 + 1/4 + 1/4 of a channel's variance; the difference of two pixels below has twice that of one.
    bend = (counts[..., 1:-1] - 0.5 * (counts[..., 2:] + counts[..., :-2])) / np.sqrt(1.5)
    at = level[..., 1:-1]
    if max(counts.shape[:2]) < 2:
        variance, usual = float(np.nanmean(channel_sigma(counts))) ** 2, float(np.nanmedian(level))
        if usual > 0:
            return 0.0, variance / usual
        return variance, variance / max(float(np.nanmean(counts)), 1e-9)  # few photons, or what was taken off is gone: dark noise as well
    along = 1 if counts.shape[1] > 1 else 0
    deviation = np.diff(bend, axis=along) / np.sqrt(2.0)
    here, there = ((slice(None),) * along + (part,) for part in (slice(None, -1), slice(1, None)))
    at = 0.5 * (at[here] + at[there])
    good = np.isfinite(deviation) & np.isfinite(at)
    # A line through the variances at so many places is as good as one through all.
    step = max(1, int(good.sum()) // 200_000)
    return variance_line(deviation[good][::step], at[good][::step])


def noise_that_goes_on(counts: NDArray[np.float32], level: NDArray[np.float32]) -> tuple[float, float, Memory]:
    """Constant and slope as of `noise_model`, and how the noise goes on along the channels.

    Bends show little or nothing of the noise of spectra that were smoothed, or drawn on another axis; there both are as large as it is.
    """
    constant, slope = noise_model(counts, level)
    spectra = counts.reshape(-1, counts.shape[-1])
    spectra = spectra[np.isfinite(spectra).all(axis=-1)]
    if len(spectra) < FEWEST:
        return constant, slope, WHITE
    shown = np.maximum(channel_sigma(spectra), LEAST)
    memory = noise_memory.among(spectra, shown)
    if memory == WHITE:
        return constant, slope, WHITE
    true, told = (memory.size * float(np.median(shown))) ** 2, constant + slope * float(np.nanmedian(level))
    return (true / told * constant, true / told * slope, memory) if told > MOSTLY * true else (true, 0.0, memory)


def guard_of(counts: NDArray[np.float32], *, threshold: float, neighbour_factor: float) -> Guard:
    """Guard with the noise that a map shows.

    Parameters
    ----------
    counts : (ny, nx, n) some rows of the map, side by side pixels of which are compared
    threshold : how far a channel must stand out, in standard deviations of its noise (shot and read noise)
    neighbour_factor : a spike must reach this many times the line that the neighbouring pixels lead to expect
    """
    level = spectral_median(counts)
    constant, slope, _ = noise_that_goes_on(counts, level)
    lowest, usual = (max(constant + slope * float(each), 0.0) for each in np.nanpercentile(level.ravel()[::16], [1, 50]))
    # Where the line through the variances runs out dark channels still have noise: half of the darkest, and 0.3 times the usual one.
    return Guard(threshold, neighbour_factor, constant, slope, floor=max(0.5 * lowest, 0.09 * usual, photon(counts) ** 2, 1e-30))


def with_bank(guard: Guard, blocks: Callable[[], list[tuple[Counts, slice]]]) -> Guard:
    """Add to a guard how spectra of the map differ, learnt from some rows all over it: the same whatever part is then looked at.

    Parameters
    ----------
    blocks : gives counts (ny, nx, n) of some rows with their neighbours, and which of the rows to take; asked when a spike is accused
    """
    return replace(guard, bank=_once(lambda: _bank(guard, blocks())))


def _once(make: Callable[[], Bank | None]) -> Callable[[], Bank | None]:
    """What is made when it is first asked for, by whichever thread."""
    lock = Lock()
    made = cache(make)

    def get() -> Bank | None:
        with lock:
            return made()

    return get


def _bank(guard: Guard, blocks: list[tuple[Counts, slice]]) -> Bank | None:
    tidy = [repair(counts, guard, rows, alone=True)[0] for counts, rows in blocks if counts.shape[-1] > 2 * REACH]
    spectra = np.concatenate([part.reshape(-1, part.shape[-1]) for part in tidy]) if tidy else np.empty((0, 0), dtype=np.float32)
    spectra = spectra[np.isfinite(spectra).all(axis=-1)]
    some = all_over(len(spectra), BANK)
    return Bank(spectra[some]) if len(some) > 1 else None


def without_guarded_spikes(counts: Counts, guard: Guard, rows: slice) -> tuple[Counts, NDArray[np.bool_]]:
    """Counts without cosmic rays, 1 to 4 channels wide, sharp lines left alone.

    Parameters
    ----------
    counts : (ny, nx, n) counts, raw
    guard : how a spike is told from a line
    rows : the rows that are wanted; others serve as neighbours

    Returns
    -------
    repaired counts, and True where they were replaced, of the wanted rows

    Notes
    -----
    Where a pixel has no two neighbours, only its own spectrum tells: a line as sharp as a spike is then taken for one.
    """
    near = Neighbourhood.of((len(counts), counts.shape[1]))
    alone = near.counted(np.asarray(np.isfinite(counts).all(axis=-1)))[rows] < 2
    if counts.shape[-1] > 2 * REACH:
        repaired, marks = repair(counts, guard, rows)
    else:
        repaired, marks, alone = counts[rows].copy(), np.zeros(counts[rows].shape, dtype=bool), np.ones_like(alone)
    if alone.any():
        marks[alone] = lonely_spikes(counts[rows][alone], guard)
        repaired[alone] = interpolate(counts[rows][alone], marks[alone])
    return repaired, marks


def lonely_spikes(counts: NDArray[np.float32], guard: Guard) -> NDArray[np.bool_]:
    """(m, n) channels that stand out of the running median of their own spectrum."""
    from scipy import ndimage

    level = spectral_median(counts)
    excess = (counts - level) / np.sqrt(guard.variance(level))
    with np.errstate(invalid="ignore"):
        # A ray that falls between two channels lights both: beside a core a lower channel is its flank.
        core, flank = excess > guard.threshold, excess > min(2.5, guard.threshold)
    marks = core | (flank & ndimage.binary_dilation(core, structure=np.ones((1, 5), dtype=bool)))
    return _sharp(counts, np.asarray(marks), guard)


def _sharp(counts: NDArray[np.float32], marks: NDArray[np.bool_], guard: Guard) -> NDArray[np.bool_]:
    """Those runs of marked channels (m, n) beside which the spectrum is flat: beside the top of a line it goes on falling."""
    edges = np.diff(marks.astype(np.int8), axis=1, prepend=0, append=0)
    row, first = np.nonzero(edges == 1)
    _, end = np.nonzero(edges == -1)
    last, n = end - 1, marks.shape[1]
    line = np.zeros(edges.shape, dtype=np.int32)
    for inner, way in ((first, -1), (last, 1)):
        at, beside, farther = (counts[row, np.clip(inner + way * far, 0, n - 1)].astype(np.float64) for far in (0, 1, 3))
        noise = np.sqrt(guard.variance(beside))
        soft = beside - farther > GOES_ON * (at - beside) + guard.threshold * noise
        np.add.at(line, (row[soft], first[soft]), 1)
        np.add.at(line, (row[soft], end[soft]), -1)
    return np.asarray(marks & (line.cumsum(axis=1)[:, :n] == 0))


def first_difference_spikes(counts: NDArray[np.float32], threshold: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Channels behind a jump of the first-order difference (Yoo et al. 2023): the paper's filter, without a guard.

    Parameters
    ----------
    counts : (..., n) counts
    threshold : (n,) standard deviations of the difference, one per channel; infinite where nothing may be touched

    Notes
    -----
    Not for sharp lines: a jump of the signal is taken for a spike, whatever makes it.
    """
    jump: NDArray[np.float32] = np.diff(counts, axis=-1, prepend=counts[..., :1])
    sigma = np.sqrt(2.0) * channel_sigma(counts)[..., None]
    with np.errstate(invalid="ignore"):
        up = jump > threshold * sigma
        down = -jump > threshold * sigma
    # A spike is what lies between a jump up and the jump down that follows within four channels.
    inside: NDArray[np.bool_] = np.zeros(up.shape, dtype=bool)
    for width in range(1, 5):
        closed = up[..., : up.shape[-1] - width] & down[..., width:]
        for offset in range(width):
            inside[..., offset : offset + closed.shape[-1]] |= closed
    return inside


def interpolate(counts: NDArray[np.float32], spikes: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Counts with marked channels replaced by a straight line between the good channels beside them; at an end, by the nearest.

    Parameters
    ----------
    counts : (..., n); spikes : (..., n) bool
    """
    n = counts.shape[-1]
    repaired = counts.reshape(-1, n).copy()
    marks = spikes.reshape(-1, n)
    for rows in np.array_split(np.flatnonzero(marks.any(axis=-1) & ~marks.all(axis=-1)), max(1, marks.size // 20_000_000)):
        repaired[rows] = _bridge(repaired[rows], marks[rows])
    return repaired.reshape(counts.shape)


def _bridge(counts: NDArray[np.float32], marks: NDArray[np.bool_]) -> NDArray[np.float32]:
    n = counts.shape[-1]
    channel = np.arange(n)
    before = np.maximum.accumulate(np.where(marks, -1, channel), axis=-1)
    after = np.minimum.accumulate(np.where(marks, n, channel)[:, ::-1], axis=-1)[:, ::-1]
    before, after = np.where(before < 0, after, before), np.where(after >= n, before, after)
    left, right = np.take_along_axis(counts, before, -1), np.take_along_axis(counts, after, -1)
    share = (channel - before) / np.maximum(after - before, 1)
    return np.where(marks, left + share * (right - left), counts).astype(np.float32)

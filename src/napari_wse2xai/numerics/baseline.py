"""Baselines under spectra."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from itertools import count
from multiprocessing import get_context
from time import perf_counter

import numpy as np
from numpy.typing import NDArray


def anchor_weights(
    x: NDArray[np.float64], areas: Sequence[tuple[float, float]], margin: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weights that average a spectrum near each boundary of the areas.

    Parameters
    ----------
    x : (n,) axis values, rising
    areas : (low, high) each, in the axis unit
    margin : width of the band about a boundary that is averaged, in the axis unit; at least one channel is taken

    Returns
    -------
    position (a,) of the anchors, rising, and weights (n, a): ``counts @ weights`` are the signals at the anchors
    """
    boundaries = np.unique(np.clip(np.asarray(areas, dtype=np.float64).ravel(), x[0], x[-1]))
    inside = np.abs(x[:, None] - boundaries) <= margin / 2
    nearest = np.abs(x[:, None] - boundaries).argmin(axis=0)
    inside[nearest, np.arange(len(boundaries))] = True
    weights = inside / inside.sum(axis=0)
    position = x @ weights
    keep = np.concatenate([[True], np.diff(position) > 0])
    return position[keep], weights[:, keep]


def piecewise_linear(
    x: NDArray[np.float64], counts: NDArray[np.floating], areas: Sequence[tuple[float, float]], margin: float, even: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Straight lines through the average signal near the boundaries of areas; level outside the outermost ones.

    Parameters
    ----------
    x : (n,) axis values, rising
    counts : (..., n) counts
    areas, margin : see `anchor_weights`
    even : (n,) what a level looks like: the lines are straight in counts over this

    Returns
    -------
    (..., n) float32, counts

    Notes
    -----
    The baseline of Yoo et al. 2023.  Not for areas whose boundaries lie on a line's flank: the flank is then taken for baseline.
    """
    position, weights = anchor_weights(x, areas, margin)
    spread = np.stack([np.interp(x, position, row) for row in np.eye(len(position))])
    return np.asarray((counts @ (weights / even[:, None]).astype(np.float32)) @ (spread * even).astype(np.float32), dtype=np.float32)


WORTH = 20.0
"""Seconds of work from which other processes are worth their start, which takes several."""
TRIAL = 16
"""Spectra that are fitted here first, to see how long they take."""
PIECE = 64
"""Spectra that a process is given at a time: small enough that Cancel is soon heard."""


def one_by_one(
    method: str, options: Mapping[str, float], x: NDArray[np.float64], counts: NDArray[np.float32], heard: Callable[[], None] = lambda: None
) -> NDArray[np.float32]:
    """Baselines (m, n) of spectra (m, n) by a method of pybaselines, which takes one at a time; NaN where a channel has no value."""
    from pybaselines import Baseline

    fitter, result = Baseline(x), np.full_like(counts, np.nan)
    for at in np.flatnonzero(np.isfinite(counts).all(axis=-1)):
        result[at] = getattr(fitter, method)(counts[at].astype(np.float64), **options)[0]
        heard()
    return result


class Workers:
    """Processes that fit baselines; none are started for what is soon done here."""

    def __init__(self, spectra: int) -> None:
        self._spectra, self._tried = spectra, False
        self._pool: ProcessPoolExecutor | None = None

    def _try(self, method: str, options: Mapping[str, float], x: NDArray[np.float64], counts: NDArray[np.float32]) -> None:
        """Start processes if some spectra show that they are worth it."""
        one_by_one(method, options, x, counts[:1])  # the first pays for the library's own start
        begun, cores = perf_counter(), os.cpu_count() or 1
        one_by_one(method, options, x, counts[:TRIAL])
        self._tried = True
        if cores > 1 and (perf_counter() - begun) / len(counts[:TRIAL]) * self._spectra > WORTH:
            self._pool = ProcessPoolExecutor(min(cores, 16), get_context("spawn"))

    def __enter__(self) -> "Workers":
        """Give itself."""
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        """End the processes, at once where something was raised."""
        if self._pool is None:
            return
        running = list((self._pool._processes or {}).values()) if kind else []
        self._pool.shutdown(wait=not kind, cancel_futures=True)
        for process in running:
            process.terminate()

    def fit(
        self,
        method: str,
        options: Mapping[str, float],
        x: NDArray[np.float64],
        counts: NDArray[np.float32],
        progress: Callable[[float], None],
    ) -> NDArray[np.float32]:
        """Baselines (m, n) of spectra (m, n); progress hears from it several times a second and may raise."""
        if not self._tried:
            self._try(method, options, x, counts)
        if self._pool is None:
            done = count(1)
            return one_by_one(method, options, x, counts, lambda: progress(next(done) / len(counts)))
        starts = range(0, len(counts), PIECE)
        tasks = {self._pool.submit(one_by_one, method, options, x, counts[at : at + PIECE]): at for at in starts}
        result, waiting = np.empty_like(counts), set(tasks)
        while waiting:
            finished, waiting = wait(waiting, timeout=0.1, return_when=FIRST_COMPLETED)
            for task in finished:
                result[tasks[task] : tasks[task] + PIECE] = task.result()
            progress(1.0 - len(waiting) / len(tasks))
        return result

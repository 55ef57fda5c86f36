"""One window ready to be fitted: all that this takes beside the spectra, so that threads, processes and other machines can do it."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from napari_wse2xai.stages._fitting import Done, Fit, FitWindow, Spectra
from napari_wse2xai.stages._held import settled
from napari_wse2xai.stages._model_choice import fit_with_choice
from napari_wse2xai.stages._pixels import Pixels
from napari_wse2xai.stages._terms import Terms

if TYPE_CHECKING:
    from napari_wse2xai.numerics.problem import Problem

AHEAD = 6
"""Blocks that are given to a pool before the first of them is waited for."""
_pool: ContextVar[Executor | None] = ContextVar("pool", default=None)


@dataclass(frozen=True)
class Plan:
    """Peaks, channels, bounds, ties and solver of one window; can be pickled, and knows no map."""

    window: FitWindow
    problem: "Problem"
    terms: Terms

    @classmethod
    def of(cls, window: FitWindow, spectra: Pixels, terms: Terms, progress: Done = lambda done: None) -> "Plan":
        """Begin where the mean spectrum of all pixels puts it; what they share is where all of them put it."""
        mean = spectra.mean(window)
        weights = spectra.weights(window, mean) if terms.weighted else None
        return cls(window, settled(window, window.begun(mean, weights, terms, progress), spectra, terms.solver), terms)

    def fit(self, block: Spectra, progress: Done = lambda done: None) -> Fit:
        """Fit some thousand spectra (pixel, n); nothing else is read or changed, so the same block gives the same fit anywhere."""
        return fit_with_choice(self.window, self.problem, block, self.terms.solver, progress)


@dataclass(frozen=True)
class Job:
    """One window with what was fitted in it."""

    plan: Plan
    fit: Fit

    @property
    def window(self) -> FitWindow:
        """That of the plan."""
        return self.plan.window

    @property
    def problem(self) -> "Problem":
        """That of the plan."""
        return self.plan.problem


@contextmanager
def fitting_in(pool: Executor) -> Iterator[None]:
    """Have `Deconvolve` fit its blocks of spectra in a pool's threads, processes or machines, for as long as this lasts.

    Parameters
    ----------
    pool : any executor, such as `concurrent.futures.ProcessPoolExecutor` or what `get_executor` of a Dask client gives

    Notes
    -----
    Blocks hold some thousand spectra, so a small map is one.  Processes that must first start and load torch pay from some 100,000
    spectra on.
    """
    token = _pool.set(pool)
    try:
        yield
    finally:
        _pool.reset(token)


def in_blocks(plans: Sequence[Plan], spectra: Pixels, progress: Done) -> Iterator[Fit]:
    """Fits of all spectra, some thousand at a time and those window after window."""
    work = [(plan, chunk) for chunk in spectra.chunks() for plan in plans]
    effort = [plan.window.effort * (chunk.stop - chunk.start) for plan, chunk in work]
    done = [sum(effort[:number]) / max(sum(effort), 1) for number in range(len(work) + 1)]
    pool = _pool.get()
    if pool is not None:
        yield from _pooled(pool, work, spectra, lambda number: progress(done[number]))
        return
    for number, (plan, chunk) in enumerate(work):
        begun, ended = done[number : number + 2]
        yield plan.fit(spectra.of(plan.window, chunk), partial(_within, progress, begun, ended - begun))


def _pooled(pool: Executor, work: Sequence[tuple[Plan, slice]], spectra: Pixels, told: Callable[[int], None]) -> Iterator[Fit]:
    """The same from a pool, in their order; few blocks are on their way at a time, so that a large map is not held whole."""
    waiting: deque[Future[Fit]] = deque()
    try:
        for number, (plan, chunk) in enumerate(work):
            if len(waiting) == AHEAD:
                told(number - AHEAD)
                yield waiting.popleft().result()
            waiting.append(pool.submit(plan.fit, spectra.of(plan.window, chunk)))
        while waiting:
            told(len(work) - len(waiting))
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _within(progress: Done, begun: float, share: float, done: float) -> None:
    progress(begun + share * done)

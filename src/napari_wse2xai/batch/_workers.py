"""Jobs in one process or in several: each ends with an outcome or with the reason why there is none."""

import multiprocessing
import os
import signal
import time
import traceback
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

from napari_wse2xai.batch._cluster import client_of, died, on_workers
from napari_wse2xai.batch._jobs import Ended, FlakeJob, FlakeOutcome, FlakeRow, as_they_end, work
from napari_wse2xai.errors import Cancelled, UserError, counted
from napari_wse2xai.numerics.library_threads import cores
from napari_wse2xai.processes import server_context
from napari_wse2xai.progress import Progress, part

Watch = Callable[[FlakeRow], object]
"""Told the row of a flake when it is begun and when it ends, in the thread that runs the batch."""

_ROUNDS = 2
"""How often jobs are begun side by side; after that one at a time, so that one that ends its process is known."""
_stop: Any = None
"""Set where the caller wants no more; in a process of a pool it is the pool's."""


def outcomes(
    jobs: Sequence[FlakeJob], folder: Path, telling: "Telling", processes: int | None, scheduler: object = None, *, apart: bool = False
) -> Generator[tuple[FlakeJob, FlakeOutcome], None, None]:
    """Do jobs, and give each with what came of it as soon as it is done.

    Parameters
    ----------
    processes : how many at once; None for one per core.  With 1 they run in this process, one after the other.
    scheduler : address of a Dask scheduler, or its client, whose workers do them instead
    apart : even one process is another than this one
    """
    count = max(1, min(processes or cores(), len(jobs)))
    with _done_by(jobs, folder, telling, count if apart or count > 1 else 0, scheduler) as done:
        for job, future in done:
            outcome = _come_of(job, future)
            telling.done(job, outcome)
            yield job, outcome


@contextmanager
def _done_by(jobs: Sequence[FlakeJob], folder: Path, telling: "Telling", count: int, scheduler: object) -> Iterator[Iterator[Ended]]:
    """Jobs as they end: on a cluster, in processes of their own, or here where there are none."""
    if scheduler is None:
        yield _apart(jobs, folder, telling, count) if count else _here(jobs, folder, telling)
        return
    with client_of(scheduler) as client, closing(on_workers(client, jobs, folder, telling.beat)) as done:
        yield done


class Telling:
    """Progress of all jobs, with the time that is left, and the row of each when it is begun and when it ends."""

    def __init__(self, progress: Progress, count: int, watch: Watch) -> None:
        self.progress, self.count, self.ended, self.worked, self._begun = progress, count, 0, 0, time.monotonic()
        self._said, self._watch, self._at_work = f"0 of {counted(count, 'flake')}: at work", watch, set[str]()

    def begun(self, jobs: Iterable[FlakeJob]) -> None:
        """Tell of each once that it is worked on."""
        for job in jobs:
            if job.home not in self._at_work:
                self._at_work.add(job.home)
                self._watch(job.begun())

    def done(self, job: FlakeJob, outcome: FlakeOutcome) -> None:
        self.ended += 1
        self.worked += not outcome.again
        left = (time.monotonic() - self._begun) / max(self.worked, 1) * (self.count - self.ended)
        words = f"{job.name} {'was done before' if outcome.again else outcome.row.state}"
        time_left = f", about {_duration(left)} left" if self.worked and self.ended < self.count else ""
        self._said = f"{self.ended} of {counted(self.count, 'flake')}{time_left}: {words}"
        self._watch(outcome.row)
        self.beat()

    def beat(self) -> None:
        """Let the caller stop."""
        self.progress(self.ended / self.count, self._said)


def _duration(seconds: float) -> str:
    return f"{max(seconds, 1):.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _come_of(job: FlakeJob, future: "Future[FlakeOutcome]") -> FlakeOutcome:
    """FlakeOutcome of a job; whatever went wrong in it is its own."""
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, UserError):
        return job.failed(str(error))
    if isinstance(error, BrokenProcessPool) or died(error):
        return job.failed(
            "The process that worked on it was ended from outside, or for lack of memory; run it alone, or with fewer --jobs."
        )
    if not isinstance(error, Exception) or isinstance(error, Cancelled):
        raise error
    where = "".join(traceback.format_exception(error))
    outcome = job.failed(f"A fault of the program, please report it ({type(error).__name__}: {' '.join(str(error).split())[:200]}).")
    return FlakeOutcome(outcome.row, told=(where,))


# In this process


def _here(jobs: Sequence[FlakeJob], folder: Path, telling: Telling) -> Iterator[Ended]:
    stopped = Event()
    with ThreadPoolExecutor(1, thread_name_prefix="flake") as pool:
        for index, job in enumerate(jobs):
            telling.begun([job])
            within = part(telling.progress, index / len(jobs), (index + 1) / len(jobs), job.name)
            future = pool.submit(work, job, folder, partial(_unless_stopped, stopped, within))
            try:
                wait([future])
            finally:
                stopped.set() if not future.done() else None
            yield job, future


def _unless_stopped(stopped: Event, progress: Progress, fraction: float, message: str) -> None:
    if stopped.is_set():
        raise Cancelled
    progress(fraction, message)


# In several processes


def _apart(jobs: Sequence[FlakeJob], folder: Path, telling: Telling, count: int) -> Iterator[Ended]:
    waiting = list(jobs)
    for _ in range(_ROUNDS):
        broken = []
        for job, future in _pooled(waiting, folder, telling, count):
            if isinstance(future.exception(), BrokenProcessPool):
                broken.append(job)
            else:
                yield job, future
        waiting = broken
    for job in waiting:
        yield from _pooled([job], folder, telling, 1)


def _pooled(jobs: Sequence[FlakeJob], folder: Path, telling: Telling, count: int) -> Iterator[Ended]:
    """Jobs of one pool, each as soon as it ends."""
    if not jobs:
        return
    context = server_context(figures=any(job.figures for job in jobs))
    stop = context.Event()
    with ProcessPoolExecutor(count, mp_context=context, initializer=_begin, initargs=(stop,)) as pool:
        ours = {pool.submit(_in_process, job, folder): job for job in jobs}
        try:
            yield from as_they_end(ours, partial(_beat, telling, ours, count))
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)


def _beat(telling: Telling, ours: "Mapping[Future[FlakeOutcome], FlakeJob]", count: int) -> None:
    """Tell which jobs are worked on: a pool takes one more than it has processes, and does them in the order in which they came."""
    telling.begun([job for future, job in ours.items() if future.running()][:count])
    telling.beat()


def _begin(stop: object) -> None:
    """Make a process ready: an interrupt is the caller's, and without a caller there is nothing to do."""
    global _stop  # noqa: PLW0603 - what an initializer leaves behind
    _stop = stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_caller, daemon=True).start()


def _end_with_caller() -> None:
    caller = multiprocessing.parent_process()
    if caller is not None:
        caller.join()
        os._exit(1)


def _in_process(job: FlakeJob, folder: Path) -> FlakeOutcome:
    return work(job, folder, _go_on)


def _go_on(fraction: float, message: str) -> None:
    if _stop is not None and _stop.is_set():
        raise Cancelled

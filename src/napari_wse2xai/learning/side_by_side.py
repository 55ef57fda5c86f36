"""A second line of work in a thread of its own, for as long as the first goes on."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from threading import Event
from typing import TypeVar

from napari_wse2xai.errors import Cancelled, StopTraining
from napari_wse2xai.numerics.library_threads import single_threaded
from napari_wse2xai.numerics.threads import single_thread
from napari_wse2xai.progress import Progress

Outcome = TypeVar("Outcome")
PATIENCE_S = 0.3
"""Who waits is told this often how far the other work is."""


@contextmanager
def beside(work: Callable[[Progress], Outcome]) -> Iterator[Callable[[Progress], Outcome]]:
    """Begin work in another thread; gives a function that waits for its outcome and tells a progress how far it is.

    Notes
    -----
    All libraries keep to one thread in both: they share the cores so, and sums come out the same every time.  Where the block ends by an
    exception, the work ends at its next report.
    """
    given_up, latest = Event(), (0.0, "")

    def told(fraction: float, message: str) -> None:
        nonlocal latest
        latest = fraction, message
        if given_up.is_set():
            raise Cancelled

    with single_threaded(), single_thread(), ThreadPoolExecutor(1) as pool:
        future = pool.submit(work, told)

        def outcome(progress: Progress) -> Outcome:
            while not wait([future], PATIENCE_S).done:
                with suppress(StopTraining):  # meant for networks
                    progress(*latest)
            return future.result()

        try:
            yield outcome
        finally:
            given_up.set()

"""One torch thread for many small tensors, and several such at once."""

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def single_thread() -> Iterator[None]:
    """Run torch on one thread: for cache-sized chunks the threads' barriers cost more than they give, on a busy machine ten times more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def in_threads(work: Callable[[Any], Any], jobs: Sequence[Any], *, workers: int | None = None) -> Generator[Any, None, None]:
    """Do jobs side by side, one per core, torch on one thread in each; results come in order, so that they do not depend on the threads."""
    count = max(1, min(workers or _cores(), len(jobs)))
    with single_thread(), ThreadPoolExecutor(count) as pool:
        waiting = [pool.submit(work, job) for job in jobs]
        try:
            for future in waiting:
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def _cores() -> int:
    """Number of cores that this process may use."""
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1

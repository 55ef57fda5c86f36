"""One torch thread for many small tensors, and several such at once."""

from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import torch

from napari_wse2xai.numerics.library_threads import cores


@contextmanager
def single_thread() -> Iterator[None]:
    """Run torch on one thread: for cache-sized chunks the threads' barriers cost more than they give, on a busy machine ten times more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def in_threads(work: Callable[[Any], Any], jobs: Sequence[object], *, workers: int | None = None) -> Generator[Any, None, None]:
    """Do jobs side by side, one per core, torch on one thread in each; results come in order, so that they do not depend on the threads."""
    count = max(1, min(workers or cores(), len(jobs)))
    with single_thread(), ThreadPoolExecutor(count) as pool:
        waiting = [pool.submit(work, job) for job in jobs]
        try:
            for future in waiting:
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)

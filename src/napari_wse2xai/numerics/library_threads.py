"""The numerical libraries on one thread each, and how many cores there are."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


def cores() -> int:
    """Number of cores that this process may use."""
    usable = getattr(os, "sched_getaffinity", None)
    return len(usable(0)) if usable else os.cpu_count() or 1


@contextmanager
def single_threaded(*, learning: bool = True) -> Iterator[None]:
    """Run BLAS and OpenMP on one thread.

    On small tables their threads wait for one another: on a busy machine that takes ten to a hundred times as long.  The limit holds for
    what is loaded when it is set, so what is needed later is loaded first.

    Parameters
    ----------
    learning : scikit-learn is needed, too; it takes longer to load than a small flake to fit
    """
    import scipy.linalg  # noqa: F401 - brings a BLAS of its own

    if learning:
        import sklearn.metrics  # noqa: F401 - brings an OpenMP of its own
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield

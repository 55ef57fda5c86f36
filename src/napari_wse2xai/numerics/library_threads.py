"""The numerical libraries on one thread each."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def single_threaded() -> Iterator[None]:
    """Run BLAS and OpenMP on one thread.

    On small tables their threads wait for one another: on a busy machine that takes ten to a hundred times as long.  The limit holds for
    what is loaded when it is set, so what is needed later is loaded first.
    """
    import scipy.linalg  # noqa: F401 - brings a BLAS of its own
    import sklearn.metrics  # noqa: F401 - brings an OpenMP of its own
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield

"""Two networks trained side by side, in threads and in processes, against one after the other.

``python benchmarks/two_networks.py [--rounds 5] [--epochs 40]`` (Linux).  What a thread waited for a core is the system's own count
(``/proc/self/task/*/schedstat``) and is taken off its time; what is left beside its own work is what it waited for Python's lock.  On a
busy machine the two seldom run at once and so wait less than they would: only a quiet machine, where both numbers agree, says it of
threads.  Loading libraries is not counted: processes that train are there already, as in a batch.
"""

import argparse
import threading
import time
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from napari_wse2xai.learning.regressor import SpectralCNNRegressor
from napari_wse2xai.numerics.library_threads import single_threaded
from napari_wse2xai.numerics.threads import single_thread

RNG = np.random.default_rng(0)
X = RNG.normal(size=(1600, 9))
Y = np.tanh(X[:, 0]) + 0.3 * X[:, 1] ** 2 + 0.1 * RNG.normal(size=1600)


def scheduled() -> tuple[float, float]:
    """Seconds that this thread ran, and that it waited for a core."""
    ran, waited, _ = Path(f"/proc/self/task/{threading.get_native_id()}/schedstat").read_text().split()
    return int(ran) / 1e9, int(waited) / 1e9


def trained(seed: int, epochs: int) -> tuple[float, float, float]:
    """Train one network: seconds on the clock, without those for which it waited for a core, and that it ran."""
    begun, clock = scheduled(), time.perf_counter()
    with single_threaded(), single_thread():
        SpectralCNNRegressor(random_state=seed, max_epochs=epochs).fit(X, Y)
    clock, ended = time.perf_counter() - clock, scheduled()
    return clock, clock - (ended[1] - begun[1]), ended[0] - begun[0]


def side_by_side(pool: Executor, epochs: int, lone: np.ndarray) -> str:
    """Both at once, over one after the other."""
    both = np.array(list(pool.map(trained, (1, 2), (epochs, epochs))))
    return "clock {:.2f}, free cores {:.2f}, work {:.2f}".format(*both[:, :2].max(axis=0) / lone[:2], both[:, 2].sum() / lone[2])


def main() -> None:
    """Print what each round took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=40)
    given = parser.parse_args()
    with ThreadPoolExecutor(2) as threads, ProcessPoolExecutor(2, get_context("spawn")) as processes:
        for pool in (threads, processes):
            list(pool.map(trained, (1, 2, 1, 2), (2, 2, 2, 2)))  # libraries, and the teachers, which are remembered
        for _ in range(given.rounds):
            lone = np.array([trained(seed, given.epochs) for seed in (1, 2)]).sum(axis=0)
            told = [f"{name}: {side_by_side(pool, given.epochs, lone)}" for name, pool in (("threads", threads), ("processes", processes))]
            print("; ".join(told), flush=True)


if __name__ == "__main__":
    main()

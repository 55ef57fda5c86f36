"""Times of rivals measured in turns, so that a busy machine slows all of them alike."""

import statistics
import time
from collections.abc import Callable, Mapping


def median_seconds(
    rivals: Mapping[str, Callable[[], object]], rounds: int, *, before: Callable[[], object] = lambda: None
) -> dict[str, float]:
    """Run every rival once per round, after one round that does not count; give the median time of each.

    Ratios are of use, seconds are not: they depend on the machine and on what else it does.  What `before` does is not timed.
    """
    taken: dict[str, list[float]] = {name: [] for name in rivals}
    for count in range(rounds + 1):
        for name, run in rivals.items():
            before()
            started = time.perf_counter()
            run()
            if count:
                taken[name].append(time.perf_counter() - started)
    return {name: statistics.median(times) for name, times in taken.items()}


def print_ratios(seconds: Mapping[str, float], to: str) -> None:
    """Print one line per rival: how many times as long as `to` it takes."""
    for name, value in seconds.items():
        print(f"  {name:<44s} {value / seconds[to]:8.2f} x   ({value:.4g} s)")

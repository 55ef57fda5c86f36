"""How long work tells how far it is."""

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Called with the fraction done (0 to 1) and a few words; may raise `Cancelled`."""


def silent(fraction: float, message: str) -> None:
    """Report nothing: the progress of a call from Python."""


def part(progress: Progress, start: float, end: float, label: str = "") -> Progress:
    """Report one part of a whole, from `start` to `end`, as the whole's; under a label of its own where it has one."""

    def tell(fraction: float, message: str) -> None:
        progress(start + (end - start) * fraction, ": ".join(filter(None, (label, message))))

    return tell

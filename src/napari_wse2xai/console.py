"""What a command says: on standard output what it made, on standard error how far it is and what to know, in a log all of it."""

import argparse
import datetime
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from napari_wse2xai._version import __version__
from napari_wse2xai.errors import DataWarning

if TYPE_CHECKING:
    from napari_wse2xai.progress import Progress

LOG = "run.log"
"""File in the output folder of a run that says when what was done; later runs into the same folder add to it."""
QUIET, USUAL, LOUD = 0, 1, 2


class _Said:
    """How much is said, and what was said so far."""

    def __init__(self, loudness: int = USUAL) -> None:
        self.loudness, self.lines = loudness, list[str]()

    def note(self, line: str) -> None:
        """Keep a line for the log."""
        self.lines.append(f"{datetime.datetime.now().astimezone():%Y-%m-%d %H:%M:%S%z} {line}\n")


_said = _Said()


def add_loudness(command: argparse.ArgumentParser) -> None:
    """Add ``-v`` and ``-q``."""
    loudness = command.add_mutually_exclusive_group()
    told = {"dest": "loudness", "action": "store_const", "default": USUAL}
    loudness.add_argument("-v", "--verbose", const=LOUD, help="say every step of the work, with the time", **told)  # type: ignore[arg-type]
    loudness.add_argument("-q", "--quiet", const=QUIET, help="say nothing of how far it is; warnings and errors stay", **told)  # type: ignore[arg-type]


@contextmanager
def speaking(options: argparse.Namespace, command: str) -> Iterator[None]:
    """Speak as loudly as the options want it, and leave a log in the output folder of a run that came to have one.

    Parameters
    ----------
    command : as it was given, for the log
    """
    global _said  # noqa: PLW0603 - one program, one log
    _said = _Said(getattr(options, "loudness", USUAL))
    _said.note(f"napari-wse2xai {__version__}: {command}")
    try:
        yield
    finally:
        if sys.exc_info()[1] is not None:
            _said.note(traceback.format_exc())
        if getattr(options, "keeps_log", False) and options.output is not None:
            _write_log(options.output)


def _write_log(folder: Path) -> None:
    """Add what was said to the log, where the run left anything it could lie beside."""
    if not folder.is_dir() or not any(folder.glob("*.*")):
        return
    from napari_wse2xai.data.history import environment

    _said.note(", ".join(f"{name} {version}" for name, version in environment().items()))
    with suppress(OSError), (folder / LOG).open("a", encoding="utf-8") as log:
        log.writelines(_said.lines)


def say(line: str) -> None:
    """Say what was made."""
    _said.note(line)
    sys.stdout.write(f"{line}\n")


def tell(line: str) -> None:
    """Say what to know."""
    _said.note(line)
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


@contextmanager
def progress() -> "Iterator[Progress]":
    """Give a bar on a terminal, elsewhere one line whenever a new step begins."""
    if not sys.stderr.isatty() or _said.loudness != USUAL:
        yield _LogLines()
        return
    from tqdm import tqdm

    lines = _LogLines(shown=False)
    with tqdm(total=100, bar_format="{l_bar}{bar}| {elapsed} {desc}", file=sys.stderr, leave=False) as bar:

        def show(fraction: float, message: str) -> None:
            lines(fraction, message)
            bar.set_description_str(message[:60], refresh=message[:60] != bar.desc)
            bar.update(round(100 * fraction, 1) - bar.n)

        yield show


class _LogLines:
    """Progress for a log: one line per step, not one per chunk."""

    def __init__(self, *, shown: bool = True) -> None:
        self._last, self._shown = "", shown and _said.loudness > QUIET

    def __call__(self, fraction: float, message: str) -> None:
        """Write a line where the step, the message's part before its last colon, is a new one; of every message where all are wanted."""
        step = message if _said.loudness == LOUD else message.rpartition(":")[0] or message
        if step == self._last:
            return
        self._last = step
        line = f"[{100 * fraction:3.0f} %] {step}"
        _said.note(line)
        if self._shown:
            clock = f"{datetime.datetime.now():%H:%M:%S} " if _said.loudness == LOUD else ""
            sys.stderr.write(f"{clock}{line}\n")
            sys.stderr.flush()


@contextmanager
def plain_warnings() -> Iterator[None]:
    """Write what the user should know about the data as one line each, not as Python writes warnings."""
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(
            message: Warning | str, category: type[Warning], filename: str, lineno: int, file: TextIO | None = None, line: str | None = None
        ) -> None:
            if issubclass(category, DataWarning):
                tell(f"warning: {message}")
            else:
                usual(message, category, filename, lineno, file, line)

        warnings.simplefilter("always", DataWarning)
        warnings.showwarning = show
        yield

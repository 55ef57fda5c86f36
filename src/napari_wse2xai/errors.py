"""What can go wrong, in sentences for the person at the instrument.

Every message says what is wrong, where, and what to do; the command line prints it alone, a dock widget shows it under its button.
"""

from typing import Any


class UserError(Exception):
    """A user's input cannot be used: the message is one clear sentence, never followed by a traceback."""


class ReaderError(UserError):
    """A file cannot be read as a map."""


class DataError(UserError):
    """A map is not fit for what is asked of it."""


class AmbiguousPairing(DataError):  # noqa: N818 - what the user has, not what went wrong
    """The PL map fits on the RS map in several ways, and nothing but the user can tell which is right."""

    def __init__(self, message: str, candidates: tuple[Any, ...] = ()) -> None:
        super().__init__(message)
        self.candidates = candidates
        """The placings (`data.Candidate`), in the order in which they are numbered."""


class SettingsError(UserError):
    """A recipe or a form holds a value that cannot be used."""


class Cancelled(Exception):  # noqa: N818 - not an error: the user asked for it
    """The user pressed Cancel; raised by a progress callback, through every loop, up to who started the work."""


class StopTraining(Cancelled):
    """The user wants no more epochs, but what was learnt so far: training goes on with the best weights."""


class DataWarning(UserWarning):
    """Something about the data that the user should know, though work can go on."""


def sentence(reason: str) -> str:
    """A reason as a sentence of its own: begun with a capital letter, and ended."""
    return f"{reason[:1].upper()}{reason[1:]}."


def counted(count: int, noun: str, plural: str = "") -> str:
    """Number and noun that agree: ``1 pixel``, ``2 pixels``, ``2 spectra``."""
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"

"""Damaged files raise one sentence, whatever the library that reads them stumbles over; so does what the machine refuses."""

import errno
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.errors import DataWarning, ReaderError, counted
from napari_wse2xai.io.stored import bands

PARSER_ERRORS = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What the parsing libraries raise on bytes that are not what they expect; a `UserError` is none of these."""


_NOT_THE_FILE = {
    errno.EACCES: "you may not read it; ask for the right to, or for a copy",
    errno.EPERM: "you may not read it; ask for the right to, or for a copy",
    errno.EIO: "the disk or the network gave an error; try again, or copy it to another disk",
    errno.ESTALE: "the network drive has lost it; connect the drive again",
    errno.ETIMEDOUT: "the network drive does not answer; connect it again",
    errno.ENOENT: "it is gone; check the name and the folder",
    errno.EMFILE: "too many files are open at once; close some",
    errno.ENFILE: "too many files are open at once; close some",
    errno.ENOMEM: "it needs more memory than is free; close other programs, or take a computer with more",
}
"""What the system says that is no fault of a file's bytes."""


@contextmanager
def readable_as(what: str, path: Path, *own_errors: type[Exception]) -> Iterator[None]:
    """Turn what a parsing library raises on a damaged file into a `ReaderError`; `own_errors` are classes of that library."""
    caught: tuple[type[Exception], ...] = (*PARSER_ERRORS, *own_errors)
    try:
        yield
    except caught as error:
        detail = (str(error) or type(error).__name__).splitlines()[0][:120]
        number = errno.ENOMEM if isinstance(error, MemoryError) else number_of(error)
        if number in _NOT_THE_FILE:
            raise ReaderError(f"'{path.name}' cannot be read ({detail}): {_NOT_THE_FILE[number]}.") from error
        raise ReaderError(
            f"'{path.name}' cannot be read as {what} ({detail}); it is incomplete, damaged or of another kind: copy or export it again."
        ) from error


def number_of(error: Exception) -> int:
    """Error number of the operating system, 0 where there is none; HDF5 gives it within its text only, when closing as a RuntimeError."""
    number = getattr(error, "errno", None)
    if number is None:
        _, _, tail = str(error).partition("errno = ")
        digits = tail.partition(",")[0]
        number = int(digits) if digits.isdigit() else 0
    return int(number)


def warn_of_holes(values: NDArray[np.float32], name: str) -> None:
    """Say how many values are NaN or infinite; the last axis is the spectral one."""
    n_bad = n_pixels = 0
    for band in bands(values.shape):
        finite = np.isfinite(values[band])
        if not finite.all():
            n_bad += int(finite.size - np.count_nonzero(finite))
            n_pixels += int(np.count_nonzero(~finite.all(axis=-1)))
    if n_bad:
        are = "is no finite number; it counts" if n_bad == 1 else "are not finite numbers; they count"
        where = f"{counted(n_bad, 'value')} in {counted(n_pixels, 'pixel')}"
        warnings.warn(f"'{name}': {where} {are} as not measured.", DataWarning, stacklevel=2)

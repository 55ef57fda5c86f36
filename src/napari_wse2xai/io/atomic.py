"""A file appears under its final name complete, or not at all."""

import errno
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

from napari_wse2xai.errors import UserError
from napari_wse2xai.io.damage import number_of
from napari_wse2xai.io.left_over import clear_left_over, temporary_name

_LARGE = 2**26
"""Bytes from which a file is sent to the disk while it is written."""
_BETWEEN_FLUSHES_S = 0.02
_REASONS = {
    errno.ENOSPC: "the disk is full; free some space or choose another folder",
    errno.EDQUOT: "the quota on this disk is used up; free some space or choose another folder",
    errno.EFBIG: "files may not grow that large there; choose another folder",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.EACCES: "you may not write there; choose another folder or ask for the right to write",
    errno.EPERM: "you may not write there; choose another folder or ask for the right to write",
    errno.ENOTDIR: "part of that path is a file, not a folder; choose another folder",
    errno.EEXIST: "a file of that name stands where the folder should be; choose another folder",
    errno.EISDIR: "there is a folder of that name; choose another file name",
}


@contextmanager
def new_file(path: str | Path, *, expected_bytes: int = 0) -> Iterator[Path]:
    """Give a temporary path to write to; it takes the place of `path` when the block ends well, and is removed otherwise.

    The temporary file lies in the same folder, so that the replacement is one atomic step; those of killed runs are cleared from there.
    Missing folders are made.
    Whatever prevents the writing (no space, no right, no folder) raises a `UserError` that names the folder.

    Parameters
    ----------
    expected_bytes
        About the size of what will be written: that much space is asked for first, where the system can say whether it has it.
        HDF5 must not run out of space half-way: closing a file that cannot be written may end the whole process.
    """
    target = Path(path).expanduser()
    with told_plainly(target):
        temporary = _make_beside(target)
        try:
            _ask_for_space(temporary, expected_bytes)
            with _flushed_meanwhile(temporary, expected_bytes):
                yield temporary
            _flush_to_disk(temporary)
            temporary.replace(target)
        finally:
            with suppress(FileNotFoundError):
                temporary.unlink()


def _make_beside(target: Path) -> Path:
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    clear_left_over(target.parent)
    place = target.parent / temporary_name(target.stem, target.suffix)
    with place.open("xb"):
        return place


def _ask_for_space(path: Path, size: int) -> None:
    """Reserve space and give it back at once; raises OSError where there is not enough."""
    if size and hasattr(os, "posix_fallocate"):
        with path.open("rb+") as file:
            os.posix_fallocate(file.fileno(), 0, size)
            file.truncate(0)


@contextmanager
def _flushed_meanwhile(path: Path, size: int) -> Iterator[None]:
    """Send a large file to the disk while it is written, so that little is left to wait for at its end."""
    if size < _LARGE or os.name != "posix":
        yield
        return
    complete = Event()
    with ThreadPoolExecutor(1) as pool:
        flushing = pool.submit(_keep_flushing, path, complete)
        try:
            yield
        finally:
            complete.set()
        flushing.result()


def _keep_flushing(path: Path, complete: Event) -> None:
    while not complete.wait(_BETWEEN_FLUSHES_S):
        _flush_to_disk(path)


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as written:
        os.fsync(written.fileno())


@contextmanager
def told_plainly(target: Path) -> Iterator[None]:
    """Turn what the system says against writing a file into a `UserError`."""
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(number_of(error), f"{error.strerror or error}; choose another folder")
        raise UserError(f"'{target.name}' cannot be written to the folder '{target.parent}': {reason}.") from error
    except RuntimeError as error:
        number = number_of(error)
        if number not in _REASONS:
            raise
        raise UserError(f"'{target.name}' cannot be written to the folder '{target.parent}': {_REASONS[number]}.") from error

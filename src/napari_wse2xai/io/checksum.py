"""SHA-256 of a file, or of all files of a folder, and whether it stayed what it was while it was read."""

import hashlib
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from napari_wse2xai.data.history import SAMPLE, LateSettings
from napari_wse2xai.errors import DataWarning, ReaderError
from napari_wse2xai.io.damage import readable_as
from napari_wse2xai.io.stored import is_large

State = tuple[tuple[str, int, int, int, int], ...]
_PIECES, _PIECE = 64, 4096
"""Pieces of a large file, and bytes of each, by which it is told from others at once."""
_SETTLED_NS = 2_000_000_000
"""Age of the last change from which a checksum is remembered: clocks of file systems are coarse, and a file may be written to twice in a
tick."""


def sha256(source: Path) -> str:
    """Checksum of a file, or of the names and content of all files in a folder; read again only where a file changed since."""
    with readable_as("a file", source):
        if source.is_file():
            state = _state(source)[0]
            return _remembered(state) if time.time_ns() - max(state[2], state[3]) > _SETTLED_NS else _digest(source)
        total = hashlib.sha256()
        for path in _files(source):
            total.update(f"{path.relative_to(source).as_posix()} {sha256(path)}\n".encode())
        return total.hexdigest()


@cache
def _remembered(state: tuple[str, int, int, int, int]) -> str:
    return _digest(Path(state[0]))


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@dataclass(frozen=True)
class Seen:
    """What a file was when it was opened: without this, the checksum in a history could be of other bytes than those read."""

    source: Path
    state: State

    @classmethod
    def now(cls, source: Path) -> "Seen":
        """Note what a file is."""
        with readable_as("a file", source):
            return cls(source, _state(source))

    @property
    def is_large(self) -> bool:
        """Whether reading all of it takes its time."""
        return is_large(sum(size for _, size, *_ in self.state))

    @property
    def is_same(self) -> bool:
        """Whether it is still what it was."""
        with readable_as("a file", self.source):
            return _content(_state(self.source)) == _content(self.state)

    def require_same(self) -> None:
        """Refuse a file that is another one now."""
        if not self.is_same:
            raise ReaderError(f"'{self.source.name}' was changed while it was read; wait until it is complete, and open it again.")

    @cached_property
    def sample(self) -> str:
        """Checksum of names, sizes and some pieces from all over the files: not of every byte, but known at once."""
        total, every = hashlib.sha256(), sum(size for _, size, *_ in self.state)
        starts, passed = [every * number // _PIECES for number in range(_PIECES)], 0
        with readable_as("a file", self.source):
            for place, size, *_ in self.state:
                name = "" if place == str(self.source) else Path(place).relative_to(self.source).as_posix()
                total.update(f"{name} {size}\n".encode())
                for piece in _pieces(place, [start - passed for start in starts if passed <= start < passed + size]):
                    total.update(piece)
                passed += size
        return total.hexdigest()

    def late_sha256(self) -> str:
        """Checksum of what was opened, taken now; empty, with a warning, where the file is another or gone."""
        try:
            found = sha256(self.source) if self.is_same else ""
            found = found if self.is_same else ""
        except ReaderError:
            found = ""
        if not found:
            what = f"'{self.source.name}' was changed or removed before its SHA-256 was taken"
            warnings.warn(f"{what}: what was made from it cannot be rerun by its record.", DataWarning, stacklevel=2)
        return found


def _pieces(place: str, starts: list[int]) -> Iterator[bytes]:
    if starts:
        with open(place, "rb") as stream:
            for start in starts:
                stream.seek(start)
                yield stream.read(_PIECE)


@contextmanager
def checked(source: Path, *, at_once: bool = False) -> Iterator[Callable[[Mapping[str, Any], bool], Mapping[str, Any]]]:
    """Take a file's checksum while it is read; gives what adds it to some settings, told whether the numbers stay in the file.

    Where these do, so that opening a file of many gigabytes reads hardly any of it, the checksum is taken when it is first asked for.

    Parameters
    ----------
    at_once : for who will read all of the file anyway
    """
    seen = Seen.now(source)
    with ThreadPoolExecutor(1) as pool:
        digest = pool.submit(sha256, source) if at_once or not seen.is_large else None  # hashing releases the interpreter lock

        def with_checksum(told: Mapping[str, Any], stays: bool) -> Mapping[str, Any]:
            known = {**told, **({SAMPLE: seen.sample} if seen.is_large else {})}
            if digest is None and stays:
                seen.require_same()
                return LateSettings(known, "sha256", seen.late_sha256)
            known["sha256"] = digest.result() if digest is not None else sha256(source)
            seen.require_same()
            return known

        yield with_checksum


def _state(source: Path) -> State:
    """Place, size, times of the last changes of content and of entry, and number of a file, or of every file in a folder."""
    files = [source] if source.is_file() else _files(source)
    return tuple((str(path), it.st_size, it.st_mtime_ns, it.st_ctime_ns, it.st_ino) for path in files for it in [path.stat()])


def _content(state: State) -> list[tuple[str, int, int]]:
    """What tells of content alone: rights may be changed, and the file linked to, meanwhile."""
    return [(place, size, changed) for place, size, changed, *_ in state]


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())

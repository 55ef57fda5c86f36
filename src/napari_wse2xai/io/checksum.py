"""SHA-256 of a file, or of all files of a folder, and whether it stayed what it was while it was read."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.damage import readable_as

State = tuple[tuple[str, int, int], ...]


def sha256(source: Path) -> str:
    """Checksum of a file, or of the names and content of all files in a folder."""
    with readable_as("a file", source):
        if source.is_file():
            with source.open("rb") as stream:
                return hashlib.file_digest(stream, "sha256").hexdigest()
        total = hashlib.sha256()
        for path in _files(source):
            total.update(f"{path.relative_to(source).as_posix()} {sha256(path)}\n".encode())
        return total.hexdigest()


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

    def require_same(self) -> None:
        """Refuse a file that is another one now."""
        with readable_as("a file", self.source):
            same = _state(self.source) == self.state
        if not same:
            raise ReaderError(f"'{self.source.name}' was changed while it was read; wait until it is complete, and open it again.")


def _state(source: Path) -> State:
    """Name, size and time of the last change of a file, or of every file in a folder."""
    files = [source] if source.is_file() else _files(source)
    return tuple((str(path), found.st_size, found.st_mtime_ns) for path in files for found in [path.stat()])


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())

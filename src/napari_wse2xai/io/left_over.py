"""Temporary files and folders that say whose they are, so that the next run clears those of one that was killed, and no live one's."""

import os
import platform
import re
import shutil
import time
import zlib
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

_NAME = re.compile(r"\..*~(?P<host>[0-9a-f]{8})~(?P<process>\d+)~[0-9a-f]{8}(\.[^~]*)?")
_ABANDONED_S = 24 * 3600.0
"""Seconds without a change after which a temporary file of another computer is nobody's any more."""


def temporary_name(stem: str, suffix: str = "") -> str:
    """Hidden name that says which process on which computer it belongs to."""
    return f".{stem[:80]}~{_host()}~{os.getpid()}~{token_hex(4)}{suffix}"


def clear_left_over(folder: Path) -> None:
    """Remove what killed runs have left in a folder."""
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            found = _NAME.fullmatch(entry.name)
            if found and not _is_alive(found["host"], int(found["process"]), Path(entry.path)):
                _remove(Path(entry.path))


def _host() -> str:
    return f"{zlib.crc32(platform.node().encode()):08x}"


def _is_alive(host: str, process: int, place: Path) -> bool:
    """Whether what made a temporary file still runs; on other computers, and where the system cannot say, whether it lately wrote."""
    if host == _host() and os.name == "posix":
        try:
            os.kill(process, 0)  # no signal, only the question
        except ProcessLookupError:
            return False
        except (OSError, OverflowError):
            pass
        else:
            return True
    try:
        return time.time() - place.stat().st_mtime < _ABANDONED_S
    except OSError:
        return True


def _remove(place: Path) -> None:
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
        return
    with suppress(OSError):
        place.unlink()

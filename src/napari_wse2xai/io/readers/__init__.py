"""Files that can be read: one module per format, loaded when a file of it is opened.

A format's module declares its `FORMATS` (`io/formats.py`), from which ``python docs/make_formats.py`` makes the table of all of them, the
manifest and the docs; it has ``read(path, item, told) -> SpectralMap``; where its files may hold several items, ``items(path) ->
tuple[Item, ...]``; where several formats share a suffix, ``recognises(path) -> bool``; and where there may be pictures,
``pictures(path) -> tuple[Picture, ...]``.
"""

import importlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Protocol, cast

from napari_wse2xai._version import __version__
from napari_wse2xai.data import Picture, Record, SpectralMap
from napari_wse2xai.data.acquisition import intensity_unit
from napari_wse2xai.data.stored_counts import is_stored
from napari_wse2xai.errors import DataError, ReaderError
from napari_wse2xai.io import table_layout
from napari_wse2xai.io.checksum import checked
from napari_wse2xai.io.formats import TABLES, Format
from napari_wse2xai.io.items import Item, item_of, require_only
from napari_wse2xai.io.readers._index import FORMATS as FORMATS
from napari_wse2xai.io.told import LISTING, Told
from napari_wse2xai.io.zarr_store import require_self_contained
from napari_wse2xai.numerics.seams import Overlap
from napari_wse2xai.ordinary import require_ordinary, shown


class Reader(Protocol):
    """What the module of a format provides."""

    def items(self, path: Path) -> tuple[Item, ...]:
        """List what the file holds; needed only where that may be more than one item."""

    def read(self, path: Path, item: str | None, told: Told) -> SpectralMap:
        """Read one item, as the user says it is to be read."""

    def recognises(self, path: Path) -> bool:
        """Tell by its content whether a file is of this format; needed only where suffixes are shared."""

    def pictures(self, path: Path) -> tuple[Picture, ...]:
        """Read the pictures in the file; needed only where there may be some."""


LABSPEC_BINARY = ("*.l6m", "*.l6s", "*.l6v", "*.l5m", "*.l5s", "*.ngs", "*.ngc")
"""LabSpec's own files: dropped on the window, they get a sentence from here and not only napari's own."""
_NOT_READ = (
    *((pattern, "Horiba LabSpec", "export it as text (.txt) from LabSpec") for pattern in LABSPEC_BINARY),
    *((pattern, "Bruker OPUS", "save it as a data point table (.dpt) from OPUS") for pattern in ("*.[0-9]", "*.[0-9][0-9]")),
)
"""Formats of which there is no real file to compare a reader with: pattern of the name, software, and the way out of it.
"""


def list_items(path: str | Path) -> tuple[Item, ...]:
    """List the maps and other spectra in a file."""
    source = _existing(path)
    with _naming(source):
        reader = _reader_of(source)
        return reader.items(source) if hasattr(reader, "items") else (item_of(reader.read(source, None, LISTING)),)


def read(
    path: str | Path,
    item: str | None = None,
    *,
    unit: str | None = None,
    overlap: Overlap | None = None,
    swap_xy: bool = False,
    laser_nm: float | None = None,
) -> SpectralMap:
    """Read a map of any known format.

    Parameters
    ----------
    path
        The file; its format follows from suffix and content.
    item
        Name of one of `list_items`; without it the largest map is read, and a warning names the others.
    unit
        Unit of the spectral axis (``cm-1``, ``nm``, ``eV``) for a table that does not say it or says it wrongly.
    overlap
        How the pieces of a stitched spectrum are joined, several positions of a grating whose ranges overlap: ``blend`` (as they were
        measured), ``scale`` or ``offset`` (each multiplied, or shifted, to agree with the one before).  Without it such a file is refused.
    swap_xy
        Whether x and y are to be exchanged, of a file whose reader took one for the other.
    laser_nm
        Wavelength of the laser, for a file that does not say it or says it wrongly.

    Raises
    ------
    ReaderError, DataError
        With one sentence for the user, whatever is wrong with the file.
    """
    with reading(path, item, Told(unit, overlap, swap_xy, laser_nm)) as (found, record):
        return found.with_record(record())


@contextmanager
def reading(path: str | Path, item: str | None, told: Told, *, at_once: bool = False) -> Iterator[tuple[SpectralMap, Callable[[], Record]]]:
    """Read a map; gives it, and what gives the record of `read`.

    Its file's checksum is taken meanwhile, and waited for by the record; of a large file whose counts stay in it only when it is asked for.

    Parameters
    ----------
    at_once : for who will read all counts anyway: the checksum of a large file is taken meanwhile, too
    """
    started = time.perf_counter()
    source = _existing(path)
    with _naming(source), checked(source, at_once=at_once) as settings_of:
        reader = _reader_of(source)
        found = reader.read(source, item, told)
        if not hasattr(reader, "items"):
            require_only(item, item_of(found), source)
        found = _of_one_unit(told.applied(found))

        @cache
        def record() -> Record:
            where = {"file": source.name, "folder": str(source.parent.absolute()), "item": item, **told.settings()}
            return Record("read", settings_of(where, is_stored(found.counts)), __version__, time.perf_counter() - started)

        yield found, record


def _of_one_unit(found: SpectralMap) -> SpectralMap:
    """Map with its unit of intensity written in one way."""
    return replace(found, intensity_unit=intensity_unit(found.intensity_unit))


@contextmanager
def _naming(source: Path) -> Iterator[None]:
    """Say of which file a sentence is that an axis or a map says of itself."""
    try:
        yield
    except (DataError, ReaderError) as error:
        words = str(error)
        if f"'{source.stem}" in words or source.name in words:
            raise
        raise type(error)(f"'{source.name}': {words}") from error


def pictures(path: str | Path) -> tuple[Picture, ...]:
    """Read the pictures in a file, each in its place: scans, and what the microscope's camera saw; empty where there are none."""
    started = time.perf_counter()
    source = _existing(path)
    reader = _reader_of(source)
    if not hasattr(reader, "pictures"):
        return ()
    with checked(source) as settings_of:
        found = reader.pictures(source)
        record = Record("read", settings_of({"file": source.name}, True), __version__, time.perf_counter() - started)
    return tuple(picture.with_record(record) for picture in found)


def _existing(path: str | Path) -> Path:
    source = Path(path).expanduser()
    found = require_ordinary(source)
    if found is None:
        raise ReaderError(f"'{shown(source)}' does not exist; check the name and the folder.")
    if source.is_dir() and not any(known.is_folder and known.matches(source) for known in FORMATS):
        raise ReaderError(f"'{shown(source)}' is a folder; choose a file in it.")
    if source.is_dir():
        require_self_contained(source)
    elif found.st_size == 0:
        raise ReaderError(f"'{source.name}' is empty (0 bytes); copy or export it again.")
    return source


def _reader_of(source: Path) -> Reader:
    candidates = [known for known in FORMATS if known.matches(source)]
    if not candidates:
        _refuse_known_strangers(source)
        known = ", ".join(sorted({pattern.lstrip("*") for entry in FORMATS for pattern in entry.patterns}))
        raise ReaderError(f"'{source.name}' is of no known format; files that can be read end in {known}.")
    return _loaded(candidates[0]) if len(candidates) == 1 else _recognised(candidates, source)


def _refuse_known_strangers(source: Path) -> None:
    """Say of a known format that is not read how its spectra get out of their software."""
    for pattern, software, way in _NOT_READ:
        if fnmatch(source.name.lower(), pattern):
            raise ReaderError(f"'{source.name}' is a file of {software}, which is not read: {way}, and open that.")


def table_reader_of(table: Path) -> Reader:
    """Reader of a table of text, whatever its file is called."""
    return _recognised([known for known in FORMATS if known.patterns == TABLES], table)


def _loaded(known: Format) -> Reader:
    """Import the module of a format."""
    return cast("Reader", importlib.import_module(f"{__name__}.{known.module}"))


def _recognised(candidates: Sequence[Format], source: Path) -> Reader:
    for candidate in candidates:
        reader = _loaded(candidate)
        if not hasattr(reader, "recognises") or reader.recognises(source):  # the last of its suffix may take what the others leave
            return reader
    raise table_layout.no_map(source)

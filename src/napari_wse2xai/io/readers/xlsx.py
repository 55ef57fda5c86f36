"""Excel workbooks: every sheet is a table as a text file would hold it, and is read by the same rules.

openpyxl (MIT) is an extra, as few maps come so: ``pip install "napari-wse2xai[xlsx]"``.
"""

import importlib
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree.ElementTree import ParseError

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.errors import DataWarning, ReaderError, UserError
from napari_wse2xai.io import readers
from napari_wse2xai.io.damage import readable_as
from napari_wse2xai.io.formats import Format
from napari_wse2xai.io.items import Item, choose, item_of
from napari_wse2xai.io.told import LISTING, Told

FORMATS = (Format("Excel workbook", ("*.xlsx",), order=190),)

_MOST_UNPACKED = 1 << 30
"""Bytes to which a workbook may unpack."""


def items(path: Path) -> tuple[Item, ...]:
    """List the sheets that hold spectra."""
    with _sheets(path) as sheets:
        return tuple(_items(sheets))


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read one sheet; without a name the one with most spectra."""
    with _sheets(path) as sheets:
        is_plain = len(sheets) == 1 and item is None
        chosen = next(iter(sheets)) if is_plain else choose(_items(sheets), item, path).name
        found = readers.table_reader_of(sheets[chosen]).read(sheets[chosen], None, told)
        return replace(found, name=chosen) if len(sheets) > 1 else found


def _items(sheets: dict[str, Path]) -> list[Item]:
    """Sheets that can be read; where none can, what is wrong with the first."""
    found, refused = [], []
    for name, table in sheets.items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DataWarning)  # told when the sheet is read
                found.append(item_of(readers.table_reader_of(table).read(table, None, LISTING), name))
        except UserError as error:
            refused.append(error)
    if not found:
        raise refused[0]
    return found


@contextmanager
def _sheets(path: Path) -> Iterator[dict[str, Path]]:
    """Every sheet that is not empty as a table of text, which is gone afterwards."""
    with TemporaryDirectory() as folder:
        sheets = _written(path, Path(folder))
        if not sheets:
            raise ReaderError(f"'{path.name}' has only empty sheets; choose another file.")
        yield sheets


def _written(path: Path, folder: Path) -> dict[str, Path]:
    """Write the sheets as tables, each named as the workbook in a folder of its own."""
    library = _library(path)
    damaged = (zipfile.BadZipFile, ParseError, importlib.import_module("openpyxl.utils.exceptions").InvalidFileException)
    sheets = {}
    with readable_as("an Excel workbook", path, *damaged):
        _require_small(path)
        book = library.load_workbook(path, read_only=True, data_only=True, keep_links=False)
        try:
            for number, sheet in enumerate(book.worksheets):
                table = folder / str(number) / path.name
                table.parent.mkdir()
                if _write(sheet, table):
                    sheets[sheet.title] = table
        finally:
            book.close()
    return sheets


def _library(path: Path) -> Any:
    try:
        return importlib.import_module("openpyxl")
    except ImportError as error:
        raise ReaderError(f"'{path.name}' is read by openpyxl; install it with: pip install \"napari-wse2xai[xlsx]\".") from error


def _require_small(path: Path) -> None:
    """Refuse a workbook that unpacks to more than any table of spectra."""
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > _MOST_UNPACKED:
            raise ReaderError(f"'{path.name}' unpacks to more than {_MOST_UNPACKED >> 20} MB; save the sheet with the spectra as .csv.")


def _write(sheet: Any, table: Path) -> bool:
    """Write the cells of a sheet with tabs between them; False where it has none."""
    sheet.reset_dimensions()  # what a file claims of its size is not believed
    is_filled = False
    with table.open("w", encoding="utf-8", newline="") as stream:
        for row in sheet.iter_rows(values_only=True):
            line = "\t".join("" if cell is None else " ".join(str(cell).split()) for cell in row)
            stream.write(line + "\n")
            is_filled = is_filled or bool(line.strip())
    return is_filled

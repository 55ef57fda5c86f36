"""What all text tables share: opening, header lines, cells, and fast reading of the numbers."""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.damage import readable_as
from napari_wse2xai.io.unpacking import open_gzip

if TYPE_CHECKING:
    from pandas._typing import ReadCsvBuffer
    from pandas.io.parsers import TextFileReader

_LONGEST_LINE = 1 << 26
_LONGEST_HEADER = 100_000
"""Header lines; instruments write some hundred at most."""
_CHUNK_VALUES = 1 << 22
"""Numbers parsed at a time: keeps the parser's copies small beside the result."""


@dataclass(frozen=True)
class Style:
    """How a table writes its cells."""

    separator: str
    decimal: str


def open_table(path: Path) -> IO[bytes]:
    """Open a plain or gzip-compressed table, refusing what is no text."""
    stream = open_gzip(path) if path.suffix.lower() == ".gz" else path.open("rb")
    try:
        with readable_as("a text table", path):
            start = stream.read(4096)
            stream.seek(0)
        if b"\0" in start or start.startswith((b"\x89PNG", b"\xff\xd8\xff", b"\x1f\x8b", b"%PDF")):
            raise ReaderError(f"'{path.name}' is not a text table, whatever its name says; choose the exported text file.")
    except ReaderError:
        stream.close()
        raise
    return stream


def stem_of(path: Path) -> str:
    """Name of a table's file without its endings: ``flake 1.5`` for ``flake 1.5.txt.gz``."""
    return Path(path.stem).stem if path.suffix.lower() == ".gz" else path.stem


def decoded(line: bytes) -> str:
    """Text of a line: UTF-8 where it is valid, Latin-1 (LabSpec) otherwise; without its line end."""
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = line.decode("latin-1")
    return text.rstrip("\r\n")


def read_header(stream: IO[bytes]) -> tuple[dict[str, str], str]:
    """Header lines ``#key=<tab>value`` as a dictionary, and the first line after them; a repeated key gets a number."""
    metadata: dict[str, str] = {}
    repeated: dict[str, int] = {}
    line = decoded(stream.readline(_LONGEST_LINE))
    while line.startswith("#"):
        key, _, value = line[1:].partition("=")
        metadata[_unused(key.strip(), metadata, repeated)] = value.strip()
        if len(metadata) > _LONGEST_HEADER:
            raise ReaderError(
                f"The table begins with more than {_LONGEST_HEADER:,} header lines, as no instrument writes; export it again."
            )
        line = decoded(stream.readline(_LONGEST_LINE))
    return metadata, line


def _unused(key: str, taken: dict[str, str], repeated: dict[str, int]) -> str:
    """Key that is not taken: the next number of its own, which `repeated` keeps, so that many alike do not take for ever."""
    number, name = repeated.get(key, 1), key
    while name in taken:
        number += 1
        name = f"{key} ({number})"
    repeated[key] = number
    return name


def style_of(first: str, second: str) -> Style:
    """Separator and decimal sign of a table, from its first two lines."""
    counts = {separator: first.count(separator) for separator in "\t;"}
    separator = max(counts, key=lambda sign: counts[sign])
    if not counts[separator]:
        return Style(",", ".") if "," in first else Style("\t", ".")
    return Style(separator, "," if "," in first + second else ".")


def peek(stream: IO[bytes]) -> str:
    """Next line, which stays to be read."""
    position = stream.tell()
    line = stream.readline(_LONGEST_LINE)
    stream.seek(position)
    return decoded(line)


def cells_of(line: str, style: Style) -> list[str]:
    """Cells of a line, stripped, without the empty ones at its end."""
    cells = [cell.strip() for cell in line.split(style.separator)]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def numbers(cells: list[str], style: Style) -> NDArray[np.float64]:
    """Cells as numbers; a `ValueError` tells of one that is none."""
    return np.array([float(cell.replace(style.decimal, ".")) for cell in cells], dtype=np.float64)


def first_number(text: str) -> float | None:
    """First number in a header value such as ``532 nm``."""
    found = re.search(r"\d+(?:[.,]\d+)?", text)
    return float(found[0].replace(",", ".")) if found else None


def read_numbers(
    stream: IO[bytes], style: Style, n_columns: int, n_exact: int, path: Path
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Rest of a table: its first `n_exact` columns in double precision (m, n_exact), the others in single (m, n)."""
    if style.decimal == "." and 0 < n_exact < n_columns:
        start = stream.tell()
        with readable_as("a table of numbers", path):
            table = _without_gaps(stream, style, n_columns, n_exact)
            if table is not None:
                return table["exact"], table["single"]
            stream.seek(start)
    return _with_gaps(stream, style, n_columns, n_exact, path)


def _without_gaps(stream: IO[bytes], style: Style, n_columns: int, n_exact: int) -> NDArray[np.void] | None:
    """Table without a gap, as ``exact`` and ``single``; None where a cell is empty or no number, or a line too long or short.

    Straight into one array: pandas makes a column of its own of each of a thousand channels, for which a large table takes longer.
    """
    kinds = np.dtype([("exact", np.float64, (n_exact,)), ("single", np.float32, (n_columns - n_exact,))])
    lines = (line for line in stream)  # a generator of Python's: other threads, the window's, may run between two lines
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # a table without lines
        try:
            return np.loadtxt(lines, kinds, comments=None, delimiter=style.separator, ndmin=1, encoding="latin-1")
        except (ValueError, UserWarning):
            return None


def _with_gaps(
    stream: IO[bytes], style: Style, n_columns: int, n_exact: int, path: Path
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """As `read_numbers`, for tables with empty cells or decimal commas."""
    import pandas as pd

    exact, single = [np.empty((0, n_exact))], [np.empty((0, n_columns - n_exact), dtype=np.float32)]
    with readable_as("a table of numbers", path), warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)  # cells that fit no column would be dropped
        try:
            for chunk in _chunks(stream, style, n_columns, n_exact):
                exact.append(chunk.iloc[:, :n_exact].to_numpy(np.float64))
                single.append(chunk.iloc[:, n_exact:].to_numpy(np.float32))
        except pd.errors.EmptyDataError as error:
            raise ReaderError(f"'{path.name}' has a spectral axis but no spectra; export the map again.") from error
        except pd.errors.ParserWarning as error:
            raise ReaderError(f"'{path.name}' has lines with more values than its spectral axis; export the map again.") from error
    del chunk
    return np.concatenate(exact), np.concatenate(single)


def _chunks(stream: IO[bytes], style: Style, n_columns: int, n_exact: int) -> "TextFileReader":
    import pandas as pd

    return pd.read_csv(
        cast("ReadCsvBuffer[bytes]", stream),
        engine="c",
        sep=style.separator,
        decimal=style.decimal,
        header=None,
        names=range(n_columns),
        index_col=False,
        dtype={column: np.float64 if column < n_exact else np.float32 for column in range(n_columns)},
        chunksize=max(1, _CHUNK_VALUES // n_columns),
        na_values=["", "NaN", "nan", "--"],
        encoding="latin-1",
    )


def last_line(path: Path) -> str:
    """Last line of a table that is not blank."""
    last = b""
    with open_table(path) as stream:
        for line in stream:
            last = line if line.strip() else last
    return decoded(last)

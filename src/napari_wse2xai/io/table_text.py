"""What all text tables share: opening, header lines, cells, and fast reading of the numbers.

A reader opens a table with `open_table`, takes its header with `read_header`, judges the `style_of` the first line and of `peek_lines`,
and reads the rest with `read_numbers`.  Encodings, line ends, decimal signs, comments, blank lines and gaps are settled here.
"""

import re
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.errors import DataWarning, ReaderError, counted
from napari_wse2xai.io.damage import readable_as
from napari_wse2xai.io.table_opened import decoded, open_table, stem_of
from napari_wse2xai.io.table_style import (
    BLANKS,
    COMMA_BLANK,
    Style,
    all_cells_of,
    cells_of,
    numbers,
    plain_numbers,
    seen_in,
    signs_of,
    style_of,
)

__all__ = [
    "BLANKS",
    "Style",
    "cells_of",
    "decoded",
    "first_number",
    "numbers",
    "open_table",
    "peek_lines",
    "read_header",
    "read_numbers",
    "stem_of",
    "style_of",
]

_LONGEST_LINE = 1 << 26
_LONGEST_HEADER = 100_000
"""Header lines; instruments write some hundred at most."""
_PEEKED_AT = 1 << 18
"""Bytes of lines that `peek_lines` looks at; the first of them may be longer."""
_COMMENTS = ("#", "%")
_NO_VALUE = frozenset(
    {
        "",
        "-",
        "--",
        "---",
        "NA",
        "N/A",
        "n/a",
        "n.a.",
        "#N/A",
        "#NV",
        "NAN",
        "null",
        "NULL",
        "None",
        "#DIV/0!",
        "#VALUE!",
        "#NUM!",
        "#WERT!",
    }
    | {f"{sign}1.#{word}" for sign in ("", "-") for word in ("IND", "QNAN", "INF", "INF00", "IND00", "QNAN0")}
)
"""How programs write that there is no number, beside those that every parser of numbers knows."""
Numbers = tuple[NDArray[np.float64], NDArray[np.float32]]


def read_header(stream: IO[bytes]) -> tuple[dict[str, str], str]:
    """Header lines ``#key=<tab>value`` as a dictionary, and the first line after them and after blanks; a repeated key gets a number."""
    metadata: dict[str, str] = {}
    repeated: dict[str, int] = {}
    for _ in range(_LONGEST_HEADER):
        line = stream.readline(_LONGEST_LINE)
        if (line.strip(b"\r\n") and not line.startswith((b"#", b"%"))) or not line:
            return metadata, decoded(line)
        key, _, value = decoded(line)[1:].partition("=")
        if key.strip():
            metadata[_unused(key.strip(), metadata, repeated)] = value.strip()
    raise ReaderError(f"The table begins with more than {_LONGEST_HEADER:,} header lines, as no instrument writes; export it again.")


def _unused(key: str, taken: dict[str, str], repeated: dict[str, int]) -> str:
    """Key that is not taken: the next number of its own, which `repeated` keeps, so that many alike do not take for ever."""
    number, name = repeated.get(key, 1), key
    while name in taken:
        number += 1
        name = f"{key} ({number})"
    repeated[key] = number
    return name


def peek_lines(stream: IO[bytes], n_lines: int = 64) -> list[str]:
    """Next lines that are neither blank nor comments; they stay to be read."""
    found: list[str] = []
    position, n_bytes = stream.tell(), 0
    while len(found) < n_lines and n_bytes < _PEEKED_AT and (line := stream.readline(_LONGEST_LINE)):
        n_bytes += len(line)
        text = decoded(line)
        if text.strip() and not text.startswith(_COMMENTS):
            found.append(text)
    stream.seek(position)
    return found


def first_number(text: str) -> float | None:
    """First number in a header value such as ``532 nm``."""
    found = re.search(r"\d+(?:[.,]\d+)?", text)
    return float(found[0].replace(",", ".")) if found else None


def read_numbers(stream: IO[bytes], style: Style, n_columns: int, n_exact: int, path: Path) -> Numbers:
    """Rest of a table: its first `n_exact` columns in double precision (m, n_exact), the others in single (m, n).

    Comments and blank lines are left out, lines of words at the end too, which a warning says; a cell without a value is NaN.  A table
    that ends within a line, or has lines that are too long, is refused.
    """
    start = stream.tell()
    with readable_as("a table of numbers", path):
        found = _at_once(stream, style, n_columns, n_exact)
        if found is None:
            stream.seek(start)
            found = _with_care(stream, style, n_columns, n_exact, path)
    return found


def _at_once(stream: IO[bytes], style: Style, n_columns: int, n_exact: int) -> Numbers | None:
    """Table without anything that is no number; None where there is, or where a line is too long or short."""
    if style.thousands or style.indent or style.separator == COMMA_BLANK:
        return None
    lines = _with_points(stream) if style.decimal == "," else (line for line in stream)
    try:
        return loaded(lines, style.separator, n_columns, n_exact)
    except ValueError:
        return None


def _with_points(stream: IO[bytes]) -> Iterator[bytes]:
    """Lines with decimal commas as lines with points; a `ValueError` tells of a point, which may be a sign of thousands."""
    for line in stream:
        if b"." in line:
            raise ValueError("both a comma and a point")
        yield line.replace(b",", b".")


def loaded(lines: Iterator[bytes] | Iterator[str], separator: str, n_columns: int, n_exact: int) -> Numbers:
    """Lines of numbers as arrays; a `ValueError` tells of a cell that is no number and of a line too long or short.

    Straight into one array: pandas makes a column of its own of each of a thousand channels, for which a large table takes longer.
    Lines come from a generator of Python's, so that other threads, the window's, may run between two of them.
    """
    kinds = np.dtype([("exact", np.float64, (n_exact,)), ("single", np.float32, (n_columns - n_exact,))])
    plain = np.dtype(np.float64 if n_exact else np.float32)
    is_mixed = 0 < n_exact < n_columns
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*input contained no data", category=UserWarning)
        table = np.loadtxt(
            lines,
            kinds if is_mixed else plain,
            comments=None,
            delimiter=None if separator == BLANKS else separator,
            ndmin=1 if is_mixed else 2,
            encoding="latin-1",
        )
    if is_mixed:
        return table["exact"], table["single"]
    if table.size and table.shape[1] != n_columns:
        raise ValueError(f"{table.shape[1]} columns in place of {n_columns}")
    table = table.reshape(-1, n_columns)
    return table[:, :n_exact].astype(np.float64), table[:, n_exact:].astype(np.float32)


def _with_care(stream: IO[bytes], style: Style, n_columns: int, n_exact: int, path: Path) -> Numbers:
    """As `read_numbers`, for tables with gaps, comments, foot lines or odd signs, at some half of the speed."""
    start = stream.tell()
    settled = style if style.separator == "," else _settled(stream, style, path)
    stream.seek(start)
    lines = _CarefulLines(stream, settled, n_columns, path)
    found = loaded(iter(lines), "\t", n_columns, n_exact)
    if lines.n_last < n_columns:
        cells = f"after {lines.n_last} of {n_columns} cells"
        raise ReaderError(f"'{path.name}' breaks off in its last line, {cells}; copy or export it again.")
    if lines.foot:
        left_out = f"{counted(len(lines.foot), 'line')} after the numbers, from '{lines.foot[0].strip()[:60]}'"
        warnings.warn(f"'{path.name}': {left_out} on, left out.", DataWarning, stacklevel=2)
    return found


def _settled(stream: IO[bytes], style: Style, path: Path) -> Style:
    """Style with the decimal signs that the whole table shows, not its first lines alone."""
    seen = seen_in(decoded(line) for line in stream)
    decimal, thousands = signs_of(seen)
    if thousands and not seen & {"1,000.5", "1.000,5"}:
        warnings.warn(
            f"'{path.name}' has numbers with a comma and numbers with a point; '{thousands}' is taken for the sign of thousands: "
            "export it without one if that is wrong.",
            DataWarning,
            stacklevel=2,
        )
    return replace(style, decimal=decimal, thousands=thousands)


class _CarefulLines:
    """Lines of a table with tabs between its numbers, and nothing else in them."""

    def __init__(self, stream: IO[bytes], style: Style, n_columns: int, path: Path) -> None:
        self._stream, self._style, self._n_columns, self._path = stream, style, n_columns, path
        self.n_last = n_columns
        """Number of cells of the last line."""
        self.foot: list[str] = []
        """Lines of words after the numbers."""
        self._is_odd = style.separator not in (*"\t;", ",") or bool(style.thousands or style.indent)
        self._plain = f"0123456789+-eE{style.separator}{style.decimal}".encode()

    def __iter__(self) -> Iterator[str]:
        for raw in self._stream:
            if (quick := self._of_plain_cells(raw)) is not None:
                yield quick
                continue
            line = decoded(raw)
            cells = all_cells_of(line, self._style)
            first = next((cell for cell in cells if cell), "#")
            if first.startswith(_COMMENTS) and first not in _NO_VALUE:
                continue
            if self._is_value(first):
                yield self._numbers_of(cells)
            else:
                self.foot.append(line)

    def _of_plain_cells(self, raw: bytes) -> str | None:
        """Line that holds nothing but plain numbers and empty cells, none of which has to be looked at; None for any other."""
        separator, body = self._style.separator.encode(), raw.rstrip(b"\r\n")
        if self._is_odd or self.foot or body.count(separator) + 1 != self._n_columns or body.translate(None, self._plain):
            return None
        if body.endswith(b"-") or b"-" + separator in body or not body.strip(separator):  # a dash is no number
            return None
        doubled, filled = separator * 2, separator + b"nan" + separator
        body = body.replace(doubled, filled).replace(doubled, filled) if doubled in body else body
        start, end = (b"nan" if edge else b"" for edge in (body.startswith(separator), body.endswith(separator)))
        self.n_last = self._n_columns
        return (start + body + end).replace(separator, b"\t").replace(b",", b".").decode("ascii")

    def _is_value(self, cell: str) -> bool:
        try:
            return cell in _NO_VALUE or float(plain_numbers(cell, self._style)) is not None
        except ValueError:
            return False

    def _numbers_of(self, cells: list[str]) -> str:
        if self.foot:
            where = f"'{self._path.name}' has words between its numbers ('{self.foot[0].strip()[:60]}')"
            raise ReaderError(f"{where}; remove that line, or export one measurement into a file.")
        while len(cells) > self._n_columns and not cells[-1]:
            cells.pop()
        if len(cells) > self._n_columns:
            raise ReaderError(f"'{self._path.name}' has lines with more values than its first line; export it again.")
        self.n_last = len(cells)
        cells.extend([""] * (self._n_columns - len(cells)))
        return plain_numbers("\t".join(["nan" if cell in _NO_VALUE else cell for cell in cells]), self._style)

"""A first look at a table of text: the lines before the numbers, how cells are written, and the first numbers."""

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.io import table_text
from napari_wse2xai.io.damage import readable_as
from napari_wse2xai.io.table_style import plain_numbers
from napari_wse2xai.io.table_words import coordinate_of, is_spectral

FEWEST_CHANNELS = 10
"""What has fewer values is no spectrum, unless the file calls it one."""
_LONGEST_LINE = 1 << 24
_MOST_HEAD_LINES = 200
_N_LOOKED_AT = 64
"""Lines of numbers of which the first cells are looked at."""
_ENDS = 32
"""Cells at both ends of a line that tell what it holds."""
_STARTS_WITHIN = 256
"""Characters of such a line in which its first number stands."""
_OF_NUMBERS = re.compile(r"""(?:[\s\d.,;+\-\u2212\u2013\u00a0\u202feE"'\u2019]++|#?n/?a\b|nan\b|null\b|inf(?:inity)?\b)*+""", re.IGNORECASE)
"""A line of numbers, and of what programs write where there is none."""
_HAS_DIGIT = re.compile(r"\d")
_COMMENT = re.compile(r"^\s*[#%!/]+\s?")
_SETTING = re.compile(r"[#%!/\s]*([^=\t;]{1,200}?)\s*=\s*(.*)")
_SECTION = re.compile(r"\s*\[([^\]]*)\]\s*")


@dataclass(frozen=True)
class Look:
    """What the first lines of a table say."""

    style: table_text.Style
    metadata: dict[str, str]
    """Lines ``#key=value`` and ``key = value``."""
    sections: tuple[str, ...]
    """Names of lines ``[Section]``."""
    head: tuple[tuple[str, ...], ...]
    """Cells of the other lines before the first line of numbers; those of comments without their sign."""
    start: int
    """Where the first line of numbers starts."""
    first: tuple[str, ...]
    """Cells of the first line of numbers, empty ones at its start included."""
    n_second: int
    """Number of cells of the second line of numbers; that of the first where there is none."""
    starts: tuple[tuple[str, ...], ...]
    """First cells of each of the first lines of numbers, that one included."""

    @property
    def n_columns(self) -> int:
        """Number of columns, by the first line of numbers."""
        return len(self.first)

    def titles(self, column: int) -> tuple[str, ...]:
        """Cells of the head above a column that are not empty; of `number_lines` the name of an axis in the corner alone."""
        return tuple(cells[column] for cells in self._of_titles if column < len(cells) and cells[column])

    @cached_property
    def _of_titles(self) -> tuple[tuple[str, ...], ...]:
        corners = (cells[:1] if self._is_of_numbers(cells) else cells for cells in self.titled_lines)
        return tuple(cells for cells in corners if len(cells) > 1 or is_spectral(cells))

    def names_axis(self, column: int) -> bool:
        """Whether the head calls a column a spectral axis; an ``x`` in ``nm`` is none, unless the table has but one other column."""
        titles = self.titles(column)
        return is_spectral(titles) and not (self.n_columns > 2 and any(coordinate_of(title) for title in titles))

    @cached_property
    def number_lines(self) -> tuple[tuple[str, NDArray[np.float64]], ...]:
        """Lines of the head with a number above every column but the first: what stands in the first cell, and the numbers."""
        lines = (cells for cells in self.titled_lines if self._is_of_numbers(cells))
        return tuple((cells[0], as_numbers(cells[1:], self.style)) for cells in lines)

    def _is_of_numbers(self, cells: tuple[str, ...]) -> bool:
        return len(cells) == self.n_columns > 1 and all(cells[1:]) and is_of_numbers(" ".join(cells[1:]))

    @cached_property
    def titled_lines(self) -> tuple[tuple[str, ...], ...]:
        """Lines of the head by column: programs that write two separators between names leave empty cells in between."""
        names = (tuple(cell for cell in cells if cell) if len(cells) > self.n_columns else cells for cells in self.head)
        return tuple(short if len(short) == self.n_columns else cells for short, cells in zip(names, self.head, strict=True))

    def down(self, column: int = 0) -> NDArray[np.float64]:
        """Numbers of one of the first columns in the first lines; NaN for what is none."""
        return as_numbers([cells[column] if column < len(cells) else "" for cells in self.starts], self.style)

    @property
    def across(self) -> NDArray[np.float64]:
        """Numbers of the first line; NaN for what is none."""
        return as_numbers(self.first, self.style)


def look(path: Path) -> Look | None:
    """First lines of a table; None where there is no line of numbers among them."""
    with readable_as("a text table", path):
        status = path.stat()
    return _look(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4)  # every reader of tables asks in turn
def _look(path: Path, _changed: int, _size: int) -> Look | None:
    with table_text.open_table(path) as stream, readable_as("a text table", path):
        lines, start = _head_lines(stream)
        stream.seek(start)
        numbers = [line for line in islice(_lines(stream), _N_LOOKED_AT) if line.strip()]
    if not numbers or not (is_of_numbers(numbers[0]) or _is_mixed(numbers[0])):
        return None
    style = table_text.style_of(*numbers)
    metadata, sections, head = _sorted(lines, style)
    starts = tuple(tuple(table_text.cells_of(line[:_STARTS_WITHIN], style)) for line in numbers)
    first, second = (tuple(table_text.cells_of(line, style)) for line in (numbers[0], numbers[min(1, len(numbers) - 1)]))
    return Look(style, metadata, sections, head, start, first, len(second), starts)


def _lines(stream: IO[bytes]) -> Iterator[str]:
    while line := stream.readline(_LONGEST_LINE):
        yield table_text.decoded(line)


def _head_lines(stream: IO[bytes]) -> tuple[list[str], int]:
    """Lines before the first one of numbers, and where that starts."""
    lines: list[str] = []
    start = stream.tell()
    was_mixed = False
    for line in _lines(stream):
        is_mixed = _is_mixed(line)
        ends = is_of_numbers(line) and not (lines and _is_above(line, lines[-1]))
        if ends or (was_mixed and is_mixed) or len(lines) >= _MOST_HEAD_LINES:
            break
        lines.append(line)
        start, was_mixed = stream.tell(), is_mixed
    return lines, start


def _is_mixed(line: str) -> bool:
    """Whether a line holds many numbers beside words: the head of a wide table, or a spectrum with the name of its sample.

    A line of numbers with a word in its first cell alone is none: it may be one of several coordinates of spectra in columns.
    """
    cells = _cut(line)
    if len(cells) > 4 * _ENDS:
        cells = cells[:_ENDS] + cells[-_ENDS:]
    n_numbers = sum(map(is_of_numbers, cells)) if len(cells) > FEWEST_CHANNELS else 0
    return FEWEST_CHANNELS <= n_numbers < len(cells) - (coordinate_of(cells[0]) is not None) and not line.lstrip().startswith("#")


def _is_above(line: str, before: str) -> bool:
    """Whether a line of numbers that begins with an empty cell stands below titles: it says something of each column of spectra."""
    cells, titles = _cut(line), _cut(before)
    return not cells[0].strip() and bool(titles[0].strip()) and len(cells) == len(titles) and "=" not in before


def _cut(line: str) -> list[str]:
    return re.split(r"[\t;]", line) if "\t" in line or ";" in line else line.split(",")


def is_of_numbers(line: str) -> bool:
    """Whether a line holds numbers alone, whatever separates them."""
    return _OF_NUMBERS.fullmatch(line) is not None and _HAS_DIGIT.search(line) is not None


def _sorted(lines: list[str], style: table_text.Style) -> tuple[dict[str, str], tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Settings, names of sections, and the cells of what is left."""
    metadata: dict[str, str] = {}
    sections, head = [], []
    for line in lines:
        if section := _SECTION.fullmatch(line):
            sections.append(section[1])
        elif setting := _SETTING.fullmatch(line):
            metadata.setdefault(setting[1], setting[2].strip())
        elif any(cells := tuple(head_cells(line, style))):
            head.append(cells)
    return metadata, tuple(sections), tuple(head)


def head_cells(line: str, style: table_text.Style) -> list[str]:
    """Cells of a line of words, which another sign may separate than the numbers; without the sign of a comment."""
    words = _COMMENT.sub("", line)
    if '"' in words and style.separator in "\t;,":
        return [cell.strip() for cell in next(csv.reader([words], delimiter=style.separator, skipinitialspace=True), [])]
    separator = next((sign for sign in (style.separator, "\t", ";") if sign.strip(" ") and sign in words), "")
    if separator or (style.separator == "," and "," in words):
        return [cell.strip().lstrip("#").strip() for cell in words.split(separator or ",")]
    parts = re.split(r"\s{2,}", words.strip())
    return parts if len(parts) > 1 or style.separator.strip(" ") else words.split()


def as_numbers(cells: Sequence[str], style: table_text.Style) -> NDArray[np.float64]:
    """Cells as numbers; NaN for what is none."""
    return np.array([_as_number(cell, style) for cell in cells], dtype=np.float64)


def _as_number(cell: str, style: table_text.Style) -> float:
    try:
        return float(plain_numbers(cell, style))
    except ValueError:
        return float("nan")

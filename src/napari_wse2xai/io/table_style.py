"""How a text table writes its numbers: what separates them, decimal signs, signs of thousands, minus signs, quotes."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLANKS = " "
"""As a separator: any number of blanks or tabs."""
COMMA_BLANK = ", "
"""As a separator: the comma with a blank behind it, beside decimal commas without."""
_LOOKED_AT = 1 << 14
"""Characters of a line by which the style is known."""
_NUMERIC = re.compile(r"[\s\"';,]*[-+\u2212]?[.,]?\d")
_SIGNS = str.maketrans(dict.fromkeys("\u2212\u2013\u2010\u2011", "-") | dict.fromkeys("\u00a0\u202f\u2009\u2007", " ") | {"\u2019": "'"})
"""Minus signs, blanks and apostrophes that are none in ASCII."""
_GROUPED = re.compile(r"(?<=\d)[ '](?=\d{3}(?!\d))")
_QUOTED = re.compile(r'"([^"]*)"')
_STAND_IN = "\ue000"
"""For a separator that a quoted cell holds."""
_EVIDENCE = {
    "1,5": re.compile(r"(?<!\d),\d|\d,(?!\d{3}(?!\d))|\d{4},|(?<!\d)0+,\d"),
    "1,000": re.compile(r"(?<![\d.,])[1-9]\d{0,2}(,\d{3})+(?![\d,])"),
    "1.5": re.compile(r"(?<!\d)\.\d|\d\.(?!\d{3}(?!\d))|\d{4}\.|(?<!\d)0+\.\d"),
    "1,000.5": re.compile(r"\d,\d{3}\.\d"),
    "1.000,5": re.compile(r"\d\.\d{3},\d"),
}
"""What can be seen in numbers: a comma that is no sign of thousands, one that may be, a point that is none, and both."""


@dataclass(frozen=True)
class Style:
    """How a table writes its cells."""

    separator: str
    decimal: str
    thousands: str = ""
    """Sign between groups of three digits; blanks and apostrophes are understood without."""
    indent: int = 0
    """Number of separators at the start of every line, which separate nothing."""


def style_of(*lines: str) -> Style:
    """Style of a table by its first lines, the more the better; those that begin with a number tell more than words."""
    filled = [_start_of(line) for line in lines if line.strip()]
    numeric = [line for line in filled if _NUMERIC.match(line)] or filled
    separator = _separator_of("\n".join(numeric))
    decimal, thousands = signs_of(seen_in(_QUOTED.findall("\n".join(numeric)) if separator == "," else numeric))
    return Style(separator, decimal, thousands, _indent_of(filled, separator))


def _start_of(line: str) -> str:
    """Start of a line without the number within which it ends."""
    return line if len(line) <= _LOOKED_AT else line[:_LOOKED_AT].rstrip("0123456789.,")


def _separator_of(text: str) -> str:
    best = max("\t;", key=text.count)
    if best in text:
        return best if best == ";" or re.search(r"\S\t\S", text) or not re.search(r"\S\t+\S", text) else BLANKS
    plain = _QUOTED.sub("0", text)
    has_blanks = re.search(r"[\d.,] +[-+\u2212.]?\d", plain) is not None
    if "," not in plain:
        return BLANKS if has_blanks else "\t"
    groups = re.search(r"\d,\d{3}\.\d", plain) is not None
    if not has_blanks or not (groups or re.search(r",\S", plain)):
        return ","
    if re.search(r"\d, +\S", plain):
        return COMMA_BLANK if "." not in plain else ","
    return BLANKS


def _indent_of(lines: list[str], separator: str) -> int:
    """Separators at the start of every line; in a LabSpec table the axis alone has some."""
    counts = {len(line) - len(line.lstrip(separator)) for line in lines}
    return counts.pop() if separator in "\t;" and len(lines) > 1 and len(counts) == 1 else 0


def seen_in(lines: Iterable[str]) -> set[str]:
    """Which of the `_EVIDENCE` about decimal signs lines of numbers hold, and which of the signs themselves."""
    found: set[str] = set()
    for line in lines:
        has_comma, has_point = "," in line, "." in line
        if not (has_comma or (has_point and "1.5" not in found)) or not _NUMERIC.match(line):
            continue
        if has_point:
            found.add(".")
        if has_comma:
            found.add(",")
            found.update(name for name in _asked_of(found, has_point=has_point) if _EVIDENCE[name].search(line))
        elif _EVIDENCE["1.5"].search(line):
            found.add("1.5")
    return found


def _asked_of(found: set[str], *, has_point: bool) -> Iterator[str]:
    """Evidence that a line with a comma may still add: a decimal comma once seen, none of thousands changes anything."""
    if "1,5" not in found:
        yield "1,5"
    if "1,5" not in found and "1,000" not in found:
        yield "1,000"
    if has_point:
        yield from {"1.5", "1,000.5", "1.000,5"} - found


def signs_of(seen: set[str]) -> tuple[str, str]:
    """Decimal sign and sign of thousands by what was seen.

    Where a point and a comma never stand in one number, that one is the sign of thousands of which every one may be one.
    """
    if "1.000,5" in seen and "1,000.5" not in seen:
        return ",", "."
    if "," not in seen:
        return ".", ""
    if "." in seen and "1,000" in seen and "1,5" not in seen:
        return ".", ","
    return ",", "." if "." in seen and "1.5" not in seen else ""


def cells_of(line: str, style: Style) -> list[str]:
    """Cells of a line, stripped, without the empty ones at its end."""
    cells = all_cells_of(line, style)
    while cells and not cells[-1]:
        cells.pop()
    return cells


def all_cells_of(line: str, style: Style) -> list[str]:
    """Cells of a line, stripped, the empty ones included."""
    parts = _split(line if line.isascii() else line.translate(_SIGNS), style)
    return [cell.strip() for cell in parts[style.indent :]]


def _split(text: str, style: Style) -> list[str]:
    separator = None if style.separator == BLANKS else style.separator
    if '"' not in text:
        return text.split(separator)
    apart = _QUOTED.sub(lambda found: found[1].replace(style.separator, _STAND_IN), text)
    return [cell.replace(_STAND_IN, style.separator) for cell in apart.split(separator)]


def numbers(cells: list[str], style: Style) -> NDArray[np.float64]:
    """Cells as numbers; a `ValueError` tells of one that is none."""
    return np.array([float(plain_numbers(cell, style)) for cell in cells], dtype=np.float64)


def plain_numbers(text: str, style: Style) -> str:
    """Numbers with a decimal point, a hyphen for a minus, and nothing between their digits; no comma of `text` separates cells."""
    if not text.isascii():
        text = text.translate(_SIGNS)
    if " " in text or "'" in text:
        text = _GROUPED.sub("", text)
    if style.thousands:
        text = text.replace(style.thousands, "")
    return text.replace(",", ".")

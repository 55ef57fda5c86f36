"""JCAMP-DX: spectra as databases and many instruments give them, each block an item; numbers plain, packed, squeezed or as differences.

Form of the data: McDonald and Wilks, Appl. Spectrosc. 42 (1988) 151.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind, Frame, SpectralMap
from napari_wse2xai.data.axis import spectral_unit
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.axis_guess import settle_axis
from napari_wse2xai.io.damage import readable_as, warn_of_holes
from napari_wse2xai.io.formats import Format
from napari_wse2xai.io.items import Item, choose, item_of
from napari_wse2xai.io.laser import laser_in
from napari_wse2xai.io.table_text import decoded, open_table, stem_of
from napari_wse2xai.io.table_words import counts_unit, unit_of_light
from napari_wse2xai.io.told import LISTING, Told, made_map

FORMATS = (
    Format(
        "JCAMP-DX", ("*.jdx", "*.dx", "*.jcm"), order=145, holds="spectra, each block an item; every form of numbers", needs="own parser"
    ),
)
_LABEL = re.compile(r"^##([^=]*)=(.*)$")
_NUMBER = re.compile(r"([@A-Ia-i%J-Rj-rS-Zs])(\d*)|([+-]?(?:\d+\.?\d*|\.\d+)(?:[Ee][+-]\d+)?)|(\?)")
_SQUEEZED = dict(zip("@ABCDEFGHIabcdefghi", (0, *range(1, 10), *range(-1, -10, -1)), strict=True))
_DIFFERENCE = dict(zip("%JKLMNOPQRjklmnopqr", (0, *range(1, 10), *range(-1, -10, -1)), strict=True))
_REPEATED = dict(zip("STUVWXYZs", range(1, 10), strict=True))
_MOST_REPEATED = 1 << 20


@dataclass(frozen=True)
class _LabelledData:
    """One spectrum as the file has it."""

    labels: dict[str, str]
    form: str
    """What stands behind ``##XYDATA=``."""
    lines: list[str]

    @property
    def title(self) -> str:
        return self.labels.get("TITLE", "")


def items(path: Path) -> tuple[Item, ...]:
    """List the blocks that hold spectra."""
    blocks = _blocks(path)
    return tuple(item_of(_read(block, LISTING, path), name) for name, block in blocks.items())


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read one block; the first where none is named."""
    blocks = _blocks(path)
    listed = [item_of(_read(block, LISTING, path), name) for name, block in blocks.items()]
    return _read(blocks[choose(listed, item, path).name], told, path)


def _blocks(path: Path) -> dict[str, _LabelledData]:
    """Blocks with numbers, by their titles, those of one title numbered."""
    with open_table(path) as stream, readable_as("JCAMP-DX", path):
        lines = [decoded(line).partition("$$")[0].strip() for line in stream.readlines()]
    found: dict[str, _LabelledData] = {}
    for block in _parted(lines):
        name, number = block.title or stem_of(path), 1
        while name in found:
            number += 1
            name = f"{block.title} ({number})"
        found[name] = block
    if not found:
        raise ReaderError(f"'{path.name}' holds no spectrum (no ##XYDATA or ##XYPOINTS with numbers below); export it again.")
    return found


def _parted(lines: list[str]) -> Iterator[_LabelledData]:
    labels: dict[str, str] = {}
    starts = [number for number, line in enumerate(lines) if _LABEL.match(line)]
    for start, end in pairwise([*starts, len(lines)]):
        label, value = _LABEL.match(lines[start]).groups()  # type: ignore[union-attr]
        key = re.sub(r"[ /_-]", "", label).upper()
        if key == "TITLE":
            labels = {}
        if key in ("XYDATA", "XYPOINTS"):
            yield _LabelledData(dict(labels), value.strip(), lines[start + 1 : end])
        else:
            labels[key] = " ".join([value, *lines[start + 1 : end]]).strip()


def _read(block: _LabelledData, told: Told, path: Path) -> SpectralMap:
    labels, unit = block.labels, _unit(block.labels, path, told)
    with readable_as("JCAMP-DX", path):
        x, y = _points(block) if "XY..XY" in block.form.replace(" ", "") else _evenly(block, path)
    values, kind = settle_axis(x, unit, given=told.unit, name=path.name, called=labels.get("DATATYPE", ""))
    warn_of_holes(y[None], path.name)
    named: dict[str, Any] = {"frame": Frame((1, 1)), "laser_nm": laser_in(labels), "name": block.title or stem_of(path)}
    light = counts_unit([f"({labels.get('YUNITS', '')})"])
    return made_map(y[None, None], values, kind, told, intensity_unit=light, metadata=labels, **named)


def _unit(labels: dict[str, str], path: Path, told: Told) -> str | None:
    """Unit of the axis; wavenumbers are a Raman shift only in what calls itself Raman."""
    called = labels.get("XUNITS", "")
    unit = unit_of_light([called])
    if called and unit is None and told.unit is None:
        raise ReaderError(f"'{path.name}' is over '{called}', which is no axis of light; say the unit (cm-1, nm, eV) where it is one.")
    if unit is None or spectral_unit(unit).kind is not AxisKind.RAMAN_SHIFT:
        return unit
    return unit if "RAMAN" in f"{labels.get('DATATYPE', 'RAMAN')} {called}".upper() else AxisKind.WAVENUMBER.code


def _evenly(block: _LabelledData, path: Path) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Axis and numbers of ``(X++(Y..Y))``: evenly from the first to the last, as many as the file says."""
    labels = block.labels
    values = np.array(list(_values(block.lines)), dtype=np.float64) * float(labels.get("YFACTOR", 1))
    count = int(float(labels["NPOINTS"]))
    if len(values) != count:
        raise ReaderError(f"'{path.name}' has {len(values)} of {count} points; it is incomplete or damaged: copy or export it again.")
    return np.linspace(float(labels["FIRSTX"]), float(labels["LASTX"]), count), values.astype(np.float32)


def _points(block: _LabelledData) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Axis and numbers of ``(XY..XY)``."""
    pairs = np.array([float(text) for line in block.lines for text in re.split(r"[\s,;]+", line) if text]).reshape(-1, 2)
    factors = [float(block.labels.get(name, 1)) for name in ("XFACTOR", "YFACTOR")]
    return pairs[:, 0] * factors[0], (pairs[:, 1] * factors[1]).astype(np.float32)


def _values(lines: list[str]) -> Iterator[float]:
    """Numbers of the lines one after the other; of a line behind differences the first repeats the last, as a check."""
    last, was_difference = np.nan, False
    for line in lines:
        found, is_difference = _of_line(line)
        if was_difference and found:
            if found[0] != last:
                raise ValueError(f"a line begins with {found[0]:g} where the one before ended with {last:g}")
            found = found[1:]
        yield from found
        last, was_difference = (found[-1] if found else last), is_difference


def _of_line(line: str) -> tuple[list[float], bool]:
    """Numbers of a line without its abscissa, and whether the last of them was a difference."""
    found: list[float] = []
    step: float | None = None
    for sign, digits, plain, gap in (match.groups() for match in _NUMBER.finditer(line)):
        if sign in _REPEATED:
            more = min(int(f"{_REPEATED[sign]}{digits}"), _MOST_REPEATED) - 1
            found += [found[-1] + (step or 0.0) * (k + 1) for k in range(more)]
            continue
        step = _signed(_DIFFERENCE[sign], digits) if sign in _DIFFERENCE else None
        if step is not None:
            found.append(found[-1] + step)
        elif sign:
            found.append(_signed(_SQUEEZED[sign], digits))
        else:
            found.append(np.nan if gap else float(plain))
    return found[1:], step is not None


def _signed(first: int, digits: str) -> float:
    """Number whose first digit carries the sign."""
    return float(f"{first}{digits}")

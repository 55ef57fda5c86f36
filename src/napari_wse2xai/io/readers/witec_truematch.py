"""Spectra that WITec hands over to TrueMatch: sections ``[SpectrumHeader]``, ``[XData]`` and ``[SpectrumData]``, one after the other."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Frame, SpectralMap
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io import grid, table_text
from napari_wse2xai.io.axis_guess import settle_axis
from napari_wse2xai.io.damage import readable_as, warn_of_holes
from napari_wse2xai.io.formats import TABLES, Format
from napari_wse2xai.io.laser import laser_in
from napari_wse2xai.io.table_look import look
from napari_wse2xai.io.told import Told, made_map

FORMATS = (Format("WITec TrueMatch", TABLES, order=220),)

_FIRST_SECTION = "WITEC_TRUEMATCH_ASCII_HEADER"
_SECTION = re.compile(r"\[([^\]]+)\]")


@dataclass(frozen=True)
class _TrueMatchSection:
    name: str
    lines: list[str]

    @property
    def settings(self) -> dict[str, str]:
        """Lines ``key = value``."""
        pairs = (line.partition("=") for line in self.lines)
        return {key.strip(): value.strip() for key, sign, value in pairs if sign}

    def numbers(self, path: Path) -> NDArray[np.float64]:
        """Lines of numbers (n, columns)."""
        with readable_as("a WITec TrueMatch file", path):
            style = table_text.style_of(*self.lines)
            return np.array([table_text.numbers(table_text.cells_of(line, style), style) for line in self.lines])


def recognises(path: Path) -> bool:
    """Whether the first section is that of TrueMatch."""
    seen = look(path)
    return seen is not None and _FIRST_SECTION in seen.sections


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read the spectra, as a list where there are several."""
    sections = list(_sections(path))
    metadata: dict[str, str] = {}
    for section in sections:
        if not section.name.endswith("Data") or section.name == "SampleMetaData":
            metadata = {**section.settings, **metadata}
    axis, spectra = _spectra(sections, path)
    warn_of_holes(spectra, path.name)
    single = (spectra[:, None, :], Frame((1, 1)))
    cube, frame = single if len(spectra) == 1 else grid.as_list(spectra, f"'{path.name}' has no positions")
    values, kind = settle_axis(axis, metadata.get("XDataKind"), given=told.unit, name=path.name)
    laser, name = laser_in(metadata), metadata.get("Title") or table_text.stem_of(path)
    return made_map(cube, values, kind, told, frame=frame, laser_nm=laser, name=name, metadata=metadata)


def _sections(path: Path) -> Iterator[_TrueMatchSection]:
    with table_text.open_table(path) as stream, readable_as("a WITec TrueMatch file", path):
        lines = [line for raw in stream if (line := table_text.decoded(raw).strip())]
    starts = [number for number, line in enumerate(lines) if _SECTION.fullmatch(line)]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield _TrueMatchSection(lines[start][1:-1], lines[start + 1 : end])


def _spectra(sections: list[_TrueMatchSection], path: Path) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Axis (n,) and spectra (m, n); the axis stands beside the counts, or in a section of its own."""
    axis: NDArray[np.float64] | None = None
    spectra = []
    for section in (one for one in sections if one.name in ("XData", "SpectrumData") and one.lines):
        numbers = section.numbers(path)
        if section.name == "XData" or numbers.shape[1] == 2:
            axis = numbers[:, 0] if axis is None else axis
            if not np.array_equal(axis, numbers[:, 0]):
                raise ReaderError(f"'{path.name}' has spectra on axes that differ; export them one by one.")
        if section.name == "SpectrumData":
            spectra.append(numbers[:, -1])
    if axis is None or not spectra or any(len(one) != len(axis) for one in spectra):
        raise ReaderError(f"'{path.name}' holds no spectrum with as many counts as channels; export it again.")
    return axis, np.array(spectra, dtype=np.float32)

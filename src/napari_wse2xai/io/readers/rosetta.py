"""Horiba LabSpec ``.xml``, Digital Surf ``.sur`` and TriVista ``.tvf``, read by RosettaSciIO.

RosettaSciIO is the one kept library for these formats.  Its licence is the GPL-3, so it is an extra that the user chooses to install:
``pip install "napari-wse2xai[gpl-readers]"``.  Row 0 is the first row of the file, as the instruments' own software draws it.
"""

import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.damage import readable_as
from napari_wse2xai.io.formats import Format
from napari_wse2xai.io.items import Item
from napari_wse2xai.io.signal_axes import Axis
from napari_wse2xai.io.signals import Signal, items_of, map_of
from napari_wse2xai.io.told import Told

FORMATS = (
    Format(
        "Horiba LabSpec XML",
        ("*.xml",),
        order=160,
        holds="maps, lines, single spectra",
        needs="RosettaSciIO, **an extra**",
        licence="GPL-3",
    ),
    Format("Digital Surf", ("*.sur",), order=170, holds="hyperspectral maps", needs="RosettaSciIO, **an extra**", licence="GPL-3"),
    Format("TriVista", ("*.tvf",), order=180, holds="maps, lines, single spectra", needs="RosettaSciIO, **an extra**", licence="GPL-3"),
)

_PLUGINS: dict[str, tuple[str, dict[str, Any]]] = {
    ".xml": ("jobinyvon", {"use_uniform_signal_axis": False}),
    ".sur": ("digitalsurf", {}),
    ".tvf": ("trivista", {"use_uniform_signal_axis": False}),
}
"""Reader for each suffix, and what makes it keep axes that are not uniform."""


def items(path: Path) -> tuple[Item, ...]:
    """List the maps and other spectra."""
    return items_of(_signals(path))


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read one of them."""
    return map_of(_signals(path), item, told, path)


def _signals(path: Path) -> list[Signal]:
    plugin, options = _PLUGINS[path.suffix.lower()]
    try:
        library = importlib.import_module(f"rsciio.{plugin}")
        errors = importlib.import_module("rsciio.exceptions")
    except ImportError as error:
        raise ReaderError(
            f"'{path.name}' is read by RosettaSciIO (GPL-3); install it with: pip install \"napari-wse2xai[gpl-readers]\"."
        ) from error
    with (
        readable_as(f"a {path.suffix.lower()} file of spectra", path, SyntaxError, AssertionError, errors.MountainsMapFileError),
        _silent(),
    ):
        return [_signal(record, path, index) for index, record in enumerate(library.file_reader(str(path), **options))]


def _signal(record: dict[str, Any], path: Path, index: int) -> Signal:
    data = record["data"]
    ordered = sorted(record["axes"], key=lambda axis: int(axis.get("index_in_array", 0)))
    axes = tuple(Axis.of(axis, int(size)) for axis, size in zip(ordered, data.shape, strict=True))
    name = path.stem if index == 0 else f"{path.stem} {index + 1}"
    return Signal(name, axes, record.get("metadata", {}), lambda index: data[index])


@contextmanager
def _silent() -> Iterator[None]:
    """Keep the library's remarks on other software that it misses off the screen."""
    logger = logging.getLogger("rsciio")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)

"""Andor Solis files (``.sif``), read by sif-parser, an extra: spectra, kinetic series, tracks of a detector.

``pip install "napari-wse2xai[andor]"``.  The library reads for ever where a file ends too early; the stream that it is given here says so.
"""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.data.axis import convert_values
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.damage import readable_as
from napari_wse2xai.io.formats import Format
from napari_wse2xai.io.items import Item
from napari_wse2xai.io.signal_axes import Axis
from napari_wse2xai.io.signals import Signal, items_of, map_of
from napari_wse2xai.io.told import Told

FORMATS = (
    Format(
        "Andor Solis",
        ("*.sif",),
        order=150,
        holds="spectra, kinetic series, tracks; over the Raman shift where Solis shows it so",
        needs="sif-parser, **an extra** (`andor`)",
        licence="BSD-3",
    ),
)

_MICROSECONDS = 1e6
_TOLD = {
    "ExposureTime": "Exposure Time (s)",
    "AccumulatedCycles": "Accumulations",
    "DetectorTemperature": "DetectorTemperature",
    "DetectorType": "DetectorType",
    "GratingBlaze": "GratingBlaze",
    "spectrograph": "spectrograph",
}
"""What is kept of the file's own words, and what it is called."""


class _Stream(io.BytesIO):
    """Content of a file that says when it is over."""

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(size)
        if size and not found:
            raise EOFError("it ends too early")
        return found

    def readline(self, size: int | None = -1, /) -> bytes:
        found = super().readline(size)
        if not found:
            raise EOFError("it ends too early")
        return found


def items(path: Path) -> tuple[Item, ...]:
    """List the one measurement."""
    return items_of([_signal(path)])


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read it."""
    return map_of([_signal(path)], item, told, path)


def _signal(path: Path) -> Signal:
    try:
        from sif_parser._sif_open import _open
        from sif_parser.utils import extract_calibration
    except ImportError as error:
        raise ReaderError(f"'{path.name}' is read by sif-parser; install it with: pip install \"napari-wse2xai[andor]\".") from error
    with readable_as("an Andor file", path, SyntaxError):
        content = path.read_bytes()
        tiles, (width, height), n_frames, info = _open(_Stream(content))
        start = int(tiles[0][2])
        if min(width, height) < 1 or start + 4 * width * height * n_frames > len(content):
            raise ReaderError(f"'{path.name}' holds fewer spectra than it names; it is incomplete, copy it again.")
        values = np.frombuffer(content, "<f4", n_frames * height * width, start)
        axes = _axes(info, n_frames, height, _spectral(info, extract_calibration(info), width, path))
    shape = tuple(len(axis.values) for axis in axes)
    return Signal(path.stem, axes, _metadata(info), lambda index: values.reshape(shape)[index])


def _spectral(info: Mapping[str, Any], calibration: Any, width: int, path: Path) -> Axis:
    """Spectral axis, which the file keeps in nm, as Solis shows it; mere numbers where it is not calibrated."""
    called = bytes(info.get("FrameAxis", b"")).decode("latin-1")
    pixels = np.arange(width, dtype=np.float64)
    if calibration is None or "pixel" in called.lower():
        return Axis("", "", pixels, False)
    every = np.atleast_2d(np.asarray(calibration, dtype=np.float64))
    if every.shape[1] != width or not np.array_equal(every, np.broadcast_to(every[0], every.shape)):
        raise ReaderError(f"'{path.name}' holds spectra of different spectral axes; save those of one axis as a file of their own.")
    laser = _laser_nm(info)
    if laser is None:
        return Axis(called, "nm", every[0], False)
    return Axis(called, "cm-1", convert_values(every[0], AxisKind.WAVELENGTH, AxisKind.RAMAN_SHIFT, laser), False)


def _laser_nm(info: Mapping[str, Any]) -> float | None:
    """Laser of a file that Solis shows over the Raman shift; in others it keeps one that nobody set."""
    laser = info.get("RamanExWavelength")
    is_shift = "raman" in bytes(info.get("FrameAxis", b"")).decode("latin-1").lower()
    return float(laser) if is_shift and isinstance(laser, float) and np.isfinite(laser) and laser > 0 else None


def _axes(info: Mapping[str, Any], n_frames: int, height: int, spectral: Axis) -> tuple[Axis, ...]:
    """Frames over the time of each, tracks of the detector, channels."""
    times = np.array([info.get(f"timestamp_of_{frame}", 0) for frame in range(n_frames)], dtype=np.float64) / _MICROSECONDS
    is_timed = bool((np.diff(times) > 0).all())
    frames = Axis("time", "s", times, True) if is_timed else Axis("frame", "", np.arange(n_frames, dtype=np.float64), True)
    places = ([frames] if n_frames > 1 else []) + ([Axis("track", "", np.arange(height, dtype=np.float64), True)] if height > 1 else [])
    return *places, spectral


def _metadata(info: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: str(info[key]) for key, name in _TOLD.items() if info.get(key) not in (None, "")}
    laser = _laser_nm(info)
    return found if laser is None else found | {"Laser (nm)": f"{laser:g}"}

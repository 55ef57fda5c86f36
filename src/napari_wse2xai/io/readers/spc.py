"""Galactic SPC files (``.spc``): multifiles with a W axis are maps, with a Z axis lines or series, others lists; single spectra too.

Parsed here after Thermo Galactic's public description.  The kept library for it, spc-io 0.2.1, takes the number of planes for their
size, gives no units of maps back, and sorts all spectra anew with each one (hours for a map of 256 x 256).  Z runs along x, the plane
(W) along y; row 0 has the smallest W.  Files of the old format (before 1997) and of the other byte order are refused by name.
"""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Direction, Frame, SpectralMap
from napari_wse2xai.data.frame import PLAN
from napari_wse2xai.errors import DataWarning, ReaderError
from napari_wse2xai.io import grid
from napari_wse2xai.io.axis_guess import settle_axis
from napari_wse2xai.io.damage import readable_as, warn_of_holes
from napari_wse2xai.io.formats import Format
from napari_wse2xai.io.items import Item, item_of, require_only
from napari_wse2xai.io.laser import laser_in
from napari_wse2xai.io.told import LISTING, Told, made_map

FORMATS = (
    Format(
        "Galactic SPC",
        ("*.spc",),
        order=110,
        holds="maps (W down, Z across; also where the number of planes is missing), "
        "lines, series over time or temperature, lists, single spectra; the "
        "laser from the log; common or own axes, 16-bit, 32-bit and floating-point numbers",
        needs="own parser",
    ),
)

_HEAD = np.dtype(
    {
        "names": ["flags", "version", "exponent", "n", "first", "last", "n_subs", "x_type"],
        "formats": ["u1", "u1", "i1", "<i4", "<f8", "<f8", "<i4", "u1"],
        "offsets": [0, 1, 3, 4, 8, 16, 24, 28],
        "itemsize": 512,
    }
)
_MORE = np.dtype(
    {
        "names": ["z_type", "date", "comment", "log_at", "z_step", "n_planes", "w_step", "w_type"],
        "formats": ["u1", "<u4", "S130", "<i4", "<f4", "<i4", "<f4", "u1"],
        "offsets": [30, 32, 88, 248, 312, 316, 320, 324],
        "itemsize": 512,
    }
)
"""Rest of the header: where the spectra lie, and texts."""
_SUB = np.dtype(
    {
        "names": ["exponent", "z", "z_next", "n", "w"],
        "formats": ["i1", "<f4", "<f4", "<i4", "<f4"],
        "offsets": [1, 4, 8, 16, 24],
        "itemsize": 32,
    }
)
_LOG = np.dtype({"names": ["size", "text_at"], "formats": ["<i4", "<i4"], "offsets": [0, 8], "itemsize": 64})
_SHORT, _MULTI, _RANDOM, _ORDERED, _OWN_X, _HAS_X = 1, 4, 8, 16, 64, 128
_FLOATS = -128
"""Exponent that says that the numbers are floating point."""
_X_AXES = {1: ("wavenumber", "cm-1"), 2: ("wavelength", "um"), 3: ("wavelength", "nm"), 13: ("Raman shift", "cm-1"), 14: ("energy", "eV")}
"""What SPC calls an axis, and its unit, by its code."""
_UM_PER = {2: 1.0, 3: 1e-3, 27: 1e4, 28: 1e6, 29: 1e3}
_SERIES = {
    **{
        4: ("time", "s"),
        5: ("time", "min"),
        11: ("time", "d"),
        12: ("time", "a"),
        23: ("time", "ms"),
        24: ("time", "µs"),
        25: ("time", "ns"),
    },
    **{30: ("time", "h"), 6: ("frequency", "Hz"), 7: ("frequency", "kHz"), 8: ("frequency", "MHz"), 26: ("frequency", "GHz")},
    **{18: ("angle", "°"), 19: ("temperature", "°F"), 20: ("temperature", "°C"), 21: ("temperature", "K"), 9: ("mass", "M/z")},
    **{14: ("energy", "eV"), 16: ("diode", ""), 17: ("channel", ""), 22: ("point", "")},
}
"""What Z or W may be instead of a length, by its code."""


@dataclass(frozen=True)
class _File:
    """Header, axis, subfiles' headers and spectra of a file."""

    path: Path
    head: np.void
    more: np.void
    x: NDArray[np.float64]
    subs: NDArray[np.void]
    spectra: NDArray[np.float32]
    metadata: dict[str, str]


def items(path: Path) -> tuple[Item, ...]:
    """List the one measurement."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return (item_of(read(path, None, LISTING)),)


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read the measurement."""
    with readable_as("an SPC file", path):
        file = _parsed(path)
        warn_of_holes(file.spectra, path.name)
        cube, frame = _placed(file)
    called, own_unit = _X_AXES.get(int(file.head["x_type"]), _SERIES.get(int(file.head["x_type"]), ("", None)))
    result = made_map(
        cube,
        *settle_axis(file.x, own_unit, given=told.unit, name=path.name, called=called),
        told,
        frame=frame,
        laser_nm=laser_in(file.metadata),
        name=path.stem,
        metadata=file.metadata,
    )
    require_only(item, item_of(result), path)
    return result


def _parsed(path: Path) -> _File:
    content = path.read_bytes()
    if len(content) < _HEAD.itemsize:
        raise ReaderError(f"'{path.name}' is too short for an SPC file; copy or export it again.")
    head = np.frombuffer(content, _HEAD, 1)[0]
    # 4C has its bytes the other way round, 4D the header of the first version.
    if head["version"] in (0x4C, 0x4D):
        raise ReaderError(f"'{path.name}' is an SPC file of an old kind; open it in the instrument's software and export it as text.")
    if head["version"] != 0x4B or head["n_subs"] < 1:
        raise ReaderError(f"'{path.name}' is not an SPC file, whatever its name says; choose another file.")
    x, subs, spectra = _own_axes(content, head, path) if head["flags"] & _OWN_X else _common_axis(content, head, path)
    more = np.frombuffer(content, _MORE, 1)[0]
    return _File(path, head, more, x, subs, spectra, _metadata(content, more))


def _common_axis(content: bytes, head: np.void, path: Path) -> tuple[NDArray[np.float64], NDArray[np.void], NDArray[np.float32]]:
    """Axis, subfile headers and spectra (m, n) of a file in which all spectra have the same axis."""
    n, has_x = int(head["n"]), bool(head["flags"] & _HAS_X)
    short = bool(head["flags"] & _SHORT) and head["exponent"] != _FLOATS
    start = _HEAD.itemsize + 4 * n * has_x
    if n < 1 or start + (_SUB.itemsize + (2 if short else 4) * n) * int(head["n_subs"]) > len(content):
        raise ReaderError(f"'{path.name}' holds fewer spectra than it names ({head['n_subs']}); it is incomplete, copy it again.")
    record = np.dtype([("sub", _SUB), ("y", "<i2" if short else "<i4", (n,))])
    records = np.frombuffer(content, record, int(head["n_subs"]), start)
    x = np.frombuffer(content, "<f4", n, _HEAD.itemsize).astype(np.float64) if has_x else np.linspace(head["first"], head["last"], n)
    exponents = records["sub"]["exponent"] if head["flags"] & _MULTI else np.full(len(records), head["exponent"])
    exponents = np.full_like(exponents, _FLOATS) if head["exponent"] == _FLOATS else exponents
    return x, records["sub"], _scaled(records["y"], exponents)


def _scaled(stored: NDArray[np.generic], exponents: NDArray[np.generic]) -> NDArray[np.float32]:
    """Stored numbers (m, n) as intensities: floating point, or whole numbers with an exponent each (m,)."""
    is_float = np.asarray(exponents) == _FLOATS
    if is_float.all():
        return stored.view("<f4").astype(np.float32)
    bits = 8 * stored.dtype.itemsize
    # SPC's fixed point: the exponent is of the whole number taken as a fraction, below one, of its bits.
    result = (stored * np.exp2(np.asarray(exponents, dtype=np.float64) - bits)[:, None]).astype(np.float32)
    if is_float.any():
        result[is_float] = np.ascontiguousarray(stored[is_float]).view("<f4")
    return result


def _own_axes(content: bytes, head: np.void, path: Path) -> tuple[NDArray[np.float64], NDArray[np.void], NDArray[np.float32]]:
    """The same for a file in which each spectrum has its own axis; these must be equal."""
    position, axes, subs, spectra = _HEAD.itemsize, [], [], []
    for _ in range(int(head["n_subs"])):
        sub = np.frombuffer(content, _SUB, 1, position)
        n = int(sub["n"][0])
        if n < 1 or position + _SUB.itemsize + 8 * n > len(content):
            raise ReaderError(f"'{path.name}' breaks off within a spectrum; it is incomplete, copy it again.")
        axes.append(np.frombuffer(content, "<f4", n, position + _SUB.itemsize))
        stored = np.frombuffer(content, "<i4", n, position + _SUB.itemsize + 4 * n)
        exponent = np.array([_FLOATS if head["exponent"] == _FLOATS else sub["exponent"][0]])
        spectra.append(_scaled(stored[None], exponent)[0])
        subs.append(sub[0])
        position += _SUB.itemsize + 8 * n
        if not np.array_equal(axes[0], axes[-1]):
            raise ReaderError(f"'{path.name}' holds spectra of different spectral axes; export those of one axis to a file each.")
    return axes[0].astype(np.float64), np.array(subs, dtype=_SUB), np.stack(spectra)


def _placed(file: _File) -> tuple[NDArray[np.float32], Frame]:
    """Spectra as a cube (ny, nx, n), with its frame: W down the rows, Z along the columns."""
    spectra, n_planes = file.spectra, int(file.more["n_planes"])
    if len(spectra) == 1:
        return spectra[:, None, :], Frame((1, 1))
    if n_planes < 1 or len(spectra) % n_planes:
        return _without_planes(file)
    per_plane = len(spectra) // n_planes
    w, z = _along_w(file, per_plane), _along_z(file, per_plane)
    rows, columns = w[::per_plane], np.tile(z, n_planes)
    if not np.ptp(z):  # they say nothing, as the software of some instruments leaves them
        z, columns = np.arange(per_plane, dtype=np.float64), np.tile(np.arange(per_plane, dtype=np.float64), n_planes)
    if n_planes > 1 and not np.ptp(rows):
        rows = np.arange(n_planes, dtype=np.float64)
    return _on_grid(file, np.repeat(rows, per_plane), columns)


def _without_planes(file: _File) -> tuple[NDArray[np.float32], Frame]:
    """The same for a file that does not say how many planes there are: a map where the spectra have a W and a Z each, else a series."""
    spectra, name = file.spectra, file.path.name
    w, each = (file.subs[key].astype(np.float64) for key in ("w", "z"))
    if np.ptp(w) and np.ptp(each):
        return _on_grid(file, w, each)
    key, values = ("w_type", w) if np.ptp(w) else ("z_type", _along_z(file, len(spectra)))
    code = int(file.more[key])
    if code in _UM_PER:
        return grid.as_line(spectra, values * _UM_PER[code], name)
    if code not in _SERIES or not np.ptp(values):
        return grid.as_list(spectra, f"'{name}' does not say where it was measured")
    return grid.as_series(spectra, values, Direction(*_SERIES[code]))


def _on_grid(file: _File, w: NDArray[np.float64], z: NDArray[np.float64]) -> tuple[NDArray[np.float32], Frame]:
    """Spectra at their W and Z (m,)."""
    (rows, y), (columns, x) = _direction(file, "w_type", w, PLAN[0]), _direction(file, "z_type", z, PLAN[1])
    if not all(int(file.more[key]) in _UM_PER or int(file.more[key]) in _SERIES for key in ("w_type", "z_type")):
        # Many instruments leave the code at "arbitrary" and mean the micrometres of their stage.
        told = f"'{file.path.name}' does not say the unit of its positions; they are taken as µm."
        warnings.warn(told, DataWarning, stacklevel=4)
    return grid.place(file.spectra, y, x, file.path.name, (rows, columns))


def _direction(file: _File, key: str, values: NDArray[np.float64], usual: Direction) -> tuple[Direction, NDArray[np.float64]]:
    """What W or Z is, and its values in the unit of that; a length where the file does not say."""
    code = int(file.more[key])
    if code in _SERIES:
        return Direction(*_SERIES[code]), values
    return usual, values * _UM_PER.get(code, 1.0)


def _along_z(file: _File, per_plane: int) -> NDArray[np.float64]:
    """Z of the spectra of one plane: as each subfile says, or evenly spaced."""
    each = file.subs["z"][:per_plane].astype(np.float64)
    is_said = bool(file.head["flags"] & (_ORDERED | _RANDOM)) or (not file.more["z_step"] and bool(np.ptp(each)))
    if is_said:
        return each
    step = float(file.more["z_step"]) or float(file.subs["z_next"][0] - file.subs["z"][0])
    return float(each[0]) + step * np.arange(per_plane, dtype=np.float64)


def _along_w(file: _File, per_plane: int) -> NDArray[np.float64]:
    """W of every spectrum: evenly spaced planes, or as each subfile says."""
    each = file.subs["w"].astype(np.float64)
    step = float(file.more["w_step"])
    return each[0] + step * (np.arange(len(each)) // per_plane) if step else each


def _metadata(content: bytes, more: np.void) -> dict[str, str]:
    """Comment, date, and the lines ``key=value`` of the log."""
    date, at = int(more["date"]), int(more["log_at"])
    found = {"Comment": more["comment"].partition(b"\0")[0].decode("latin-1").strip()}
    if date:
        # Packed by bits: minute 6, hour 5, day 5, month 4, year 12.
        parts = (date >> 20, date >> 16 & 15, date >> 11 & 31, date >> 6 & 31, date & 63)
        found["Date"] = "{:04}-{:02}-{:02} {:02}:{:02}".format(*parts)
    if _HEAD.itemsize <= at <= len(content) - _LOG.itemsize:
        log = np.frombuffer(content, _LOG, 1, at)[0]
        text = content[at + max(int(log["text_at"]), 0) : at + max(int(log["size"]), 0)].decode("latin-1")
        found |= {key.strip(): value.strip(" \0\r") for key, value in re.findall(r"^([^=\n]+)=([^\n]*)$", text, flags=re.MULTILINE)}
    return {key: value for key, value in found.items() if value}

"""Renishaw WiRE files (``.wdf``): maps (StreamLine and interrupted ones too), lines, series and single spectra, and their picture.

The file is a row of blocks, of which the few needed are parsed here after public descriptions of the format: WDF1 (sizes, laser), DATA,
XLST (spectral axis), ORGN (coordinates, times, temperatures... of each spectrum), WMAP (grid), WXDM and WXIS (how the spectra were taken,
see `wdf_properties`), WHTL (white-light picture).

Renishaw's own library (renishaw-wdf 1.4, Apache-2.0, 2026) was weighed: it unpacks number by number in Python (3.6 s for a map that takes
0.8 s here), leaves it to its user where a spectrum lies (taken by rows, StreamLine comes out wrong), ends with EOFError or struct.error on
damage, and never on a block of size 0.  Of it come the codes of axes, lists and units.

Row 0 has the smallest stage coordinate y, as the picture is drawn.  Each spectrum lies where its own stage coordinates say, on the grid
that was planned; pixels that an interrupted scan did not reach are NaN.  A line becomes a map of one column, in the order of the scan; a
section in depth has z down its rows; a series has the time, temperature... of each spectrum.
"""

import io
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind, Direction, Frame, SpectralMap
from napari_wse2xai.data.acquisition import Acquisition
from napari_wse2xai.data.frame import PLAN
from napari_wse2xai.data.picture import Picture
from napari_wse2xai.errors import DataWarning, ReaderError
from napari_wse2xai.io import grid
from napari_wse2xai.io.axis_guess import settle_axis
from napari_wse2xai.io.damage import readable_as, warn_of_holes
from napari_wse2xai.io.formats import Format
from napari_wse2xai.io.items import Item, axis_text, require_only
from napari_wse2xai.io.told import Told, made_map
from napari_wse2xai.io.wdf_blocks import Blocks
from napari_wse2xai.io.wdf_origins import SPATIAL_X, SPATIAL_Y, SPATIAL_Z, origins_of
from napari_wse2xai.io.wdf_properties import properties_in

FORMATS = (
    Format(
        "Renishaw WiRE",
        ("*.wdf",),
        order=40,
        holds="maps in any order of scanning (StreamLine, snake, at an angle), interrupted ones on their planned grid, lines, "
        "sections in depth, series over time, temperature, focus, single spectra; exposure, accumulations, filter, grating, objective; the "
        "white-light image as a picture in its place",
        needs="own parser",
    ),
)

if TYPE_CHECKING:
    from PIL import Image

_AXES = {1: ("Raman shift", "cm-1"), 2: ("wavenumber", AxisKind.WAVENUMBER.code), 3: ("", "nm"), 4: ("", "eV"), 5: ("", "um")}
"""What WiRE calls a spectral axis, and its unit, by its code."""
_SCANS = {1: "static", 2: "continuous", 3: "step and repeat", 6: "StreamLine", 7: "StreamLine HR", 8: "point detector"}
_INTENSITIES = {6: "counts", 7: "electrons"}
_LINE_FLAG = 0x80
_QUARTER = 90.0
_DECIMALS = 3
"""Of stage coordinates in um: what is nearer is one place."""
_DEPTH = Direction("z")
_COUNTS_AT = 32
"""Bytes after which the block WMAP says how many pixels there are along x, y and z."""
_SERIES = 2
_MULTITRACK = 8
"""Flag of a file in which every spectrum has its own axis."""
_OFF_GRID = 0.25
"""Largest distance of a spectrum from its place on the planned grid, in steps."""
_MOST_PIXELS_PER_BYTE = 400
"""A JPEG cannot hold more."""
_EXIF_IFD, _WIDTH, _HEIGHT, _CORNER = 0x8769, 0xA20E, 0xA20F, 0xFEA0


@dataclass(frozen=True)
class _Header:
    """What the block WDF1 says."""

    n_channels: int
    n_planned: int
    n_measured: int
    n_lists: int
    """Number of lists in ORGN: coordinates, times, flags."""
    intensity_unit: str
    laser_nm: float | None
    metadata: dict[str, str]
    is_series: bool
    """Whether WiRE took it as a series over one quantity."""


@dataclass(frozen=True)
class _Plan:
    """The grid that was to be scanned, from the block WMAP."""

    shape: tuple[int, int]
    step_um: tuple[float, float]
    is_line: bool


def items(path: Path) -> tuple[Item, ...]:
    """Describe the file's one measurement; its spectra are not read."""
    with readable_as("a Renishaw file", path):
        blocks = Blocks(path)
        header = _header(blocks)
        values, _, unit = _axis(blocks, header)
        plan = _plan(blocks, header)
        section = _section_shape(blocks, header)
    shape = plan.shape if plan else section or (header.n_measured, 1)
    return (
        Item(
            path.stem,
            (*shape, header.n_channels),
            axis_text(values.min(), values.max(), unit or "(unit ?)"),
            is_map=shape[0] * shape[1] > 1,
            step_um=plan.step_um if plan else None,
            laser_nm=header.laser_nm,
            date=header.metadata.get("Started", ""),
            objective=header.metadata.get("Objective", ""),
            acquisition=Acquisition.from_metadata(header.metadata),
        ),
    )


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read the measurement."""
    require_only(item, items(path)[0], path)
    with readable_as("a Renishaw file", path):
        blocks = Blocks(path)
        header = _header(blocks)
        values, called, own_unit = _axis(blocks, header)
        spectra = blocks.table("DATA", "<f4", (header.n_measured, header.n_channels))
        warn_of_holes(spectra, path.name)
        _warn_of_loss(blocks)
        cube, frame = _placed(spectra, blocks, header)
    return made_map(
        cube,
        *settle_axis(values, own_unit, given=told.unit, name=path.name, called=called),
        told,
        frame=frame,
        laser_nm=header.laser_nm,
        name=path.stem,
        intensity_unit=header.intensity_unit,
        metadata=header.metadata,
    )


def _warn_of_loss(blocks: Blocks) -> None:
    """Tell of a file that ends too early, though not within its spectra."""
    if blocks.broken_off:
        warnings.warn(
            f"'{blocks.path.name}' breaks off in its block {blocks.broken_off}: the spectra are whole, but what followed them is lost; "
            "copy it again.",
            DataWarning,
            stacklevel=4,
        )


def _header(blocks: Blocks) -> _Header:
    """Sizes, laser and texts; offsets are counted from the end of the block's head."""
    n_channels, n_planned, n_measured, accumulations, _, n_axis, n_lists = map(int, blocks.unpack("WDF1", "IQQIIII", 0x2C))
    version = ".".join(map(str, blocks.unpack("WDF1", "4H", 0x68)))
    scan, measurement = blocks.unpack("WDF1", "II", 0x70)
    unit, per_cm = blocks.unpack("WDF1", "If", 0x88)
    if n_channels != n_axis or not 0 < n_measured <= n_planned or not n_channels:
        raise ReaderError(f"'{blocks.path.name}' holds no complete spectrum; measure or copy it again.")
    if n_measured * n_channels * 4 > blocks.size("DATA"):
        raise ReaderError(f"'{blocks.path.name}' holds fewer spectra than the {n_measured} that it names; it is incomplete, copy it again.")
    texts = {
        "Title": blocks.text("WDF1", 160, 0xE0),
        "User": blocks.text("WDF1", 32, 0xC0),
        "Application": f"{blocks.text('WDF1', 24, 0x50)} {version}",
        "Scan": _SCANS.get(int(scan), ""),
        "Accumulations": str(accumulations),
        "Started": _date(int(blocks.unpack("WDF1", "Q", 0x78)[0])),
        **properties_in(blocks),  # the accumulations asked for: the header counts two more where WiRE removed cosmic rays
    }
    return _Header(
        n_channels,
        n_planned,
        n_measured,
        n_lists,
        _INTENSITIES.get(int(unit), "a.u."),
        # From 100 nm to 10 um: anything else in this field is no laser.
        round(1e7 / per_cm, 4) if 1e3 < per_cm < 1e5 else None,
        {key: value for key, value in texts.items() if value},
        int(measurement) == _SERIES,
    )


def _date(filetime: int) -> str:
    """Date of a Windows time stamp (units of 100 ns since 1601); empty where there is none."""
    seconds = filetime / 1e7
    # 1918 to 2234: other stamps are noughts, or were never written.
    if not 1e10 < seconds < 2e10:
        return ""
    return (datetime(1601, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).isoformat(" ", "seconds")


def _require_one_axis(blocks: Blocks) -> None:
    if int(blocks.unpack("WDF1", "Q", 0)[0]) & _MULTITRACK:
        raise ReaderError(
            f"'{blocks.path.name}' has a spectral axis for each of its spectra; save those of one axis as a file of their own."
        )


def _axis(blocks: Blocks, header: _Header) -> tuple[NDArray[np.float64], str, str | None]:
    """Spectral axis, what it is called, and its unit; None where WiRE's unit is not one of light."""
    _require_one_axis(blocks)
    _, unit = blocks.unpack("XLST", "II")
    values = blocks.array("XLST", "<f4", header.n_channels, 8).astype(np.float64)
    if not np.isfinite(values).all():
        raise ReaderError(f"'{blocks.path.name}' has a damaged spectral axis; copy it again.")
    return values, *_AXES.get(int(unit), ("", None))


def _plan(blocks: Blocks, header: _Header) -> _Plan | None:
    """Planned grid, where there is one that fits the number of spectra; WiRE keeps room for all of them from the start."""
    if "WMAP" not in blocks or 4 * header.n_planned * header.n_channels > blocks.size("DATA"):
        return None
    flags, _, _, _, _, dx, dy, _, nx, ny = blocks.unpack("WMAP", "II6fII")
    nx, ny = int(nx), int(ny)
    if nx * ny != header.n_planned:
        return None
    is_line = bool(int(flags) & _LINE_FLAG) or (min(nx, ny) == 1 < max(nx, ny))
    return _Plan((nx * ny, 1) if is_line else (ny, nx), (abs(dy), abs(dx)), is_line)


def _placed(spectra: NDArray[np.float32], blocks: Blocks, header: _Header) -> tuple[NDArray[np.float32], Frame]:
    """Spectra as a cube (ny, nx, n), with its frame."""
    origins, plan, name = origins_of(blocks, header.n_lists, header.n_planned, header.n_measured), _plan(blocks, header), blocks.path.name
    x, y, z = (origins.lengths.get(which) for which in (SPATIAL_X, SPATIAL_Y, SPATIAL_Z))
    if len(spectra) == 1 and header.n_planned == 1:
        place = (float(y[0]), float(x[0])) if x is not None and y is not None else (0.0, 0.0)
        return spectra.reshape(1, 1, -1), Frame((1, 1), origin_um=place)
    is_scan = x is not None and y is not None and bool(np.ptp(x) or np.ptp(y))
    is_series = not is_scan or (header.is_series and not origins.are_places_asked)
    if is_series and (found := origins.series()) is not None:
        return grid.as_series(spectra, *found)
    if x is None or y is None or not is_scan:
        return grid.as_list(spectra, f"'{name}' is no scan of the stage")
    if z is not None and (section := _section(spectra, y, x, z, name)) is not None:
        return section
    if plan is not None and plan.is_line:
        return _line(spectra, y, x, plan, name)
    return _on_plan(spectra, y, x, plan, name) or grid.place(spectra, y, x, name)


def _section_shape(blocks: Blocks, header: _Header) -> tuple[int, int] | None:
    """Planned rows in depth and points along the surface of a section; None where none was planned."""
    if blocks.size("WMAP") < _COUNTS_AT + 12:
        return None
    nx, ny, nz = (int(number) for number in blocks.unpack("WMAP", "3I", _COUNTS_AT))
    is_section = nz > 1 and min(nx, ny) == 1 and nx * ny * nz == header.n_measured
    return (nz, nx * ny) if is_section else None


def _section(
    spectra: NDArray[np.float32], y: NDArray[np.float64], x: NDArray[np.float64], z: NDArray[np.float64], name: str
) -> tuple[NDArray[np.float32], Frame] | None:
    """Spectra of a section in depth, z down the rows; None where every place of the surface was measured once."""
    at = np.round(np.stack([y, x], axis=-1), _DECIMALS)
    places = np.unique(at, axis=0)
    if not np.ptp(z) or 2 * len(places) > len(spectra):
        return None
    length, width = np.linalg.svd(places - places.mean(axis=0), compute_uv=False)
    if width > _OFF_GRID * length / len(places):
        raise ReaderError(f"'{name}' is a volume, {len(places)} places at several depths; save one of its planes as a file of its own.")
    if np.ptp(at[:, 0]) and np.ptp(at[:, 1]):
        return grid.place(spectra, z, np.hypot(y - y[0], x - x[0]), name, (_DEPTH, Direction("distance")))
    return grid.place(spectra, z, *((x, name, (_DEPTH, PLAN[1])) if np.ptp(at[:, 1]) else (y, name, (_DEPTH, PLAN[0]))))


def _line(
    spectra: NDArray[np.float32], y: NDArray[np.float64], x: NDArray[np.float64], plan: _Plan, name: str
) -> tuple[NDArray[np.float32], Frame]:
    """One column, from the first point on, turned to where the line runs; that it slants is told."""
    along = np.hypot(y - y[0], x - x[0])
    step = float(along[-1]) / (len(along) - 1) if len(along) > 1 else max(plan.step_um)
    if step <= 0 or np.abs(along - step * np.arange(len(along))).max() > _OFF_GRID * step:
        return grid.as_list(spectra, f"'{name}': the points of the line are not equidistant")
    turn = float(np.degrees(np.arctan2(x[-1] - x[0], y[-1] - y[0])))
    if np.ptp(x) > _OFF_GRID * step:
        told = f"'{name}' is a line at {90 - turn:.1f} degrees to the stage's x axis; it is drawn turned, a column from its first point on."
        warnings.warn(told, DataWarning, stacklevel=2)
    is_falling = abs(turn) > _QUARTER
    frame = Frame(
        plan.shape,
        (-step if is_falling else step, 1.0),
        (float(y[0]), float(x[0])),
        rotation_deg=turn - np.copysign(2 * _QUARTER, turn) if is_falling else turn,
    )
    return grid.filled(spectra, np.arange(len(spectra)), frame, name), frame


def _on_plan(
    spectra: NDArray[np.float32], y: NDArray[np.float64], x: NDArray[np.float64], plan: _Plan | None, name: str
) -> tuple[NDArray[np.float32], Frame] | None:
    """Spectra on the planned grid; None where their coordinates do not lie on it."""
    if plan is None:
        return None
    rows, columns = (_lines(values, step, n) for values, step, n in zip((y, x), plan.step_um, plan.shape, strict=True))
    if rows is None or columns is None:
        return None
    frame = Frame(plan.shape, (rows.step, columns.step), (rows.origin, columns.origin))
    return grid.filled(spectra, rows.index * plan.shape[1] + columns.index, frame, name), frame


def _lines(values: NDArray[np.float64], step: float, count: int) -> grid.Lines | None:
    """Grid line of each coordinate, from the smallest on; None where they are not `step` apart or too many."""
    if not (np.isfinite(step) and step > 0):
        return None
    distance = (values - values.min()) / step
    if distance.max() > count - 0.5:
        return None
    index = np.rint(distance).astype(np.intp)
    if np.abs(distance - index).max() > _OFF_GRID:
        return None
    return grid.Lines(index, float(values.min()), step)


def pictures(path: Path) -> tuple[Picture, ...]:
    """White-light picture of the sample at its place on the stage; none where the file has none, or does not say where it lies."""
    from PIL import Image

    with readable_as("a Renishaw file", path, Image.DecompressionBombError):
        blocks = Blocks(path)
        if "WHTL" not in blocks:
            return ()
        content = blocks.content("WHTL")
        with Image.open(io.BytesIO(content), formats=("JPEG", "BMP", "PNG")) as image:
            if image.width * image.height > _MOST_PIXELS_PER_BYTE * len(content):
                raise ReaderError(f"'{path.name}': the picture in it is incomplete; copy the file again.")
            frame = _picture_frame(image.getexif(), image.width, image.height)
            return () if frame is None else (Picture(frame, np.asarray(image.convert("RGB")), f"{path.stem} white light"),)


def _picture_frame(exif: "Image.Exif", width: int, height: int) -> Frame | None:
    """Grid of the picture's pixels, from the size of the field in um and the stage coordinates of its upper left corner."""
    sizes = exif.get_ifd(_EXIF_IFD)
    if _CORNER not in exif or _WIDTH not in sizes or _HEIGHT not in sizes:
        return None
    (x0, y0), dx, dy = exif[_CORNER], float(sizes[_WIDTH]) / width, float(sizes[_HEIGHT]) / height
    if not (dx > 0 and dy > 0):
        return None
    return Frame((height, width), (dy, dx), (float(y0) + dy / 2, float(x0) + dx / 2))

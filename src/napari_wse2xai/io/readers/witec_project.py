"""WITec project and data files (``.wip``, ``.wid``): parsed by witio, but for the spectra, which stay in the file till they are needed.

Row 0 is the top row as WITec draws it.  Positions are pixel centres: WITec's transformations count pixel edges, so that the
centre of a scan of 5 pixels lies at 2.5, and a line from -10 to 10 um in 50 points has its first point at -9.8 um.
"""

import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind, Direction, Frame, Picture, SpectralMap
from napari_wse2xai.data.acquisition import Acquisition
from napari_wse2xai.data.frame import PLAN
from napari_wse2xai.data.stored_counts import StoredCounts
from napari_wse2xai.errors import DataError, DataWarning, ReaderError
from napari_wse2xai.io.axis_guess import settle_axis
from napari_wse2xai.io.damage import readable_as, warn_of_holes
from napari_wse2xai.io.formats import Format
from napari_wse2xai.io.items import Item, axis_text, choose, first_of
from napari_wse2xai.io.stored import numbers_in
from napari_wse2xai.io.told import Told, made_map
from napari_wse2xai.io.wit_tags import PLACE, skeleton

FORMATS = (
    Format(
        "WITec project",
        ("*.wip", "*.wid"),
        order=10,
        holds="maps, lines, series, single spectra, each an item",
        needs="`witio`, behind a check of the file's skeleton; the spectra by us",
        licence="MIT-0",
    ),
)

_UNIT_TO_READ = {
    "nm": "nm",
    "um": "nm",
    "rel. 1/cm": "rel. 1/cm",
    "rel. eV": "rel. 1/cm",
    "rel. meV": "rel. 1/cm",
    "eV": "eV",
    "meV": "eV",
}
"""The unit to ask for, by the unit that the project shows: relative energies become a Raman shift."""
_CODES = {"1/cm": AxisKind.WAVENUMBER.code}
"""What WITec's unit is here, where that is not what its letters say: without ``rel.`` it is a wavenumber of light."""
_NUMBERS = {1: "<i8", 2: "<i4", 3: "<i2", 4: "i1", 5: "<u4", 6: "<u2", 7: "u1", 9: "<f4", 10: "<f8"}
"""Kinds of numbers by WITec's DataType."""
_SMALLEST_TURN = 0.05
"""Degrees of a turn that moves no pixel by as much as its jitter."""
_STEEP = 0.99
"""Share of a step along one coordinate from which it runs along that coordinate."""
_LAST_WITH_BITMAP_FILES = 5
"""Version up to which a project keeps a picture as a BMP file, which witio gives by rows; the pixels of later ones it gives by columns."""


class _Payload(Protocol):
    """What is used of a tag of a project, as witio gives it."""

    data: NDArray[Any]

    def __getitem__(self, name: str) -> "_Payload": ...
    def find(self, name: str) -> "_Payload | None": ...
    def path(self, *names: str) -> "_Payload": ...
    def scalar(self) -> float: ...


class _Entry(Protocol):
    """An entry of a project: data, a picture, a text, or how something is placed."""

    caption: str | None
    class_name: str
    id: int
    measurement_metadata: Mapping[str, object]
    payload: _Payload
    project: "_Project"
    tag: _Payload

    def array(self) -> NDArray[Any]: ...
    def text(self) -> str: ...
    def apply_space_transform(self, places: NDArray[np.float64]) -> tuple[NDArray[np.float64], str]: ...
    def x_axis(self, unit: str = ...) -> tuple[NDArray[np.float64], str]: ...


class _Project(Protocol):
    system_metadata: Mapping[str, object]
    version: int | None

    def find(self, *, class_name: str) -> list[_Entry]: ...
    def find_by_id(self, number: float) -> _Entry | None: ...


class _Graph:
    """Spectra of a project: one of its TDGraph entries."""

    def __init__(self, entry: _Entry, name: str, path: Path) -> None:
        self.entry, self.name, self.path = entry, name, path
        sizes = (int(entry.payload[key].scalar()) for key in ("SizeX", "SizeY", "SizeGraph"))
        self.nx, self.ny, self.n_channels = sizes
        self._require_values()

    def _require_values(self) -> None:
        """Refuse sizes that are not those of the data, before anything is made of that size."""
        kind = int(self.entry.payload.path("GraphData", "DataType").scalar())
        start, end = PLACE.unpack(self.entry.payload.path("GraphData", "Data").data.tobytes())
        self._kind, self._start = np.dtype(_NUMBERS[kind]), start
        if min(self.nx, self.ny, self.n_channels) < 1 or self.nx * self.ny * self.n_channels * self._kind.itemsize > end - start:
            raise ReaderError(f"'{self.name}' holds fewer values than its size says; the file is incomplete, copy it again.")

    def cube(self) -> NDArray[Any] | StoredCounts:
        """Spectra (ny, nx, n) as the file keeps them, column by column or, where it says so, row by row; unfinished rows are NaN."""
        payload = self.entry.payload
        inverted, valid = payload.find("DataFieldInverted"), payload.find("LineValid")
        if inverted is not None and inverted.scalar():
            cube: NDArray[Any] | StoredCounts = numbers_in(self.path, self._kind, (self.ny, self.nx, self.n_channels), self._start)
        else:
            cube = numbers_in(self.path, self._kind, (self.nx, self.ny, self.n_channels), self._start).transpose(1, 0, 2)
        is_done = np.ones(self.ny, dtype=bool) if valid is None else np.asarray(valid.data, dtype=bool)
        if is_done.all():
            return cube
        cube = np.array(cube, dtype=np.float32)
        cube[~is_done] = np.nan
        return cube

    @cached_property
    def axis(self) -> tuple[NDArray[np.float64], str]:
        """Spectral axis and its unit."""
        values, unit = self.entry.x_axis()
        wanted = _UNIT_TO_READ.get(unit, unit)
        if wanted != unit:
            values, unit = self.entry.x_axis(wanted)
        return values, _CODES.get(unit, unit)

    @property
    def is_line(self) -> bool:
        return self.ny == 1 and self.nx > 1

    @property
    def is_spectral(self) -> bool:
        """Whether its axis is one of light, not of time or frequency."""
        try:
            AxisKind.from_unit(self.axis[1])
        except DataError:
            return False
        return True

    @cached_property
    def transformation(self) -> _Entry | None:
        """Entry that places the pixels on the sample, if there is one."""
        return _transformation(self.entry)

    def item(self) -> Item:
        shape = (self.nx, 1) if self.is_line else (self.ny, self.nx)
        values, unit = self.axis
        metadata = dict(_metadata(self))
        return Item(
            self.name,
            (*shape, self.n_channels),
            axis_text(float(values.min()), float(values.max()), AxisKind.from_unit(unit).code),
            is_map=self.nx * self.ny > 1 and self.transformation is not None,
            step_um=self._step_um(),
            laser_nm=_laser_nm(self.entry),
            date=" ".join(filter(None, (metadata.get("Date"), metadata.get("Time")))),
            objective=first_of(metadata, ("objective",)),
            acquisition=Acquisition.from_metadata(metadata),
        )

    def _step_um(self) -> tuple[float, float] | None:
        """Distance of the pixels; None where it is not known."""
        if self.transformation is None or self.nx * self.ny == 1:
            return None
        _, along_x, along_y = _directions(self.transformation, is_line=self.is_line)
        dx, dy = float(np.linalg.norm(along_x)), float(np.linalg.norm(along_y))
        return (dx, 1.0) if self.is_line else (dy, dx)


def items(path: Path) -> tuple[Item, ...]:
    """List the maps, lines, series and spectra of a project."""
    with readable_as("a WITec project", path):
        return tuple(graph.item() for graph in _graphs(path))


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read one of them; a line becomes a map of one column."""
    with readable_as("a WITec project", path):
        graphs = {graph.name: graph for graph in _graphs(path)}
        chosen = graphs[choose([graph.item() for graph in graphs.values()], item, path).name]
        result = _as_map(chosen, told)
    warn_of_holes(result.counts, result.name)
    return result


def pictures(path: Path) -> tuple[Picture, ...]:
    """Read the pictures of the microscope's camera that have a place on the sample."""
    from PIL import Image

    with readable_as("a WITec project", path, Image.DecompressionBombError):
        found = ((entry, _transformation(entry)) for entry in _project(path).find(class_name="TDBitmap"))
        return tuple(_picture(entry, transformation) for entry, transformation in found if transformation is not None)


def _picture(entry: _Entry, transformation: _Entry) -> Picture:
    values = np.asarray(entry.array())
    if entry.project.version is None or entry.project.version > _LAST_WITH_BITMAP_FILES:
        values = values.transpose(1, 0, 2)
    name = entry.caption or f"Data {entry.id}"
    frame = _frame_of(transformation, (values.shape[0], values.shape[1]), name)
    return Picture(frame, np.ascontiguousarray(values, dtype=np.uint8), name)


def _project(path: Path) -> _Project:
    import witio

    project: _Project = witio.read_bytes(skeleton(path))
    return project


def _transformation(entry: _Entry) -> _Entry | None:
    """Entry that places an entry's pixels on the sample, if there is one."""
    tag = entry.payload.find("SpaceTransformationID")
    found = entry.project.find_by_id(tag.scalar()) if tag is not None else None
    return found if found is not None and found.class_name == "TDSpaceTransformation" else None


def _graphs(path: Path) -> list[_Graph]:
    found: dict[str, _Graph] = {}
    for entry in _project(path).find(class_name="TDGraph"):
        name = entry.caption or f"Data {entry.id}"
        while name in found:
            name += "'"
        graph = _Graph(entry, name, path)
        if graph.is_spectral:
            found[name] = graph
    return list(found.values())


def _as_map(graph: _Graph, told: Told) -> SpectralMap:
    cube = graph.cube().transpose(1, 0, 2) if graph.is_line else graph.cube()
    values, kind = settle_axis(*graph.axis, given=told.unit, name=graph.name)
    metadata = dict(_metadata(graph))
    return made_map(
        cube if isinstance(cube, StoredCounts) else np.ascontiguousarray(cube, dtype=np.float32),
        values,
        kind,
        told,
        frame=replace(_frame(graph), sample=metadata.get("Sample Name", "")),
        laser_nm=_laser_nm(graph.entry),
        name=graph.name,
        metadata=metadata,
    )


def _frame(graph: _Graph) -> Frame:
    shape = (graph.nx, 1) if graph.is_line else (graph.ny, graph.nx)
    if graph.transformation is None:
        return _without_places(graph, shape)
    if graph.is_line:
        first, along_x, _ = _directions(graph.transformation, is_line=True)
        return _line_frame(shape, first, along_x) if np.linalg.norm(along_x) else _without_places(graph, shape)
    return _frame_of(graph.transformation, shape, graph.name)


def _without_places(graph: _Graph, shape: tuple[int, int]) -> Frame:
    """Frame of spectra that no transformation places on the sample: a series over the number of the spectrum, or a map 1 um apart."""
    if graph.is_line:
        warnings.warn(f"'{graph.name}' has no positions on the sample; its spectra are a series.", DataWarning, stacklevel=2)
        return Frame(shape, directions=(Direction("point", ""), PLAN[1]))
    warnings.warn(f"'{graph.name}' has no positions on the sample; its spectra are drawn 1 µm apart.", DataWarning, stacklevel=2)
    return Frame(shape)


def _line_frame(shape: tuple[int, int], first: NDArray[np.float64], along: NDArray[np.float64]) -> Frame:
    """Frame of one column that runs along a line of the surface, or of one down into the sample."""
    if abs(along[2]) > _STEEP * np.linalg.norm(along):
        return Frame(shape, (float(along[2]), 1.0), (float(first[2]), 0.0), directions=(Direction("z"), PLAN[1]))
    sign = -1.0 if along[1] < 0 else 1.0
    degrees = float(np.degrees(np.arctan2(sign * along[0], sign * along[1])))
    return Frame(shape, (sign * float(np.linalg.norm(along)), 1.0), (float(first[1]), float(first[0])), rotation_deg=degrees)


def _frame_of(transformation: _Entry, shape: tuple[int, int], name: str) -> Frame:
    """Frame of a scan or a picture; that it is turned against the stage is told."""
    first, along_x, along_y = _directions(transformation, is_line=False)
    if abs(along_y[2]) > _STEEP * np.linalg.norm(along_y):
        return _section(first, along_x, along_y, shape)
    dx = _signed_length(along_x, along_x[0])
    turn = float(np.arctan2(-along_x[1] / dx, along_x[0] / dx))
    dy = _signed_length(along_y, along_y[1] * np.cos(turn) + along_y[0] * np.sin(turn))
    degrees = float(np.degrees(turn))
    if abs(degrees) < _SMALLEST_TURN:
        degrees = 0.0
    else:
        told = f"'{name}' was scanned at {-degrees:.1f} degrees to the stage; it is drawn turned, each pixel at its place."
        warnings.warn(told, DataWarning, stacklevel=3)
    return Frame(shape, (dy, dx), (float(first[1]), float(first[0])), rotation_deg=degrees)


def _section(first: NDArray[np.float64], along_x: NDArray[np.float64], along_y: NDArray[np.float64], shape: tuple[int, int]) -> Frame:
    """Frame of a section in depth: z down the rows, the way along the surface along the columns."""
    is_x = abs(along_x[0]) > _STEEP * np.linalg.norm(along_x)
    is_y = abs(along_x[1]) > _STEEP * np.linalg.norm(along_x)
    dx = float(along_x[0] if is_x else along_x[1] if is_y else np.linalg.norm(along_x)) or 1.0
    start = float(first[0] if is_x else first[1]) if is_x or is_y else 0.0
    across = Direction("x" if is_x else "y" if is_y else "distance")
    return Frame(shape, (float(along_y[2]), dx), (float(first[2]), start), directions=(Direction("z"), across))


def _directions(transformation: _Entry, *, is_line: bool) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Place of the first pixel's centre, and the ways to the next one in its row and in its column, (x, y, z) in um."""
    corners = np.array([[0.5, 0.5, 0.0], [1.5, 0.5, 0.0], [0.5, 1.5, 0.0]])
    if is_line:
        corners[:, 1] = 0.0  # a line is one point wide: its transformation has no extent across
    (first, right, below), _ = transformation.apply_space_transform(corners)
    return first, right - first, below - first


def _signed_length(vector: NDArray[np.float64], sign: float) -> float:
    return float(np.copysign(np.linalg.norm(vector), sign)) or 1.0


def _laser_nm(entry: _Entry) -> float | None:
    """Wavelength of the laser; WITec keeps it in single precision."""
    tag = entry.payload.find("XInterpretationID")
    interpretation = entry.project.find_by_id(tag.scalar()) if tag is not None else None
    laser = interpretation.payload.find("ExcitationWaveLength") if interpretation is not None else None
    return round(float(laser.scalar()), 4) if laser is not None else None


def _metadata(graph: _Graph) -> Iterator[tuple[str, str]]:
    """What the project's information text for this measurement says, and the acquisition record of newer versions."""
    for key, value in _information(graph).items():
        yield key, value
    for key, known in {**graph.entry.project.system_metadata, **graph.entry.measurement_metadata}.items():
        if known is not None:
            yield key, str(known)


def _information(graph: _Graph) -> Mapping[str, str]:
    wanted = [entry for entry in graph.entry.project.find(class_name="TDText") if _belongs(entry.caption or "", graph.name)]
    if not wanted or wanted[0].tag.find("TDStream") is None:
        return {}
    pairs = re.findall(r"^([^\n\t]+):\t+([^\n\t]+)$", wanted[0].text(), flags=re.MULTILINE)
    return {key.strip(): value.strip() for key, value in pairs}


def _belongs(caption: str, name: str) -> bool:
    """``Map_000 Information`` tells of ``Map_000_Spec.Data 1``."""
    stem, separator, _ = caption.rpartition(" Information")
    return bool(separator) and name.startswith(stem) and not name[len(stem) :][:1].isdigit()

"""Where the pixels of a map lie on the sample, or along what else its spectra were taken."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_wse2xai.data.declared import Coordinates
from napari_wse2xai.errors import DataError

PLACE_UNIT = "um"
"""Unit of a direction that is a length on the sample."""


@dataclass(frozen=True)
class Direction:
    """What changes from row to row, or from column to column."""

    name: str
    """``y``, ``x``; ``z`` for a depth; ``XA`` and ``YA`` for the axes of a scan at an angle; ``time``, ``temperature``, ``point``..."""
    unit: str = PLACE_UNIT
    """``um`` for a length; ``s``, ``K``, ``mW``...; empty for a mere number."""
    values: tuple[float, ...] = ()
    """Value of every row or column where their distances differ; empty where these are equal."""

    @property
    def is_length(self) -> bool:
        """Whether pixels along it are places on the sample."""
        return self.unit == PLACE_UNIT

    @property
    def column(self) -> str:
        """Name with unit as the heading of a column in a table, in ASCII where the unit is."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    def value_words(self, value: float) -> str:
        """Name, value and unit: ``x 1.50 µm``, ``time 12.5 s``."""
        return f"{self.name} {value:.2f} µm" if self.is_length else f"{self.name} {value:.6g} {self.unit}".rstrip()

    @property
    def label(self) -> str:
        """Name with unit, for an axis: ``x (µm)``, ``time (s)``, ``point``."""
        unit = "µm" if self.is_length else self.unit
        return f"{self.name} ({unit})" if unit else self.name


PLAN = (Direction("y"), Direction("x"))
"""The directions of a scan of the surface."""


@dataclass(frozen=True)
class Frame:
    """The grid of a rectangular scan, in micrometres: two artefacts with equal frames lie on the same place.

    Row 0 is the top row of the picture, as the instrument's own software draws it.  A negative step is allowed and
    means that the stage coordinate falls along that direction (an instrument whose y axis points up has a negative y step).
    A series in time, temperature or the like is a frame too; its steps are in the units of its directions, and it `has_places` not.
    """

    shape: tuple[int, int]
    """Number of pixels (ny, nx)."""
    step_um: tuple[float, float] = (1.0, 1.0)
    """Distance from pixel to pixel (dy, dx) in um, or in the unit of the direction; never zero."""
    origin_um: tuple[float, float] = (0.0, 0.0)
    """Stage coordinate (y, x) of the centre of pixel (0, 0) in um, or in the units of the directions."""
    sample: str = ""
    """Name of the flake; maps of different flakes are never overlaid or paired."""
    directions: tuple[Direction, Direction] = PLAN
    """What changes from row to row and from column to column."""
    rotation_deg: float = 0.0
    """By which the scan is turned about pixel (0, 0) from its rows and columns along the stage, from +y towards +x."""

    def checked(self) -> Self:
        """Give this frame; one that is no grid, as a damaged file may claim it, raises a `DataError`."""
        if min(self.shape) < 0 or not all(self.step_um) or not np.isfinite((*self.step_um, *self.origin_um, self.rotation_deg)).all():
            raise DataError(
                f"A grid of {self.shape[0]} x {self.shape[1]} pixels in steps of {self.step_um[0]:g} and {self.step_um[1]:g} "
                f"from {self.origin_um[0]:g} and {self.origin_um[1]:g} is none; correct the positions of the pixels."
            )
        return self

    @property
    def y_um(self) -> NDArray[np.float64]:
        """Stage coordinate of each row, (ny,) in um, or value of its direction; of a turned scan as if it were not turned."""
        return self._along(0)

    @property
    def x_um(self) -> NDArray[np.float64]:
        """Stage coordinate of each column, (nx,) in um, or value of its direction; of a turned scan as if it were not turned."""
        return self._along(1)

    def _along(self, index: int) -> NDArray[np.float64]:
        if self.directions[index].values:
            return np.array(self.directions[index].values, dtype=np.float64)
        return self.origin_um[index] + self.step_um[index] * np.arange(self.shape[index], dtype=np.float64)

    def coordinates(self) -> Coordinates:
        """Coordinates y and x with their units."""
        along = zip("yx", (self.y_um, self.x_um), self.directions, strict=True)
        return {name: ((name,), values, "um" if each.is_length else each.unit or "1") for name, values, each in along}

    @property
    def n_pixels(self) -> int:
        """Number of pixels of the scan."""
        return self.shape[0] * self.shape[1]

    @property
    def has_places(self) -> bool:
        """Whether every direction along which there are several pixels is a length, so that pixels have distances and neighbours."""
        return all(direction.is_length for direction, size in zip(self.directions, self.shape, strict=True) if size > 1)

    def require_places(self, name: str, done: str) -> None:
        """Refuse a series, in which nothing is near to anything on the sample.

        Parameters
        ----------
        name : of the map
        done : what cannot be done with it, such as ``paired``
        """
        if not self.has_places:
            over = " and ".join(direction.label for direction in self.over)
            raise DataError(f"'{name}' is a series over {over}, not a scan of places on the sample: it cannot be {done}; choose a map.")

    @property
    def over(self) -> tuple[Direction, ...]:
        """Directions along which there are several pixels that are no places."""
        return tuple(each for each, size in zip(self.directions, self.shape, strict=True) if size > 1 and not each.is_length)

    def at(self, row: ArrayLike, column: ArrayLike) -> NDArray[np.float64]:
        """Stage coordinates (..., 2) of pixels, (y, x) in um, or values of the directions."""
        places = np.stack([self.y_um[np.asarray(row)], self.x_um[np.asarray(column)]], axis=-1)
        return (places - self.origin_um) @ self.turn.T + self.origin_um if self.rotation_deg else places

    def place_words(self, row: int, column: int) -> str:
        """Where a pixel is, in words: ``x 1.50 µm, y -3.00 µm``, ``time 12.5 s``; of a series what does not change is left out."""
        said = zip(self.directions, self.at(row, column), self.shape, strict=True)
        changing = [(direction, float(value)) for direction, value, size in said if size > 1 or (direction.is_length and self.has_places)]
        return ", ".join(direction.value_words(value) for direction, value in reversed(changing))

    @property
    def turn(self) -> NDArray[np.float64]:
        """(2, 2) rotation of vectors (y, x) from the scan's rows and columns to the stage."""
        angle = np.deg2rad(self.rotation_deg)
        return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], dtype=np.float64)

    def as_record(self) -> dict[str, Any]:
        """Plain values for JSON, without what is as usual; `from_record` reads them back."""
        record = asdict(self)
        if self.directions == PLAN:
            del record["directions"]
        if not self.rotation_deg:
            del record["rotation_deg"]
        return record

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """Rebuild a frame; a ValueError, TypeError or KeyError tells that the record is none of a frame."""
        (ny, nx), (dy, dx), (y0, x0) = record["shape"], record["step_um"], record["origin_um"]
        return cls(
            (int(ny), int(nx)),
            (float(dy), float(dx)),
            (float(y0), float(x0)),
            str(record["sample"]),
            directions_of(record.get("directions"), (int(ny), int(nx))),
            float(record.get("rotation_deg", 0.0)),
        )


def directions_of(records: Any, shape: tuple[int, int]) -> tuple[Direction, Direction]:
    """Directions from plain values; those of a plan where there are none."""
    if not records:
        return PLAN
    first, second = (
        Direction(str(record["name"]), str(record["unit"]), tuple(float(value) for value in record["values"])) for record in records
    )
    for direction, size in zip((first, second), shape, strict=True):
        if len(direction.values) not in (0, size):
            raise ValueError(f"{len(direction.values)} values of '{direction.name}' for {size} pixels")
    return first, second

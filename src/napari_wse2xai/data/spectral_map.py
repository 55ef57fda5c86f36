"""A map: one spectrum per pixel of a rectangular scan."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_wse2xai.data.axis import AxisKind, Medium, SpectralAxis, convert_values
from napari_wse2xai.data.declared import PLACES, Coordinates, Tabled, along, attribute
from napari_wse2xai.data.frame import Frame
from napari_wse2xai.data.history import History, Recorded
from napari_wse2xai.data.stored_counts import StoredCounts, is_stored
from napari_wse2xai.errors import DataError

_FINGERPRINT_ROWS = 16
_CONVERTED = re.compile(r" (nm|eV|cm-1)/(?:nm|eV|cm-1)")
"""What a Jacobian leaves in the unit of counts: the unit of the axis that they were measured on."""


@dataclass(frozen=True, eq=False)
class SpectralMap(Recorded, Tabled):
    """Spectra of a scan on one axis and in one frame; NaN is a channel (or pixel) that was not measured."""

    frame: Frame
    axis: SpectralAxis
    counts: Annotated[NDArray[np.float32], along(*PLACES, "spectral", unit="{0.intensity_unit}", column="{label:.6g}", says="intensity")]
    name: Annotated[str, attribute()] = "map"
    intensity_unit: Annotated[str, attribute()] = "counts"
    flake: Annotated[NDArray[np.bool_] | None, along(*PLACES, flags={0: "bare substrate", 1: "flake"}, says="flake")] = None
    """None before the flake was looked for."""
    repaired: Annotated[NDArray[np.uint16] | None, along(*PLACES, unit="1", says="channels replaced by the spike filter")] = None
    """None before it ran."""
    replaced: NDArray[np.int32] | None = None
    """(k, 3) row, column and channel of each of them, row by row; None before the filter ran, and where channels were read anew since."""
    saturated: NDArray[np.int32] | None = None
    """(k, 3) row, column and channel of what lies at the detector's ceiling; None before that was asked, of counts as they were read."""
    bad_channels: NDArray[np.int32] | None = None
    """(c,) channels that tell nothing in any pixel: without a value, stuck, hot, dull; None before that was asked."""
    bridged: NDArray[np.int32] | None = None
    """(k, 3) row, column and channel of single gaps that are filled with straight lines, for drawing and filters; no measurement."""
    metadata: Annotated[Mapping[str, str], attribute()] = field(default_factory=dict)
    """What the file says about the measurement, in the file's own words."""
    history: Annotated[History, attribute()] = ()

    def __post_init__(self) -> None:
        """Refuse what is not a map of spectra."""
        expected = (*self.frame.checked().shape, len(self.axis))
        if self.counts.shape != expected:
            raise DataError(f"'{self.name}': counts of shape {self.counts.shape}, but grid and axis say {expected}; export it again.")
        if not self.counts.size:
            raise DataError(f"'{self.name}' holds no spectra; choose another file or item.")

    @classmethod
    def from_arrays(
        cls,
        counts: ArrayLike,
        axis_values: ArrayLike,
        kind: AxisKind,
        *,
        frame: Frame | None = None,
        laser_nm: float | None = None,
        medium: Medium | None = None,
        **fields: Any,
    ) -> Self:
        """Build a map from counts (ny, nx, n) and an axis that may rise or fall; infinite counts become NaN.

        `StoredCounts`, a memory-mapped or a Dask array is kept as it is, on disk: stages read it some rows at a time.
        """
        values = np.asarray(axis_values, dtype=np.float64)
        lazy = is_stored(counts)
        cube: Any = counts if lazy else np.asarray(counts, dtype=np.float32)
        if cube.ndim != 3:
            raise DataError(f"A map has three dimensions (y, x, spectral), but the counts have {cube.ndim}; reshape them first.")
        if len(values) > 1 and values[0] > values[-1]:
            values, cube = values[::-1].copy(), cube.turned() if isinstance(cube, StoredCounts) else cube[:, :, ::-1]
        cube = cube if lazy else np.ascontiguousarray(cube)
        if not lazy and any(np.isinf(row).any() for row in cube):
            cube = np.where(np.isinf(cube), np.float32(np.nan), cube)
        ny, nx = cube.shape[:2]
        return cls(frame or Frame((ny, nx)), SpectralAxis(values, kind, laser_nm, medium), cube, **fields)

    def coordinates(self) -> Coordinates:
        """Places of the pixels, and the axis."""
        return self.frame.coordinates() | {"spectral": (("spectral",), self.axis.values, self.axis.unit)}

    def to_hyperspy(self) -> Any:
        """The same as a signal of HyperSpy, where that is installed."""
        from napari_wse2xai.data.hyperspy_signal import signal_of_map

        return signal_of_map(self)

    def replaced_at(self, row: int, column: int) -> NDArray[np.int32]:
        """Channels of a pixel that the spike filter replaced."""
        if self.replaced is None:
            return np.empty(0, dtype=np.int32)
        first, last = np.searchsorted(self.replaced[:, 0], [row, row + 1])
        of_row = self.replaced[first:last]
        return np.asarray(of_row[of_row[:, 1] == column, 2])

    @cached_property
    def fingerprint(self) -> str:
        """Mark of a map that has no history: of its axis and of rows all over it."""
        rows = np.unique(np.linspace(0, len(self.counts) - 1, _FINGERPRINT_ROWS).astype(int)).tolist()
        mark = hashlib.sha256(f"{self.counts.shape} {self.name}".encode() + self.axis.values.tobytes())
        for row in rows:
            mark.update(np.ascontiguousarray(self.counts[row : row + 1], dtype=np.float32).tobytes())
        return mark.hexdigest()[:16]

    @cached_property
    def even_light(self) -> NDArray[np.float32]:
        """(n,) of mean 1: what counts that are alike at all channels as they were measured, the detector's dark level, look like here.

        Level, but where a Jacobian made counts a density on another axis: there it has bent the dark level too.
        """
        found, axis = _CONVERTED.search(self.intensity_unit), self.axis
        if found is None:
            return np.ones(len(axis), dtype=np.float32)
        kind = AxisKind.WAVENUMBER if found[1] == "cm-1" else AxisKind.from_unit(found[1])
        density = convert_values(axis.values, axis.kind, kind, axis.laser_nm, axis.medium) / axis.values
        return np.asarray(density / density.mean(), dtype=np.float32)

    @property
    def measured(self) -> NDArray[np.bool_]:
        """(ny, nx) True where every channel has a value."""
        return np.stack([np.isfinite(np.asarray(line)).all(axis=-1) for line in self.counts])  # a row at a time bounds the memory

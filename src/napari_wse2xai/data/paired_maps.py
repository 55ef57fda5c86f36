"""RS and PL of one flake, pixel by pixel: a table underneath."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data.candidate import Candidate
from napari_wse2xai.data.declared import PLACES, Tabled, attribute
from napari_wse2xai.data.frame import Frame
from napari_wse2xai.data.history import History, Recorded
from napari_wse2xai.data.peak_maps import PARAMETERS, PeakMaps
from napari_wse2xai.data.transform import Transform

if TYPE_CHECKING:
    import pandas as pd
    import xarray

SQUARES = 8
"""Of a checkerboard, along its longer side."""


@dataclass(frozen=True, eq=False)
class Pairable:
    """Two results of deconvolution, of one flake, that are to be paired."""

    raman: PeakMaps
    pl: PeakMaps


@dataclass(frozen=True, eq=False)
class PairedMaps(Recorded, Tabled):
    """Peaks of the PL map brought onto the grid of the RS map; NaN where the maps do not overlap."""

    raman: PeakMaps
    """As deconvolved."""
    pl: PeakMaps
    """Resampled, on the frame of `raman`."""
    pl_frame: Frame
    """Grid on which the PL was measured."""
    transform: Transform
    """From the PL map's stage coordinates to those of the RS map."""
    misalignment_um: Annotated[float, attribute()]
    """Distance, root mean square over the corners of the PL scan, at which PL lies from where it belongs: of the transform from the best
    registration of the outlines, and that registration's own error, added in squares.  NaN where it cannot be judged."""
    misalignment_error_um: Annotated[float, attribute()]
    """One standard error of it."""
    overlap: Annotated[float, attribute()]
    """Intersection over union of the two flakes where both were scanned; NaN where it cannot be judged."""
    found_by: Annotated[str, attribute()]
    """How the transform was found, in words."""
    candidates: tuple[Candidate, ...] = ()
    """What a search found, the best first; empty where none was made."""
    doubts: Annotated[tuple[str, ...], attribute()] = ()
    """Why it is not sure that PL lies where it belongs, each a sentence; empty where it is."""
    history: Annotated[History, attribute()] = ()
    """The pairing; how each map came to be is in its own history."""

    @property
    def name(self) -> str:
        """Names of both maps."""
        return f"{self.raman.name} + {self.pl.name}"

    @property
    def frame(self) -> Frame:
        """Grid of all maps, that of the RS scan."""
        return self.raman.frame

    @property
    def paired(self) -> NDArray[np.bool_]:
        """(ny, nx) True where both RS and PL have a peak."""
        return np.asarray(np.isfinite(self.raman.height).any(axis=0) & np.isfinite(self.pl.height).any(axis=0))

    def squares(self) -> NDArray[np.bool_]:
        """(ny, nx) checkerboard with `SQUARES` along the longer side: True where PL is to be shown, False where RS is."""
        side = max(1, max(self.frame.shape) // SQUARES)
        row, column = np.indices(self.frame.shape) // side
        return np.asarray((row + column) % 2 == 1)

    @property
    def step_um(self) -> float:
        """Mean distance of RS pixels, um."""
        return float(np.sqrt(abs(np.prod(self.frame.step_um))))

    @property
    def misalignment_text(self) -> str:
        """Misalignment in words and in steps of the RS scan."""
        if not np.isfinite(self.misalignment_um):
            return "misalignment unknown"
        steps = self.misalignment_um / self.step_um
        return f"misalignment {self.misalignment_um:.2g} ± {self.misalignment_error_um:.2g} µm ({steps:.2f} steps)"

    def columns(self) -> Iterator[tuple[str, str, NDArray[np.float32]]]:
        """Name (``A1'.height``, ``A1'.height_error``), unit and map (ny, nx) of every number."""
        taken = [{*peaks.names, *(each.name for each in peaks.computed)} for peaks in (self.raman, self.pl)]
        for peaks, prefix in ((self.raman, ""), (self.pl, "PL " if taken[0] & taken[1] else "")):
            for index, name in enumerate(peaks.names):
                for parameter in PARAMETERS:
                    for part in (parameter, f"{parameter}_error"):
                        yield f"{prefix}{name}.{part}", peaks.unit(parameter), getattr(peaks, part)[index]
            for each in peaks.computed:
                yield f"{prefix}{each.name}", each.unit, each.value
                yield f"{prefix}{each.name}_error", each.unit, each.error

    def to_xarray(self) -> "xarray.Dataset":
        """The PL peaks on the RS grid, as they lie in a file; those of RS are `raman`."""
        return self.pl.to_xarray().assign(paired=(PLACES, self.paired)).assign_attrs(super().to_xarray().attrs)

    def to_dataframe(self) -> "pd.DataFrame":
        """One row per paired pixel: ``row``, ``column``, ``y_um``, ``x_um``, then every RS and PL number with its standard error.

        ``attrs["units"]`` holds the unit of each column of numbers.
        """
        import pandas as pd

        columns = list(self.columns())
        rows, places = np.nonzero(self.paired)
        table: dict[str, NDArray[np.generic]] = {"row": rows, "column": places}
        y_um, x_um = self.frame.at(rows, places).T
        table |= {"y_um": y_um, "x_um": x_um}
        frame = pd.DataFrame(table | {name: values[rows, places] for name, _, values in columns})
        frame.attrs["units"] = {name: unit for name, unit, _ in columns}
        return frame

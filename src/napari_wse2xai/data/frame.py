"""Where the pixels of a map lie on the sample."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Frame:
    """The grid of a rectangular scan, in micrometres: two artefacts with equal frames lie on the same place.

    Row 0 is the top row of the picture, as the instrument's own software draws it.  A negative step is allowed and
    means that the stage coordinate falls along that direction (an instrument whose y axis points up has a negative y step).
    """

    shape: tuple[int, int]
    """Number of pixels (ny, nx)."""
    step_um: tuple[float, float] = (1.0, 1.0)
    """Distance from pixel to pixel (dy, dx) in um; never zero."""
    origin_um: tuple[float, float] = (0.0, 0.0)
    """Stage coordinate (y, x) of the centre of pixel (0, 0) in um."""
    sample: str = ""
    """Name of the flake; maps of different flakes are never overlaid or paired."""

    @property
    def y_um(self) -> NDArray[np.float64]:
        """Stage coordinate of each row, (ny,) in um."""
        return self.origin_um[0] + self.step_um[0] * np.arange(self.shape[0], dtype=np.float64)

    @property
    def x_um(self) -> NDArray[np.float64]:
        """Stage coordinate of each column, (nx,) in um."""
        return self.origin_um[1] + self.step_um[1] * np.arange(self.shape[1], dtype=np.float64)

    @property
    def n_pixels(self) -> int:
        """Number of pixels of the scan."""
        return self.shape[0] * self.shape[1]

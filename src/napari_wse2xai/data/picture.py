"""A picture of the sample: a scan of height or of intensity, or what the microscope's camera saw."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data.frame import Frame
from napari_wse2xai.data.history import History, Recorded
from napari_wse2xai.errors import DataError


@dataclass(frozen=True, eq=False)
class Picture(Recorded):
    """One value, or one colour, per pixel of a frame."""

    frame: Frame
    values: NDArray[Any]
    """(ny, nx) float32 in `unit`, NaN where not measured; or (ny, nx, 3) uint8, red, green and blue."""
    name: str = "picture"
    unit: str = ""
    """Unit of the values, such as ``nA`` or ``counts``; empty for colours."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """What the file says about the picture, in the file's own words."""
    history: History = ()

    def __post_init__(self) -> None:
        """Refuse what is neither a map of values nor a colour picture."""
        shape, kind = self.values.shape, self.values.dtype
        is_colour = shape == (*self.frame.shape, 3) and kind == np.uint8
        if not is_colour and not (shape == self.frame.shape and kind == np.float32):
            raise DataError(f"Picture '{self.name}': values {shape} of {kind} do not fit its grid {self.frame.shape}; export it again.")
        if not self.values.size:
            raise DataError(f"Picture '{self.name}' holds no pixels; choose another file or item.")

    @property
    def is_colour(self) -> bool:
        """Whether the values are red, green and blue."""
        return self.values.ndim == 3

"""Numbers on a grid with all that a stranger must know of them, as other programs take them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import PARAMETERS, Frame, PeakMaps, SpectralMap

_PLAIN = {"b": "uint8", "u": "uint16", "i": "int32", "f": "float32"}
"""What OME knows of NumPy's kinds, and every program reads."""


@dataclass(frozen=True)
class PlainImage:
    """What a layer shows, or several pictures of one place."""

    values: NDArray[Any]
    """(y, x), or (channel, y, x)."""
    name: str
    step_um: tuple[float, float] = (1.0, 1.0)
    """Distance of rows and of columns, without a sign: row 0 is the top row."""
    unit: str = "1"
    channels: tuple[str, ...] = ()
    """What each channel is, as ``249.8 cm-1``."""
    frame: Frame | None = None
    """Where its pixels lie, where that is known."""

    @property
    def plain(self) -> NDArray[Any]:
        """Values in a type that every program reads."""
        return np.ascontiguousarray(self.values, dtype=_PLAIN[self.values.dtype.kind])


def image_of(artefact: PlainImage | SpectralMap | PeakMaps) -> PlainImage:
    """Picture of a map, a channel for each of the spectrum's, or of peaks, a channel for each parameter of each; a picture as it is."""
    if isinstance(artefact, PlainImage):
        return artefact
    unit = artefact.axis.unit
    if isinstance(artefact, SpectralMap):
        names = tuple(f"{value:.6g} {unit}" for value in artefact.axis.values)
        values = np.moveaxis(artefact.counts, -1, 0)
    else:
        units = {"position": unit, "fwhm": unit, "height": artefact.intensity_unit}
        names = tuple(f"{name} {parameter} ({units[parameter]})" for name in artefact.names for parameter in PARAMETERS)
        values = np.stack([getattr(artefact, parameter) for parameter in PARAMETERS], axis=1).reshape(-1, *artefact.frame.shape)
    dy, dx = artefact.frame.step_um
    return PlainImage(np.asarray(values), artefact.name, (abs(dy), abs(dx)), artefact.intensity_unit, names, artefact.frame)

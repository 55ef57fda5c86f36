"""What the spectra of a map are made of before any peak is fitted: components, or groups of like spectra."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data.axis import SpectralAxis
from napari_wse2xai.data.declared import PLACES, Coordinates, Tabled, along, attribute
from napari_wse2xai.data.frame import Frame
from napari_wse2xai.data.history import History, Recorded

per_component = partial(along, "component")
LIGHT = "{0.intensity_unit}"
Values = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Components(Recorded, Tabled):
    """Spectra that together make up those of a map, and how much of each lies in a pixel; or groups of pixels with like spectra."""

    frame: Frame
    axis: SpectralAxis
    method: Annotated[str, attribute()]
    """``PCA``, ``NMF`` or ``k-means``."""
    names: Annotated[tuple[str, ...], along("component", stored="component", says="name of the component")]
    spectra: Annotated[Values, per_component("spectral", unit=LIGHT, says="spectrum of the component")]
    """As strong as it is in a pixel whose share is 1; of a group the mean of its pixels.  NaN at channels that were left out."""
    explained: Annotated[NDArray[np.float64], per_component(unit="1", says="share of the variance that it explains")]
    """Of what the map's spectra differ by, each channel weighed by its noise; of a group, the share of the pixels."""
    share: Annotated[Values | None, per_component(*PLACES, unit="1", says="share of the component")] = None
    """Its root mean square over the pixels is 1; None of groups."""
    share_error: Annotated[Values | None, per_component(*PLACES, unit="1", says="standard error of share of the component")] = None
    """From what the components leave of each spectrum: noise, and what they cannot describe."""
    mean: Annotated[Values | None, along("spectral", unit=LIGHT, says="mean spectrum, to which the components are added")] = None
    """None where they are added to nothing."""
    spread: Annotated[Values | None, per_component("spectral", unit=LIGHT, says="standard deviation of the spectra of a group")] = None
    group: Annotated[NDArray[np.uint8] | None, along(*PLACES, says="group, from 1; 0 was not asked")] = None
    above_noise: Annotated[int, attribute()] = 0
    """How many principal components stand above the noise."""
    name: Annotated[str, attribute()] = "map"
    intensity_unit: Annotated[str, attribute()] = "counts"
    history: Annotated[History, attribute()] = ()

    def coordinates(self) -> Coordinates:
        """Places of the pixels, the axis, and the names."""
        named = {"component": (("component",), np.array(self.names, dtype=object), "")}
        return self.frame.coordinates() | {"spectral": (("spectral",), self.axis.values, self.axis.unit)} | named

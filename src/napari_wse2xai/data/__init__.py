"""Nouns: the artefacts that travel between stages.  numpy only."""

from napari_wse2xai.data.axis import AxisKind, Medium, SpectralAxis
from napari_wse2xai.data.frame import Frame
from napari_wse2xai.data.history import History, Record
from napari_wse2xai.data.paired_maps import Pairable, PairedMaps
from napari_wse2xai.data.peak_maps import PARAMETERS, PeakMaps, Status
from napari_wse2xai.data.picture import Picture
from napari_wse2xai.data.results import Results
from napari_wse2xai.data.spectral_map import SpectralMap
from napari_wse2xai.data.transform import Transform

__all__ = [
    "PARAMETERS",
    "AxisKind",
    "Frame",
    "History",
    "Medium",
    "Pairable",
    "PairedMaps",
    "PeakMaps",
    "Picture",
    "Record",
    "Results",
    "SpectralAxis",
    "SpectralMap",
    "Status",
    "Transform",
]

"""Nouns: the artefacts that travel between stages.  numpy only."""

from napari_wse2xai.data.axis import AxisKind, Medium, SpectralAxis
from napari_wse2xai.data.candidate import Candidate
from napari_wse2xai.data.compared import MapLevel, OtherModel
from napari_wse2xai.data.components import Components
from napari_wse2xai.data.computed_map import ComputedMap
from napari_wse2xai.data.explanation import Explanation
from napari_wse2xai.data.frame import Direction, Frame
from napari_wse2xai.data.history import History, Record
from napari_wse2xai.data.line import NUMBER, Line
from napari_wse2xai.data.paired_maps import Pairable, PairedMaps
from napari_wse2xai.data.peak_maps import PARAMETERS, PeakMaps, Status, peaks_there
from napari_wse2xai.data.picture import Picture
from napari_wse2xai.data.recovery import Recovery
from napari_wse2xai.data.results import Results
from napari_wse2xai.data.samples import TARGETS, Samples
from napari_wse2xai.data.spectral_map import SpectralMap
from napari_wse2xai.data.trained_model import NETWORK, VALIDATIONS, NullTest, Score, TrainedModel
from napari_wse2xai.data.transform import Transform
from napari_wse2xai.data.verdict import Level, Verdict

__all__ = [
    "NETWORK",
    "NUMBER",
    "PARAMETERS",
    "TARGETS",
    "VALIDATIONS",
    "AxisKind",
    "Candidate",
    "Components",
    "ComputedMap",
    "Direction",
    "Explanation",
    "Frame",
    "History",
    "Level",
    "Line",
    "MapLevel",
    "Medium",
    "NullTest",
    "OtherModel",
    "Pairable",
    "PairedMaps",
    "PeakMaps",
    "Picture",
    "Record",
    "Recovery",
    "Results",
    "Samples",
    "Score",
    "SpectralAxis",
    "SpectralMap",
    "Status",
    "TrainedModel",
    "Transform",
    "Verdict",
    "peaks_there",
]

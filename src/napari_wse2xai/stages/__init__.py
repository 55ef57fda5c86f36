"""Verbs on nouns: one frozen settings object per stage of the chain, callable on an artefact."""

from napari_wse2xai.stages._computed_later import compute
from napari_wse2xai.stages._plan import fitting_in
from napari_wse2xai.stages._stage import LiveProgress, Settings, SoFar, Stage, Step, as_kept
from napari_wse2xai.stages._table import on_one_map, on_one_side, steps_in
from napari_wse2xai.stages.baseline import Baseline
from napari_wse2xai.stages.calibrate import Calibrate
from napari_wse2xai.stages.check_model import Proposal, accepted, check_model
from napari_wse2xai.stages.compare_theory import CompareTheory
from napari_wse2xai.stages.computed import Computed
from napari_wse2xai.stages.convert_axis import ConvertAxis
from napari_wse2xai.stages.correct_response import CorrectResponse
from napari_wse2xai.stages.decompose import Decompose
from napari_wse2xai.stages.deconvolve import Deconvolve
from napari_wse2xai.stages.despike import Despike
from napari_wse2xai.stages.explain import Explain
from napari_wse2xai.stages.find_flake import FindFlake
from napari_wse2xai.stages.normalise import Normalise
from napari_wse2xai.stages.pair import Pair
from napari_wse2xai.stages.peaks import Peak
from napari_wse2xai.stages.review import ByHand, Review
from napari_wse2xai.stages.separate import Separate
from napari_wse2xai.stages.simulate import Simulate
from napari_wse2xai.stages.train import Train

TABLE = steps_in(__path__, __name__)
"""Every step of a run in its order, as the files of this folder declare them."""
STAGES = tuple(on_one_map(TABLE))
"""Those on one map: the chain of each modality.

Then `Pair` brings two together, `Train` learns from pairs, `Explain` from that, and `Simulate` puts both to the test; `CompareTheory` lays
calculated lines beside the result.
"""
SIDE = tuple(on_one_side(TABLE))
"""Those, and what is done to the peaks of one modality."""
BY_NAME = {step.__name__: step for step in TABLE}
"""By their names in a history."""

__all__ = [
    "BY_NAME",
    "SIDE",
    "STAGES",
    "TABLE",
    "Baseline",
    "ByHand",
    "Calibrate",
    "CompareTheory",
    "Computed",
    "ConvertAxis",
    "CorrectResponse",
    "Decompose",
    "Deconvolve",
    "Despike",
    "Explain",
    "FindFlake",
    "LiveProgress",
    "Normalise",
    "Pair",
    "Peak",
    "Proposal",
    "Review",
    "Separate",
    "Settings",
    "Simulate",
    "SoFar",
    "Stage",
    "Step",
    "Train",
    "accepted",
    "as_kept",
    "check_model",
    "compute",
    "fitting_in",
]

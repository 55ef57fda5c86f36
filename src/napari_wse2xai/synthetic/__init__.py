"""Synthetic WSe2 flakes with their truth: sample data of the plugin, fixture of the tests, test bench for a user's own settings."""

from napari_wse2xai.synthetic.flake import LAWS, SyntheticFlake, make_flake
from napari_wse2xai.synthetic.growth import FLAKE_SHAPES
from napari_wse2xai.synthetic.instrument import Instrument
from napari_wse2xai.synthetic.material import A1_HEIGHT, PL_HEIGHT, pl_law
from napari_wse2xai.synthetic.pair import SAMPLE_PLACEMENT, Placement, SyntheticPair, make_pair
from napari_wse2xai.synthetic.truth import ModalityTruth, Spikes, Truth

__all__ = [
    "A1_HEIGHT",
    "FLAKE_SHAPES",
    "LAWS",
    "PL_HEIGHT",
    "SAMPLE_PLACEMENT",
    "Instrument",
    "ModalityTruth",
    "Placement",
    "Spikes",
    "SyntheticFlake",
    "SyntheticPair",
    "Truth",
    "make_flake",
    "make_pair",
    "pl_law",
]

"""What a fitted model makes of its inputs: arrays in, scikit-learn's names where it has them."""

from napari_wse2xai.explaining.bands import bands
from napari_wse2xai.explaining.cloud import Cloud, not_separable, off_cloud
from napari_wse2xai.explaining.curves import partial_dependence
from napari_wse2xai.explaining.model import Model, as_model
from napari_wse2xai.explaining.ranking import pdp_spread, ranking, slope_rms
from napari_wse2xai.explaining.slopes import SCHEMES, derivatives, ice_slope

__all__ = [
    "SCHEMES",
    "Cloud",
    "Model",
    "as_model",
    "bands",
    "derivatives",
    "ice_slope",
    "not_separable",
    "off_cloud",
    "partial_dependence",
    "pdp_spread",
    "ranking",
    "slope_rms",
]

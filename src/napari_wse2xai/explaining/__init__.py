"""What a fitted model makes of its inputs: arrays in, scikit-learn's names where it has them."""

from napari_wse2xai.data.recovery import Recovery
from napari_wse2xai.explaining.accumulated import accumulated_local_effects
from napari_wse2xai.explaining.agreement import concordance, disagreement, trusted
from napari_wse2xai.explaining.attribution import integrated_gradients
from napari_wse2xai.explaining.bands import bands
from napari_wse2xai.explaining.cloud import Cloud, not_separable, off_cloud, told_by_others
from napari_wse2xai.explaining.curves import partial_dependence
from napari_wse2xai.explaining.display import PartialDependenceDisplay
from napari_wse2xai.explaining.interactions import h_statistic, partial_dependence_pairs
from napari_wse2xai.explaining.model import Model, as_model
from napari_wse2xai.explaining.permutation import by_peak, permutation_importance
from napari_wse2xai.explaining.randomisation import weight_randomisation
from napari_wse2xai.explaining.ranking import pdp_spread, ranking, slope_rms
from napari_wse2xai.explaining.regions import ice_clusters, regional_effects
from napari_wse2xai.explaining.semi_synthetic import Explained, explained, simulate
from napari_wse2xai.explaining.slopes import SCHEMES, derivatives, ice_slope
from napari_wse2xai.explaining.subject import Subject

__all__ = [
    "SCHEMES",
    "Cloud",
    "Explained",
    "Model",
    "PartialDependenceDisplay",
    "Recovery",
    "Subject",
    "accumulated_local_effects",
    "as_model",
    "bands",
    "by_peak",
    "concordance",
    "derivatives",
    "disagreement",
    "explained",
    "h_statistic",
    "ice_clusters",
    "ice_slope",
    "integrated_gradients",
    "not_separable",
    "off_cloud",
    "partial_dependence",
    "partial_dependence_pairs",
    "pdp_spread",
    "permutation_importance",
    "ranking",
    "regional_effects",
    "simulate",
    "slope_rms",
    "told_by_others",
    "trusted",
    "weight_randomisation",
]

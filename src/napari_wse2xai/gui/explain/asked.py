"""What is asked of the network while an explanation is played with: pairs of parameters, and regions of the flake."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data.quantities import feature_words, with_unit
from napari_wse2xai.data.questions import Region, TwoParameters
from napari_wse2xai.errors import DataError
from napari_wse2xai.gui.explain.pixel_curves import PixelCurves
from napari_wse2xai.progress import Progress

if TYPE_CHECKING:
    from napari_wse2xai.explaining.questions import Strengths

Regions = tuple[NDArray[np.int64], tuple[Region, ...]]
"""Region (n,) of each pixel of the samples, from 1, and what the regions are."""
NEEDS_MODEL = "Needs the trained model in the window: open it, or train and explain again."
BY_RULE, BY_SHAPE = "by the other parameters", "by the shape of the curves"
"""Kinds of regions."""
H_MEANING = (
    "H (Friedman and Popescu 2008): the mean prediction with both parameters set, less what each of the two gives alone; its standard "
    "deviation over the pixels, divided by that of the whole. 0: the two simply add up; 1: nothing but interaction. The share is H²."
)


def regions_of(pixels: PixelCurves, feature: int, kind: str, progress: Progress) -> Regions:
    """Regions of a feature, of either kind."""
    from napari_wse2xai.explaining import questions

    _must_vary(pixels, feature)
    samples = pixels.explanation.samples
    names = [with_unit(*each) for each in zip(samples.feature_names, samples.feature_units, strict=True)]
    return questions.regions_of(pixels.subject(), feature, names=names, by_shape=kind == BY_SHAPE, progress=progress)


def pair_of(pixels: PixelCurves, features: tuple[int, int], progress: Progress) -> TwoParameters:
    """Surface and interaction of two features."""
    from napari_wse2xai.explaining import questions

    for feature in features:
        _must_vary(pixels, feature)
    return questions.two_parameters(pixels.subject(), features, points=pixels.explanation.pdp_grid.shape[1], progress=progress)


def strengths_of(pixels: PixelCurves, feature: int, progress: Progress) -> "Strengths":
    """Interaction of a feature with all others."""
    from napari_wse2xai.explaining import questions

    return questions.interactions_with(pixels.subject(), feature, progress=progress)


def _must_vary(pixels: PixelCurves, feature: int) -> None:
    grid, name = pixels.explanation.pdp_grid[feature], pixels.explanation.features[feature]
    if not grid[-1] > grid[0]:
        raise DataError(f"{feature_words(name)} is the same at every pixel; choose another parameter.")

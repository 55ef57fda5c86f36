"""Verbs on nouns: one frozen settings object per stage of the chain, callable on an artefact."""

from napari_wse2xai.stages._stage import Progress, Settings, Stage, silent
from napari_wse2xai.stages.baseline import Baseline
from napari_wse2xai.stages.convert_axis import ConvertAxis
from napari_wse2xai.stages.deconvolve import Deconvolve, Peak
from napari_wse2xai.stages.despike import Despike
from napari_wse2xai.stages.find_flake import FindFlake

STAGES = (ConvertAxis, FindFlake, Despike, Baseline, Deconvolve)
"""Every stage, in the order of the chain."""

__all__ = ["STAGES", "Baseline", "ConvertAxis", "Deconvolve", "Despike", "FindFlake", "Peak", "Progress", "Settings", "Stage", "silent"]

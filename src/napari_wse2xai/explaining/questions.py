"""Questions to a network about two parameters, regions and wavenumbers: what window, command line, report and file ask alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data.questions import Region, TwoParameters, Wavenumbers
from napari_wse2xai.errors import DataError
from napari_wse2xai.explaining.attribution import integrated_gradients
from napari_wse2xai.explaining.interactions import h_statistic, partial_dependence_pairs
from napari_wse2xai.explaining.model import TorchModel
from napari_wse2xai.explaining.regions import ice_clusters, regional_effects
from napari_wse2xai.explaining.subject import Subject
from napari_wse2xai.progress import Progress, part, silent

ATTRIBUTED = 256
"""Pixels whose integrated gradients are taken."""


@dataclass(frozen=True, eq=False)
class Strengths:
    """How strongly one parameter interacts with each of the others."""

    feature: int
    partners: tuple[int, ...]
    """The strongest first."""
    strength: tuple[float, ...]
    """Standard deviation of the interaction, in the target's unit."""


def two_parameters(subject: Subject, features: tuple[int, int], *, points: int = 50, progress: Progress = silent) -> TwoParameters:
    """Surface and interaction of two columns, `points` along either."""
    surfaces = partial_dependence_pairs(subject, None, [features], grid_resolution=points, progress=part(progress, 0.0, 0.6))
    found = h_statistic(subject, None, [features], progress=part(progress, 0.6, 1.0))
    return TwoParameters(features, surfaces.grid_values[0], surfaces.average[0], float(found.h[0]), float(found.strength[0]))


def interactions_with(subject: Subject, feature: int, *, progress: Progress = silent) -> Strengths:
    """Interaction of a column with all others."""
    others = [other for other in range(subject.table.shape[1]) if other != feature]
    found = h_statistic(subject, None, [(feature, other) for other in others], progress=progress).strength
    order = np.argsort(-found, kind="stable").tolist()
    return Strengths(feature, tuple(others[k] for k in order), tuple(float(found[k]) for k in order))


def regions_of(
    subject: Subject, feature: int, *, names: Sequence[str] = (), by_shape: bool = False, progress: Progress = silent
) -> tuple[NDArray[np.int64], tuple[Region, ...]]:
    """Region (n,) of each pixel, from 1, and what the regions are: split by the other parameters, or clusters of the curves' shapes."""
    if by_shape:
        found = ice_clusters(subject, None, feature, progress=progress)
        rules = [f"cluster {k}" for k in range(1, len(found.average) + 1)]
    else:
        found = regional_effects(subject, None, feature, names=names, progress=progress)
        rules = found.rules
    kept = found.remaining / found.heterogeneity if found.heterogeneity else 1.0
    rises = [float(curve[-1] - curve[0]) for curve in found.average]
    regions = zip(range(1, len(rules) + 1), rules, rises, strict=True)
    return found.labels, tuple(Region(feature, number, rule, rise, kept) for number, rule, rise in regions)


def wavenumbers_of(subject: Subject, *, progress: Progress = silent) -> Wavenumbers:
    """Integrated gradients of some pixels from all over the flakes, mean size per channel; for a network that draws its lines itself."""
    some = subject.table[:: -(-len(subject.table) // ATTRIBUTED)]
    found = integrated_gradients(subject, some, progress=progress)
    model = subject.model
    if not isinstance(model, TorchModel):
        raise DataError("Only a network looks at wavenumbers; explain the network, not one of the reference models.")
    drawn = found.baseline * model.module.rendering.scale.cpu().numpy()  # type: ignore[union-attr,operator]  # it sees lines over their usual size
    size = np.abs(found.attributions).mean(axis=0)
    density = size / np.abs(np.gradient(found.channels, axis=1))
    by_line = size.sum(axis=1) / max(float(size.sum()), 1e-300)
    return Wavenumbers(found.channels, drawn, density, by_line, len(some), float(np.abs(found.delta).max()))

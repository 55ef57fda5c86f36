"""What is asked of the network while an explanation is played with: pairs of parameters, and regions of the flake."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Explanation
from napari_wse2xai.data.quantities import feature_words, pretty
from napari_wse2xai.errors import DataError
from napari_wse2xai.gui.explain.pixel_curves import PixelCurves
from napari_wse2xai.progress import Progress, part

Numbers = NDArray[np.float64]
NEEDS_MODEL = "Needs the trained model in the window: open it, or train and explain again."
ATTRIBUTED = 256
"""Pixels whose integrated gradients are taken."""
BY_RULE, BY_SHAPE = "by the other parameters", "by the shape of the curves"
"""Kinds of regions."""
H_MEANING = (
    "H (Friedman and Popescu 2008): the mean prediction with both parameters set, less what each of the two gives alone; its standard "
    "deviation over the pixels, divided by that of the whole. 0: the two simply add up; 1: nothing but interaction. The share is H²."
)


@dataclass(frozen=True, eq=False)
class TwoParameters:
    """Two parameters at once."""

    features: tuple[int, int]
    grid: Numbers
    """(2, grid) values of the first and of the second."""
    surface: Numbers
    """(grid of the first, grid of the second) mean prediction."""
    h: float
    """Share of the interaction, as standard deviations."""
    strength: float
    """Standard deviation of the interaction, in the target's unit."""


@dataclass(frozen=True, eq=False)
class Strengths:
    """How strongly one parameter interacts with each of the others."""

    feature: int
    partners: tuple[int, ...]
    """The strongest first."""
    strength: tuple[float, ...]
    """Standard deviation of the interaction, in the target's unit."""


@dataclass(frozen=True, eq=False)
class Regions:
    """Where on the flakes a parameter acts in which way."""

    feature: int
    labels: NDArray[np.int64]
    """(n,) region of each pixel of the samples, from 1, by rising slope."""
    rules: tuple[str, ...]
    """What each region is, in words."""
    change: tuple[float, ...]
    """How much the prediction rises in each from the lowest to the highest value of the parameter, in the target's unit."""
    kept: float
    """Share of the curves' spread that is left within the regions."""


@dataclass(frozen=True, eq=False)
class Wavenumbers:
    """Which channels of which lines the network looks at."""

    channels: Numbers
    """(line, channel) places on the axis."""
    drawn: Numbers
    """(line, channel) mean lines, RS counts."""
    share: Numbers
    """(line, channel) mean size of the integrated gradients, in the target's unit per unit of the axis."""
    by_line: Numbers
    """(line,) share of each line in the whole."""
    pixels: int
    missed: float
    """By how much the shares of a pixel miss the difference of its prediction to that of the mean pixel at most, in the target's unit."""


def wavenumbers_of(pixels: PixelCurves, progress: Progress) -> Wavenumbers:
    """Integrated gradients of some pixels from all over the flakes, mean size per channel."""
    from napari_wse2xai.explaining import integrated_gradients

    table = pixels.explanation.samples.features
    some = table[:: -(-len(table) // ATTRIBUTED)]
    network = pixels.network()
    found = integrated_gradients(network, some, progress=progress)
    drawn = found.baseline * network.module_.rendering.scale.cpu().numpy()  # the network sees lines over their usual size
    size = np.abs(found.attributions).mean(axis=0)
    density = size / np.abs(np.gradient(found.channels, axis=1))
    by_line = size.sum(axis=1) / max(float(size.sum()), 1e-300)
    return Wavenumbers(found.channels, drawn, density, by_line, len(some), float(np.abs(found.delta).max()))


def regions_of(pixels: PixelCurves, feature: int, kind: str, progress: Progress) -> Regions:
    """Regions of a feature: by a rule in the other parameters, or by the shape of the curves."""
    from napari_wse2xai.explaining import ice_clusters, regional_effects

    explanation = pixels.explanation
    _must_vary(explanation, feature)
    network, table, which = pixels.network(), explanation.samples.features, column(explanation, feature)
    if kind == BY_RULE:
        found = regional_effects(network, table, which, names=_with_units(explanation), progress=progress)
        rules = tuple(found.rules)
    else:
        found = ice_clusters(network, table, which, progress=progress)
        rules = tuple(f"cluster {k}" for k in range(1, len(found.average) + 1))
    change = tuple(float(curve[-1] - curve[0]) for curve in found.average)
    return Regions(feature, found.labels, rules, change, found.remaining / found.heterogeneity if found.heterogeneity else 1.0)


def _with_units(explanation: Explanation) -> list[str]:
    samples = explanation.samples
    return [f"{feature_words(name)} ({pretty(unit)})" for name, unit in zip(samples.feature_names, samples.feature_units, strict=True)]


def pair_of(pixels: PixelCurves, feature: int, second: int, progress: Progress) -> TwoParameters:
    """Surface and interaction of two features."""
    from napari_wse2xai.explaining import h_statistic, partial_dependence_pairs

    explanation = pixels.explanation
    for one in (feature, second):
        _must_vary(explanation, one)
    network, table = pixels.network(), explanation.samples.features
    pair = (column(explanation, feature), column(explanation, second))
    points = explanation.pdp_grid.shape[1]
    surfaces = partial_dependence_pairs(network, table, [pair], grid_resolution=points, progress=part(progress, 0.0, 0.6))
    found = h_statistic(network, table, [pair], progress=part(progress, 0.6, 1.0))
    return TwoParameters((feature, second), surfaces.grid_values[0], surfaces.average[0], float(found.h[0]), float(found.strength[0]))


def strengths_of(pixels: PixelCurves, feature: int, progress: Progress) -> Strengths:
    """Interaction of a feature with all others."""
    from napari_wse2xai.explaining import h_statistic

    explanation = pixels.explanation
    others = [other for other in range(len(explanation.features)) if other != feature]
    pairs = [(column(explanation, feature), column(explanation, other)) for other in others]
    found = h_statistic(pixels.network(), explanation.samples.features, pairs, progress=progress).strength
    order = np.argsort(-found, kind="stable").tolist()
    return Strengths(feature, tuple(others[k] for k in order), tuple(float(found[k]) for k in order))


def interaction_words(explanation: Explanation, pair: TwoParameters) -> str:
    """Say how much of what two parameters do together is interaction, and whether they can be told apart at all."""
    first, second = (explanation.features[feature] for feature in pair.features)
    both = f"{feature_words(first)} and {feature_words(second)}"
    size = f"{pair.strength:.3g} {pretty(explanation.target_unit)}"
    said = f"{share(pair.h)} of what {both} do together is interaction (H = {pair.h:.2f}, {size})."
    for one, other, rho in explanation.not_separable:
        if {one, other} == {first, second}:
            said += f" The two go together (rank correlation {rho:.2f}): away from the dots nothing was measured."
    return said


def share(h: float) -> str:
    """Share of the variance that H stands for, in percent."""
    percent = 100 * h**2
    return "Less than 1 %" if percent < 1 else f"{percent:.0f} %"


def column(explanation: Explanation, feature: int) -> int:
    """Column of the samples in which a feature lies."""
    return explanation.samples.feature_names.index(explanation.features[feature])


def _must_vary(explanation: Explanation, feature: int) -> None:
    grid = explanation.pdp_grid[feature]
    if not grid[-1] > grid[0]:
        raise DataError(f"{feature_words(explanation.features[feature])} is the same at every pixel; choose another parameter.")

"""What else is asked of the model that is explained: curves that stay with the data, the worth of a peak, whether weights matter."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.progress import Progress, part

if TYPE_CHECKING:
    from napari_wse2xai.explaining import Subject

Numbers = NDArray[np.float64]
REDRAWS = 12
"""Random networks: one alone may be like the true one by chance, and few for some parameter."""
PIXELS = 1000
"""So many pixels suffice to compare maps, and to see what shuffling loses."""
ALE, PERMUTED = 0.1, 0.7
"""Where curves and shuffling end, as fractions of the whole."""


def cross_checks(
    subject: "Subject",
    values: Numbers,
    grid: Numbers,
    groups: Sequence[Sequence[int]],
    *,
    seed: int,
    progress: Progress,
) -> dict[str, Numbers]:
    """Ask a model in three more ways.

    Parameters
    ----------
    subject : the model with its pixels
    values : (n,) of the target; NaN where a pixel has none
    grid : (feature, point) values at which curves are wanted
    groups : columns of each peak, in the order of the columns

    Returns
    -------
    ``ale`` (feature, point) accumulated local effects about the mean prediction; ``permutation``, ``permutation_error`` (feature,) R2
    lost where the parameters of the feature's peak are shuffled together, on pixels that the model was trained on, and its
    standard deviation over shuffles; of a network also ``randomised`` (feature,) correlation of its slope map with that of random weights
    """
    from napari_wse2xai.explaining import permutation_importance

    ale, few = accumulated(subject, grid, part(progress, 0.0, ALE)), _few(subject)
    told = part(progress, ALE, PERMUTED)
    peaks = permutation_importance(subject.model, subject.table[few], values[few], groups=groups, random_state=seed, progress=told)
    sizes = [len(group) for group in groups]
    lost, doubt = np.repeat(peaks.importances_mean, sizes), np.repeat(peaks.importances_std, sizes)
    found = {"ale": ale, "permutation": lost, "permutation_error": doubt}
    return found | _randomised(subject, seed, part(progress, PERMUTED, 1.0))


def _randomised(subject: "Subject", seed: int, progress: Progress) -> dict[str, Numbers]:
    """Correlation of slope maps with those of random weights; nothing of a model that has no weights to draw anew."""
    from napari_wse2xai.explaining import weight_randomisation
    from napari_wse2xai.explaining.randomisation import redrawable

    if not redrawable(subject):
        return {}
    few = subject.table[_few(subject)]
    random = weight_randomisation(subject, few, redraws=REDRAWS, cascade=False, random_state=seed, progress=progress)
    return {"randomised": random.correlation[-1]}


def _few(subject: "Subject") -> slice:
    """Pixels all over the table, about `PIXELS` where there are more."""
    return slice(None, None, max(1, len(subject.table) // PIXELS))


def accumulated(subject: "Subject", grid: Numbers, progress: Progress) -> Numbers:
    """Accumulated local effects (feature, point) on a grid, level with the mean prediction, so that they lie beside partial dependences."""
    from napari_wse2xai.explaining import accumulated_local_effects

    scheme = "autograd" if subject.model.differentiable else "steps"
    effects = accumulated_local_effects(subject, scheme=scheme, progress=progress)
    curves = [np.interp(*curve) for curve in zip(grid, effects.grid_values, effects.average, strict=True)]
    return np.stack(curves) + float(subject.predicted.mean())


def depends_on_weights(correlation: Numbers) -> str:
    """Say whether the slope maps come from what was learnt (Adebayo et al. 2018), from their correlation (feature,) with random ones."""
    from napari_wse2xai.explaining.randomisation import PASSED

    usual = float(np.abs(correlation).mean())
    agreement = f"correlation {usual:.2f}, mean over parameters and {REDRAWS} random networks"
    if usual < PASSED:
        return f"With random weights the slope maps are others ({agreement}): they come from what was learnt."
    return (
        f"With random weights the slope maps are much the same ({agreement}): they owe more to how the lines are "
        "drawn than to what was learnt; do not rely on them."
    )

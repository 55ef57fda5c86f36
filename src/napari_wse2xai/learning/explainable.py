"""Which of the trained models may be explained, which of them predict best, and the fitted estimator of each."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import NETWORK, Score, TrainedModel
from napari_wse2xai.learning.references import WITHIN, reference_models
from napari_wse2xai.numerics.library_threads import single_threaded

Numbers = NDArray[np.float64]

EXPLAINABLE = {
    "network": NETWORK,
    "ensemble": "MLP ensemble",
    "Gaussian process": "Gaussian process",
    "kernel ridge": "kernel ridge",
    "gradient boosting": "gradient boosting",
}
"""Names among the scores by the words of the setting."""


def evidence(scores: Iterable[Score], target: str) -> dict[str, float]:
    """R2 on held-out pixels of every model that can be explained: in spatial blocks, or of the random split where no block was tested."""
    held_out = [each for each in scores if each.target == target and each.part == "validation" and each.model in EXPLAINABLE.values()]
    for validation in ("blocks", "random"):
        if found := {each.model: each.r2 for each in held_out if each.validation == validation and np.isfinite(each.r2)}:
            return found
    return {}


def as_good(scores: dict[str, float]) -> list[str]:
    """Models whose R2 is as good as the best, the best first."""
    best = max(scores.values(), default=0.0)
    return sorted((name for name, r2 in scores.items() if r2 >= best - WITHIN), key=lambda name: -scores[name])


def model_of(model: TrainedModel, target: str, name: str) -> Any:
    """Estimator of one name, fitted to all pixels that have the target.

    The network is made of its weights.  A reference model is the one that the training kept; where the training comes from a file, which
    holds no reference models, it is fitted anew to the same table with the same seed, and is the same.
    """
    if name == NETWORK:
        from napari_wse2xai.learning.regressor import SpectralCNNRegressor

        return SpectralCNNRegressor.from_state(model.settings, model.weights[target])
    kept = model.fitted.setdefault(target, {})
    if name not in kept:
        samples = model.samples
        seed = model.settings.get("random_state")
        kept |= fitted([name], samples.features, samples.targets[:, samples.target(target)], seed=seed)
    return kept[name]


def fitted(names: Sequence[str], features: Numbers, values: Numbers, *, seed: int | None) -> dict[str, Any]:
    """Fit reference models to all pixels (n, feature) whose target (n,) is known."""
    from napari_wse2xai.numerics.threads import in_threads

    known = np.isfinite(values)
    with single_threaded():
        models = reference_models(seed)
        fits = in_threads(lambda name: models[name].fit(features[known], values[known]), names)
        with closing(fits):
            return dict(zip(names, fits, strict=True))

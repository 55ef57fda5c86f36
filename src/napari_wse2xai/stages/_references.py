"""Reference models of the network that predict as well: where they tell another story, a band says so."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import TrainedModel
from napari_wse2xai.numerics.library_threads import single_threaded

Numbers = NDArray[np.float64]
WITHIN = 0.02
"""A reference model whose R2 is within this of the best tells as good a story as the network (Fisher, Rudin & Dominici 2019)."""
SMOOTH = ("kernel ridge", "MLP ensemble")
"""Reference models whose curves have no steps of their own."""


def as_good(model: TrainedModel, target: str) -> list[str]:
    """Smooth reference models whose R2 on held-out pixels is as good as the best."""
    scores = model.held_out_r2(target)
    best = max(scores.values(), default=0.0)
    return [name for name in SMOOTH if scores.get(name, -np.inf) >= best - WITHIN]


def fitted(names: list[str], features: Numbers, values: Numbers, *, seed: int) -> list[Any]:
    """Fit reference models to all pixels (n, feature) whose target (n,) is known."""
    from napari_wse2xai.learning import reference_models

    known = np.isfinite(values)
    with single_threaded():
        models = reference_models(seed)
        return [models[name].fit(features[known], values[known]) for name in names]

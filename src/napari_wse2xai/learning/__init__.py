"""Networks and their reference models, validation on maps, and the verdict: arrays in, scikit-learn's conventions."""

from importlib import import_module
from typing import Any

_HOMES = {
    "GaussianProcess": "smooth_process",
    "MLPEnsembleRegressor": "ensemble",
    "SpatialBlockKFold": "splits",
    "SpectralCNNRegressor": "regressor",
    "correlation_length": "variogram",
    "judge": "verdict",
    "measure": "scores",
    "reference_models": "references",
    "spatial_permutation_test_score": "null_test",
    "surrogates": "surrogate_maps",
}
"""Public names by module: loaded when first used, for torch and scikit-learn take seconds."""

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

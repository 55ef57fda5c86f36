"""The models that always run beside the CNN: if they predict as well, the CNN is not needed; if none predicts, nothing can be explained."""

from typing import Any

RIDGE_PENALTIES = (0.1, 1.0, 10.0, 100.0)
"""Of the linear model, on standardised columns."""
TREES = 150
"""Of gradient boosting, half as many again as scikit-learn grows."""
WITHIN = 0.02
"""A model whose R2 is within this of the best tells as good a story as the network (Fisher, Rudin & Dominici 2019)."""


def reference_models(random_state: int | None = 0) -> dict[str, Any]:
    """Unfitted reference models by name, weakest first; each scales what it needs, for any units and one or several targets.

    Notes
    -----
    The kernel ridge regression takes its width and penalty by cross-validation on some 1,500 pixels from few values around the usual
    ones; gradient boosting is scikit-learn's, but for its number of trees.  The mean is the zero of R2.
    """
    from sklearn.dummy import DummyRegressor
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from napari_wse2xai.learning.ensemble import MLPEnsembleRegressor
    from napari_wse2xai.learning.kernel_ridge import KernelRidgeRegressor
    from napari_wse2xai.learning.smooth_process import GaussianProcess

    return {
        "mean": DummyRegressor(),
        "ridge": make_pipeline(StandardScaler(), RidgeCV(alphas=RIDGE_PENALTIES)),
        "gradient boosting": _gradient_boosting(random_state),
        "kernel ridge": KernelRidgeRegressor(),
        "MLP ensemble": MLPEnsembleRegressor(random_state=random_state),
        "Gaussian process": GaussianProcess(random_state=random_state),
    }


def _gradient_boosting(random_state: int | None) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(max_iter=TREES, random_state=random_state)

"""The models that always run beside the CNN: if they predict as well, the CNN is not needed; if none predicts, nothing can be explained."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_wse2xai.numerics.all_over import all_over

Rows = NDArray[np.int64]
Numbers = NDArray[np.float64]
RIDGE_PENALTIES = (0.1, 1.0, 10.0, 100.0)
"""Of the linear model, on standardised columns."""
TREES = 150
"""Of gradient boosting, half as many again as scikit-learn grows."""
KERNEL_RATES, KERNEL_PENALTIES = (0.003, 0.01, 0.03), (0.03, 0.1, 0.3)
"""Of the kernel ridge: pixels lie some 7 apart in 24 standardised columns, where a rate of 0.01 calls them alike by 0.6."""
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
    from napari_wse2xai.learning.smooth_process import GaussianProcess

    return {
        "mean": DummyRegressor(),
        "ridge": make_pipeline(StandardScaler(), RidgeCV(alphas=RIDGE_PENALTIES)),
        "gradient boosting": _gradient_boosting(random_state),
        "kernel ridge": _kernel_ridge(),
        "MLP ensemble": MLPEnsembleRegressor(random_state=random_state),
        "Gaussian process": GaussianProcess(random_state=random_state),
    }


def _gradient_boosting(random_state: int | None) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(max_iter=TREES, random_state=random_state)


def _kernel_ridge() -> Any:
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.kernel_ridge import KernelRidge
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    chain = Pipeline([("scale", StandardScaler()), ("ridge", KernelRidge(kernel="rbf"))])
    grid = {"ridge__gamma": KERNEL_RATES, "ridge__alpha": KERNEL_PENALTIES}
    # KernelRidge has no intercept, so the target is centred
    return TransformedTargetRegressor(GridSearchCV(chain, grid, cv=FewPixels()), transformer=StandardScaler())


@dataclass(frozen=True)
class FewPixels:
    """Folds of some of the pixels, in the order they come in, so that what is held out lies aside: a splitter of scikit-learn's.

    Width and penalty of a kernel are those of a process with noise, whatever the number of pixels; to look for them among all takes ten
    times as long.
    """

    folds: int = 3
    most: int = 1500

    def split(self, X: ArrayLike, y: object = None, groups: object = None) -> Iterator[tuple[Rows, Rows]]:  # noqa: N803 - scikit-learn's name
        """Rows to train on and rows to test on, fold by fold."""
        from sklearn.model_selection import KFold

        rows = all_over(len(np.asarray(X)), self.most)
        for training, held_out in KFold(self.folds).split(rows):
            yield rows[training], rows[held_out]

    def get_n_splits(self, X: object = None, y: object = None, groups: object = None) -> int:  # noqa: N803 - scikit-learn's name
        """Return the number of folds."""
        return self.folds

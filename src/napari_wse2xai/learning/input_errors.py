"""What the errors of the RS parameters do to a prediction."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from napari_wse2xai.errors import DataError
from napari_wse2xai.learning.scores import r2
from napari_wse2xai.learning.variogram import Numbers


@dataclass(frozen=True, eq=False)
class ErrorSpread:
    """Predictions from inputs drawn anew within their errors."""

    r2: Numbers
    """(draw,)"""
    prediction_std: Numbers
    """(n,) standard deviation of each pixel's prediction, in the target's unit."""
    r2_measured: float
    """With the inputs as measured."""

    @property
    def text(self) -> str:
        """What was found, as one sentence."""
        low, high = np.quantile(self.r2, (0.025, 0.975))
        drawn = f"With RS drawn anew {len(self.r2)} times within its errors, R2 on held-out pixels is {low:.3f} to {high:.3f}"
        return (
            f"{drawn} ({self.r2_measured:.3f} as measured); the median pixel's prediction changes by {np.median(self.prediction_std):.3g}."
        )


def error_spread(estimator: Any, X: Numbers, errors: ArrayLike, y: ArrayLike, *, count: int = 50, seed: int = 0) -> ErrorSpread:  # noqa: N803
    """Predict with inputs resampled within their standard errors.

    Parameters
    ----------
    estimator : fitted, with ``predict``
    X, errors : (n, feature) of pixels that the estimator was not fitted to; an error that is NaN counts as none
    y : (n,) measured
    count : draws

    Notes
    -----
    The measured values carry their errors already, so a draw carries them twice: the loss of R2 against `ErrorSpread.r2_measured` is about
    what better spectra would gain.  Errors are taken as independent of each other, though those of one line are not quite.
    """
    scale = np.nan_to_num(np.asarray(errors, dtype=np.float64), nan=0.0)
    if scale.shape != X.shape or count < 1:
        given = f"Errors of shape {scale.shape} and {count} draws do not fit inputs of shape {X.shape}"
        raise DataError(f"{given}; give one error each, and draw at least once.")
    measured, dice = np.asarray(y, dtype=np.float64), np.random.default_rng(seed)
    drawn = np.stack([estimator.predict(X + scale * dice.standard_normal(X.shape)) for _ in range(count)], axis=1)
    own = float(r2(measured, np.asarray(estimator.predict(X))))
    return ErrorSpread(r2(np.broadcast_to(measured[:, None], drawn.shape), drawn), drawn.std(axis=1), own)

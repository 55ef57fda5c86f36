"""What a right model leaves of spectra on the average, because it is no straight one: small, but the same in every pixel."""

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.problem import LONGEST, Problem
from napari_wse2xai.numerics.residual_noise import Noise
from napari_wse2xai.numerics.slopes import drawn
from napari_wse2xai.numerics.uncertainty import located

Values = NDArray[np.float64]


def expected_residual(
    problem: Problem, counts: NDArray[np.float32], parameters: Values, free: NDArray[np.bool_], noise: Noise
) -> NDArray[np.float64]:
    """Mean residual of some fits, over the noise of the channel, (pixel, n).

    Notes
    -----
    To second order the mean of the fitted curve differs from the curve of the mean parameters by half the trace of its second derivatives
    times their covariance; what of that the fit cannot follow stays as a residual (Box 1971, J. R. Stat. Soc. B 33, 171).  The trace is
    the sum of second differences along the principal axes of the covariance, one standard deviation long.  Of single lines it is nothing;
    of two that hardly can be told apart it is some hundredths of the noise, which a thousand spectra show.
    """
    slopes, local, variance, weighted = located(problem, counts, parameters, free, noise)
    covariance = np.moveaxis(local.covariance(weighted, noise.memory), -1, 0)
    error = np.sqrt(np.maximum(np.einsum("pii->pi", covariance), 1e-300))
    sizes, axes = np.linalg.eigh(np.nan_to_num(covariance / error[:, :, None] / error[:, None, :]))
    steps = np.clip(np.sqrt(np.maximum(sizes, 0.0))[:, None, :] * axes * error[:, :, None], -LONGEST, LONGEST)
    bent = np.zeros(slopes.fitted.shape)
    for step in np.moveaxis(steps, 2, 0):
        for way in (-1.0, 1.0):
            bent -= 0.5 * (drawn(problem, problem.moved(parameters, way * step)) - slopes.fitted)
    bent *= problem.root
    bent -= slopes.followed(bent)
    return np.asarray(bent / problem.root / np.sqrt(variance))

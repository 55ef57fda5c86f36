"""RS parameters without the part of their noise that the rest of the map gives away: noise in what is learnt from flattens every slope."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Samples
from napari_wse2xai.learning.ridge import told_by_the_rest
from napari_wse2xai.numerics.library_threads import single_threaded
from napari_wse2xai.numerics.standard import or_one

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]

FEWEST_PIXELS = 150
"""Of a flake; fewer do not tell what goes with what."""
_OFF = np.arange(-2, 3) ** 2
RINGS = tuple((np.add.outer(_OFF, _OFF) == squared).astype(np.float64) for squared in (1, 2, 4, 5))
"""Neighbours at one distance each, the nearest first."""
PENALTIES = tuple(10.0**power for power in range(-3, 4))
"""Of the ridge that predicts a parameter from its neighbours, columns standardised."""
LEAST = 0.05
"""Least share of what the rest misses that is taken for real: errors may be stated too large."""
USUAL = 3.0
"""Errors beyond so many times their median say nothing of how noisy the map is as a whole."""
FARTHEST = 2.0
"""Errors by which a value is moved at most: an edge or a grain is no noise, however little its neighbours tell of it."""


def calibrated(samples: Samples) -> Samples:
    """Give the same pixels with RS values drawn towards what the rest of their flake tells of them, and the errors that are left.

    Notes
    -----
    Regression calibration (Carroll, Ruppert, Stefanski and Crainiceanu 2006, chapter 4): a model that is fitted to expected true values has
    the slopes of the true ones.  One fitted to measured values has flatter ones, and gives what they lose to parameters that go together
    with them: where many do, a tenth of a standard deviation of noise costs a third of a slope, and more pixels do not help.
    """
    features, errors = samples.features.copy(), samples.feature_errors.copy()
    for one in range(len(samples.frames)):
        here: NDArray[np.bool_] = samples.flake == one
        if here.sum() >= FEWEST_PIXELS:
            with single_threaded():  # the same bits anywhere: interrupted trainings are known by them
                features[here], errors[here] = drawn_in(features[here], errors[here], samples.row[here], samples.column[here])
    return replace(samples, features=features, feature_errors=errors)


def drawn_in(values: Numbers, errors: Numbers, row: Places, column: Places) -> tuple[Numbers, Numbers]:
    """Expected true values (n, feature) of measured ones with their errors, and the errors that are left.

    Parameters
    ----------
    values, errors : (n, feature); a value without an error is left as it is
    row, column : (n,) places of the pixels on the grid
    """
    scale = or_one(values.std(axis=0))
    z, variance = (values - values.mean(axis=0)) / scale, (np.nan_to_num(errors) / scale) ** 2
    rings = _rings(z, row, column)
    moved, left = values.copy(), errors.copy()
    for feature in np.flatnonzero(variance.any(axis=0)):
        # Of the parameter itself its neighbours, of all others the pixel and its nearest: what errs together in one fit must not tell.
        own = [ring[:, [feature]] for ring in rings]
        others = [np.delete(each, feature, axis=1) for each in (z, rings[0])]
        told = told_by_the_rest(np.hstack([*own, *others]), z[:, feature], PENALTIES)
        share = _share_of_noise(told - z[:, feature], variance[:, feature])
        most = FARTHEST * np.sqrt(variance[:, feature])
        moved[:, feature] += scale[feature] * np.clip(share * (told - z[:, feature]), -most, most)
        left[:, feature] *= np.sqrt(1 - share)
    return moved, left


def _rings(z: Numbers, row: Places, column: Places) -> list[Numbers]:
    """Means (n, feature) over the neighbours at each distance that are there; 0, the mean of all, where none is."""
    from scipy.ndimage import convolve

    shape = (int(row.max()) + 1, int(column.max()) + 1)
    pictures = np.zeros((z.shape[1] + 1, *shape))
    pictures[:, row, column] = np.vstack([z.T, np.ones(len(z))])
    summed = (convolve(pictures, ring[None], mode="constant")[:, row, column] for ring in RINGS)
    return [(each[:-1] / np.maximum(each[-1], 1.0)).T for each in summed]


def _share_of_noise(missed: Numbers, variance: Numbers) -> Numbers:
    """Share (n,) of noise in what the rest misses of a value, by the variance of its error."""
    usual = variance <= USUAL**2 * np.median(variance)
    total = float((missed[usual] ** 2).mean())
    # What the rest misses is real or noise, and the errors say how much is noise.
    real = max(total - float(variance[usual].mean()), LEAST * total)
    return np.asarray(variance / (real + variance)) if real > 0 else np.zeros_like(variance)

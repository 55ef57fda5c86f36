"""Line shapes, with the same code for numpy arrays and torch tensors.

Only operators that both libraries overload are used, so that drawing a fit needs no torch and a solver no numpy.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = Any
"""A numpy array or a torch tensor (or a float); all arguments of one call broadcast against each other."""


def lorentzian(x: Array, position: Array, fwhm: Array, height: Array) -> Array:
    """Lorentzian ``h / (1 + ((x - p) / (w/2))^2)``."""
    u = 2.0 * (x - position) / fwhm
    return height / (1.0 + u * u)


def gaussian(x: Array, position: Array, fwhm: Array, height: Array) -> Array:
    """Gaussian ``h exp(-4 ln2 ((x - p) / w)^2)``, which is ``h (1/16)^(((x - p) / w)^2)``."""
    u = (x - position) / fwhm
    return height * 0.0625 ** (u * u)


def lorentzian_derivatives(x: Array, position: Array, fwhm: Array, height: Array) -> tuple[Array, Array, Array]:
    """Derivatives of `lorentzian` with respect to position, FWHM and height."""
    u = 2.0 * (x - position) / fwhm
    profile = 1.0 / (1.0 + u * u)
    by_u = -2.0 * height * u * profile * profile
    return -2.0 * by_u / fwhm, -u * by_u / fwhm, profile


def gaussian_derivatives(x: Array, position: Array, fwhm: Array, height: Array) -> tuple[Array, Array, Array]:
    """Derivatives of `gaussian` with respect to position, FWHM and height."""
    u = (x - position) / fwhm
    profile = 0.0625 ** (u * u)
    by_u = -8.0 * float(np.log(2.0)) * height * u * profile
    return -by_u / fwhm, -u * by_u / fwhm, profile


SHAPES: dict[str, Callable[[Array, Array, Array, Array], Array]] = {"lorentzian": lorentzian, "gaussian": gaussian}
"""Every line shape by its name in a recipe."""

DERIVATIVES: dict[str, Callable[[Array, Array, Array, Array], tuple[Array, Array, Array]]] = {
    "lorentzian": lorentzian_derivatives,
    "gaussian": gaussian_derivatives,
}
"""Analytic derivatives of each shape: (d/d position, d/d FWHM, d/d height)."""


def components(x: NDArray[np.float64], shapes: tuple[str, ...], parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """One curve per peak.

    Parameters
    ----------
    x : (n,) float64
        Axis values.
    shapes : names of `SHAPES`, one per peak
    parameters : (peak, 3) float64
        Position and FWHM in the axis unit, height in counts.

    Returns
    -------
    (peak, n) float64, counts; a peak without a value (NaN) gives a row of NaN
    """
    return np.stack([SHAPES[shape](x, *values) for shape, values in zip(shapes, parameters, strict=True)])

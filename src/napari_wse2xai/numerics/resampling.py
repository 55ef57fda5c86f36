"""Maps of values with errors, taken at places between their pixels."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]

_Neighbour = tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]
LEAST_WEIGHT = 0.5
"""Share of the four neighbours, by their weight, that must hold values."""


def bilinear(values: Array, errors: Array, pixels: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weighted means of the neighbours that hold values, and the standard errors of these means; NaN where too few do.

    No value is made up: beyond the outermost pixels (half a pixel from their centres) and in holes the result is NaN.

    Parameters
    ----------
    values, errors : (k, ny, nx); NaN where there is no value
    pixels : (my, mx, 2) fractional rows and columns

    Returns
    -------
    (k, my, mx) values and errors; an error is NaN where one of the values' is

    Notes
    -----
    Neighbouring results share neighbours, so their errors are not independent.
    """
    total = np.zeros((len(values), *pixels.shape[:-1]))
    mean, variance = np.zeros_like(total), np.zeros_like(total)
    for row, column, weight in _neighbours(pixels, values.shape[1:]):
        value, error = values[:, row, column].astype(np.float64), errors[:, row, column].astype(np.float64)
        there = np.where(np.isfinite(value), weight, 0.0)
        total += there
        mean += np.where(there > 0, there * value, 0.0)
        variance += np.where(there > 0, (there * error) ** 2, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        enough = total >= LEAST_WEIGHT
        return np.where(enough, mean / total, np.nan).astype(np.float32), np.where(enough, np.sqrt(variance) / total, np.nan).astype(
            np.float32
        )


def nearest(values: NDArray[np.uint8], pixels: NDArray[np.float64], *, outside: int) -> NDArray[np.uint8]:
    """Value (my, mx) of the nearest pixel of a map (ny, nx); `outside` beyond the map."""
    # `np.rint` takes halves to even numbers: every other border between two pixels would go the other way.
    index = np.floor(pixels + 0.5).astype(np.intp)
    inside = np.all((index >= 0) & (index < values.shape), axis=-1)
    row, column = np.moveaxis(np.where(inside[..., None], index, 0), -1, 0)
    return np.where(inside, values[row, column], np.uint8(outside)).astype(np.uint8)


def _neighbours(pixels: NDArray[np.float64], shape: tuple[int, ...]) -> list[_Neighbour]:
    """Row, column and weight of each of the four neighbours; a neighbour beyond the map weighs nothing."""
    first = np.floor(pixels).astype(np.intp)
    part = pixels - first
    found = []
    for down, right in ((0, 0), (0, 1), (1, 0), (1, 1)):
        row, column = first[..., 0] + down, first[..., 1] + right
        weight = np.abs(1 - down - part[..., 0]) * np.abs(1 - right - part[..., 1])
        inside = (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
        found.append((np.where(inside, row, 0), np.where(inside, column, 0), np.where(inside, weight, 0.0)))
    return found

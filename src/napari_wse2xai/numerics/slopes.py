"""Derivatives of a sum of peaks by its parameters, many pixels at once."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.lineshapes import SHAPES
from napari_wse2xai.numerics.problem import HEIGHT, PER_PEAK, POSITION, Problem

RIDGE = 1e-6
"""Added to a scaled normal matrix, whose diagonal is 1."""


def model(
    x: NDArray[np.float64], shapes: tuple[str, ...], parameters: NDArray[np.float64], width: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Sum of the peaks, (pixel, n) counts, for parameters (pixel, peak, 4); width: see `Problem`."""
    total = np.zeros((len(parameters), len(x)))
    for k, shape in enumerate(shapes):
        own = None if width is None or not width[k] else float(width[k])
        total += SHAPES[shape](x, *parameters[:, k, :, None].swapaxes(0, 1), width=own)
    return total


class Slopes:
    """Derivatives of the fitted signal by all that varies, and by the background's polynomials, of some pixels."""

    def __init__(self, problem: Problem, parameters: NDArray[np.float64]) -> None:
        pixels, n = len(parameters), len(problem.x)
        rows = {int(place): at for at, place in enumerate(problem.rows)}
        self.fitted = np.zeros((pixels, n), dtype=np.float32)
        """(pixel, n) sum of the peaks, counts."""
        self.all = np.empty((pixels, len(rows) + problem.background.shape[1], n), dtype=np.float32)
        """(pixel, q + polynomials, n), weighted."""
        self.all[:, len(rows) :] = problem.background.T
        root, self._links = problem.root.astype(np.float32), problem.links
        for k, by in enumerate(_derivatives(problem, parameters)):
            # Every shape is its height times its derivative by it.
            self.fitted += by[HEIGHT] * parameters[:, k, HEIGHT, None].astype(np.float32)
            for i, column in enumerate(by):
                if k * PER_PEAK + i in rows:
                    np.multiply(column, root, out=self.all[:, rows[k * PER_PEAK + i]])

    def product(self, other: NDArray[np.float32]) -> NDArray[np.float64]:
        """(pixel, q + polynomials, ...) sums over the channels of all slopes times another array (pixel, ..., n)."""
        return (self.all @ np.swapaxes(other, 1, 2)).astype(np.float64)

    def basis(self) -> NDArray[np.float64]:
        """(pixel, m + polynomials, n) orthonormal directions in which a fit follows the data; zero where a slope is none or another's."""
        linked = self._links.T @ self.all[:, : len(self._links)]
        rows = np.concatenate([linked, self.all[:, len(self._links) :]], axis=1).astype(np.float64)
        rows /= np.maximum(np.linalg.norm(rows, axis=2, keepdims=True), 1e-300)
        normal = rows @ rows.swapaxes(1, 2) + RIDGE * np.eye(rows.shape[1])
        return np.linalg.solve(np.linalg.cholesky(normal), rows)


def _derivatives(problem: Problem, parameters: NDArray[np.float64]) -> Iterator[tuple[NDArray[np.floating], ...]]:
    """By position, FWHM, height and form of one peak after the other, (pixel, n) each; in single precision where that is safe."""
    middle = float(problem.x.mean())
    for k, name in enumerate(problem.shapes):
        x, own = problem.x - middle, parameters[:, k].copy()
        own[:, POSITION] -= middle
        if SHAPES[name].form is None:
            x, own = x.astype(np.float32), own.astype(np.float32)
        yield SHAPES[name].slopes(x, problem.across(k), *own[:, :, None].swapaxes(0, 1))

"""Derivatives of a sum of peaks by its parameters, many pixels at once."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.lineshapes import SHAPES, Shape
from napari_wse2xai.numerics.problem import HEIGHT, PER_PEAK, POSITION, Problem

Values = NDArray[np.floating]
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
        self.root, self._links = problem.root, problem.links
        root = self.root.astype(np.float32)
        for k, by in enumerate(_derivatives(problem, parameters)):
            # Every shape is its height times its derivative by it.
            self.fitted += by[HEIGHT] * parameters[:, k, HEIGHT, None].astype(np.float32)
            for i, column in enumerate(by):
                if k * PER_PEAK + i in rows:
                    np.multiply(column, root, out=self.all[:, rows[k * PER_PEAK + i]])

    def normal(self) -> NDArray[np.float64]:
        """(q + polynomials, q + polynomials, pixel) sums over the channels of products of all slopes."""
        return _pixels_last(self.all @ np.swapaxes(self.all, 1, 2))

    def weighted(self, variance: NDArray[np.float32]) -> NDArray[np.float64]:
        """The same with each channel's product times a variance, (pixel, n)."""
        return _pixels_last(self.all @ np.swapaxes(self.all * variance[:, None], 1, 2))

    def product(self, residual: NDArray[np.float32]) -> NDArray[np.float64]:
        """(q + polynomials, pixel) sums of all slopes times a residual (pixel, n)."""
        return _pixels_last((self.all @ residual[..., None])[..., 0])

    def scaled(self, some: slice) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """(pixel, m + polynomials, n) directions in which some fits follow the data, of length 1; and the inverse of their products.

        ``rows.T @ inverse @ rows`` is the part of the data that a fit follows; of a direction that is none or another's nothing.
        """
        every, many = self.all[some], len(self._links)
        if self._links.shape[1] < many:
            every = np.concatenate([(self._links.T @ every[:, :many]).astype(np.float32), every[:, many:]], axis=1)
        size = np.sqrt(np.einsum("bmn,bmn->bm", every, every))[..., None]
        rows = every / np.maximum(size, np.float32(1e-30))
        normal = (rows @ np.swapaxes(rows, 1, 2)).astype(np.float64) + RIDGE * np.eye(rows.shape[1])
        return rows, np.linalg.inv(normal).astype(np.float32)

    def followed(self, values: Values) -> Values:
        """Part of some weighted spectra (pixel, n) that the fits of these pixels follow, to first order."""
        rows, inverse = self.scaled(slice(None))
        along = np.einsum("pml,pl->pm", inverse, np.einsum("pln,pn->pl", rows, values))
        return np.asarray(np.einsum("pmn,pm->pn", rows, along))


def _pixels_last(sums: NDArray[np.float32]) -> NDArray[np.float64]:
    """Sums (pixel, ...) in double precision, as (..., pixel)."""
    return np.ascontiguousarray(np.moveaxis(sums, 0, -1), dtype=np.float64)


def drawn(problem: Problem, parameters: NDArray[np.float64]) -> NDArray[np.float32]:
    """(pixel, n) sum of the peaks, counts; in single precision where that is safe."""
    total = np.zeros((len(parameters), len(problem.x)), dtype=np.float32)
    for shape, x, own, width in _centred(problem, parameters):
        total += shape(x, *own, width=width)
    return total


def _derivatives(problem: Problem, parameters: NDArray[np.float64]) -> Iterator[tuple[NDArray[np.floating], ...]]:
    """By position, FWHM, height and form of one peak after the other, (pixel, n) each; in single precision where that is safe."""
    for shape, x, own, width in _centred(problem, parameters):
        yield shape.slopes(x, width, *own)


def _centred(problem: Problem, parameters: NDArray[np.float64]) -> Iterator[tuple[Shape, Values, Values, float | None]]:
    """Shape, axis and parameters (4, pixel, 1) of one peak after the other, places counted from the middle; and `Problem.across`."""
    middle = float(problem.x.mean())
    for k, name in enumerate(problem.shapes):
        x, own = problem.x - middle, parameters[:, k, :, None].swapaxes(0, 1).copy()
        own[POSITION] -= middle
        if SHAPES[name].form is None and not SHAPES[name].precise:
            x, own = x.astype(np.float32), own.astype(np.float32)
        yield SHAPES[name], x, own, problem.across(k)

"""Sums over the channels of products of Lorentzians' derivatives, from moments: what errors need, without drawing any derivative.

Derivatives by position, FWHM and height of ``h gamma Im g`` are combinations of ``Im g``, ``Im g^2`` and ``Re g^2`` (see `moments`).
"""

import numpy as np
import torch
from numpy.typing import NDArray

from napari_wse2xai.numerics.noise import median
from napari_wse2xai.numerics.partial_fractions import Products
from napari_wse2xai.numerics.poles import Poles
from napari_wse2xai.numerics.power_series import Parts, PowerSeries
from napari_wse2xai.numerics.problem import FWHM, HEIGHT, PER_PEAK, POSITION, Problem
from napari_wse2xai.numerics.slopes import drawn

Array = NDArray[np.float64]
SAMPLE = 1000
"""Spectra that tell about what to expand."""
TRUSTED = 0.5
"""Largest ``|w|`` at which the series serve."""
APART = 0.1
"""Distance of two poles, in their widths, below which differences of sums lose too many digits."""


class Expansion:
    """What all spectra of a problem share."""

    def __init__(self, problem: Problem, parameters: Array) -> None:
        """Expand about the median of some parameters, (pixel, peak, 4)."""
        self.problem, middle = problem, median(parameters[:: 1 + len(parameters) // SAMPLE], axis=0)
        # Counted from the middle of the weights the straight polynomial is at right angles to the level one, and single precision suffices.
        self.centre = float(np.average(problem.x, weights=problem.root**2))
        self.poles = Poles(problem.width, len(middle), "cpu")
        z0 = middle[:, POSITION] - self.centre + 0.5j * middle[:, FWHM]
        self.series = PowerSeries(problem.x - self.centre, z0, problem.root, self.poles, np.empty((len(problem.x), 0)), "cpu")
        away = (problem.x - self.centre) * problem.root
        under = np.stack([problem.root / np.linalg.norm(problem.root), away / np.linalg.norm(away)], axis=1)
        self.background = under[:, : problem.background.shape[1]].astype(np.float32)
        """(n, d) orthonormal polynomials times the root of the weights: those of the problem, but for their signs."""
        self.norms = float(np.linalg.norm(problem.root)), float(np.linalg.norm(away))
        kinds = {POSITION: 0, FWHM: 1, HEIGHT: 2}
        self.rows = np.array([kinds[int(r % PER_PEAK)] * len(middle) + r // PER_PEAK for r in problem.rows], dtype=np.intp)
        self._z0 = z0

    def trusted(self, parameters: Array) -> NDArray[np.bool_]:
        """(pixel,) True where all lines are near enough to where the series are taken, and no two on one place."""
        z = parameters[..., POSITION] - self.centre + 0.5j * parameters[..., FWHM]
        near = (np.abs((z - self._z0) / (z - self._z0.conj())) < TRUSTED).all(axis=1)
        for j in range(z.shape[1]):
            for k in range(j):
                near &= np.abs(z[:, j] - z[:, k]) > APART * np.minimum(z[:, j].imag, z[:, k].imag)
        return np.asarray(near)


class MomentSlopes:
    """Derivatives of the fitted signal by all that varies, and by the background's polynomials, of some pixels: their sums alone."""

    def __init__(self, expansion: Expansion, parameters: Array) -> None:
        self.expansion, self.fitted = expansion, drawn(expansion.problem, parameters)
        own = parameters.astype(np.float32)
        own[..., POSITION] = parameters[..., POSITION] - expansion.centre
        p, fwhm, self.height = (torch.as_tensor(own[..., kind].T.copy()) for kind in (POSITION, FWHM, HEIGHT))
        self.gamma, self.amplitude = 0.5 * fwhm, 0.5 * fwhm * self.height
        self.places = expansion.poles.places(p), expansion.poles.each(self.gamma)
        self.at = expansion.series.at(torch.complex(p, self.gamma))

    @torch.inference_mode()
    def normal(self) -> Array:
        """(q + polynomials, q + polynomials, pixel) sums of products of all slopes."""
        series, count = self.expansion.series, self.expansion.background.shape[1]
        return self._sums(series.of_ones(self.at), torch.eye(count)[..., None].expand(-1, -1, self.gamma.shape[1]))

    @torch.inference_mode()
    def weighted(self, variance: NDArray[np.float32]) -> Array:
        """The same with each channel's product times a variance, (pixel, n)."""
        root, under = self.expansion.problem.root.astype(np.float32), self.expansion.background
        heavy = variance if self.expansion.problem.weights is None else variance * root**2
        count = under.shape[1]
        among = np.stack([variance @ (under[:, i] * under[:, j]) for i in range(count) for j in range(count)] or [variance[:, 0]])
        among = among[: count * count].reshape(count, count, len(variance))
        values = self.expansion.series.of_weights(torch.as_tensor(heavy), self.at)
        return self._sums(values, torch.as_tensor(among))

    @torch.inference_mode()
    def product(self, residual: NDArray[np.float32]) -> Array:
        """(q + polynomials, pixel) sums of all slopes times a residual (pixel, n) without background."""
        real, imaginary = self.expansion.series.of_residual(torch.as_tensor(residual), self.at)
        columns = self._by_parameters(torch.stack([imaginary[0], imaginary[1], real[1]]))
        rows = columns.flatten(0, 1)[self.expansion.rows].double().numpy()
        return np.pad(rows, [(0, self.expansion.background.shape[1]), (0, 0)])

    def _by_parameters(self, columns: torch.Tensor) -> torch.Tensor:
        """(3, peak, ..., pixel) of ``Im g, Im g^2, Re g^2`` to those of position, FWHM and height."""
        shape = (len(self.gamma), *[1] * (columns.dim() - 3), -1)
        a, h, gamma = (value.view(shape) for value in (self.amplitude, self.height, self.gamma))
        return torch.stack([columns[1] * a, (columns[0] * h + columns[2] * a) * 0.5, columns[0] * gamma])

    def _sums(self, of_weight: Parts, among: torch.Tensor) -> Array:
        poles, (real, imaginary) = self.expansion.poles, of_weight
        products = Products(*self.places, real, imaginary)
        profiles = poles.summed_pairs(products.with_profiles())
        both, turned, other = map(poles.summed_pairs, products.with_slopes())
        first = torch.stack([profiles[0], profiles[1].transpose(0, 1), profiles[2].transpose(0, 1)])
        second = torch.stack([profiles[1], both, turned.transpose(0, 1)])
        third = torch.stack([profiles[2], turned, other])
        whole = self._by_parameters(torch.stack([first, second, third]).transpose(1, 2))  # (kind, peak, kind, peak, pixel)
        # `Products` are twice the sums.
        whole = self._by_parameters(whole.permute(2, 3, 0, 1, 4)).flatten(0, 1).flatten(1, 2) * 0.5
        rows, under = torch.as_tensor(self.expansion.rows), self._with_background(real, imaginary)
        size, many = len(rows) + len(under), len(rows)
        result = torch.empty(size, size, whole.shape[-1])
        result[:many, :many] = whole[rows[:, None], rows]
        result[many:, :many] = under[:, rows]
        result[:many, many:] = under[:, rows].transpose(0, 1)
        result[many:, many:] = among
        return np.asarray(result.double().numpy())

    def _with_background(self, real: torch.Tensor, imaginary: torch.Tensor) -> torch.Tensor:
        """(polynomial, 3 peak, pixel) sums of the slopes with each polynomial of the background; ``sum x g = sum 1 + z G``."""
        p, gamma = self.places
        level = torch.stack([imaginary[0], imaginary[1], real[1]]) / self.expansion.norms[0]
        turned = imaginary[0] + p * imaginary[1] + gamma * real[1]
        slope = torch.stack([gamma * real[0] + p * imaginary[0], turned, real[0] + p * real[1] - gamma * imaginary[1]])
        each = [level, slope / self.expansion.norms[1]][: self.expansion.background.shape[1]]
        rows = [self._by_parameters(self.expansion.poles.summed(part)).flatten(0, 1) for part in each]
        return torch.stack(rows) if rows else level.new_empty(0, 3 * len(self.gamma), level.shape[-1])

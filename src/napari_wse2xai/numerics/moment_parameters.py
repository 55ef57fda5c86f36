"""Parameters of lines as the moment solver has them: amplitude, place and half width, in place of position, FWHM and height."""

import numpy as np
import torch
from numpy.typing import NDArray

from napari_wse2xai.numerics.problem import FWHM, HEIGHT, PER_PEAK, POSITION, Problem

SNAP = 0.01
"""Distance from a bound, in widths, at which a start that was only learned lies at it."""


def internal_of(values: NDArray[np.float64], centre: float) -> NDArray[np.float64]:
    """a, p and gamma, (3, peak), from position, FWHM and height; a to be scaled so that the highest peak is 1."""
    height = values[:, HEIGHT] / max(float(values[:, HEIGHT].max()), 1e-12)
    return np.stack([height * values[:, FWHM] / 2, values[:, POSITION] - centre, values[:, FWHM] / 2])


def bound_of(bound: NDArray[np.float64], centre: float) -> NDArray[np.float64]:
    """Bounds of a, p and gamma from those of position, FWHM and height; a's only bound is that heights are positive."""
    amplitude = np.where(bound[:, HEIGHT] > 0, np.inf, 0.0)
    return np.stack([amplitude, bound[:, POSITION] - centre, bound[:, FWHM] / 2])


def links_of(problem: Problem) -> NDArray[np.float64]:
    """(3 peak, m) what a step of the fitted parameters does to a, p and gamma.

    A tie of positions or widths is as linear in p and gamma as it is in position and FWHM, and a fixed one takes no step.
    """
    links = np.zeros((3 * len(problem.shapes), len(problem.leaders)))
    links[_places(problem, problem.rows)] = problem.links
    return links


def leaders_of(problem: Problem) -> NDArray[np.intp]:
    """(m,) rows of what is fitted among a, p and gamma (3 peak,): a width that follows may be the larger one."""
    return _places(problem, problem.leaders)


def _places(problem: Problem, flat: NDArray[np.intp]) -> NDArray[np.intp]:
    """Rows among a, p and gamma of flat places in (peak, 4)."""
    kinds = np.empty(PER_PEAK, dtype=np.intp)
    kinds[[HEIGHT, POSITION, FWHM]] = 0, 1, 2
    return np.asarray(kinds[flat % PER_PEAK] * len(problem.shapes) + flat // PER_PEAK)


def snapped(start: torch.Tensor, lower: torch.Tensor, upper: torch.Tensor) -> torch.Tensor:
    """Starts (3, peak, pixel), with places and widths that nearly lie at a bound put there: the next step would be cut short at it."""
    near, low, high = SNAP * start[2], lower[1:], upper[1:]
    inner = torch.where(start[1:] < low + near, low, start[1:])
    return torch.cat([start[:1], torch.where(inner > high - near, high, inner)])

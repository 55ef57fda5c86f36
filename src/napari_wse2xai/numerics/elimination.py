"""Many small symmetric positive systems at once, the pixels last: each step of the elimination is one operation over all of them."""

import numpy as np
import torch
from numpy.typing import NDArray

PANELS = 3
"""Column panels of the elimination: more leave out more of the upper triangle, in more operations."""

FEW = 200
"""Systems below which LAPACK, one after the other, is quicker than so many operations on so little."""


class Factor:
    """``L D L^T`` of systems (m, m, pixel), of which only the lower triangle is read, and which is overwritten."""

    def __init__(self, system: torch.Tensor) -> None:
        self.lower, size = system, len(system)
        if system.shape[-1] < FEW:
            self.small, _ = torch.linalg.cholesky_ex(system.permute(2, 0, 1).contiguous())
            return
        # A pivot smaller than that is what single precision leaves of nought, and would blow up all that follows.
        floor = 1e-7 * system.diagonal().T
        width = -(-size // PANELS)
        starts = range(0, size, width)
        self.over = torch.empty_like(floor)
        for k in range(size):
            torch.maximum(system[k, k], floor[k], out=self.over[k]).reciprocal_()
            column = system[k + 1 :, k]
            scaled = column * self.over[k]
            for first in starts:
                begin, end = max(first, k + 1), first + width
                if begin < end:
                    system[begin:, begin:end].addcmul_(scaled[begin - k - 1 :, None], column[begin - k - 1 : end - k - 1], value=-1)

    def solve(self, right: torch.Tensor) -> torch.Tensor:
        """Solution for a right-hand side (m, pixel), which is overwritten."""
        if right.shape[-1] < FEW:
            return torch.cholesky_solve(right.T[..., None], self.small)[..., 0].T
        for k, row in enumerate(right):
            row_over = row * self.over[k]
            right[k + 1 :].addcmul_(self.lower[k + 1 :, k], row_over, value=-1)
        for k in range(len(right) - 1, -1, -1):
            right[k] *= self.over[k]
            right[:k].addcmul_(self.lower[k, :k], right[k], value=-1)
        return right


def inverse(system: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverses of systems (m, m, pixel), which are overwritten: Gauss and Jordan, without pivoting, which positive ones do not need."""
    for k, row in enumerate(system):
        pivot = row[k].copy()
        over = 1.0 / np.where(pivot == 0, np.finfo(float).tiny, pivot)
        column = system[:, k].copy()
        # The row of the pivot has been divided already; this column of the system gives its room to one of the inverse.
        column[k] = 0.0
        np.multiply(row, over, out=row)
        system -= column[:, None] * row
        np.multiply(column, -over, out=column)
        column[k] = over
        system[:, k] = column
    return system

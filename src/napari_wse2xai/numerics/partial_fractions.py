"""Inner products of the derivatives of Lorentzians, by partial fractions: the moment solver's normal matrix.

With ``g = 1 / (x - z)`` the columns of peak j are ``Im g_j``, ``Im g_j^2`` and ``Re g_j^2``.  A product of two such columns is half the
real or imaginary part of a difference or sum of two sums over the channels: one of products with conj g_k, one of products with g_k.  Both
are divided differences of ``G(z) = sum g``.  Arrays are (peak j, peak k, pixel), real and imaginary parts apart, those two sums stacked.
"""

import torch


class Products:
    """Twice the inner products of all columns of peaks with poles ``p + i gamma``, (peak, pixel)."""

    def __init__(self, p: torch.Tensor, gamma: torch.Tensor, real: torch.Tensor, imaginary: torch.Tensor) -> None:
        """Take G and its Taylor coefficients, (4, peak, pixel) real and imaginary parts; ``over`` is 1 / (z_j - z_k)."""
        self.own = real[1:], imaginary[1:]
        apart = p[:, None] - p
        minus_height = torch.stack([-gamma[:, None] - gamma, gamma - gamma[:, None]])
        # Of a pole with itself the difference is nought: its limit, a derivative, is put on the diagonal below.
        size = (apart * apart).addcmul(minus_height, minus_height).clamp_min_(1e-4).reciprocal_()
        self.over = apart * size, minus_height.mul_(size)
        gap = real[0, :, None] - real[0]
        gaps = torch.stack([imaginary[0, :, None] + imaginary[0], imaginary[0, :, None] - imaginary[0]])
        first, turned = _times(gap, gaps, self.over)
        self.first = first
        self.second = _times(real[1, :, None] - first, turned.neg_().add_(imaginary[1, :, None]), self.over)
        self.first[1].diagonal().copy_(real[1].T)
        self.second[0][1].diagonal().copy_(real[2].T)
        self.second[1][1].diagonal().copy_(imaginary[2].T)

    def with_profiles(self) -> torch.Tensor:
        """Of each of peak j's three columns with peak k's ``Im g_k``, (3, peak j, peak k, pixel)."""
        (first_bar, first), (real_bar, real), (turned_bar, turned) = self.first, *self.second
        return torch.stack([first_bar - first, real_bar - real, turned - turned_bar])

    def with_slopes(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Of ``Im g_j^2`` with ``Im g_k^2``, of ``Re g_j^2`` with ``Im g_k^2`` and of ``Re g_j^2`` with ``Re g_k^2``."""
        real, turned = self.second
        across = turned.transpose(1, 2)
        gap, gaps = real - real.transpose(1, 2), torch.stack([turned[0] + across[0], turned[1] - across[1]])
        value, other = _times(gap, gaps, self.over)
        value[1].diagonal().copy_(self.own[0][2].T)
        other[1].diagonal().copy_(self.own[1][2].T)
        # 2 Im a Im b = Re(a conj b) - Re(a b), 2 Re a Re b = Re(a conj b) + Re(a b), 2 Re a Im b = Im(a b) - Im(a conj b).
        return value[0] - value[1], other[1] - other[0], value[0] + value[1]


def _times(real: torch.Tensor, imaginary: torch.Tensor, by: tuple[torch.Tensor, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """Product of two complex numbers kept as real and imaginary parts."""
    product, turned = real * by[0], real * by[1]
    return product.addcmul_(imaginary, by[1], value=-1), turned.addcmul_(imaginary, by[0])

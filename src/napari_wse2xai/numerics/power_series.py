"""Power series of ``sum f(x) / (x - z)`` over the channels: how the moment solver sees spectra."""

from math import comb

import numpy as np
import torch
from numpy.typing import NDArray

from napari_wse2xai.numerics.poles import Poles

Parts = tuple[torch.Tensor, torch.Tensor]
ORDER = 16
"""Terms of the power series; the remainder is of the size of the noise times ``|w|^ORDER``."""


class Series:
    """Power series of ``sum f(x) / (x - z)`` about the peaks' starts, for f = 1 (G) and for spectra (Y).

    With ``w = (z - z0) / (z - conj z0)``, which maps the upper half plane into the unit disc, ``1 / (x - z)`` is
    ``1 / (x - z0) + 2 i gamma0 / |x - z0|^2 * sum_{n>0} w^n e^{i n theta}``, ``e^{i theta} = (x - conj z0) / (x - z0)``.
    """

    def __init__(self, x: NDArray[np.float64], z0: NDArray[np.complex128], root: NDArray[np.float64], poles: Poles, device: str) -> None:
        self.poles = poles
        self.z0 = torch.as_tensor(z0, dtype=torch.complex64, device=device)[:, None]
        self.mirrored = self.z0.conj().resolve_conj()
        self.width = 2j * self.z0.imag
        each = poles.of(z0)  # Y is averaged over the channels once for all, G pole by pole
        away = x - each[:, None]
        turn = away.conj() / away
        width = 2j * each.imag[:, None] / np.abs(away) ** 2
        terms = np.stack([1 / away, *(width * turn**n for n in range(1, ORDER))], axis=1)
        weighted = (np.tensordot(poles.share, terms, axes=1) * root).reshape(-1, len(x))
        self.kernel = torch.as_tensor(np.concatenate([weighted.real, weighted.imag]), dtype=torch.float32, device=device)
        self.table = torch.as_tensor(_taylor(np.asarray(terms @ root**2, dtype=np.complex128)), dtype=torch.complex64, device=device)

    def of(self, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Coefficients of Y and of its derivative by w, of weighted spectra (pixel, n): the one matrix product per map.

        Returns
        -------
        (peak, ORDER, pixel) and (peak, ORDER - 1, pixel) complex
        """
        real, imaginary = (self.kernel @ y.T).view(2, len(self.z0), ORDER, len(y))
        of_value = torch.complex(real, imaginary)
        count = torch.arange(1, ORDER, device=y.device).to(torch.complex64)[:, None]
        return of_value, of_value[:, 1:] * count

    def moments(self, z: torch.Tensor, of_value: torch.Tensor, of_slope: torch.Tensor) -> tuple[Parts, Parts]:
        """Y and Y' of the lines with poles z (peak, pixel); G and its Taylor coefficients G', G''/2, G'''/6 at all their poles.

        Returns
        -------
        real and imaginary parts, (2, peak, pixel) and (4, pole, pixel)
        """
        e = (z - self.mirrored).reciprocal()
        powers = _powers((z - self.z0) * e)
        b = self.width * e * e  # dw/dz; its own Taylor series is b (1 - e t + e^2 t^2 ...)
        of_data = torch.stack([(of_value * powers).sum(1), (of_slope * powers[:, :-1]).sum(1) * b])
        e, b, powers = (self.poles.each(value) for value in (e, b, powers))
        f = (self.table @ powers).unbind(1)
        ef1, bf2 = e * f[1], b * f[2]
        of_ones = torch.stack([f[0], f[1] * b, b * (bf2 - ef1), b * (b * (b * f[3]) + e * (ef1 - 2 * bf2))])
        return (of_data.real.contiguous(), of_data.imag.contiguous()), (of_ones.real.contiguous(), of_ones.imag.contiguous())


def _taylor(ones: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Rows that give ``f^(m) / m!``, m = 0..3, from the powers of w: (peak, 4, ORDER), of coefficients (peak, ORDER)."""
    table = np.zeros((len(ones), 4, ORDER), dtype=complex)
    for m in range(4):
        table[:, m, : ORDER - m] = ones[:, m:] * [comb(n, m) for n in range(m, ORDER)]
    return table


def _powers(w: torch.Tensor) -> torch.Tensor:
    """``w^n`` for n < ORDER, (peak, ORDER, pixel), by doubling."""
    powers = w.new_empty(len(w), ORDER, w.shape[1])
    powers[:, 0], powers[:, 1] = 1, w
    known = 2
    while known < ORDER:
        more = min(known - 1, ORDER - known)
        torch.mul(powers[:, 1 : 1 + more], powers[:, known - 1 : known], out=powers[:, known : known + more])
        known += more
    return powers

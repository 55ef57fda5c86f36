"""Power series of ``sum f(x) / (x - z)`` over the channels: how the moment solver sees spectra."""

from collections.abc import Sequence
from math import comb

import numpy as np
import torch
from numpy.typing import NDArray

from napari_wse2xai.numerics.poles import Poles

Parts = tuple[torch.Tensor, torch.Tensor]
"""Real and imaginary parts."""
Places = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Where lines are, as the series see it: powers of w (peak, ORDER, pixel), and (peak, pixel) 1 / (z - conj z0) and dw/dz."""
ORDER, FEW = 16, 8
"""Terms of the power series, and of that of a residual; the remainder is of the size of the noise times ``|w|^ORDER``."""


class PowerSeries:
    """Power series of ``sum f(x) / (x - z)`` about the peaks' starts, for f = 1 (G) and for spectra (Y).

    With ``w = (z - z0) / (z - conj z0)``, which maps the upper half plane into the unit disc, ``1 / (x - z)`` is
    ``1 / (x - z0) + 2 i gamma0 / |x - z0|^2 * sum_{n>0} w^n e^{i n theta}``, ``e^{i theta} = (x - conj z0) / (x - z0)``.
    """

    def __init__(
        self,
        x: NDArray[np.float64],
        z0: NDArray[np.complex128],
        root: NDArray[np.float64],
        poles: Poles,
        under: NDArray[np.float64],
        device: str,
    ) -> None:
        """Expand about z0; `under` (n, t): weighted templates."""
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
        bare = terms.reshape(-1, len(x))
        self.weigh = torch.as_tensor(np.stack([bare.real, bare.imag]), dtype=torch.float32, device=device)
        self.under = torch.as_tensor(
            _slopes_by_place(np.asarray(terms @ (under * root[:, None]), dtype=np.complex128)), dtype=torch.complex64, device=device
        )
        """(template, pole, 2, ORDER) rows that give the sum over a template and its derivative by w."""
        self.table = torch.as_tensor(_taylor(np.asarray(terms @ root**2, dtype=np.complex128)), dtype=torch.complex64, device=device)

    def of(self, y: torch.Tensor, scale: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Coefficients of Y and of its derivative by w, of weighted spectra (pixel, n) over a scale: the one matrix product per map.

        Returns
        -------
        (peak, ORDER, pixel) and (peak, ORDER - 1, pixel) complex
        """
        real, imaginary = ((self.kernel @ y.T) / scale).view(2, len(self.z0), ORDER, len(y))
        of_value = torch.complex(real, imaginary)
        count = torch.arange(1, ORDER, device=y.device).to(torch.complex64)[:, None]
        return of_value, of_value[:, 1:] * count

    def at(self, z: torch.Tensor) -> Places:
        """What the series need to know of lines with poles z (peak, pixel)."""
        e = (z - self.mirrored).reciprocal()
        b = self.width * e * e  # dw/dz; its own Taylor series is b (1 - e t + e^2 t^2 ...)
        return _powers((z - self.z0) * e), e, b

    def moments(self, at: Places, of_value: torch.Tensor, of_slope: torch.Tensor) -> Parts:
        """Y and Y' of lines, of the coefficients of spectra: real and imaginary parts, (2, peak, pixel)."""
        powers, _, b = at
        return _parts([(of_value * powers).sum(1), (of_slope * powers[:, :-1]).sum(1) * b])

    def of_residual(self, y: torch.Tensor, at: Places) -> Parts:
        """Y and Y' of weighted residuals (pixel, n), which hold little but noise: a few terms of the series say what there is to say."""
        kernel = self.kernel.view(2, len(self.z0), ORDER, -1)[:, :, :FEW].reshape(-1, y.shape[1])
        real, imaginary = (kernel @ y.T).view(2, len(self.z0), FEW, len(y))
        of_value, (powers, e, b) = torch.complex(real, imaginary), at
        count = torch.arange(1, FEW, device=y.device).to(torch.complex64)[:, None]
        return self.moments((powers[:, :FEW], e, b), of_value, of_value[:, 1:] * count)

    def of_ones(self, at: Places) -> Parts:
        """G and its Taylor coefficients G', G''/2, G'''/6 at all poles of lines: real and imaginary parts, (4, pole, pixel)."""
        powers, e, b = (self.poles.each(value) for value in at)
        return _taylor_by_place((self.table @ powers).unbind(1), e, b)

    def of_templates(self, at: Places) -> list[Parts]:
        """Of each template the sum over the channels and its derivative by z, at all poles: real and imaginary parts, (2, pole, pixel)."""
        powers, _, b = (self.poles.each(value) for value in at)
        each = [(table @ powers).unbind(1) for table in self.under]
        return [_parts([f[0], f[1] * b]) for f in each]

    def of_weights(self, y: torch.Tensor, at: Places) -> Parts:
        """The same where each channel counts as much as a weight of its pixel's says, (pixel, n)."""
        powers, e, b = (self.poles.each(value) for value in at)
        kernel = self.weigh.view(-1, y.shape[1])
        coefficients = torch.complex(*(kernel @ y.T).view(2, len(powers), ORDER, len(y)))
        values = []
        for m in range(4):
            count = torch.tensor([comb(n, m) for n in range(m, ORDER)], dtype=torch.float32, device=y.device)[:, None]
            values.append((coefficients[:, m:] * count * powers[:, : ORDER - m]).sum(1))
        return _taylor_by_place(values, e, b)


def _parts(values: list[torch.Tensor]) -> Parts:
    stacked = torch.stack(values)
    return stacked.real.contiguous(), stacked.imag.contiguous()


def _taylor_by_place(f: Sequence[torch.Tensor], e: torch.Tensor, b: torch.Tensor) -> Parts:
    """Taylor coefficients by z of a function whose coefficients by w are f."""
    ef1, bf2 = e * f[1], b * f[2]
    return _parts([f[0], f[1] * b, b * (bf2 - ef1), b * (b * (b * f[3]) + e * (ef1 - 2 * bf2))])


def _slopes_by_place(sums: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """(template, pole, 2, ORDER) of coefficients (pole, ORDER, template)."""
    tables = [_taylor(part)[:, :2] for part in np.moveaxis(sums, -1, 0)]
    return np.stack(tables) if tables else np.zeros((0, len(sums), 2, ORDER), dtype=complex)


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

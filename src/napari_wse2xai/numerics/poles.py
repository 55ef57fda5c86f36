"""Where the lines of a problem have their poles: one each, or several where a line is averaged over channels."""

import numpy as np
import torch
from numpy.typing import NDArray

from napari_wse2xai.numerics.lineshapes import NODES


class Poles:
    """Poles of every peak, and what each stands for.

    A Lorentzian averaged over a channel of width d is ``sum_k s_k Im 1 / (x + c_k d - z)`` (Gauss and Legendre): a sum of Lorentzians with
    poles ``z - c_k d``.  So what is known of one pole serves, taken a few times and added up.
    """

    def __init__(self, width: NDArray[np.float64] | None, peaks: int, device: str) -> None:
        """Take the widths of the channels that peaks are averaged over, (peak,), 0 or None for none."""
        widths = np.zeros(peaks) if width is None else width
        nodes = [[(0.0, 1.0)] if not d else [(-place * d, share) for place, share in NODES] for d in widths]
        owner = [k for k, own in enumerate(nodes) for _ in own]
        self._owner, self._offset = np.array(owner), np.array([offset for own in nodes for offset, _ in own])
        self.share = np.zeros((peaks, len(owner)))
        """(peak, pole) weight of each pole."""
        self.share[owner, np.arange(len(owner))] = [share for own in nodes for _, share in own]
        self.single = len(owner) == peaks
        """Whether every peak has one pole."""
        self.owner = torch.as_tensor(self._owner, device=device)
        self.offset = torch.as_tensor(self._offset, dtype=torch.float32, device=device)[:, None]
        self._sums = torch.as_tensor(self.share, dtype=torch.float32, device=device)

    def of(self, z: NDArray[np.complex128]) -> NDArray[np.complex128]:
        """(pole,) places for lines at z (peak,)."""
        return np.asarray(z[self._owner] + self._offset)

    def each(self, values: torch.Tensor) -> torch.Tensor:
        """Values of the peaks (peak, ...) for every pole."""
        return values if self.single else values[self.owner]

    def places(self, p: torch.Tensor) -> torch.Tensor:
        """(pole, pixel) real parts, of those of the peaks."""
        return p if self.single else p[self.owner] + self.offset

    def summed(self, values: torch.Tensor) -> torch.Tensor:
        """(..., peak, pixel) sums over the poles of every peak, of (..., pole, pixel)."""
        return values if self.single else self._sums @ values

    def summed_pairs(self, values: torch.Tensor) -> torch.Tensor:
        """(..., peak, peak, pixel) of (..., pole, pole, pixel)."""
        if self.single:
            return values
        *outer, poles, _, pixels = values.shape
        half = (self._sums @ values).view(*outer, poles, -1)
        return (self._sums @ half).view(*outer, len(self._sums), len(self._sums), pixels)

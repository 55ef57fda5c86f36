"""What is known about a synthetic flake and would be unknown in a measurement."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import SpectralAxis
from napari_wse2xai.numerics.lineshapes import SHAPES

Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Spikes:
    """Cosmic rays of one cube, one entry per hit."""

    shape: tuple[int, int, int]
    """(ny, nx, n) of the cube that was hit."""
    row: Indices
    column: Indices
    channel: Indices
    """First channel of the hit."""
    width: Indices
    """Number of channels, 1 to 4."""
    amplitude: NDArray[np.float64]
    """Counts added in the hit's strongest channel."""

    def __len__(self) -> int:
        """Give the number of hits."""
        return len(self.row)

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(ny, nx, n) True in every channel that a cosmic ray changed."""
        hit = np.zeros(self.shape, dtype=bool)
        for step in range(4):
            wide = self.width > step
            hit[self.row[wide], self.column[wide], self.channel[wide] + step] = True
        return hit

    @property
    def per_pixel(self) -> NDArray[np.uint16]:
        """(ny, nx) number of hits in each spectrum."""
        hits = np.zeros(self.shape[:2], dtype=np.uint16)
        np.add.at(hits, (self.row, self.column), 1)
        return hits

    def added(self, profiles: NDArray[np.float64]) -> NDArray[np.float32]:
        """Counts (ny, nx, n) that the hits add; `profiles` (4, 4) gives the share per channel for each width."""
        counts = np.zeros(self.shape, dtype=np.float32)
        for step in range(4):
            place = (self.row, self.column, self.channel + step)
            np.add.at(counts, place, (self.amplitude * profiles[self.width - 1, step]).astype(np.float32))
        return counts


@dataclass(frozen=True, eq=False)
class ModalityTruth:
    """Truth of one cube (RS or PL), with the fields of `PeakMaps` that can be compared; NaN off the flake."""

    axis: SpectralAxis
    names: tuple[str, ...]
    shapes: tuple[str, ...]
    position: NDArray[np.float32]
    """(peak, ny, nx) in the axis unit."""
    fwhm: NDArray[np.float32]
    """(peak, ny, nx) in the axis unit."""
    height: NDArray[np.float32]
    """(peak, ny, nx) in counts."""
    background: NDArray[np.float32]
    """(ny, nx, n) counts of all that is not a peak of the flake: offset, luminescence, silicon."""
    spikes: Spikes
    averaged: bool = False
    """Whether each channel shows the mean of a line over its width, as a detector does, not the line's value in its middle."""

    def peaks(self) -> NDArray[np.float32]:
        """Sum of the flake's peaks without background and noise, (ny, nx, n) in counts; 0 off the flake."""
        flake = np.isfinite(self.height[0])
        x = self.axis.values.astype(np.float32)
        width = np.gradient(x) if self.averaged else None
        total = np.zeros((int(flake.sum()), len(x)), dtype=np.float32)
        for shape, *maps in zip(self.shapes, self.position, self.fwhm, self.height, strict=True):
            position, fwhm, height = (values[flake][:, None] for values in maps)
            total += SHAPES[shape](x, position, fwhm, height, width=width)
        cube = np.zeros((*flake.shape, len(x)), dtype=np.float32)
        cube[flake] = total
        return cube

    def clean(self) -> NDArray[np.float32]:
        """Noise-free spectra without cosmic rays, (ny, nx, n) in counts."""
        return self.peaks() + self.background


@dataclass(frozen=True, eq=False)
class Truth:
    """Everything that was put into a synthetic flake."""

    flake: NDArray[np.bool_]
    """(ny, nx) True where the pixel's centre lies on the crystal."""
    raman: ModalityTruth
    pl: ModalityTruth
    vacancy: NDArray[np.float64]
    """(ny, nx) relative density of selenium vacancies, 0 to 1; NaN off the flake, as the two below."""
    oxygen: NDArray[np.float64]
    """(ny, nx) relative density of oxygen on selenium sites, 0 to 1."""
    strain: NDArray[np.float64]
    """(ny, nx) in percent."""
    focus: NDArray[np.float64]
    """(ny, nx) relative collection efficiency that RS and PL share, everywhere."""
    law_height: NDArray[np.float64]
    """(ny, nx) PL height in counts that the law gives, before its noise; NaN off the flake."""
    gain: float
    """Counts per photo-electron: the variance of a count is ``gain * (clean - offset) + read_noise**2``."""
    read_noise: float
    """Counts."""
    offset: float
    """Counts of an unlit channel."""

"""Find the pixels that lie on the crystal."""

import warnings
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.errors import DataError, DataWarning
from napari_wse2xai.numerics import masking
from napari_wse2xai.progress import Progress
from napari_wse2xai.stages._bands import Band, bands, let_go, over_bands, rows_of
from napari_wse2xai.stages._stage import Stage, setting
from napari_wse2xai.stages._windows import Window, channels

FEWEST = 4
"""Pixels that a map must have for its flake to be looked for."""


class FindFlake(Stage[SpectralMap, SpectralMap]):
    """Pixels whose mean signal exceeds that of a corner beside the flake by k standard deviations (Yoo et al. 2023, section 4.3).

    Notes
    -----
    The paper prints "variance" for the spread; a threshold in counts needs the standard deviation, which is used here.
    Not for a flake that fills all corners: a warning says so where it shows.
    """

    title: ClassVar[str] = "Find flake"

    corner: Literal["darkest", "top left", "top right", "bottom left", "bottom right"] = setting(
        "darkest",
        title="Corner",
        description="Corner of the scan that lies beside the flake; 'darkest' takes the one with the lowest signal.",
    )
    corner_size: int = setting(6, title="Corner size", unit="px", description="Side of the corner's square.", ge=1, le=200)
    k: float = setting(5.0, title="Threshold k", unit="σ", description="How far above the corner a pixel counts as flake.", gt=0, le=1000)
    edge_fraction: float = setting(
        0.15,
        title="Edge",
        description="Share of the flake's typical signal that a pixel must reach, so that a blurred edge stays off; 0 is the paper's rule.",
        ge=0,
        lt=1,
    )
    window: Window | None = setting(
        None, title="Window", unit="axis", description="Spectral range of the mean signal, in the axis unit; empty for the whole axis."
    )
    min_pixels: int = setting(
        6, title="Smallest group", unit="px", description="Groups and holes of fewer pixels are removed or filled.", ge=1, le=10_000
    )
    fill_holes: bool = setting(True, title="Fill holes", description="Fill holes smaller than the smallest group.")

    def run(self, source: SpectralMap, progress: Progress) -> SpectralMap:
        """Return the map with its `flake`."""
        source.frame.require_places(source.name, "searched for a flake (leave this step out: find_flake: false)")
        signal = self._signal(source, progress)
        dark = masking.background(signal, self.corner, self.corner_size)
        flake = masking.tidy(masking.above(signal, dark, self.k, self.edge_fraction), self._smallest(signal), self.fill_holes)
        if signal.size < FEWEST:
            raise DataError(f"'{source.name}' has {signal.size} pixels, too few to tell flake from background; leave this step out.")
        if not flake.any():
            raise DataError(
                f"No flake was found in '{source.name}': no pixel is {self.k:g} sigma above the {dark.corner} corner "
                f"({dark.mean:.4g} ± {dark.sigma:.2g} {source.intensity_unit}); lower k, or choose another corner or window."
            )
        _warn_of_bright_corner(source.name, signal, dark, flake)
        return replace(source, flake=flake)

    def _signal(self, source: SpectralMap, progress: Progress) -> NDArray[np.float64]:
        """(ny, nx) mean counts in the window."""
        inside, signal = channels(source, self.window, "the flake's window"), np.empty(source.frame.shape)

        def work(band: Band) -> None:
            signal[band.rows] = masking.mean_signal(rows_of(source.counts, band.rows)[..., inside])
            let_go(source.counts)

        over_bands(work, bands(source.counts.shape), lambda done: progress(0.9 * done, "measuring the signal"))
        return signal

    def _smallest(self, signal: NDArray[np.float64]) -> int:
        """On a line scan or a tiny map a group of few pixels may be the flake itself."""
        return self.min_pixels if min(signal.shape) > 3 else 1


def _warn_of_bright_corner(name: str, signal: NDArray[np.float64], dark: masking.Background, flake: NDArray[np.bool_]) -> None:
    """Say so where the corner is not darker than the pixels that were not taken for flake."""
    rest = signal[~flake & np.isfinite(signal)]
    if len(rest) > 10 and float(np.mean(rest < dark.mean - 3 * dark.sigma)) > 0.2:
        warnings.warn(
            f"The {dark.corner} corner of '{name}' is brighter than much of the scan, so it may lie on the flake; choose another one.",
            DataWarning,
            stacklevel=4,
        )

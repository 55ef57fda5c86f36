"""Where the flake is: pixels brighter than a corner of the scan that lies beside it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_wse2xai.numerics.noise import MAD_TO_SIGMA

CORNERS = {"top left": (0, 0), "top right": (0, -1), "bottom left": (-1, 0), "bottom right": (-1, -1)}
"""Row and column of each corner pixel."""


@dataclass(frozen=True)
class Background:
    """The signal beside the flake, in counts."""

    corner: str
    mean: float
    sigma: float
    """Standard deviation from pixel to pixel (the paper's print says variance; a threshold in counts needs this)."""


def mean_signal(counts: NDArray[np.floating]) -> NDArray[np.float64]:
    """Mean of each spectrum without its 2 % highest channels, so that a cosmic ray does not make a pixel bright.

    Parameters
    ----------
    counts : (ny, nx, n) counts

    Returns
    -------
    (ny, nx) float64, counts; NaN where a channel was not measured
    """
    keep = counts.shape[-1] - max(1, counts.shape[-1] // 50) if counts.shape[-1] > 4 else counts.shape[-1]
    return np.asarray(np.partition(counts, keep - 1, axis=-1)[..., :keep].mean(axis=-1, dtype=np.float64))


def corner_patch(signal: NDArray[np.float64], corner: str, size: int) -> NDArray[np.float64]:
    """Measured pixels of one corner, (m,) counts; a patch is never more than a quarter of the map's side, or two pixels."""
    row, column = CORNERS[corner]
    rows, columns = (min(size, max(2, n // 4), n) for n in signal.shape)
    patch = signal[:rows] if row == 0 else signal[-rows:]
    patch = patch[:, :columns] if column == 0 else patch[:, -columns:]
    return patch[np.isfinite(patch)]


def background(signal: NDArray[np.float64], corner: str, size: int) -> Background:
    """Mean and spread of the signal in a corner; ``darkest`` takes the corner with the lowest mean."""
    patches = {name: corner_patch(signal, name, size) for name in (CORNERS if corner == "darkest" else [corner])}
    patches = {name: patch for name, patch in patches.items() if len(patch)}
    if not patches:
        return Background(corner, np.nan, np.nan)
    name = min(patches, key=lambda key: float(np.mean(patches[key])))
    patch = patches[name]
    robust = MAD_TO_SIGMA * float(np.median(np.abs(patch - np.median(patch))))
    # A few pixels only: neither estimate alone is safe, the larger errs on the side of background.
    return Background(name, float(np.mean(patch)), max(robust, float(np.std(patch, ddof=1)) if len(patch) > 1 else 0.0))


def above(signal: NDArray[np.float64], dark: Background, k: float, edge_fraction: float) -> NDArray[np.bool_]:
    """Pixels at least k sigma above background and above a share of the flake's own contrast.

    The second condition keeps the halo off that a blurred edge leaves round a bright flake; 0 gives the paper's rule.
    """
    contrast = signal - dark.mean
    bright = contrast >= max(k * dark.sigma, np.finfo(np.float64).tiny)
    if edge_fraction > 0 and bright.any():
        bright &= contrast >= edge_fraction * float(np.median(contrast[bright]))
    return np.asarray(bright)


def tidy(mask: NDArray[np.bool_], min_pixels: int, fill_holes: bool) -> NDArray[np.bool_]:
    """Drop connected groups (8 neighbours) of fewer than `min_pixels`; fill holes of up to as many pixels."""
    kept = _drop_small(mask, min_pixels, np.ones((3, 3), dtype=bool))
    return ~_drop_small(~kept, min_pixels, None) if fill_holes else kept


def _drop_small(mask: NDArray[np.bool_], min_pixels: int, structure: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    groups, count = ndimage.label(mask, structure=structure)
    sizes = np.bincount(groups.ravel(), minlength=count + 1)
    return np.asarray(mask & (sizes[groups] >= min_pixels))

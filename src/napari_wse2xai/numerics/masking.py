"""Where the flake is: pixels brighter than a corner of the scan that lies beside it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.noise import MAD_TO_SIGMA

CORNERS = {"top left": (0, 0), "top right": (0, -1), "bottom left": (-1, 0), "bottom right": (-1, -1)}
"""Row and column of each corner pixel."""
ALIKE = 2.0
"""Spread of a corner over that of noise alone, below which its pixels are alike."""

ODD, FEW_ODD = 5.0, 0.06
"""Spreads of a corner by which a pixel is none of it, and the share of its pixels that may be so: more are another kind of place."""


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


def background(signal: NDArray[np.float64], corner: str, size: int, usual: float = 0.0) -> Background:
    """Mean and spread of the signal in a corner; ``darkest`` takes the corner with the lowest mean.

    Parameters
    ----------
    usual : spread that noise alone makes, where it is known: a corner whose pixels spread more is looked at in half and quarter size too
    """
    names = list(CORNERS) if corner == "darkest" else [corner]
    found = [_of_corner(signal, name, size, usual) for name in names]
    found = [each for each in found if np.isfinite(each.mean)]
    return min(found, key=lambda each: each.mean) if found else Background(f"{corner} corner", np.nan, np.nan)


def _of_corner(signal: NDArray[np.float64], name: str, size: int, usual: float) -> Background:
    """A corner as large as its pixels are alike."""
    tried: list[Background] = []
    for side in sorted({size, max(size // 2, 2), max(size // 4, 2)} if usual > 0 else {size}, reverse=True):
        patch = corner_patch(signal, name, side)
        if not len(patch):
            continue
        patch, robust = _without_odd(patch, usual)
        # A few pixels only: neither estimate alone is safe, the larger errs on the side of background.
        spread = max(robust, float(np.std(patch, ddof=1)) if len(patch) > 1 else 0.0)
        tried.append(Background(f"{name} corner", float(np.mean(patch)), max(spread, usual)))
        if spread < ALIKE * usual:
            break
    return min(tried, key=lambda each: each.sigma) if tried else Background(f"{name} corner", np.nan, np.nan)


def _without_odd(patch: NDArray[np.float64], usual: float) -> tuple[NDArray[np.float64], float]:
    """Pixels (m,) without the one or two that a cosmic ray makes unlike all others, and their spread by its median."""
    away = np.abs(patch - np.median(patch))
    robust = MAD_TO_SIGMA * float(np.median(away))
    odd = away > ODD * max(robust, usual)
    return (patch[~odd] if 0 < odd.sum() <= FEW_ODD * len(patch) else patch), robust


def above(
    signal: NDArray[np.float64],
    dark: Background,
    k: float,
    edge_fraction: float,
    noise: NDArray[np.float64] | float = 0.0,
    k_edge: float = np.inf,
) -> NDArray[np.bool_]:
    """Pixels at least k sigma above background, or k times their own `noise`, and above a share of the flake's own contrast.

    The second condition keeps the halo off that a blurred edge leaves round a bright flake; 0 gives the paper's rule.  Pixels that hang
    together with one of these need be only `k_edge` sigma above background: of a dim flake chance lifts few above k.
    """
    contrast, spread = signal - dark.mean, np.maximum(dark.sigma, noise)
    # The least number above 0: on a map where nothing varies a threshold of 0 would call all of it flake.
    surely = contrast >= np.maximum(k * spread, np.finfo(np.float64).tiny)
    bright = _grown(surely, contrast >= k_edge * spread) if k_edge < k else surely
    if edge_fraction > 0 and surely.any():
        bright = bright & (contrast >= edge_fraction * float(np.median(contrast[surely])))
    return np.asarray(bright)


def _grown(mask: NDArray[np.bool_], into: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask with all that hangs together with it (8 neighbours) in a larger one: a threshold with hysteresis (Canny 1986)."""
    from scipy import ndimage

    return np.asarray(ndimage.binary_propagation(mask, np.ones((3, 3), dtype=bool), into | mask))


def tidy(mask: NDArray[np.bool_], min_pixels: int, fill_holes: bool) -> NDArray[np.bool_]:
    """Drop connected groups (8 neighbours) of fewer than `min_pixels`; fill holes of up to as many pixels."""
    kept = _drop_small(mask, min_pixels, np.ones((3, 3), dtype=bool))
    # Holes hang together by sides alone: what is around them does so by corners too, and would not part them otherwise.
    return ~_drop_small(~kept, min_pixels, None) if fill_holes else kept


def _drop_small(mask: NDArray[np.bool_], min_pixels: int, structure: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    from scipy import ndimage

    groups, count = ndimage.label(mask, structure=structure)
    sizes = np.bincount(groups.ravel(), minlength=count + 1)
    return np.asarray(mask & (sizes[groups] >= min_pixels))

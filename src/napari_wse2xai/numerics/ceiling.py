"""The detector's ceiling: many channels at one same highest value, or a line whose top is cut flat."""

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.float32]
PILED, OVER = 5, 3
"""Channels at one highest value from which they may lie at a ceiling; and how many times those at the next lower value they must be."""
FLAT = 4
"""Channels side by side at a spectrum's own highest value that no line makes."""
FINE = 50.0
"""Steps of the values by which such a top must stand out, so that few counts, which are often equal, are no ceiling."""
DIGITS = (4095, 16383, 32767, 65535, 1048575)
"""Highest numbers of converters of 12 to 20 bits: one channel at such a number, or, where spectra were added, a multiple, is at it."""
FEWEST, EVERY, MOSTLY = 8, 0.99, 0.9
"""Spectra, share of them that have the same highest value, and that have it in one channel, from which each was divided by its own."""
OFTEN = 0.5
"""Share of the pixels in which a lone channel is at the highest value, from which it is the channel that is stuck there."""
WIDE = 3
"""Neighbouring channels from which a top that all pixels show is light."""
DARK = 0.25
"""Share of a line's top that the channels beside it show at least."""
TIES = 0.02
"""Share of neighbouring channels that are equal from which the values are repeated, and a flat top tells nothing."""


def tops(counts: Counts, ignored: NDArray[np.bool_]) -> tuple[Counts, NDArray[np.int64]]:
    """Highest value of each spectrum, and how many channels have it.

    Parameters
    ----------
    counts : (..., n) counts
    ignored : (n,) channels that do not count

    Returns
    -------
    two (...); -inf where nothing was measured
    """
    seen = counts[..., ~ignored] if ignored.any() else counts
    highest = np.fmax.reduce(seen, axis=-1)
    highest = np.where(np.isnan(highest), np.float32(-np.inf), highest)
    return highest, np.count_nonzero(seen == highest[..., None], axis=-1)


def is_ceiling(value: float, many: int, next_lower: int) -> bool:
    """Whether channels at a map's highest value lie at a ceiling.

    Parameters
    ----------
    many : channels that have the value
    next_lower : channels that have the next lower value; where counts just end, these are about as many or more
    """
    return _of_converter(value) or (many >= PILED and many > OVER * (1 + next_lower))


def scaled_one_by_one(highest: NDArray[np.floating], many: NDArray[np.int64]) -> bool:
    """Whether all spectra were divided by their own highest channel: it is the same number in all, bare ones too, in one channel of each.

    Parameters
    ----------
    highest, many : of each spectrum, from `tops`
    """
    measured = np.isfinite(highest)
    value = float(np.median(highest[measured])) if measured.sum() >= FEWEST else np.nan
    alike, alone = np.isclose(highest[measured], value, rtol=1e-6, atol=0.0), many[measured] == 1
    return value > 0 and not _of_converter(value) and bool(alike.mean() >= EVERY and alone.mean() >= MOSTLY)


def _of_converter(value: float) -> bool:
    return value > 0 and any(value % digits == 0 and value <= 100 * digits for digits in DIGITS)


def stuck(many: NDArray[np.int64], measured: int, typical: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Lone channels that have the highest value in most pixels although those beside them are dark: of a line's top they would not be.

    Parameters
    ----------
    many : (n,) number of pixels in which each channel has the highest value
    measured : pixels that were measured
    typical : (n,) counts of a typical spectrum

    Returns
    -------
    (n,) True in these channels
    """
    often = many > OFTEN * measured
    padded = np.concatenate([[False], often, [False]]).astype(np.int8)
    first, end = np.flatnonzero(np.diff(padded) == 1), np.flatnonzero(np.diff(padded) == -1)
    result = np.zeros(len(often), dtype=bool)
    for low, high in zip(first.tolist(), end.tolist(), strict=True):
        beside = max(typical[max(low - 1, 0)], typical[min(high, len(typical) - 1)])
        dark, top = np.median(typical), typical[low:high].max()
        result[low:high] = high - low < WIDE and beside - dark < DARK * (top - dark)
    return result


def step_of(counts: Counts) -> float:
    """Smallest step between values of some spectra; inf where neighbouring channels are too often equal for a flat top to mean anything."""
    values = counts[np.isfinite(counts)]
    below = counts[..., 1:] < np.fmax.reduce(counts, axis=-1)[..., None]
    if not len(values) or np.mean((np.diff(counts, axis=-1) == 0) & below) > TIES:
        return np.inf
    # Of a part of the counts: the detector's step is the same everywhere, and to sort all of a large map takes long.
    steps = np.diff(np.unique(values[: 1 << 16]))
    return float(steps.min()) if len(steps) else np.inf


def flat_tops(counts: Counts, step: float) -> NDArray[np.bool_]:
    """(pixel, n) True at the top of a spectrum that is cut flat over four channels or more."""
    highest = np.fmax.reduce(counts, axis=-1)[:, None]
    high = highest - np.nanmedian(counts, axis=-1, keepdims=True) > FINE * step
    at = (counts == highest) & high
    run = np.lib.stride_tricks.sliding_window_view(at, FLAT, axis=-1).all(axis=-1)
    flat = np.zeros_like(at)
    for offset in range(FLAT):
        flat[:, offset : at.shape[1] - FLAT + 1 + offset] |= run
    return np.asarray(flat.any(axis=-1, keepdims=True) & at)

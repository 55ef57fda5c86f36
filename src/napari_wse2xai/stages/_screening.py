"""What of a map's counts tells nothing: asked of them before anything changes them, and carried with the map from then on."""

import warnings
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.errors import DataWarning, counted
from napari_wse2xai.numerics import bad_channels, despike
from napari_wse2xai.numerics.all_over import all_over
from napari_wse2xai.stages._bands import rows_of
from napari_wse2xai.stages._saturation import with_ceiling

Counts = NDArray[np.float32]
SAMPLE = 400
"""Spectra that are asked what is wrong with channels."""
NAMED = 5
"""Channels that are named one by one."""
HALF = 0.5
"""Share of its channels without a value from which a spectrum is not bridged."""


def screened(source: SpectralMap) -> SpectralMap:
    """The map with its `saturated` places and its `bad_channels`; as it is where these are known."""
    source = with_ceiling(source)
    if source.bad_channels is not None:
        return source
    bad = bad_channels.find(_sample(source))
    bad = replace(bad, stuck=bad.stuck & ~_at_ceiling(source))
    _warn(source, bad)
    return replace(source, bad_channels=np.flatnonzero(bad.any).astype(np.int32))


def bridged(counts: Counts, bad: NDArray[np.int32] | None) -> tuple[Counts, NDArray[np.bool_]]:
    """Counts (ny, nx, n) with straight lines over channels that have no value or tell nothing, and True where these had none.

    So that filters and baselines can work; `Deconvolve` leaves them out.
    """
    gaps = np.isnan(counts)
    gaps &= gaps.mean(axis=-1, keepdims=True) < HALF
    lost = gaps
    if bad is not None and len(bad):
        lost = gaps.copy()
        lost[..., bad] |= np.isfinite(counts).any(axis=-1, keepdims=True)
        gaps[..., bad] = False
    return (despike.interpolate(counts, lost) if lost.any() else counts), gaps


def places(gaps: NDArray[np.bool_], first_row: int) -> NDArray[np.int32]:
    """(k, 3) row, column and channel of some rows' marks."""
    row, column, channel = np.unravel_index(np.flatnonzero(gaps), gaps.shape)  # of few far quicker than nonzero
    return np.stack([row + first_row, column, channel], axis=1).astype(np.int32)


def in_order(parts: list[NDArray[np.int32]]) -> NDArray[np.int32]:
    """Places that were found in bands, which come in any order, row by row."""
    every = np.concatenate([*parts, np.empty((0, 3), dtype=np.int32)])
    return every[np.lexsort(every.T[::-1])]


def _at_ceiling(source: SpectralMap) -> NDArray[np.bool_]:
    """(n,) channels that never change because they are saturated somewhere."""
    result = np.zeros(len(source.axis), dtype=bool)
    if source.saturated is not None:
        result[source.saturated[:, 2]] = True
    return result


def _sample(source: SpectralMap) -> Counts:
    ny, nx, n = source.counts.shape
    rows = all_over(ny, max(8, -(-SAMPLE // nx))).tolist()
    columns = slice(None, None, max(1, len(rows) * nx // SAMPLE))
    return np.concatenate([rows_of(source.counts, slice(row, row + 1))[0, columns] for row in rows]).reshape(-1, n)


def _warn(source: SpectralMap, bad: bad_channels.Bad) -> None:
    """Say in one line which channels are left out."""
    kinds = {"without a value": bad.missing, "stuck": bad.stuck, "hot": bad.hot, "dull": bad.dull}
    which = [f"{word} at {_named(source, flags)}" for word, flags in kinds.items() if flags.any()]
    if which:
        count = counted(int(bad.any.sum()), "channel")
        warnings.warn(
            f"{count} of '{source.name}' {'tells' if bad.any.sum() == 1 else 'tell'} nothing in any pixel and "
            f"{'is' if bad.any.sum() == 1 else 'are'} left out of the fits: {'; '.join(which)} {source.axis.unit}.",
            DataWarning,
            stacklevel=4,
        )


def _named(source: SpectralMap, flags: NDArray[np.bool_]) -> str:
    """Places of channels, or from where to where they lie."""
    x = source.axis.values[flags]
    return ", ".join(f"{value:.6g}" for value in x) if len(x) <= NAMED else f"{len(x)} channels from {x[0]:.6g} to {x[-1]:.6g}"

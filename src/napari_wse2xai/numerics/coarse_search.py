"""Coarse placings of one scan of a flake on another: every rotation and mirroring on a grid, each at its best shift."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from napari_wse2xai.numerics.outline import STAY, Array, Placing, Scan

Done = Callable[[float], None]

ANGLE_STEP_DEG = 5.0
"""Distance of the rotations that the coarse search tries; the refinement bridges half of it."""
COARSE_PX = 72
"""Longest side of the images that the coarse search compares."""
SMALLEST_OVERLAP = 0.3
"""Share of the smaller scan that both scans must cover."""
CANDIDATES = 8
"""Coarse placings that are refined; the best of them wins."""


@dataclass(frozen=True)
class Freedom:
    """What may differ between the scans."""

    mirror: bool = True
    max_rotation_deg: float = 30.0
    max_shift_um: float | None = None
    """Of the scans' middles; None for no limit."""
    scale: bool = False
    """Whether the steps may be wrong, so that the scale is looked for too."""


def candidates(fixed: Scan, moving: Scan, freedom: Freedom, progress: Done) -> list[Placing]:
    """Most promising coarse placings, the best first."""
    pitch = max(fixed.pitch, moving.pitch, float(np.ptp(fixed.corners, axis=0).max()) / COARSE_PX)
    still = _picture(fixed, STAY, pitch)
    tried: list[tuple[float, Placing]] = []
    matrices = list(_matrices(freedom))
    for done, matrix in enumerate(matrices):
        progress(done / len(matrices))
        turned = Placing(matrix, np.zeros(2))
        tried.append(_best_shift(still, _picture(moving, turned, pitch), turned, _limit(fixed, moving, turned, freedom)))
    return _distinct(sorted((one for one in tried if one[0] > 0), key=lambda one: -one[0]))


def _matrices(freedom: Freedom) -> Iterator[Array]:
    """Every rotation and mirroring to try, (2, 2) each."""
    count = int(np.ceil(freedom.max_rotation_deg / ANGLE_STEP_DEG))
    angles = np.linspace(-freedom.max_rotation_deg, freedom.max_rotation_deg, 2 * count + 1) if count else [0.0]
    flips = [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0)] if freedom.mirror else [(1.0, 1.0)]
    for angle in np.deg2rad(angles):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        yield from (turn @ np.diag(flip) for flip in flips)


@dataclass(frozen=True, eq=False)
class _Picture:
    """A scan on an upright grid of the coarse pitch."""

    values: Array
    covered: Array
    """1 where the scan was, else 0."""
    first: Array
    """Place of the first pixel."""
    pitch: float


def _picture(scan: Scan, placing: Placing, pitch: float) -> _Picture:
    ends = placing(scan.corners)
    first = ends.min(axis=0)
    count = np.ceil((ends.max(axis=0) - first) / pitch).astype(int) + 1
    grid = np.stack(np.meshgrid(*(np.arange(n) for n in count), indexing="ij"), axis=-1) * pitch + first
    places = placing.back(grid)
    covered = scan.covers(places).astype(np.float64)
    return _Picture(scan.sampled(scan.soft_flake, places) * covered, covered, first, pitch)


Limit = Callable[[Array], NDArray[np.bool_]]


def _limit(fixed: Scan, moving: Scan, turned: Placing, freedom: Freedom) -> Limit:
    """Tell which offsets (..., 2) leave the middles near enough."""
    farthest = np.inf if freedom.max_shift_um is None else freedom.max_shift_um
    apart = turned(moving.corners.mean(axis=0)) - fixed.corners.mean(axis=0)
    return lambda offsets: np.asarray(np.linalg.norm(offsets + apart, axis=-1) <= farthest)


def _best_shift(still: _Picture, turned: _Picture, placing: Placing, limit: Limit) -> tuple[float, Placing]:
    """Correlation at the best shift, and the placing that it makes."""
    correlation = masked_correlation(still, turned)
    rows, columns = (np.arange(n) - (m - 1) for n, m in zip(correlation.shape, turned.values.shape, strict=True))
    shifts = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1) * still.pitch + still.first - turned.first
    correlation = np.where(limit(shifts), correlation, -1.0)
    best = np.unravel_index(np.argmax(correlation), correlation.shape)
    return float(correlation[best]), Placing(placing.matrix, shifts[best])


def masked_correlation(still: _Picture, moved: _Picture) -> Array:
    """Pearson correlation at every shift over the pixels that both cover (Padfield 2012); -1 where these are too few."""

    def sums(first: Array, second: Array) -> Array:
        return np.asarray(signal.correlate(first, second, method="fft"))

    a, b, on_a, on_b = still.values, moved.values, still.covered, moved.covered
    shared = np.maximum(np.round(sums(on_a, on_b)), 1.0)
    sum_a, sum_b = sums(a, on_b), sums(on_a, b)
    spread = (sums(a**2, on_b) - sum_a**2 / shared) * (sums(on_a, b**2) - sum_b**2 / shared)
    enough = (shared >= SMALLEST_OVERLAP * min(on_a.sum(), on_b.sum())) & (spread > 1e-6 * shared**2)
    together = sums(a, b) - sum_a * sum_b / shared
    return np.where(enough, together / np.sqrt(np.where(enough, spread, 1.0)), -1.0)


def _distinct(ranked: list[tuple[float, Placing]]) -> list[Placing]:
    """Best placings that are no neighbours of a better one."""
    kept: list[Placing] = []
    nearest = 2 * np.sqrt(2) * np.sin(np.deg2rad(1.1 * ANGLE_STEP_DEG) / 2)
    for _, placing in ranked:
        if len(kept) < CANDIDATES and all(np.linalg.norm(placing.matrix - other.matrix) > nearest for other in kept):
            kept.append(placing)
    return kept

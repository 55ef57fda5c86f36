"""Coarse placings of one scan of a flake on another: every rotation and mirroring on a grid, each at its best shift."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from napari_wse2xai.numerics.outline import STAY, Array, Placing, Scan

Done = Callable[[float], None]
Waves = NDArray[np.complex128]

ANGLE_STEP_DEG = 5.0
"""Distance of the rotations that the coarse search tries; the refinement bridges half of it."""
COARSE_PX = 56
"""Longest side of the images that the coarse search compares."""
SMALLEST_OVERLAP = 0.3
"""Share of the smaller scan that both scans must cover."""
CANDIDATES = 8
"""Coarse placings that are refined, so many unmirrored and so many mirrored."""
HOPELESS = 0.4
"""Correlations that stay behind the best one by more are not refined."""


@dataclass(frozen=True)
class Freedom:
    """What may differ between the scans."""

    mirror: bool = True
    max_rotation_deg: float = 180.0
    max_shift_um: float | None = None
    """Of the scans' middles; None for no limit."""
    scale: bool = False
    """Whether the steps may be wrong, so that the scale is looked for too."""

    def held(self, fixed: Scan, moving: Scan, placing: Placing) -> Placing:
        """Turn and shift a placing back to within what is free, where it lies beyond."""
        too_far = _turned(placing.matrix)
        too_far -= np.clip(too_far, -np.deg2rad(self.max_rotation_deg), np.deg2rad(self.max_rotation_deg))
        if too_far:
            placing = placing.nudged(np.array([0.0, 0.0, -too_far * fixed.pivot.radius, 0.0]), fixed.pivot)
        apart = placing(moving.middle) - fixed.middle
        distance = float(np.linalg.norm(apart))
        if self.max_shift_um is None or distance <= self.max_shift_um:
            return placing
        return Placing(placing.matrix, placing.offset - apart * (1 - self.max_shift_um / distance))


def _turned(matrix: Array) -> float:
    """Turn in radians; of a mirrored placing that from the nearer of the two axes along which it may be mirrored."""
    flip = float(np.sign(np.linalg.det(matrix)))
    angle = float(np.arctan2(matrix[1, 0] - flip * matrix[0, 1], matrix[0, 0] + flip * matrix[1, 1]))
    return angle if flip > 0 or abs(angle) <= np.pi / 2 else angle - float(np.copysign(np.pi, angle))


def candidates(fixed: Scan, moving: Scan, freedom: Freedom, progress: Done) -> list[Placing]:
    """Most promising coarse placings, the best first: at every turn that correlates better than the turns beside it."""
    pitch = max(fixed.pitch, moving.pitch, float(np.ptp(fixed.corners, axis=0).max()) / COARSE_PX)
    still = _picture(fixed, STAY, pitch)
    flips, angles = _flips(freedom), _angles(freedom)
    found: list[tuple[float, Placing]] = []
    for number, flip in enumerate(flips):
        tried = []
        for done, angle in enumerate(angles):
            progress((number + done / len(angles)) / len(flips))
            turned = Placing(_turn(angle) @ np.diag(flip), np.zeros(2))
            tried.append(_best_shift(still, _picture(moving, turned, pitch), turned, _limit(fixed, moving, turned, freedom)))
        found += _peaks(tried, closed=freedom.max_rotation_deg >= 180)
    least = max((one[0] for one in found), default=0.0) - HOPELESS
    return [placing for correlation, placing in found if correlation > max(least, 0.0)]


def _flips(freedom: Freedom) -> list[tuple[float, float]]:
    """Mirrorings to try; where any turn is free, mirroring along one axis is mirroring along the other, turned."""
    flips = [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0)]
    return flips[: 1 if not freedom.mirror else 2 if freedom.max_rotation_deg >= 180 else 3]


def _angles(freedom: Freedom) -> Array:
    """Turns to try, radians, rising."""
    count = int(np.ceil(freedom.max_rotation_deg / ANGLE_STEP_DEG))
    reach = np.deg2rad(freedom.max_rotation_deg)
    angles = np.linspace(-reach, reach, 2 * count + 1) if count else np.zeros(1)
    # -180 and 180 degrees are one turn.
    return angles[1:] if freedom.max_rotation_deg >= 180 else angles


def _turn(angle: float) -> Array:
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def _peaks(tried: list[tuple[float, Placing]], *, closed: bool) -> list[tuple[float, Placing]]:
    """Turns that correlate no worse than those beside them, the best first; `closed`: the last turn lies beside the first."""
    values = np.array([correlation for correlation, _ in tried])
    beyond = [values[-1], values[0]] if closed else [-np.inf, -np.inf]
    padded = np.concatenate([beyond[:1], values, beyond[1:]])
    tops = np.flatnonzero((values >= padded[:-2]) & (values >= padded[2:]))
    return [tried[index] for index in tops[np.argsort(-values[tops], kind="stable")][:CANDIDATES]]


@dataclass(frozen=True, eq=False)
class _Picture:
    """A scan on an upright grid of the coarse pitch."""

    values: Array
    covered: Array
    """1 where the scan was, else 0."""
    first: Array
    """Place of the first pixel."""
    pitch: float

    @cached_property
    def _of_size(self) -> dict[tuple[int, int], tuple[Waves, Waves, Waves]]:
        return {}

    def spectra(self, size: tuple[int, int]) -> tuple[Waves, Waves, Waves]:
        """Fourier transforms of what is covered, of the values and of their squares, all padded to a size; kept."""
        if size not in self._of_size:
            self._of_size[size] = fft.rfft2(self.covered, size), fft.rfft2(self.values, size), fft.rfft2(self.values**2, size)
        return self._of_size[size]


def _picture(scan: Scan, placing: Placing, pitch: float) -> _Picture:
    ends = placing(scan.corners)
    first: Array = ends.min(axis=0)
    count = np.ceil((ends.max(axis=0) - first) / pitch).astype(int) + 1
    grid: Array = np.stack(np.meshgrid(*(np.arange(n) for n in count), indexing="ij"), axis=-1) * pitch + first
    places = placing.back(grid)
    covered = scan.covers(places).astype(np.float64)
    return _Picture(scan.sampled(scan.soft_flake, places) * covered, covered, first, pitch)


Limit = Callable[[Array], NDArray[np.bool_]]


def _limit(fixed: Scan, moving: Scan, turned: Placing, freedom: Freedom) -> Limit:
    """Tell which offsets (..., 2) leave the middles near enough."""
    farthest = np.inf if freedom.max_shift_um is None else freedom.max_shift_um
    apart: Array = turned(moving.corners.mean(axis=0)) - fixed.corners.mean(axis=0)
    return lambda offsets: np.asarray(np.linalg.norm(offsets + apart, axis=-1) <= farthest)


def _best_shift(still: _Picture, turned: _Picture, placing: Placing, limit: Limit) -> tuple[float, Placing]:
    """Correlation at the best shift, and the placing that it makes."""
    correlation, shared = masked_correlation(still, turned)
    rows, columns = (np.arange(n) - (m - 1) for n, m in zip(correlation.shape, turned.values.shape, strict=True))
    shifts = np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1) * still.pitch + still.first - turned.first
    # A perfect likeness of few pixels is worth less than a good one of many: Fisher's z.
    worth: Array = np.arctanh(np.clip(correlation, -0.98, 0.98)) * np.sqrt(shared)
    worth = np.where(limit(shifts) & (correlation > -1), worth, -np.inf)
    best = np.unravel_index(np.argmax(worth), worth.shape)
    return float(correlation[best]) if np.isfinite(worth[best]) else -1.0, Placing(placing.matrix, shifts[best])


def masked_correlation(still: _Picture, moved: _Picture) -> tuple[Array, Array]:
    """Pearson correlation at every shift over the pixels that both cover (Padfield 2012), -1 where these are too few; and their number."""
    shape = tuple(int(n + m - 1) for n, m in zip(still.values.shape, moved.values.shape, strict=True))
    rows, columns = (fft.next_fast_len(n, real=True) for n in shape)
    # A convolution with the image turned about is a correlation.
    back = (slice(None, None, -1), slice(None, None, -1))
    turned = _Picture(moved.values[back], moved.covered[back], moved.first, moved.pitch)
    (on_a, a, a2), (on_b, b, b2) = still.spectra((rows, columns)), turned.spectra((rows, columns))
    products = np.stack([on_a * on_b, a * on_b, on_a * b, a2 * on_b, on_a * b2, a * b])
    shared, sum_a, sum_b, squares_a, squares_b, both = fft.irfft2(products, (rows, columns))[:, : shape[0], : shape[1]]
    # It counts pixels: what is off a whole number is the transforms' rounding, and would be divided by where nothing is shared.
    shared = np.maximum(np.round(shared), 1.0)
    spread = (squares_a - sum_a**2 / shared) * (squares_b - sum_b**2 / shared)
    enough = (shared >= SMALLEST_OVERLAP * min(still.covered.sum(), moved.covered.sum())) & (spread > 1e-6 * shared**2)
    return np.where(enough, (both - sum_a * sum_b / shared) / np.sqrt(np.where(enough, spread, 1.0)), -1.0), shared

"""How the crystal grew: its outline, and the smooth fields of defects and strain on it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.errors import SettingsError

Field = NDArray[np.float64]
"""(ny, nx), one value per pixel."""

FLAKE_SHAPES = ("triangle", "star")
"""Outlines that can be grown; both are lopsided, so that a mirrored or turned picture shows at once."""

TRIANGLE = np.array([[0.03, 0.80], [0.36, 0.02], [0.975, 0.68]])
TRIANGLE_BULGE = 0.045
STAR_CENTRE = np.array([0.49, 0.52])
STAR_TIPS = np.array([0.47, 0.40, 0.48, 0.44, 0.37, 0.46])
STAR_NOTCHES = np.array([0.27, 0.30, 0.29, 0.25, 0.28, 0.31])
STAR_TURN_RAD = 0.22
SMALLEST_SCAN_PX = 16


@dataclass(frozen=True, eq=False)
class Crystal:
    """A grown flake, before any light falls on it."""

    flake: NDArray[np.bool_]
    """(ny, nx) True where the pixel's centre lies on the crystal."""
    vacancy: Field
    """Relative density of selenium vacancies, 0 to 1."""
    oxygen: Field
    """Relative density of oxygen on selenium sites, 0 to 1."""
    strain: Field
    """In-plane strain in percent."""


def triangle_outline() -> Field:
    """Vertices (n, 2) as (x, y) fractions of the scan, y down; the edges bulge as those of CVD triangles do."""
    along = np.linspace(0.0, 1.0, 24, endpoint=False)[:, None]
    sides = []
    for start, end in zip(TRIANGLE, np.roll(TRIANGLE, -1, axis=0), strict=True):
        outward = np.array([end[1] - start[1], start[0] - end[0]]) / np.linalg.norm(end - start)
        sides.append(start + along * (end - start) + 4 * TRIANGLE_BULGE * along * (1 - along) * outward)
    return np.concatenate(sides)


def star_outline() -> Field:
    """Vertices (n, 2) as (x, y) fractions of the scan, y down, of a six-pointed star with unequal arms."""
    radius = np.stack([STAR_TIPS, STAR_NOTCHES], axis=1).ravel()
    angle = STAR_TURN_RAD + np.pi / len(STAR_TIPS) * np.arange(len(radius))
    return np.asarray(STAR_CENTRE + radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1))


def inside(outline: Field, shape_px: tuple[int, int]) -> NDArray[np.bool_]:
    """(ny, nx) True where the pixel's centre lies in the polygon."""
    y, x = ((np.arange(n) + 0.5) / n for n in shape_px)
    return contains(outline, y[:, None], x[None, :])


def contains(outline: Field, y: Field, x: Field) -> NDArray[np.bool_]:
    """Tell which places, in fractions of the scan, lie in the polygon (even-odd rule); y and x broadcast."""
    mask = np.zeros(np.broadcast_shapes(y.shape, x.shape), dtype=bool)
    for (x1, y1), (x2, y2) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if y1 != y2:
            crossing = x1 + (y - y1) / (y2 - y1) * (x2 - x1)
            mask ^= ((y1 > y) != (y2 > y)) & (x < crossing)
    return mask


def outline_of(shape: str) -> Field:
    """Outline of one of `FLAKE_SHAPES`, (n, 2) as (x, y) fractions of the scan."""
    return triangle_outline() if shape == "triangle" else star_outline()


def smooth_field(rng: np.random.Generator, shape_px: tuple[int, int], correlation: float = 0.12) -> Field:
    """Gaussian random field (ny, nx), mean 0, largest absolute value 1; `correlation` as a fraction of the scan's longer side."""
    from scipy.ndimage import gaussian_filter

    field: Field = gaussian_filter(rng.standard_normal(shape_px), correlation * max(shape_px), mode="reflect")
    field = field - field.mean()
    return np.asarray(field / np.abs(field).max())


def grow(shape: str, shape_px: tuple[int, int], rng: np.random.Generator) -> Crystal:
    """Grow a crystal whose edges are rich in defects: vacancies on one side more, oxygen on the other."""
    if shape not in FLAKE_SHAPES:
        raise SettingsError(f"The flake shape '{shape}' is not known; use {' or '.join(FLAKE_SHAPES)}.")
    if min(shape_px) < SMALLEST_SCAN_PX:
        raise SettingsError(f"A scan of {shape_px} pixels cannot hold a flake; ask for at least {SMALLEST_SCAN_PX} pixels a side.")
    flake = inside(outline_of(shape), shape_px)
    vacancy = _defects(flake, rng, reach=0.055, floor=0.18, facing_rad=0.6)
    oxygen = _defects(flake, rng, reach=0.085, floor=0.15, facing_rad=0.6 + np.pi)
    return Crystal(flake, vacancy, oxygen, 0.25 * smooth_field(rng, shape_px, 0.16))


def _defects(flake: NDArray[np.bool_], rng: np.random.Generator, *, reach: float, floor: float, facing_rad: float) -> Field:
    """Relative density that falls from the edge inwards over `reach` (fraction of the longer side), more on the side that it faces."""
    from scipy.ndimage import distance_transform_edt

    # The transform is 1 on the outermost pixels, where the density is the edge's own.
    edge = np.exp(-(distance_transform_edt(flake) - 1.0) / (reach * max(flake.shape)))
    y, x = np.ogrid[: flake.shape[0], : flake.shape[1]]
    middle_y, middle_x = np.argwhere(flake).mean(axis=0)
    bearing = np.arctan2(y - middle_y, x - middle_x)
    # From 0.2 to 0.9: one edge clearly richer, none free of defects.
    sided = 0.55 + 0.35 * np.cos(bearing - facing_rad)
    patches = 0.9 * floor * smooth_field(rng, flake.shape, 0.06) * (1 - edge)
    return np.asarray(np.clip(floor + patches + (1 - floor) * sided * edge, 0.0, 1.0))

"""Flakes as CVD grows them, symmetric; nothing of it is taken from the package's own generator.

A flake is given by the distance of its rim from its middle as a function of the bearing.  Each scan sees it with a rim of its own noise,
and with holes and light of its own, so that nothing but the true rim is common to RS and PL.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from napari_wse2xai.data import AxisKind, Frame, PeakMaps, SpectralAxis, Status, Transform

Rim = Callable[[np.ndarray], np.ndarray]


def polygon(corners: int, bulge: float = 0.0) -> Rim:
    """Regular polygon of circumradius 1, its sides straight or bulging."""

    def rim(bearing: np.ndarray) -> np.ndarray:
        folded = (bearing + np.pi / corners) % (2 * np.pi / corners) - np.pi / corners
        straight = np.cos(np.pi / corners) / np.cos(np.pi / corners - np.abs(folded))
        return straight * (1 + bulge * (1 + np.cos(corners * folded + np.pi)) / 2 * np.cos(corners * folded / 2) ** 2)

    return rim


def star(points: int, notch: float = 0.45) -> Rim:
    """Star whose notches lie at a share of the tips' distance."""

    def rim(bearing: np.ndarray) -> np.ndarray:
        half = np.pi / points
        folded = np.abs((bearing + half) % (2 * half) - half)
        # The straight line from a tip (1, 0) to a notch at the bearing `half`.
        x, y = notch * np.cos(half), notch * np.sin(half)
        return y / (np.sin(folded) * (1 - x) + np.cos(folded) * y)

    return rim


def ellipse(ratio: float) -> Rim:
    return lambda bearing: ratio / np.sqrt((ratio * np.cos(bearing)) ** 2 + np.sin(bearing) ** 2)


def kite() -> Rim:
    """Mirror symmetric, not the same after any turn: a slender triangle with a notched base."""
    corners = np.array([(1.0, 0.0), (-0.55, 0.5), (-0.25, 0.0), (-0.55, -0.5), (1.0, 0.0)])
    bearings = np.arctan2(corners[:, 1], corners[:, 0]) % (2 * np.pi)
    bearings[-1] = 2 * np.pi

    def rim(bearing: np.ndarray) -> np.ndarray:
        side = np.clip(np.searchsorted(bearings, bearing % (2 * np.pi), side="right") - 1, 0, 3)
        start, along = corners[side], corners[side + 1] - corners[side]
        across = np.cos(bearing) * along[..., 1] - np.sin(bearing) * along[..., 0]
        return (start[..., 0] * along[..., 1] - start[..., 1] * along[..., 0]) / across

    return rim


SYMMETRIC: dict[str, Rim] = {
    "triangle": polygon(3),
    "bulging triangle": polygon(3, 0.25),
    "hollow triangle": polygon(3, -0.2),
    "square": polygon(4),
    "hexagon": polygon(6),
    "star of 3": star(3, 0.35),
    "star of 4": star(4, 0.5),
    "star of 5": star(5, 0.5),
    "star of 6": star(6, 0.55),
    "ellipse": ellipse(0.6),
    "disc": ellipse(1.0),
}


def irregular(seed: int) -> Rim:
    """Rim of six waves of random height, the lowest the highest."""
    rng = np.random.default_rng(seed)
    waves = np.arange(1, 7)
    height, phase = rng.normal(size=6) * 0.3 / waves, rng.uniform(0, 2 * np.pi, 6)

    def rim(bearing: np.ndarray) -> np.ndarray:
        return np.exp(sum(h * np.cos(k * bearing + p) for h, k, p in zip(height, waves, phase, strict=True)))

    return rim


@dataclass(frozen=True)
class Dirt:
    """What makes each scan's flake differ from the true one."""

    roughness: float = 0.0
    """Of the rim, standard deviation in steps, alike over some steps."""
    holes: int = 0
    flipped: float = 0.0
    """Share of pixels near the rim that fall on the wrong side."""
    lost: float = 0.0
    """Depth, as a share of the radius, to which light that fades to one side loses the flake there."""


def mask(rim: Rim, radius_um: float, places_um: np.ndarray, step_um: float, dirt: Dirt, rng: np.random.Generator) -> np.ndarray:
    """(ny, nx) flake about the origin as one scan sees it."""
    y, x = np.moveaxis(places_um, -1, 0)
    bearing, distance = np.arctan2(y, x), np.hypot(y, x)
    waves = np.arange(2, 25)
    height = rng.normal(size=len(waves)) * dirt.roughness * step_um / np.sqrt(len(waves) / 2)
    phase = rng.uniform(0, 2 * np.pi, len(waves))
    rough = (height[:, None, None] * np.cos(waves[:, None, None] * bearing + phase[:, None, None])).sum(axis=0)
    depth = radius_um * rim(bearing) + rough - distance
    on = depth > 0
    on ^= (np.abs(depth) < step_um) & (rng.random(on.shape) < dirt.flipped)
    for _ in range(dirt.holes):
        spot = rng.uniform(-0.4, 0.4, 2) * radius_um
        on &= np.hypot(y - spot[0], x - spot[1]) > rng.uniform(0.8, 2.0) * step_um
    if dirt.lost:
        dim = rng.uniform(0, 2 * np.pi)
        on &= y * np.sin(dim) + x * np.cos(dim) < radius_um * (1 - dirt.lost)
    return on


def light(on: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(ny, nx) smooth, uneven light with a gradient; nothing beside the flake."""
    rows, columns = np.indices(on.shape) / max(on.shape)
    slope = rng.normal(size=2)
    smooth = gaussian_filter(rng.standard_normal(on.shape), 4)
    return np.where(on, 100 + 40 * (slope[0] * rows + slope[1] * columns) + 30 * smooth / smooth.std(), np.nan)


def peaks(on: np.ndarray, frame: Frame, kind: AxisKind, rng: np.random.Generator) -> PeakMaps:
    """One fitted peak on the flake, of no spectra."""
    axis = SpectralAxis(np.linspace(200, 300, 50) if kind is AxisKind.RAMAN_SHIFT else np.linspace(1.5, 1.8, 50), kind)
    height = light(on, rng)[None].astype(np.float32)
    filled = {name: np.where(on, value, np.nan)[None].astype(np.float32) for name, value in (("position", 1.65), ("fwhm", 0.05))}
    errors = {f"{name}_error": np.where(on, 0.01, np.nan)[None].astype(np.float32) for name in ("position", "fwhm", "height")}
    status = np.where(on, Status.OK, Status.NOT_ON_FLAKE).astype(np.uint8)
    return PeakMaps(
        frame, axis, ("A",), ("lorentzian",), (axis.span,), height=height, **filled, **errors, status=status,
        reduced_chi2=np.ones(on.shape, dtype=np.float32), name="RS" if kind is AxisKind.RAMAN_SHIFT else "PL",
    )  # fmt: skip


@dataclass(frozen=True)
class Scanned:
    raman: PeakMaps
    pl: PeakMaps
    truth: Transform
    """From PL to RS coordinates."""


def scanned(
    rim: Rim,
    seed: int,
    *,
    lost: bool,
    dirt: Dirt | None = None,
    ratio: float | None = None,
    mirrored: bool = False,
    max_turn: float = 180.0,
) -> Scanned:
    """RS and PL of one flake; PL lies where the stage says, or, lost, is turned and shifted by a stage of its own."""
    rng = np.random.default_rng(seed)
    dirt = dirt or Dirt(rng.uniform(0, 0.5), int(rng.integers(3)), rng.uniform(0, 0.2))
    shape, step = (int(rng.integers(36, 50)), int(rng.integers(38, 60))), float(rng.uniform(0.3, 1.0))
    origin = rng.uniform(-50, 50, 2)
    raman = Frame(shape, (step * rng.choice([-1, 1]), step * rng.choice([-1, 1])), tuple(origin.tolist()))
    middle = origin + 0.5 * (np.array(shape) - 1) * raman.step_um
    radius = rng.uniform(0.33, 0.42) * min(shape) * step / 1.0
    centre = middle + rng.uniform(-2, 2, 2) * step
    turn = rng.uniform(-np.pi, np.pi)
    ratio = ratio if ratio is not None else float(rng.uniform(0.8, 1.4))
    pl_shape = tuple(round(n / ratio) for n in shape)
    pl_step = tuple(d * ratio for d in raman.step_um)
    if lost:
        pl_origin = rng.uniform(-50, 50, 2)
        pl_middle = pl_origin + 0.5 * (np.array(pl_shape) - 1) * pl_step
        truth = Transform.similarity(
            rotation_deg=rng.uniform(-max_turn, max_turn),
            mirrored=mirrored,
            shift_um=middle - pl_middle + rng.uniform(-0.12, 0.12, 2) * np.array(shape) * step,
            centre_um=pl_middle,
        )
    else:
        pl_origin = middle - 0.5 * (np.array(pl_shape) - 1) * pl_step + rng.uniform(-0.5, 0.5, 2) * step * (ratio != 1)
        truth = Transform.identity()
    pl = Frame(pl_shape, pl_step, tuple(pl_origin.tolist()))

    def seen(frame: Frame, way: Transform, pitch: float) -> np.ndarray:
        grid = np.stack(np.meshgrid(frame.y_um, frame.x_um, indexing="ij"), axis=-1)
        relative = (way.apply(grid) - centre) @ np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        return mask(rim, radius, relative, pitch, dirt, rng)

    rs_on, pl_on = seen(raman, Transform.identity(), step), seen(pl, truth, step * ratio)
    return Scanned(peaks(rs_on, raman, AxisKind.RAMAN_SHIFT, rng), peaks(pl_on, pl, AxisKind.ENERGY, rng), truth)

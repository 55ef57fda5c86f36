"""A flake as one scan sees it, and how two scans lie to one another; places are (y, x) in um."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy import interpolate, ndimage

Array = NDArray[np.float64]

FINE = 4
"""Grid points per pixel of the distance maps."""


@dataclass(frozen=True, eq=False)
class Placing:
    """Affine map ``p -> matrix @ p + offset`` from the moving scan to the fixed one."""

    matrix: Array
    """(2, 2)."""
    offset: Array
    """(2,) um."""

    def __call__(self, places: Array) -> Array:
        """Places (..., 2) on the fixed scan."""
        return np.asarray(places @ self.matrix.T + self.offset)

    def back(self, places: Array) -> Array:
        """Places (..., 2) on the moving scan."""
        return np.asarray((places - self.offset) @ np.linalg.inv(self.matrix).T)

    def nudged(self, nudge: Array, pivot: "Pivot") -> Self:
        """Shift by (y, x), then turn and stretch about a pivot; all four in um, the last two at the pivot's radius."""
        angle, stretch = nudge[2] / pivot.radius, np.exp(nudge[3] / pivot.radius)
        turn = stretch * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        return type(self)(turn @ self.matrix, turn @ (self.offset - pivot.centre) + pivot.centre + nudge[:2])

    def nudge_from(self, other: "Placing", pivot: "Pivot") -> Array:
        """Nudge (4,) that makes this placing of another one; what no nudge can make is left out."""
        change = self.matrix @ np.linalg.inv(other.matrix)
        # The rotation nearest to the change, and half the logarithm of the area it makes: both are exact for a turn with a stretch.
        angle = np.arctan2(change[1, 0] - change[0, 1], change[0, 0] + change[1, 1])
        stretch = 0.5 * np.log(abs(np.linalg.det(change)))
        shift = self(other.back(pivot.centre)) - pivot.centre
        return np.array([*shift, angle * pivot.radius, stretch * pivot.radius])


STAY = Placing(np.eye(2), np.zeros(2))


@dataclass(frozen=True, eq=False)
class Pivot:
    """About what a placing is turned and stretched."""

    centre: Array
    radius: float
    """um."""


@dataclass(frozen=True, eq=False)
class Scan:
    """The flake as one scan sees it."""

    flake: NDArray[np.bool_]
    """(ny, nx)."""
    step: Array
    """(2,) um from pixel to pixel; may be negative."""
    origin: Array
    """(2,) um, place of pixel (0, 0)."""
    turn: Array = field(default_factory=lambda: np.eye(2))
    """(2, 2) rotation of the scan about pixel (0, 0)."""
    blur_um: float = 0.5
    """Standard deviation of the blur that takes the stairs of the pixels off the outline; equal for scans to be compared."""

    @property
    def pitch(self) -> float:
        """Mean distance of pixels, um."""
        return float(np.sqrt(abs(np.prod(self.step))))

    @cached_property
    def places(self) -> Array:
        """Places (ny, nx, 2) of all pixels."""
        rows, columns = (np.arange(n, dtype=np.float64) for n in self.flake.shape)
        return self._placed(np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1))

    def _placed(self, pixels: Array) -> Array:
        return np.asarray((pixels * self.step) @ self.turn.T + self.origin)

    @property
    def corners(self) -> Array:
        """Places (4, 2) of the corner pixels."""
        return self.places[np.ix_([0, -1], [0, -1])].reshape(4, 2)

    @property
    def middle(self) -> Array:
        """Place (2,) of the middle of the scan."""
        return np.asarray(self.corners.mean(axis=0))

    @property
    def pivot(self) -> Pivot:
        """Middle of the flake and root mean square distance of its pixels from it."""
        on_flake = self.places[self.flake]
        centre = on_flake.mean(axis=0)
        return Pivot(centre, float(np.sqrt(((on_flake - centre) ** 2).sum(axis=1).mean())))

    def pixels(self, places: Array) -> Array:
        """Fractional row and column of places (..., 2)."""
        return np.asarray(((places - self.origin) @ self.turn) / self.step)

    def covers(self, places: Array, margin_px: float = 0.5) -> NDArray[np.bool_]:
        """Tell which places (..., 2) lie on the scan; the margin beyond its outermost pixel centres counts as covered."""
        pixels = self.pixels(places)
        return np.asarray(((pixels >= -margin_px) & (pixels <= np.array(self.flake.shape) - 1 + margin_px)).all(axis=-1))

    def sampled(self, values: Array, places: Array) -> Array:
        """Interpolate a map (ny, nx) bilinearly at places (..., 2); beyond the scan its edge goes on."""
        return _interpolated(values, self.pixels(places))

    @cached_property
    def soft_flake(self) -> Array:
        """(ny, nx) blurred flake, 0 to 1."""
        return np.asarray(ndimage.gaussian_filter(self.flake.astype(np.float64), self.blur_um / np.abs(self.step), mode="nearest"))

    @cached_property
    def outline(self) -> Array:
        """Places (n, 2) of the flake's outline inside the scan; the scan's own border is none."""
        from skimage.measure import find_contours

        if min(self.flake.shape) < 2:
            return np.empty((0, 2))
        pieces = find_contours(self.soft_flake, 0.5)
        return self._placed(np.concatenate(pieces)) if pieces else np.empty((0, 2))

    @cached_property
    def _distance(self) -> Array:
        rows, columns = (np.linspace(0, n - 1, (n - 1) * FINE + 1) for n in self.flake.shape)
        ny, nx = self.flake.shape
        spline = interpolate.RectBivariateSpline(np.arange(ny), np.arange(nx), self.soft_flake, kx=min(3, ny - 1), ky=min(3, nx - 1))
        inside = spline(rows, columns) > 0.5
        within, beyond = (ndimage.distance_transform_edt(side, sampling=np.abs(self.step) / FINE) for side in (inside, ~inside))
        # The transform counts from pixel centres, the outline runs between them.
        half = self.pitch / FINE / 2
        return np.asarray(ndimage.gaussian_filter(np.where(inside, within - half, half - beyond), FINE / 2, mode="nearest"))

    def distance(self, places: Array) -> Array:
        """Signed distance (...) of places (..., 2) from the outline in um, positive on the flake."""
        return _interpolated(self._distance, self.pixels(places) * FINE)


def _interpolated(values: Array, pixels: Array) -> Array:
    return np.asarray(ndimage.map_coordinates(values, np.moveaxis(pixels, -1, 0), order=1, mode="nearest"))

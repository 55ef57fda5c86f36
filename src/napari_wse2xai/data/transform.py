"""How the coordinates of one scan lead to those of another."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_wse2xai.data.frame import Frame
from napari_wse2xai.errors import SettingsError

Points = NDArray[np.float64]
"""(..., 2) places (y, x) in um."""


@dataclass(frozen=True, eq=False)
class Transform:
    """Affine map of the plane, ``p -> matrix @ p + offset``, on points (y, x) in um.

    What dragging, turning or mirroring a layer by hand gives, what registration finds, and what landmarks determine.
    """

    matrix: NDArray[np.float64]
    """(2, 2)."""
    offset: NDArray[np.float64]
    """(2,) um."""

    def __post_init__(self) -> None:
        """Refuse what cannot be undone."""
        if not (np.isfinite(self.matrix).all() and np.isfinite(self.offset).all()) or abs(np.linalg.det(self.matrix)) < 1e-9:
            raise SettingsError("The transform maps the plane onto a line or a point; give one that can be undone.")

    @classmethod
    def identity(cls) -> Self:
        """Leave every point where it is."""
        return cls(np.eye(2), np.zeros(2))

    @classmethod
    def similarity(
        cls,
        *,
        rotation_deg: float = 0.0,
        scale: float = 1.0,
        mirrored: bool = False,
        shift_um: ArrayLike = (0.0, 0.0),
        centre_um: ArrayLike = (0.0, 0.0),
    ) -> Self:
        """Mirror x (where asked), scale and turn about a centre, then shift.

        Parameters
        ----------
        rotation_deg : degrees from +y towards +x
        mirrored : whether x is turned round first
        shift_um, centre_um : (y, x)
        """
        angle = np.deg2rad(rotation_deg)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], dtype=np.float64)
        matrix = scale * turn @ np.diag([1.0, -1.0 if mirrored else 1.0])
        centre = np.asarray(centre_um, dtype=np.float64)
        return cls(np.asarray(matrix, dtype=np.float64), centre + np.asarray(shift_um, dtype=np.float64) - matrix @ centre)

    @classmethod
    def from_landmarks(cls, source_um: ArrayLike, target_um: ArrayLike) -> Self:
        """Similarity, mirrored where that fits better, that brings landmarks closest to their partners (least squares).

        Parameters
        ----------
        source_um, target_um : (n, 2) places (y, x), at least three, not on a line
        """
        source, target = (np.asarray(points, dtype=np.float64) for points in (source_um, target_um))
        if source.shape != target.shape or source.ndim != 2 or len(source) < 3 or source.shape[1] != 2:
            raise SettingsError("Landmarks come in pairs, at least three of them, each with y and x; give as many on both maps.")
        centred, wanted = source - source.mean(axis=0), target - target.mean(axis=0)
        # The second singular value is the width of the points across their line.
        if min(np.linalg.svd(points, compute_uv=False)[1] for points in (centred, wanted)) < 1e-6 * (np.abs(centred).max() + 1e-300):
            raise SettingsError("The landmarks lie on one line, so they do not tell a mirrored map; move one of them off it.")
        # Umeyama's solution without his sign: a mirrored map is to be found as well.
        left, stretch, right = np.linalg.svd(wanted.T @ centred)
        matrix = stretch.sum() / (centred**2).sum() * left @ right
        return cls(np.asarray(matrix, dtype=np.float64), target.mean(axis=0) - matrix @ source.mean(axis=0))

    @property
    def inverse(self) -> Self:
        """The way back."""
        back = np.asarray(np.linalg.inv(self.matrix), dtype=np.float64)
        return type(self)(back, -back @ self.offset)

    def apply(self, points_um: ArrayLike) -> Points:
        """Places (..., 2) after the transform."""
        return np.asarray(np.asarray(points_um, dtype=np.float64) @ self.matrix.T + self.offset)

    def after(self, first: "Transform") -> Self:
        """Do another transform first, then this one."""
        return type(self)(self.matrix @ first.matrix, self.matrix @ first.offset + self.offset)

    @property
    def mirrored(self) -> bool:
        """Whether a left hand becomes a right hand."""
        return bool(np.linalg.det(self.matrix) < 0)

    @property
    def scale(self) -> float:
        """Mean magnification."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix))))

    @property
    def rotation_deg(self) -> float:
        """Turn in degrees from +y towards +x, after mirroring x where mirrored."""
        unmirrored = self.matrix @ np.diag([1.0, -1.0 if self.mirrored else 1.0])
        return float(np.rad2deg(np.arctan2(unmirrored[1, 0] - unmirrored[0, 1], unmirrored[0, 0] + unmirrored[1, 1])))


def corners_um(frame: Frame) -> Points:
    """Centres (4, 2) of the corner pixels of a scan, (y, x)."""
    return _places(frame, *(np.array([0, n - 1]) for n in frame.shape)).reshape(4, 2)


def border_um(frame: Frame) -> Points:
    """Closed outer border (5, 2) of a scan, half a step outside its pixels' centres, (y, x)."""
    (top, left), (bottom, right) = (-0.5, -0.5), (frame.shape[0] - 0.5, frame.shape[1] - 0.5)
    corners = np.array([(top, left), (top, right), (bottom, right), (bottom, left), (top, left)])
    return _on_stage(frame, corners)


def pixels_um(frame: Frame) -> Points:
    """Centres (ny, nx, 2) of all pixels of a scan, (y, x)."""
    return _places(frame, *(np.arange(n) for n in frame.shape))


def _places(frame: Frame, rows: NDArray[np.int_], columns: NDArray[np.int_]) -> Points:
    return _on_stage(frame, np.stack(np.meshgrid(rows, columns, indexing="ij"), axis=-1))


def _on_stage(frame: Frame, pixels: NDArray[np.generic]) -> Points:
    """Stage coordinates (..., 2) of rows and columns."""
    own = pixels * np.array(frame.step_um)
    return np.asarray((own @ frame.turn.T if frame.rotation_deg else own) + frame.origin_um, dtype=np.float64)


def pixel_coordinates(frame: Frame, points_um: ArrayLike) -> Points:
    """Fractional row and column (..., 2) of places (y, x) in um."""
    away = np.asarray(points_um, dtype=np.float64) - frame.origin_um
    return np.asarray((away @ frame.turn if frame.rotation_deg else away) / frame.step_um)

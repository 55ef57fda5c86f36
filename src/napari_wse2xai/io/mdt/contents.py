"""What a frame of an NT-MDT file can hold."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind, Frame
from napari_wse2xai.errors import DataError


@dataclass(frozen=True)
class About:
    """What is known of any frame."""

    name: str
    date: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    laser_nm: float | None = None


@dataclass(frozen=True)
class Spectra:
    """Spectra of light: some on a grid, others where their coordinates say."""

    about: About
    axis: NDArray[np.float64]
    kind: AxisKind
    intensity_unit: str
    n_spectra: int
    load: Callable[[], NDArray[np.float32]]
    """Gives (ny, nx, n) where there is a frame, else (m, n)."""
    frame: Frame | None = None
    yx_um: NDArray[np.float64] | None = None
    """(m, 2) stage coordinates (y, x) of spectra without a frame, where they are known."""


@dataclass(frozen=True)
class Image:
    """One value per pixel."""

    about: About
    frame: Frame
    unit: str
    load: Callable[[], NDArray[np.float32]]
    """Gives (ny, nx)."""


@dataclass(frozen=True)
class Other:
    """Anything else, in words."""

    about: About
    what: str
    shape: tuple[int, int, int] = (0, 0, 0)
    is_known: bool = True
    """False for a frame that this package cannot read."""


Content = Spectra | Image | Other


def optical_kind(unit: str, intensity_unit: str, laser_nm: float | None) -> AxisKind | None:
    """Kind of a spectral axis, or None where the curve is no spectrum of light.

    A force curve has an axis in nm, too; so nm and eV count only with photons on the other axis, or a laser.
    """
    try:
        kind = AxisKind.from_unit(unit)
    except DataError:
        return None
    is_light = kind is AxisKind.RAMAN_SHIFT or laser_nm is not None or intensity_unit in ("counts", "cps", "counts/s")
    return kind if is_light else None


def upright_frame(shape: tuple[int, int], origin_um: tuple[float, float], step_um: tuple[float, float]) -> Frame:
    """Frame of rows that were turned so that the largest y comes first, as NT-MDT draws them; origin (y, x) of the smallest y and x."""
    (y0, x0), (dy, dx) = origin_um, (abs(step_um[0]) or 1.0, abs(step_um[1]) or 1.0)
    return Frame(shape, (-dy, dx), (y0 + dy * (shape[0] - 1), x0))

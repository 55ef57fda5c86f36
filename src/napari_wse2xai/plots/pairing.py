"""How well two maps of one flake lie on one another, on the frame of the RS scan."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from numpy.typing import NDArray

from napari_wse2xai.data import Frame, PairedMaps, PeakMaps
from napari_wse2xai.plots.maps import extent_um, limits

RAMAN_COLOR, PL_COLOR = (1.0, 0.0, 1.0), (0.0, 1.0, 0.0)
"""Magenta and green, which add up to white and differ for nearly every eye."""


def brightness(peaks: PeakMaps) -> NDArray[np.float64]:
    """(ny, nx) sum of all heights over its upper limit, 0 to 1; 0 where there is no peak."""
    total = peaks.light
    _, high = limits(total)
    return np.asarray(np.clip(np.nan_to_num(total.astype(np.float64)) / high, 0.0, 1.0)) if high > 0 else np.zeros(total.shape)


def two_colours(paired: PairedMaps) -> NDArray[np.float64]:
    """(ny, nx, 3) RS in magenta and PL in green; white where both shine."""
    raman, pl = (brightness(peaks)[..., None] for peaks in (paired.raman, paired.pl))
    return np.asarray(np.clip(raman * RAMAN_COLOR + pl * PL_COLOR, 0.0, 1.0))


def checkerboard(paired: PairedMaps, *, squares: int = 8) -> NDArray[np.float64]:
    """(ny, nx, 3) RS in magenta and PL in green in turns: outlines should run on from square to square.

    Parameters
    ----------
    squares : along the longer side
    """
    odd = paired.squares(squares)[..., None]
    raman, pl = (brightness(peaks)[..., None] for peaks in (paired.raman, paired.pl))
    return np.asarray(np.where(odd, pl * PL_COLOR, raman * RAMAN_COLOR))


def draw_overlay(axes: Axes, paired: PairedMaps) -> None:
    """Both flakes in two colours, with the misalignment that remains."""
    _draw(axes, paired, two_colours(paired), f"RS and PL\n{paired.misalignment_text}")
    handles = [Patch(color=color, label=label) for color, label in ((RAMAN_COLOR, "RS"), (PL_COLOR, "PL"), ("white", "both"))]
    axes.legend(handles=handles, loc="upper right", fontsize="small", facecolor="#404040", labelcolor="white")


def draw_checkerboard(axes: Axes, paired: PairedMaps) -> None:
    """RS and PL in turns."""
    _draw(axes, paired, checkerboard(paired), "RS (magenta) and PL (green) in turns")


def _draw(axes: Axes, paired: PairedMaps, colours: NDArray[np.float64], title: str) -> None:
    axes.imshow(colours, extent=extent_um(paired.frame), interpolation="nearest", aspect="equal")
    corner = pl_border_um(paired)
    axes.plot(corner[:, 1], corner[:, 0], color="#8a8a8a", linewidth=0.9, linestyle="--", scalex=False, scaley=False)
    axes.set(title=title, xlabel="x (µm)", ylabel="y (µm)")


def pl_border_um(paired: PairedMaps) -> NDArray[np.float64]:
    """Closed border (5, 2) of the PL scan in RS coordinates, (y, x) in um."""
    return paired.transform.apply(_border(paired.pl_frame))


def _border(frame: Frame) -> NDArray[np.float64]:
    left, right, bottom, top = extent_um(frame)
    return np.array([(top, left), (top, right), (bottom, right), (bottom, left), (top, left)])

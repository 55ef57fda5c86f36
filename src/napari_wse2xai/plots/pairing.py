"""How well two maps of one flake lie on one another, on the frame of the RS scan."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from numpy.typing import NDArray

from napari_wse2xai.data import Candidate, Pairable, PairedMaps, PeakMaps
from napari_wse2xai.data.transform import border_um, pixel_coordinates, pixels_um
from napari_wse2xai.plots.grid import along, aspect, dress, extent_um
from napari_wse2xai.plots.maps import limits

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


def checkerboard(paired: PairedMaps) -> NDArray[np.float64]:
    """(ny, nx, 3) RS in magenta and PL in green in turns: outlines should run on from square to square."""
    odd = paired.squares()[..., None]
    raman, pl = (brightness(peaks)[..., None] for peaks in (paired.raman, paired.pl))
    return np.asarray(np.where(odd, pl * PL_COLOR, raman * RAMAN_COLOR))


def draw_overlay(axes: Axes, paired: PairedMaps) -> None:
    """Both flakes in two colours, with the misalignment that remains."""
    _draw(axes, paired, two_colours(paired), f"RS and PL\n{paired.misalignment_text}")
    handles = [Patch(color=color, label=label) for color, label in ((RAMAN_COLOR, "RS"), (PL_COLOR, "PL"), ("white", "both"))]
    axes.legend(handles=handles, loc="upper right", fontsize="small", facecolor="#404040", labelcolor="white")


def draw_candidate(axes: Axes, source: Pairable, candidate: Candidate, number: int) -> None:
    """RS in magenta and PL in green as one placing has them, with what speaks for it; small, to be compared with others."""
    frame, border = source.raman.frame, candidate.transform.apply(border_um(source.pl.frame))
    colours = np.clip(brightness(source.raman)[..., None] * RAMAN_COLOR + _placed_light(source, candidate)[..., None] * PL_COLOR, 0.0, 1.0)
    axes.imshow(colours, extent=extent_um(frame), interpolation="nearest", aspect=aspect(frame))
    axes.plot(border[:, 1], border[:, 0], color="#8a8a8a", linewidth=0.8, linestyle="--", scalex=False, scaley=False)
    turn, mirrored = f"{candidate.transform.rotation_deg:.0f}°", "mirrored, " if candidate.transform.mirrored else ""
    axes.set_title(f"{number}: {mirrored}{turn}\n{candidate.score:.0%}", fontsize="x-small")
    axes.set_xticks([])
    axes.set_yticks([])


def _placed_light(source: Pairable, candidate: Candidate) -> NDArray[np.float64]:
    """(ny, nx) brightness of PL on the RS grid; 0 where PL was not measured."""
    from napari_wse2xai.numerics.resampling import bilinear

    pixels = pixel_coordinates(source.pl.frame, candidate.transform.inverse.apply(pixels_um(source.raman.frame)))
    light = brightness(source.pl)[None]
    return np.asarray(np.nan_to_num(bilinear(light, np.zeros_like(light), pixels)[0][0]), dtype=np.float64)


def draw_checkerboard(axes: Axes, paired: PairedMaps) -> None:
    """RS and PL in turns."""
    _draw(axes, paired, checkerboard(paired), "RS (magenta) and PL (green) in turns")


def _draw(axes: Axes, paired: PairedMaps, colours: NDArray[np.float64], title: str) -> None:
    axes.imshow(colours, extent=extent_um(paired.frame), interpolation="nearest", aspect=aspect(paired.frame))
    corner = pl_border_um(paired)
    axes.plot(corner[:, 1], corner[:, 0], color="#8a8a8a", linewidth=0.9, linestyle="--", scalex=False, scaley=False)
    axes.set_title(title)
    dress(axes, paired.frame)


def pl_border_um(paired: PairedMaps) -> NDArray[np.float64]:
    """Closed border (5, 2) of the PL scan, (y, x) where the axes of the RS scan are drawn."""
    pixels = pixel_coordinates(paired.frame, paired.transform.apply(border_um(paired.pl_frame)))
    starts, ends = (np.array([along(paired.frame, index)[end] for index in (0, 1)]) for end in (0, -1))
    return np.asarray(starts + pixels * (ends - starts) / np.maximum(np.array(paired.frame.shape) - 1, 1))

"""Lines drawn from their parameters inside the model, so that gradients reach positions, widths and heights."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_wse2xai.data.samples import Line
from napari_wse2xai.errors import SettingsError
from napari_wse2xai.numerics.lineshapes import SHAPES

AXES = ("local", "window")
PER_LINE = 3
"""Position, FWHM and height of a line, in this order."""
HALF_SPAN = 3.0
"""Half the local axis, in FWHM of the line."""
COARSEST = 0.75
"""Largest step of a window's axis, in FWHM of the line: a wider window is cut, or the line would fall between two channels."""
NARROWEST = 0.05
"""A FWHM below this share of the usual one is drawn as this wide."""
MOST_PIXELS = 4096
"""So many pixels suffice for usual positions, widths and heights."""


class Rendering(nn.Module):
    """(n, 3 x line) numbers, raw units -> (n, line, length) drawn lines, each row scaled on the training pixels.

    Notes
    -----
    Yoo et al. 2023 draw every fitted Lorentzian alone in one row.  A position moves by 0.1 cm-1 where a grid step is 0.5 cm-1: so a line is
    drawn from its formula, never rounded to the grid, and such a shift moves its flanks by 3 % of its height.

    A row is divided by its root mean square over the training pixels, and the mean row is *not* taken away.  Instance normalisation would
    blow up what little is left of an average pixel, and turn it over where a pixel passes the average: measured on the synthetic flake,
    R2 0.89 instead of 0.97.

    Without `lines` every column is a position: it moves a line of unit height, one standard deviation wide.
    """

    axis: Tensor
    centre: Tensor
    width: Tensor
    scale: Tensor

    def __init__(self, shapes: Sequence[str], rows: int, length: int) -> None:
        super().__init__()
        self.shapes = tuple(shapes)
        self.groups = {shape: [k for k, other in enumerate(self.shapes) if other == shape] for shape in dict.fromkeys(self.shapes)}
        self.register_buffer("axis", torch.zeros(rows, length))
        self.register_buffer("centre", torch.zeros(rows, 1))
        self.register_buffer("width", torch.ones(rows, 1))
        self.register_buffer("scale", torch.ones(rows, 1))

    @classmethod
    def of(cls, features: NDArray[np.float64], lines: Sequence[Line] | None, *, length: int, axis: str = "window") -> Self:
        """Choose axes and scales from the training pixels.

        Parameters
        ----------
        features : (n, 3 x line) float64, or (n, column) without lines
        lines : what the columns describe; None for a table of any numbers
        length : channels of a row
        axis : ``local``: three FWHM on either side of each line; ``window``: the window the line was fitted in, as the paper draws it
        """
        few = features[:: max(1, len(features) // MOST_PIXELS)]
        check(features.shape[1], lines, axis)
        rendering = cls([line.shape for line in lines or ()], len(lines or few[0]), length)
        rendering._place(few, lines if axis == "window" else None)
        rendering._normalise(torch.as_tensor(few, dtype=torch.float32))
        return rendering

    @property
    def channels(self) -> Tensor:
        """Axis of every row in the axis unit (raw units without lines), (line, length)."""
        return self.axis + self.centre

    def forward(self, features: Tensor) -> Tensor:
        """Draw and scale."""
        return self.draw(features) / self.scale

    def draw(self, features: Tensor) -> Tensor:
        """Draw the lines, (n, line, length), in the unit of the heights."""
        if not self.shapes:
            bump: Tensor = SHAPES["lorentzian"](self.axis, features[:, :, None] - self.centre, self.width, 1.0)
            return bump
        position, width, height = features.reshape(len(features), -1, PER_LINE)[..., None].unbind(2)
        position, width = position - self.centre, torch.maximum(width, NARROWEST * self.width)
        rows: list[Tensor] = [features] * len(self.shapes)
        for shape, own in self.groups.items():
            drawn = SHAPES[shape](self.axis[own], position[:, own], width[:, own], height[:, own])
            for row, curve in zip(own, drawn.unbind(1), strict=True):
                rows[row] = curve
        return torch.stack(rows, 1)

    def _place(self, features: NDArray[np.float64], windows: Sequence[Line] | None) -> None:
        """Set centre, usual width and axis of every row."""
        if self.shapes:
            centre, width = (np.median(features[:, start::PER_LINE], axis=0) for start in (0, 1))
        else:
            centre, width = features.mean(axis=0), features.std(axis=0)
        width = np.where(width > 0, width, 1.0)
        steps = self.axis.shape[1] - 1
        if windows:
            farthest = COARSEST * width * steps / 2
            ends = np.clip(np.array([line.window for line in windows]).T, centre - farthest, centre + farthest).T
        else:
            ends = centre[:, None] + HALF_SPAN * width[:, None] * [-1.0, 1.0]
        axis = np.linspace(ends[:, 0] - centre, ends[:, 1] - centre, steps + 1, axis=1)
        for buffer, values in ((self.axis, axis), (self.centre, centre[:, None]), (self.width, width[:, None])):
            buffer.copy_(torch.as_tensor(values))

    def _normalise(self, features: Tensor) -> None:
        root = self.draw(features).square().mean((0, 2)).sqrt()
        self.scale.copy_(torch.where(root > 0, root, 1.0)[:, None])


def check(columns: int, lines: Sequence[Line] | None, axis: str) -> None:
    """Refuse lines that do not fit the table."""
    if axis not in AXES:
        raise SettingsError(f"The axis '{axis}' is not known; use {' or '.join(AXES)}.")
    if lines is None:
        return
    if columns != PER_LINE * len(lines):
        raise SettingsError(f"{len(lines)} lines need {PER_LINE * len(lines)} columns (position, FWHM, height of each), not {columns}.")
    if wrong := [line.shape for line in lines if line.shape not in SHAPES]:
        raise SettingsError(f"The line shape '{wrong[0]}' is not known; use {', '.join(SHAPES)}.")

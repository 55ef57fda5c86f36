"""Lines drawn from their parameters inside the model, so that gradients reach positions, widths and heights."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_wse2xai.data.line import NUMBER, Line, columns_of
from napari_wse2xai.errors import SettingsError
from napari_wse2xai.numerics.lineshapes import OWN, SEEN_AT, SHAPES
from napari_wse2xai.numerics.standard import or_one

AXES = ("local", "window")
HALF_SPAN = 3.0
"""Half the local axis, in FWHM of the line."""
COARSEST = 0.75
"""Largest step of a window's axis, in FWHM of the line: a wider window is cut, or the line would fall between two channels."""
NARROWEST = 0.05
"""A FWHM below this share of the usual one is drawn as this wide."""
BY_POSITION, BY_WIDTH, BY_HEIGHT = 0.25, 0.2, 0.3
"""What a standard deviation does to a caricature: shift in widths, logarithm of the width, logarithm of the height."""
FARTHEST = 6.0
"""Standard deviations beyond which a caricature changes no more."""
MOST_PIXELS = 4096
"""So many pixels suffice for usual positions, widths and heights."""
ROWS = 512
"""Pixels whose derivatives are asked at once: what comes of more leaves a core's cache."""


class Rendering(nn.Module):
    """(n, column) numbers, raw units -> (n, line, length) drawn lines, each row scaled on the training pixels.

    Notes
    -----
    Yoo et al. 2023 draw every fitted Lorentzian alone in one row.  A position moves by 0.1 cm-1 where a grid step is 0.5 cm-1: so a line is
    drawn from its formula, never rounded to the grid, and such a shift moves its flanks by 3 % of its height.

    A row is divided by its root mean square over the training pixels, and the mean row is *not* taken away.  Instance normalisation would
    blow up what little is left of an average pixel, and turn it over where a pixel passes the average: measured on the synthetic flake,
    R2 0.89 instead of 0.97.

    Every line has its own form: of each pixel where the form was fitted, else the one that all pixels share.

    Drawn as they are, a height that varies by a quarter changes its row tenfold more than a position that varies by a tenth of the width,
    and a network would have to blow up what it can hardly see.  ``exaggerated`` draws caricatures: one standard deviation moves a line by a
    quarter of its width, widens it by a fifth, heightens it by a third; the mean pixel is drawn as it is.

    Without `lines` every column is a position: it moves a line of unit height, one standard deviation wide.  So does a column that is no
    line's.
    """

    axis: Tensor
    centre: Tensor
    width: Tensor
    scale: Tensor
    form: Tensor
    usual: Tensor
    spread: Tensor

    def __init__(self, lines: Sequence[Line], rows: int, length: int, *, exaggerated: bool = False) -> None:
        super().__init__()
        self.exaggerated = exaggerated and bool(lines)
        self.lines, self.first = tuple(lines), [group[0] for group in columns_of(lines)]
        kinds = [(line.shape, line.own_form) for line in lines]
        self.groups = {kind: [k for k, other in enumerate(kinds) if other == kind] for kind in dict.fromkeys(kinds)}
        forms = torch.tensor([_usual_form(line) for line in lines]).reshape(-1, 1)
        self.register_buffer("form", forms, persistent=False)  # known from the lines: files of before have none
        self.register_buffer("axis", torch.zeros(rows, length))
        self.register_buffer("centre", torch.zeros(rows, 1))
        self.register_buffer("width", torch.ones(rows, 1))
        self.register_buffer("scale", torch.ones(rows, 1))
        if self.exaggerated:
            columns = sum(len(line.parameters) for line in lines)
            self.register_buffer("usual", torch.zeros(columns))
            self.register_buffer("spread", torch.ones(columns))

    @classmethod
    def of(
        cls, features: NDArray[np.float64], lines: Sequence[Line] | None, *, length: int, axis: str = "window", exaggerated: bool = False
    ) -> Self:
        """Choose axes and scales from the training pixels.

        Parameters
        ----------
        features : (n, column) float64, see `Line.parameters`; any columns without lines
        lines : what the columns describe; None for a table of any numbers
        length : channels of a row
        axis : ``local``: three FWHM on either side of each line; ``window``: the window the line was fitted in, as the paper draws it
        exaggerated : draw caricatures
        """
        few = features[:: max(1, len(features) // MOST_PIXELS)]
        check(features.shape[1], lines, axis)
        rendering = cls(lines or (), len(lines or few[0]), length, exaggerated=exaggerated)
        if rendering.exaggerated:
            rendering._learn_usual(few)
        rendering._place(few, windows=axis == "window")
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
        if not self.lines:
            bump: Tensor = SHAPES["lorentzian"](self.axis, features[:, :, None] - self.centre, self.width, 1.0)
            return bump
        features = self._exaggerated(features) if self.exaggerated else features
        rows: list[Tensor] = [features] * len(self.lines)
        for (shape, own_form), own in self.groups.items():
            for row, curve in zip(own, self._drawn(features, shape, own_form, own).unbind(1), strict=True):
                rows[row] = curve
        return torch.stack(rows, 1)

    @property
    def columns(self) -> list[list[int]]:
        """Columns that each row is drawn from."""
        return [list(own) for own in columns_of(self.lines)] if self.lines else [[k] for k in range(len(self.axis))]

    def turned(self, features: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
        """Scaled lines (n, line, length), and their derivatives (n, line, parameter, length) by steps (column,) of their parameters.

        A row is drawn from its own columns alone, so that one direction tells of one parameter of every line.
        """
        columns = self.columns
        directions = torch.zeros(max(map(len, columns)), len(step), device=step.device)
        for own in columns:
            directions[range(len(own)), own] = step[own]
        parts = [self._turned(part, directions) for part in torch.split(features, ROWS)]
        drawn, derivatives = (torch.cat(each) for each in zip(*parts, strict=True))
        return drawn, derivatives

    def _turned(self, features: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
        asked = features.detach().clone().requires_grad_()
        drawn = self(asked)
        # Derivatives forth by those back, which any line has: these are linear in what they are told of.
        told = torch.zeros_like(drawn, requires_grad=True)
        (back,) = torch.autograd.grad(drawn, asked, told, create_graph=True)
        forth = [torch.autograd.grad((back * direction).sum(), told, retain_graph=True)[0] for direction in directions]
        return drawn.detach(), torch.stack(forth, 2)

    def _drawn(self, features: Tensor, shape: str, own_form: bool, own: list[int]) -> Tensor:
        """Lines of one kind, (n, line of the kind, length)."""
        first = torch.tensor([self.first[row] for row in own], device=features.device)
        place = features[:, first, None] - self.centre[own]
        if shape == NUMBER:
            bump: Tensor = SHAPES["lorentzian"](self.axis[own], place, self.width[own], 1.0)
            return bump
        # What is asked beside the measured pixels may have no width or a negative one, and a line divides by it.
        width = torch.maximum(features[:, first + 1, None], NARROWEST * self.width[own])
        form = self.form[own]
        if own_form and (limits := SHAPES[shape].form) is not None:
            form = features[:, first + 3, None].clamp(limits[0], limits[2])
        drawn: Tensor = SHAPES[shape](self.axis[own], place, width, features[:, first + 2, None], form)
        return drawn

    def _exaggerated(self, features: Tensor) -> Tensor:
        """Parameters (n, column), a standard deviation of each blown up to what can be seen; those of a number or a form as they are."""
        first = [first for line, first in zip(self.lines, self.first, strict=True) if line.shape != NUMBER]
        drawn = torch.tensor([[each + k for each in first] for k in range(3)], dtype=torch.long, device=features.device)
        z = ((features - self.usual) / self.spread).clamp(-FARTHEST, FARTHEST)
        moved, (position, width, height) = z[:, drawn], self.usual[drawn]
        positions = position + BY_POSITION * width * moved[:, 0]
        # Multiplied, not added to: neither may become negative, however far a pixel lies off.
        widths, heights = width * torch.exp(BY_WIDTH * moved[:, 1]), height * torch.exp(BY_HEIGHT * moved[:, 2])
        return features.index_copy(1, drawn.flatten(), torch.cat([positions, widths, heights], 1))

    def _learn_usual(self, features: NDArray[np.float64]) -> None:
        """Means and standard deviations of the columns; widths and heights that are none are drawn as large as they vary."""
        mean, spread = features.mean(axis=0), or_one(features.std(axis=0))
        for first in (first for line, first in zip(self.lines, self.first, strict=True) if line.shape != NUMBER):
            own = slice(first + 1, first + 3)
            mean[own] = np.maximum(mean[own], spread[own])
        self.usual.copy_(torch.as_tensor(mean))
        self.spread.copy_(torch.as_tensor(spread))

    def _place(self, features: NDArray[np.float64], *, windows: bool) -> None:
        """Set centre, usual width and axis of every row."""
        centre: NDArray[np.float64] = features.mean(axis=0)
        width: NDArray[np.float64] = features.std(axis=0)
        if self.lines:
            first, middle = np.array(self.first), np.median(features, axis=0)
            number = np.array([line.shape == NUMBER for line in self.lines])
            second = np.minimum(first + 1, features.shape[1] - 1)
            centre, width = np.where(number, centre[first], middle[first]), np.where(number, width[first], middle[second])
        width = or_one(width)
        steps = self.axis.shape[1] - 1
        ends = centre[:, None] + HALF_SPAN * width[:, None] * [-1.0, 1.0]
        if windows and self.lines:
            farthest = COARSEST * width * steps / 2
            cut = np.clip(np.array([line.window for line in self.lines]).T, centre - farthest, centre + farthest).T
            ends = np.where(number[:, None], ends, cut)
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
    needed = sum(len(line.parameters) for line in lines)
    if columns != needed:
        more = ", and the form where it varies" if any(line.own_form for line in lines) else ""
        raise SettingsError(f"{len(lines)} lines need {needed} columns (position, FWHM, height of each{more}), not {columns}.")
    if wrong := [line.shape for line in lines if not _is_known(line.shape)]:
        raise SettingsError(f"The line shape '{wrong[0]}' is not known; use {', '.join(SHAPES)}.")


def _is_known(shape: str) -> bool:
    return shape in SHAPES or shape == NUMBER or shape.startswith(OWN) or SEEN_AT in shape


def _usual_form(line: Line) -> float:
    """Form of a line where the pixels do not tell; 0 for a shape without one."""
    limits = None if line.shape == NUMBER else SHAPES[line.shape].form
    return 0.0 if limits is None else limits[1] if line.form is None else line.form

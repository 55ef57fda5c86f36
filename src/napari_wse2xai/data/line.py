"""What the columns of a table of RS parameters describe."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from napari_wse2xai.data.declared import along
from napari_wse2xai.data.peak_maps import PARAMETERS

NUMBER = "number"
"""Shape of what is no line: one column, a quantity that was worked out of the lines."""


@dataclass(frozen=True)
class Line:
    """One RS peak, as needed to draw its line again from its columns; or a computed map, which has one column and no line."""

    name: Annotated[str, along(stored="line", says="name of the line or of the computed map")]
    shape: Annotated[str, along(says="line shape")]
    """Name of `numerics.lineshapes.SHAPES`, or `NUMBER`."""
    window: Annotated[tuple[float, float], along("limit", unit="{0.axis_unit}", says="where it was fitted")]
    """Where it was fitted, in the axis unit."""
    form: Annotated[float | None, along(says="fourth parameter of the shape, where it is the same in all pixels")] = None
    """Fourth parameter of its shape where it is the same in all pixels; None for the shape's usual one."""
    own_form: Annotated[bool, along(says="1 where every pixel has a form of its own, in a fourth column")] = False
    """Whether every pixel has a form of its own, in a fourth column."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """What its columns hold, in their order."""
        if self.shape == NUMBER:
            return ("value",)
        return (*PARAMETERS, "form") if self.own_form else PARAMETERS


def columns_of(lines: Sequence[Line]) -> list[list[int]]:
    """Columns of every line, in the order of its `parameters`."""
    groups, start = [], 0
    for line in lines:
        groups.append(list(range(start, start + len(line.parameters))))
        start += len(line.parameters)
    return groups

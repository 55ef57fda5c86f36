"""What a further question says of itself, and what it is given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.explaining.subject import Subject
from napari_wse2xai.progress import Progress

Numbers = NDArray[np.float64]
Found = tuple[Numbers, Numbers, str]
"""(feature,) values and their standard errors, and what they come to in a sentence."""


@dataclass(frozen=True, eq=False)
class Asking:
    """A model with its pixels, and what is known of these."""

    subject: Subject
    names: Sequence[str]
    """Of the features."""
    values: Numbers
    """(n,) of the target; NaN where a pixel has none."""
    places: Numbers
    """(n, 2) in um."""
    flake: NDArray[np.int64]
    """(n,) flake of each pixel."""
    groups: Sequence[Sequence[int]]
    """Columns of each peak."""
    seed: int


@dataclass(frozen=True)
class Question:
    """A question about every parameter; its key in a recipe is the name of its module."""

    title: str
    """Heading of its column."""
    says: str
    """What a value tells, for docs, files and tool tips."""
    ask: Callable[[Asking, Progress], Found]
    unit: str = "1"

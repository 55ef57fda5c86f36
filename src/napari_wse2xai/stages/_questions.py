"""What the settings of `Explain` ask beside curves and slopes, answered for the parameters that matter most."""

from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from napari_wse2xai.data import NETWORK
from napari_wse2xai.data.quantities import with_unit
from napari_wse2xai.progress import Progress, part
from napari_wse2xai.stages._models import Asked

if TYPE_CHECKING:
    from napari_wse2xai.data.questions import Answer

    QuestionKey = str
else:
    FOLDER = Path(__file__).parents[1] / "explaining" / "further"
    QuestionKey = Literal[tuple(found.name for found in iter_modules([str(FOLDER)]) if not found.name.startswith("_"))]
"""Of the further questions, by the names of their files: none is loaded before it is asked."""


class Questions(Protocol):
    """Settings that ask."""

    @property
    def pairs(self) -> int:
        """How many parameters are asked about two by two."""
        ...

    @property
    def regions(self) -> int:
        """For how many parameters regions of like curves are sought."""
        ...

    @property
    def wavenumbers(self) -> bool:
        """Whether the shares of wavenumbers are asked for."""
        ...

    @property
    def further(self) -> tuple[str, ...]:
        """Keys of further questions."""
        ...

    @property
    def grid(self) -> int:
        """Points of a curve."""
        ...

    @property
    def seed(self) -> int:
        """Everything random follows from it."""
        ...


def answers(settings: Questions, asked: Asked, ranking: Sequence[int], progress: Progress) -> dict[str, Any]:
    """Fields of an `Explanation` that hold the answers; those that were not asked for are left out.

    The model that is explained gives them, but for wavenumbers, at which the network alone looks.
    """
    from napari_wse2xai.explaining import questions

    subject, samples = asked.subject, asked.model.samples
    varied = [k for k in ranking if np.ptp(subject.table[:, k]) > 0]
    pairs, alone = list(combinations(varied[: settings.pairs], 2)), varied[: settings.regions]
    count = len(pairs) + len(alone) + len(settings.further) + 1
    steps = iter([part(progress, k / count, (k + 1) / count) for k in range(count)])
    both = [questions.two_parameters(subject, pair, points=settings.grid, progress=next(steps)) for pair in pairs]
    found: dict[str, Any] = {"pairs": tuple(both)}
    if alone:
        names = [with_unit(*each) for each in zip(samples.feature_names, samples.feature_units, strict=True)]
        each = [questions.regions_of(subject, k, names=names, progress=next(steps)) for k in alone]
        found["region_of"] = np.zeros((subject.table.shape[1], len(samples)), dtype=np.int64)
        found["region_of"][alone] = np.stack([labels for labels, _ in each])
        found["regions"] = tuple(region for _, regions in each for region in regions)
    found["answers"] = tuple(_answer(key, asked, settings.seed, next(steps)) for key in settings.further)
    if settings.wavenumbers:
        found["wavenumbers"] = (questions.wavenumbers_of(asked.of_model(NETWORK), progress=next(steps)),)
    return found


def _answer(key: str, asked: Asked, seed: int, progress: Progress) -> "Answer":
    """Answer of a further question."""
    from napari_wse2xai.explaining.further import Asking, answer

    samples = asked.model.samples
    values, places = samples.targets[:, samples.target(asked.target)], samples.coordinates_um
    return answer(key, Asking(asked.subject, samples.feature_names, values, places, samples.flake, samples.groups, seed), progress)

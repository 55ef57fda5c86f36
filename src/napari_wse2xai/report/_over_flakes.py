"""One ranking over flakes that were explained one by one: its rows, its sentences, its figure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from napari_wse2xai.data.effects import FlakeEffects
from napari_wse2xai.data.quantities import feature_words
from napari_wse2xai.errors import DataError
from napari_wse2xai.numerics.over_flakes import OverFlakes
from napari_wse2xai.report._page import Images

CAPTION = (
    "Mean slope of every flake by itself, with its standard error, and the mean over flakes, each weighed by its error and their scatter."
)


@dataclass(frozen=True, eq=False)
class RankedOverFlakes:
    """Flakes of one condition, put together."""

    condition: str
    target: str
    flakes: tuple[str, ...]
    """Those that tell something."""
    models: tuple[str, ...]
    """Which model was explained on each."""
    silent: tuple[str, ...]
    """Those on which RS does not tell PL: their effects would be noise."""
    features: tuple[str, ...]
    found: OverFlakes

    @classmethod
    def of(cls, condition: str, target: str, effects: Mapping[str, FlakeEffects]) -> Self:
        """Put together what flakes say of one target, by their names; parameters that every one of them has.

        Raises
        ------
        DataError
            Fewer than two of them say anything, or they share no parameter.
        """
        told = {name: each for name, each in effects.items() if each.told}
        if len(told) < 2:
            raise DataError(f"{len(told)} of {len(effects)} flakes may be interpreted, and a ranking over flakes needs two.")
        first = next(iter(told.values()))
        shared = tuple(name for name in first.features if all(name in each.features for each in told.values()))
        if not shared:
            raise DataError("The flakes have no parameter in common.")
        tables = [
            [[getattr(each, what)[each.features.index(name)] for name in shared] for each in told.values()] for what in ("effect", "error")
        ]
        found = OverFlakes.of([feature_words(name) for name in shared], *tables)
        silent = tuple(name for name in effects if name not in told)
        return cls(condition, target, tuple(told), tuple(each.model for each in told.values()), silent, shared, found)

    @property
    def title(self) -> str:
        """What it is of."""
        return f"{self.condition}, PL {self.target}"

    @property
    def sentences(self) -> list[str]:
        """What holds on how many flakes, and which are left out."""
        said = self.found.sentences(silent=len(self.silent))
        if self.silent:
            said.append(f"Not in the means, since RS does not tell PL there: {', '.join(self.silent)}.")
        models = dict.fromkeys(self.models)
        return [*said, f"Explained was the {' or the '.join(models)}, as the evidence of each flake has it."] if len(models) > 1 else said

    def rows(self) -> Iterator[dict[str, Any]]:
        """A row for each parameter, in the order of the ranking, for a table."""
        named = {"condition": self.condition, "target": self.target}
        for rank, k in enumerate(self.found.ranking, start=1):
            means = {name: float(getattr(self.found, name)[k]) for name in ("mean", "mean_error", "scatter")}
            low, high = float(self.found.effect[:, k].min()), float(self.found.effect[:, k].max())
            counted = {"holds": int(self.found.holds[k]), "flakes": len(self.flakes), "silent": len(self.silent)}
            yield named | {"rank": rank, "parameter": self.features[k]} | means | {"lowest": low, "highest": high} | counted


def over_flakes_figures(ranked: Sequence[RankedOverFlakes]) -> Images:
    """One panel for each condition, one figure for each target."""
    from napari_wse2xai.plots.over_flakes import draw_over_flakes
    from napari_wse2xai.plots.plain_text import PlainFigure
    from napari_wse2xai.report._figures import saved

    images: Images = {}
    for target in dict.fromkeys(each.target for each in ranked):
        mine = [each for each in ranked if each.target == target]
        figure = PlainFigure(figsize=(4.6 * len(mine), 4.2), layout="constrained")
        for axes, each in zip(np.ravel(figure.subplots(1, len(mine), squeeze=False)), mine, strict=True):
            draw_over_flakes(axes, each.found)
            axes.set_title(f"{each.condition} ({len(each.flakes)} flakes)", fontsize="medium")
        images |= saved(figure, f"ranking_{target}")
    return images


def over_flakes_captions(ranked: Sequence[RankedOverFlakes]) -> list[tuple[str, str]]:
    """Names and captions of those figures."""
    return [(f"ranking_{target}", f"PL {target}. {CAPTION}") for target in dict.fromkeys(each.target for each in ranked)]

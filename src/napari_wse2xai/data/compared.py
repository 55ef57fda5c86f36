"""Models beside the one that is explained: what they make of each parameter, and whether they tell the same story."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data.declared import along
from napari_wse2xai.data.quantities import MODEL_WORDS

Numbers = NDArray[np.float64]
OF_TARGET, SLOPE = "{0.target_unit}", "{0.target_unit} per feature_unit"
of_feature = partial(along, "feature", unit=OF_TARGET)


class MapLevel(StrEnum):
    """How far a slope map carries, whatever the verdict on the ranking."""

    AGREED = "map agreed"
    DISPUTED = "map disputed"
    ALONE = "map not compared"

    @property
    def meaning(self) -> str:
        """The same in a sentence."""
        return MAP_MEANINGS[self]


MAP_MEANINGS = {
    MapLevel.AGREED: "Models of other kinds that predict as well show the parameters acting at the same places.",
    MapLevel.DISPUTED: "Models that predict as well put the effect at other places: read which parameter acts, not where.",
    MapLevel.ALONE: "No other model predicts as well: nothing confirms the map.",
}


@dataclass(frozen=True, eq=False)
class OtherModel:
    """A model that predicts as well as the one that is explained, asked the same."""

    model: Annotated[str, along(stored="other_model", says="name of a model that predicts as well as the one that is explained")]
    r2: Annotated[float, along(unit="1", says="its R2 on held-out pixels, in spatial blocks where these were tested")]
    concordance: Annotated[float, along(unit="1", says="of its slopes with those that are explained: 1 the same, 0 unrelated")]
    importance: Annotated[Numbers, of_feature(says="standard deviation of its partial dependence over the data")]
    slope_rms: Annotated[Numbers, of_feature(says="root mean square of its slope times step")]
    pdp: Annotated[Numbers, along("feature", "grid", unit=OF_TARGET, says="its partial dependence, on the grid of the explanation")]
    slope: Annotated[Numbers, along("feature", "pixel", stored="ice_slope", unit=SLOPE, says="its slope of the ICE curve")]

    @property
    def words(self) -> str:
        """What it is called in a sentence."""
        return MODEL_WORDS.get(self.model, self.model)

    @property
    def ranking(self) -> tuple[int, ...]:
        """Features, the most important to this model first."""
        return tuple(int(k) for k in np.argsort(-np.maximum(self.importance, self.slope_rms), kind="stable"))


def comparison(models: Sequence[str], first: str, share: float, *, which: bool, where: bool) -> str:
    """Say in a sentence how far models that predict as well tell the same story.

    Parameters
    ----------
    models : what they are called
    first : the parameter that matters most to the one that is explained
    share : of the pixels at which they differ by more than their errors
    which, where : whether they agree on the parameter, and on the places
    """
    names = f"{', '.join(models[:-1])} and {models[-1]}"
    said = {
        (True, True): f"agree on which parameter matters most, {first}, and on where",
        (True, False): f"agree on which parameter matters most, {first}, not on where",
        (False, True): "agree on where parameters act, not on which matters most",
        (False, False): "agree neither on which parameter matters most nor on where",
    }[which, where]
    apart = f"their slopes differ by more than their errors in {share:.0%} of the pixels"
    return f"{names[0].upper()}{names[1:]} predict about as well and {said}: {apart}."


def together(pairs: Sequence[tuple[str, str, float]]) -> list[str]:
    """Say which parameters go together, without the full stop: each pair, or all that pairs link: nobody would read so many."""
    groups: list[set[str]] = []
    for one, other, _ in pairs:
        linked = [group for group in groups if group & {one, other}]
        groups = [*(group for group in groups if group not in linked), {one, other}.union(*linked)]
    return [_go_together(group, pairs) for group in groups]


def _go_together(group: set[str], pairs: Sequence[tuple[str, str, float]]) -> str:
    own = [pair for pair in pairs if pair[0] in group]
    *names, last = dict.fromkeys(name for pair in own for name in pair[:2])
    shown, which = f"rank correlation {own[0][2]:.2f}", "the two"
    if len(group) > 2:
        shown, which = f"rank correlations up to {max((rho for *_, rho in own), key=abs):.2f}", "them"
    return f"{', '.join(names)} and {last} go together ({shown}): which of {which} acts cannot be told"

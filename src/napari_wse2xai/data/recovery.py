"""The result of simulating a flake: how well training and explaining found a law that was planted on its own parameter maps."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from napari_wse2xai.data.declared import Tabled, along, attribute
from napari_wse2xai.data.history import History, Recorded

ROLES = ("saturating", "linear", "quadratic", "partner")
MAIN, BENT = ("saturating", "linear", "quadratic"), ("saturating", "quadratic", "partner")
"""Roles with a partial dependence of their own, and roles whose slope varies from pixel to pixel."""
GOOD_PDP, GOOD_SLOPES, GOOD_BANDS = 0.95, 0.9, 0.85
"""The last is below 95 % by what one flake is off by chance: all its curves move together."""


@dataclass(frozen=True)
class Recovery(Recorded, Tabled):
    """How well a planted law was found again, for this flake's parameters, geometry and noise."""

    law: Annotated[dict[str, str], along("role", keys=ROLES, stored="planted", says="parameter that has the role")]
    """Which parameter has which role: ``saturating``, ``linear``, ``quadratic``, ``partner`` (acts only through the saturating one)."""
    parameters: Annotated[int, attribute()]
    """Number of parameters to choose among."""
    noise: Annotated[float, attribute()]
    """Share of the variance that was noise."""
    hidden: Annotated[float, attribute()]
    """Share of the variance that was a smooth map which RS does not show."""
    ranks: Annotated[dict[str, int], along("role", keys=ROLES, stored="rank", says="rank that the parameter was given, from 1")]
    model_r2: Annotated[float, attribute()]
    """Of the network's predictions against the law without noise."""
    pdp_r2: Annotated[
        dict[str, float], along("role", keys=ROLES, only=MAIN, unit="1", says="R2 of the partial dependence against the true one")
    ]
    """Of the parameters that have one."""
    slope_correlation: Annotated[
        dict[str, float], along("role", keys=ROLES, only=BENT, unit="1", says="correlation of the slope map with the true one")
    ]
    """Of the parameters whose slope varies."""
    band_coverage: Annotated[float, attribute()]
    """Share of the true partial dependences, of all parameters, within the 95 % bands."""
    slope_coverage: Annotated[float, attribute()]
    """Share of the true slopes, of all parameters, within 1.96 sigma."""
    false_slopes: Annotated[float, attribute()]
    """Share of the pixels whose slope is called sure (beyond 2 sigma, within the cloud) for parameters that do nothing."""
    seed: Annotated[int, attribute()] = 0
    target: Annotated[str, attribute()] = ""
    """Measured target whose mean, spread and gaps the planted one took over."""
    history: Annotated[History, attribute()] = ()

    @property
    def passed(self) -> bool:
        """Whether an explanation of this flake may be believed in what it says of such laws."""
        return (
            self.ranks["saturating"] == 1
            and float(np.median(list(self.pdp_r2.values()))) > GOOD_PDP
            and float(np.median(list(self.slope_correlation.values()))) > GOOD_SLOPES
            and min(self.band_coverage, self.slope_coverage) >= GOOD_BANDS
        )

    @property
    def summary(self) -> str:
        """The verdict with the numbers that it rests on, on one line, in letters that every terminal knows."""
        curves, maps = (float(np.median(list(values.values()))) for values in (self.pdp_r2, self.slope_correlation))
        return (
            f"the planted law was {'found again' if self.passed else 'not found again as it should be'}: {self.law['saturating']} came "
            f"{_ordinal(self.ranks['saturating'])} of {self.parameters}, curves R2 {curves:.2f}, slope maps {maps:.2f}, "
            f"bands held {self.band_coverage:.0%}, slopes {self.slope_coverage:.0%}"
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the user reads, the verdict first."""
        known = ", ".join(f"{self.law[role]} {_ordinal(rank)}" for role, rank in self.ranks.items())
        curves = ", ".join(f"{self.law[role]} {value:.2f}" for role, value in self.pdp_r2.items())
        maps = ", ".join(f"{self.law[role]} {value:.2f}" for role, value in self.slope_correlation.items())
        within = sum(rank <= len(self.ranks) for rank in self.ranks.values())
        return (
            "A law planted on these very parameter maps was found again: curves and slope maps like these can be believed."
            if self.passed
            else "A law planted on these very parameter maps was not found again as it should be: read the explanation with care.",
            f"Ranks of the four planted parameters among {self.parameters}: {known}; {within} of 4 came first.",
            f"Agreement with the truth: curves (R²) {curves}; slope maps (correlation) {maps}; predictions (R²) {self.model_r2:.2f}.",
            f"The 95 % bands held {self.band_coverage:.0%} of the true curves and {self.slope_coverage:.0%} of the true slopes; "
            f"parameters that do nothing were given a sure slope in {self.false_slopes:.1%} of the pixels.",
            f"Of the variance, {self.noise:.0%} was noise and {self.hidden:.0%} a smooth map that RS does not show; seed {self.seed}.",
        )


def _ordinal(rank: int) -> str:
    return f"{rank}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(rank if rank < 20 else rank % 10, 'th') }"

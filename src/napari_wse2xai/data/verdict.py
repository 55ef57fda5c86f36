"""Whether what models make of RS may be believed, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

LARGE = 0.1
"""A p value from here on has two decimals, a smaller one two digits."""


def p_in_words(p: float, surrogates: int) -> str:
    """A p value as it is written everywhere: ``p = 0.13``, or ``p ≤ 0.001`` where that is the least that so many surrogates can show.

    Parameters
    ----------
    surrogates : how many maps it was counted among
    """
    if not p >= 0:
        return "p unknown"
    least = 1.0 / (1 + surrogates) if surrogates else 0.0
    return f"p {'≤' if p <= least * 1.001 else '='} {f'{p:.2f}' if p >= LARGE else f'{p:.2g}'}"


class Level(StrEnum):
    """How far an explanation carries, whichever of the models that predict as well it is of."""

    INTERPRETABLE = "interpretable"
    LOCAL_ONLY = "local only"
    DO_NOT_INTERPRET = "do not interpret"

    @property
    def meaning(self) -> str:
        """One sentence for the user."""
        return {
            Level.INTERPRETABLE: "RS predicts PL of pixels whose surroundings the model never saw, far better than chance: "
            "an explanation says something about the flake.",
            Level.LOCAL_ONLY: "RS predicts PL better than chance between known neighbours, but not across the flake: "
            "something that RS does not show has a part in it, so an explanation holds for this place only.",
            Level.DO_NOT_INTERPRET: "RS predicts PL no better than a map that owes nothing to RS, or as a drift would: "
            "an explanation would explain noise.",
        }[self]


@dataclass(frozen=True)
class Verdict:
    """The judgement on one target."""

    target: str
    level: Level
    reasons: tuple[str, ...]
    """Sentences, the weightiest first."""
    numbers: Mapping[str, float] = field(default_factory=dict)
    """The numbers behind the reasons, by name: ``p_random``, ``r2_blocks``, ..."""

    @property
    def text(self) -> str:
        """Level and reasons as one paragraph."""
        return f"{self.level}: {' '.join(self.reasons)}"

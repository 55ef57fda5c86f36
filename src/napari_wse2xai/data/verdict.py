"""Whether a network may be believed, and why."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Level(StrEnum):
    """How far an explanation of the network carries."""

    INTERPRETABLE = "interpretable"
    LOCAL_ONLY = "local only"
    DO_NOT_INTERPRET = "do not interpret"

    @property
    def meaning(self) -> str:
        """One sentence for the user."""
        return {
            Level.INTERPRETABLE: "The network predicts pixels whose surroundings it never saw, far better than chance: "
            "its explanation says something about the flake.",
            Level.LOCAL_ONLY: "The network predicts better than chance between known neighbours, but not across the flake: "
            "something that RS does not show has a part in it, so an explanation holds for this place only.",
            Level.DO_NOT_INTERPRET: "The network predicts no better than it would predict a map that owes nothing to RS: "
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

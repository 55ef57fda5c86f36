"""One of several ways in which a PL scan may lie on an RS scan."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from napari_wse2xai.data.transform import Transform


@dataclass(frozen=True, eq=False)
class Candidate:
    """A placing that a search found, and what speaks for it."""

    transform: Transform
    """From the PL map's stage coordinates to those of the RS map."""
    shift_um: tuple[float, float]
    """(y, x) from the middle of the RS scan to that of the PL scan."""
    score: float
    """Share of the outlines seen by both scans on which the two flakes agree."""
    evidence: float
    """Share of both outlines that lies where the other scan was, and so could contradict."""
    as_good: bool = True
    """Whether it fits as well as the best one, within the error."""

    @property
    def words(self) -> str:
        """Turn, mirroring, shift and score in words."""
        y, x = self.shift_um
        mirrored = "mirrored, " if self.transform.mirrored else ""
        return f"{mirrored}turned {self.transform.rotation_deg:.0f}°, middle off by (y, x) ({y:.1f}, {x:.1f}) µm, {self.score:.0%} agree"

    def as_record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "turn_deg": round(self.transform.rotation_deg, 3),
            "mirrored": self.transform.mirrored,
            "shift_um": [round(part, 4) for part in self.shift_um],
            "score": round(self.score, 4),
            "evidence": round(self.evidence, 4),
            "as_good": self.as_good,
            "matrix": self.transform.matrix.tolist(),
            "offset_um": self.transform.offset.tolist(),
        }

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Self:
        """Rebuild one; a ValueError, TypeError or KeyError tells that the record is none of a candidate."""
        y, x = record["shift_um"]
        transform = Transform(np.array(record["matrix"], dtype=np.float64), np.array(record["offset_um"], dtype=np.float64))
        return cls(transform, (float(y), float(x)), float(record["score"]), float(record["evidence"]), bool(record["as_good"]))


def to_json(candidates: Sequence[Candidate]) -> str:
    """Serialise candidates for a file's attribute."""
    return json.dumps([candidate.as_record() for candidate in candidates])


def from_json(text: str) -> tuple[Candidate, ...]:
    """Rebuild candidates written by `to_json`; none from an empty text."""
    return tuple(Candidate.from_record(record) for record in json.loads(text)) if text else ()

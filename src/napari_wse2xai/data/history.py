"""How an artefact came to be: the settings that made it, in order, so that it can be made again."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Record:
    """One step: reading a file, or one stage."""

    step: str
    """Name of the stage, or ``read``."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the stage; for ``read`` the file, the item and the file's SHA-256."""
    version: str = ""
    """Version of this package that did the step."""
    seconds: float = 0.0
    """Wall time of the step."""


History = tuple[Record, ...]


def to_json(history: History) -> str:
    """Serialise a history for a file's ``history`` attribute."""
    return json.dumps([asdict(record) for record in history], ensure_ascii=False)


def from_json(text: str) -> History:
    """Rebuild a history written by `to_json`."""
    return tuple(Record(**entry) for entry in json.loads(text))

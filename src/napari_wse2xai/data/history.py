"""How an artefact came to be: the settings that made it, in order, so that it can be made again."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from napari_wse2xai.errors import DataError

_DEEPEST = 30
"""Levels of settings within settings, amply."""


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
    """Rebuild a history written by `to_json`; anything else, as a stranger's file may hold it, raises a `DataError`."""
    try:
        return tuple(_record(**entry) for entry in json.loads(text))
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"The history in the file is damaged ({str(error).splitlines()[0][:120]}); copy the file again.") from error


def _record(step: str, settings: Mapping[str, Any], version: str = "", seconds: float = 0.0) -> Record:
    kinds = {"step": (step, str), "settings": (settings, dict), "version": (version, str), "seconds": (seconds, int | float)}
    for name, (value, kind) in kinds.items():
        if not isinstance(value, kind):
            raise TypeError(f"'{name}' of a step is of the kind {type(value).__name__}")
    if _is_deeper(settings, _DEEPEST):
        raise ValueError(f"the settings of '{step}' nest more than {_DEEPEST} levels deep")
    return Record(step, settings, version, float(seconds))


def _is_deeper(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in inner)

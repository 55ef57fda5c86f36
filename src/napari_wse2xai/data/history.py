"""How an artefact came to be: the settings that made it, in order, so that it can be made again; and which came from which."""

import datetime
import hashlib
import json
import platform
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from napari_wse2xai.errors import DataError

_DEEPEST = 30
"""Levels of settings within settings, amply."""
_KINDS: dict[str, type | tuple[type, ...]] = {
    "step": str,
    "settings": dict,
    "version": str,
    "seconds": (int, float),
    "when": str,
    "of": list,
    "made_with": dict,
}


SAMPLE = "sample"
"""Setting of ``read`` that tells a large file from others at once, by pieces from all over it."""


SAID = ("unit", "overlap", "swap_xy", "laser_nm")
"""Settings of ``read`` that the user said of the file, which recipes and sessions say again."""


class LateSettings(Mapping[str, Any]):
    """Settings of which one takes long to know, such as the checksum of a large file: that is made when it is first asked for."""

    def __init__(self, known: Mapping[str, Any], late: str, make: Callable[[], Any]) -> None:
        self._known, self._late, self._make = dict(known), late, make

    def __getitem__(self, key: str) -> Any:
        """Value of a setting, made now where it is the late one."""
        if key == self._late and key not in self._known:
            self._known[key] = self._make()
        return self._known[key]

    def __contains__(self, key: object) -> bool:
        """Tell whether there is such a setting, without making it."""
        return key == self._late or key in self._known

    def __iter__(self) -> Iterator[str]:
        """Names of all."""
        return iter({**dict.fromkeys(self._known), self._late: None})

    def __len__(self) -> int:
        """Give their number."""
        return len({*self._known, self._late})

    def __eq__(self, other: object) -> bool:
        """Compare what is known before what would have to be made."""
        if not isinstance(other, Mapping) or self.keys() != other.keys():
            return False
        return self is other or all(self[name] == other[name] for name in sorted(self, key=lambda name: name == self._late))

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process as what they are in the end."""
        return dict, (dict(self),)


@dataclass(frozen=True)
class Record:
    """One step: reading a file, or one stage."""

    step: str
    """Name of the stage, or ``read``."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the stage; for ``read`` the file, the item and the file's SHA-256, which of a large file is a `LateSettings`."""
    version: str = ""
    """Version of this package that did the step."""
    seconds: float = 0.0
    """Wall time of the step."""
    when: str = ""
    """Moment at which the step was done (ISO 8601, UTC): two runs with the same settings are two.  Empty for what gives the same however
    often it is done (reading a file), and in files of before."""
    of: tuple[str, ...] = ()
    """Marks (`mark_of`) of what the step took, where the history before it is not theirs."""
    made_with: Mapping[str, str] = field(default_factory=dict)
    """Versions of Python and of the libraries that count, system, and device; empty in files of before."""

    @cached_property
    def key(self) -> str:
        """What tells a step from all others; its settings may be added to afterwards (computed maps), its moment not."""
        if self.when:
            return f"{self.step} {self.when}"
        aside: tuple[str, ...] = ()
        if self.step == "read":  # the same file, wherever it lies and however long that took
            aside = ("folder", "sha256") if SAMPLE in self.settings else ("folder",)
        settings = {name: self.settings[name] for name in self.settings if name not in aside}
        seconds = 0.0 if self.step == "read" else self.seconds
        return json.dumps([self.step, settings, self.version, seconds], ensure_ascii=False, sort_keys=True, default=str)


History = tuple[Record, ...]


class Recorded:
    """What carries the steps that made it."""

    history: History

    def with_record(self, record: Record) -> Self:
        """Return the same with one more step in its history."""
        return replace(self, history=(*self.history, record))  # type: ignore[type-var]  # of a dataclass


ABOUT_THE_FLAKE = ("FindFlake", "flake edited by hand")
"""Steps that leave all spectra as they are."""


def now() -> str:
    """Moment for `Record.when`."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")


def environment(device: str = "cpu") -> dict[str, str]:
    """What a step is done with: versions of Python, numpy and, where it was loaded, torch; the system, and the device."""
    torch = sys.modules.get("torch")
    libraries = {"numpy": np.__version__} | ({"torch": str(torch.__version__)} if torch is not None else {})
    return {"python": platform.python_version(), **libraries, "system": f"{platform.system()} {platform.machine()}", "device": device}


def mark_of(history: History) -> str:
    """Mark by which what has a history is known: equal for the same file read twice, another for every run of a stage."""
    # 64 bits: no two of the few thousand histories of a session share them.
    return hashlib.sha256("\n".join(record.key for record in history).encode()).hexdigest()[:16]


def given(history: History, *parents: History) -> History:
    """The history, its last step told what it took where it does not say: files of before do not."""
    if not history or history[-1].of:
        return history
    return (*history[:-1], replace(history[-1], of=tuple(map(mark_of, parents))))


def descends(history: History, other: History) -> bool:
    """Whether what has one history was made of spectra that have another, or is the same, whatever was done about the flake."""
    mine, others = spectra_steps(history), spectra_steps(other)
    return mine[: len(others)] == others


def roots(history: History) -> frozenset[str]:
    """What a history begins with: its first step, and what that was given."""
    return frozenset((history[0].key, *history[0].of)) if history else frozenset()


def spectra_steps(history: History) -> tuple[str, ...]:
    """Steps that changed spectra, each as a text of its own."""
    return tuple(record.key for record in history if record.step not in ABOUT_THE_FLAKE)


def to_json(history: History) -> str:
    """Serialise a history for a file's ``history`` attribute."""
    return json.dumps([_plain(record) for record in history], ensure_ascii=False)


def _plain(record: Record) -> dict[str, Any]:
    """All that a step says, late settings made."""
    told = {each.name: getattr(record, each.name) for each in fields(record)}
    return told | {"settings": dict(record.settings), "made_with": dict(record.made_with)}


def from_json(text: str) -> History:
    """Rebuild a history written by `to_json`; anything else, as a stranger's file may hold it, raises a `DataError`."""
    try:
        return tuple(_record(entry) for entry in json.loads(text))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        # RecursionError: brackets in brackets, ten thousand deep.
        raise DataError(f"The history in the file is damaged ({str(error).splitlines()[0][:120]}); copy the file again.") from error


def _record(entry: Mapping[str, Any]) -> Record:
    """One step of a file, which may be a stranger's: every value of its kind."""
    for name, value in entry.items():
        if not isinstance(value, _KINDS.get(name, ())):
            raise TypeError(f"'{name}' of a step is of the kind {type(value).__name__}")
    if _is_deeper(entry["settings"], _DEEPEST):
        raise ValueError(f"the settings of '{entry.get('step')}' nest more than {_DEEPEST} levels deep")
    seconds, of = float(entry.get("seconds", 0.0)), tuple(map(str, entry.get("of", ())))
    made_with = {str(name): str(value) for name, value in entry.get("made_with", {}).items()}
    return Record(**{**entry, "seconds": seconds, "of": of, "made_with": made_with})


def _is_deeper(value: object, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in inner)

"""Files of many flakes found by a pattern, those of one flake brought together by what the pattern's signs stand for."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path
from typing import Any

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.ordinary import shown

NAMED = ("name", "condition", "value")
"""What a pattern may say of a flake in braces: ``{condition}/{name}_{value}mW.txt``."""
_SIGN = re.compile(r"\{(\w*)\}|(\*\*/?)|(\*)|(\?)|\[(!?)(\]?[^]/]*)\]")


@dataclass(frozen=True)
class FoundFlake:
    """Files of one flake."""

    name: str
    files: Mapping[str, Path] = field(default_factory=dict)
    """By modality."""
    told: Mapping[str, str] = field(default_factory=dict)
    """What the pattern's braces stand for."""


def find(patterns: Mapping[Any, str], folder: Path, source: str) -> list[FoundFlake]:
    """Flakes whose files match, one pattern for each modality, in the order of their names.

    Parameters
    ----------
    patterns : by modality; ``*``, ``?``, ``[abc]``, ``[!_]``, ``**`` as in a shell, and ``{name}``, ``{condition}``, ``{value}``, which
        match as ``*`` does.  Files of one flake are those in which all of these stand for the same.
    folder : of the recipe, from which patterns count
    source : place in the recipe, for messages
    """
    flakes: dict[tuple[str, ...], FoundFlake] = {}
    for modality, pattern in patterns.items():
        matched = list(_Pattern(pattern, f"{source}.{modality}").matches(folder))
        if not matched:
            raise SettingsError(f"{source}.{modality}: no file matches '{shown(pattern)}' in the folder '{folder}'; correct the pattern.")
        for key, name, told, place in matched:
            flake = flakes.setdefault(key, FoundFlake(name, {}, told))
            if modality in flake.files:
                both = f"'{flake.files[modality].name}' and '{place.name}'"
                raise SettingsError(f"{source}.{modality}: {both} match as the same flake; make the pattern narrower.")
            flakes[key] = FoundFlake(flake.name, {**flake.files, modality: place}, flake.told)
    return _told_apart([flakes[key] for key in sorted(flakes, key=lambda key: _natural("/".join(key)))])


def _told_apart(flakes: list[FoundFlake]) -> list[FoundFlake]:
    """Flakes that are called the same, as one that was measured at several powers, called by their values too."""
    count = Counter((flake.told.get("condition"), flake.name) for flake in flakes)
    return [
        replace(flake, name=f"{flake.name}_{flake.told['value']}")
        if count[flake.told.get("condition"), flake.name] > 1 and "value" in flake.told
        else flake
        for flake in flakes
    ]


def pattern_like(file: Path, other: Path | None = None) -> str:
    """Pattern of the files that are to other flakes what a file is to its own.

    ``day1_a_rs.wdf`` beside ``day1_a_pl.wdf`` gives ``*_rs.wdf``, ``rs_a.wdf`` beside ``pl_a.wdf`` gives ``rs_*.wdf``, one alone ``*.wdf``.

    Parameters
    ----------
    other : file of the same flake and of the other modality
    """
    own, beside = file.stem, "" if other is None else other.stem
    shared = "".join(one for one, other in takewhile(lambda pair: pair[0] == pair[1], zip(own, beside, strict=False)))
    same = re.sub(r"[\W_]+[^\W_]*$", "", shared)
    if beside in ("", own):
        name = "*"
    elif same:
        name = f"*{own[len(same) :]}"
    else:
        first = re.match(r"[^\W_]+[\W_]", own)
        name = f"{first[0]}*" if first else "*"
    return str(file.with_name(name + file.suffix))


def _natural(text: str) -> list[tuple[int, str]]:
    """Order in which flake 10 comes after flake 9."""
    return [(int(digits), "") if digits else (-1, word) for digits, word in re.findall(r"(\d+)|(\D+)", text)]


class _Pattern:
    """One pattern as a regular expression that tells what each of its signs stands for."""

    def __init__(self, text: str, source: str) -> None:
        text = str(Path(text).expanduser()) if text.startswith("~") else text.removeprefix("./")
        self._glob, self._source = "", source
        self._named: list[str] = []
        """Name of each group; empty where it has none."""
        parts, end = [], 0
        for sign in _SIGN.finditer(text):
            parts += [re.escape(text[end : sign.start()]), self._group(sign)]
            self._glob += text[end : sign.start()] + self._glob_of(sign)
            end = sign.end()
        self._glob += text[end:]
        self._regex = re.compile("".join([*parts, re.escape(text[end:])]))
        if not self._named:
            raise SettingsError(f"{source}: '{shown(text)}' is one name, not a pattern; use signs such as * in it, or list the flakes.")

    def _group(self, sign: "re.Match[str]") -> str:
        word, deep, _, one, negated, signs = sign.groups()
        if word is not None and word not in NAMED:
            raise SettingsError(
                f"{self._source}: {{{word}}} is not known in a pattern; use {', '.join(f'{{{name}}}' for name in NAMED)} or *."
            )
        self._named.append(word or "")
        if deep:
            return "((?:[^/]+/)*)" if deep.endswith("/") else "(.*)"
        if one:
            return "([^/])"
        if signs is not None:
            inside = re.escape(signs).replace(r"\-", "-")
            return f"([{'^/' if negated else ''}{inside}])"
        return "([^/]+?)" if word is not None else "([^/]*)"

    @staticmethod
    def _glob_of(sign: "re.Match[str]") -> str:
        return "*" if sign[1] is not None else sign[0]

    def matches(self, folder: Path) -> Iterator[tuple[tuple[str, ...], str, dict[str, str], Path]]:
        """Of each file what tells its flake apart, the flake's name, what is told of it, and the place."""
        for place in self._files(folder):
            path = place.as_posix() if Path(self._glob).is_absolute() else place.relative_to(folder).as_posix()
            found = self._regex.fullmatch(path)
            if found is not None:
                told = {name: found[k] for k, name in enumerate(self._named, start=1) if name}
                unnamed = [found[k] for k, name in enumerate(self._named, start=1) if not name]
                yield (*(told[name] for name in NAMED if name in told), *unnamed), told.get("name") or self._name(found, path), told, place

    def _files(self, folder: Path) -> list[Path]:
        rooted = Path(self._glob)
        if rooted.is_absolute():
            return sorted(Path(rooted.anchor).glob(str(rooted.relative_to(rooted.anchor))))
        try:
            return sorted(folder.glob(self._glob))
        except (ValueError, NotImplementedError) as error:
            # '**' beside other letters, or a drive: which of the two depends on Python's version.
            raise SettingsError(f"{self._source}: '{shown(self._glob)}' is no pattern that can be used ({error}); correct it.") from error

    def _name(self, found: "re.Match[str]", path: str) -> str:
        """Of each folder and of the file what lies from the word that its first sign ends to its last: ``flake3`` for ``flake*_rs.nc``.

        What is named in braces has its own place.
        """
        names, start = [], 0
        for step in path.split("/"):
            end = start + len(step)
            spans = [found.span(k) for k, name in enumerate(self._named, start=1) if not name and found[k]]
            inside = [(max(low, start), min(high, end)) for low, high in spans if low < end and high > start]
            if inside:
                low = min(low for low, _ in inside)
                before = re.search(r"[^\W_]*$", path[start:low])
                names.append((before[0] if before else "") + path[low : max(high for _, high in inside)])
            start = end + 1
        return "_".join(names) or Path(path).stem

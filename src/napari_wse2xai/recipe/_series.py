"""Recipes of several flakes under one or several conditions: which are trained together, and which beside one another."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.recipe._messages import sentence
from napari_wse2xai.recipe._model import LATE, MODALITIES, Recipe
from napari_wse2xai.recipe._patterns import find
from napari_wse2xai.recipe._read import merge, parse_mapping
from napari_wse2xai.recipe._series_keys import SEVERAL, Flake, Over, SeriesKeys, number_in
from napari_wse2xai.recipe._yaml import mapping_of, text_of
from napari_wse2xai.stages import Explain, Pair, Simulate, Step, Train

EVERY = "all"
"""Condition of flakes that are given none."""
OF_SEVERAL = tuple(key for key, step in LATE.items() if step is not Pair)
"""Steps that several flakes are given to together."""


@dataclass(frozen=True, eq=False)
class Member:
    """One flake of a series."""

    name: str
    condition: str
    recipe: Recipe
    """Its own recipe, which ends with pairing at the latest."""
    value: float | None = None
    """Of what the series runs over."""
    problem: str = ""
    """Why it cannot be run, where that is known from the names of its files."""


@dataclass(frozen=True)
class Series:
    """Several flakes; those of one condition are learnt together, once with each architecture."""

    members: tuple[Member, ...]
    trainings: tuple[Train, ...]
    """One per architecture; none where the series ends before."""
    explain: Explain | None
    simulate: Simulate | None
    figures: bool = True
    has_conditions: bool = False
    """Whether any flake was given one: then its folder lies in that of its condition."""
    over: Over | None = None
    """What the values of the flakes are."""

    @property
    def conditions(self) -> tuple[str, ...]:
        """Each condition once, in the order of the flakes."""
        return tuple(dict.fromkeys(member.condition for member in self.members))

    def under(self, condition: str) -> tuple[Member, ...]:
        """Flakes of one condition."""
        return tuple(member for member in self.members if member.condition == condition)

    def late_steps(self, training: Train) -> tuple[Step, ...]:
        """Steps that follow on the pairs of one condition."""
        return tuple(step for step in (training, self.explain, self.simulate) if step is not None)


def is_series(path: str | Path) -> bool:
    """Whether a recipe names several flakes."""
    place = Path(path)
    return SEVERAL in mapping_of(text_of(place), place.name)


def load_series(path: str | Path, *, there: bool = True) -> Series:
    """Read a recipe of several flakes; files that it names are looked for beside it.

    Parameters
    ----------
    there : refuse a recipe of which a file is missing; else that flake alone fails when it is read
    """
    place = Path(path)
    return parse_series(text_of(place), place, there=there)


def parse_series(text: str, place: Path, *, there: bool = True) -> Series:
    """Read a recipe of several flakes from text that lies, or is to lie, at a place; see `load_series`."""
    given = mapping_of(text, place.name)
    try:
        keys = SeriesKeys.model_validate(dict(given))
    except ValidationError as error:
        raise SettingsError(sentence(error, SeriesKeys, place.name)) from error
    reading = _Reading(keys, given, place, there)
    members = tuple(reading.members())
    _refuse_same_names(members, place.name)
    has_conditions = any(member.condition != EVERY for member in members)
    return Series(members, *reading.learning(members), keys.figures, has_conditions, keys.over)


@dataclass(frozen=True)
class _Reading:
    """A series while it is read."""

    keys: SeriesKeys
    given: Mapping[str, Any]
    place: Path
    there: bool

    @property
    def learns(self) -> bool:
        """Whether flakes are learnt together: where the recipe asks for it, or does not say and every flake has both maps."""
        if self.keys.stop_after is not None:
            return self.keys.stop_after in OF_SEVERAL
        asked = [name for name in (*OF_SEVERAL, "architectures") if self.given.get(name, False) is not False]
        every_has_both = all((set(flake.files) | self._named(flake)) == set(MODALITIES) for flake in self.keys.flakes)
        return bool(asked) or (every_has_both and self.keys.train is not False)

    def _named(self, flake: Flake) -> set[str]:
        return {name for name in MODALITIES if getattr(flake, name) is not None}

    def members(self) -> Iterator[Member]:
        """Every flake, those of a pattern one by one."""
        for index, flake in enumerate(self.keys.flakes):
            source = f"{self.place.name}: {SEVERAL}[{index}]"
            if flake.files:
                yield from self._found(flake, source)
            else:
                self._require_both(flake, self._named(flake), source)
                yield self._member(flake, source, flake.name or f"flake {index + 1}")

    def _found(self, flake: Flake, source: str) -> Iterator[Member]:
        """Flakes of a pattern."""
        self._require_both(flake, set(flake.files), source)
        for found in find(flake.files, self.place.parent, f"{source}.files"):
            told: dict[str, Any] = {"condition": found.told["condition"]} if "condition" in found.told else {}
            if "value" in found.told:
                told["value"] = number_in(found.told["value"])
            files = {name: merge(getattr(flake, name) or {}, {"file": str(place)}) for name, place in found.files.items()}
            one = flake.model_copy(update={**told, "files": {}, "raman": None, "pl": None, **files})
            lacks = [name for name in flake.files if name not in found.files]
            there = next(iter(found.files.values())).name
            yield self._member(one, source, found.name, f"There is no {lacks[0]} file that belongs to '{there}'." if lacks else "")

    def _require_both(self, flake: Flake, has: set[str], source: str) -> None:
        """Refuse to pair and to learn from half a flake."""
        last = self.keys.stop_after or next((name for name in reversed(OF_SEVERAL) if self.given.get(name, False) is not False), None)
        pairs = self.keys.stop_after is None and (flake.pair is not None or self.keys.pair is not None)
        lacks = next((name for name in MODALITIES if name not in has), None)
        if lacks is not None and (last in LATE or pairs):
            asker = last if last in LATE else "pair"
            raise SettingsError(f"{source}.{lacks} is missing, but {asker} needs both maps; add it, or write stop_after: deconvolve.")

    def _member(self, flake: Flake, source: str, name: str, problem: str = "") -> Member:
        """One flake with the settings of all laid under its own."""
        keys = self.keys
        data: dict[str, Any] = {each: merge(getattr(keys, each), getattr(flake, each)) for each in self._named(flake)}
        if keys.stop_after is None or keys.stop_after in LATE:
            if (self.learns or keys.stop_after or keys.pair is not None or flake.pair is not None) and not problem:
                data["pair"] = merge(keys.pair or {}, flake.pair or {})
        else:
            data["stop_after"] = keys.stop_after
        if self.learns and keys.learn != "together" and not problem:
            data |= self._learning_apart()
        if "theory" in keys.model_fields_set and not problem:
            data["theory"] = keys.theory
        if preset := flake.preset or keys.preset:
            data["preset"] = preset
        recipe = parse_mapping(data, source=source, folder=self.place.parent, there=self.there)
        value = None if flake.value is None or math.isnan(flake.value) else flake.value
        return Member(name, flake.condition or EVERY, recipe, value, problem)

    def _learning_apart(self) -> dict[str, Any]:
        """What every flake learns by itself; a law is planted on several together only."""
        asked = {name: self.given[name] for name in ("train", "explain", "stop_after") if name in self.given}
        return {"train": {}, **asked}

    def learning(self, members: tuple[Member, ...]) -> tuple[tuple[Train, ...], Explain | None, Simulate | None]:
        """What is done with the flakes of one condition together."""
        whole = next((member for member in members if not member.problem), None)
        if not self.learns or self.keys.learn == "apart" or whole is None:
            return (), None, None
        first = self._whole(whole.recipe)
        train = first.training or Train()
        architectures = self.keys.architectures or (train.architecture,)
        trainings = tuple(train.model_copy(update={"architecture": name}) for name in dict.fromkeys(architectures))
        return trainings, first.explaining, first.simulating

    def _whole(self, recipe: Recipe) -> Recipe:
        """Recipe of the first flake with the training of the series: where training and explaining are read and checked."""
        data: dict[str, Any] = {name: {"file": str(section.file)} for name, section in recipe.sections().items()}
        data |= {name: self.given[name] for name in (*OF_SEVERAL, "stop_after") if name in self.given}
        data["preset"] = self.keys.preset or recipe.preset
        if "train" not in self.given:
            data["train"] = {}
        return parse_mapping(data, source=self.place.name, folder=self.place.parent, there=self.there)


def _refuse_same_names(members: tuple[Member, ...], source: str) -> None:
    seen: set[tuple[str, str]] = set()
    for member in members:
        if (member.condition, member.name) in seen:
            raise SettingsError(f"{source}: two flakes of condition '{member.condition}' are called '{member.name}'; name them apart.")
        seen.add((member.condition, member.name))

"""Recipes of several flakes under one or several conditions: which are trained together, and which beside one another."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.recipe._messages import sentence
from napari_wse2xai.recipe._model import MODALITIES, Recipe
from napari_wse2xai.recipe._read import merge, parse_mapping
from napari_wse2xai.recipe._yaml import mapping_of, text_of
from napari_wse2xai.stages import Explain, Settings, Simulate, Train

SEVERAL = "flakes"
"""Key by which a recipe of several flakes is known."""
Architecture = Literal["convolution", "residual"]


class Flake(Settings):
    """One flake of a series: its two maps, and what differs from the settings at the top."""

    name: str = Field("", description="Name of the flake; its folder is called so.")
    condition: str = Field("", description="Flakes of one condition are learnt by one network.")
    preset: str | None = Field(None, description="Where values come from, if not from the series' preset.")
    raman: dict[str, Any] = Field(description="As in a recipe of one flake; laid over the series' own section.")
    pl: dict[str, Any] = Field(description="As in a recipe of one flake; laid over the series' own section.")
    pair: dict[str, Any] | None = Field(None, description="As in a recipe of one flake; laid over the series' own section.")

    @field_validator("name", "condition", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        """Take a number for its digits; YAML reads on and off as true and false, and what was written is lost."""
        if isinstance(value, bool):
            raise ValueError("YAML reads the bare words on, off, yes and no as true and false; put it in quotes")
        return str(value) if isinstance(value, int | float) else value


class SeriesKeys(Settings):
    """What a recipe of several flakes may hold at the top."""

    preset: str | None = Field(None, description="Where values come from that the recipe does not give.")
    raman: dict[str, Any] = Field(default_factory=dict, description="Settings of all flakes; names no file.")
    pl: dict[str, Any] = Field(default_factory=dict, description="Settings of all flakes; names no file.")
    pair: dict[str, Any] | None = Field(None, description="How all flakes are paired.")
    flakes: tuple[Flake, ...] = Field(min_length=1, description="The flakes, each with its files.")
    architectures: tuple[Architecture, ...] = Field((), description="Networks to compare; that of `train` where none is named.")
    train: dict[str, Any] | None = Field(None, description="As in a recipe of one flake.")
    explain: dict[str, Any] | Literal[False] | None = Field(None, description="As in a recipe of one flake.")
    simulate: dict[str, Any] | Literal[False] | None = Field(None, description="As in a recipe of one flake, for every network.")
    theory: dict[str, Any] | Literal[False] | None = Field(None, description="As in a recipe of one flake, for every flake and network.")
    stop_after: Literal["train", "explain", "simulate"] | None = Field(None, description="Last stage that runs.")
    figures: bool = Field(True, description="Draw figures and finding cards, of the flakes and of the networks.")

    @field_validator("architectures", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _files_belong_to_flakes(self) -> "SeriesKeys":
        for name in MODALITIES:
            if "file" in getattr(self, name):
                raise ValueError(f"{name}.file stands beside {SEVERAL}; name the files under {SEVERAL}, one pair each")
        return self


@dataclass(frozen=True, eq=False)
class Member:
    """One flake of a series."""

    name: str
    condition: str
    recipe: Recipe
    """Its own recipe, which ends with pairing."""


@dataclass(frozen=True)
class Series:
    """Several flakes; those of one condition are learnt together, once with each architecture."""

    members: tuple[Member, ...]
    trainings: tuple[Train, ...]
    """One per architecture."""
    explain: Explain | None
    simulate: Simulate | None
    figures: bool = True

    @property
    def conditions(self) -> tuple[str, ...]:
        """Each condition once, in the order of the flakes."""
        return tuple(dict.fromkeys(member.condition for member in self.members))

    def under(self, condition: str) -> tuple[Member, ...]:
        """Flakes of one condition."""
        return tuple(member for member in self.members if member.condition == condition)


def is_series(path: str | Path) -> bool:
    """Whether a recipe names several flakes."""
    place = Path(path)
    return SEVERAL in mapping_of(text_of(place), place.name)


def load_series(path: str | Path) -> Series:
    """Read a recipe of several flakes; files that it names are looked for beside it."""
    place = Path(path)
    given = mapping_of(text_of(place), place.name)
    try:
        keys = SeriesKeys.model_validate(dict(given))
    except ValidationError as error:
        raise SettingsError(sentence(error, SeriesKeys, place.name)) from error
    members = tuple(_member(index, keys, place) for index in range(len(keys.flakes)))
    _refuse_same_names(members, place.name)
    first = _whole(keys, members[0].recipe, given, place)
    train = first.training or Train()
    architectures = keys.architectures or (train.architecture,)
    trainings = tuple(train.model_copy(update={"architecture": name}) for name in dict.fromkeys(architectures))
    return Series(members, trainings, first.explaining, first.simulating, keys.figures)


def _member(index: int, keys: SeriesKeys, place: Path) -> Member:
    """One flake with the settings of all laid under its own."""
    flake = keys.flakes[index]
    data: dict[str, Any] = {name: merge(getattr(keys, name), getattr(flake, name)) for name in MODALITIES}
    data["pair"] = merge(keys.pair or {}, flake.pair or {})
    if "theory" in keys.model_fields_set:
        data["theory"] = keys.theory
    if preset := flake.preset or keys.preset:
        data["preset"] = preset
    recipe = parse_mapping(data, source=f"{place.name}: {SEVERAL}[{index}]", folder=place.parent)
    return Member(flake.name or f"flake {index + 1}", flake.condition or "all", recipe)


def _whole(keys: SeriesKeys, recipe: Recipe, given: Mapping[str, Any], place: Path) -> Recipe:
    """Recipe of the first flake with the training of the series: where training and explaining are read and checked."""
    data: dict[str, Any] = {name: {"file": str(section.file)} for name, section in recipe.sections().items()}
    data |= {name: given[name] for name in ("train", "explain", "simulate", "stop_after") if name in given}
    data["preset"] = keys.preset or recipe.preset
    if "train" not in given:
        data["train"] = {}
    return parse_mapping(data, source=place.name, folder=place.parent)


def _refuse_same_names(members: tuple[Member, ...], source: str) -> None:
    seen: set[tuple[str, str]] = set()
    for member in members:
        if (member.condition, member.name) in seen:
            raise SettingsError(f"{source}: two flakes of condition '{member.condition}' are called '{member.name}'; name them apart.")
        seen.add((member.condition, member.name))

"""What a recipe of several flakes may hold."""

import math
import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from napari_wse2xai.recipe._model import MODALITIES, StepName
from napari_wse2xai.stages import Settings

SEVERAL = "flakes"
"""Key by which a recipe of several flakes is known."""
Architecture = Literal["convolution", "residual"]
Modality = Literal["raman", "pl"]
Learnt = Literal["together", "apart", "both"]


class Flake(Settings):
    """One flake of a series, or many found by a pattern: the maps, and what differs from the settings at the top."""

    name: str = Field("", description="Name of the flake; its folder is called so.")
    condition: str = Field("", description="Flakes of one condition are learnt by one network, and pooled in tables and figures.")
    value: float | None = Field(None, description="Power, temperature, time... at which it was taken; `over` says which.")
    preset: str | None = Field(None, description="Where values come from, if not from the series' preset.")
    files: dict[Modality, str] = Field(
        default_factory=dict, description="A pattern for each modality, such as day*/*_rs.wdf, in place of one flake's files."
    )
    raman: dict[str, Any] | None = Field(None, description="As in a recipe of one flake; laid over the series' own section.")
    pl: dict[str, Any] | None = Field(None, description="As in a recipe of one flake; laid over the series' own section.")
    pair: dict[str, Any] | None = Field(None, description="As in a recipe of one flake; laid over the series' own section.")

    @field_validator("name", "condition", mode="before")
    @classmethod
    def _as_text(cls, value: object) -> Any:
        """Take a number for its digits; YAML reads on and off as true and false, and what was written is lost."""
        if isinstance(value, bool):
            raise ValueError("YAML reads the bare words on, off, yes and no as true and false; put it in quotes")
        return str(value) if isinstance(value, int | float) else value

    @model_validator(mode="after")
    def _has_a_map(self) -> "Flake":
        if self.files and self.name:
            raise ValueError(
                f"'{self.name}' names what is many; leave the name out, it follows from the files, or name the files one by one"
            )
        if not self.files and self.raman is None and self.pl is None:
            raise ValueError("it names no map; give raman or pl with a file, or files with a pattern")
        return self


class Over(Settings):
    """What a series runs along."""

    name: str = Field(min_length=1, description="power, temperature, time...")
    unit: str = Field("", description="mW, K, s...")

    @property
    def label(self) -> str:
        """Name with unit."""
        return f"{self.name} ({self.unit})" if self.unit else self.name


class SeriesKeys(Settings):
    """What a recipe of several flakes may hold at the top."""

    preset: str | None = Field(None, description="Where values come from that the recipe does not give.")
    raman: dict[str, Any] = Field(default_factory=dict, description="Settings of all flakes; names no file.")
    pl: dict[str, Any] = Field(default_factory=dict, description="Settings of all flakes; names no file.")
    pair: dict[str, Any] | None = Field(None, description="How all flakes are paired.")
    flakes: tuple[Flake, ...] = Field(min_length=1, description="The flakes, each with its files, or patterns of their files.")
    over: Over | None = Field(None, description="What the flakes' values are, such as power (mW): every parameter is drawn against it.")
    architectures: tuple[Architecture, ...] = Field((), description="Networks to compare; that of `train` where none is named.")
    learn: Learnt = Field(
        "together", description="Flakes of one condition by one network, every flake apart and then ranked over flakes, or both."
    )
    train: dict[str, Any] | Literal[False] | None = Field(None, description="As in a recipe of one flake.")
    explain: dict[str, Any] | Literal[False] | None = Field(None, description="As in a recipe of one flake.")
    simulate: dict[str, Any] | Literal[False] | None = Field(None, description="As in a recipe of one flake, for every network.")
    theory: dict[str, Any] | Literal[False] | None = Field(None, description="As in a recipe of one flake, for every flake and network.")
    stop_after: StepName | None = Field(None, description="Last stage that runs.")
    figures: bool = Field(True, description="Draw figures and finding cards, of the flakes and of the networks.")

    @field_validator("architectures", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> Any:
        return (value,) if isinstance(value, str) else value

    @field_validator("flakes", mode="before")
    @classmethod
    def _list_or_pattern(cls, value: object) -> Any:
        """Take one pattern, or one for each modality, for a list of it."""
        return [_with_files(value)] if isinstance(value, Mapping) else value

    @field_validator("over", mode="before")
    @classmethod
    def _in_words(cls, value: object) -> Any:
        """Take ``power (mW)`` for a name with its unit."""
        if not isinstance(value, str):
            return value
        found = re.fullmatch(r"\s*([^()]*?)\s*(?:\(([^()]*)\)\s*)?", value)
        return {"name": found[1], "unit": (found[2] or "").strip()} if found else {"name": value}

    @model_validator(mode="after")
    def _files_belong_to_flakes(self) -> "SeriesKeys":
        for name in MODALITIES:
            if "file" in getattr(self, name):
                raise ValueError(f"{name}.file stands beside {SEVERAL}; name the files under {SEVERAL}, one pair each")
        return self


def _with_files(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Read ``{raman: "*_rs.wdf", pl: "*_pl.wdf"}`` as its ``files``."""
    patterns = {name: entry[name] for name in MODALITIES if isinstance(entry.get(name), str)}
    if not patterns:
        return dict(entry)
    return {**{key: value for key, value in entry.items() if key not in patterns}, "files": {**patterns, **entry.get("files", {})}}


def number_in(text: str) -> float:
    """Number that stands in a file's name, with a point, a comma or a ``p`` in it; NaN where there is none."""
    found = re.search(r"[-+]?\d+(?:[.,p]\d+)?(?:e[-+]?\d+)?", text)
    return float(re.sub("[,p]", ".", found[0])) if found else math.nan

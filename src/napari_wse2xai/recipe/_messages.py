"""Errors of a recipe as one sentence that names the place."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

Location = Sequence[int | str]


def sentence(error: ValidationError, model: type[BaseModel], source: str, *, peaks_at: str = "peaks") -> str:
    """Put the first thing that is wrong in words: file, place, what to do."""
    problems = error.errors(include_url=False)
    first = problems[0]
    place, models = _walk(first["loc"], model)
    place = place.replace("deconvolve.peaks", peaks_at)
    return f"{source}: {_what(first, place, models)}{_more(len(problems) - 1)}."


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Find the known word that looks most like a mistyped one."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def _what(problem: Any, place: str, models: list[type[BaseModel]]) -> str:
    if problem["type"] == "extra_forbidden":
        return f"'{place}' is not known; {_suggestion(str(problem['loc'][-1]), models)}"
    if problem["type"] == "missing":
        return f"'{place}' is missing; add it"
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "value_error":
        return f"{place}: {message}" if place else message
    message = message.removeprefix("Input ").strip()
    return f"'{place}' is {_shown(problem['input'])}, but {message}; correct it"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _more(count: int) -> str:
    return f" ({count} more {'problem' if count == 1 else 'problems'} of this kind or another)" if count > 0 else ""


def _suggestion(word: str, models: list[type[BaseModel]]) -> str:
    known = [name for model in models for name in model.model_fields]
    inner = _inner_names(models)
    close = nearest(word, known) or nearest(word, inner)
    if close is None:
        return f"known here are {', '.join(dict.fromkeys(known))}"
    return f"did you mean '{inner[close] if close not in known else close}'?"


def _inner_names(models: list[type[BaseModel]]) -> dict[str, str]:
    """Names one level further in, with the path to them: a user may look for 'threshold' one level too high."""
    return {
        name: f"{outer}.{name}"
        for model in models
        for outer, field in model.model_fields.items()
        for inner in _models_of(field.annotation)
        for name in inner.model_fields
    }


def _walk(location: Location, model: type[BaseModel]) -> tuple[str, list[type[BaseModel]]]:
    """Follow a location into the models: the place as the user wrote it, and the models whose fields are known there."""
    place, here = "", [model]
    for depth, part in enumerate(location):
        fields = [each.model_fields[part] for each in here if isinstance(part, str) and part in each.model_fields]
        last = depth == len(location) - 1
        if isinstance(part, int):
            place += f"[{part}]"
        elif fields or last:
            place += f".{part}" if place else part
        else:  # the tag of a union, which the user did not write
            here = [each for each in here if _tag(each) == part] or here
        if fields and not last:
            here = [inner for field in fields for inner in _models_of(field.annotation)]
    return place, here


def _tag(model: type[BaseModel]) -> Any:
    field = model.model_fields.get("kind")
    return field.default if field else None


def _models_of(annotation: Any) -> list[type[BaseModel]]:
    """Every model within an annotation such as ``tuple[Peak, ...] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_of(part)]

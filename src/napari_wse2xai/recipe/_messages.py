"""Errors of a recipe as one sentence that names the place."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from napari_wse2xai.ordinary import shown

Location = Sequence[int | str]
_PLAIN = {
    "tuple_type": "a list, such as [1, 2]",
    "list_type": "a list, such as [1, 2]",
    "dict_type": "settings, each as 'name: value'",
    "string_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "float_type": "a number",
    "float_parsing": "a number",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
}
"""What should stand there, by pydantic's word for what is wrong."""


def sentence(error: ValidationError, model: type[BaseModel], source: str, *, peaks_at: str = "peaks") -> str:
    """Put the first thing that is wrong in words: file, place, what to do.

    ``peaks_at`` is where in its section the recipe gives its peaks.
    """
    problems = error.errors(include_url=False)
    first = problems[0]
    place, models = _walk(first["loc"], model)
    place = shown(place)
    words = f"{source}: {_what(first, place, models)}{_more(len(problems) - 1)}".replace("deconvolve.peaks", peaks_at)
    return words if words.endswith("?") else f"{words}."


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Find the known word that looks most like a mistyped one."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def _what(problem: Any, place: str, models: list[type[BaseModel]]) -> str:
    kind, value, limits = problem["type"], problem["input"], problem.get("ctx", {})
    plain = {
        "extra_forbidden": lambda: f"'{place}' is not known; {_suggestion(str(problem['loc'][-1]), models)}",
        "invalid_key": lambda: f"{_shown(value)} is not known; keys are words such as 'raman'",
        "missing": lambda: f"'{place}' is missing; add it",
        "model_type": lambda: f"'{place}' is {_shown(value)}, but should hold settings, each as 'name: value'",
        "model_attributes_type": lambda: f"'{place}' is {_shown(value)}, but {_with_kind(value, str(problem['loc'][-1]), models)}",
        "path_type": lambda: f"'{place}' is {_shown(value)}, but should be the name of a file",
        "union_tag_invalid": lambda: (
            f"'{place}' is of kind '{shown(str(limits['tag']))}', which is not known; choose {_or(limits['expected_tags'])}"
        ),
        "union_tag_not_found": lambda: f"'{place}' lacks its 'kind'; add it",
    }
    if kind in plain:
        return plain[kind]()
    message = str(problem["msg"]).removeprefix("Value error, ")
    if kind == "value_error":
        return f"{place}: {message}" if place else message
    if kind in _PLAIN:
        return f"'{place}' is {_shown(value)}, but should be {_PLAIN[kind]}; correct it"
    return f"'{place}' is {_shown(value)}, but {message.removeprefix('Input ').split(', unable')[0]}; correct it"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _or(tags: str) -> str:
    return " or ".join(tags.split(", "))


def _with_kind(value: object, field: str, models: list[type[BaseModel]]) -> str:
    """What settings of one of several kinds look like; the kind may be all that was written."""
    kinds = [_tag(inner) for model in models if field in model.model_fields for inner in _models_of(model.model_fields[field].annotation)]
    close = nearest(value, kinds) if isinstance(value, str) else None
    if close is not None:
        return f"should hold settings; did you mean '{{kind: {close}}}'?"
    return f"should hold settings, such as '{{kind: {kinds[0]}}}'; kinds are {', '.join(kinds)}"


def _more(count: int) -> str:
    return f" ({count} more {'problem' if count == 1 else 'problems'} after this one)" if count > 0 else ""


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


def _models_of(annotation: object) -> list[type[BaseModel]]:
    """Every model within an annotation such as ``tuple[Peak, ...] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models_of(part)]

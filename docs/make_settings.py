"""Write the tables of settings into docs/stages.md and docs/theory_live.md from the classes: ``python docs/make_settings.py``.

A table goes between ``<!-- settings: FindFlake -->`` and ``<!-- end -->``; tables of the methods that a stage can choose from, and of the
models that it lists, follow its own.  Those of calculations stand within one another, and have a table each.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from napari_wse2xai.engines import Dynamics, Inputs, Layer, MolecularDynamics, Phonons, Raman, Relax
from napari_wse2xai.explaining.further import QUESTIONS
from napari_wse2xai.stages import TABLE, Separate, Step

PAGE = Path(__file__).with_name("stages.md")
CALCULATIONS_PAGE = Path(__file__).with_name("theory_live.md")
CALCULATIONS = (Layer, Relax, Phonons, Raman, Dynamics, MolecularDynamics, Inputs)
_PLACE = re.compile(r"(<!-- settings: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_LIST = re.compile(r"(<!-- steps -->\n).*?(<!-- end -->)", re.DOTALL)
_QUESTIONS = re.compile(r"(<!-- questions -->\n).*?(<!-- end -->)", re.DOTALL)
_SIGNS = {annotated_types.Gt: ">", annotated_types.Ge: "≥", annotated_types.Lt: "<", annotated_types.Le: "≤"}
_LIMITS = ("gt", "ge", "lt", "le")


def filled(text: str) -> str:
    """Page with every table as the stages now are."""
    stages = {stage.__name__: stage for stage in (*TABLE, Separate)}
    calculations = {kind.__name__: kind for kind in CALCULATIONS}

    def tables(place: re.Match[str]) -> str:
        name = place[2]
        made = f"\n{_table(calculations[name])}\n" if name in calculations else _tables(stages[name])
        return f"{place[1]}{made}{place[3]}"

    listed = _LIST.sub(lambda place: f"{place[1]}\n{_list()}\n{place[2]}", text)
    listed = _QUESTIONS.sub(lambda place: f"{place[1]}\n{_questions()}\n{place[2]}", listed)
    return _PLACE.sub(tables, _with_every_step(listed))


def _with_every_step(text: str) -> str:
    """Page with a section for each step that it does not speak of yet."""
    missing = [step for step in TABLE if f"<!-- settings: {step.__name__} -->" not in text and f"settings: {TABLE[0].__name__} -->" in text]
    sections = (f"\n## {step.title}\n\n{step.what()}\n\n<!-- settings: {step.__name__} -->\n<!-- end -->\n" for step in missing)
    return text + "".join(sections)


def _list() -> str:
    """Every step of a run: its key in a recipe, what it takes and gives."""
    rows = [f"| `{step.key}` | {step.title} | {_taken(step)} | `{step.gives.__name__}` | {step.what()} |" for step in TABLE]
    return "\n".join(["| key | title | takes | gives | what it does |", "|---|---|---|---|---|", *rows, ""])


def _questions() -> str:
    """Every further question about a parameter: its key, and what its answer tells."""
    rows = [f"| `{key}` | {each.title} | {each.says} |" for key, each in QUESTIONS.items()]
    return "\n".join(["| further question | column | what a value tells |", "|---|---|---|", *rows, ""])


def _taken(step: type[Step]) -> str:
    kinds = " and ".join(f"`{kind.__name__}`" for kind in step.takes)
    return f"{kinds}, one per flake" if step.series else kinds


def _tables(stage: type[BaseModel]) -> str:
    parts = [_table(stage)]
    for name, field in stage.model_fields.items():
        models = list(_models(field.annotation))
        for model in models:
            parts.append(f"**`{name}`{_kind(model)}**: {_summary(model)}\n\n{_table(model)}")
            parts += [f"**`{name}.{inner}`**: {_summary(m)}\n\n{_table(m)}" for inner, m in _inner(model)]
    return "\n" + "\n".join(parts) + "\n"


def _inner(model: type[BaseModel]) -> Iterator[tuple[str, type[BaseModel]]]:
    for name, field in model.model_fields.items():
        yield from ((name, each) for each in _models(field.annotation))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and not hasattr(annotation, "load"):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _kind(model: type[BaseModel]) -> str:
    field = model.model_fields.get("kind")
    return f" of kind `{field.default}`" if field else ""


def _summary(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


def _table(model: type[BaseModel]) -> str:
    rows = [_row(name, field) for name, field in model.model_fields.items() if name != "kind"]
    return "\n".join(["| setting | default | values | what it does |", "|---|---|---|---|", *rows, ""])


def _row(name: str, field: FieldInfo) -> str:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    values = " ".join(
        filter(None, (_plane(_type(field.annotation), str(extra.get("unit", ""))), _range(field), _unit(str(extra.get("unit", "")))))
    )
    return f"| `{name}` | {_default(field)} | {values} | {field.description} |"


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "(to be given)"
    if isinstance(value, BaseModel):
        return f"`{getattr(value, 'kind', type(value).__name__)}`"
    if value in (None, (), ""):
        return "empty"
    return f"`{_row_of(value) if isinstance(value, tuple) else _plain(value)}`"


def _row_of(values: tuple[Any, ...]) -> str:
    return ", ".join(f"({_row_of(value)})" if isinstance(value, tuple) else _plain(value) for value in values)


def _plain(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def _type(annotation: Any) -> str:
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(inside[0])
    if origin is Literal:
        return " or ".join(f"`{value}`" if value else "empty" for value in inside)
    models = list(_models(annotation))
    if models:
        return "list, see below" if origin is tuple else "see there" if models[0] in CALCULATIONS else "one of those below"
    if origin is tuple:
        return _several(inside)
    if inside:
        return " or ".join(_type(part) for part in inside)
    if hasattr(annotation, "load"):
        return "path of a text file"
    return {NoneType: "empty", bool: "true or false", str: "text", int: "whole number", float: "number"}[annotation]


def _several(inside: tuple[Any, ...]) -> str:
    if inside[0] is str:
        return "list of names"
    if inside == (int, int):
        return "two whole numbers"
    if inside[0] is Path:
        return "list of files"
    if get_origin(inside[0]) is Literal or Literal in map(get_origin, get_args(inside[0])):
        return f"one or several of {_type(inside[0])}"
    if get_args(inside[0]) and inside[-1] is not Ellipsis:
        return "two rows of two numbers"
    return "list of (low, high)" if inside[-1] is Ellipsis else "(low, high)"


def _plane(words: str, unit: str) -> str:
    """Two numbers in um are a place."""
    return words.replace("low, high", "y, x") if unit == "um" else words


def _range(field: FieldInfo) -> str:
    found = [f"{_SIGNS[type(limit)]} {getattr(limit, key):g}" for limit in field.metadata for key in _LIMITS if hasattr(limit, key)]
    return ", ".join(found)


def _unit(unit: str) -> str:
    return {"": "", "axis": "in the axis unit"}.get(unit, f"in {unit}")


if __name__ == "__main__":
    for page in (PAGE, CALCULATIONS_PAGE):
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")

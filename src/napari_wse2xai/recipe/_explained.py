"""Every setting of a recipe in words: what it does, its unit, its usual value."""

from collections.abc import Iterable, Iterator
from typing import get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.recipe._messages import nearest
from napari_wse2xai.recipe._model import STEPS, Section
from napari_wse2xai.stages import TABLE

_LIMITS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}


def explained(keys: Iterable[str] = ()) -> Iterator[str]:
    """Lines about the steps of a recipe; about some of them where they are named."""
    known = [step.key for step in TABLE]
    wanted = list(keys)
    for key in wanted:
        if key not in known:
            close = nearest(key, known)
            raise SettingsError(
                f"'{key}' is no step of a recipe; {f'did you mean {close}?' if close else 'known are ' + ', '.join(known) + '.'}"
            )
    if not wanted:
        yield "raman:, pl:  a map each, with what is said of its file, and the settings of its steps"
        yield from (line for name, field in Section.model_fields.items() if name not in STEPS for line in _setting(name, field, 1))
    for step in TABLE:
        if not wanted or step.key in wanted:
            yield ""
            yield f"{step.key}:  {step.what()}"
            yield from _settings(step, 1)


def _settings(model: type[BaseModel], depth: int) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if name != "kind":
            yield from _setting(name, field, depth)


def _setting(name: str, field: FieldInfo, depth: int) -> Iterator[str]:
    blank = "    " * depth
    yield f"{blank}{name}: {_default(field)}{_unit_and_limits(field)}"
    if field.description:
        yield f"{blank}    {field.description}"
    for model in _models(field.annotation):
        kind = model.model_fields.get("kind")
        yield f"{blank}    {f'kind: {kind.default}' if kind else 'each:'}  {(model.__doc__ or '').strip().splitlines()[0]}"
        yield from _settings(model, depth + 2)


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "(to be given)"
    if isinstance(value, BaseModel):
        return "{" + f"kind: {getattr(value, 'kind', type(value).__name__)}" + "}"
    if value is None or value in ((), ""):
        return "(empty)"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _unit_and_limits(field: FieldInfo) -> str:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    limits = [f"{sign} {getattr(one, name):g}" for one in field.metadata for name, sign in _LIMITS.items() if hasattr(one, name)]
    words = " ".join(filter(None, (str(extra.get("unit", "")), f"({', '.join(limits)})" if limits else "")))
    return f"  {words}" if words else ""


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and not hasattr(annotation, "load"):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)

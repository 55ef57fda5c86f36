"""What a settings field says of itself: type, range, unit, and what is wrong with a value."""

from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from napari_wse2xai.data.quantities import in_sentence
from napari_wse2xai.errors import sentence


def one_sentence(model: type[BaseModel], error: ValidationError) -> str:
    """First of pydantic's complaints, in the user's words: which field, what is wrong."""
    first = error.errors()[0]
    place = first["loc"][0] if first["loc"] else ""
    title = model.model_fields[str(place)].title if str(place) in model.model_fields else ""
    message = first["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{title}: {message}." if title else sentence(message)


def options(annotation: object) -> tuple[list[Any], bool]:
    """Types that a value may have, and whether it may be none."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        members = get_args(annotation)
        kinds = [kind for member in members if member is not NoneType for kind in options(member)[0]]
        return kinds, NoneType in members
    return [annotation], False


def limits(field: FieldInfo | None) -> tuple[float | None, float | None]:
    """Smallest and largest value allowed, where there are any."""
    low = high = None
    for limit in field.metadata if field is not None else ():
        low = getattr(limit, "ge", low)
        high = getattr(limit, "le", high)
    return low, high


AXIS = "axis"
"""Unit of a setting that is in the unit of the map's spectral axis."""


def described(field: FieldInfo) -> str:
    """What a setting is for, in a sentence or two."""
    return in_sentence(field.description or "")


def unit(field: FieldInfo) -> str:
    """Unit of a setting; empty where it has none."""
    extra = field.json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""

"""What the fields of an artefact are, said once, in their annotations; files, tables, xarray and docs follow from it.

``pdp: Annotated[Numbers, along("feature", "grid", unit="{0.target_unit}", says="partial dependence")]`` declares an array with
its dimensions, ``target: Annotated[str, attribute()]`` a word or number of the whole.  What a value is of comes first, places come last:
(peak, y, x), (target, pixel), (feature, grid); only `Samples`, which scikit-learn is given, is a table with a row per pixel.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, asdict, dataclass, field, fields, is_dataclass, replace
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import history as histories
from napari_wse2xai.data.history import History

if TYPE_CHECKING:
    import pandas as pd
    import xarray

Coordinates = dict[str, tuple[tuple[str, ...], NDArray[Any], str]]
"""Dimensions, values and unit of what says where the arrays of an artefact lie."""
PLACES = ("y", "x")
PIXEL = "pixel"
UNITS, EACH = "units", "unit_of_each"
"""Attributes: the latter where everything along a dimension has a unit of its own, which ``feature_unit`` or ``target_unit`` tells."""
_OF_EACH = re.compile(r"\b\w+_unit\b")


@dataclass(frozen=True, kw_only=True, eq=False)
class Quantity:
    """What is known of a field."""

    dims: tuple[str, ...] | None
    """None for a word or number of the whole."""
    says: str = ""
    unit: str = ""
    """1 for a plain number; ``{0}`` is the artefact that it belongs to."""
    stored: str = ""
    """Name in files, where that is not the field's."""
    group: str = ""
    """Group within that of the artefact."""
    column: str = "{label}.{name}"
    """Name of its columns in a table."""
    heading: str = ""
    """Words for its column in a table for people: ``{0}`` is the artefact, ``{{label}}`` what a column of several is of."""
    empty: float | None = None
    """What stands on a map of it where there is no pixel; None where it is not kept as maps."""
    flags: Mapping[int, str] = field(default_factory=dict)
    """Words for each value."""
    masks: Mapping[int, str] = field(default_factory=dict)
    """Words for each bit."""
    keys: tuple[str, ...] = ()
    """Those of a mapping, along its one dimension."""
    only: tuple[str, ...] = ()
    """Those that it may hold, where these are not all."""


def along(*dims: str, **about: Any) -> Quantity:
    """Declare an array, or a list of records, by its dimensions; see `Quantity` for what else can be said."""
    return Quantity(dims=dims, **about)


def attribute(**about: Any) -> Quantity:
    """Declare a word or a number of the whole artefact."""
    return Quantity(dims=None, **about)


@dataclass(frozen=True)
class Declared:
    """A declared field."""

    field: str
    hint: Any
    """Type, None left away."""
    about: Quantity
    optional: bool
    """Whether it may be None."""

    @property
    def name(self) -> str:
        """Name in files."""
        return self.about.stored or self.field

    @property
    def record(self) -> type | None:
        """Class of the records where the field is a list of some."""
        found = get_args(self.hint)
        return found[0] if get_origin(self.hint) is tuple and is_dataclass(found[0]) and self.about.dims else None  # type: ignore[return-value]

    @property
    def kind(self) -> np.dtype[Any] | None:
        """Type of the numbers of an array; None where that is free."""
        if not self.is_array:
            return None
        parts = get_args(self.hint)
        found = parts[0] if get_origin(self.hint) is NDArray else get_args(parts[1])[0]
        return None if found is np.generic else np.dtype(found)

    @property
    def is_array(self) -> bool:
        """Whether it is an array; from numpy 2.5 on NDArray is no short form of ndarray but a name of its own (PEP 695)."""
        return get_origin(self.hint) in (np.ndarray, NDArray)

    @property
    def is_true_or_false(self) -> bool:
        """Whether an array holds nothing but true and false."""
        return self.kind is not None and self.kind.kind == "b"

    def plain(self, value: Any) -> Any:
        """Value as an attribute of a file can be: a text, a number, numbers, or all else as JSON."""
        if self.hint == History:
            return histories.to_json(value)
        if self.hint in (str, int, float):
            return self.hint(value)
        if self.is_numbers:
            return np.array(value, dtype=np.float64)
        return json.dumps(value, ensure_ascii=False, default=lambda part: asdict(part) if is_dataclass(part) else dict(part))  # type: ignore[arg-type]

    @property
    def is_numbers(self) -> bool:
        """Whether it is a fixed number of numbers."""
        return get_origin(self.hint) is tuple and set(get_args(self.hint)) == {float}

    def attributes(self, artefact: object) -> dict[str, Any]:
        """CF attributes of an array."""
        about, told = self.about, dict[str, Any]()
        if about.says:
            told["long_name"] = about.says
        if about.unit:
            unit = about.unit.format(artefact)
            told[EACH if _OF_EACH.search(unit) else UNITS] = unit
        for words, name in ((about.flags, "flag_values"), (about.masks, "flag_masks")):
            if words:
                told[name] = np.array(list(words), dtype=np.int8 if self.is_true_or_false else self.kind)
                told["flag_meanings"] = " ".join(word.replace(" ", "_") for word in words.values())
        return told


def declared(kind: object) -> tuple[Declared, ...]:
    """All declared fields of a class, in their order."""
    return _all_of(kind)


@cache
def _all_of(kind: Any) -> tuple[Declared, ...]:
    return tuple(_declared(each) for each in fields(kind) if get_origin(each.type) is Annotated)


def _declared(each: Field[Any]) -> Declared:
    hint, about = get_args(each.type)
    optional = get_origin(hint) in (Union, UnionType)
    certain = next(part for part in get_args(hint) if part is not type(None)) if optional else hint
    return Declared(each.name, certain, about, optional)


@dataclass(frozen=True, eq=False)
class Variable:
    """An array of an artefact with all that its declaration says."""

    name: str
    dims: tuple[str, ...]
    values: NDArray[Any]
    attributes: dict[str, Any]
    about: Quantity
    of: str
    """Name of the field that it belongs to."""


def attributes(artefact: object) -> Iterator[tuple[str, Any]]:
    """Words and numbers of the whole artefact by their names in files, as files can hold them."""
    return ((each.name, each.plain(getattr(artefact, each.field))) for each in declared(type(artefact)) if each.about.dims is None)


def variables(artefact: object) -> Iterator[Variable]:
    """Every array that an artefact has; of records, one for each of their fields."""
    for each in declared(type(artefact)):
        value, dims = getattr(artefact, each.field), each.about.dims
        if value is None or dims is None or (each.record and not value):
            continue
        if each.record:
            yield from _columns(each, value, artefact)
            continue
        if isinstance(value, Mapping):
            keys = each.about.keys or tuple(value)
            yield Variable(dims[0], dims, _array(keys), {}, each.about, each.name)
            value = tuple(value.get(key, np.nan) for key in keys)
        yield Variable(each.name, dims, _array(value, each.kind), each.attributes(artefact), each.about, each.name)


def _columns(each: Declared, records: Sequence[object], artefact: object) -> Iterator[Variable]:
    assert each.about.dims is not None
    for part in declared(type(records[0])):
        values = [_array(np.nan if (value := getattr(one, part.field)) is None else value, part.kind) for one in records]
        dims = (*each.about.dims, *(part.about.dims or ()))
        yield Variable(part.name, dims, np.stack(values), part.attributes(artefact), replace(part.about, group=each.about.group), each.name)


def _array(value: object, kind: np.dtype[Any] | None = None) -> NDArray[Any]:
    """Values as an array of a kind; texts as objects."""
    values = np.asarray(value, dtype=kind)
    return values.astype(object) if values.dtype.kind == "U" else values


class Tabled:
    """An artefact whose fields are declared, as other libraries want it."""

    def coordinates(self) -> Coordinates:
        """Where the arrays lie."""
        return {}

    def to_xarray(self) -> "xarray.Dataset":
        """Every array under its name in files, with its dimensions, units and meaning; what is no array as attributes.

        Lists that have a group of their own in files (scores) are left out; their lengths and names have nothing to do with the rest.
        """
        import xarray

        apart = {each.name for each in declared(type(self)) if each.record and each.about.group}
        found = {
            each.name: (each.dims, each.values, each.attributes)
            for each in variables(self)
            if each.of not in apart | set(self.coordinates())
        }
        places = {name: (dims, values, {UNITS: unit} if unit else {}) for name, (dims, values, unit) in self.coordinates().items()}
        return xarray.Dataset(found, places, dict(attributes(self)))

    def to_dataframe(self) -> "pd.DataFrame":
        """One row per pixel: where it lies, then a column for every number; ``attrs["units"]`` has the unit of each."""
        import pandas as pd

        table, units = dict(self._rows()), {}
        labels = {each.name: each.values for each in variables(self)} | {name: each[1] for name, each in self.coordinates().items()}
        for each in variables(self):
            for name, values, unit in _table_columns(each, labels):
                table[name], units[name] = values, unit
        frame = pd.DataFrame(table)
        frame.attrs["units"] = units
        return frame

    def _rows(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Columns that say where a pixel lies."""
        for name, (dims, values, _) in self.coordinates().items():
            if dims == (PIXEL,):
                yield name, values
        frame = getattr(self, "frame", None)
        if frame is not None:
            row, column = np.indices(frame.shape).reshape(2, -1)
            y_um, x_um = frame.at(row, column).T
            yield from (("row", row), ("column", column), ("y_um", y_um), ("x_um", x_um))


def _table_columns(each: Variable, labels: Mapping[str, NDArray[Any]]) -> Iterator[tuple[str, NDArray[Any], str]]:
    """Columns of a variable that has a value per pixel, with their units: one, or one for each thing along its other dimension."""
    where = [dim for dim in each.dims if dim in (*PLACES, PIXEL)]
    others = [dim for dim in each.dims if dim not in where]
    if not where or len(others) > 1 or (others and others[0] not in labels):
        return
    values = each.values.transpose([each.dims.index(dim) for dim in (*others, *where)])
    unit = each.attributes.get(UNITS) or each.attributes.get(EACH, "")
    if not others:
        yield each.name, values.ravel(), unit
        return
    for index, (label, column) in enumerate(zip(labels[others[0]], values, strict=True)):
        named = _OF_EACH.search(unit)
        own = unit.replace(named[0], str(labels[named[0]][index])) if named else unit
        yield each.about.column.format(label=label, name=each.name), column.ravel(), own

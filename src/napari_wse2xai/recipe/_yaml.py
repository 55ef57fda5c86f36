"""YAML of a recipe, read with care: what nests too deep, swells by repetition or holds what no recipe needs is one sentence."""

from pathlib import Path
from typing import Any

import yaml

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.ordinary import require_recipe, shown

_LARGEST = 1 << 24
"""Bytes of a recipe, at most; one of 10,000 flakes has some 2 MB."""
_DEEPEST = 40
"""Levels of lists and mappings in one another, amply."""
_MOST_VALUES = 500_000
"""Values of a recipe with every repetition (``*name``) written out."""
_LONGEST_NUMBER = 40
"""Digits of a whole number, amply."""


def text_of(place: Path) -> str:
    """Text of a recipe."""
    found = require_recipe(place)
    if found.st_size > _LARGEST:
        raise SettingsError(f"The recipe {shown(place)} is larger than any recipe ({found.st_size / 1e6:.0f} MB); give a YAML text file.")
    try:
        return place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The recipe {place} cannot be read ({_reason(error)}); give a YAML text file in UTF-8.") from error


def mapping_of(text: str, source: str) -> dict[str, Any]:
    """Read YAML whose top is a mapping."""
    try:
        data = yaml.load(text, Loader=_Loader)  # a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" in line {mark.line + 1}" if mark else ""
        raise SettingsError(f"{source} is not valid YAML{where}: {error.problem}; correct that line.") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"{source} is not valid YAML: it holds characters that no text file has; give another file.") from error
    if not isinstance(data, dict):
        raise SettingsError(f"{source} is not a recipe; it should hold keys such as 'raman:' with a 'file:' below.")
    return data


def mapping_of_ours(text: str) -> dict[str, Any]:
    """Read YAML that comes with the package, in a tenth of the time: nothing in it has to be told with its line."""
    data: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return data


class _Loader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice, where the plain loader would forget the first, and whatever would exhaust the machine."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth, self._values = 0, 0
        self._sizes: dict[int, int] = {}
        """Number of values in each node that may be repeated, by its identity."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Build a node; count how deep it lies, and how many values there are with all repetitions."""
        mark, before = self.peek_event().start_mark, self._values  # type: ignore[no-untyped-call]
        is_repeated = self.check_event(yaml.AliasEvent)
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _refusal(f"it nests more than {_DEEPEST} levels deep", mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        if is_repeated and id(node) not in self._sizes:
            raise _refusal("a part repeats itself within itself", mark)
        self._values += self._sizes[id(node)] if is_repeated else 1
        if self._values > _MOST_VALUES:
            raise _refusal(f"it holds more than {_MOST_VALUES:,} values", mark)
        self._sizes.setdefault(id(node), self._values - before)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Build a value; one that Python cannot hold is told with its line."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError, TypeError, LookupError) as error:
            raise _refusal(f"'{shown(str(node.value))}' is no value that can be used ({error})", node.start_mark) from error

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """Read a whole number; one of more digits than any setting needs is refused."""
        if len(node.value) > _LONGEST_NUMBER:
            raise _refusal(f"a number of {len(node.value):,} digits is none that can be used", node.start_mark)
        return int(super().construct_yaml_int(node))

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Build a mapping whose keys differ."""
        seen: set[Any] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise _refusal(f"'{key.value}' is given twice", key.start_mark)
                seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def _refusal(words: str, mark: yaml.Mark | None) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, words, mark)


def _reason(error: Exception) -> str:
    return error.strerror or "unreadable" if isinstance(error, OSError) else "not UTF-8"

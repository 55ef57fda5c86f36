"""Numbers that were chosen in the code, and what is taken when nobody says, are those that a page tells or a person has read."""

import importlib.util
import inspect
from pathlib import Path
from types import ModuleType

import pytest

from as_text import require_as_read
from napari_wse2xai import explaining, learning

PATH = Path(__file__).resolve().parents[2] / "docs" / "make_constants.py"


@pytest.fixture
def repeats() -> None:
    """As many repetitions as users have, not the few of other tests."""


@pytest.mark.usefixtures("whole_lessons")
def test_the_page_of_chosen_numbers_has_those_of_the_code():
    spec = importlib.util.spec_from_file_location("make_constants", PATH)
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    assert generator.text() == generator.PAGE.read_text(encoding="utf-8"), "run python docs/make_constants.py"


def usual_values(room: ModuleType) -> list[str]:
    """Of every public function and class of a room, what it takes when nobody says."""
    lines = []
    for name in filter(lambda name: callable(getattr(room, name)), room.__all__):
        given = inspect.signature(getattr(room, name)).parameters.values()
        usual = {each.name: each.default for each in given if each.default is not inspect.Parameter.empty}
        lines += [f"{name}: " + ", ".join(f"{key}={getattr(value, '__name__', value)!r}" for key, value in usual.items())] if usual else []
    return lines


@pytest.mark.usefixtures("whole_lessons")
def test_what_is_taken_when_nobody_says_is_as_it_was_read():
    require_as_read("usual_values", "\n".join([*usual_values(explaining), *usual_values(learning), ""]))

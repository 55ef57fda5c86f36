"""Numbers that were chosen in the code are those of which the page tells."""

import importlib.util
from pathlib import Path

import pytest

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

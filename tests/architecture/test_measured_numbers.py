"""Numbers that were measured stand beside the command that makes them, and that command is there with the options that are named."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SITE = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
PAGES = [*SITE, ROOT / "benchmarks" / "README.md"]
MADE = re.compile(r"<!-- (?:constants|settings|results|formats|peaks|presets)\b.*?<!-- end -->", re.DOTALL)
"""Tables that another test compares with the code."""
NUMBER = re.compile(r"\d %|R² (?:about )?-?0\.\d|\d (?:ms|GB|MB)\b")
SCRIPT = re.compile(r"\b((?:benchmarks|docs|tools|tests)/[\w/]+\.py)((?: +(?:--?[\w-]+|[\w./]+|\"[\w ]+\"))*)")
COMMAND = re.compile(SCRIPT.pattern + r"|theory (?:figures|phonons|raman|relax|md)\b")
RULES = {
    "docs/design.md": {"The window"},
    # Of the last two the command stands in the section that they are in.
    "docs/explaining.md": {"What there is", "How the errors come about", "What it costs in accuracy", "Known laws"},
    "docs/formats.md": {"Damaged files"},
    "docs/method.md": {"Convert axis", "Find flake", "Does the model fit?", "Detectors as they are", "Status"},
    "docs/presets.md": {"`paper-2023`: the procedure of Yoo et al. [1], to the letter where it is printed"},
    "docs/sample_data.md": {"The law"},
    "docs/session.md": {"In the window"},
    "docs/stages.md": {"A known resolution", "Strain, charge and temperature"},
    "docs/tutorials/first_result.md": {"6. See what it relies on"},
    "docs/verdict.md": {"Why a random split is not enough", "How they become a word", "What it cannot tell"},
}
"""Sections whose numbers are rules, definitions or formulas, or point to a table that has its command: nothing was measured for them."""


def unmade(text: str) -> set[str]:
    """Headings of the sections that tell numbers without naming a command."""
    sections = re.split(r"^#+ ", MADE.sub("", text), flags=re.MULTILINE)
    return {each.partition("\n")[0] for each in sections if NUMBER.search(each) and not COMMAND.search(each)}


@pytest.mark.parametrize("page", SITE, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_section_with_measured_numbers_names_the_command_that_makes_them(page: Path) -> None:
    assert unmade(page.read_text(encoding="utf-8")) == RULES.get(page.relative_to(ROOT).as_posix(), set())


def test_a_number_without_a_command_is_seen() -> None:
    assert unmade("## How fast\n\nIt takes 12 % of the time.\n") == {"How fast"}
    assert not unmade("## How fast\n\nIt takes 12 % of the time (`python benchmarks/chain.py`).\n")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_script_that_a_page_names_is_there_and_knows_the_options(page: Path) -> None:
    for script, words in SCRIPT.findall(page.read_text(encoding="utf-8")):
        assert (ROOT / script).exists(), script
        for option in re.findall(r"--[a-z][\w-]+", words):
            assert f'"{option}"' in (ROOT / script).read_text(encoding="utf-8"), f"{script} {option}"

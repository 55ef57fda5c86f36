"""What the pages name of the code is there: files, names in them, commands and their options."""

import argparse
import ast
import re
import tomllib
from functools import cache
from itertools import takewhile
from pathlib import Path

import pytest

from napari_wse2xai import cli

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "napari_wse2xai"
PAGES = [
    page for page in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")]) if page.stem != "CHANGELOG"
]
EXAMPLES = {"tests/gui/test_x.py", "utils.py", "fit_engine/noise.py"}
"""Of files that are none of ours."""
FILE = re.compile(r"([\w./-]+\.py)\b(?:: (\w+))?")
DOTTED = re.compile(r"(?:napari_wse2xai\.)?([a-z_]+(?:\.\w+)+)(?:\(.*\))?")
COMMAND = re.compile(r"(?:^ *|(?<=[\s/]))(python [\w/]+\.py|(?<!\w )make|napari-wse2xai)((?: +[^\s`#]+)+)", re.MULTILINE)
EXTRA = re.compile(r"napari-wse2xai\[([\w,-]+)\]")
SAVED = {"csv", "html", "log", "nc", "xyz", "yaml"}
"""Ends of files that are written, not of names."""


def codes(page: Path) -> list[str]:
    """What stands between backticks."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL))


@cache
def files() -> frozenset[str]:
    """Every file of the repository that is a program, below each of its folders."""
    folders = (ROOT / name for name in ("src", "tests", "docs", "benchmarks", "tools", "examples"))
    return frozenset(path.relative_to(ROOT).as_posix() for folder in folders for path in folder.rglob("*.py"))


@cache
def names(path: Path) -> frozenset[str]:
    """What a module, or the modules of a folder, define, and what their classes have."""
    if path.is_dir():
        return frozenset[str]().union(*map(names, path.rglob("*.py")))
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.id if isinstance(node, ast.Name) else node.attr)
    return frozenset(found)


def is_there(dotted: str) -> bool:
    """Whether a room, or a module of one, has a name; what begins with no room of ours is another's."""
    here, *rest = PACKAGE, *dotted.split(".")
    if rest[0].startswith("_"):  # of whichever room
        return any(rest[1] in names(path) for path in PACKAGE.rglob(f"{rest[0]}.py"))
    while rest and ((here / rest[0]).is_dir() or (here / f"{rest[0]}.py").exists()):
        here = here / rest[0] if (here / rest[0]).is_dir() else here / f"{rest[0]}.py"
        rest = rest[1:]
    return here == PACKAGE or not rest or rest[0] in names(here)


@cache
def options() -> dict[str, set[str]]:
    """Options of every command of ours, and those of its own commands after a space."""
    found = dict[str, set[str]]()

    def look(parser: argparse.ArgumentParser, name: str) -> None:
        found[name] = {option for action in parser._actions for option in action.option_strings}
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for key, inner in action.choices.items():
                    look(inner, f"{name} {key}".strip())

    look(cli._parser(), "")
    return found


def require_command(command: str, words: list[str]) -> None:
    """A target of make, options of a script, or a command of ours with its options."""
    if command == "make":
        assert re.search(rf"^{words[0]}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE), words[0]
        return
    asked = {word.partition("=")[0] for word in words if word.startswith("--")}
    if command.startswith("python "):
        script = ROOT / command.removeprefix("python ")
        assert script.exists(), command
        assert all(f'"{option}"' in script.read_text(encoding="utf-8") for option in asked), (command, asked)
        return
    said = list(takewhile(str.isidentifier, words))
    known = next(name for end in range(len(said), -1, -1) if (name := " ".join(said[:end])) in options())
    assert (known or not said) and asked <= options()[known], (command, words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_and_names_between_backticks_are_there(page: Path) -> None:
    for code in codes(page):
        for named, inside in FILE.findall(code):
            places = [ROOT / file for file in files() if f"/{file}".endswith(f"/{named}")]
            assert places or named in EXAMPLES, named
            assert not inside or any(inside in names(place) for place in places), code
        dotted = DOTTED.fullmatch(code)
        if dotted and code.rpartition(".")[2] not in SAVED | {"py", "NAME"}:
            assert is_there(dotted[1]), code


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_commands_and_extras_that_the_pages_tell_are_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    set_in = re.findall(r"```(?:bash|sh)?\n.*?```|^    \w.*$", text, flags=re.DOTALL | re.MULTILINE)
    for command, words in COMMAND.findall("\n".join([*set_in, *codes(page)])):
        require_command(command, words.split())
    offered = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert {extra for several in EXTRA.findall(text) for extra in several.split(",")} <= set(offered)


def test_the_table_of_rooms_is_that_of_the_import_contract() -> None:
    table = (ROOT / "docs" / "design.md").read_text(encoding="utf-8").partition("## Rooms\n\n```\n")[2].partition("```")[0]
    told = [set(re.findall(r"\w+", re.split(r"  +", line)[0])) for line in table.splitlines()]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    rooms = [set(re.findall(r"\.([a-z]\w*)", line)) for line in project["tool"]["importlinter"]["contracts"][0]["layers"]]
    assert all(told_of >= room for told_of, room in zip(told, filter(None, rooms), strict=True))
    there = {path.stem for path in PACKAGE.iterdir() if path.suffix in ("", ".py") and path.stem[0] != "_"}
    assert set().union(*told) == there - {"presets"}

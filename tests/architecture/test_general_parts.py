"""What holds of the window's parts, asked of their source: general ones know no step by name, and long work runs in one row."""

import ast
from functools import cache
from pathlib import Path

import pytest

from napari_wse2xai.stages import TABLE

GUI = Path(__file__).resolve().parents[2] / "src" / "napari_wse2xai" / "gui"
FILES = sorted(GUI.rglob("*.py"))
GENERAL = [path for path in FILES if {path.parent.name, path.name} & {"parts", "session", "stage_panel.py", "workbench.py", "window.py"}]
CLASSES = {step.__name__ for step in TABLE} | {"Separate"}
WORDS = CLASSES | {word for step in TABLE for word in (step.title, step.key)}
OF_ONE_STEP = {"session/kept_trainings.py": {"Train"}}
"""What is about one step alone, and says so in its name."""
ONE_ROW = {"QProgressBar": "parts/work_row.py", "WorkRow.cancel": "parts/work_row.py", "FunctionWorker": "parts/run.py", "QThread": ""}
"""What makes long work seen, stops it or does it, and the one file that may use it."""
BESIDE = {
    "batch/panel.py": "opens a result that is there",
    "explain/pixel_curves.py": "loads a model that was trained",
    "maps/review_desk.py": "looks at residuals of fits that are there",
    "pair/panel.py": "saves a table",
    "parts/newest.py": "asks for what is shown, and drops what is asked no more",
    "parts/run.py": "is the runner",
    "parts/work_row.py": "is the row",
    "session/saving.py": "saves",
    "session/welcome.py": "makes the sample flake",
}
"""Who does work of a moment out of the way of the window, without a row: napari's own bar shows it."""


def place(path: Path) -> str:
    return path.relative_to(GUI).as_posix()


def said(tree: ast.AST) -> tuple[set[str], set[str]]:
    """Names in a module, and its texts, docstrings aside."""
    names, texts, docs = set(), set(), set()
    for node in ast.walk(tree):  # a docstring's statement comes before its text
        if isinstance(node, ast.Expr):
            docs.add(id(node.value))
        elif isinstance(node, ast.Name | ast.alias):
            names.add(node.id if isinstance(node, ast.Name) else node.name)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            texts.add(node.value)
    return names, texts


@cache
def source(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def cancels(tree: ast.AST) -> bool:
    """Whether a button is made that says Cancel."""
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "QPushButton")
    return any(ast.unparse(each) == "'Cancel'" for call in calls for each in call.args)


def steps_named(tree: ast.AST) -> set[str]:
    names, texts = said(tree)
    return names & CLASSES | texts & WORDS


@pytest.mark.parametrize("path", GENERAL, ids=place)
def test_a_general_part_of_the_window_names_no_step(path: Path) -> None:
    assert steps_named(source(path)) == OF_ONE_STEP.get(place(path), set())


def test_a_step_that_is_named_is_seen_however_it_is_named() -> None:
    assert steps_named(ast.parse("from napari_wse2xai.stages import Train")) == {"Train"}
    assert steps_named(ast.parse("title = 'Find flake'\nkey = f(x, 'find_flake')")) == {"Find flake", "find_flake"}
    assert not steps_named(ast.parse('"""Train."""\n\n\ndef train() -> None:\n    """Find flake."""\n    train()'))


def test_long_work_is_shown_stopped_and_done_in_one_place() -> None:
    told = {place(path): said(source(path))[0] | ({"WorkRow.cancel"} if cancels(source(path)) else set()) for path in FILES}
    assert {name: {file for file, names in told.items() if name in names} for name in ONE_ROW} == {
        name: {file} - {""} for name, file in ONE_ROW.items()
    }
    assert {file for file, names in told.items() if "Runner" in names} == set(BESIDE)

"""Short functions in short files, every argument annotated."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src"
FILES = sorted(SOURCE.rglob("*.py"))
FILE_LINES, FUNCTION_LINES = 400, 30

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[Function]:
    """Every function of a file, nested ones and methods included."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def code_lines(function: Function, lines: list[str]) -> int:
    """Lines of a function from ``def`` to its end, without docstring, comments and blank lines."""
    first = function.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    skipped = range(first.lineno, (first.end_lineno or 0) + 1) if is_docstring else range(0)
    numbered = ((number, lines[number - 1].strip()) for number in range(function.lineno, (function.end_lineno or 0) + 1))
    return sum(1 for number, text in numbered if number not in skipped and text and not text.startswith("#"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_a_file_keeps_to_its_budget(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= FILE_LINES
    assert not {f.name: code_lines(f, lines) for f in functions(path) if code_lines(f, lines) > FUNCTION_LINES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_every_argument_is_annotated(path: Path) -> None:
    for function in functions(path):
        every = function.args
        given = [*every.posonlyargs, *every.args, *every.kwonlyargs, *filter(None, (every.vararg, every.kwarg))]
        assert not [a.arg for a in given if a.annotation is None and a.arg not in ("self", "cls")], function.name


def test_the_count_leaves_out_what_is_no_code() -> None:
    text = 'def f(\n    a: int,\n) -> int:\n    """Doc.\n\n    More.\n    """\n    # why\n\n    return a\n'
    (function,) = ast.parse(text).body
    assert isinstance(function, Function)
    assert code_lines(function, text.splitlines()) == 4

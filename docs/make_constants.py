"""Write docs/constants.md, the numbers that were chosen in the code and are no settings: ``python docs/make_constants.py``.

A module names each of them in capitals and says below it what it means.  The page holds their values as they are when the modules are
loaded, so that whoever changes one changes what the page tells.
"""

import ast
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

PAGE = Path(__file__).with_name("constants.md")
PACKAGE = Path(__file__).resolve().parents[1] / "src" / "napari_wse2xai"
ROOMS = {
    "numerics": "Fits, masks and noise",
    "stages": "Stages",
    "learning": "Models, validation and verdict",
    "explaining": "Explaining",
    "theory": "Theory",
    "layers": "Layers in the window",
    "plots": "Figures",
    "report": "Report",
}
LONGEST = 240
"""Letters of a value; what is longer is a table of the program's own."""


def text() -> str:
    """The whole page."""
    head = PAGE.read_text(encoding="utf-8").partition("<!-- constants -->")[0]
    return head + "<!-- constants -->\n" + "".join(_section(room, title) for room, title in ROOMS.items()) + "<!-- end -->\n"


def _section(room: str, title: str) -> str:
    rows = [
        f"| `{module.removeprefix(room + '.')}` | `{name}` | {_shown(value)} | {' '.join(meaning.split())} |"
        for module, name, value, meaning in constants(room)
    ]
    return "\n".join([f"\n## {title}: `{room}`\n", "| module | name | value | what it is |", "|---|---|---|---|", *rows, "\n"])


def constants(room: str) -> Iterator[tuple[str, str, object, str]]:
    """Module, name, value and meaning of each constant of a room."""
    for path in sorted((PACKAGE / room).rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        for name, meaning in _named(ast.parse(path.read_text(encoding="utf-8")).body):
            value = getattr(import_module(f"napari_wse2xai.{module}"), name)
            if _plain(value) and _has_number(value) and len(_shown(value)) < LONGEST:
                yield module, name, value, meaning


def _named(body: list[ast.stmt]) -> Iterator[tuple[str, str]]:
    """Names in capitals that a module gives a value, each with what stands below it."""
    for node, below in zip(body, [*body[1:], ast.Pass()], strict=True):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        names = [each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name) and each.id.isupper()]
        is_said = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        yield from ((name, str(below.value.value) if is_said else "") for name in names)


def _plain(value: object) -> bool:
    """Whether it is made of numbers and words alone."""
    if isinstance(value, Mapping):
        return all(map(_plain, (*value.keys(), *value.values())))
    if isinstance(value, tuple | list | set | frozenset):
        return all(map(_plain, value))
    return isinstance(value, int | float | str | slice | None)


def _has_number(value: object) -> bool:
    """Whether a number or a colour is in it; words alone are names."""
    if isinstance(value, Mapping):
        return any(map(_has_number, value.values()))
    if isinstance(value, tuple | list | set | frozenset):
        return any(map(_has_number, value))
    return value.startswith("#") if isinstance(value, str) else not isinstance(value, bool) and value is not None


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{_shown(key)}: {_shown(each)}" for key, each in value.items())
    if isinstance(value, set | frozenset):
        return ", ".join(sorted(map(_shown, value)))
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_shown, value))})"
    if isinstance(value, float):
        return f"{value:.10g}"
    return f"`{value}`".replace("|", "\\|") if isinstance(value, str) and value else str(value)


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")

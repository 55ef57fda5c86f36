"""What can be planted: small faults in the code of a file, each where a slip of the hand could have made it.

Left alone are words for people (docstrings, sentences, f-strings), annotations and types (`TYPED`), what is raised, looks that no one
promised (`LOOKS`), ``__all__``, in which the linter finds names that are none, checks of our own (`CHECKS`), which as with ``assert`` only
a mistake elsewhere meets, and what cannot be told apart: the 1 of a reshape's -1, for which numpy takes any negative
number, and numbers next to nothing.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LOOKS = {
    "fontsize", "linewidth", "linewidths", "lw", "markersize", "ms", "dpi", "figsize", "pad", "labelpad", "zorder", "s", "title_fontsize",
    "capsize", "markeredgewidth", "handlelength", "handletextpad", "borderpad", "borderaxespad",
    "labelsize", "hspace", "wspace", "width_ratios", "height_ratios", "weight", "fontweight", "rotation", "ncols", "stacklevel",
}  # fmt: skip
CHECKS = {"strict", "init"}
"""What is not as it should be is refused: lengths that differ, a field given that is worked out."""
TYPED = {"cast", "TypeVar"}
NEXT_TO_NOTHING = 1e-9
"""Below it a number keeps a divisor from being none."""
COMPARED = {
    ast.Lt: ">=", ast.LtE: ">", ast.Gt: "<=", ast.GtE: "<", ast.Eq: "!=", ast.NotEq: "==",
    ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in",
}  # fmt: skip
COMPUTED = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.Pow: "*", ast.FloorDiv: "*", ast.Mod: "*"}
TWINS = [
    ("low", "high"), ("lower", "upper"), ("min", "max"), ("argmin", "argmax"), ("rows", "columns"), ("row", "column"), ("mean", "std"),
    ("x_um", "y_um"), ("nanmin", "nanmax"), ("sin", "cos"), ("pdp_low", "pdp_high"), ("vmin", "vmax"), ("any", "all"), ("raman", "pl"),
]  # fmt: skip
OTHER = dict(TWINS) | {b: a for a, b in TWINS}


@dataclass(frozen=True)
class Fault:
    """A piece of a file, from one byte to another, and what stands there instead."""

    path: Path
    line: int
    start: int
    end: int
    instead: str

    @property
    def within(self) -> set[str]:
        """Names that the statement of the file gives in which the fault stands."""
        for each in ast.parse(self.path.read_bytes()).body:
            if each.lineno <= self.line <= (each.end_lineno or 0):
                stored = (node.id for node in ast.walk(each) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
                return {each.name} if isinstance(each, ast.ClassDef | ast.FunctionDef) else set(stored)
        return set()

    @property
    def source(self) -> bytes:
        """The file with the fault."""
        whole = self.path.read_bytes()
        return whole[: self.start] + self.instead.encode() + whole[self.end :]

    def told(self, root: Path) -> str:
        """The fault in a line."""
        was = self.path.read_bytes()[self.start : self.end].decode()
        return " ".join(f"{self.path.relative_to(root)}:{self.line}: {was} -> {self.instead}".split())


def faults_in(path: Path) -> list[Fault]:
    """Every fault that can be planted in a file."""
    text = path.read_bytes()
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = []
    for node, instead in _changes(ast.parse(text), text.decode()):
        start, end = starts[node.lineno - 1] + node.col_offset, starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        found.append(Fault(path, node.lineno, start, end, instead))
    return found


def _changes(tree: ast.Module, text: str) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    """Expressions and statements with what may stand in their place."""
    for node in _planted(tree):
        if isinstance(node, ast.expr | ast.stmt):
            yield from ((node, instead) for instead in (*_of_operation(node, text), *_of_name(node, text)))


def _of_operation(node: ast.AST, text: str) -> Iterator[str]:
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield f"({_text(node.left, text)}) {COMPARED[type(node.ops[0])]} ({_text(node.comparators[0], text)})"
    elif isinstance(node, ast.BinOp) and type(node.op) in COMPUTED and not _has_words(node):
        yield f"(({_text(node.left, text)}) {COMPUTED[type(node.op)]} ({_text(node.right, text)}))"
    elif isinstance(node, ast.BoolOp):
        yield "(" + (" or " if isinstance(node.op, ast.And) else " and ").join(f"({_text(each, text)})" for each in node.values) + ")"
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield f"({_text(node.operand, text)})"


def _of_name(node: ast.AST, text: str) -> Iterator[str]:
    if isinstance(node, ast.Constant):
        yield from _of_constant(node.value)
    elif isinstance(node, ast.Name) and node.id in OTHER and isinstance(node.ctx, ast.Load):
        yield OTHER[node.id]
    elif isinstance(node, ast.Attribute) and node.attr in OTHER:
        yield f"({_text(node.value, text)}).{OTHER[node.attr]}"
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield "pass"


def _text(node: ast.AST, text: str) -> str:
    return ast.get_source_segment(text, node) or ast.unparse(node)


def _of_constant(value: object) -> Iterator[str]:
    if isinstance(value, bool):
        yield str(not value)
    elif isinstance(value, int):
        yield str(value + 1)
    elif isinstance(value, float) and not 0 < abs(value) < NEXT_TO_NOTHING:
        yield repr(value * 1.5 if value else 1.0)
    elif isinstance(value, str) and 0 < len(value) < 25 and " " not in value and value not in ("utf-8",):
        yield repr(value + "_")


def _has_words(node: ast.BinOp) -> bool:
    return any(
        isinstance(each, ast.JoinedStr) or (isinstance(each, ast.Constant) and isinstance(each.value, str)) for each in ast.walk(node)
    )


def _planted(node: ast.AST) -> Iterator[ast.AST]:
    """Nodes below one in which faults are planted."""
    for child in _children(node):
        yield child
        yield from _planted(child)


def _entries(node: ast.Dict) -> Iterator[ast.AST]:
    """Keys and values, but for looks that are handed on together."""
    for key, value in zip(node.keys, node.values, strict=True):
        if not (isinstance(key, ast.Constant) and key.value in LOOKS):
            yield from filter(None, (key, value))


def _is_left_alone(node: ast.AST) -> bool:
    """What is words for people, or only for the type checker and the linter."""
    if isinstance(node, ast.If):
        return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    if isinstance(node, ast.Assign):
        return any(isinstance(each, ast.Name) and each.id == "__all__" for each in node.targets)
    return isinstance(node, ast.JoinedStr | ast.Raise | ast.Assert | ast.Import | ast.ImportFrom | ast.Global)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """Parts of a node that are neither annotations nor words for people."""
    if _is_left_alone(node):
        return
    if isinstance(node, ast.Dict):
        yield from _entries(node)
        return
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TYPED:
        yield from node.args[1:]  # the first is a type
        return
    shape = node.args if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "reshape" else []
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params", "bases"):
            continue
        for child in value if isinstance(value, list) else [value]:
            is_words = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            is_looks = isinstance(child, ast.keyword) and child.arg in LOOKS | CHECKS
            is_rest = child in shape and isinstance(child, ast.UnaryOp)
            if isinstance(child, ast.AST) and not (is_words or is_looks or is_rest):
                yield child

"""Conditions that users type, such as ``A1'.height > 40 and ok``: parsed against the white list of formulas, asked of every pixel."""

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.expressions import (
    LIKE_PRIME,
    LONGEST,
    MOST,
    Checked,
    Dual,
    ExpressionError,
    Walk,
    refuse_unknown_parameter,
    with_identifiers,
)

Flags = NDArray[np.bool_]
_COMPARED: dict[type[ast.cmpop], Callable[..., Flags]] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
EXAMPLE = "A1'.height > 40 and ok"


@dataclass(frozen=True, eq=False)
class Condition:
    """One condition, ready to be asked of maps."""

    text: str
    names: tuple[str, ...]
    """Names of the values and flags that it needs."""
    tree: ast.expr = field(repr=False)
    _spelled: Mapping[str, str] = field(repr=False, default_factory=dict)

    @classmethod
    def of(cls, text: str, known: Sequence[str], flags: Sequence[str], *, words: str = "") -> "Condition":
        """Parse a condition.

        Parameters
        ----------
        text : comparisons of formulas, and flags, joined by ``and``, ``or``, ``not``
        known : names of values, such as ``A1'.height``; ``A1' height`` and ``A1' FWHM`` are understood too
        flags : names of what is true or false at a pixel, such as ``ok``
        words : what a message says of both; empty to list them

        Raises
        ------
        ExpressionError
            With one sentence.
        """
        if not text.strip() or len(text) > LONGEST:
            raise ExpressionError(f"a condition has between 1 and {LONGEST} letters, not {len(text.strip())}")
        spelled: dict[str, str] = {}
        plain = with_identifiers(_plain(text, known), [*known, *flags], spelled)
        says = words or f"{', '.join(known)}, and {', '.join(flags)}"
        refuse_unknown_parameter(plain, says)
        try:
            tree = ast.parse(plain, mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            raise ExpressionError(f"'{text}' is no condition; write it like {EXAMPLE}") from error
        if sum(1 for _ in ast.walk(tree)) > MOST:
            raise ExpressionError(f"'{text}' is too long a condition; write it with fewer terms")
        names = _Asked(text, spelled, says, flags).names(tree)
        return cls(text, tuple(dict.fromkeys(names)), tree, spelled)

    def holds(self, values: Mapping[str, NDArray[np.floating]], flags: Mapping[str, Flags]) -> Flags:
        """Where the condition holds; where a value that decides is not known it does not."""
        duals = {name: Dual(np.asarray(values[name], dtype=np.float64)) for name in self.names if name in values}
        with np.errstate(all="ignore"):
            yes, _ = _Answers(Walk(duals, self._spelled, []), flags, self._spelled).of(self.tree)
        shape = next(iter([*values.values(), *flags.values()])).shape
        return np.array(np.broadcast_to(yes, shape))


def _plain(text: str, known: Sequence[str]) -> str:
    """Text in the signs that Python reads, and names as they are known."""
    plain = text.translate(LIKE_PRIME).replace("^", "**").replace("≥", ">=").replace("≤", "<=").replace("≠", "!=").strip()
    plain = re.sub(r"\b(AND|OR|NOT)\b", lambda word: word[0].lower(), plain)
    plain = re.sub(r"\s*&{1,2}\s*", " and ", re.sub(r"\s*\|{1,2}\s*", " or ", plain))
    for name in sorted(known, key=len, reverse=True):
        stem, dot, last = (part.translate(LIKE_PRIME) for part in name.rpartition("."))
        if dot:
            plain = re.sub(rf"(?<![\w.'])({re.escape(stem)})\s+({re.escape(last)})(?!\w)", rf"\1.{last}", plain, flags=re.IGNORECASE)
    return plain


class _Asked:
    """The white list of conditions, over that of formulas."""

    def __init__(self, text: str, spelled: Mapping[str, str], says: str, flags: Sequence[str]) -> None:
        self.text, self.spelled, self.flags = text, spelled, set(flags)
        self.formula = Checked(text, spelled, says, bands=False)

    def names(self, node: ast.AST) -> list[str]:
        """Names below a node that is true or false; raises ExpressionError for anything that is not on the list."""
        if isinstance(node, ast.BoolOp):
            return [name for part in node.values for name in self.names(part)]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return self.names(node.operand)
        if isinstance(node, ast.Compare) and all(type(each) in _COMPARED for each in node.ops):
            return [name for part in (node.left, *node.comparators) for name in self._numbers(part)]
        if isinstance(node, ast.Name) and self.spelled.get(node.id) in self.flags:
            return [self.spelled[node.id]]
        self.formula.names(node)  # an unknown name is told as that
        raise ExpressionError(f"'{self.text}' is a number, not a condition; compare it with something, as in {EXAMPLE}")

    def _numbers(self, node: ast.AST) -> list[str]:
        names = self.formula.names(node)
        if wrong := self.flags & set(names):
            raise ExpressionError(f"'{wrong.pop()}' is true or false and cannot be compared; write it alone, as in {EXAMPLE}")
        return names


class _Answers:
    """One evaluation: where a node is true, and where it is false; where neither, it is not known."""

    def __init__(self, numbers: Walk, flags: Mapping[str, Flags], spelled: Mapping[str, str]) -> None:
        self.numbers, self.flags, self.spelled = numbers, flags, spelled

    def of(self, node: ast.expr) -> tuple[Flags, Flags]:
        """Yes and no of a node."""
        if isinstance(node, ast.BoolOp):
            every = [self.of(part) for part in node.values]
            sides = [yes for yes, _ in every], [no for _, no in every]
            return (_all(sides[0]), _any(sides[1])) if isinstance(node.op, ast.And) else (_any(sides[0]), _all(sides[1]))
        if isinstance(node, ast.UnaryOp):
            yes, no = self.of(node.operand)
            return no, yes
        if isinstance(node, ast.Name):
            flag = self.flags[self.spelled[node.id]]
            return flag, ~flag
        assert isinstance(node, ast.Compare)
        values = [np.asarray(self.numbers.of(part).value) for part in (node.left, *node.comparators)]
        known = _all([np.isfinite(value) for value in values])
        true = _all([_COMPARED[type(op)](a, b) for op, (a, b) in zip(node.ops, pairwise(values), strict=True)])
        return known & true, known & ~true


def _all(parts: Sequence[Flags]) -> Flags:
    return np.asarray(np.logical_and.reduce(np.broadcast_arrays(*parts)))


def _any(parts: Sequence[Flags]) -> Flags:
    return np.asarray(np.logical_or.reduce(np.broadcast_arrays(*parts)))

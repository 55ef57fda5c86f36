"""Formulas that users type: parsed against a white list of nodes and functions, evaluated on whole arrays together with their derivatives.

Nothing is evaluated as Python: the text becomes a tree, and the tree is walked here.
"""

import ast
import re
import sys
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = Any
"""A numpy array, a torch tensor or a float."""
LONGEST, MOST = 500, 200
"""Letters of a formula, and nodes of its tree."""
BAND = "band"
LIKE_PRIME = str.maketrans("′’ʹ‘−×·“”", "''''-**\"\"")
"""Signs that keyboards and word processors give for others."""
_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}


class ExpressionError(ValueError):
    """A formula that cannot be used, in one sentence."""


@dataclass(frozen=True)
class Dual:
    """A value with its derivatives by what it hangs on."""

    value: Array
    by: Mapping[Hashable, Array] = field(default_factory=dict)

    def chained(self, value: Array, slope: Array) -> "Dual":
        """A function's value and its derivatives, for the function's slope here."""
        return Dual(value, {name: slope * each for name, each in self.by.items()})


@dataclass(frozen=True, eq=False)
class Expression:
    """One formula, ready to be evaluated."""

    text: str
    names: tuple[str, ...]
    """Names of the values that it needs, bands of light among them as ``band(240, 260)``."""
    tree: ast.expr = field(repr=False)
    _spelled: Mapping[str, str] = field(repr=False, default_factory=dict)

    @classmethod
    def of(cls, text: str, known: Sequence[str], *, bands: bool = False, words: str = "") -> "Expression":
        """Parse a formula.

        Parameters
        ----------
        text : as typed; a name may stand in double quotes, and ``^`` is a power
        known : names that may be used, such as ``A1'.height``
        bands : whether ``band(240, 260)`` is a value too
        words : what a message says of the known names; empty to list them

        Raises
        ------
        ExpressionError
            With one sentence.
        """
        if not text.strip() or len(text) > LONGEST:
            raise ExpressionError(f"a formula has between 1 and {LONGEST} letters, not {len(text.strip())}")
        spelled: dict[str, str] = {}
        plain = with_identifiers(text.translate(LIKE_PRIME).replace("^", "**").strip(), known, spelled)
        says = words or ", ".join(known)
        refuse_unknown_parameter(plain, says)
        try:
            tree = ast.parse(plain, mode="eval").body
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            # MemoryError is what Python's parser says of brackets that are nested too deeply.
            raise ExpressionError(f"'{text}' is no formula; write numbers, + - * / **, brackets, and {says}") from error
        if sum(1 for _ in ast.walk(tree)) > MOST:
            raise ExpressionError(f"'{text}' is too long a formula; write it with fewer terms")
        names = Checked(text, spelled, says, bands).names(tree)
        return cls(text, tuple(dict.fromkeys(names)), tree, spelled)

    def evaluate(self, values: Mapping[str, Dual], guards: list[Dual] | None = None) -> Dual:
        """Value and derivatives for the values of `names`.

        Parameters
        ----------
        guards : gets what must not be zero: every divisor, and what stands under a root or a logarithm
        """
        return Walk(values, self._spelled, [] if guards is None else guards).of(self.tree)

    def linear(self) -> tuple[dict[str, float], float]:
        """Factor of every name, and the constant, of a formula that is a sum of multiples; raises ExpressionError of any other."""
        return _linear(self.tree, self)

    def unit(self, units: Mapping[str, Mapping[str, float]]) -> str:
        """Unit of the value, from the powers of base units of every name; raises ExpressionError where unlike ones are added."""
        powers = _powers(self.tree, units, self)
        return written(powers or {})

    def name_of(self, node: ast.expr) -> str:
        """Name that a leaf stands for."""
        return self._spelled[node.id] if isinstance(node, ast.Name) else band_name(*_ends(node))


def band_name(low: float, high: float) -> str:
    """How the light of a band is called."""
    return f"{BAND}({low:.12g}, {high:.12g})"


def band_of(name: str) -> tuple[float, float] | None:
    """Ends of the band of a name; None for another name."""
    found = re.fullmatch(rf"{BAND}\((\S+), (\S+)\)", name)
    return None if found is None else (float(found[1]), float(found[2]))


def written(powers: Mapping[str, float]) -> str:
    """Unit out of powers of base units: ``counts cm-1``, ``cm-2``, ``eV^0.5``; 1 for a plain number."""
    words = []
    for base, power in powers.items():
        if power == 0:
            continue
        stem, inverse = (base[:-2], -power) if base.endswith("-1") else (base, power)
        words.append(stem if inverse == 1 else f"{stem}{inverse:g}" if base.endswith("-1") else f"{stem}^{inverse:g}")
    return " ".join(words) or "1"


def with_identifiers(text: str, known: Sequence[str], spelled: dict[str, str]) -> str:
    """Text with every known name as an identifier, whatever signs it holds."""
    given = {name.translate(LIKE_PRIME): name for name in known}
    names = "|".join(_pattern(name) for name in sorted(given, key=len, reverse=True))
    if not names:
        return text

    def identifier(match: re.Match[str]) -> str:
        found = given[re.sub(r"\s*\.\s*(?=\w+$)", ".", match[0]).replace('"', "")]
        token = f"_v{list(given.values()).index(found)}"
        spelled[token] = found
        return token

    return re.sub(rf"(?<![\w.'])(?:{names})(?![\w'])", identifier, text)


def _pattern(name: str) -> str:
    """A name, its part before the last dot perhaps in double quotes."""
    stem, dot, last = name.rpartition(".")
    return rf'(?:"{re.escape(stem)}"|{re.escape(stem)})\s*\.\s*{re.escape(last)}' if dot else re.escape(name)


def refuse_unknown_parameter(text: str, says: str) -> None:
    """Tell a name with a dot that is not known; known ones are identifiers by now."""
    found = re.search(r"[^\s+*/,(.]*[A-Za-z'\")][^\s+*/,(.]*\.[A-Za-z_]\w*", text)
    if found is not None:
        raise ExpressionError(f"'{found[0]}' is not known here; there are {says}")


class Checked:
    """The white list."""

    def __init__(self, text: str, spelled: Mapping[str, str], says: str, bands: bool) -> None:
        self.text, self.spelled, self.says, self.bands = text, spelled, says, bands

    def names(self, node: ast.AST) -> list[str]:
        """Names below a node; raises ExpressionError for anything that is not on the list."""
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            return []
        if isinstance(node, ast.Name) and node.id in self.spelled:
            return [self.spelled[node.id]]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            return self.names(node.operand)
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return [*self.names(node.left), *self.names(node.right)]
        if isinstance(node, ast.Call):
            return self._of_call(node)
        what = f"'{node.id}'" if isinstance(node, ast.Name) else "something in it"
        allowed = f"there are {self.says}, numbers, + - * / **, {', '.join(FUNCTIONS)}"
        raise ExpressionError(f"{what} of '{self.text}' is not known here; {allowed}{' and band(low, high)' * self.bands}")

    def _of_call(self, node: ast.Call) -> list[str]:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name == BAND and self.bands:
            try:
                low, high = _ends(node)
            except (ValueError, TypeError, AttributeError):
                low, high = 1.0, 0.0
            if not low < high:
                raise ExpressionError("the light of a band is written as band(240, 260): two numbers, the lower one first")
            return [band_name(low, high)]
        if name not in FUNCTIONS or len(node.args) != 1 or node.keywords:
            known = f"there are {', '.join(FUNCTIONS)}, each of one value{', and band(low, high)' * self.bands}"
            raise ExpressionError(f"'{name or ast.unparse(node.func)}' cannot be called so in '{self.text}'; {known}")
        return self.names(node.args[0])


def _ends(node: ast.expr) -> tuple[float, float]:
    """Ends of a band as its call gives them."""
    assert isinstance(node, ast.Call)
    low, high = node.args
    return _number(low), _number(high)


def _number(node: ast.expr) -> float:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_number(node.operand)
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    raise ValueError("no number")


def library(value: Array) -> Any:
    """numpy, or the library that a value is of: who has a tensor has loaded torch."""
    name = type(value).__module__.partition(".")[0]
    return sys.modules[name] if name == "torch" else np


class Walk:
    """One evaluation."""

    def __init__(self, values: Mapping[str, Dual], spelled: Mapping[str, str], guards: list[Dual]) -> None:
        self.values, self.spelled, self.guards = values, spelled, guards

    def of(self, node: ast.expr) -> Dual:
        """Value of a node."""
        if isinstance(node, ast.Constant):
            return Dual(_number(node))
        if isinstance(node, ast.Name):
            return self.values[self.spelled[node.id]]
        if isinstance(node, ast.UnaryOp):
            inner = self.of(node.operand)
            return inner.chained(-inner.value, -1.0) if isinstance(node.op, ast.USub) else inner
        if isinstance(node, ast.BinOp):
            return self._binary(type(node.op), self.of(node.left), self.of(node.right))
        assert isinstance(node, ast.Call)
        assert isinstance(node.func, ast.Name)
        if node.func.id == BAND:
            return self.values[band_name(*_ends(node))]
        return self._called(node.func.id, self.of(node.args[0]))

    def _binary(self, operator: type[ast.operator], one: Dual, other: Dual) -> Dual:
        a, b = one.value, other.value
        if isinstance(a, float) and isinstance(b, float) and not one.by and not other.by:
            return Dual(_of_numbers(operator, a, b))
        if operator is ast.Add:
            return _joined(a + b, (one, 1.0), (other, 1.0))
        if operator is ast.Sub:
            return _joined(a - b, (one, 1.0), (other, -1.0))
        if operator is ast.Mult:
            return _joined(a * b, (one, b), (other, a))
        if operator is ast.Div:
            self.guards.append(other)
            inverse = _of_numbers(ast.Div, 1.0, b) if isinstance(b, float) else 1.0 / b
            return _joined(a * inverse, (one, inverse), (other, -a * inverse * inverse))
        if not other.by:
            return one.chained(a**b, b * a ** (b - 1.0))
        self.guards.append(one)
        return _joined(a**b, (one, b * a ** (b - 1.0)), (other, a**b * library(a).log(a)))

    def _called(self, name: str, inner: Dual) -> Dual:
        value, slope = FUNCTIONS[name](library(inner.value), inner.value)
        if isinstance(inner.value, float) and not inner.by:
            return Dual(float(value))
        if name in ("sqrt", "log", "log10"):
            self.guards.append(inner)
        return inner.chained(value, slope)


def _of_numbers(operator: type[ast.operator], a: float, b: float) -> float:
    """Two plain numbers, as arrays count them: a division by zero is infinite."""
    work = {ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.divide, ast.Pow: np.power}
    with np.errstate(all="ignore"):
        return float(work[operator](np.float64(a), np.float64(b)))


def _joined(value: Array, *parts: tuple[Dual, Array]) -> Dual:
    by: dict[Hashable, Array] = {}
    for part, slope in parts:
        for name, each in part.by.items():
            by[name] = by[name] + slope * each if name in by else slope * each
    return Dual(value, by)


def _root(lib: Any, v: Array) -> tuple[Array, Array]:
    root = lib.sqrt(v)
    return root, 0.5 / root


def _exponential(lib: Any, v: Array) -> tuple[Array, Array]:
    value = lib.exp(v)
    return value, value


def _tangent(lib: Any, v: Array) -> tuple[Array, Array]:
    value = lib.tanh(v)
    return value, 1.0 - value * value


def _error_function(lib: Any, v: Array) -> tuple[Array, Array]:
    if lib is np:
        from scipy.special import erf
    else:
        erf = lib.erf
    return erf(v), float(2 / np.sqrt(np.pi)) * lib.exp(-v * v)


FUNCTIONS: dict[str, Any] = {
    "sqrt": _root,
    "exp": _exponential,
    "log": lambda lib, v: (lib.log(v), 1.0 / v),
    "log10": lambda lib, v: (lib.log10(v), float(1 / np.log(10.0)) / v),
    "abs": lambda lib, v: (lib.abs(v), lib.sign(v)),
    "sin": lambda lib, v: (lib.sin(v), lib.cos(v)),
    "cos": lambda lib, v: (lib.cos(v), -lib.sin(v)),
    "arctan": lambda lib, v: (lib.arctan(v), 1.0 / (1.0 + v * v)),
    "cosh": lambda lib, v: (lib.cosh(v), lib.sinh(v)),
    "tanh": _tangent,
    "erf": _error_function,
}
"""Value and slope of every function that may be called."""


def _linear(node: ast.expr, whole: Expression) -> tuple[dict[str, float], float]:
    if isinstance(node, ast.Constant):
        return {}, _number(node)
    if isinstance(node, ast.Name):
        return {whole.name_of(node): 1.0}, 0.0
    if isinstance(node, ast.UnaryOp):
        return _multiplied(*_linear(node.operand, whole), -1.0 if isinstance(node.op, ast.USub) else 1.0)
    if isinstance(node, ast.BinOp):
        (some, a), (more, b) = _linear(node.left, whole), _linear(node.right, whole)
        if isinstance(node.op, ast.Add | ast.Sub):
            sign = 1.0 if isinstance(node.op, ast.Add) else -1.0
            return {name: some.get(name, 0.0) + sign * more.get(name, 0.0) for name in {**some, **more}}, a + sign * b
        if isinstance(node.op, ast.Mult) and not (some and more):
            return _multiplied(some, a, b) if some else _multiplied(more, b, a)
        if isinstance(node.op, ast.Div) and not more and b:
            return _multiplied(some, a, 1.0 / b)
    raise ExpressionError(f"'{whole.text}' is no sum of multiples of parameters, such as 0.5*A.height + B.height")


def _multiplied(factors: dict[str, float], constant: float, by: float) -> tuple[dict[str, float], float]:
    return {name: by * factor for name, factor in factors.items()}, by * constant


def _powers(node: ast.expr, units: Mapping[str, Mapping[str, float]], whole: Expression) -> dict[str, float] | None:
    """Powers of base units; None for a number, which may have any unit."""
    if isinstance(node, ast.Constant):
        return None
    if isinstance(node, ast.UnaryOp):
        return _powers(node.operand, units, whole)
    if isinstance(node, ast.BinOp):
        return _powers_of_two(node, _powers(node.left, units, whole), _powers(node.right, units, whole), whole)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id != BAND:
        inner = _powers(node.args[0], units, whole)
        kept = {"sqrt": 0.5, "abs": 1.0}.get(node.func.id, 0.0)
        return None if inner is None else {base: kept * power for base, power in inner.items()}
    return dict(units[whole.name_of(node)])


def _powers_of_two(
    node: ast.BinOp, one: dict[str, float] | None, other: dict[str, float] | None, whole: Expression
) -> dict[str, float] | None:
    if isinstance(node.op, ast.Pow):
        return None if one is None else {base: power * _exponent(node.right, one, whole) for base, power in one.items()}
    if isinstance(node.op, ast.Mult | ast.Div):
        if one is None and other is None:
            return None
        sign = 1.0 if isinstance(node.op, ast.Mult) else -1.0
        bases = {**(one or {}), **(other or {})}
        return {base: (one or {}).get(base, 0.0) + sign * (other or {}).get(base, 0.0) for base in bases}
    if one is not None and other is not None and written(one) != written(other):
        raise ExpressionError(f"'{whole.text}' adds or subtracts {written(one)} and {written(other)}; compare what has the same unit")
    return other if one is None else one


def _exponent(node: ast.expr, powers: Mapping[str, float], whole: Expression) -> float:
    if not any(powers.values()):
        return 0.0
    try:
        factors, constant = _linear(node, whole)
    except ExpressionError:
        factors = {"": 0.0}
    if factors:
        raise ExpressionError(f"'{whole.text}' raises {written(powers)} to a power that is no number; divide by its unit first")
    return constant

"""Line shapes that users write as formulas, with derivatives, for numpy arrays and torch tensors alike."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.expressions import Dual, Expression, ExpressionError, library
from napari_wse2xai.numerics.lineshapes import Shape

U, FORM = "u", "form"
RANGE, STEPS = 30.0, 60_001
"""How far from zero a formula's top is looked for, in u, and in how many steps."""
FARTHEST = 1e6
"""How far from its top a line is drawn after its formula, in u; it stays as it is there beyond."""
SHORT_OF = 0.9
"""How near to where a formula overflows it is asked: libraries differ in where that is."""
FORMS = (0.0, 0.5, 1.0)
"""Lowest, usual and highest form of a formula that has one."""
NODES = 400
"""Of the integral of the area."""


def own_shape(text: str) -> Shape:
    """Shape of a formula in ``u``, the distance from the position in FWHM, and perhaps ``form``.

    Parameters
    ----------
    text : such as ``1/cosh(u)``; moved, stretched and scaled so that its top lies at the position, with the height, and so that the FWHM
        is one, at the usual form (0.5)

    Raises
    ------
    ExpressionError
        The formula is none, or has no top with two sides that fall to half of it.
    """
    formula = Expression.of(text, (U, FORM), words="u = (x - position) / FWHM and form (0 to 1)")
    own = _Own(formula)
    return Shape(own.value, own.derivatives, FORMS if FORM in formula.names else None, own.area)


class _Own:
    """One formula, normalised."""

    def __init__(self, formula: Expression) -> None:
        if U not in formula.names:
            raise ExpressionError(f"'{formula.text}' does not contain u = (x - position) / FWHM, so it is no line")
        self.formula, self.has_form = formula, FORM in formula.names
        self.top, self.width, self.height = _measured(formula, self._typed(np.linspace(-RANGE, RANGE, STEPS), FORMS[1]).value)
        self.ends = self._said()

    def value(self, x: Any, position: Any, fwhm: Any, height: Any, form: Any = FORMS[1]) -> Any:
        """Value at some places."""
        return height * self._at(self.top + self.width * (x - position) / fwhm, form).value / self.height

    def derivatives(self, x: Any, position: Any, fwhm: Any, height: Any, form: Any = FORMS[1]) -> tuple[Any, ...]:
        """By position, FWHM, height and, where there is one, form."""
        u = (x - position) / fwhm
        found = self._at(self.top + self.width * u, form)
        by_u = height * found.by[U] * (self.width / self.height)
        plain = (-by_u / fwhm, -u * by_u / fwhm, found.value / self.height)
        return (*plain, height * found.by[FORM] / self.height) if self.has_form else plain

    def area(self, form: object) -> Any:
        """Area over height times FWHM, over the whole axis."""
        nodes, weights = np.polynomial.legendre.leggauss(NODES)
        angle = 0.5 * np.pi * nodes
        u, stretched = np.tan(angle), 0.5 * np.pi * weights / np.cos(angle) ** 2
        with np.errstate(all="ignore"):
            values = self._at(self.top + self.width * u, np.asarray(form)[..., None]).value / self.height
        return np.nan_to_num(values, posinf=0.0, neginf=0.0) @ stretched

    def _at(self, u: Any, form: Any) -> Dual:
        """Of the formula as it was typed; values and derivatives as broad as u and the form together."""
        return self._typed(library(u).clip(u, *self.ends), form)

    def _typed(self, u: Any, form: Any) -> Dual:
        with np.errstate(all="ignore"):
            values = {U: Dual(u, {U: 1.0}), FORM: Dual(form, {FORM: 1.0})}
            found = self.formula.evaluate(values)
            spread = 0.0 * u
            return Dual(found.value + spread, {name: slope + spread for name, slope in found.by.items()})

    def _said(self) -> tuple[float, float]:
        """Between which u a formula can be said: far out 1/cosh(u) has the slope inf * 0, exp(u)/(1 + exp(u))^2 is inf/inf."""
        u = np.concatenate([np.linspace(0.0, RANGE, STEPS), np.geomspace(RANGE, FARTHEST, STEPS)[1:]]).astype(np.float32)
        ends = []
        for side in (-1, 1):
            silent = np.zeros(len(u), dtype=bool)
            for form in FORMS if self.has_form else FORMS[:1]:
                found = self._typed(np.float32(self.top) + side * u, np.float32(form))
                silent |= ~np.isfinite([found.value, *found.by.values()]).all(axis=0)
            ends.append(self.top + side * SHORT_OF * float(u[max(int(silent.argmax()) - 1, 0) if silent.any() else -1]))
        return ends[0], ends[1]


def _measured(formula: Expression, values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Place of the top, FWHM and height of a formula on the grid that it is looked at."""
    u = np.linspace(-RANGE, RANGE, STEPS)
    no_line = f"'{formula.text}' is no line: it needs one top, with values on both sides that fall below half of it within u = -30 to 30"
    if not np.isfinite(values).all() or values.max() <= 0:
        raise ExpressionError(no_line)
    top = int(values.argmax())
    below = values < 0.5 * values[top]
    left, right = np.flatnonzero(below[:top]), np.flatnonzero(below[top:]) + top
    if not len(left) or not len(right):
        raise ExpressionError(no_line)
    half = [np.interp(0.5 * values[top], values[[a, b]], u[[a, b]]) for a, b in ((left[-1], left[-1] + 1), (right[0], right[0] - 1))]
    return float(u[top]), float(half[1] - half[0]), float(values[top])

"""What would explain a residual that many spectra share: a wider bound, a freed parameter, a line more, another shape or background."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.lineshapes import SHAPES
from napari_wse2xai.numerics.problem import FORM, FWHM, HEIGHT, PER_PEAK, POSITION, Problem
from napari_wse2xai.numerics.slopes import Slopes, model

Array = NDArray[np.float64]
Kind = Literal["bound", "held", "channels", "line", "shape", "background", "fringes", "edge"]
STEP = 1.4
"""Ratio of neighbouring widths that are tried."""
TRIED = 4
"""Places for a line from which it is fitted."""
NEARBY = ((-0.5, 0.8), (0.5, 0.8))
"""Where a line may hide beside a strong one: off its place, and how wide, in its FWHM."""
OTHER = {"lorentzian": "gaussian", "gaussian": "lorentzian"}
"""Shape that a simple line may be nearer to."""
ALL, MOST = 0.97, 0.7
"""Shares of a misfit that explain it wholly, and at all."""
ROOM = 0.9
"""Share from which more room for the FWHM is taken for the remedy, whatever else explains: what is missing beside shows in the next fit."""
NEARLY, ROUGHLY = 0.05, 0.12
"""By how much less a simpler remedy may explain, where the best explains all of the misfit, and where it does not."""
SHORTEST, LONGEST, FINE = 4.0, 0.5, 0.1
"""Periods of fringes that are tried: in channels, and in the FWHM of the widest line, which the misfit of a shape turns over in; and by how
many turns over the window they differ from one another."""
HALF = 0.5
"""Part of what a freed parameter explains that its own freedom must explain, beside that of all widths."""
AS_IT_WAS = 0.15
"""Change of the Lorentzian share of lines below which their shape is what it was."""
AT_BOUND = 1e-3
"""Distance from a bound of its FWHM, in its FWHM, at which a line lies there."""


@dataclass(frozen=True)
class Remedy:
    """One change of the model."""

    kind: Kind
    worth: float
    """By how many standard deviations of the stacked residual it helps."""
    left: float
    """Chi2 that it leaves of the stacked residual."""
    shift: Array
    """(peak, 4) by how much it moves the parameters of the peaks that are there."""
    position: float = np.nan
    fwhm: float = np.nan
    height: float = np.nan
    """Of the line that is missing, or place and width of the edge."""
    form: float = np.nan
    """Lorentzian share of the nearer shape, mean over the peaks."""
    widths: tuple[tuple[int, float], ...] = ()
    """Peaks that end at a bound of their FWHM, and the FWHM that they would have without it."""
    period: float = np.nan
    """Of fringes, in axis units."""
    depth: float = np.nan
    """Amplitude of fringes, share of the light of the lines."""
    freed: tuple[int, int] | None = None
    """Peak and parameter that are not where they are held."""
    value: float = np.nan
    """Where that parameter is."""
    bent: float = 0.0
    """Share of what this one explains that a bent background would explain too."""


@dataclass(frozen=True)
class Stack:
    """A typical spectrum of a map, its noise so small as all spectra together make it."""

    problem: Problem
    parameters: Array
    """(peak, 4) typical parameters."""
    residual: Array
    """(n,) what the fit leaves, counts."""
    sigma: Array
    """(n,) its standard deviation, counts."""

    @property
    def chi2(self) -> float:
        """Sum of squared residuals over the noise."""
        return float(((self.residual / self.sigma) ** 2).sum())

    def share(self, remedy: Remedy) -> float:
        """Share of the misfit that a remedy explains."""
        free = float(len(self.residual))
        return (self.chi2 - max(remedy.left, free)) / max(self.chi2 - free, 1.0)


def best(stack: Stack, plausible: Callable[[Remedy], bool] = lambda each: True) -> Remedy:
    """Remedy that explains most; of those that explain nearly as much, the simplest.

    Parameters
    ----------
    plausible : whether a remedy may be believed; one that may not is taken only where no other explains `MOST` of the misfit
    """
    found, explained = list[Remedy](), dict[Kind, float]()
    for remedy in remedies(stack):
        found.append(remedy)
        explained[remedy.kind] = stack.share(remedy)
        if remedy.kind == "bound" and explained["bound"] > ROOM and plausible(remedy):
            # Nothing explains much more; and a bent background is worth a try only if it needs no wider bound.
            return replace(remedy, bent=stack.share(_background(stack, stack.problem.upper)) / explained["bound"])
    likely = [each for each in found if plausible(each)]
    if max((explained[each.kind] for each in likely), default=0.0) < MOST:
        likely = found
    most = max(explained[each.kind] for each in likely)
    nearly = NEARLY if most > ALL else ROUGHLY
    chosen = next(each for each in likely if explained[each.kind] >= most - nearly)
    return replace(chosen, bent=explained["background"] / max(explained[chosen.kind], 1e-9))


def remedies(stack: Stack) -> Iterator[Remedy]:
    """The best of every kind, the simplest first."""
    bound = _bound(stack)
    yield from bound
    yield from _held(stack)
    yield from _channels(stack, bound[0].left if bound else stack.chi2)
    yield from _shape(stack)
    yield _background(stack, _room(stack.problem)[1])
    linear = _Linear(stack)
    yield from _fringes(stack, linear)
    yield _line(stack, linear)
    yield _edge(stack, linear)


class _Linear:
    """Which directions the parameters can follow already, and what a template adds to them."""

    def __init__(self, stack: Stack) -> None:
        problem = stack.problem
        slopes = Slopes(problem, stack.parameters[None])
        many = len(problem.rows)
        fitted = problem.links.T @ slopes.all[0, :many].astype(np.float64)
        self.size = np.maximum(np.linalg.norm(fitted, axis=1), 1e-300)
        columns = np.concatenate([fitted / self.size[:, None], slopes.all[0, many:]]) / problem.root / stack.sigma
        self.stack, self.columns = stack, columns.T
        self.basis = np.linalg.svd(self.columns, full_matrices=False)[0]
        self.z = self._across(stack.residual / stack.sigma)

    def _across(self, values: Array) -> Array:
        """Part of (..., n) that the parameters cannot follow."""
        return np.asarray(values - (values @ self.basis) @ self.basis.T)

    def amplitudes(self, templates: Array) -> tuple[Array, Array]:
        """Best amplitude of each template (t, n), and by how much chi2 falls."""
        across = self._across(templates / self.stack.sigma)
        power = np.einsum("tn,tn->t", across, across)
        hidden = power < 1e-6 * np.einsum("tn,tn->t", templates / self.stack.sigma, templates / self.stack.sigma)
        product = np.where(hidden, 0.0, across @ self.z)
        return product / np.maximum(power, 1e-300), product**2 / np.maximum(power, 1e-300)

    def pairs(self, templates: Array) -> tuple[Array, Array]:
        """Best amplitudes of pairs of templates (t, 2, n), and by how much chi2 falls."""
        across = self._across(templates / self.stack.sigma)
        normal = across @ across.swapaxes(1, 2)
        # Nor are those to be told that the parameters follow wholly, or that have no light.
        normal += (1e-9 * np.trace(normal, axis1=1, axis2=2) + np.finfo(float).tiny)[:, None, None] * np.eye(2)
        product = across @ self.z
        found = np.linalg.solve(normal, product[..., None])[..., 0]
        return np.asarray(found), np.asarray(np.einsum("ti,ti->t", found, product))

    def shift(self, template: Array) -> Array:
        """(peak, 4) by how much the parameters move where a template of its amplitude is part of the model."""
        problem = self.stack.problem
        moved = -np.linalg.lstsq(self.columns, template / self.stack.sigma, rcond=1e-5)[0][: len(self.size)] / self.size
        result = np.zeros(problem.start.size)
        result[problem.rows] = problem.links @ moved
        return result.reshape(-1, PER_PEAK)


def _bound(stack: Stack) -> list[Remedy]:
    """Lines that end at a bound of their FWHM, without it: every other remedy has that room too, and would take the credit."""
    problem, width = stack.problem, stack.parameters[:, FWHM]
    fitted = np.isin(np.arange(len(width)) * PER_PEAK + FWHM, problem.leaders)
    room = AT_BOUND * width
    # Beyond a bound is no line that ends there: a fit may have learnt from the map that lines are narrower than expected.
    held = fitted & ((np.abs(width - problem.lower[:, FWHM]) <= room) | (np.abs(width - problem.upper[:, FWHM]) <= room))
    if not held.any():
        return []
    found, left = _refitted(stack, _with_room(problem), stack.parameters[None])
    widths = tuple((int(k), float(found[0, k, FWHM])) for k in np.flatnonzero(held))
    return [Remedy("bound", _worth(stack.chi2 - left[0]), float(left[0]), found[0] - stack.parameters, widths=widths)]


def _held(stack: Stack) -> list[Remedy]:
    """Of the parameters that are fixed, tied or shared the one that helps most where it is fitted, and more than the room of all widths."""
    found, places = list[Remedy](), stack.problem.held
    room = _refitted(stack, _with_room(stack.problem), stack.parameters[None])[1][0] if places else 0.0
    for place in places:
        tried, left = _refitted(stack, _with_room(stack.problem.freed([place])), stack.parameters[None])
        if room - left[0] > HALF * (stack.chi2 - left[0]):
            shift, worth = tried[0] - stack.parameters, _worth(stack.chi2 - left[0])
            found.append(Remedy("held", worth, float(left[0]), shift, freed=place, value=float(tried[0][place])))
    return [min(found, key=lambda remedy: remedy.left)] if found else []


def _channels(stack: Stack, room: float) -> list[Remedy]:
    """Lines drawn as their means over each channel where they were drawn at its middle, or the other way round.

    Nothing where that helps little beyond the room, which leaves so much of chi2, that a line at its bound is given here too.
    """
    other = stack.problem.seen_otherwise(stack.parameters)
    if other is None:
        return []
    found, left = _refitted(stack, _with_room(other), stack.parameters[None])
    if room - left[0] < HALF * (stack.chi2 - left[0]):
        return []
    return [Remedy("channels", _worth(stack.chi2 - left[0]), float(left[0]), found[0] - stack.parameters)]


def _background(stack: Stack, upper: Array) -> Remedy:
    """A background that bends, two degrees more, below lines no wider than some bounds (peak, 4) allow."""
    problem = stack.problem
    lower, _ = _room(problem)
    more = replace(problem, degree=1 if problem.degree is None else problem.degree + 2, lower=lower, upper=upper)
    found, left = _refitted(stack, more, stack.parameters[None])
    return Remedy("background", _worth(stack.chi2 - left[0]), float(left[0]), found[0] - stack.parameters)


def _edge(stack: Stack, linear: _Linear) -> Remedy:
    """A step: where a filter begins to let light through."""
    x = stack.problem.x
    pitch = float(np.median(np.diff(x)))
    places, widths = x[2:-2:2], pitch * np.array([0.5, 1.0, 2.0, 4.0])
    at, wide = (each.ravel() for each in np.meshgrid(places, widths))
    templates = 0.5 * (1 + np.tanh((x - at[:, None]) / (2 * wide[:, None])))
    amplitude, gain = linear.amplitudes(templates)
    k = int(gain.argmax())
    shift = linear.shift(amplitude[k] * templates[k])
    return Remedy("edge", _worth(gain[k]), stack.chi2 - float(gain[k]), shift, float(at[k]), float(wide[k]), float(amplitude[k]))


def _fringes(stack: Stack, linear: _Linear) -> list[Remedy]:
    """Light that rises and falls along the axis: interference in a thinned detector (etaloning) or in a film; none on narrow lines."""
    problem, x = stack.problem, stack.problem.x
    span, pitch = float(np.ptp(x)), float(np.median(np.diff(x)))
    shortest, longest = SHORTEST * pitch, LONGEST * float(stack.parameters[:, FWHM].max())
    if longest <= 2 * shortest:
        return []
    light = model(x, problem.shapes, stack.parameters[None], problem.width)[0]
    turns = np.arange(span / longest, span / shortest, FINE) / span
    phase = 2 * np.pi * turns[:, None] * (x - x[0])
    pairs = np.stack([light * np.cos(phase), light * np.sin(phase)], axis=1)
    found, gain = linear.pairs(pairs)
    k = int(gain.argmax())
    depth = float(np.hypot(*found[k]))
    shift = np.hypot(*(linear.shift(depth * template) for template in pairs[k]))  # lines of other pixels lie elsewhere on the fringes
    return [Remedy("fringes", _worth(gain[k]), stack.chi2 - float(gain[k]), shift, period=float(1 / turns[k]), depth=depth)]


def _shape(stack: Stack) -> list[Remedy]:
    """Lines between Lorentzian and Gaussian; nothing where one has a form already."""
    problem = stack.problem
    if any(shape not in OTHER for shape in problem.shapes):
        return []
    forms = np.array([1.0 if shape == "lorentzian" else 0.0 for shape in problem.shapes])
    starts = np.repeat(stack.parameters[None], 2, axis=0)
    starts[:, :, FORM] = [[0.2], [0.8]]
    starts[:, :, FWHM] *= np.where(starts[:, :, FORM] == np.clip(forms, 0.2, 0.8), 1.0, np.where(forms > 0.5, 0.8, 1.2))
    lower, upper = _room(problem)
    upper[:, FORM] = 1.0
    wider = replace(problem, shapes=("pseudo-voigt",) * len(forms), start=starts[0], lower=lower, upper=upper)
    tried, each = _refitted(stack, wider, starts)
    found, left = tried[each.argmin()], float(each.min())
    heights = np.maximum(found[:, HEIGHT], 0.0)
    form, was = ((each * heights).sum() / max(float(heights.sum()), 1e-300) for each in (found[:, FORM], forms))
    if abs(form - was) < AS_IT_WAS:  # what helped is the room that widths are given here, not the shape
        return []
    shift = found - stack.parameters
    shift[:, FORM] = 0.0
    return [Remedy("shape", _worth(stack.chi2 - left), left, shift, form=float(form))]


def _line(stack: Stack, linear: _Linear) -> Remedy:
    """A line that is missing, fitted from the places where it would help most."""
    problem, count = stack.problem, len(stack.parameters)
    shape = _usual(problem)
    starts = np.array([[*stack.parameters, line] for line in _candidates(stack, linear, shape)])
    lower, upper = _room(problem)
    pitch = float(np.median(np.diff(problem.x)))
    low, high = (problem.x[0], 1.5 * pitch, 0.0, 0.0), (problem.x[-1], 0.7 * float(np.ptp(problem.x)), np.inf, 1.0)
    more = replace(
        problem,
        shapes=(*problem.shapes, shape),
        start=starts[0],
        anchor=np.append(problem.anchor, starts[0, -1, POSITION]),
        lower=np.concatenate([lower, [low]]),
        upper=np.concatenate([upper, [high]]),
        width=None if problem.width is None else np.append(problem.width, pitch),
    )
    found, left = _refitted(stack, more, starts)
    k = int(left.argmin())
    position, fwhm, height, _ = (float(value) for value in found[k, count])
    return Remedy("line", _worth(stack.chi2 - left[k]), float(left[k]), found[k, :count] - stack.parameters, position, fwhm, height)


def _candidates(stack: Stack, linear: _Linear, shape: str) -> Array:
    """(candidate, 4) lines from which to start."""
    x = stack.problem.x
    pitch = float(np.median(np.diff(x)))
    # From two channels to two fifths of the window; places a third of a width apart, so that no line lies between two of them.
    widths = 2 * pitch * STEP ** np.arange(1 + int(np.log(max(len(x) / 5, 1.0)) / np.log(STEP)))
    grid = np.array([(place, width) for width in widths for place in np.arange(x[0], x[-1], width / 3)])
    templates = SHAPES[shape](x, grid[:, :1], grid[:, 1:], 1.0)
    amplitude, gain = linear.amplitudes(templates)
    gain = np.where(amplitude > 0, gain, 0.0)
    chosen: list[tuple[float, ...]] = []
    for k in np.argsort(-gain):
        if len(chosen) == TRIED:
            break
        if all(abs(grid[k, 0] - line[0]) > 0.5 * max(grid[k, 1], line[1]) for line in chosen):
            chosen.append((*grid[k], float(amplitude[k]), 0.0))
    strongest = stack.parameters[stack.parameters[:, HEIGHT].argmax()]
    beside = [(strongest[0] + side * strongest[1], wide * strongest[1], 0.4 * strongest[2], 0.0) for side, wide in NEARBY]
    return np.array([*chosen, *beside])


def _usual(problem: Problem) -> str:
    """Shape of a line more: that of most peaks, without a form of its own."""
    simple = [shape if shape in OTHER else "lorentzian" for shape in problem.shapes]
    return max(sorted(set(simple)), key=simple.count)


def _room(problem: Problem) -> tuple[Array, Array]:
    """Bounds that do not hold a parameter which only the misfit drove there."""
    lower, upper = problem.lower.copy(), problem.upper.copy()
    lower[:, FWHM], upper[:, FWHM] = 0.5 * lower[:, FWHM], 1.5 * upper[:, FWHM]
    return lower, upper


def _with_room(problem: Problem) -> Problem:
    lower, upper = _room(problem)
    return replace(problem, lower=lower, upper=upper)


def _refitted(stack: Stack, problem: Problem, starts: Array) -> tuple[Array, Array]:
    """Parameters (start, peak, 4) from each start, and the chi2 that each leaves."""
    from napari_wse2xai.numerics import least_squares

    old = stack.problem
    spectrum = model(old.x, old.shapes, stack.parameters[None], old.width)[0] + stack.residual
    weighted = replace(problem, weights=_weights(stack), penalty=0.0)
    begin = np.clip(starts, problem.lower, problem.upper)
    counts = np.repeat(spectrum[None], len(begin), axis=0)
    found = least_squares.fit(weighted, counts.astype(np.float64), least_squares.Tolerance(1e-7, 60), start=begin)
    rest = weighted.without_background((counts - model(old.x, problem.shapes, found, problem.width)) * weighted.root)
    scale = float((1 / stack.sigma**2).mean())
    return found, (rest**2).sum(axis=1) * scale


def _weights(stack: Stack) -> Array:
    weights = 1 / stack.sigma**2
    return np.asarray(weights / weights.mean())


def _worth(gain: float) -> float:
    return float(np.sqrt(max(gain, 0.0)))

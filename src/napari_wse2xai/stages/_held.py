"""Parameters that are fixed, tied or shared by all pixels: where all pixels put what they share, and what the map says against the rest."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.all_over import all_over
from napari_wse2xai.numerics.lineshapes import SHAPES
from napari_wse2xai.stages._fitting import SEEN, Fit, FitWindow
from napari_wse2xai.stages._pixels import Pixels
from napari_wse2xai.stages._unresolved import beside
from napari_wse2xai.stages.peaks import KINDS

if TYPE_CHECKING:
    from napari_wse2xai.numerics.held import Said
    from napari_wse2xai.numerics.problem import Problem

Place = tuple[int, int]
"""(peak, parameter)."""
Values = NDArray[np.float64]
ASKED, LOOKED_AT = 100, 1000
"""Spectra that shared parameters are found from, and that tell whether held ones differ over the map."""
ROUNDS, NEAR = 5, 0.3
"""Steps towards a shared parameter at most, and the last of them, in its errors."""
FAR = 0.5
"""Part of the line's FWHM that a step may change a shared position or width by: to first order more means little."""
SURE = 8.0
"""Standard deviations from which a map shows that a held parameter differs from pixel to pixel."""
ONE = 0.4
"""Distance of two peaks, in their mean FWHM, below which what a spectrum says of one is not even to first order so."""


@dataclass(frozen=True)
class Differing:
    """A held parameter that is not the same, or does not follow, all over the map."""

    place: Place
    spread: float
    """Standard deviation over the map, beyond the pixels' errors."""
    worth: float
    """In standard deviations."""


def shared_places(window: FitWindow) -> list[Place]:
    """What all pixels share, and is neither fixed nor follows another peak."""
    names = [peak.name for peak in window.peaks]
    return [
        (k, KINDS.index(kind))
        for k, peak in enumerate(window.peaks)
        for kind in sorted(set(peak.shared_kinds), key=KINDS.index)
        if kind not in (*peak.fixed_kinds, *peak.leaders, *peak.formulas(names)) and (kind != "form" or SHAPES[peak.line_shape].form)
    ]


def settled(window: FitWindow, problem: "Problem", spectra: Pixels, solver: Any) -> "Problem":
    """The problem with what all pixels share where all of them put it, not their mean spectrum: there lines that wander are wide."""
    places = shared_places(window)
    if not places or not len(spectra) or not solver.refits:
        return problem
    from napari_wse2xai.numerics import least_squares

    counts = spectra.of(window, all_over(len(spectra), ASKED))
    found = problem.scaled_start(counts)
    for _ in range(ROUNDS):
        found = least_squares.fit(problem, counts, least_squares.Tolerance(1e-5, 40), start=found)
        step, error = said_of(problem, places, window.judge(problem, counts, found), counts).together
        if (np.abs(step) < NEAR * error).all():
            break
        problem = _moved(problem, places, step)
    return problem


def with_held(window: FitWindow, problem: "Problem", fit: Fit, spectra: Pixels) -> Fit:
    """A fit whose errors hold that pixels may differ by more than what is held says, and that what they share is not known exactly."""
    shared, rows = shared_places(window), all_over(len(fit.found), LOOKED_AT)
    if fit.misfit is None or not problem.held or not len(rows):
        return fit
    unsure = [([one.place], np.array([one.spread])) for one in differing(window, problem, fit, spectra) if one.place not in shared]
    errors = fit.quality.error.copy()
    if shared:
        said = said_of(problem, shared, fit.only(rows), spectra.of(window, rows))
        away, error = said.together
        unsure.append((shared, np.where(np.isfinite(error), np.hypot(np.hypot(away, error), said.scatter[0]), 0.0)))
        for place, sigma in _with_followers(problem, *unsure[-1]):
            errors[:, *place] = sigma or np.nan
    bias = fit.misfit.bias.copy()
    for part in spectra.chunks() if any(by.any() for _, by in unsure) else ():
        some, counts = fit.only(part), spectra.of(window, part)
        for places, by in unsure:
            bias[part] = np.hypot(bias[part], _shift(said_of(problem, places, some, counts), by, bias[part].shape))
    for place, _ in _with_followers(problem, shared, np.ones(len(shared))):  # what is the same in all pixels has that error already
        bias[:, *place] = fit.misfit.bias[:, *place]
    return replace(fit, misfit=replace(fit.misfit, bias=bias), quality=replace(fit.quality, error=errors))


def _with_followers(problem: "Problem", shared: list[Place], unsure: Values) -> Iterator[tuple[Place, float]]:
    """What all pixels share, and what follows nothing else, with one standard error of each."""
    known = dict(zip(shared, map(float, unsure), strict=True))
    yield from known.items()
    for follower in {tie.follower for tie in problem.ties}:
        led = [tie for tie in problem.ties if tie.follower == follower]
        if all(tie.leader in known for tie in led):
            yield follower, float(np.sqrt(sum((tie.ratio * known[tie.leader]) ** 2 for tie in led)))


def _shift(said: "Said", unsure: Values, shape: tuple[int, ...]) -> Values:
    """(pixel, peak, 4) by how much what is unsure of held parameters moves all of them."""
    return np.asarray(np.sqrt(np.einsum("pqs,s->pq", said.moved**2, unsure**2)).reshape(shape))


def differing(window: FitWindow, problem: "Problem", fit: Fit, spectra: Pixels) -> Iterator[Differing]:
    """What is held, but differs over the map: asked one by one, as the others are held."""
    rows = all_over(len(fit.found), LOOKED_AT)
    for place in problem.held if len(rows) else ():
        seen = rows[~fit.absent(SEEN)[rows, place[0]] & ~beside(fit.found[rows], place[0], ONE)]
        if len(seen):
            spread, worth = said_of(problem, [place], fit.only(seen), spectra.of(window, seen)).scatter
            if worth[0] > SURE:
                yield Differing(place, float(spread[0]), float(worth[0]))


def said_of(problem: "Problem", places: list[Place], fit: Fit, counts: NDArray[np.float32]) -> "Said":
    """What the spectra of a fit say of some held parameters."""
    from napari_wse2xai.numerics.held import Said

    seen = ~fit.absent(SEEN)[:, [k for k, _ in places]]
    return Said.of(problem, places, counts, fit.found, fit.free, fit.noise, seen)


def _moved(problem: "Problem", places: list[Place], step: Values) -> "Problem":
    """The problem with shared parameters so much farther on, within their bounds."""
    start = problem.start.copy()
    for (k, kind), by in zip(places, step, strict=True):
        most = FAR * start[k, 1] if KINDS[kind] in ("position", "fwhm") else FAR
        start[k, kind] = np.clip(start[k, kind] + np.clip(by, -most, most), problem.lower[k, kind], problem.upper[k, kind])
    return replace(problem, start=start)

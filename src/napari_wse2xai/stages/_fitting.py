"""One fit window at work: from settings to a problem for a solver, and from its answer to what the maps show."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data.peak_maps import through
from napari_wse2xai.data.quantities import Feature
from napari_wse2xai.numerics.lineshapes import SHAPES
from napari_wse2xai.stages._sampling import by_sample
from napari_wse2xai.stages.peaks import KINDS, Peak

if TYPE_CHECKING:
    from napari_wse2xai.numerics.problem import Problem
    from napari_wse2xai.numerics.remedies import Remedy
    from napari_wse2xai.numerics.residual_noise import Noise
    from napari_wse2xai.numerics.uncertainty import Quality
    from napari_wse2xai.stages._substrate import Substrate
    from napari_wse2xai.stages._terms import Terms

Spectra = NDArray[np.float32]
Parameters = NDArray[np.float64]
Done = Callable[[float], None]
USUAL_NARROWEST = 0.3
"""Share of the expected FWHM; who sets a higher one means it, else the map may show narrower lines."""
SEEN = 3.0
"""Errors of its height above which a peak is looked at, whatever its spectrum seemed to hold."""
CONVERGED = 0.1
"""Largest fall of chi2 still possible at a fit called converged: its parameters lie within a third of their standard errors."""


MOST_MISSING, MOST_NEAR = 0.5, 0.5
"""Shares of the channels of a window, and of those within one FWHM of a peak, that a spectrum may lack to be fitted."""
ELSEWHERE = ((-0.8, 0.6), (0.8, 0.6), (-0.8, 1.6), (0.8, 1.6))
"""Where a peak that is stuck starts again: how far off its place and how wide, in FWHM."""


@dataclass(frozen=True)
class FitWindow:
    """Peaks that are fitted together, and the channels they are fitted on."""

    peaks: tuple[Peak, ...]
    channels: slice | NDArray[np.intp]
    x: NDArray[np.float64]
    span: tuple[float, float]
    """The window, axis unit: what the windows of its peaks cover together."""
    degree: int | None = 1
    """Of the polynomial under the peaks; None for none."""
    substrate: "Substrate | None" = None
    """Spectrum that every pixel has some of; None for none."""
    beside: tuple[tuple[float, float], ...] = ()
    """Channels outside of the window that are fitted too, from and to, axis unit: they hold the background."""
    otherwise: bool = False
    """Whether lines are averaged over channels where their width does not ask for it, and not where it does: the data asked for that."""

    @property
    def effort(self) -> int:
        """Share of the work."""
        return len(self.peaks) * len(self.x)

    def bears(self, missing: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(pixel,) whether spectra that lack some channels (pixel, n) still tell of every peak."""
        near = np.stack([np.abs(self.x - peak.position) <= peak.fwhm for peak in self.peaks]).astype(np.float64)
        lost = (missing @ near.T) / np.maximum(near.sum(axis=1), 1.0)
        enough = (~missing).sum(axis=1) > 4 * len(self.peaks) + 2
        return np.asarray(enough & (missing.mean(axis=1) <= MOST_MISSING) & (lost <= MOST_NEAR).all(axis=1) | ~missing.any(axis=1))

    def problem(self, mean: NDArray[np.floating], weights: NDArray[np.float64] | None, terms: "Terms") -> "Problem":
        """State the fit for a solver; heights that are not given are read off the mean spectrum."""
        from napari_wse2xai.numerics.problem import Problem

        seen = [max(float(np.interp(p.position, self.x, mean)), 0.05 * float(mean.max()), 1e-12) for p in self.peaks]
        forms = [SHAPES[p.line_shape].form or (0.0, 0.0, 0.0) for p in self.peaks]
        start = np.array(
            [
                (p.position, p.fwhm, p.height or height, form[1] if p.form is None else p.form)
                for p, height, form in zip(self.peaks, seen, forms, strict=True)
            ]
        )
        low, high = self._bounds(forms, terms.width_range)
        return Problem(
            self.x,
            tuple(p.line_shape for p in self.peaks),
            start,
            start[:, 0].copy(),
            low,
            high,
            self.degree,
            terms.position_penalty,
            fixed=frozenset((k, KINDS.index(kind)) for k, p in enumerate(self.peaks) for kind in p.fixed_kinds),
            ties=self._ties(start),
            bounded=frozenset((k, KINDS.index(kind)) for k, p in enumerate(self.peaks) for kind in p.bounds),
            weights=weights,
            templates=None if self.substrate is None else self.substrate.values[self.channels][:, None],
        )

    def _bounds(self, forms: Sequence[tuple[float, float, float]], width_range: tuple[float, float]) -> tuple[Parameters, Parameters]:
        """Lowest and highest value of every parameter, (peak, 4): what a peak sets itself, else what follows from what is expected."""
        (narrow, wide), each = width_range, list(zip(self.peaks, forms, strict=True))
        low = np.array([(max(p.position - p.reach, p.window[0]), narrow * p.fwhm, 0.0, form[0]) for p, form in each])
        high = np.array([(min(p.position + p.reach, p.window[1]), wide * p.fwhm, np.inf, form[2]) for p, form in each])
        for k, peak in enumerate(self.peaks):
            for kind, bounds in peak.bounds.items():
                low[k, KINDS.index(kind)], high[k, KINDS.index(kind)] = bounds
        return low, high

    def begun(
        self,
        mean: NDArray[np.floating],
        weights: NDArray[np.float64] | None,
        terms: "Terms",
        progress: Done = lambda done: None,
    ) -> "Problem":
        """Problem that starts where a mean spectrum puts it, and whose lines may be as narrow as it shows, whatever was expected."""
        problem, light = self.problem(mean, weights, terms), mean[None].astype(np.float32)
        usual = terms.width_range[0] <= USUAL_NARROWEST
        found = terms.solver.solve(problem.opened() if usual else problem, light, progress)
        problem = problem.fitted_out(found[0], terms.width_range[0] if usual else np.inf)
        problem = (problem.seen_otherwise(found[0]) if self.otherwise else None) or problem
        if problem.width is not None:
            found = terms.solver.solve(problem, light, progress, found)
        return self._with_shared(problem.restarted(found[0]), found[0])

    def _with_shared(self, problem: "Problem", found: Parameters) -> "Problem":
        """What all pixels share keeps what the mean spectrum says, (peak, 4), where it says anything."""
        shared = [(k, KINDS.index(kind)) for k, peak in enumerate(self.peaks) for kind in peak.shared_kinds]
        start = problem.start.copy()
        for k, kind in shared:
            if found[k, 2] > 0:
                start[k, kind] = np.clip(found[k, kind], problem.lower[k, kind], problem.upper[k, kind])
        return replace(problem, start=start, fixed=problem.fixed | set(shared)) if shared else problem

    def _ties(self, start: Parameters) -> tuple[Any, ...]:
        from napari_wse2xai.numerics.problem import Tie

        names = [peak.name for peak in self.peaks]
        ties = []
        for k, peak in enumerate(self.peaks):
            for kind, name in peak.leaders.items():
                leader, i = names.index(name), KINDS.index(kind)
                if kind == "position":
                    ties.append(Tie((k, i), (leader, i), 1.0, float(start[k, i] - start[leader, i])))
                else:
                    ties.append(Tie((k, i), (leader, i), float(start[k, i] / start[leader, i])))
            for kind, (factors, constant) in peak.formulas(names).items():
                for number, (parameter, factor) in enumerate(factors.items()):
                    led = Feature.of(parameter)
                    place = (names.index(led.line), KINDS.index(led.parameter))
                    ties.append(Tie((k, KINDS.index(kind)), place, factor, constant if number == 0 else 0.0))
        return tuple(ties)

    def fit(self, problem: "Problem", counts: Spectra, solver: Any, progress: Done) -> "Fit":
        """Fit spectra (pixel, n); where the solver allows, what is stuck is tried elsewhere, what is not at its minimum finished."""
        from napari_wse2xai.numerics.residual_noise import Noise

        found, empty = self.solve(problem, counts, solver, progress)
        noise = Noise.of(problem, counts, found)
        fit = replace(self.judge(problem, counts, found, noise), empty=empty)
        return self.finished(problem, counts, fit) if solver.refits else fit

    def solve(self, problem: "Problem", counts: Spectra, solver: Any, progress: Done) -> tuple[Parameters, NDArray[np.bool_]]:
        """Parameters (pixel, peak, 4), and (pixel,) where there is nothing to fit: there only heights are found."""
        from napari_wse2xai.numerics import empty

        if not solver.refits:
            return solver.solve(problem, counts, progress), np.zeros(len(counts), dtype=bool)
        nothing = empty.empty(problem, counts)
        rows = slice(None) if not nothing.any() else np.flatnonzero(~nothing)
        found = np.empty((len(counts), *problem.start.shape))
        if not nothing.all():
            found[rows] = solver.solve(problem, counts[rows], progress)
            found[rows] = self._tried_elsewhere(problem, counts[rows], solver, found[rows])
        if nothing.any():
            found[nothing] = empty.heights_alone(problem, counts[nothing])
        return found, nothing

    def finished(self, problem: "Problem", counts: Spectra, fit: "Fit") -> "Fit":
        """Bring what is not at its minimum there, on the channels."""
        from napari_wse2xai.numerics import least_squares

        hopeless = fit.absent(SEEN).all(axis=1) & (fit.empty | ~fit.may_rise_above(SEEN))
        rows = np.flatnonzero((fit.quality.distance > CONVERGED) & ~hopeless)
        if not len(rows):
            return fit
        better = least_squares.fit(problem, counts[rows], least_squares.Tolerance(), start=fit.found[rows])
        return fit.merged(rows, self.judge(problem, counts[rows], better, fit.noise))

    def better(
        self, problem: "Problem", counts: Spectra, found: Parameters, others: Sequence[Parameters]
    ) -> tuple[Parameters, NDArray[Any]]:
        """Of some parameters and their rivals those of the lowest objective; and which rival that is, -1 for none.

        A rival must be better by as much as tells a fit that is at its minimum from one that is not.
        """
        from napari_wse2xai.numerics.uncertainty import objective

        best, cost, which = found.copy(), objective(problem, counts, found), np.full(len(found), -1)
        worth = 1 - CONVERGED / len(problem.x)
        for number, other in enumerate(others):
            new = objective(problem, counts, other)
            lower = new < cost * worth
            best[lower], cost[lower], which[lower] = other[lower], new[lower], number
        return best, which

    def _tried_elsewhere(self, problem: "Problem", counts: Spectra, solver: Any, found: Parameters) -> Parameters:
        """Where a peak ended without height or at its bound, start it again on both sides of its place; keep what is lower."""
        if not len(found):
            return found
        free = self._free(found, problem)
        free[..., 2] &= found[..., 2] > 0
        stuck: NDArray[np.bool_] = ~np.asarray(free.all(axis=2))
        rows = np.flatnonzero(stuck.any(axis=1))

        def attempt(which: NDArray[np.intp]) -> NDArray[np.bool_]:
            some = rows[which]
            starts = self.elsewhere(problem, counts[some], found[some], stuck[some])
            tried = solver.solve(problem, np.concatenate([counts[some]] * len(starts)), lambda done: None, np.concatenate(starts))
            found[some], better = self.better(problem, counts[some], found[some], np.split(tried, len(starts)))
            return np.asarray(better >= 0)

        by_sample(free.reshape(len(free), -1)[rows], attempt)
        return found

    def elsewhere(self, problem: "Problem", counts: Spectra, found: Parameters, stuck: NDArray[np.bool_]) -> list[Parameters]:
        """Other starts for the peaks that are stuck, (pixel, peak, 4) each."""
        usual, starts = problem.scaled_start(counts), []
        for side, width in ELSEWHERE:
            moved = usual + usual[..., 1:2] * [side, width - 1.0, 0, 0]
            start = np.clip(np.where(stuck[..., None], moved, found), problem.lower, problem.upper)
            starts.append(problem.complete(problem.fitted(start)))
        return starts

    def judge(
        self,
        problem: "Problem",
        counts: Spectra,
        found: Parameters,
        noise: "Noise | None" = None,
        gone: NDArray[np.bool_] | None = None,
    ) -> "Fit":
        """Errors and goodness of found parameters; the noise is that of the spectra given, unless it is known from more of them.

        `gone` (pixel, peak) are peaks that have no part in the others' errors.
        """
        from napari_wse2xai.numerics import uncertainty
        from napari_wse2xai.numerics.residual_noise import Noise

        free = self._free(found, problem)
        free = free if gone is None else free & ~gone[..., None]
        noise = noise or Noise.of(problem, counts, found)
        width = np.zeros(len(self.peaks)) if problem.width is None else problem.width
        quality = uncertainty.assess(problem, counts, found, free, noise)
        return Fit(found, free, quality, self._background(problem, quality.under), noise, np.zeros(len(found), dtype=bool), width)

    def _background(self, problem: "Problem", under: NDArray[np.float64]) -> NDArray[np.float64]:
        """(pixel, point + template) the polynomial at `points`, counts, and how much of each template lies under the peaks."""
        from napari_wse2xai.numerics.problem import polynomials_at

        if problem.degree is None:
            return np.concatenate([np.zeros((len(under), len(self.points))), under], axis=1)
        drawn = polynomials_at(self.points, problem.x, problem.degree, problem.root)
        return np.concatenate([under[:, : problem.degree + 1] @ drawn.T, under[:, problem.degree + 1 :]], axis=1)

    @property
    def points(self) -> NDArray[np.float64]:
        """Places between the ends of the window at which the background is given: as many as its polynomial is known by, at least two."""
        return np.linspace(*self.span, max(2, (self.degree or 0) + 1))

    def polynomial(self, x: NDArray[np.float64], background: Parameters) -> Parameters:
        """(pixel, n) the background's polynomial at some places, from `Fit.background` (pixel, d)."""
        return through(x, self.span, background[:, : len(self.points)].T[:, :, None])

    def _free(self, found: Parameters, problem: "Problem") -> NDArray[np.bool_]:
        """(pixel, peak, 4) False where a parameter lies at its bound.

        A height at zero is an absent peak, not a bound; a Voigt line that is all Gaussian is what the data say, known as well as another.
        """
        tolerance = 1e-3 * np.stack([problem.start[:, 1], problem.start[:, 1], problem.start[:, 2], np.ones(len(self.peaks))], axis=1)
        inside = (found > problem.lower + tolerance) & (found < problem.upper - tolerance)
        inside[..., 2] |= [(k, 2) not in problem.bounded for k in range(len(self.peaks))]
        inside[..., 3] |= [SHAPES[p.line_shape].entire and (k, 3) not in problem.bounded for k, p in enumerate(self.peaks)]
        free = np.ones((len(found), inside.shape[1] * inside.shape[2]), dtype=bool)
        free[:, problem.leaders] = inside.reshape(free.shape)[:, problem.leaders]
        return free.reshape(inside.shape)


@dataclass(frozen=True)
class Misfit:
    """What the model of a window misses."""

    own: NDArray[np.float64]
    """(pixel,) what the structure of the pixel's residual is worth, in standard deviations; 0 where it may be chance."""
    bias: NDArray[np.float32]
    """(pixel, peak, 4) by how much a misfit that the whole map shares moves the parameters."""
    remedy: "Remedy | None"
    """What would explain that misfit."""
    unresolved: NDArray[np.bool_]
    """(pixel, peak) whether a peak cannot be told from its neighbour."""


@dataclass(frozen=True)
class Fit:
    """What one window gave, one row per fitted pixel."""

    found: Parameters
    """(pixel, peak, 4)."""
    free: NDArray[np.bool_]
    quality: "Quality"
    background: NDArray[np.float64]
    """(pixel, point + template) see `FitWindow._background`."""
    noise: "Noise"
    """That the errors were taken from."""
    empty: NDArray[np.bool_]
    """(pixel,) where the spectrum shows nothing, and no place or width was looked for."""
    width: NDArray[np.float64]
    """(peak,) see `Problem`; 0 where lines are not averaged over channels."""
    misfit: "Misfit | None" = None
    """What the model misses; None where that was not tested."""

    def absent(self, detection: float) -> NDArray[np.bool_]:
        """(pixel, peak) True where the height does not stand out of its error; a fixed height, which has none, is believed."""
        error = np.nan_to_num(self.quality.error[..., 2], nan=0.0)
        return np.asarray(~(self.found[..., 2] > detection * error))

    def may_rise_above(self, detection: float) -> NDArray[np.bool_]:
        """(pixel,) True where a peak would stand out of its error with all that the objective may still fall."""
        with np.errstate(divide="ignore", invalid="ignore"):
            significance = np.nan_to_num(self.found[..., 2] / self.quality.error[..., 2], nan=np.inf)
        return np.asarray((significance**2).max(axis=1) + self.quality.distance > detection**2)

    def errors(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Errors (pixel, peak, 4) and covariance (pixel, peak, 3, 3) that hold what the model misses.

        What shows in a pixel's own residual may be missed as much where it does not show, in the parameters.
        """
        error, covariance = self.quality.error.astype(np.float64), self.quality.covariance.astype(np.float64)
        if self.misfit is None:
            return error, covariance
        raised, bias = 1.0 + self.misfit.own**2, self.misfit.bias.astype(np.float64)
        moved = bias[..., 1:]
        joint = covariance * raised[:, None, None, None] + moved[..., :, None] * moved[..., None, :]
        return np.sqrt(error**2 * raised[:, None, None] + bias**2), joint

    def only(self, rows: slice | NDArray[np.intp]) -> "Fit":
        """Some of the pixels."""
        misfit = self.misfit and replace(
            self.misfit, own=self.misfit.own[rows], bias=self.misfit.bias[rows], unresolved=self.misfit.unresolved[rows]
        )
        quality: dict[str, Any] = {name: value if np.ndim(value) == 0 else value[rows] for name, value in vars(self.quality).items()}
        pixels = {name: getattr(self, name)[rows] for name in ("found", "free", "background", "empty")}
        return replace(self, quality=replace(self.quality, **quality), misfit=misfit, **pixels)

    def merged(self, rows: NDArray[np.intp], other: "Fit") -> "Fit":
        """Return this fit with some rows taken from another."""
        quality: dict[str, Any] = {}
        for name, value in vars(self.quality).items():
            quality[name] = value if np.ndim(value) == 0 else _replaced(value, rows, getattr(other.quality, name))
        return Fit(
            _replaced(self.found, rows, other.found),
            _replaced(self.free, rows, other.free),
            replace(self.quality, **quality),
            _replaced(self.background, rows, other.background),
            self.noise,
            self.empty,
            self.width,
        )

    @classmethod
    def joined(cls, parts: list["Fit"]) -> "Fit":
        """One fit out of those of several chunks."""
        first = parts[0].quality
        quality: dict[str, Any] = {
            name: value if np.ndim(value) == 0 else np.concatenate([getattr(part.quality, name) for part in parts])
            for name, value in vars(first).items()
        }
        return cls(
            np.concatenate([part.found for part in parts]),
            np.concatenate([part.free for part in parts]),
            replace(first, **quality),
            np.concatenate([part.background for part in parts]),
            parts[0].noise,
            np.concatenate([part.empty for part in parts]),
            parts[0].width,
        )


def _replaced(values: NDArray[Any], rows: NDArray[np.intp], by: NDArray[Any]) -> NDArray[Any]:
    result = values.copy()
    result[rows] = by
    return result

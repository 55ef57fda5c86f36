"""Skim the fits and refit what is abnormal: the paper's last step, done by itself."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Status
from napari_wse2xai.numerics import skimming
from napari_wse2xai.stages._fitting import Done, Fit, Parameters, Spectra
from napari_wse2xai.stages._pixels import CHUNK, Pixels
from napari_wse2xai.stages._plan import Plan
from napari_wse2xai.stages._sampling import by_sample
from napari_wse2xai.stages._status import pixel_status

if TYPE_CHECKING:
    from napari_wse2xai.numerics.problem import Problem
    from napari_wse2xai.stages.solvers import Solver


def second_look(plans: Sequence[Plan], fits: list[Fit], spectra: Pixels, progress: Done) -> tuple[list[Fit], str]:
    """Refit abnormal pixels from their neighbours' values and from elsewhere; keep what lowers the objective.

    Returns
    -------
    the fits, and how many pixels were looked at, why, and what helped, in words

    Notes
    -----
    A pixel that differs from its neighbours but is at its minimum from every start, and well described, is left as it is: crystals
    have edges.  What stays badly described keeps its values and a status that says so.  Where the first hundred pixels of a kind come out
    no better, the rest are not tried: what is wrong with a whole map is no bad luck of its pixels.
    """
    detection = plans[0].terms.detection
    status = pixel_status(fits, detection)
    reasons = {"not at a minimum": np.isin(status, [Status.NOT_CONVERGED]), "badly described": status == Status.ABNORMAL}
    reasons["a parameter at its bound"] = status == Status.AT_BOUND
    reasons["unlike its neighbours"] = np.any([_outlying(fit, detection, spectra) for fit in fits], axis=0)
    reasons["worse than its neighbours"] = np.any([_worse(fit, spectra) for fit in fits], axis=0)
    flags = np.stack(list(reasons.values()), axis=1)
    rows = np.flatnonzero(flags.any(axis=1) & ~np.all([fit.empty for fit in fits], axis=0))
    if not len(rows):
        return fits, "No pixel was abnormal."
    helped, result = {"the neighbours' values": 0, "the mean spectrum's values": 0, "wider peaks": 0}, list(fits)

    def attempt(which: NDArray[np.intp]) -> NDArray[np.bool_]:
        better = np.zeros(len(which), dtype=bool)
        for index, (plan, fit) in enumerate(zip(plans, fits, strict=True)):
            starts = other_starts(plan.problem, fit, spectra, rows, which)
            result[index], changed = _refitted(plan, result[index], spectra, rows[which], starts, helped)
            better |= changed
            progress((index + 1) / len(plans))
        return better

    tried = by_sample(flags[rows], attempt)
    return result, _words(rows, tried, reasons, helped, pixel_status(result, detection))


def _outlying(fit: Fit, detection: float, spectra: Pixels) -> NDArray[np.bool_]:
    """(pixel,) True where a parameter of a peak that is there differs from those around by more than errors and scatter allow."""
    absent = fit.absent(detection)
    outlying = np.zeros(len(absent), dtype=bool)
    for k in np.flatnonzero(absent.any(axis=0)):
        strength = spectra.on_map(fit.found[:, k, 2] / (detection * fit.quality.error[:, k, 2]))
        gone = np.flatnonzero(absent[:, k])
        outlying[gone[skimming.local_median(strength, spectra.where(gone)) > 2.0]] = True  # where it is strong all around
    together = max(1, skimming.AT_ONCE // len(absent))
    for first in range(0, absent.shape[1], together):
        some = slice(first, first + together)
        values = np.where(absent[:, some, None], np.nan, fit.found[:, some, :3])
        flagged = skimming.outliers(spectra.on_map(values), spectra.on_map(fit.quality.error[:, some, :3]))
        outlying |= flagged[..., spectra.whole].any(axis=(0, 1))
    return outlying


def _worse(fit: Fit, spectra: Pixels) -> NDArray[np.bool_]:
    """(pixel,) True where the fit leaves more than those around do, by more than the scatter of chi2."""
    chi2 = fit.quality.chi2 / fit.quality.freedom
    # Standard deviation of a reduced chi2 of so many degrees of freedom.
    spread = np.full_like(chi2, np.sqrt(2.0 / fit.quality.freedom))
    unlike = skimming.outliers(spectra.on_map(chi2), spectra.on_map(spread), threshold=5.0)
    return np.asarray(unlike[spectra.whole] & (chi2 > np.median(chi2)))


def other_starts(problem: "Problem", fit: Fit, spectra: Pixels, rows: NDArray[np.intp], which: NDArray[np.intp]) -> dict[str, Parameters]:
    """Where to start some of the abnormal rows the second time, (pixel, peak, 4) each."""
    some = rows[which]
    usual = np.repeat(problem.start[None], len(some), axis=0)
    flat = fit.found.reshape(len(fit.found), -1)
    # Abnormal pixels must not tell their abnormal neighbours where to start.
    good = np.ones(len(flat), dtype=bool)
    good[rows] = False
    around = skimming.local_median(spectra.on_map(np.where(good[:, None], flat, np.nan)), spectra.where(some))
    near = around.T.reshape(usual.shape).astype(np.float64)
    wide = fit.found[some].copy()
    # A peak that has shrunk onto one channel, or onto a spike, does not find back by itself: from too wide it does.
    wide[..., 1] *= 1.5
    return {"the neighbours' values": np.where(np.isfinite(near), near, usual), "the mean spectrum's values": usual, "wider peaks": wide}


def _refitted(
    plan: Plan,
    fit: Fit,
    spectra: Pixels,
    rows: NDArray[np.intp],
    starts: dict[str, Parameters],
    helped: dict[str, int],
) -> tuple[Fit, NDArray[np.bool_]]:
    """The fit with what came out better, and (row,) what did."""
    window, problem, changed = plan.window, plan.problem, np.zeros(len(rows), dtype=bool)
    for first in range(0, len(rows), CHUNK):
        part = slice(first, first + CHUNK)
        some, counts = rows[part], spectra.of(window, rows[part])
        begin = np.clip(np.concatenate([start[part] for start in starts.values()]), problem.lower, problem.upper)
        tried = solved(plan.terms.solver, problem, np.concatenate([counts] * len(starts)), begin)
        best, which = window.better(problem, counts, fit.found[some], np.split(tried, len(starts)))
        for number, name in enumerate(starts):
            helped[name] += int((which == number).sum())
        changed[part] = which >= 0
        if changed[part].any():
            mine = changed[part]
            better = window.judge(problem, counts[mine], best[mine], fit.noise)
            fit = fit.merged(some[mine], window.finished(problem, counts[mine], better))
    return fit, changed


def solved(solver: "Solver", problem: "Problem", counts: Spectra, start: Parameters) -> Parameters:
    from napari_wse2xai.numerics import least_squares

    if solver.refits:
        return solver.solve(problem, counts, lambda done: None, start)
    return least_squares.fit(problem, counts, least_squares.Tolerance(), start=start)


def _words(
    rows: NDArray[np.intp],
    tried: NDArray[np.bool_],
    reasons: dict[str, NDArray[np.bool_]],
    helped: dict[str, int],
    after: NDArray[np.uint8],
) -> str:
    why = ", ".join(f"{int(flags[rows].sum())} {reason}" for reason, flags in reasons.items() if flags[rows].any())
    what = ", ".join(f"{count} from {name}" for name, count in helped.items() if count) or "none came out better"
    left, spared = int((after[rows] != Status.OK).sum()), int((~tried).sum())
    more = f"; {spared} of them were not tried, since none of their kind had come out better" if spared else ""
    return f"{len(rows)} pixels looked at again ({why}); better minima: {what}{more}; {left} of them are still marked."

"""Skim the fits and refit what is abnormal: the paper's last step, done by itself."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Status
from napari_wse2xai.numerics import skimming
from napari_wse2xai.stages._fitting import WORTH, Done, Fit, FitWindow
from napari_wse2xai.stages._pixels import CHUNK, Pixels
from napari_wse2xai.stages._status import pixel_status

if TYPE_CHECKING:
    from napari_wse2xai.numerics.problem import Problem
    from napari_wse2xai.stages.deconvolve import Deconvolve


def second_look(
    stage: "Deconvolve",
    windows: Sequence[FitWindow],
    problems: Sequence["Problem"],
    fits: list[Fit],
    spectra: Pixels,
    progress: Done,
) -> tuple[list[Fit], str]:
    """Refit abnormal pixels from their neighbours' values and from elsewhere; keep what lowers the objective.

    Returns
    -------
    the fits, and how many pixels were looked at, why, and what helped, in words

    Notes
    -----
    A pixel that differs from its neighbours but is at its minimum from every start, and well described, is left as it is: crystals
    have edges.  What stays badly described keeps its values and a status that says so.
    """
    status = pixel_status(fits, stage.detection)
    reasons = {"not at a minimum": np.isin(status, [Status.NOT_CONVERGED]), "badly described": status == Status.ABNORMAL}
    reasons["a parameter at its bound"] = status == Status.AT_BOUND
    reasons["unlike its neighbours"] = np.any([_outlying(fit, stage.detection, spectra) for fit in fits], axis=0)
    reasons["worse than its neighbours"] = np.any([_worse(fit, spectra) for fit in fits], axis=0)
    rows = np.flatnonzero(np.any(list(reasons.values()), axis=0))
    if not len(rows):
        return fits, "No pixel was abnormal."
    helped = {"the neighbours' values": 0, "the mean spectrum's values": 0, "wider peaks": 0}
    result = []
    for index, (window, problem, fit) in enumerate(zip(windows, problems, fits, strict=True)):
        starts = _starts(problem, fit, spectra, rows, stage.detection)
        result.append(_refitted(window, problem, fit, spectra, rows, starts, helped))
        progress((index + 1) / len(windows))
    return result, _words(rows, reasons, helped, pixel_status(result, stage.detection))


def _outlying(fit: Fit, detection: float, spectra: Pixels) -> NDArray[np.bool_]:
    """(pixel,) True where a parameter of a peak that is there differs from those around by more than errors and scatter allow."""
    absent = fit.absent(detection)
    outlying = np.zeros(len(absent), dtype=bool)
    for k in range(absent.shape[1]):
        strength = spectra.on_map(fit.found[:, k, 2] / (detection * fit.quality.error[:, k, 2]))
        gone = np.flatnonzero(absent[:, k])
        outlying[gone[skimming.local_median(strength, spectra.where(gone)) > 2.0]] = True  # where it is strong all around
        for kind in range(3):
            values = np.where(absent[:, k], np.nan, fit.found[:, k, kind])
            flagged = skimming.outliers(spectra.on_map(values), spectra.on_map(fit.quality.error[:, k, kind]))
            outlying |= flagged[spectra.whole]
    return outlying


def _worse(fit: Fit, spectra: Pixels) -> NDArray[np.bool_]:
    """(pixel,) True where the fit leaves more than those around do, by more than the scatter of chi2."""
    chi2 = fit.quality.chi2 / fit.quality.freedom
    spread = np.full_like(chi2, np.sqrt(2.0 / fit.quality.freedom))
    unlike = skimming.outliers(spectra.on_map(chi2), spectra.on_map(spread), threshold=5.0)
    return np.asarray(unlike[spectra.whole] & (chi2 > np.median(chi2)))


def _starts(problem: "Problem", fit: Fit, spectra: Pixels, rows: NDArray[np.intp], detection: float) -> dict[str, NDArray[np.float64]]:
    """Where to start the second time, (pixel, peak, 4) each."""
    usual = np.repeat(problem.start[None], len(rows), axis=0)
    flat = fit.found.reshape(len(fit.found), -1)
    good = np.ones(len(flat), dtype=bool)
    good[rows] = False
    where = spectra.where(rows)
    around = [skimming.local_median(spectra.on_map(np.where(good, values, np.nan)), where) for values in flat.T]
    near = np.stack(around, axis=1).reshape(usual.shape).astype(np.float64)
    wide = fit.found[rows].copy()
    wide[..., 1] *= 1.5
    return {"the neighbours' values": np.where(np.isfinite(near), near, usual), "the mean spectrum's values": usual, "wider peaks": wide}


def _refitted(
    window: FitWindow,
    problem: "Problem",
    fit: Fit,
    spectra: Pixels,
    rows: NDArray[np.intp],
    starts: dict[str, NDArray[np.float64]],
    helped: dict[str, int],
) -> Fit:
    from napari_wse2xai.numerics import least_squares
    from napari_wse2xai.numerics.uncertainty import objective

    for first in range(0, len(rows), CHUNK):
        some = rows[first : first + CHUNK]
        counts = spectra.of(window, some)
        best, cost = fit.found[some], objective(problem, counts, fit.found[some])
        before = cost.copy()
        begin = np.clip(np.concatenate([start[first : first + CHUNK] for start in starts.values()]), problem.lower, problem.upper)
        tried = least_squares.fit(problem, np.concatenate([counts] * len(starts)), least_squares.Tolerance(), start=begin)
        for name, found in zip(starts, np.split(tried, len(starts)), strict=True):
            new = objective(problem, counts, found)
            better = new < cost * (1 - WORTH)
            helped[name] += int((better & (new < before * (1 - 1e-4))).sum())
            best, cost = np.where(better[:, None, None], found, best), np.where(better, new, cost)
        changed = cost < before
        if changed.any():
            fit = fit.merged(some[changed], window.judge(problem, counts[changed], best[changed], fit.noise))
    return fit


def _words(rows: NDArray[np.intp], reasons: dict[str, NDArray[np.bool_]], helped: dict[str, int], after: NDArray[np.uint8]) -> str:
    why = ", ".join(f"{int(flags.sum())} {reason}" for reason, flags in reasons.items() if flags.any())
    what = ", ".join(f"{count} from {name}" for name, count in helped.items() if count) or "none came out better"
    left = int((after[rows] != Status.OK).sum())
    return f"{len(rows)} pixels looked at again ({why}); better minima: {what}; {left} of them are still marked."

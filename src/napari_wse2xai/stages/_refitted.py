"""A deconvolution as it was before its fits were put on the map: rebuilt from the peak maps, without fitting again."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import PeakMaps, SpectralMap
from napari_wse2xai.errors import DataError
from napari_wse2xai.numerics.lineshapes import OWN, SEEN_AT
from napari_wse2xai.stages._computing import Fitted
from napari_wse2xai.stages._fitting import Fit, FitWindow
from napari_wse2xai.stages._held import shared_places
from napari_wse2xai.stages._mending import fitted_beside
from napari_wse2xai.stages._misfit import with_misfits
from napari_wse2xai.stages._pixels import Pixels
from napari_wse2xai.stages._screening import screened
from napari_wse2xai.stages._stage import as_kept
from napari_wse2xai.stages.deconvolve import Deconvolve
from napari_wse2xai.stages.peaks import KINDS, Peak

if TYPE_CHECKING:
    from napari_wse2xai.numerics.problem import Problem


def settings_of(peaks: PeakMaps) -> Deconvolve:
    """Settings that the fit was made with, from its history; where that holds none, from the peaks themselves."""
    record = next((record for record in reversed(peaks.history) if record.step == Deconvolve.__name__), None)
    if record is not None:
        return as_kept(Deconvolve, record)
    middle = [np.nanmedian(np.stack([p, w]), axis=(1, 2)) for p, w in zip(peaks.position, peaks.fwhm, strict=True)]
    each = zip(peaks.names, peaks.shapes, middle, peaks.windows, strict=True)
    return Deconvolve(peaks=tuple(Peak(name=n, position=float(m[0]), fwhm=float(m[1]), window=w, **named(s)) for n, s, m, w in each))


def named(shape: str) -> dict[str, Any]:
    """Settings of a peak for the name of its line shape."""
    if shape.startswith(OWN):
        return {"shape": "own", "formula": shape.removeprefix(OWN).strip()}
    kind, at, resolution = shape.partition(SEEN_AT)
    return {"shape": kind, "instrument_fwhm": float(resolution)} if at else {"shape": kind}


def refitted(stage: Deconvolve, peaks: PeakMaps, source: SpectralMap) -> Fitted:
    """The fits of all pixels that have one; raises DataError where the map is not the one that was deconvolved."""
    if peaks.frame.shape != source.frame.shape or len(peaks.axis) != len(source.axis):
        raise DataError(f"'{source.name}' is not the map that '{peaks.name}' was deconvolved from; give that one.")
    source = screened(source)
    windows = windows_of(stage, peaks, source)
    spectra = Pixels(source, np.asarray(np.isfinite(peaks.height).all(axis=0)), windows)
    problems, fits = [], []
    for window in windows if len(spectra) else ():
        problem, fit = judged_again(stage, window, peaks, spectra)
        problems.append(problem)
        fits.append(fit)
    if fits:
        fits = with_misfits(windows, problems, fits, spectra, stage.detection)
        fits = [_with_errors_of(peaks, window, fit, spectra) for window, fit in zip(windows, fits, strict=True)]
    return Fitted(source, windows, problems, fits, spectra, stage.detection)


def judged_again(stage: Deconvolve, window: FitWindow, peaks: PeakMaps, spectra: Pixels) -> tuple["Problem", Fit]:
    """What one window was asked, and how well what was found answers it."""
    mean = spectra.mean(window)
    weights = spectra.weights(window, mean) if stage.weights == "shot noise" else None
    problem = as_it_was(window, window.problem(mean, weights, stage.terms), peaks)
    return problem, window.judge(problem, spectra.of(window, slice(None)), found_in(window, problem.start, peaks, spectra))


def windows_of(stage: Deconvolve, peaks: PeakMaps, source: SpectralMap) -> list[FitWindow]:
    """The windows of a deconvolution with the backgrounds that they were given."""
    windows = list(stage._windows(source))
    if len(peaks.under) != len(windows):
        return windows
    each = [replace(window, degree=under.degree) for window, under in zip(windows, peaks.under, strict=True)]
    return [
        fitted_beside(window, source, under.beside) if under.beside else window for window, under in zip(each, peaks.under, strict=True)
    ]


def as_it_was(window: FitWindow, problem: "Problem", peaks: PeakMaps) -> "Problem":
    """The problem with what was shared by all pixels, and with lines averaged over channels as they were."""
    which = [peaks.names.index(peak.name) for peak in window.peaks]
    averaged = None if peaks.averaged is None else np.asarray(peaks.averaged, dtype=np.float64)[which]
    start, shared = problem.start.copy(), shared_places(window)
    for k, kind in shared:
        values = getattr(peaks, KINDS[kind])[which[k]]
        start[k, kind] = np.nanmedian(values) if np.isfinite(values).any() else start[k, kind]
    width = None if averaged is None or not averaged.any() else averaged
    return replace(problem, start=start, fixed=problem.fixed | set(shared), width=width)


def _with_errors_of(peaks: PeakMaps, window: FitWindow, fit: Fit, spectra: Pixels) -> Fit:
    """A fit whose errors are those of the peak maps, before what a misfit adds: an absent peak's place is known to the fit alone."""
    which = [peaks.names.index(peak.name) for peak in window.peaks]
    form = np.full_like(peaks.height_error, np.nan) if peaks.form_error is None else peaks.form_error
    maps = np.stack([peaks.position_error, peaks.fwhm_error, peaks.height_error, form], axis=1)[which][..., spectra.whole]
    shown = np.moveaxis(maps, -1, 0).astype(np.float64)
    misfit = fit.misfit
    assert misfit is not None
    bare = np.sqrt(np.maximum(shown**2 - misfit.bias**2, 0.0) / (1.0 + misfit.own**2)[:, None, None])
    error = np.where(np.isfinite(bare), bare, fit.quality.error)
    return replace(fit, quality=replace(fit.quality, error=error))


def found_in(window: FitWindow, start: NDArray[np.float64], peaks: PeakMaps, spectra: Pixels) -> NDArray[np.float64]:
    """(pixel, peak, 4) what was found; an absent peak lies where it is expected."""
    form = np.zeros_like(peaks.height) if peaks.form is None else peaks.form
    which = [peaks.names.index(peak.name) for peak in window.peaks]
    maps = np.stack([peaks.position, peaks.fwhm, peaks.height, form], axis=1)[which][..., spectra.whole]
    values = np.moveaxis(maps, -1, 0).astype(np.float64)
    return np.where(np.isfinite(values), values, start)

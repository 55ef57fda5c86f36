"""What is done by hand to the fits of some pixels: fitted again from elsewhere, believed, or given up."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import ComputedMap, PeakMaps, SpectralMap, Status
from napari_wse2xai.errors import DataError
from napari_wse2xai.stages._assembly import assemble
from napari_wse2xai.stages._bands import computed_once
from napari_wse2xai.stages._computing import Fitted, computed_maps
from napari_wse2xai.stages._fitting import Fit, Parameters
from napari_wse2xai.stages._gaps import without_gaps
from napari_wse2xai.stages._misfit import with_misfits
from napari_wse2xai.stages._pixels import Pixels
from napari_wse2xai.stages._plan import Plan
from napari_wse2xai.stages._refitted import as_it_was, found_in, windows_of
from napari_wse2xai.stages._robust import with_robust_loss
from napari_wse2xai.stages._screening import screened
from napari_wse2xai.stages._second_look import other_starts, solved
from napari_wse2xai.stages.deconvolve import Deconvolve

if TYPE_CHECKING:
    from napari_wse2xai.numerics.problem import Problem

Mask = NDArray[np.bool_]
NEIGHBOURS = "the neighbours' values"
"""What `other_starts` calls them."""
NOTHING_THERE = (Status.NOT_ON_FLAKE, Status.NOT_MEASURED, Status.TOO_FEW_CHANNELS, Status.BELOW_NOISE)
"""Pixels without a line that could be believed or not."""


class Bench:
    """A deconvolution as it was before its fits were put on the map, so that some of its pixels can be fitted again.

    Whatever is done first or last, each pixel is judged by the noise that the map had as a whole: its errors do not depend on what else was
    looked at.
    """

    def __init__(self, stage: Deconvolve, peaks: PeakMaps, source: SpectralMap) -> None:
        if peaks.frame.shape != source.frame.shape or len(peaks.axis) != len(source.axis):
            raise DataError(f"'{source.name}' is not the map that '{peaks.name}' was deconvolved from; give that one.")
        self.stage, self.given = stage, source.counts
        self.source = screened(replace(source, counts=computed_once(source.counts)))
        self.windows = windows_of(stage, peaks, self.source)
        self.spectra = Pixels(self.source, np.asarray(np.isfinite(peaks.height).all(axis=0)), self.windows)
        self.problems: list[Problem] = []
        self.fits: list[Fit] = []
        for window in self.windows if len(self.spectra) else ():
            problem = as_it_was(window, Plan.of(window, self.spectra, stage.terms).problem, peaks)
            found = found_in(window, problem.start, peaks, self.spectra)
            self.problems.append(problem)
            self.fits.append(window.judge(problem, self.spectra.of(window, slice(None)), found))

    def refit(self, fits: Sequence[Fit], pixels: Mask, *, from_neighbours: bool) -> list[Fit]:
        """Fit some pixels again, all of them together.

        Parameters
        ----------
        from_neighbours : take what comes of their values, else the lowest objective of that, of what is there, and of other starts
        """
        rows = np.flatnonzero(pixels[self.spectra.whole])
        each = zip(self.windows, self.problems, fits, strict=True)
        return [self._refit(*one, rows, from_neighbours=from_neighbours) for one in each] if len(rows) else list(fits)

    def _refit(self, window: Any, problem: "Problem", fit: Fit, rows: NDArray[np.intp], *, from_neighbours: bool) -> Fit:
        counts, every = self.spectra.of(window, rows), np.arange(len(rows))
        near, *others = self._starts(window, problem, fit, rows, every)
        starts = [near] if from_neighbours else [near, *others]
        begin = np.clip(np.concatenate(starts), problem.lower, problem.upper)
        tried = np.split(solved(self.stage.solver, problem, np.concatenate([counts] * len(starts)), begin), len(starts))
        best = tried[0] if from_neighbours else window.better(problem, counts, fit.found[rows], tried)[0]
        better = window.finished(problem, counts, window.judge(problem, counts, best, fit.noise))
        return self._as_the_map(window, problem, fit.merged(rows, better), rows)

    def _starts(self, window: Any, problem: "Problem", fit: Fit, rows: NDArray[np.intp], every: NDArray[np.intp]) -> list[Parameters]:
        """Neighbours first, (pixel, peak, 4) each."""
        usual = other_starts(problem, fit, self.spectra, rows, every)
        stuck = np.ones(fit.found[rows].shape[:2], dtype=bool)
        moved = window.elsewhere(problem, self.spectra.of(window, rows), fit.found[rows], stuck)
        return [usual.pop(NEIGHBOURS), *usual.values(), *moved]

    def _as_the_map(self, window: Any, problem: "Problem", fit: Fit, rows: NDArray[np.intp]) -> Fit:
        """Some pixels as the settings ask for of all: without what they lack, and with a loss that lone channels do not rule."""
        some = self.spectra.only(rows)
        part = without_gaps(window, problem, fit.only(rows), some, self.stage.solver)
        if self.stage.loss == "robust":
            part = with_robust_loss(window, problem, part, some)
        return fit.merged(rows, part)

    def on_map(self, fits: Sequence[Fit], peaks: PeakMaps, pixels: Mask) -> PeakMaps:
        """The peaks with some pixels as these fits have them; all others stay as they are, to the bit."""
        stage, spectra = self.stage, self.spectra
        known = with_misfits(self.windows, self.problems, fits, spectra, stage.detection)
        new = assemble(stage.fitted_peaks, stage.detection, self.source, self.windows, known, spectra)
        given = (self.source, self.windows, self.problems, known, spectra, stage.detection)
        new = replace(new, computed=computed_maps(stage.computed, Fitted(*given)))
        return _mixed(peaks, new, pixels & spectra.whole)


def _mixed(peaks: PeakMaps, new: PeakMaps, pixels: Mask) -> PeakMaps:
    """Peaks with the values of others at some pixels."""

    def taken(old: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
        return np.where(pixels, other, old).astype(old.dtype)

    maps: dict[str, Any] = {
        name: taken(value, getattr(new, name)) for name, value in maps_of(peaks).items() if getattr(new, name) is not None
    }
    found = {each.name: each for each in new.computed}
    computed = tuple(_at(each, found[each.name], taken) if each.name in found else each for each in peaks.computed)
    return replace(peaks, computed=computed, **maps)


def _at(old: ComputedMap, new: ComputedMap, taken: Any) -> ComputedMap:
    return replace(old, value=taken(old.value, new.value), error=taken(old.error, new.error))


def maps_of(peaks: PeakMaps) -> dict[str, NDArray[Any]]:
    """Every array of peaks that ends in (..., ny, nx), by the name of its field."""
    shape = peaks.frame.shape
    return {name: value for name, value in vars(peaks).items() if isinstance(value, np.ndarray) and value.shape[-2:] == shape}


def believed(peaks: PeakMaps, pixels: Mask) -> PeakMaps:
    """The peaks with some pixels accepted: their values stay, their status says who said so."""
    status, each = peaks.status.copy(), None if peaks.peak_status is None else peaks.peak_status.copy()
    status[pixels & ~np.isin(status, NOTHING_THERE)] = Status.ACCEPTED
    if each is not None:
        each[pixels & ~np.isin(each, NOTHING_THERE)] = Status.ACCEPTED
    return replace(peaks, status=status, peak_status=each)


def given_up(peaks: PeakMaps, pixels: Mask) -> PeakMaps:
    """The peaks without values at some pixels."""
    pixels = pixels & ~np.isin(peaks.status, (Status.NOT_ON_FLAKE, Status.NOT_MEASURED))
    maps: dict[str, Any] = {
        name: np.where(pixels, np.nan, value).astype(value.dtype)
        for name, value in maps_of(peaks).items()
        if np.issubdtype(value.dtype, np.floating)
    }
    for name in ("status", "peak_status"):
        if getattr(peaks, name) is not None:
            maps[name] = np.where(pixels, np.uint8(Status.REJECTED), getattr(peaks, name))
    if peaks.at_bound is not None:
        maps["at_bound"] = np.where(pixels, np.uint8(0), peaks.at_bound)
    nothing = np.float32(np.nan)
    computed = tuple(
        replace(each, value=np.where(pixels, nothing, each.value), error=np.where(pixels, nothing, each.error)) for each in peaks.computed
    )
    return replace(peaks, computed=computed, **maps)

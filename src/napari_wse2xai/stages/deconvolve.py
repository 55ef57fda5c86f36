"""Deconvolve every spectrum of the flake into peaks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from napari_wse2xai.data import PeakMaps, SpectralMap, Status
from napari_wse2xai.errors import DataError
from napari_wse2xai.stages._stage import Progress, Settings, Stage, setting
from napari_wse2xai.stages._windows import Window, channels
from napari_wse2xai.stages.solvers import Automatic, Solver

Spectra = NDArray[np.float32]
Parameters = NDArray[np.float64]


class Peak(Settings):
    """One peak: where it is expected, and the window in which it is fitted together with the others of that window."""

    name: str = setting(title="Name", description="Name of the mode or emission, such as A1' or X0.", min_length=1)
    shape: Literal["lorentzian", "gaussian"] = setting("lorentzian", title="Shape", description="Line shape.")
    position: float = setting(title="Position", unit="axis", description="Expected position.")
    fwhm: float = setting(title="FWHM", unit="axis", description="Expected full width at half maximum.", gt=0)
    height: float | None = setting(
        None, title="Height", unit="counts", description="Expected height; empty to take it from the data.", gt=0
    )
    window: Window = setting(
        title="Window", unit="axis", description="Spectral range of the fit; peaks of equal windows are fitted together."
    )
    max_shift: float | None = setting(
        None, title="Max shift", unit="axis", description="Farthest shift from the expected position; empty for 1.5 FWHM.", gt=0
    )
    source: str = setting("", title="Source", description="Where the expected position is taken from.")

    @model_validator(mode="after")
    def _inside_its_window(self) -> Self:
        if not self.window[0] <= self.position <= self.window[1]:
            raise ValueError(f"peak {self.name} at {self.position:g} lies outside its window {self.window[0]:g} to {self.window[1]:g}")
        return self

    @property
    def reach(self) -> float:
        """Farthest shift of the position, axis unit."""
        return self.max_shift or 1.5 * self.fwhm


class Deconvolve(Stage[SpectralMap, PeakMaps]):
    """Fit a sum of peaks to every spectrum: position, FWHM and height of each, with its standard error, and a status per pixel.

    Notes
    -----
    Yoo et al. 2023: heights are positive, positions are pulled towards their expected values, each window is fitted by itself.
    A peak whose height is below `detection` standard errors is absent: its position and FWHM are NaN, its height is given.
    Not for spectra with a baseline still under them.
    """

    title: ClassVar[str] = "Deconvolve"

    peaks: tuple[Peak, ...] = setting((), title="Peaks", description="What the spectrum is made of.")
    solver: Solver = setting(Automatic(), title="Solver", description="How the parameters are found.")
    pixels: Literal["flake", "off flake", "everywhere"] = setting("flake", title="Pixels", description="Which pixels are fitted.")
    background: Literal["none", "constant", "linear"] = setting(
        "linear",
        title="Background",
        description="Line fitted under the peaks of each window: takes up what the baseline left or took. The paper has none.",
    )
    position_penalty: float = setting(
        1e-5, title="Position penalty", description="Pull of a position towards its expected value; 0 for none.", ge=0, le=1e3
    )
    width_range: tuple[float, float] = setting(
        (0.3, 3.0), title="FWHM range", description="Narrowest and widest FWHM, as multiples of the expected one."
    )
    detection: float = setting(
        4.0, title="Detection", unit="σ", description="A peak lower than this many standard errors is absent.", ge=0, le=100
    )

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [peak.name for peak in self.peaks]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two peaks are called {twice[0]}; give each its own name")
        return self

    def check(self, source: SpectralMap) -> None:
        """Refuse, before any work, peaks and windows that cannot be fitted to a map with this axis."""
        for _ in self._windows(source):
            pass

    def run(self, source: SpectralMap, progress: Progress) -> PeakMaps:
        """Fit all windows, one after the other."""
        windows = list(self._windows(source))
        chosen = self._chosen(source)
        spectra = source.counts.reshape(-1, len(source.axis))[chosen.ravel()]
        whole = np.isfinite(spectra).all(axis=1)
        done, work = 0.0, sum(len(w.peaks) * (w.channels.stop - w.channels.start) for w in windows)
        fits = []
        for window in windows:
            share = len(window.peaks) * (window.channels.stop - window.channels.start) / work
            words = f"fitting {len(window.peaks)} peaks to {int(whole.sum())} spectra"
            fits.append(self._fit(window, spectra[whole], lambda f, at=done, of=share, words=words: progress(at + of * f, words)))
            done += share
        fitted = chosen.copy()
        fitted[chosen] = whole
        return _assemble(self, source, fits, chosen, fitted)

    def _chosen(self, source: SpectralMap) -> NDArray[np.bool_]:
        if self.pixels == "everywhere" or source.flake is None:
            return np.ones(source.frame.shape, dtype=bool)
        chosen = source.flake if self.pixels == "flake" else ~source.flake
        if not chosen.any():
            raise DataError(
                f"'{source.name}' has no pixel {'on the' if self.pixels == 'flake' else 'off the'} flake; find the flake again."
            )
        return chosen

    def _windows(self, source: SpectralMap) -> Iterator["_Window"]:
        """Group the peaks by window, refusing what cannot be fitted."""
        if not self.peaks:
            raise DataError("There is no peak to fit; add at least one to the list of peaks.")
        low, high = source.axis.span
        for peak in self.peaks:
            if not low <= peak.position <= high:
                raise DataError(
                    f"Peak {peak.name} is expected at {peak.position:g} {source.axis.unit}, but '{source.name}' was measured from "
                    f"{low:.5g} to {high:.5g} {source.axis.unit}; change its position or remove it."
                )
        for window in dict.fromkeys(peak.window for peak in self.peaks):
            members = tuple(peak for peak in self.peaks if peak.window == window)
            inside = channels(source, window, "the fit window")
            count = inside.stop - inside.start
            if count <= 3 * len(members):
                raise DataError(
                    f"The window {window[0]:g} to {window[1]:g} {source.axis.unit} holds {count} channels, not more than the "
                    f"{3 * len(members)} parameters of its {len(members)} peaks; widen it or remove peaks."
                )
            yield _Window(members, inside, source.axis.values[inside])

    def _fit(self, window: "_Window", spectra: Spectra, progress: Any) -> "_Fit":
        from napari_wse2xai.numerics import least_squares, uncertainty

        counts = np.ascontiguousarray(spectra[:, window.channels])
        if not len(counts):
            return _Fit.empty(window)
        problem = window.problem(counts, self)
        mean = self.solver.solve(problem, counts.mean(axis=0, keepdims=True), lambda done: progress(0.0))
        problem = problem.restarted(mean[0])
        found = self.solver.solve(problem, counts, lambda done: progress(0.95 * done))
        free = window.inside_bounds(found, problem)
        quality = uncertainty.assess(problem, counts, found, free)
        unfinished = quality.distance > CONVERGED
        if self.solver.refits and unfinished.any():
            found[unfinished] = least_squares.fit(problem, counts[unfinished], least_squares.Tolerance(), start=found[unfinished])
            free = window.inside_bounds(found, problem)
            quality = uncertainty.assess(problem, counts, found, free)
        progress(1.0)
        return _Fit(window, found, free, quality, window.background_ends(problem, counts, found))


@dataclass(frozen=True)
class _Window:
    """Peaks that are fitted together, and the channels they are fitted on."""

    peaks: tuple[Peak, ...]
    channels: slice
    x: NDArray[np.float64]

    def problem(self, counts: Spectra, settings: Deconvolve) -> Any:
        """State the fit for a solver."""
        from napari_wse2xai.numerics.problem import Problem, polynomials

        narrow, wide = settings.width_range
        under = polynomials(self.x, {"none": None, "constant": 0, "linear": 1}[settings.background])
        mean = counts.mean(axis=0)
        seen = [max(float(np.interp(p.position, self.x, mean)), 0.05 * float(mean.max()), 1e-12) for p in self.peaks]
        start = np.array([(p.position, p.fwhm, p.height or height) for p, height in zip(self.peaks, seen, strict=True)])
        lower = np.array([(max(p.position - p.reach, p.window[0]), narrow * p.fwhm, 0.0) for p in self.peaks])
        upper = np.array([(min(p.position + p.reach, p.window[1]), wide * p.fwhm, np.inf) for p in self.peaks])
        return Problem(
            self.x, tuple(p.shape for p in self.peaks), start, start[:, 0].copy(), lower, upper, under, settings.position_penalty
        )

    def background_ends(self, problem: Any, counts: Spectra, found: Parameters) -> NDArray[np.float64]:
        """(2, pixel) fitted background at the lower and the upper end of the window, counts."""
        from napari_wse2xai.numerics.uncertainty import model

        residual = counts - model(problem.x, problem.shapes, found)
        line = residual - problem.without_background(residual)
        slope = (line[:, -1] - line[:, 0]) / (self.x[-1] - self.x[0])
        low, high = self.peaks[0].window
        return np.stack([line[:, 0] + slope * (low - self.x[0]), line[:, -1] + slope * (high - self.x[-1])])

    def inside_bounds(self, found: Parameters, problem: Any) -> NDArray[np.bool_]:
        """(pixel, peak, 3) False where position or FWHM lies at its bound; a height at zero is an absent peak, not a bound."""
        tolerance = 1e-3 * problem.start[:, 1, None]
        free = (found > problem.lower + tolerance) & (found < problem.upper - tolerance)
        free[..., 2] = True
        return np.asarray(free)


@dataclass(frozen=True)
class _Fit:
    """What one window gave, one row per fitted pixel."""

    window: _Window
    found: Parameters
    free: NDArray[np.bool_]
    quality: Any
    background: NDArray[np.float64]
    """(2, pixel) counts at the ends of the window."""

    @classmethod
    def empty(cls, window: _Window) -> "_Fit":
        """Give the result of fitting no pixel."""
        from napari_wse2xai.numerics.uncertainty import Quality

        nothing = np.empty((0, len(window.peaks), 3))
        return cls(window, nothing, nothing.astype(bool), Quality(nothing, np.empty(0), 1, np.empty(0)), np.empty((2, 0)))

    def absent(self, detection: float) -> NDArray[np.bool_]:
        """(pixel, peak) True where the height does not stand out of its error."""
        return np.asarray(~(self.found[..., 2] > detection * self.quality.error[..., 2]))


CONVERGED = 0.1
"""Largest fall of chi2 still possible at a fit called converged: its parameters lie within a third of their standard errors."""


def _assemble(stage: Deconvolve, source: SpectralMap, fits: list[_Fit], chosen: NDArray[np.bool_], fitted: NDArray[np.bool_]) -> PeakMaps:
    """Put the windows' results on the map, peaks in the order of the settings."""
    order = [stage.peaks.index(peak) for fit in fits for peak in fit.window.peaks]
    back = np.argsort(order)
    absent = np.concatenate([fit.absent(stage.detection) for fit in fits], axis=1)
    values = np.concatenate([fit.found for fit in fits], axis=1)
    errors = np.concatenate([fit.quality.error for fit in fits], axis=1)
    for array in (values, errors):
        array[absent, :2] = np.nan
    chi2 = sum(fit.quality.chi2 for fit in fits) / sum(fit.quality.freedom for fit in fits)
    maps = {
        name + suffix: _on_map(array[:, back, i].T, fitted)
        for array, suffix in ((values, ""), (errors, "_error"))
        for i, name in enumerate(("position", "fwhm", "height"))
    }
    return PeakMaps(
        frame=source.frame,
        axis=source.axis,
        names=tuple(peak.name for peak in stage.peaks),
        shapes=tuple(peak.shape for peak in stage.peaks),
        windows=tuple(peak.window for peak in stage.peaks),
        **maps,
        background=np.stack([_on_map(fit.background, fitted) for fit in fits]) if stage.background != "none" else None,
        status=_status_map(_status(fits, absent), chosen, fitted),
        reduced_chi2=_on_map(np.asarray(chi2)[None], fitted)[0],
        name=source.name,
        intensity_unit=source.intensity_unit,
        metadata=source.metadata,
        history=source.history,
    )


def _status_map(status: NDArray[np.uint8], chosen: NDArray[np.bool_], fitted: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """(ny, nx) status of every pixel, from that of the fitted ones."""
    result = np.full(chosen.shape, Status.NOT_ON_FLAKE, dtype=np.uint8)
    result[chosen] = Status.NOT_MEASURED
    result[fitted] = status
    return result


def _status(fits: list[_Fit], absent: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """One `Status` per fitted pixel; the gravest that applies."""
    at_bound = ~np.concatenate([fit.free for fit in fits], axis=1).all(axis=-1) & ~absent
    far = np.max([fit.quality.distance for fit in fits], axis=0) > CONVERGED
    status = np.where(at_bound.any(axis=1), Status.AT_BOUND, Status.OK)
    status = np.where(far, Status.NOT_CONVERGED, status)
    return np.where(absent.all(axis=1), Status.BELOW_NOISE, status).astype(np.uint8)


def _on_map(values: NDArray[np.floating], fitted: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(rows, pixel) values on (rows, ny, nx), NaN where nothing was fitted."""
    result = np.full((len(values), *fitted.shape), np.nan, dtype=np.float32)
    result[:, fitted] = values
    return result

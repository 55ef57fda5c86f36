"""Deconvolve every spectrum of the flake into peaks."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from napari_wse2xai.data import PeakMaps, SpectralMap, Status
from napari_wse2xai.errors import DataError, counted
from napari_wse2xai.numerics.lineshapes import SHAPES
from napari_wse2xai.progress import Progress
from napari_wse2xai.stages._assembly import assemble
from napari_wse2xai.stages._computing import Fitted, computed_maps
from napari_wse2xai.stages._correlations import Correlations, correlations
from napari_wse2xai.stages._fitting import Fit, FitWindow
from napari_wse2xai.stages._gaps import without_gaps
from napari_wse2xai.stages._mending import as_channels_show, with_better_background
from napari_wse2xai.stages._misfit import with_misfits
from napari_wse2xai.stages._pixels import Pixels
from napari_wse2xai.stages._plan import Job, Plan, in_blocks
from napari_wse2xai.stages._robust import with_robust_loss
from napari_wse2xai.stages._saturation import warn_of_saturated
from napari_wse2xai.stages._screening import screened
from napari_wse2xai.stages._second_look import second_look
from napari_wse2xai.stages._stage import LiveProgress, SoFar, Stage, setting
from napari_wse2xai.stages._substrate import Substrate
from napari_wse2xai.stages._terms import Terms
from napari_wse2xai.stages._windows import channels, together, without
from napari_wse2xai.stages.computed import Computed, check_computed
from napari_wse2xai.stages.correct_response import FromFile
from napari_wse2xai.stages.peaks import Peak, check_formulas, check_scaled, check_ties
from napari_wse2xai.stages.solvers import AutomaticSolver, RAdam, Solver

if TYPE_CHECKING:
    from napari_wse2xai.numerics.problem import Problem

Background = Literal["none", "constant", "linear", "quadratic", "cubic", "automatic"]
DEGREES: dict[Background, int | None] = {"none": None, "constant": 0, "linear": 1, "quadratic": 2, "cubic": 3, "automatic": 1}
"""Degree of the polynomial that a background is; an automatic one begins straight."""
__all__ = ["Correlations", "Deconvolve", "Peak"]


class Deconvolve(Stage[SpectralMap, PeakMaps]):
    """Fit a sum of peaks to every spectrum: position, FWHM and height of each, with its standard error, and a status per pixel.

    Notes
    -----
    Yoo et al. 2023: heights are positive, positions are pulled towards their expected values, each window is fitted by itself.
    A peak whose height is below `detection` standard errors is absent: its position and FWHM are NaN, its height is given.
    Not for spectra with a baseline still under them.
    """

    title: ClassVar[str] = "Deconvolve"
    order: ClassVar[int] = 80
    gives: ClassVar[type] = PeakMaps
    usual: ClassVar[bool] = True
    effort: ClassVar[float] = 8.0

    peaks: tuple[Peak, ...] = setting((), title="Peaks", description="What the spectrum is made of.")
    solver: Solver = setting(AutomaticSolver(), title="Solver", description="How the parameters are found.")
    pixels: Literal["flake", "off flake", "everywhere"] = setting("flake", title="Pixels", description="Which pixels are fitted.")
    background: Background = setting(
        "automatic",
        title="Background",
        description="Curve fitted under the peaks of each window: takes up what the baseline left or took. Automatic is a straight line, "
        "bent or held by the channels beside the window where the spectra of the map ask for it. The paper has none.",
    )
    substrate: Literal["none", "off flake"] = setting(
        "none",
        title="Substrate",
        description="Spectrum fitted with the background, how much of it pixel by pixel: the mean of the pixels off the flake.",
    )
    substrate_file: FromFile | None = setting(
        None, title="Substrate's file", description="Text file with two columns, axis and counts of the bare substrate; empty for none."
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

    weights: Literal["equal", "shot noise"] = setting(
        "equal",
        title="Weights",
        description="Equal is the paper's; shot noise gives channels under strong lines less weight, as they deserve.",
    )
    loss: Literal["squares", "robust"] = setting(
        "squares",
        title="Loss",
        description="Squares of all residuals, or Huber's loss, which counts what lies beyond 2.5 σ less: for lone bad channels.",
    )
    refit: bool = setting(
        True,
        title="Refit",
        description="Look again at pixels that came out abnormal: start from their neighbours and elsewhere, keep the best.",
    )
    instrument_fwhm: float | None = setting(
        None,
        title="Instrument FWHM",
        unit="axis",
        description="Measured resolution (of a lamp's line): lines are fitted as it shows them, and their FWHM is the sample's.",
        gt=0,
    )
    computed: tuple[Computed, ...] = setting(
        (), title="Computed maps", description="Maps worked out of peak parameters, each with its error."
    )

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [peak.name for peak in self.peaks]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two peaks are called {twice[0]}; give each its own name")
        check_ties(self.peaks)
        check_formulas(self.peaks)
        if isinstance(self.solver, RAdam):
            check_scaled(self.peaks)
        check_computed(self.computed, self.peaks)
        for peak in self.fitted_peaks:
            Peak.model_validate(peak.model_dump())
        return self

    @property
    def fitted_peaks(self) -> tuple[Peak, ...]:
        """The peaks, each with the instrument's FWHM."""
        if self.instrument_fwhm is None:
            return self.peaks
        wide = {"instrument_fwhm": self.instrument_fwhm}
        return tuple(peak if peak.instrument_fwhm is not None else peak.model_copy(update=wide) for peak in self.peaks)

    def check(self, source: SpectralMap) -> None:
        """Refuse peaks and windows that cannot be fitted to a map, before any work is done."""
        for _ in self._windows(source, bare=True):
            pass

    @classmethod
    def summary(cls, result: PeakMaps) -> str:
        """How many spectra were fitted, and how well."""
        tried, good = (int(which.sum()) for which in (result.status != Status.NOT_ON_FLAKE, result.status == Status.OK))
        chi2 = result.reduced_chi2[np.isfinite(result.reduced_chi2)]
        usual = f"{float(np.median(chi2)):.2f}" if chi2.size else "unknown"
        rest = {each.meaning: int((result.status == each).sum()) for each in Status if each not in (Status.OK, Status.NOT_ON_FLAKE)}
        most = max(rest, key=lambda words: rest[words])
        why = f" ({most}: {rest[most]})" if rest[most] else ""
        return f"{counted(tried, 'spectrum', 'spectra')} fitted, {good} of them ok{why}; median reduced χ² {usual}."

    def run(self, source: SpectralMap, progress: Progress) -> PeakMaps:
        """Fit all windows, some thousand pixels at a time."""
        source = screened(source)
        peaks = self._fitted(source, progress)
        warn_of_saturated(peaks)
        return peaks

    def _fitted(self, source: SpectralMap, progress: Progress) -> PeakMaps:
        windows = list(self._windows(source))
        chosen = self._chosen(source)
        spectra = Pixels(source, chosen, windows)
        if not len(spectra):
            computed = computed_maps(self.computed, Fitted(source, windows, [], [], spectra, self.detection))
            return replace(assemble(self.fitted_peaks, self.detection, source, windows, [], spectra), computed=computed)
        jobs, report = self._fit(source, windows, spectra, progress)
        again = partial(self._fit_again, source, progress=lambda done, words: progress(1.0, words))  # so that it can be cancelled
        jobs = [as_channels_show(job, spectra, again) for job in jobs]
        if self.background == "automatic":
            better = [with_better_background(job, source, spectra, again) for job in jobs]
            jobs = [job for job, _ in better]
            report = " ".join([report, *(words for _, words in better if words)])
        windows, problems, fits = ([getattr(job, name) for job in jobs] for name in ("window", "problem", "fit"))
        computed = computed_maps(self.computed, Fitted(source, windows, problems, fits, spectra, self.detection))
        return replace(assemble(self.fitted_peaks, self.detection, source, windows, fits, spectra), report=report, computed=computed)

    def _fit(self, source: SpectralMap, windows: Sequence[FitWindow], spectra: Pixels, progress: Progress) -> tuple[list[Job], str]:
        """All windows fitted, looked at again and asked what they miss; and what the second look did, in words."""
        plans = [Plan.of(window, spectra, self.terms, lambda done: progress(0.0, "fitting the mean spectrum")) for window in windows]
        problems = [plan.problem for plan in plans]
        fits, report_text = self._first_fits(source, plans, spectra, progress), ""
        if self.refit:
            progress(0.9, "looking again at abnormal pixels")
            fits, report_text = second_look(plans, fits, spectra, lambda f: progress(0.9 + 0.1 * f, "refitting"))
        fits = self._as_asked(windows, problems, fits, spectra, progress)
        fits = with_misfits(windows, problems, fits, spectra, self.detection, lambda done: progress(1.0, "asking what the fits miss"))
        return [Job(*each) for each in zip(plans, fits, strict=True)], report_text

    def _as_asked(
        self, windows: Sequence[FitWindow], problems: Sequence["Problem"], fits: Sequence[Fit], spectra: Pixels, progress: Progress
    ) -> list[Fit]:
        """The fits without what their spectra lack, and by the loss that was chosen."""
        every = [
            without_gaps(*each, spectra, self.solver, lambda done: progress(1.0, "fitting spectra that lack channels"))
            for each in zip(windows, problems, fits, strict=True)
        ]
        if self.loss == "squares":
            return every
        return [
            with_robust_loss(*each, spectra, lambda done: progress(1.0, "fitting with the robust loss"))
            for each in zip(windows, problems, every, strict=True)
        ]

    def _first_fits(self, source: SpectralMap, plans: Sequence[Plan], spectra: Pixels, progress: Progress) -> list[Fit]:
        """All windows fitted, some thousand spectra at a time."""
        parts: list[list[Fit]] = [[] for _ in plans]
        words = f"fitting {counted(len(self.peaks), 'peak')} to {counted(len(spectra), 'spectrum', 'spectra')}"
        for number, fit in enumerate(in_blocks(plans, spectra, lambda done: progress(0.9 * done, words))):
            parts[number % len(plans)].append(fit)
            if isinstance(progress, LiveProgress) and (number + 1) % len(plans) == 0:
                known = [part.found for part in parts[0]]
                if sum(map(len, known)) < len(spectra):
                    progress.show(self._so_far(source, spectra, plans[0].window, parts[0]))
        return [Fit.joined(into) for into in parts]

    def _fit_again(self, source: SpectralMap, window: FitWindow, spectra: Pixels, *, progress: Progress, look_again: bool = True) -> Job:
        """One of the windows fitted in another way."""
        stage = self if look_again else self.model_copy(update={"refit": False})
        jobs, _ = stage._fit(source, [window], spectra, progress)
        return jobs[0]

    def _so_far(self, source: SpectralMap, spectra: Pixels, window: FitWindow, parts: list[Fit]) -> SoFar:
        """Height of the strongest peak of a window, as far as it is fitted."""
        heights = np.concatenate([part.found[..., 2] for part in parts])
        strongest = int(np.median(heights, axis=0).argmax())
        values = np.full(len(spectra), np.nan)
        values[: len(heights)] = heights[:, strongest]
        return SoFar(source.frame, f"{source.name} · {window.peaks[strongest].name} height so far", spectra.on_map(values))

    def correlations(self, source: SpectralMap, pixel: tuple[int, int] | None = None) -> Correlations:
        """Correlations of the errors of all fitted parameters, of one pixel (row, column) or of the mean spectrum of the chosen pixels."""
        windows = list(self._windows(source))
        spectra = Pixels(source, self._chosen(source), windows)
        if not len(spectra):
            raise DataError(f"'{source.name}' has no pixel whose fit windows hold a value in every channel; there is nothing to fit.")
        return correlations([Plan.of(window, spectra, self.terms) for window in windows], source, spectra, pixel)

    @property
    def terms(self) -> Terms:
        """What all windows are fitted with."""
        return Terms(self.solver, self.width_range, self.position_penalty, self.detection, self.weights == "shot noise")

    def _chosen(self, source: SpectralMap) -> NDArray[np.bool_]:
        if self.pixels == "everywhere" or source.flake is None:
            return np.ones(source.frame.shape, dtype=bool)
        chosen = source.flake if self.pixels == "flake" else ~source.flake
        if not chosen.any():
            raise DataError(
                f"'{source.name}' has no pixel {'on the' if self.pixels == 'flake' else 'off the'} flake; find the flake again."
            )
        return chosen

    def _substrate(self, source: SpectralMap) -> Substrate | None:
        if self.substrate_file is not None:
            return Substrate.of_file(self.substrate_file, source)
        return Substrate.off_flake(source) if self.substrate == "off flake" else None

    def _windows(self, source: SpectralMap, *, bare: bool = False) -> Iterator[FitWindow]:
        """Group the peaks by window, refusing what cannot be fitted; `bare`: without the substrate, before the flake is known."""
        if not self.peaks:
            raise DataError("There is no peak to fit; add at least one to the list of peaks.")
        low, high = source.axis.span
        substrate = None if bare else self._substrate(source)
        for peak in self.peaks:
            if not low <= peak.position <= high:
                raise DataError(
                    f"Peak {peak.name} is expected at {peak.position:g} {source.axis.unit}, but '{source.name}' was measured from "
                    f"{low:.5g} to {high:.5g} {source.axis.unit}; change its position or remove it."
                )
        for window, apart in together([peak.window for peak in self.peaks], float(np.diff(source.axis.values).max())).items():
            members = tuple(peak for peak in self.fitted_peaks if peak.window in apart)
            inside = without(channels(source, window, "the fit window"), source.bad_channels)
            x = source.axis.values[inside]
            count, parameters = len(x), sum(4 if SHAPES[peak.line_shape].form else 3 for peak in members)
            if count <= parameters:
                raise DataError(
                    f"The window {window[0]:g} to {window[1]:g} {source.axis.unit} holds {counted(count, 'channel')}, not more than the "
                    f"{parameters} parameters of its {counted(len(members), 'peak')}; widen it or remove peaks."
                )
            yield FitWindow(members, inside, x, window, DEGREES[self.background], substrate)

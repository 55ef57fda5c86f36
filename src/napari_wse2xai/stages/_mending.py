"""Backgrounds that a straight line in the window alone does not describe: bent, or held by what the spectra show beside it."""

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.errors import DataWarning
from napari_wse2xai.numerics.all_over import all_over
from napari_wse2xai.numerics.noise import robust_sigma
from napari_wse2xai.numerics.problem import FWHM, HEIGHT, POSITION, channel_widths
from napari_wse2xai.stages._fitting import Fit, FitWindow
from napari_wse2xai.stages._pixels import Pixels
from napari_wse2xai.stages._plan import Job
from napari_wse2xai.stages._status import missing

Values = NDArray[np.float64]
BENDS = (2, 3)
"""Degrees that a background which bends is given, one after the other."""
SEEN = 400
"""Spectra that tell what lies beside a window."""
FEW, REACH = 8, 1.5
"""Channels of a place beside a window that hold its background, and how far off it may lie, in the window's width."""
FAR = 0.2
"""Share of the height by which a background must lie below everything that is measured to have run away."""
BENT_TOO = 0.7
"""Share of a remedy's worth from which a bent background is tried in its place: lines that vary over a map blur what the stack tells."""
SAMPLE = 400
"""Spectra of a larger map that tell whether another way of fitting serves."""
WORTH = 0.98
"""Share of the errors of before, misfit included, that must be left for another background to be taken."""
APART = 0.5
"""Errors of a line's height, from which it matters whether channels show a line's middle or its mean over each of them."""
ASKED = 200
"""Spectra of a larger map that are asked which of the two they show."""
SLOW = 3
"""Degrees more than the fitted background has, that what the two differ by is asked beside."""
NEARER, CUT = 9.0, 4.0
"""Fall of the sum of squares, over the noise, from which spectra are nearer to one than to the other, and what one spectrum may add."""
MANY = 0.05
"""Share of the peaks whose model misses something, from which another background is taken that leaves half of them, whatever the errors."""


class Again(Protocol):
    """Fits a window again."""

    def __call__(self, window: FitWindow, spectra: Pixels, *, look_again: bool = True) -> Job:
        """With or without another look at what is abnormal."""


def with_better_background(job: Job, source: SpectralMap, spectra: Pixels, again: Again) -> tuple[Job, str]:
    """The window with a background that its misfit asks for, where that leaves smaller errors; and what became of it, in words."""
    misfit = job.fit.misfit
    if misfit is None or misfit.remedy is None:
        return job, ""
    if _remedy(job) == "background":
        return _bent(job, spectra, again)
    held, words = _held(job, source, spectra, again)
    if words or misfit.remedy.bent < BENT_TOO:
        return held, words
    bent, words = _bent(job, spectra, again, wholly=True)
    return (job, "") if _misses(bent) else (bent, words)


def as_channels_show(job: Job, spectra: Pixels, again: Again) -> Job:
    """The window with its lines averaged over each channel, or not, where the spectra say that they were drawn the other way.

    A detector counts the mean over a channel, which a line of several channels does not tell from its middle but in much light; what was
    interpolated, or made up, may show the middle.  What one of the two misses all fits together may not show, yet it makes heights wrong:
    so where that is much, the spectra are asked.
    """
    kind, window = _remedy(job), replace(job.window, otherwise=not job.window.otherwise)
    if kind in (None, "background"):
        tried = again(window, spectra) if _channels_matter(job) and _nearer_otherwise(job, spectra) else job
        return job if kind is None and _misses(tried) else tried
    if kind != "channels":
        return job
    some, rows = _sample(spectra)
    tried = again(window, some, look_again=some is spectra)
    if _misses(tried) and not _smaller(tried.fit, job.fit, rows):
        return job
    return tried if some is spectra else again(window, spectra)


def _channels_matter(job: Job) -> bool:
    """Whether the top of some line and its mean over a channel differ by more than typical errors allow.

    Of a Lorentzian w channels wide they do by 1 / (3 w^2), of a Gaussian by less.
    """
    rows = all_over(len(job.fit.found), ASKED)
    found, error = job.fit.found[rows], np.nan_to_num(job.fit.quality.error[rows, :, HEIGHT], nan=np.inf)  # a fixed height has none
    channels = found[..., FWHM] / np.interp(found[..., POSITION], job.window.x, channel_widths(job.window.x))
    by = found[..., HEIGHT] / (3.0 * channels**2)
    return bool((np.median(by, axis=0) > APART * np.median(error, axis=0)).any())


def _nearer_otherwise(job: Job, spectra: Pixels) -> bool:
    """Whether spectra would be nearer to lines averaged where they are not, or not where they are, all together: by the sum of squares.

    By how much it would fall is known to first order, without another fit.
    """
    from napari_wse2xai.numerics.slopes import Slopes, drawn

    problem, rows = job.problem, all_over(len(spectra), ASKED)
    found = job.fit.found[rows]
    other = problem.seen_otherwise(np.median(found, axis=0))
    if other is None:
        return False
    # A background that bends more than the fitted one must not speak for either.
    slopes = Slopes(replace(problem, degree=(problem.degree or 0) + SLOW), found)
    apart, residual = ((values - slopes.fitted) * problem.root for values in (drawn(other, found), spectra.of(job.window, rows)))
    apart, residual = (each - slopes.followed(each) for each in (apart, residual))
    power = job.fit.quality.noise[rows] ** 2 * (1.0 + 2.0 * sum(job.fit.noise.memory[1:]))
    fall = ((2.0 * residual - apart) * apart).sum(axis=1) / np.maximum(power, np.finfo(np.float64).tiny)
    middle, reach = np.median(fall), CUT * max(float(robust_sigma(fall)), 1e-12)  # a spike counts no more than another spectrum
    return float(np.clip(fall, middle - reach, middle + reach).sum()) > NEARER


def _sample(spectra: Pixels) -> tuple[Pixels, slice | NDArray[np.intp]]:
    """Some of many spectra, and which: whether another way of fitting serves is asked of them before all are fitted again."""
    if len(spectra) <= SAMPLE:
        return spectra, slice(None)
    rows = all_over(len(spectra), SAMPLE)
    return spectra.only(rows), rows


def _bent(job: Job, spectra: Pixels, again: Again, *, wholly: bool = False) -> tuple[Job, str]:
    """Bent as little as serves, by what a sample of the spectra says; `wholly`: only where nothing is missed any more."""
    some, theirs = _sample(spectra)
    best = job
    for degree in BENDS:
        tried = again(replace(job.window, degree=degree), some, look_again=some is spectra)
        if _smaller(tried.fit, best.fit, theirs) or (not wholly and _fits_more(tried.fit, best.fit, theirs)):
            best, theirs = tried, slice(None)
        if not _misses(best):
            break
    if best is job or (wholly and _misses(best)):
        return job, ""
    if some is not spectra:
        best = again(best.window, spectra)
        if wholly and _misses(best):  # all together show what a sample did not
            return job, ""
    kind = {2: "quadratic", 3: "cubic"}[best.window.degree or 0]
    return best, f"The background bends under {_names(job.window)}; it was fitted there as a {kind}."


def _held(job: Job, source: SpectralMap, spectra: Pixels, again: Again) -> tuple[Job, str]:
    """Held by channels beside the window, where it lies far below everything that is measured."""
    rows = all_over(len(spectra), SEEN)
    places = list(_beside(job.window, source, spectra, rows))
    below = _below(job, spectra, rows, np.concatenate(places)) if places else 0.0
    if not below:
        return job, ""
    x = source.axis.values
    bands = tuple((float(x[place[0]]), float(x[place[-1]])) for place in places)
    window = fitted_beside(job.window, source, bands)
    wider = Pixels(source, spectra.whole, [window])
    if len(wider) != len(spectra):
        return job, ""
    tried = again(window, wider)
    unit, where = source.axis.unit, " and ".join(f"{low:.5g} to {high:.5g}" for low, high in bands)
    warnings.warn(
        f"The background under {_names(job.window)} ran {below:.3g} {source.intensity_unit} below all that the spectra of '{source.name}' "
        f"show in and beside the window {job.window.span[0]:g} to {job.window.span[1]:g} {unit}; it was held by the channels at {where} "
        f"{unit}: widen the window, or choose another line shape.",
        DataWarning,
        stacklevel=2,
    )
    return tried, f"The background under {_names(job.window)} had run away; it was held by the channels at {where} {unit}."


def fitted_beside(window: FitWindow, source: SpectralMap, bands: tuple[tuple[float, float], ...]) -> FitWindow:
    """A window that is fitted on some channels outside of it too."""
    x, bad = source.axis.values, source.bad_channels
    near = np.any([(x >= low) & (x <= high) for low, high in bands], axis=0)
    near[bad if bad is not None else []] = False
    near[window.channels] = True
    every = np.flatnonzero(near)
    return replace(window, channels=every, x=x[every], beside=bands)


def _remedy(job: Job) -> str | None:
    """Kind of what would explain what the residual still shows; None where it shows nothing."""
    return None if job.fit.misfit is None or job.fit.misfit.remedy is None else job.fit.misfit.remedy.kind


def _misses(job: Job) -> bool:
    """Whether the residual still shows something."""
    return _remedy(job) is not None


def _names(window: FitWindow) -> str:
    return " and ".join(peak.name for peak in window.peaks)


def _smaller(new: Fit, old: Fit, rows: slice | NDArray[np.intp]) -> bool:
    """Whether the errors of a fit, with what its model misses, are smaller than those of some rows of another."""
    each = [new.errors()[0][..., :3], old.errors()[0][rows][..., :3]]
    known = np.isfinite(each[0]) & np.isfinite(each[1]) & (each[0] > 0) & (each[1] > 0)
    # Ratios by their logarithms: peaks of all sizes count alike, and one that is badly known rules nothing.
    return bool(known.any()) and float(np.median(np.log(each[0][known] / each[1][known]))) < np.log(WORTH)


def _fits_more(new: Fit, old: Fit, rows: slice | NDArray[np.intp]) -> bool:
    """Whether a fit misses nothing in far more of the peaks than some rows of another: larger errors are the price of truth then."""
    before = float(missing(old)[rows].mean())
    return before > MANY and float(missing(new).mean()) < 0.5 * before


def _beside(window: FitWindow, source: SpectralMap, spectra: Pixels, rows: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Channels on either side of a window where the spectra lie lowest."""
    x, inside = source.axis.values, np.arange(len(source.axis))[window.channels]
    whole = replace(window, channels=slice(0, len(x)), x=x)
    mean = np.nanmean(spectra.measured(whole, rows), axis=0)
    mean[source.bad_channels if source.bad_channels is not None else []] = np.nan
    reach = REACH * (window.span[1] - window.span[0])
    low, high = window.span
    for side in (np.flatnonzero((x < low) & (x > low - reach)), np.flatnonzero((x > high) & (x < high + reach))):
        good = np.setdiff1d(side[np.isfinite(mean[side])], inside)
        if len(good) >= FEW:
            level = np.convolve(mean[good], np.full(FEW, 1 / FEW), "valid")
            yield good[int(level.argmin()) :][:FEW]


def _below(job: Job, spectra: Pixels, rows: NDArray[np.intp], places: NDArray[np.intp]) -> float:
    """By how many counts a window's background lies below all that bright spectra show in and beside it; 0 where it does not."""
    from napari_wse2xai.numerics.slopes import model

    window, fit = job.window, job.fit
    light = fit.found[rows, :, 2].sum(axis=1)
    rows = rows[light >= np.median(light)]
    height = float(np.median(fit.found[rows, :, 2].sum(axis=1)))
    x = window.x
    axis = np.concatenate([x, spectra.axis[places]])
    line = window.polynomial(axis, fit.background[rows])
    far = replace(window, channels=places, x=spectra.axis[places])
    lines = model(far.x, job.problem.shapes, fit.found[rows], job.problem.width)
    beside = float(np.median(spectra.measured(far, rows) - lines - line[:, len(x) :]))
    # The fifth percentile: where the spectrum is lowest, but for noise.
    within = float(np.median(np.percentile(spectra.of(window, rows) - line[:, : len(x)], 5, axis=1)))
    return min(beside, within) if min(beside, within) > FAR * height > 0 else 0.0

"""Check the list of peaks against a whole map: the residuals of all pixels together show what single ones cannot, and name the remedy."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind, PeakMaps, SpectralMap, Status
from napari_wse2xai.data.peak_maps import BOUND_FLAGS
from napari_wse2xai.stages._beside import Shift, shifted, silicon, top
from napari_wse2xai.stages._fitting import FitWindow
from napari_wse2xai.stages._held import differing
from napari_wse2xai.stages._misfit import Common
from napari_wse2xai.stages._pixels import Pixels
from napari_wse2xai.stages._refitted import judged_again, settings_of, windows_of
from napari_wse2xai.stages._screening import screened
from napari_wse2xai.stages._sharing import Merged, merged
from napari_wse2xai.stages.deconvolve import Deconvolve
from napari_wse2xai.stages.peaks import KINDS, Peak

if TYPE_CHECKING:
    from napari_wse2xai.numerics.remedies import Remedy

LOOKED_AT = 3000
"""Pixels that the check looks at."""
FEWEST = 30
"""Fitted pixels below which noise may decide where their mean has its maximum, and a spike looks like a line."""
NARROW = 2.5
"""Width in channels below which a line may be a spike."""
WORTH = 10.0
"""Standard deviations, in the stacked residual, from which a line is proposed."""
MATTERS = 1.0
"""Errors of a typical pixel by which a misfit moves some parameter, from which it is told."""
OFTEN = 0.3
"""Share of the pixels in which a parameter ends at its bound, from which that is told where nothing else is."""
MANY = 0.5
"""Share of the pixels that miss something from which a map is told so where nothing else is told."""
EDGE = 0.75
"""Distance of a line from an end of its window, in its FWHM, below which the window cuts it."""
BROAD = 0.4
"""Share of a window that a band is as wide as, from which it is no line that ends beyond it."""
BESIDE = 0.4
"""Distance of a peak from the maximum that is seen, in its FWHM, from which it does not lie there."""
HIDDEN = 0.4
"""Distance of a missing line from one that is listed, in the wider one's FWHM, below which they look like one."""
EDGE_WIDTHS, CLEAR_OF = 4.0, 1.5
"""Distance of a window from an edge, in the edge's width, and from a line that it cut, in that line's FWHM."""
SAME, AGREE = 0.75, 1.5
"""Distance of a missing line from a shifted one, in its FWHM, below which they are one, and of silicon's shift from theirs, cm-1."""
Words = Literal[
    "preset", "missing line", "bound", "held", "merged", "misfit", "shape", "background", "fringes", "edge", "window", "calibrate"
]


@dataclass(frozen=True)
class Proposal:
    """One fault of a list of peaks, with its remedy."""

    kind: Words
    words: str
    """One sentence for the user."""
    worth: float
    """Standard deviations, in the stacked residual."""
    peak: Peak | None = None
    """Peak to add to the list; None where another change is proposed."""
    shape: str | None = None
    """Shape that the peaks of the window are nearer to."""
    names: tuple[str, ...] = ()
    """Peaks of the window that it is about."""
    window: tuple[float, float] | None = None
    """Window for them that is free of what disturbs; None where another change is proposed."""
    background: str | None = None
    """Setting of the background that bends with the data; None where another change is proposed."""
    moved: float | None = None
    """How much farther on, in axis units, the peaks are to be expected; None where another change is proposed."""
    fwhm: tuple[float, ...] | None = None
    """FWHM that each of the peaks is to be expected with; None where another change is proposed."""
    freed: str | None = None
    """Parameter of the peak that is not to be fixed, shared or tied; None where another change is proposed."""
    one_width: bool = False
    """Whether each of the peaks is to have one FWHM in all pixels."""

    @property
    def can_be_accepted(self) -> bool:
        """Whether `accepted` knows what to change."""
        changes = (self.shape, self.window, self.background, self.moved, self.fwhm, self.freed)
        return self.peak is not None or (bool(self.names) and (self.one_width or any(change is not None for change in changes)))


def accepted(settings: Deconvolve, proposal: Proposal) -> Deconvolve:
    """Settings with a proposal's remedy; raises ValueError with the reason where they do not allow it."""
    if proposal.background is not None:
        return Deconvolve.model_validate({**settings.model_dump(), "background": proposal.background})
    if proposal.peak is not None:
        peaks = (*settings.peaks, proposal.peak)
    else:
        peaks = tuple(
            Peak.model_validate({**peak.model_dump(), **_change(proposal, peak)}) if peak.name in proposal.names else peak
            for peak in settings.peaks
        )
    return Deconvolve.model_validate({**settings.model_dump(), "peaks": [peak.model_dump() for peak in peaks]})


def _change(proposal: Proposal, peak: Peak) -> dict[str, Any]:
    """Settings of one peak that a proposal changes."""
    if proposal.shape is not None:
        return {"shape": proposal.shape, "formula": ""}
    if proposal.fwhm is not None:
        return {"fwhm": proposal.fwhm[proposal.names.index(peak.name)]}
    if proposal.one_width:
        return {"shared": peak.sharing_its_width().shared}
    if proposal.freed is not None:
        return peak.without_hold(proposal.freed)
    return {"window": proposal.window} if proposal.moved is None else {"position": peak.position + proposal.moved}


def check_model(peaks: PeakMaps, source: SpectralMap) -> tuple[Proposal, ...]:
    """What the model of a deconvolution misses all over a map, and what would mend it.

    Parameters
    ----------
    peaks : as `Deconvolve` gave them
    source : the map that was deconvolved

    Returns
    -------
    proposals, the weightiest first; none where the model is right

    Notes
    -----
    The residuals of up to 1,000 fitted pixels are added with their light over their noise as weight; `numerics.remedies` says what is
    tried.  A single spectrum will do, if it shows it; what noise and spikes can feign is asked of `FEWEST` pixels and more.
    """
    stage, source = settings_of(peaks), screened(source)
    windows = windows_of(stage, peaks, source)
    spectra = Pixels(source, _looked_at(peaks), windows)
    found = [proposal for window in windows for proposal in _of_window(stage, window, peaks, spectra)] if len(spectra) else []
    if len(spectra) < FEWEST:
        found = [proposal for proposal in found if proposal.peak is None or proposal.peak.fwhm > NARROW * np.diff(source.axis.values).max()]
    elif (shift := shifted(windows, [spectra.mean(window) for window in windows])) is None:
        found = [*found, *_beside(peaks, source)]
    else:
        found = [*_others(found, shift, source), _to_calibrate(shift, source)]
    return tuple(sorted(found, key=lambda each: -each.worth))


def _fitted(peaks: PeakMaps) -> NDArray[np.bool_]:
    """(ny, nx) True where all peaks were fitted to what was measured: of a line whose top is cut off no model is right."""
    return np.asarray(np.isfinite(peaks.height).all(axis=0) & (peaks.status != Status.SATURATED))


def _looked_at(peaks: PeakMaps) -> NDArray[np.bool_]:
    """(ny, nx) True at up to `LOOKED_AT` of these pixels evenly taken."""
    fitted = np.flatnonzero(_fitted(peaks))
    chosen = np.zeros(peaks.height[0].size, dtype=bool)
    chosen[fitted[:: max(1, -(-len(fitted) // LOOKED_AT))]] = True
    return chosen.reshape(peaks.height.shape[1:])


def _of_window(stage: Deconvolve, window: FitWindow, peaks: PeakMaps, spectra: Pixels) -> Iterator[Proposal]:
    problem, fit = judged_again(stage, window, peaks, spectra)
    common, unit = Common(window, problem, fit, spectra), peaks.axis.unit
    remedy = common.remedy()
    told = list(_at_bounds(window, peaks, remedy))
    if remedy is not None:
        error = np.median(np.nan_to_num(fit.quality.error[..., :3], nan=np.inf), axis=0)
        told += _proposed(window, remedy, float((np.abs(remedy.shift[:, :3]) / error).max()), unit)
    for each in differing(window, problem, fit, spectra):
        proposal = _to_free(window, each.place, f"differs from that by ± {each.spread:.2g}{{unit}} over the map", each.worth, unit)
        told += [] if (proposal.freed, proposal.names) in [(one.freed, one.names) for one in told] else [proposal]
    if (near := merged(window, problem, fit, spectra, stage.terms)) is not None:
        told.append(_merged(near))
    if not told and remedy is not None and remedy.worth > WORTH and _missed(window, peaks) > MANY:
        names = tuple(peak.name for peak in window.peaks)
        words = f"The model of {' and '.join(names)} misses something that no simple change explains: look at the residual"
        told.append(Proposal("misfit", f"{words}; {remedy.worth:.0f} sigma.", remedy.worth, names=names))
    yield from told


def _at_bounds(window: FitWindow, peaks: PeakMaps, remedy: "Remedy | None") -> Iterator[Proposal]:
    """Parameters that end at a bound in many pixels, and the misfit is of that; what the best remedy says of widths is said by it."""
    if peaks.at_bound is None:
        return
    fitted, worth = _fitted(peaks), 0.0 if remedy is None else remedy.worth
    said = () if remedy is None else tuple(window.peaks[k].name for k, _ in remedy.widths)
    for peak in window.peaks:
        which = peaks.names.index(peak.name)
        for bit, kind in BOUND_FLAGS.items():
            there = fitted & (peaks.at_bound[which] & bit > 0)
            if there.sum() > OFTEN * fitted.sum() and not (kind == "FWHM" and peak.name in said):
                values = np.percentile(getattr(peaks, kind.lower())[which][there], (5, 95))
                where = " or ".join(dict.fromkeys(f"{value:.4g}" for value in values))
                unit = "" if kind == "form" else f" {peaks.unit(kind)}"
                words = f"The {kind} of {peak.name} ends at its bound, {where}{unit}, in {there.sum() / fitted.sum():.0%} of the pixels"
                what = "move its bounds" if kind.lower() in peak.bounds else "expect it elsewhere, or give it more room"
                yield Proposal("bound", f"{words}: {what}.", worth, names=(peak.name,))


def _missed(window: FitWindow, peaks: PeakMaps) -> float:
    """Share of the fitted pixels in which some peak of a window is called a misfit."""
    if peaks.peak_status is None:
        return 0.0
    which = [peaks.names.index(peak.name) for peak in window.peaks]
    return float((peaks.peak_status[which] == Status.MISFIT).any(axis=0)[_fitted(peaks)].mean())


def _proposed(window: FitWindow, remedy: "Remedy", moved: float, unit: str) -> Iterator[Proposal]:
    """Proposal of one remedy, where it is worth a word."""
    each = tuple(peak.name for peak in window.peaks)
    names = " and ".join(each)
    if remedy.kind == "line":
        yield from _line(window, remedy, moved, unit)
    elif remedy.kind == "fringes":
        yield _fringes(each, remedy, unit)
    elif remedy.kind == "bound":  # what ends there has no error
        yield _bound(window, remedy, unit)
    elif moved < MATTERS or remedy.kind == "channels":  # of that the fit has told its errors, and no setting is to be changed
        return
    elif remedy.kind == "held" and remedy.freed is not None:
        yield _to_free(window, remedy.freed, f"is at {remedy.value:.5g}{{unit}} by the spectra", remedy.worth, unit)
    elif remedy.kind == "shape":
        yield from _shape(window, each, remedy)
    elif remedy.kind == "edge":
        yield _edge(window, each, remedy, unit)
    else:
        more = {None: None, 0: None, 1: "quadratic", 2: "cubic"}.get(window.degree)
        what = "narrow the window, or take the baseline off" if more is None else f"fit it as a {more} (background: {more})"
        words = f"The background bends under the window of {names}: {what}; {remedy.worth:.0f} sigma."
        yield Proposal("background", words, remedy.worth, names=each, background=more)


def _shape(window: FitWindow, names: tuple[str, ...], remedy: "Remedy") -> Iterator[Proposal]:
    """Another shape for all lines of a window, unless most have it already."""
    nearer = "gaussian" if remedy.form < 0.5 else "lorentzian"
    shape = nearer if abs(remedy.form - 0.5) > 0.35 else "pseudo-voigt"
    if 2 * sum(peak.shape == shape for peak in window.peaks) <= len(window.peaks):
        where = f"nearer {nearer.capitalize()}" if shape == nearer else "between Gaussian and Lorentzian"
        words = f"The shape of {' and '.join(names)} is {where} (Lorentzian share {remedy.form:.2f}): choose {shape}"
        yield Proposal("shape", f"{words}; worth {remedy.worth:.0f} sigma.", remedy.worth, shape=shape, names=names)


def _merged(near: Merged) -> Proposal:
    """Peaks that most pixels cannot tell apart: nothing that the residual shows, and so of no worth there."""
    names = tuple(peak.name for peak in near.peaks)
    words = f"{' and '.join(names)} cannot be told apart in {100 * near.share:.0f} % of the pixels"
    if near.shared is None:
        return Proposal("merged", f"{words}: fit fewer lines there, or fix what is known of them.", 0.0, names=names)
    better = f"in {100 * near.shared:.0f} % where all pixels have one FWHM of each: share it (shared: fwhm)"
    return Proposal("merged", f"{words}, {better}.", 0.0, names=names, one_width=True)


def _to_free(window: FitWindow, place: tuple[int, int], but: str, worth: float, unit: str) -> Proposal:
    """A parameter that is held, and what the spectra say against it."""
    peak, kind = window.peaks[place[0]], KINDS[place[1]]
    how = "is fixed" if kind in peak.fixed_kinds else "is the same in all pixels" if kind in peak.shared_kinds else "follows another peak"
    words = f"The {kind.upper() if kind == 'fwhm' else kind} of {peak.name} {how}, but {but.format(unit=_unit_of(kind, unit))}: free it"
    return Proposal("held", f"{words}; {worth:.0f} sigma.", worth, names=(peak.name,), freed=kind)


def _unit_of(kind: str, unit: str) -> str:
    return {"height": " counts", "form": ""}.get(kind, f" {unit}")


def _edge(window: FitWindow, names: tuple[str, ...], remedy: "Remedy", unit: str) -> Proposal:
    """A step, upwards or downwards, and the window beyond it."""
    upwards = remedy.height > 0
    place = f"{'' if upwards else 'down '}at {remedy.position:.5g} {unit}"
    like = "where a filter begins to let light through" if upwards else "where a band or a filter ends"
    free = _beyond(window, remedy.position, EDGE_WIDTHS * remedy.fwhm)
    where = "" if free is None else f", at {free[0]:.5g} to {free[1]:.5g}"
    words = f"The spectra step {place}, as {like}, inside the window of {' and '.join(names)}: take a window beyond it{where}"
    return Proposal("edge", f"{words}; {remedy.worth:.0f} sigma.", remedy.worth, names=names, window=free)


def _fringes(names: tuple[str, ...], remedy: "Remedy", unit: str) -> Proposal:
    """Light that a detector or a film lets rise and fall: no list of peaks mends it."""
    each = f"every {remedy.period:.3g} {unit}, by {100 * remedy.depth:.2g} % of the light"
    words = f"What is left of {' and '.join(names)} rises and falls {each}"
    cause = "as interference in a thinned detector (etaloning) or in a film makes it: divide by a lamp (Correct response)"
    return Proposal("fringes", f"{words}, {cause}; {remedy.worth:.0f} sigma.", remedy.worth, names=names)


def _bound(window: FitWindow, remedy: "Remedy", unit: str) -> Proposal:
    """Lines that are wider or narrower all over the map than their bounds allow; bounds that a user set are the user's to move."""
    peaks = tuple(window.peaks[k] for k, _ in remedy.widths)
    names, widths = tuple(peak.name for peak in peaks), tuple(float(f"{fwhm:.3g}") for _, fwhm in remedy.widths)
    set_by_hand = any("fwhm" in peak.bounds for peak in peaks)
    shown = " and ".join(f"{fwhm:g}" for fwhm in widths)
    words = f"The FWHM of {' and '.join(names)} ends at its bound all over the map, where the spectra show {shown} {unit}"
    what = "move its bounds" if set_by_hand else "expect that"
    return Proposal("bound", f"{words}: {what}; {remedy.worth:.0f} sigma.", remedy.worth, names=names, fwhm=None if set_by_hand else widths)


def _line(window: FitWindow, remedy: "Remedy", moved: float, unit: str) -> Iterator[Proposal]:
    """A line to add; one that the window cuts asks for a wider window."""
    low, high = window.x[0], window.x[-1]
    size = f"{remedy.height:.3g} counts, {remedy.worth:.0f} sigma"
    near = f"near {remedy.position:.4g} {unit}" if abs(remedy.position) < 100 else f"near {remedy.position:.1f} {unit}"
    if min(remedy.position - low, high - remedy.position) < EDGE * remedy.fwhm:
        if moved >= MATTERS:
            reach, wide = f"The window {low:.5g} to {high:.5g} {unit}", f"{remedy.fwhm:.3g} {unit} wide"
            words = f"{reach} cuts a line {near} ({size}): widen the window or end it before the line."
            if remedy.fwhm > BROAD * (high - low):
                words = f"{reach} is too narrow for a band {near}, {wide} ({size}): widen it and add the band, or let the background bend."
            free = _beyond(window, remedy.position, CLEAR_OF * remedy.fwhm)
            yield Proposal("window", words, remedy.worth, names=tuple(peak.name for peak in window.peaks), window=free)
        return
    if remedy.worth < WORTH:
        return
    names = [peak.name for peak in window.peaks]
    name = f"P{remedy.position:.4g}"
    while name in names:
        name += "'"
    shapes = [peak.shape for peak in window.peaks if peak.shape != "own"] or ["lorentzian"]
    shape = max(sorted(set(shapes)), key=shapes.count)
    place, fwhm = float(f"{remedy.position:.5g}"), float(f"{remedy.fwhm:.3g}")
    peak = Peak(name=name, shape=shape, position=place, fwhm=fwhm, window=window.peaks[0].window if _covers(window, place) else window.span)
    words = f"A line {near}, {size}, is not in the list: add it."
    over = next((each for each in window.peaks if abs(each.position - place) < HIDDEN * max(each.fwhm, fwhm)), None)
    if over is not None:
        words = f"{over.name} is no single {over.line_shape}: a line {near}, {size}, hides in it: add it, or choose another shape."
    yield Proposal("missing line", words, remedy.worth, peak)


def _beyond(window: FitWindow, place: float, far: float) -> tuple[float, float] | None:
    """The longer part of a window that is so far from a place; None where it does not hold all peaks."""
    low, high = window.span
    free = (place + far, high) if place - low < high - place else (low, place - far)
    free = (float(f"{free[0]:.5g}"), float(f"{free[1]:.5g}"))
    return (
        free
        if all(free[0] < peak.position - 0.5 * peak.fwhm and peak.position + 0.5 * peak.fwhm < free[1] for peak in window.peaks)
        else None
    )


def _covers(window: FitWindow, place: float) -> bool:
    low, high = window.peaks[0].window
    return low <= place <= high


def _beside(peaks: PeakMaps, source: SpectralMap) -> Iterator[Proposal]:
    """Peaks that do not lie where the spectrum has its maximum, and what silicon says of the axis."""
    mean = np.nanmean(np.asarray(source.counts, dtype=np.float64)[_looked_at(peaks)], axis=0)
    x, unit = source.axis.values, source.axis.unit
    places = np.array([np.nanmedian(p) if np.isfinite(p).any() else np.nan for p in peaks.position])
    widths = np.array([np.nanmedian(w) if np.isfinite(w).any() else np.nan for w in peaks.fwhm])
    heights = np.array([np.nanmedian(h) for h in peaks.height])
    for name, place, fwhm, height in zip(peaks.names, places, widths, heights, strict=True):
        if not np.isfinite(place) or height < 0.3 * np.nanmax(heights):
            continue
        inside = np.flatnonzero(np.abs(x - place) < 1.5 * fwhm)
        if len(inside) < 3:
            continue
        highest = top(x[inside], mean[inside])
        away = place - highest
        alone = np.nansum(np.abs(places - highest) < 1.5 * np.nan_to_num(widths)) == 1
        within = 0 < mean[inside].argmax() < len(inside) - 1
        if alone and within and abs(away) > max(BESIDE * fwhm, float(np.diff(x).max())):
            words = f"{name} lies {abs(away):.2g} {unit} beside the maximum at {highest:.5g}: {_move(source, 1)}"
            yield Proposal("calibrate", f"{words}{_silicon(source)}.", WORTH, names=(name,), moved=float(f"{-away:.2g}"))


def _others(found: list[Proposal], shift: Shift, source: SpectralMap) -> list[Proposal]:
    """Proposals but for lines that a shifted list has, where it is sure that it is shifted: by several lines, or by silicon."""
    says = silicon(source)
    if len(shift.seen) < 2 and (says is None or abs(says - shift.amount) > AGREE):
        return found
    same = [(peak.position + shift.amount, SAME * peak.fwhm) for peak in shift.seen]
    return [each for each in found if each.peak is None or all(abs(each.peak.position - place) > far for place, far in same)]


def _to_calibrate(shift: Shift, source: SpectralMap) -> Proposal:
    names, unit, many = tuple(peak.name for peak in shift.seen), source.axis.unit, len(shift.seen)
    places = " and ".join(f"{peak.position + shift.amount:.5g}" for peak in shift.seen)
    where = f"{abs(shift.amount):.2g} {unit} beside the {'maximum' if many == 1 else 'maxima'} at {places}"
    words = f"{' and '.join(names)} {'lies' if many == 1 else 'lie'} {where}: {_move(source, many)}{_silicon(source)}."
    return Proposal("calibrate", words, shift.worth, names=names, moved=float(f"{shift.amount:.2g}"))


def _move(source: SpectralMap, many: int) -> str:
    expected = f"move {'its expected position' if many == 1 else 'their expected positions'}"
    return f"calibrate the axis or {expected}" if source.axis.kind is AxisKind.RAMAN_SHIFT else expected


def _silicon(source: SpectralMap) -> str:
    """What silicon's line says of the axis, where it is seen."""
    says = silicon(source)
    return "" if says is None else f"; silicon says {says:+.1f}"

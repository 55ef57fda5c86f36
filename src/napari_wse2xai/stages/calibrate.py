"""Correct the spectral axis against known lines."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Frame, PeakMaps, SpectralAxis, SpectralMap, Status
from napari_wse2xai.data.axis import NM_PER_CM, AxisKind, convert_values
from napari_wse2xai.errors import DataError
from napari_wse2xai.numerics import calibration
from napari_wse2xai.numerics.all_over import all_over
from napari_wse2xai.progress import Progress, part
from napari_wse2xai.stages._bands import bands, let_go, new_counts, rows_of
from napari_wse2xai.stages._saturation import NOWHERE, ceiling_maps
from napari_wse2xai.stages._screening import screened
from napari_wse2xai.stages._stage import Stage, setting
from napari_wse2xai.stages.deconvolve import Deconvolve, Peak
from napari_wse2xai.stages.references import Reference, Silicon

MOST_SPECTRA = 4096
"""Spectra that are fitted at most, evenly chosen: more would not change the correction, only its time."""
SEEN = (Status.OK, Status.MISFIT)
"""What may have become of the fit of a line that is used: few lamps' lines are quite of one shape, and the errors hold that."""
ENOUGH = 0.2
"""Share of the spectra that must show a line for it to be believed."""
SPAN = 0.5
"""Share of the scan over which a line must be seen for its drift to be known."""
LOOKED = 0.9
"""Where looking for the lines ends, as a fraction of the whole."""
CLIPPED_CHANNELS = 0.1
"""How far, in channels, the sides of a line that lies at the detector's ceiling may mislead the fit, in all spectra alike."""
UNCLEAR = np.inf
"""Strength of what is seen well, but need not be the known line."""
SEARCH_CM1, SEARCH_CHANNELS, FEWEST_CHANNELS = 15.0, 12, 8
"""How far from its known place a line is looked for, in cm-1 and in channels, whichever is more; and channels that a fit needs."""


class Calibrate(Stage[SpectralMap, SpectralMap]):
    """Correct the spectral axis against known lines: shift, linear or quadratic, with its standard error, and a drift over the scan.

    Notes
    -----
    Each line is fitted in every spectrum that shows it (at most 4096 of them), off the flake where that is known.  Where too few do, the
    medians of rows are tried, then that of the whole scan.  The axis carries the error of the correction (`SpectralAxis.error`), which is
    common to all pixels, and so does not blur a map.  It does not hold the error of the known position itself.
    A drift cannot be put into the one axis of a map: the spectra of each row are then read on the common axis by cubic splines, which
    ties the noise of neighbouring channels together (see docs/method.md).
    """

    title: ClassVar[str] = "Calibrate"
    order: ClassVar[int] = 50

    reference: Reference = setting(Silicon(), title="Reference", description="What is known.")
    correction: Literal["shift", "linear", "quadratic"] = setting(
        "shift", title="Correction", description="What is added to the axis; linear takes at least two lines, quadratic three."
    )
    drift: Literal["none", "by rows", "by columns"] = setting(
        "none",
        title="Drift",
        description="Whether the shift also changes evenly during the scan, row by row or column by column. Spectra are then interpolated, "
        "which lets later steps find errors up to 25 % too small.",
    )
    pixels: Literal["off flake first", "everywhere"] = setting(
        "off flake first",
        title="Pixels",
        description="Where the lines are looked for: beside the flake, and elsewhere only if not seen there.",
    )
    search: float | None = setting(
        None,
        title="Search range",
        unit="axis",
        description="How far from its true place a line may be seen; empty for 15 cm-1, or 12 channels where that is more.",
        gt=0,
    )
    detection: float = setting(
        8.0, title="Detection", unit="σ", description="How many standard errors high a line must be to count as seen.", ge=3, le=1000
    )

    def check(self, source: SpectralMap) -> None:
        """Refuse, before any work, a reference without enough lines on the axis of a map."""
        self._lines(source)

    @classmethod
    def summary(cls, result: Any) -> str:
        """By how much the axis was moved."""
        return f"{result.metadata['calibration']}."

    def run(self, source: SpectralMap, progress: Progress) -> SpectralMap:
        """Return the map on its corrected axis."""
        progress(0.0, f"looking for {self.reference.words}")
        source = screened(source)
        lines = self._lines(source)
        ends = pairwise(np.linspace(0, LOOKED, len(lines) + 1).tolist())
        found = [self._look(source, line, part(progress, start, end)) for line, (start, end) in zip(lines, ends, strict=True)]
        seen = [look for look in found if look.reason is None]
        if len(seen) <= self._degree:
            raise self._not_seen(source, found)
        sightings = calibration.Sightings(*(np.concatenate(parts) for parts in zip(*(look.numbers for look in seen), strict=True)))
        low, high = source.axis.span
        scale = calibration.Scale(0.5 * (low + high), max(0.5 * (high - low), 1e-9))
        result = calibration.correction(sightings, scale, self._degree, drifting=self.drift != "none")
        result = result.with_common_error(max(look.common_error for look in seen))
        progress(LOOKED, "correcting the axis")
        words = self._words(source.axis, seen, result)
        return replace(self._corrected(source, result), metadata={**source.metadata, "calibration": words})

    @property
    def _degree(self) -> int:
        return ("shift", "linear", "quadratic").index(self.correction)

    def _lines(self, source: SpectralMap) -> list["_LineToFind"]:
        """Known lines on the axis, each with the window in which it is looked for."""
        axis = source.axis
        positions = self.reference.positions(axis)
        reach = np.array([self.search or _default_search(axis, position) for position in positions])
        low, high = axis.span
        inside = np.flatnonzero((positions - 0.3 * reach > low) & (positions + 0.3 * reach < high))
        middles = 0.5 * (positions[1:] + positions[:-1])
        bounds = np.concatenate([[-np.inf], middles, [np.inf]])
        lines = []
        for i in inside:
            window = (max(positions[i] - reach[i], bounds[i], low), min(positions[i] + reach[i], bounds[i + 1], high))
            channels = axis.between(*window)
            if channels.stop - channels.start >= FEWEST_CHANNELS:
                lines.append(_LineToFind(float(positions[i]), (float(window[0]), float(window[1])), channels))
        if len(lines) <= self._degree:
            raise self._out_of_range(source, positions, len(lines))
        return lines

    def _out_of_range(self, source: SpectralMap, positions: NDArray[np.float64], usable: int) -> DataError:
        low, high = source.axis.span
        known = ", ".join(f"{position:.6g}" for position in positions[:6]) + (" ..." if len(positions) > 6 else "")
        return DataError(
            f"'{source.name}' was measured from {low:.5g} to {high:.5g} {source.axis.unit}, where {usable} lines of the reference "
            f"({self.reference.words}: {known or 'none given'}) can be looked for, but a correction of kind {self.correction} needs "
            f"{self._degree + 1}; choose another reference or a simpler correction."
        )

    def _look(self, source: SpectralMap, line: "_LineToFind", progress: Progress) -> "_LineFound":
        """Find a line where it is wanted: beside the flake before everywhere, in single spectra before medians."""
        best = _LineFound.nothing("no spectrum has values there", 0.0)
        for where, mask in self._places(source):
            for pooled in _pools(source, line, mask, self.drift):
                progress(0.0, f"looking for {line.position:.6g} {source.axis.unit} in {len(pooled.time)} spectra {where}")
                look = self._fit(pooled, line, where, progress)
                if look.reason is None or look.strength == UNCLEAR:  # other spectra of it would not make it clearer
                    return look
                best = max(best, look, key=lambda each: each.strength)
        return best

    def _places(self, source: SpectralMap) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        everywhere = np.ones(source.frame.shape, dtype=bool)
        if self.pixels == "off flake first" and source.flake is not None and not source.flake.all():
            yield "off the flake", ~source.flake
        yield "everywhere", everywhere

    def _fit(self, pooled: "_Pooled", line: "_LineToFind", where: str, progress: Progress) -> "_LineFound":
        """Fit one line to each spectrum, and tell whether that is enough."""
        if not len(pooled.time):
            return _LineFound.nothing("no spectrum has values there", 0.0)
        x, typical = pooled.map.axis.values, np.median(pooled.map.counts[0], axis=0).astype(np.float64)
        position, fwhm = calibration.line_guess(x, typical)
        alike = calibration.lines_alike(x, typical, pooled.map.counts[0])
        if len(alike) > 1:
            return _LineFound.nothing(_ambiguous(line, pooled.map.axis.unit, alike), UNCLEAR)
        reach = 2.0 * (line.window[1] - line.window[0])
        peak = Peak(
            name="line", shape=self.reference.line_shape, position=position, fwhm=fwhm, window=line.window, max_shift=reach, height=None
        )
        fit = Deconvolve(peaks=(peak,), pixels="everywhere", position_penalty=0.0, detection=self.detection)
        found = _LineFound.of(fit.run(pooled.map, progress), line, pooled.time, where, drifting=self.drift != "none")
        return replace(found, common_error=CLIPPED_CHANNELS * float(np.median(np.diff(x))) * pooled.clipped)

    def _not_seen(self, source: SpectralMap, found: list["_LineFound"]) -> DataError:
        best = max((look for look in found if look.reason is not None), key=lambda look: look.strength)
        seen = sum(look.reason is None for look in found)
        count = f" ({seen} of {len(found)} lines are seen, {self._degree + 1} are needed)" if len(found) > 1 else ""
        return DataError(f"'{source.name}' cannot be calibrated with {self.reference.words}{count}: {best.reason}.")

    def _corrected(self, source: SpectralMap, result: calibration.Correction) -> SpectralMap:
        """The map on its corrected axis; with a drift, its spectra are interpolated on the range that all rows cover."""
        values = source.axis.values + result.at(source.axis.values)
        if (np.diff(values) <= 0).any():
            raise DataError(f"The {self.correction} correction would fold the axis of '{source.name}' over; use a simpler one.")
        error = np.hypot(result.error_at(source.axis.values), result.drift_error / np.sqrt(12.0))  # of the drift its mean over the scan
        axis = replace(source.axis, values=values, error=error)
        if self.drift == "none":
            return replace(source, axis=axis)
        keep = axis.between(values[0] + abs(result.drift) / 2, values[-1] - abs(result.drift) / 2)
        if keep.stop - keep.start < FEWEST_CHANNELS:
            raise DataError(f"The drift of {result.drift:.3g} {axis.unit} is as long as the axis of '{source.name}'; measure again.")
        counts = new_counts((*source.frame.shape, keep.stop - keep.start))
        by_rows = self.drift == "by rows"
        times = _times(source.frame.shape[0 if by_rows else 1])
        for band in bands(source.counts.shape):
            seen, given = rows_of(source.counts, band.rows), counts[band.rows]
            lines, by_line = (given, seen) if by_rows else (given.swapaxes(0, 1), seen.swapaxes(0, 1))
            for i, time in enumerate(times[band.rows] if by_rows else times):
                lines[i] = calibration.undrifted(values, by_line[i], result.drift * time, values[keep])
            let_go(source.counts, counts)
        return replace(
            source,
            axis=replace(axis, values=values[keep], error=error[keep]),
            counts=counts,
            replaced=None,
            saturated=_moved(source.saturated, keep),
            bad_channels=_moved(source.bad_channels, keep),
            bridged=_moved(source.bridged, keep),
        )

    def _words(self, axis: SpectralAxis, seen: list["_LineFound"], result: calibration.Correction) -> str:
        """What was found, for the metadata, the report and the panel."""
        at = np.array([look.known[0] for look in seen]) if len(seen) <= 3 else np.array(axis.span)
        shifts = zip(at, result.at(at), result.error_at(at), strict=True)
        lines = ", ".join(f"{shift:+.3g} ± {error:.2g} {axis.unit} at {x:.6g}" for x, shift, error in shifts)
        drift = f"; drift {result.drift:+.3g} ± {result.drift_error:.2g} over the scan {self.drift}" if self.drift != "none" else ""
        count = f"{len(seen)} lines, " if len(seen) > 1 else ""
        return f"{self.reference.words}, {self.correction}: {lines} {axis.unit}{drift}; {count}{result.used} fits {seen[0].where}"


def _default_search(axis: SpectralAxis, position: float) -> float:
    """15 cm-1 in the unit of the axis, or 12 channels where that is more."""
    channel = int(np.clip(np.searchsorted(axis.values, position), 1, max(len(axis) - 1, 1)))
    step = float(axis.values[channel] - axis.values[channel - 1]) if len(axis) > 1 else 0.0
    if axis.kind is AxisKind.RAMAN_SHIFT:
        return max(SEARCH_CM1, SEARCH_CHANNELS * step)
    nm = float(convert_values([position], axis.kind, AxisKind.WAVELENGTH, axis.laser_nm)[0])
    return max(SEARCH_CM1 * nm / NM_PER_CM * position, SEARCH_CHANNELS * step)


def _moved(places: NDArray[np.int32] | None, keep: slice) -> NDArray[np.int32] | None:
    """Channels, or rows, columns and channels, on an axis of which some channels are kept."""
    if places is None:
        return None
    channel = places if places.ndim == 1 else places[:, 2]
    inside = places[(channel >= keep.start) & (channel < keep.stop)].copy()
    (inside if places.ndim == 1 else inside[:, 2])[:] -= keep.start
    return np.asarray(inside)


def _times(count: int) -> NDArray[np.float64]:
    """When each of the scan's rows (or columns) was measured: -0.5 to 0.5."""
    return np.linspace(-0.5, 0.5, count) if count > 1 else np.zeros(1)


@dataclass(frozen=True)
class _LineToFind:
    """A known line, and where it is looked for."""

    position: float
    window: tuple[float, float]
    channels: slice


def _ambiguous(line: _LineToFind, unit: str, alike: NDArray[np.float64]) -> str:
    """Why nothing tells which of the lines that are seen is the known one."""
    seen = ", ".join(f"{each:.6g}" for each in alike[:-1])
    return (
        f"{len(alike)} lines are seen near {line.position:.6g} {unit}, at {seen} and {alike[-1]:.6g}, and only one can be it; "
        "set the search range so that one is left"
    )


@dataclass(frozen=True)
class _Pooled:
    """Spectra of one window in a row, and when each was measured."""

    map: SpectralMap
    time: NDArray[np.float64]
    clipped: bool
    """Whether the line lies at the detector's ceiling."""


def _pools(source: SpectralMap, line: _LineToFind, mask: NDArray[np.bool_], drift: str) -> Iterator[_Pooled]:
    """Single spectra, then the median of each row (or column), then that of all, which knows nothing of a drift."""
    across = int(drift == "by columns")
    window = np.asarray(source.counts[..., line.channels])
    usable = mask & np.isfinite(window).all(axis=-1)
    below = usable & ~ceiling_maps(source, [line.channels])[0]
    clipped = bool(below.sum() < ENOUGH * usable.sum())
    usable = usable if clipped else below
    index = np.indices(usable.shape)[across]
    times = _times(usable.shape[across])
    axis = replace(source.axis, values=source.axis.values[line.channels], error=None)

    def pooled(spectra: NDArray[np.float32], time: NDArray[np.float64]) -> _Pooled:
        if not len(spectra):  # a map is never empty: one spectrum stands in, and `time` says that it does not count
            spectra = np.zeros((1, len(axis)), dtype=np.float32)
        plain = replace(source, flake=None, repaired=None, replaced=None, saturated=NOWHERE, bridged=None, bad_channels=NOWHERE[:, 0])
        return _Pooled(replace(plain, frame=Frame((1, len(spectra))), axis=axis, counts=spectra[None]), time, clipped)

    places = np.flatnonzero(usable)
    chosen = places[all_over(len(places), MOST_SPECTRA)]
    spectra, lines = window[np.unravel_index(chosen, usable.shape)], index.ravel()[chosen]
    yield pooled(spectra, times[lines])
    held = np.unique(lines)
    if 1 < len(held) < len(lines):
        yield pooled(np.array([np.median(spectra[lines == i], axis=0) for i in held], dtype=np.float32), times[held])
    if len(lines) > 1 and drift == "none":
        yield pooled(np.median(spectra, axis=0, keepdims=True).astype(np.float32), np.zeros(1))


@dataclass(frozen=True)
class _LineFound:
    """What came of looking for one line."""

    known: NDArray[np.float64]
    seen: NDArray[np.float64]
    error: NDArray[np.float64]
    time: NDArray[np.float64]
    where: str
    strength: float
    """Signal-to-noise ratio of a typical spectrum."""
    reason: str | None
    """Why it is not enough; None where it is."""
    common_error: float = 0.0
    """Of all its positions alike, axis unit."""

    @classmethod
    def nothing(cls, reason: str, strength: float) -> "_LineFound":
        """A line that cannot be used."""
        none = np.empty(0)
        return cls(none, none, none, none, "", strength, reason)

    @property
    def numbers(self) -> tuple[NDArray[np.float64], ...]:
        """Fields of `calibration.Sightings`."""
        return self.known, self.seen, self.error, self.time

    @classmethod
    def of(cls, fit: PeakMaps, line: _LineToFind, time: NDArray[np.float64], where: str, *, drifting: bool) -> "_LineFound":
        """Judge the fits of one line."""
        good = np.isin(fit.status[0], SEEN) & np.isfinite(fit.position_error[0, 0]) & (fit.position_error[0, 0] > 0)
        known = fit.height_error[0, 0] > 0
        strength = float(np.median(fit.height[0, 0][known] / fit.height_error[0, 0][known])) if known.any() else 0.0
        tried = f"the line at {line.position:.6g} {fit.axis.unit}"
        if good.mean() < ENOUGH:
            words = f"{tried} was found in {int(good.sum())} of {len(good)} spectra {where}, at a signal-to-noise ratio of {strength:.2g}"
            return cls.nothing(f"{words}; widen the search, lower the detection limit, or choose another reference", strength)
        when = time[good]
        if drifting and (np.ptp(when) < SPAN or len(np.unique(when)) < 3):
            return cls.nothing(f"{tried} is seen in too small a part of the scan to know its drift; leave the drift out", strength)
        position, error = fit.position[0, 0][good].astype(np.float64), fit.position_error[0, 0][good].astype(np.float64)
        middle, (low, high) = float(np.median(position)), line.window
        if min(middle - low, high - middle) < 0.5 * float(np.median(fit.fwhm[0, 0][good])):
            words = f"what is seen near {line.position:.6g} {fit.axis.unit} lies at the end of the search range, at {middle:.6g}"
            return cls.nothing(f"{words}; widen the range, or choose another reference", UNCLEAR)
        return cls(np.full(len(when), line.position), position, error, when, where, strength, None)

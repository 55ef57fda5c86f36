"""Put the fits of all windows on the map, with what became of every pixel."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import PeakMaps, SpectralMap, Status
from napari_wse2xai.data.peak_maps import Under
from napari_wse2xai.numerics.lineshapes import SHAPES
from napari_wse2xai.stages._fitting import Fit, FitWindow
from napari_wse2xai.stages._pixels import Pixels
from napari_wse2xai.stages._saturation import ceiling_maps
from napari_wse2xai.stages._status import gravest, peak_status
from napari_wse2xai.stages.peaks import KINDS, Peak

Values = NDArray[np.float64]


def assemble(
    peaks: Sequence[Peak], detection: float, source: SpectralMap, windows: Sequence[FitWindow], fits: Sequence[Fit], spectra: Pixels
) -> PeakMaps:
    """Peak maps of all windows, peaks in the order of the settings; `fits` is empty where no pixel could be fitted."""
    order = np.argsort([peaks.index(peak) for window in windows for peak in window.peaks])
    averaged = np.concatenate([fit.width for fit in fits])[order] if fits else None
    each = _peak_status_maps(order, fits, detection, spectra)
    high = ceiling_maps(source, [window.channels for window in windows])
    each[np.repeat(high, [len(window.peaks) for window in windows], axis=0)[order] & spectra.chosen] = Status.SATURATED
    return PeakMaps(
        frame=source.frame,
        axis=source.axis,
        names=tuple(peak.name for peak in peaks),
        shapes=tuple(peak.line_shape for peak in peaks),
        windows=tuple(window.span for peak in peaks for window in windows if peak in window.peaks),
        **_maps(peaks, detection, fits, order, spectra),
        **_under(windows, fits, spectra),
        status=_status_map(each, spectra),
        peak_status=each,
        reduced_chi2=_over_windows(fits, spectra, _reduced_chi2),
        r2=_over_windows(fits, spectra, lambda all_fits: np.mean([fit.quality.explained for fit in all_fits], axis=0)),
        averaged=averaged,
        name=source.name,
        intensity_unit=source.intensity_unit,
        metadata=source.metadata,
        history=source.history,
    )


class _PeakTable:
    """Values and errors of all peaks in the order of the settings, (pixel, peak, 4); NaN where a peak is absent."""

    def __init__(self, detection: float, fits: Sequence[Fit], order: NDArray[np.intp]) -> None:
        def joined(parts: list[NDArray[Any]]) -> NDArray[Any]:
            return np.concatenate(parts, axis=1)[:, order]

        absent = joined([fit.absent(detection) for fit in fits])
        self.values, honest = joined([fit.found for fit in fits]), [fit.errors() for fit in fits]
        self.errors, self.covariance = joined([error for error, _ in honest]), joined([joint for _, joint in honest])
        self.at_bound = (joined([~fit.free for fit in fits]) & ~absent[..., None]) @ np.array([1, 2, 4, 8], dtype=np.uint8)
        for kind in (0, 1, 3):
            self.values[..., kind][absent] = self.errors[..., kind][absent] = np.nan

    def areas(self, shapes: Sequence[str]) -> tuple[Values, Values]:
        """Area and its error, (pixel, peak), in counts times the axis unit: to first order, with all covariances."""
        fwhm, height, form = self.values[..., 1], self.values[..., 2], np.nan_to_num(self.values[..., 3])
        found = np.empty((4, *form.shape))
        for k, shape in enumerate(shapes):
            found[:, :, k] = SHAPES[shape].area_slopes(fwhm[:, k], height[:, k], form[:, k])
        area, by = found[0], np.moveaxis(found[1:], 0, -1)
        variance = np.einsum("bki,bkij,bkj->bk", by, self.covariance, by)
        return area, np.sqrt(np.maximum(variance, 0.0))


def _maps(peaks: Sequence[Peak], detection: float, fits: Sequence[Fit], order: NDArray[np.intp], spectra: Pixels) -> dict[str, Any]:
    """Arrays of `PeakMaps`, one map per peak, filled some thousand pixels at a time: all that is worked out of a fit is larger than it."""
    shapes = [peak.line_shape for peak in peaks]
    size = (len(shapes), *spectra.chosen.shape)
    maps: dict[str, Any] = {
        f"{name}{what}": np.full(size, np.nan, dtype=np.float32) for name in (*KINDS, "area") for what in ("", "_error")
    }
    maps["at_bound"] = np.zeros(size, dtype=np.uint8)
    for some in spectra.chunks() if fits else ():
        table = _PeakTable(detection, [fit.only(some) for fit in fits], order)
        for kind, name in enumerate(KINDS):
            spectra.put(maps[name], some, table.values[..., kind])
            spectra.put(maps[f"{name}_error"], some, table.errors[..., kind])
        for name, values in zip(("area", "area_error"), table.areas(shapes), strict=True):
            spectra.put(maps[name], some, values)
        spectra.put(maps["at_bound"], some, table.at_bound)
    has_form = np.array([SHAPES[shape].form is not None for shape in shapes])
    for name in ("form", "form_error"):
        maps[name][~has_form] = np.nan
        maps[name] = maps[name] if has_form.any() else None
    return maps


def _under(windows: Sequence[FitWindow], fits: Sequence[Fit], spectra: Pixels) -> dict[str, Any]:
    """What lies under the peaks of each window, and how it was fitted."""
    points = max(len(window.points) for window in windows)
    each: dict[str, Any] = {"under": tuple(Under(window.degree, window.beside) for window in windows)}
    if any(window.degree is not None for window in windows):
        lines = [_at_points(window, fit.background, points) for window, fit in zip(windows, fits, strict=False)]
        each["background"] = np.stack([spectra.on_map(line) for line in lines or [np.empty((0, points))] * len(windows)])
    substrate = windows[0].substrate
    if substrate is not None:
        shares = [fit.background[:, len(window.points) :] for window, fit in zip(windows, fits, strict=False)]
        each["substrate"] = substrate.values
        each["substrate_share"] = np.concatenate([spectra.on_map(share) for share in shares or [np.empty((0, 1))] * len(windows)])
    return each


def _at_points(window: FitWindow, background: Values, points: int) -> Values:
    """(pixel, points) a window's polynomial at more places than it is known by."""
    own = len(window.points)
    return background[:, :own] if own == points else window.polynomial(np.linspace(*window.span, points), background)


def _over_windows(fits: Sequence[Fit], spectra: Pixels, combine: Any) -> NDArray[np.float32]:
    return spectra.on_map(combine(fits) if fits else np.empty(0))


def _reduced_chi2(fits: Sequence[Fit]) -> Values:
    return np.asarray(np.sum([fit.quality.chi2 for fit in fits], axis=0) / sum(fit.quality.freedom for fit in fits))


def _peak_status_maps(order: NDArray[np.intp], fits: Sequence[Fit], detection: float, spectra: Pixels) -> NDArray[np.uint8]:
    """(peak, ny, nx) status of every peak of every pixel, in the order of the settings."""
    result = np.full((len(order), *spectra.chosen.shape), Status.NOT_ON_FLAKE, dtype=np.uint8)
    result[:, spectra.chosen] = Status.NOT_MEASURED
    result[:, spectra.some] = Status.TOO_FEW_CHANNELS
    if fits:
        result[:, spectra.whole] = np.concatenate([peak_status(fit, detection) for fit in fits], axis=1)[:, order].T
    return result


def _status_map(each: NDArray[np.uint8], spectra: Pixels) -> NDArray[np.uint8]:
    """(ny, nx) status of every pixel."""
    status: NDArray[np.uint8] = each[0].copy()
    status[spectra.chosen] = each[:, spectra.chosen].max(axis=0)  # where nothing was fitted: the same, or saturated
    status[spectra.whole] = gravest(each[:, spectra.whole].T)
    return status

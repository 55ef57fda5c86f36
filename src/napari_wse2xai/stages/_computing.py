"""Values that are worked out of a fit's parameters, with errors that hold the covariances of what was fitted together."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import ComputedMap, SpectralMap
from napari_wse2xai.errors import DataError
from napari_wse2xai.numerics import band_light, despike
from napari_wse2xai.numerics.all_over import all_over
from napari_wse2xai.numerics.expressions import Dual, Expression, band_of
from napari_wse2xai.numerics.lineshapes import SHAPES
from napari_wse2xai.numerics.noise_memory import WHITE, Memory
from napari_wse2xai.stages._fitting import Fit, FitWindow
from napari_wse2xai.stages._pixels import Pixels
from napari_wse2xai.stages.computed import Computed
from napari_wse2xai.stages.peaks import KINDS, Peak

if TYPE_CHECKING:
    from napari_wse2xai.numerics.problem import Problem

CHUNK = 1024
"""Pixels worked on at once."""
SURE = 3.0
"""Standard errors that a divisor must lie off zero for the quotient to have a value: below, it may be anything."""
LEARNT = 2000
"""Spectra that the noise of bands outside all windows is read off."""
Values = NDArray[np.float64]


@dataclass(frozen=True)
class Fitted:
    """A whole deconvolution before it is put on the map."""

    source: SpectralMap
    windows: Sequence[FitWindow]
    problems: Sequence["Problem"]
    fits: Sequence[Fit]
    spectra: Pixels
    detection: float


def computed_maps(wanted: Sequence[Computed], fitted: Fitted) -> tuple[ComputedMap, ...]:
    """Evaluate formulas at every fitted pixel."""
    if not wanted:
        return ()
    source, spectra = fitted.source, fitted.spectra
    formulas = [each.formula([peak for window in fitted.windows for peak in window.peaks]) for each in wanted]
    units = [each.unit_of(formula, source.axis.unit, source.intensity_unit) for each, formula in zip(wanted, formulas, strict=True)]
    found = np.full((2, len(formulas), len(spectra)), np.nan)
    bands = _Bands.of(formulas, fitted)
    for first in range(0, len(spectra), CHUNK):
        part = _Part(fitted, bands, slice(first, min(first + CHUNK, len(spectra))))
        for number, formula in enumerate(formulas):
            found[:, number, part.which] = part.evaluated(formula)
    values, errors = spectra.on_map(np.moveaxis(found, -1, 0))
    each = zip(wanted, units, values, errors, strict=True)
    return tuple(ComputedMap(one.name, one.expression, unit, value, error) for one, unit, value, error in each)


@dataclass(frozen=True)
class _Bands:
    """Bands whose light some formulas need."""

    names: tuple[str, ...]
    weights: Values
    """(channel of the axis, band)."""
    missing: NDArray[np.bool_]
    """(pixel, band) where a channel of the band has no value, or one at the detector's ceiling."""
    noise: tuple[float, float, Memory]
    """Constant and slope of the variance of a channel against its level, and how noise goes on along the channels."""

    @classmethod
    def of(cls, formulas: Sequence[Expression], fitted: Fitted) -> "_Bands":
        names = tuple(dict.fromkeys(name for formula in formulas for name in formula.names if band_of(name)))
        source, x = fitted.source, fitted.source.axis.values
        weights, missing = np.zeros((len(x), len(names))), np.zeros((len(fitted.spectra), len(names)), dtype=bool)
        good = np.ones(len(x), dtype=bool)
        good[source.bad_channels if source.bad_channels is not None else []] = False
        for k, name in enumerate(names):
            weights[good, k] = band_light.weights(x[good], *_inside(name, source))
            if source.saturated is not None and len(source.saturated):
                missing[:, k] = fitted.spectra.touching(source.saturated, weights[:, k] != 0)
        return cls(names, weights, missing, cls._noise(fitted) if names else (0.0, 0.0, WHITE))

    @staticmethod
    def _noise(fitted: Fitted) -> tuple[float, float, Memory]:
        spectra = fitted.spectra
        which = all_over(len(spectra), LEARNT)
        some = spectra.measured(_whole(fitted.source), which)[:, None]
        return despike.noise_that_goes_on(some, despike.spectral_median(some))

    def variance(self, counts: NDArray[np.float32]) -> Values:
        """(pixel, n) noise variance of channels outside all windows."""
        level = despike.spectral_median(counts[:, None])[:, 0]
        return np.maximum(self.noise[0] + self.noise[1] * level.astype(np.float64), np.finfo(np.float32).tiny)


def _inside(name: str, source: SpectralMap) -> tuple[float, float]:
    ends, (low, high) = band_of(name), source.axis.span
    assert ends is not None
    if ends[0] < low or ends[1] > high:
        raise DataError(
            f"{name} leaves what '{source.name}' was measured on, {low:.5g} to {high:.5g} {source.axis.unit}; choose a band inside."
        )
    return ends


def _whole(source: SpectralMap) -> FitWindow:
    """The whole axis as a window without peaks."""
    return FitWindow((), slice(0, len(source.axis)), source.axis.values, source.axis.span)


class _Part:
    """Some pixels: values and derivatives of all parameters, and their covariances, each worked out when it is asked for."""

    def __init__(self, fitted: Fitted, bands: _Bands, which: slice) -> None:
        self.fitted, self.bands, self.which = fitted, bands, which
        self._known: dict[int, _Errors] = {}
        self.duals = dict(self._of_peaks()) | self._of_bands()

    def evaluated(self, formula: Expression) -> tuple[Values, Values]:
        """Values and errors, (pixel,) each."""
        guards: list[Dual] = []
        with np.errstate(all="ignore"):
            found = formula.evaluate(self.duals, guards)
            count = self.which.stop - self.which.start
            value = np.broadcast_to(found.value, count).astype(np.float64)
            error = np.sqrt(self._variance(found.by))
            for guard in guards:
                if guard.by:
                    value = np.where(np.abs(guard.value) < SURE * np.sqrt(self._variance(guard.by)), np.nan, value)
        known = np.isfinite(value)
        return np.where(known, value, np.nan), np.where(known & np.isfinite(error), error, np.nan)

    def _of_peaks(self) -> Iterator[tuple[str, Dual]]:
        """Every parameter of every peak, and its area."""
        for w, (window, fit) in enumerate(zip(self.fitted.windows, self.fitted.fits, strict=True)):
            absent = fit.absent(self.fitted.detection)[self.which]
            for k, peak in enumerate(window.peaks):
                own = [Dual(fit.found[self.which, k, i].copy(), {(w, k, i): 1.0}) for i in range(len(KINDS))]
                for i in (0, 1, 3):
                    own[i].value[absent[:, k]] = np.nan
                yield from ((f"{peak.name}.{kind}", dual) for kind, dual in zip(KINDS, own, strict=True))
                yield f"{peak.name}.area", _area(peak, own[1], own[2], own[3])

    def _of_bands(self) -> dict[str, Dual]:
        if not self.bands.names:
            return {}
        light = self._counts.astype(np.float64) @ self.bands.weights
        light[self.bands.missing[self.which]] = np.nan
        return {name: Dual(light[:, b], {("band", b): 1.0}) for b, name in enumerate(self.bands.names)}

    @cached_property
    def _counts(self) -> NDArray[np.float32]:
        """(pixel, channel of the axis) counts as the map holds them; 0 where no band needs them."""
        counts = self.fitted.spectra.measured(_whole(self.fitted.source), self.which)
        return np.where((self.bands.weights != 0).any(axis=1), counts, np.float32(0.0))

    def _variance(self, by: Mapping[Hashable, Values]) -> Values:
        """(pixel,) variance of something with these derivatives."""
        count = self.which.stop - self.which.start
        h = np.zeros((count, len(self.bands.names)))
        for name, slope in by.items():
            if name[0] == "band":  # type: ignore[index]
                h[:, name[1]] = slope  # type: ignore[index]
        total = np.einsum("pa,pab,pb->p", h, self._outside, h) if h.any() else np.zeros(count)
        for w, fit in enumerate(self.fitted.fits):
            g = np.zeros((count, *fit.found.shape[1:]))
            for name, slope in by.items():
                if name[0] == w:  # type: ignore[index]
                    g[:, name[1], name[2]] = slope  # type: ignore[index]
            if g.any() or h.any():
                total = total + self._errors(w).variance(g, h)
        return np.maximum(total, 0.0)

    def _errors(self, w: int) -> "_Errors":
        """Covariances of one window."""
        if w not in self._known:
            self._known[w] = _Errors(self.fitted.windows[w], self.fitted.problems[w], self.fitted.fits[w], self)
        return self._known[w]

    @cached_property
    def _outside(self) -> Values:
        """(pixel, band, band) covariance of the bands' light that lies in no window."""
        free = self.bands.weights.copy()
        for window in self.fitted.windows:
            free[window.channels] = 0.0
        if not free.any():
            return np.zeros((self.which.stop - self.which.start, free.shape[1], free.shape[1]))
        return self.bands.noise[2].between(np.sqrt(self.bands.variance(self._counts))[..., None] * free)


class _Errors:
    """Covariances of one window, scaled to the errors that the maps show."""

    def __init__(self, window: FitWindow, problem: "Problem", fit: Fit, part: _Part) -> None:
        from napari_wse2xai.numerics import uncertainty

        which = part.which
        found, free = fit.found[which], fit.free[which]
        gone = np.array([peak.optional for peak in window.peaks]) & (found[..., 2] <= 0)
        counts = part.fitted.spectra.of(window, which)
        joint = uncertainty.joint(problem, counts, found, free & ~gone[..., None], fit.noise, part.bands.weights[window.channels])
        self.rows, flat = problem.rows, (len(found), -1)
        error = fit.quality.error[which].reshape(flat)[:, self.rows]
        own = np.sqrt(np.maximum(np.einsum("pii->pi", joint.parameters), 0.0))
        scale = np.divide(error, own, out=np.ones_like(error), where=own > 0)  # where channels are missing, errors are larger
        self.unknown = ~np.isfinite(error)
        scale[self.unknown] = 0.0
        alone = np.where((own > 0) | self.unknown, 0.0, error**2)
        self.parameters = joint.parameters * scale[:, :, None] * scale[:, None, :] + alone[:, :, None] * np.eye(len(self.rows))
        self.crossed, self.light = joint.bands * scale[..., None], joint.light
        misfit, zero = fit.misfit, np.zeros(len(found))
        self.raised = 1.0 + (zero if misfit is None else misfit.own[which] ** 2)
        self.bias = np.zeros_like(found) if misfit is None else np.clip(misfit.bias[which], -1e15, 1e15)

    def variance(self, g: Values, h: Values) -> Values:
        """(pixel,) of something with derivatives g (pixel, peak, 4) by the parameters and h (pixel, band) by the bands' light."""
        a = g.reshape(len(g), -1)[:, self.rows]
        total = self.raised * np.einsum("pq,pqr,pr->p", a, self.parameters, a) + (g * self.bias).sum(axis=(1, 2)) ** 2
        if h.shape[1]:
            total += 2 * np.sqrt(self.raised) * np.einsum("pq,pqb,pb->p", a, self.crossed, h)
            total += np.einsum("pa,pab,pb->p", h, self.light, h)
        return np.where((self.unknown & (a != 0)).any(axis=1), np.nan, total)


def _area(peak: Peak, fwhm: Dual, height: Dual, form: Dual) -> Dual:
    """Area of a peak out of its other parameters."""
    area, *slopes = SHAPES[peak.line_shape].area_slopes(fwhm.value, height.value, np.nan_to_num(form.value))
    places = (place for of in (fwhm, height, form) for place in of.by)
    return Dual(area, dict(zip(places, slopes, strict=True)))

"""Subtract the baseline."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.errors import DataError
from napari_wse2xai.numerics.baseline import piecewise_linear
from napari_wse2xai.stages._stage import Progress, Settings, Stage, setting
from napari_wse2xai.stages._windows import Window, channels


class PiecewiseLinear(Settings):
    """Straight lines through the average signal near the boundaries of areas (Yoo et al. 2023)."""

    kind: Literal["piecewise linear"] = "piecewise linear"
    areas: tuple[Window, ...] = setting(
        (), title="Areas", unit="axis", description="Areas whose boundaries lie on bare baseline; empty for the whole axis as one area."
    )
    margin: float | None = setting(
        None,
        title="Margin",
        unit="axis",
        description="Width of the band averaged at a boundary; empty for 4 % of the narrowest area.",
        gt=0,
    )

    def baseline(self, source: SpectralMap, progress: Progress) -> NDArray[np.float32]:
        """(ny, nx, n) counts."""
        for area in self.areas:
            channels(source, area, "the baseline area")
        areas = self.areas or (source.axis.span,)
        margin = self.margin or 0.04 * min(high - low for low, high in areas)
        return piecewise_linear(source.axis.values, source.counts, areas, margin)


class _PerSpectrum(Settings):
    """A method of pybaselines, which takes one spectrum at a time: slower by far than the piecewise linear one."""

    def baseline(self, source: SpectralMap, progress: Progress) -> NDArray[np.float32]:
        """(ny, nx, n) counts; NaN where the pixel was not measured."""
        from pybaselines import Baseline as Fitter

        fitter = Fitter(source.axis.values)
        spectra = source.counts.reshape(-1, len(source.axis))
        result = np.full_like(spectra, np.nan)
        measured = np.flatnonzero(source.measured.ravel())
        for done, pixel in enumerate(measured):
            if done % 16 == 0:
                progress(done / len(measured), "fitting baselines")
            result[pixel] = self.fit(fitter)(spectra[pixel].astype(np.float64))
        return result.reshape(source.counts.shape)

    def fit(self, fitter: object) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
        """Give the library's function with these settings."""
        raise NotImplementedError


class AsymmetricLeastSquares(_PerSpectrum):
    """Asymmetric least squares (Eilers 2003), from pybaselines."""

    kind: Literal["asls"] = "asls"
    smoothness: float = setting(1e6, title="Smoothness", description="Penalty on curvature, lambda.", gt=0, le=1e15)
    asymmetry: float = setting(0.01, title="Asymmetry", description="Weight of points above the baseline, p.", gt=0, lt=1)

    def fit(self, fitter: object) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
        """Give the library's function with these settings."""
        return lambda spectrum: fitter.asls(spectrum, lam=self.smoothness, p=self.asymmetry)[0]  # type: ignore[attr-defined]


class ReweightedLeastSquares(_PerSpectrum):
    """Asymmetrically reweighted penalised least squares, arPLS (Baek 2015), from pybaselines."""

    kind: Literal["arpls"] = "arpls"
    smoothness: float = setting(1e5, title="Smoothness", description="Penalty on curvature, lambda.", gt=0, le=1e15)

    def fit(self, fitter: object) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
        """Give the library's function with these settings."""
        return lambda spectrum: fitter.arpls(spectrum, lam=self.smoothness)[0]  # type: ignore[attr-defined]


class Snip(_PerSpectrum):
    """Statistics-sensitive non-linear iterative peak clipping (Ryan 1988), from pybaselines."""

    kind: Literal["snip"] = "snip"
    half_window: int = setting(
        40, title="Half window", unit="channels", description="At least the half width of the widest line.", ge=1, le=5000
    )

    def fit(self, fitter: object) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
        """Give the library's function with these settings."""
        return lambda spectrum: fitter.snip(spectrum, max_half_window=self.half_window, decreasing=True)[0]  # type: ignore[attr-defined]


Method = Annotated[PiecewiseLinear | AsymmetricLeastSquares | ReweightedLeastSquares | Snip, Field(discriminator="kind")]


class Baseline(Stage[SpectralMap, SpectralMap]):
    """Subtract a baseline from every spectrum."""

    title: ClassVar[str] = "Baseline"

    method: Method = setting(PiecewiseLinear(), title="Method", description="How the baseline is drawn.")

    def run(self, source: SpectralMap, progress: Progress) -> SpectralMap:
        """Return the map above its baseline."""
        if len(source.axis) < 3:
            raise DataError(f"'{source.name}' has {len(source.axis)} channels, too few for a baseline; leave this step out.")
        progress(0.0, "fitting baselines")
        return replace(source, counts=source.counts - self.method.baseline(source, progress))

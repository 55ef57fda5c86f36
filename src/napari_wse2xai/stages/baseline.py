"""Subtract the baseline."""

from dataclasses import replace
from functools import partial
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.errors import DataError
from napari_wse2xai.numerics.baseline import Workers, piecewise_linear
from napari_wse2xai.progress import Progress
from napari_wse2xai.stages._bands import Band, bands, let_go, over_bands, room_for, rows_of
from napari_wse2xai.stages._screening import bridged, screened
from napari_wse2xai.stages._stage import Settings, Stage, setting
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

    def subtract(self, source: SpectralMap, into: NDArray[np.float32], progress: Progress) -> None:
        """Write counts (ny, nx, n) above the baseline; they may take the place of the source's."""
        for area in self.areas:
            channels(source, area, "the baseline area")

        def work(band: Band) -> None:
            counts = rows_of(source.counts, band.rows)
            whole, _ = bridged(counts, source.bad_channels)
            np.subtract(counts, self.under(source, whole), out=into[band.rows])
            let_go(source.counts, into)

        over_bands(work, bands(source.counts.shape), lambda done: progress(done, "subtracting baselines"))

    def under(self, source: SpectralMap, counts: NDArray[np.floating]) -> NDArray[np.float32]:
        """(..., n) baseline of spectra of a map."""
        areas = self.areas or (source.axis.span,)
        margin = self.margin or 0.04 * min(high - low for low, high in areas)
        return piecewise_linear(source.axis.values, counts, areas, margin, source.even_light)


class _PerSpectrum(Settings):
    """A method of pybaselines, which takes one spectrum at a time: slower by far than the piecewise linear one, on all cores."""

    def subtract(self, source: SpectralMap, into: NDArray[np.float32], progress: Progress) -> None:
        """Write counts (ny, nx, n) above the baseline; NaN where the pixel was not measured."""
        method, options = self.method
        parts = bands(source.counts.shape)
        with Workers(source.frame.n_pixels) as workers:
            for index, band in enumerate(parts):
                counts = rows_of(source.counts, band.rows)
                whole, _ = bridged(counts, source.bad_channels)
                spectra, heard = (whole / source.even_light).reshape(-1, counts.shape[-1]), partial(_report, progress, index, len(parts))
                fitted = workers.fit(method, options, source.axis.values, spectra, heard)
                np.subtract(counts, fitted.reshape(counts.shape) * source.even_light, out=into[band.rows])
                let_go(source.counts, into)

    @property
    def method(self) -> tuple[str, dict[str, float]]:
        """Name of the library's method, and its options."""
        raise NotImplementedError


def _report(progress: Progress, index: int, parts: int, done: float) -> None:
    progress((index + done) / parts, "fitting baselines")


class AsymmetricLeastSquares(_PerSpectrum):
    """Asymmetric least squares (Eilers 2003), from pybaselines."""

    kind: Literal["asls"] = "asls"
    smoothness: float = setting(1e6, title="Smoothness", description="Penalty on curvature, lambda.", gt=0, le=1e15)
    asymmetry: float = setting(0.01, title="Asymmetry", description="Weight of points above the baseline, p.", gt=0, lt=1)

    @property
    def method(self) -> tuple[str, dict[str, float]]:
        """Name of the library's method, and its options."""
        return "asls", {"lam": self.smoothness, "p": self.asymmetry}


class ReweightedLeastSquares(_PerSpectrum):
    """Asymmetrically reweighted penalised least squares, arPLS (Baek 2015), from pybaselines."""

    kind: Literal["arpls"] = "arpls"
    smoothness: float = setting(1e5, title="Smoothness", description="Penalty on curvature, lambda.", gt=0, le=1e15)

    @property
    def method(self) -> tuple[str, dict[str, float]]:
        """Name of the library's method, and its options."""
        return "arpls", {"lam": self.smoothness}


class Snip(_PerSpectrum):
    """Statistics-sensitive non-linear iterative peak clipping (Ryan 1988), from pybaselines."""

    kind: Literal["snip"] = "snip"
    half_window: int = setting(
        40, title="Half window", unit="channels", description="At least the half width of the widest line.", ge=1, le=5000
    )

    @property
    def method(self) -> tuple[str, dict[str, float]]:
        """Name of the library's method, and its options."""
        return "snip", {"max_half_window": self.half_window, "decreasing": True}


Method = Annotated[PiecewiseLinear | AsymmetricLeastSquares | ReweightedLeastSquares | Snip, Field(discriminator="kind")]


class Baseline(Stage[SpectralMap, SpectralMap]):
    """Subtract a baseline from every spectrum.

    Notes
    -----
    It is drawn under the counts as they were measured: where a Jacobian made them a density, on eV say, the detector's dark level is bent
    with them, and the baseline is too.
    """

    title: ClassVar[str] = "Baseline"
    order: ClassVar[int] = 60
    usual: ClassVar[bool] = True

    method: Method = setting(PiecewiseLinear(), title="Method", description="How the baseline is drawn.")

    def run(self, source: SpectralMap, progress: Progress) -> SpectralMap:
        """Return the map above its baseline."""
        if len(source.axis) < 3:
            raise DataError(f"'{source.name}' has {len(source.axis)} channels, too few for a baseline; leave this step out.")
        source = screened(source)
        counts = room_for(source.counts)
        self.method.subtract(source, counts, progress)
        return replace(source, counts=counts)

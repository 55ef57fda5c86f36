"""Layouts that peers publish, and maps that are not perfect: made from formulas and noise, with the peaks that they are fitted with."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind, PeakMaps, SpectralMap
from napari_wse2xai.stages import Deconvolve, Peak

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Layout:
    """A map and how it is fitted."""

    name: str
    map: SpectralMap
    stage: Deconvolve

    @property
    def spectra(self) -> int:
        """Number of spectra that are fitted."""
        return int(self.map.flake.sum()) if self.stage.pixels == "flake" and self.map.flake is not None else self.map.counts[..., 0].size

    def fit(self) -> PeakMaps:
        """Errors, status, second look and all."""
        return self.stage(self.map)


Lines = tuple[tuple[float, float, float], ...]
"""Position, FWHM and height."""


def drawn(rng: np.random.Generator, x: Array, lines: Lines, pixels: int, *, averaged: bool = False) -> Array:
    """(pixel, n) Lorentzians whose places, widths and heights differ from pixel to pixel; `averaged`: means over channels of one width."""
    total = np.zeros((pixels, len(x)))
    half = 0.5 * float(x[1] - x[0])
    for position, fwhm, height in lines:
        p = position + 0.05 * fwhm * rng.normal(size=(pixels, 1))
        g = 0.5 * fwhm * rng.uniform(0.9, 1.1, (pixels, 1))
        h = height * rng.uniform(0.7, 1.3, (pixels, 1))
        if averaged:
            total += h * g / (2 * half) * (np.arctan((x + half - p) / g) - np.arctan((x - half - p) / g))
        else:
            total += h / (1 + ((x - p) / g) ** 2)
    return total


def layout(  # noqa: PLR0913 - a map has many sides
    name: str,
    shape: tuple[int, int],
    x: Array,
    lines: Lines,
    *,
    empty: float = 0.0,
    flake_only: bool = False,
    noise: float = 10.0,
    averaged: bool = False,
    expected: Lines | None = None,
    **settings: object,
) -> Layout:
    """A map whose first rows are empty, fitted with its own lines unless others are expected."""
    rng = np.random.default_rng(0)
    pixels = shape[0] * shape[1]
    clean = drawn(rng, x, lines, pixels, averaged=averaged)
    clean[: round(empty * pixels)] = 0
    counts = clean + 100 + 0.2 * (x - x.mean()) * rng.uniform(0.5, 1.5, (pixels, 1)) + noise * rng.normal(size=clean.shape)
    flake = np.arange(pixels).reshape(shape) >= round(empty * pixels)
    window = (float(x[0]), float(x[-1]))
    peaks = tuple(Peak(name=f"P{k}", position=p, fwhm=w, window=window) for k, (p, w, _) in enumerate(expected or lines))
    stage = Deconvolve(peaks=peaks, pixels="flake" if flake_only else "everywhere", **settings)  # type: ignore[arg-type]
    source = SpectralMap.from_arrays(counts.reshape(*shape, -1).astype(np.float32), x, AxisKind.RAMAN_SHIFT)
    return Layout(name, replace(source, flake=flake), stage)


THREE: Lines = ((384.0, 4.0, 600.0), (404.0, 5.0, 800.0), (418.0, 8.0, 150.0))
SIX: Lines = (
    (220.0, 10.0, 200.0),
    (240.0, 9.0, 350.0),
    (250.0, 4.0, 1500.0),
    (260.5, 8.0, 500.0),
    (285.0, 8.0, 250.0),
    (305.0, 9.0, 300.0),
)
NARROW: Lines = ((218.6, 17.5, 300.0), (240.8, 10.0, 330.0), (250.1, 1.3, 9000.0), (260.8, 4.4, 700.0))


def published() -> list[Layout]:
    """What peers time their engines on."""
    x3 = np.linspace(370, 435, 108)
    return [
        layout("1,520 x 108 x 3, 40 % empty, everywhere", (38, 40), x3, THREE, empty=0.4),
        layout("1,520 x 108 x 3, flake only", (38, 40), x3, THREE, empty=0.4, flake_only=True),
        layout("3,721 x 71 x 1", (61, 61), np.linspace(500, 540, 71), ((520.5, 4.0, 1000.0),)),
        layout("196 x 275 x 6", (14, 14), np.linspace(190, 330, 275), SIX),
        layout("16,384 x 304 x 1", (128, 128), np.linspace(430, 610, 304), ((520.5, 4.0, 1000.0),)),
    ]


def imperfect() -> list[Layout]:
    """The perfect map, and the same with a line at its bound everywhere."""
    x = np.linspace(183, 300, 240)
    lines: Lines = ((220.0, 10.0, 200.0), (240.0, 9.0, 350.0), (250.0, 4.0, 1500.0), (260.5, 8.0, 500.0))
    at_bound: Lines = (*lines[:3], (260.5, 2.4, 500.0))
    return [
        layout("16,068 x 240 x 4, perfect", (103, 156), x, lines),
        layout("16,068 x 240 x 4, a line at its bound everywhere", (103, 156), x, lines, expected=at_bound),
    ]


def narrow() -> list[Layout]:
    """Lines of real WSe2 at high resolution, 0.5 cm-1 per channel."""
    x = np.arange(183.0, 300.0, 0.5)
    wide: Lines = ((218.6, 17.5, 300.0), (240.8, 10.0, 330.0), (250.1, 4.0, 9000.0), (260.8, 9.0, 700.0))
    common = {"averaged": True}
    return [
        layout("narrow, 524 x 234 x 4, right starts", (4, 131), x, NARROW, **common),  # type: ignore[arg-type]
        layout("narrow, starts too wide", (4, 131), x, NARROW, expected=wide, **common),  # type: ignore[arg-type]
        layout("narrow, 40 % empty pixels, everywhere", (6, 146), x, NARROW, empty=0.4, **common),  # type: ignore[arg-type]
        layout("narrow, 524 of these, flake only", (6, 146), x, NARROW, empty=0.4, flake_only=True, **common),  # type: ignore[arg-type]
    ]

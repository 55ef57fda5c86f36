"""A scan looked at for its flake: the light of every pixel, its noise, and what is dark beside it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Self

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.numerics import line_light, masking
from napari_wse2xai.numerics.all_over import all_over
from napari_wse2xai.numerics.bright_spectra import CERTAIN
from napari_wse2xai.numerics.local_baseline import curves, rough_light
from napari_wse2xai.stages._bands import Band, bands, let_go, over_bands, rows_of
from napari_wse2xai.stages._screening import bridged

Values = NDArray[np.float64]
SAMPLE = 3000
"""Spectra that the pattern of the lines is learnt from."""
SILICON = ((290.0, 315.0), (500.0, 540.0), (920.0, 1000.0))
"""Raman shifts of silicon's lines, cm-1."""
BEND, CHANNELS = 30.0, 8
"""Raman shift that fluorescence takes for a bend, at least, cm-1: twice a usual line's width; and channels, so that noise is none."""
TAILS = np.geomspace(8.0, 80.0, 6)
"""Raman shifts over which the laser's tail may fall to a third, cm-1."""
FEWEST_BENDS, MOST_BENDS = 6, 10
"""Fewer tell fluorescence from lines no better than a curve does; more follow a carbon's broad bands too."""
HALF, A_QUARTER = 0.5, 0.25
"""Share of a window's channels that silicon's lines may take to be left out; and of a window round one of them, which is asked for."""
DARKER, MANY = 5.0, 0.05
"""Noise standard deviations by which pixels are darker than the darkest corner, and their share from which that lies on the flake."""


@dataclass(frozen=True)
class Scene:
    """The spectra of a window, seen as light."""

    source: SpectralMap
    light: Values
    """(ny, nx) counts; NaN where nothing was measured."""
    noise: Values
    """(ny, nx) one standard deviation of the light by the pixel's own noise; 0 where it is not asked."""
    pattern: line_light.Pattern | None = None
    covered: bool = False
    """Whether the darkest spectra show the lines as well, then no pixel is beside the flake; saturated ones are not asked."""

    @classmethod
    def of_means(cls, source: SpectralMap, inside: slice, progress: Callable[[float], None]) -> Self:
        """The paper's signal: mean counts in the window."""
        light = np.empty(source.frame.shape)

        def work(band: Band) -> None:
            light[band.rows] = masking.mean_signal(_whole(source, band.rows)[..., inside])
            let_go(source.counts)

        over_bands(work, bands(source.counts.shape), progress)
        return cls(source, light, np.zeros_like(light))

    @classmethod
    def of_lines(cls, source: SpectralMap, window: slice, progress: Callable[[float], None]) -> Self:
        """Light of what bright spectra have more of than dark ones, above a local baseline."""
        inside = _without_silicon(source, window)
        sample, whole = _sample(source, inside)
        along = _along(source, inside)
        learn = partial(line_light.Pattern.of, at=along[0], slow=along[1], glow=source.axis.kind is not AxisKind.RAMAN_SHIFT)
        pattern = learn(sample) if len(sample) > 1 else None
        clear = learn(sample[whole]) if 1 < whole.sum() < len(whole) else pattern
        light, noise = np.empty(source.frame.shape), np.zeros(source.frame.shape)

        def work(band: Band) -> None:
            spectra = _whole(source, band.rows).take(inside, axis=-1)  # six times as quick as an index
            if pattern is None or pattern.contrast < CERTAIN:
                # Nothing that bright spectra have in common stands out: then the mean above the baseline is all there is.
                light[band.rows] = rough_light(spectra, along[0])
            else:
                seen = np.isfinite(spectra).all(axis=-1)
                light[band.rows] = np.nan
                if seen.any():
                    whole = spectra.reshape(-1, len(inside)) if seen.all() else spectra[seen]
                    light[band.rows][seen], noise[band.rows][seen] = pattern.light(whole)
            let_go(source.counts)

        over_bands(work, bands(source.counts.shape), progress)
        return cls(source, light, noise, pattern, clear is not None and clear.everywhere)

    @cached_property
    def measured(self) -> NDArray[np.bool_]:
        """(ny, nx) True where there is light to speak of."""
        return np.isfinite(self.light)

    @property
    def follows_fluorescence(self) -> bool:
        """Whether a map of Raman shifts shows no line; luminescence is smooth by nature."""
        return self.source.axis.kind is AxisKind.RAMAN_SHIFT and self.pattern is not None and self.pattern.smooth

    def dark(self, corner: str, size: int) -> masking.Background:
        """Light beside the flake: of a corner, or, where many pixels are darker than the darkest of them, of the dark pixels."""
        usual = float(np.median(self.noise[self.measured])) if self.measured.any() else 0.0
        found = masking.background(self.light, corner, size, usual)
        if corner != "darkest" or usual == 0:
            return found
        values = self.light[self.measured]
        # A corner that lies on the flake, or on a bright strip, is no background: many pixels are darker than it.
        darker = values < found.mean - DARKER * usual
        return line_light.floor(values, usual) if found.sigma > DARKER * usual or darker.mean() > MANY else found


def _whole(source: SpectralMap, rows: slice) -> NDArray[np.float32]:
    """Some rows, gaps and channels that tell nothing bridged."""
    return bridged(rows_of(source.counts, rows), source.bad_channels)[0]


def _without_silicon(source: SpectralMap, window: slice) -> NDArray[np.intp]:
    """Channels of a window but for those of silicon's lines, which are brightest beside the flake; all where these are most."""
    inside = np.arange(len(source.axis))[window]
    if source.axis.kind is not AxisKind.RAMAN_SHIFT:
        return inside
    x = source.axis.values[inside]
    silicon = np.any([(x > low) & (x < high) for low, high in SILICON], axis=0)
    middle = 0.5 * (x.min() + x.max())
    round_it = any(low < middle < high for low, high in SILICON)
    return inside if silicon.mean() > (A_QUARTER if round_it else HALF) else inside[~silicon]


def _along(source: SpectralMap, inside: NDArray[np.intp]) -> tuple[Values, Values | None]:
    """(n,) where channels lie, -1 to 1, and (n, b) what light other than lines is made of in a wide window of Raman shifts, else None."""
    x = source.axis.values[inside]
    extent = float(np.ptp(x))
    at = np.interp(x, [x.min(), x.max()], [-1.0, 1.0]) if extent else np.zeros(len(x))
    bends = min(int(extent / BEND), len(x) // CHANNELS, MOST_BENDS)
    if source.axis.kind is not AxisKind.RAMAN_SHIFT or bends < FEWEST_BENDS:
        return at, None
    tails = np.exp(-(x - x.min())[:, None] / TAILS)
    return at, np.hstack([curves(at, bends), tails])


def _sample(source: SpectralMap, inside: NDArray[np.intp]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """(m, n) measured spectra from all over the map, and (m,) True where none of their channels is saturated."""
    ny, nx = source.frame.shape
    rows = all_over(ny, max(20, -(-SAMPLE // nx))).tolist()
    step = max(1, len(rows) * nx // SAMPLE)
    spectra = np.concatenate([_whole(source, slice(row, row + 1))[0, ::step][:, inside] for row in rows])
    whole = np.ones((ny, nx), dtype=bool)
    if source.saturated is not None:
        whole[source.saturated[:, 0], source.saturated[:, 1]] = False
    measured = np.isfinite(spectra).all(axis=-1)
    return np.asarray(spectra[measured]), whole[rows, ::step].ravel()[measured]

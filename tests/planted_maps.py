"""Made-up maps whose truth is known, right models and wrong ones: drawn from formulas alone, with nothing of the package's own twin."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind, PeakMaps, SpectralMap
from napari_wse2xai.stages import Deconvolve, Peak

Array = NDArray[np.float64]
X = np.arange(180.0, 321.0, 0.6)
"""Axis, cm-1."""
SHAPE = (14, 15)


def lorentzian(x: Array, position: Array | float, fwhm: Array | float, height: Array | float) -> Array:
    """(ny, nx, n) of maps (ny, nx) or numbers."""
    p, w, h = (np.asarray(value, dtype=np.float64)[..., None] for value in (position, fwhm, height))
    return np.asarray(h / (1 + 4 * ((x - p) / w) ** 2))


def gaussian(x: Array, position: Array | float, fwhm: Array | float, height: Array | float) -> Array:
    """(ny, nx, n) of maps (ny, nx) or numbers."""
    p, w, h = (np.asarray(value, dtype=np.float64)[..., None] for value in (position, fwhm, height))
    return np.asarray(h * np.exp(-4 * np.log(2) * ((x - p) / w) ** 2))


def averaged(shape: Callable[..., Array], x: Array, *line: Array | float) -> Array:
    """A line as a detector counts it: its mean over each channel, not its value in the middle."""
    across = (np.arange(41) - 20) / 41 * float(x[1] - x[0])
    return np.asarray(sum(shape(x + step, *line) for step in across) / len(across))


@dataclass(frozen=True)
class Planted:
    """A map, the peaks that it is fitted with, and what the fit should find."""

    counts: Array
    """(ny, nx, n)."""
    peaks: tuple[Peak, ...]
    truth: Array
    """(peak, 3, ny, nx) position, FWHM, height of what the peaks of the list mean; NaN where they have no counterpart."""
    right: bool
    """Whether the list of peaks is what the map was made of."""
    x: Array = field(default_factory=lambda: X)
    settings: dict[str, object] = field(default_factory=dict)
    missing: tuple[float, float, float] | None = None
    """Position, FWHM and height of a line that is not in the list."""

    @property
    def map(self) -> SpectralMap:
        """As read."""
        return SpectralMap.from_arrays(self.counts.astype(np.float32), self.x, AxisKind.RAMAN_SHIFT)

    def fitted(self) -> PeakMaps:
        """Fit everywhere."""
        return Deconvolve(peaks=self.peaks, pixels="everywhere", **self.settings)(self.map)  # type: ignore[arg-type]

    def off(self, peaks: PeakMaps) -> Array:
        """(peak, 3, ny, nx) how many of its errors each number is off; NaN where it has none."""
        found = np.stack([getattr(peaks, name) for name in ("position", "fwhm", "height")], axis=1)
        error = np.stack([getattr(peaks, f"{name}_error") for name in ("position", "fwhm", "height")], axis=1)
        return np.asarray(np.abs(found - self.truth) / error)


def noisy(rng: np.random.Generator, counts: Array, sigma: float, *, gain: float = 0.0, smooth: float = 0.0) -> Array:
    """Add noise of variance ``sigma^2 + gain counts``; a share `smooth` of each channel's goes to its two neighbours."""
    noise = rng.normal(size=counts.shape) * np.sqrt(sigma**2 + gain * np.maximum(counts, 0.0))
    spread = noise + smooth * (np.roll(noise, 1, axis=-1) + np.roll(noise, -1, axis=-1))
    return counts + spread / np.sqrt(1 + 2 * smooth**2)


def truth_of(*lines: tuple[Array | float, Array | float, Array | float]) -> Array:
    """(peak, 3, ny, nx)."""
    return np.stack([np.stack([np.broadcast_to(value, SHAPE) for value in line]) for line in lines]).astype(np.float64)


def model_at(peaks: PeakMaps, row: int, column: int) -> Array:
    """(n,) fit of a pixel as it is drawn, Lorentzians on their background; NaN outside the windows."""
    lines = peaks.parameters(row, column)
    return peaks.background_at(row, column) + sum(lorentzian(peaks.axis.values, *line[:3]) for line in lines)


def right(
    seed: int, *, snr: float, width: float = 4.0, gain: float = 0.0, smooth: float = 0.0, form: str = "lorentzian", window: float = 20.0
) -> Planted:
    """One line, whose place and height vary, on a level of 100."""
    rng = np.random.default_rng(seed)
    line = (250 + 0.2 * rng.normal(size=SHAPE), width * np.ones(SHAPE), 6.0 * snr * rng.uniform(0.7, 1.3, SHAPE))
    shape = {"lorentzian": lorentzian, "gaussian": gaussian}[form]
    seen = averaged(shape, X, *line) if width < 4 * (X[1] - X[0]) else shape(X, *line)
    counts = noisy(rng, seen + 100, 6.0, gain=gain, smooth=smooth)
    return Planted(
        counts, (Peak(name="A", shape=form, position=250, fwhm=width, window=(250 - window, 250 + window)),), truth_of(line), True
    )


def right_doublet(seed: int, *, snr: float, apart: float = 1.5) -> Planted:
    """Two lines, `apart` in FWHM."""
    rng = np.random.default_rng(seed)
    one = (248 + 0.1 * rng.normal(size=SHAPE), 5 * np.ones(SHAPE), 6.0 * snr * np.ones(SHAPE))
    two = (248 + 5 * apart + 0.1 * rng.normal(size=SHAPE), 5 * np.ones(SHAPE), 4.0 * snr * np.ones(SHAPE))
    peaks = tuple(Peak(name=name, position=place, fwhm=5, window=(220, 285)) for name, place in (("A", 248.0), ("B", 248 + 5 * apart)))
    return Planted(noisy(rng, lorentzian(X, *one) + lorentzian(X, *two) + 100, 6.0), peaks, truth_of(one, two), True)


def missing_line(seed: int, *, snr: float = 67, ratio: float = 0.375, away: float = 7.0, width: float = 6.0) -> Planted:
    """A second line that is not in the list."""
    rng = np.random.default_rng(seed)
    line = (250 + 0.2 * rng.normal(size=SHAPE), 4 * np.ones(SHAPE), 6 * snr * rng.uniform(0.9, 1.1, SHAPE))
    extra = lorentzian(X, 250.0 + away, width, ratio * line[2])
    counts = noisy(rng, lorentzian(X, *line) + extra + 100, 6.0)
    peaks = (Peak(name="A", position=250, fwhm=4, window=(230, 270)),)
    return Planted(counts, peaks, truth_of(line), False, missing=(250.0 + away, width, ratio * 6 * snr))


def wrong_shape(seed: int, *, true: str, snr: float = 33, width: float = 12.0, window: tuple[float, float] = (230, 270)) -> Planted:
    """A band of one shape fitted with the other."""
    rng = np.random.default_rng(seed)
    line = (250 * np.ones(SHAPE), width * np.ones(SHAPE), 6 * snr * rng.uniform(0.9, 1.1, SHAPE))
    fitted = {"gaussian": "lorentzian", "lorentzian": "gaussian"}[true]
    shape = {"lorentzian": lorentzian, "gaussian": gaussian}[true]
    peaks = (Peak(name="D", shape=fitted, position=250, fwhm=width, window=window),)
    return Planted(noisy(rng, shape(X, *line), 6.0), peaks, truth_of(line), False)


def filter_edge(seed: int, *, snr: float = 67) -> Planted:
    """A laser filter's edge at 205 inside the window of a peak that is not there."""
    rng = np.random.default_rng(seed)
    line = (250 * np.ones(SHAPE), 4 * np.ones(SHAPE), 6 * snr * np.ones(SHAPE))
    through = 1 / (1 + np.exp(-(X - 205) / 1.5))
    counts = noisy(rng, (lorentzian(X, *line) + 400) * through, 6.0)
    peaks = (Peak(name="P215", position=215, fwhm=8, window=(195, 235)), Peak(name="A", position=250, fwhm=4, window=(236, 270)))
    nothing = (np.full(SHAPE, 215.0), np.full(SHAPE, 8.0), np.zeros(SHAPE))
    return Planted(counts, peaks, truth_of(nothing, line), False)


def two_as_one(seed: int, *, snr: float = 100, apart: float = 0.6) -> Planted:
    """Two lines of one width fitted as one: the position should be their mean, height and width those of neither."""
    rng = np.random.default_rng(seed)
    one = (250 * np.ones(SHAPE), 8 * np.ones(SHAPE), 6 * snr * np.ones(SHAPE))
    two = (250 + 8 * apart * np.ones(SHAPE), 8 * np.ones(SHAPE), 3.6 * snr * np.ones(SHAPE))
    peaks = (Peak(name="G", position=251, fwhm=8, window=(220, 290)),)
    return Planted(noisy(rng, lorentzian(X, *one) + lorentzian(X, *two) + 100, 6.0), peaks, truth_of(one), False)


def merged(seed: int, *, snr: float = 100, apart: float = 0.3) -> Planted:
    """Two equal lines, closer than can be told apart, fitted as two."""
    rng = np.random.default_rng(seed)
    one, two = ((250 + side * 5 * apart / 2 * np.ones(SHAPE), 5 * np.ones(SHAPE), 6 * snr * np.ones(SHAPE)) for side in (-1, 1))
    peaks = tuple(Peak(name=n, position=250 + s * max(apart, 0.25) * 2.5, fwhm=5, window=(225, 275)) for n, s in (("A", -1), ("B", 1)))
    return Planted(noisy(rng, lorentzian(X, *one) + lorentzian(X, *two) + 100, 6.0), peaks, truth_of(one, two), False)


def listed_twice(seed: int, *, snr: float = 67) -> Planted:
    """One line that stands in the list twice."""
    rng = np.random.default_rng(seed)
    line = (250 * np.ones(SHAPE), 4 * np.ones(SHAPE), 6 * snr * np.ones(SHAPE))
    peaks = tuple(Peak(name=name, position=250, fwhm=4, window=(230, 270)) for name in ("A", "A again"))
    return Planted(noisy(rng, lorentzian(X, *line) + 100, 6.0), peaks, truth_of(line, line), False)


def window_typo(seed: int, *, high: float = 296) -> Planted:
    """Two lines whose windows differ by a slip."""
    rng = np.random.default_rng(seed)
    one, two = ((place * np.ones(SHAPE), 6 * np.ones(SHAPE), 1000 * np.ones(SHAPE)) for place in (250.0, 262.0))
    peaks = (Peak(name="A", position=250, fwhm=6, window=(225, 295)), Peak(name="B", position=262, fwhm=6, window=(225, high)))
    return Planted(noisy(rng, lorentzian(X, *one) + lorentzian(X, *two) + 100, 6.0), peaks, truth_of(one, two), True)


def bent_background(seed: int, *, bend: float = 200.0, background: str = "linear") -> Planted:
    """Fluorescence that bends under the window."""
    rng = np.random.default_rng(seed)
    line = (250 * np.ones(SHAPE), 4 * np.ones(SHAPE), 520 * np.ones(SHAPE))
    counts = noisy(rng, lorentzian(X, *line) + 100 + bend * np.exp(-(((X - 270) / 25) ** 2)), 6.0)
    peaks = (Peak(name="A", position=250, fwhm=4, window=(225, 275)),)
    return Planted(counts, peaks, truth_of(line), background != "linear", settings={"background": background})


def held_width(seed: int, *, wide: float = 1.3, by_hand: bool = False) -> Planted:
    """A line wider than three times what is expected, or narrower than a bound set by hand, beside one that is as expected."""
    rng = np.random.default_rng(seed)
    other = (240 + 0.1 * rng.normal(size=SHAPE), 4 * np.ones(SHAPE), 900 * rng.uniform(0.7, 1.3, SHAPE))
    line = (260 + 0.1 * rng.normal(size=SHAPE), 9 * wide * rng.uniform(0.95, 1.05, SHAPE), 600 * rng.uniform(0.7, 1.3, SHAPE))
    held = Peak(name="B", position=260, fwhm=3, window=(215, 290), fwhm_bounds=(2, 9) if by_hand else None)
    peaks = (Peak(name="A", position=240, fwhm=4, window=(215, 290)), held)
    counts = noisy(rng, lorentzian(X, *other) + lorentzian(X, *line) + 100, 6.0)
    return Planted(counts, peaks, truth_of(other, line), False)


def some_with_a_line(seed: int, *, share: float = 0.5) -> Planted:
    """A line that is not in the list in some of the pixels only."""
    rng = np.random.default_rng(seed)
    line = (250 * np.ones(SHAPE), 4 * np.ones(SHAPE), 1000 * np.ones(SHAPE))
    there = rng.random(SHAPE) < share
    counts = noisy(rng, lorentzian(X, *line) + lorentzian(X, 258.0, 6.0, 300.0 * there) + 100, 6.0)
    return Planted(counts, (Peak(name="A", position=250, fwhm=4, window=(225, 275)),), truth_of(line), False)


def some_elsewhere(seed: int, *, share: float = 0.5, away: float = 8.0) -> Planted:
    """Two lines that lie where no peak of the list may go, in some of the pixels: another domain of the sample."""
    rng = np.random.default_rng(seed)
    there = away * (rng.random(SHAPE) < share)
    lines = (250 + there, 4 * np.ones(SHAPE), 400 * np.ones(SHAPE)), (262 + there, 6 * np.ones(SHAPE), 200 * np.ones(SHAPE))
    counts = noisy(rng, sum(lorentzian(X, *line) for line in lines) + 100, 8.0)
    peaks = (Peak(name="A", position=250, fwhm=4, window=(225, 295)), Peak(name="B", position=262, fwhm=6, window=(225, 295)))
    return Planted(counts, peaks, truth_of(*lines), False)


def running_together(seed: int, *, ratio: float = 0.8) -> Planted:
    """Two lines that are one at the left end of the map, and three widths apart at the right end."""
    rng = np.random.default_rng(seed)
    away = np.broadcast_to(np.linspace(0.0, 12.0, SHAPE[1]), SHAPE)
    width, height = 3.8 * (1 + 0.03 * rng.normal(size=SHAPE)), 400 * (1 + 0.1 * rng.normal(size=SHAPE))
    lines = (252.0 * np.ones(SHAPE), width, height), (252.0 + away, width, ratio * height)
    counts = noisy(rng, sum(lorentzian(X, *line) for line in lines) + 100, 9.0)
    peaks = (Peak(name="A", position=252, fwhm=4, window=(225, 295)), Peak(name="B", position=258, fwhm=4, window=(225, 295)))
    return Planted(counts, peaks, truth_of(*lines), False)


def particles(seed: int, *, counts: float = 1500.0) -> Planted:
    """Fluorescence of dirt under two lines, in a few spots: a band as wide as the window; elsewhere the background is straight."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    spots = sum(np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / 1.5) for cy, cx in rng.uniform(0, SHAPE, size=(2, 2)))
    band = np.exp(-4 * np.log(2) * ((X - rng.uniform(240, 285)) / 60) ** 2)
    height = 400 * (1 + 0.1 * rng.normal(size=SHAPE))
    lines = (250.0 * np.ones(SHAPE), 4.2, height), (262.0 * np.ones(SHAPE), 6.3, 0.5 * height)
    drawn = sum(lorentzian(X, *line) for line in lines) + counts * spots[..., None] * band + 100
    peaks = (Peak(name="A", position=250, fwhm=4, window=(225, 295)), Peak(name="B", position=262, fwhm=6, window=(225, 295)))
    return Planted(noisy(rng, drawn, 8.0), peaks, truth_of(*lines), False, settings={"background": "automatic"})


def _random_line(rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Place, width and height of a line that varies a little over the map."""
    place, width, snr = rng.uniform(235, 265), rng.uniform(2.5, 10), np.exp(rng.uniform(np.log(5), np.log(500)))
    return place + 0.05 * width * rng.normal(size=SHAPE), np.full(SHAPE, width), 6 * snr * rng.uniform(0.6, 1.4, SHAPE)


def _listed(rng: np.random.Generator, line: tuple[Array, ...]) -> tuple[Peak, ...]:
    place, width = float(line[0].mean()), float(line[1].mean())
    start = float(np.clip(place + rng.uniform(-0.3, 0.3) * width, 190, 310))
    return (Peak(name="A", position=start, fwhm=width * rng.uniform(0.8, 1.25), window=(195, 305)),)


def uneven_blend(seed: int) -> Planted:
    """A Gaussian line that wanders and widens over the map, a narrower Lorentzian beside it on the way: no one remedy suits all pixels."""
    rng = np.random.default_rng(seed)
    x, across, down = np.arange(130.0, 420.0, 0.9), np.linspace(-1, 1, 15)[None], np.linspace(-1, 1, 14)[:, None]
    line = (270 + 1.83 * across + 0 * down, 12.2 * (1 + 0.2 * down) + 0 * across, 231 * (1 + 0.3 * across * down))
    counts = gaussian(x, *line) + lorentzian(x, line[0] + 6.0, 8.6, 0.38 * line[2]) + 100
    peaks = (Peak(name="A", shape="gaussian", position=270, fwhm=12, window=(131, 419)),)
    return Planted(noisy(rng, counts, 1.5), peaks, truth_of(line), False, x)


def random_right(seed: int) -> Planted:
    """A right model, drawn at random: place, width, signal-to-noise ratio, shot noise, noise that neighbours share."""
    rng = np.random.default_rng([1, seed])
    line = _random_line(rng)
    gain, smooth = rng.choice([0.0, 0.0, 0.5, 2.0]), rng.choice([0.0, 0.0, 0.0, 0.25])
    counts = noisy(rng, lorentzian(X, *line) + 100 + rng.uniform(-0.3, 0.3) * (X - 250), 6.0, gain=float(gain), smooth=float(smooth))
    return Planted(counts, _listed(rng, line), truth_of(line), right=True)


def random_missing(seed: int) -> Planted:
    """A line that is not in the list, at least 1.2 widths from the other, its place, width and height drawn at random."""
    rng = np.random.default_rng([2, seed])
    line = _random_line(rng)
    width = rng.uniform(2.5, 10)
    apart = 1.2 * 0.5 * (width + line[1].mean())
    place = rng.uniform(205, 295)
    while abs(place - line[0].mean()) < apart:
        place = rng.uniform(205, 295)
    share = float(np.exp(rng.uniform(np.log(0.01), np.log(1.0))))
    counts = noisy(rng, lorentzian(X, *line) + lorentzian(X, place, width, share * line[2]) + 100, 6.0)
    return Planted(counts, _listed(rng, line), truth_of(line), right=False, missing=(place, width, share * float(line[2].mean())))


def random_shifted(seed: int, *, shift: bool = True) -> Planted:
    """Two lines, and silicon's on every other map, on an axis that is off by more than the peaks may move, or by less."""
    rng = np.random.default_rng([3, seed])
    x, width, snr = np.arange(330.0, 570.0, rng.choice([0.8, 1.2, 1.6])), rng.uniform(3.5, 7), np.exp(rng.uniform(np.log(8), np.log(200)))
    off = float(rng.choice([-1, 1]) * rng.uniform(0.6, 1.9) * width if shift else rng.uniform(-0.25, 0.25) * width)
    height, wander = 6 * snr * rng.uniform(0.6, 1.3, SHAPE), 0.05 * width * rng.normal(size=SHAPE)
    one, two = (384.5 + off + wander, width, height), (404 + off - wander, 1.2 * width, 1.3 * height)
    silicon = lorentzian(x, 520.7 + off, 4.5, rng.uniform(300, 3000) * (seed % 2) * np.ones(SHAPE))
    reach = float(rng.uniform(0.3, 0.5) * width)
    peaks = tuple(
        Peak(name=name, position=place, fwhm=wide, window=(355, 440), max_shift=reach)
        for name, place, wide in (("E'", 384.5, width), ("A1'", 404.0, 1.2 * width))
    )
    counts = noisy(rng, lorentzian(x, *one) + lorentzian(x, *two) + silicon + 60, 6.0)
    return Planted(counts, peaks, truth_of(one, two), not shift, x, missing=(off, width, snr))


def random_cut(seed: int) -> Planted:
    """A line that is not in the list, its middle at an end of the window, up to half its width inside or outside."""
    rng = np.random.default_rng([4, seed])
    width, snr = rng.uniform(3, 7), np.exp(rng.uniform(np.log(8), np.log(300)))
    line = (250 + 0.05 * width * rng.normal(size=SHAPE), width, 6 * snr * rng.uniform(0.7, 1.3, SHAPE))
    low, high = 250 - rng.uniform(3.5, 6) * width, 250 + rng.uniform(3.5, 6) * width
    wide, share, end = rng.uniform(3, 8), rng.uniform(0.1, 1), rng.choice([low, high])
    place = float(end + rng.uniform(-0.4, 0.4) * wide)
    counts = noisy(rng, lorentzian(X, *line) + lorentzian(X, place, wide, share * line[2]) + 100, 6.0)
    peaks = (Peak(name="A", position=250.3, fwhm=width, window=(low, high)),)
    return Planted(counts, peaks, truth_of(line), right=False, missing=(place, wide, share * float(line[2].mean())))


def held_pair(seed: int, *, apart: float = 16.0, high: float = 1500.0, widths: float = 0.0, wander: float = 0.0, **of_b: object) -> Planted:
    """Two lines that move together; `widths` and `wander` are how widths and distance differ over the map, the rest settings of B."""
    dice, shape = np.random.default_rng(seed), (15, 17)
    shift = dice.uniform(-0.8, 0.8, shape)
    wide = [fwhm * (1 + dice.uniform(-widths, widths, shape)) for fwhm in (8.0, 6.0)]
    heights = [high * share * dice.uniform(0.7, 1.3, shape) for share in (0.6, 1.0)]
    lines = [(230 + shift, wide[0], heights[0]), (230 + apart + shift + dice.uniform(-wander, wander, shape), wide[1], heights[1])]
    counts = dice.poisson(300 + sum(lorentzian(X, *line) for line in lines)) + 4 * dice.normal(size=(*shape, len(X)))
    first = Peak(name="A", position=230, fwhm=8, window=(190, 280))
    second = {"name": "B", "position": 230 + apart, "fwhm": 6, "window": (190, 280), **of_b}
    return Planted(counts, (first, Peak.model_validate(second)), np.array(lines), not (widths or wander))


def worth(planted: Planted) -> float:
    """Standard deviations that the missing line is worth in the sum of all spectra, if the rest were known."""
    assert planted.missing is not None
    curve = lorentzian(planted.x, *planted.missing)
    inside = (planted.x > 195) & (planted.x < 305)
    return float(np.linalg.norm((curve - curve.mean())[inside]) / 6 * np.sqrt(planted.counts[..., 0].size))


HOLDS: dict[str, dict[str, object]] = {
    "a width": {"fixed": "fwhm"},
    "a common width": {"shared": "fwhm"},
    "their distance": {"distance_from": "A"},
}
"""Ways of holding a parameter of the second of two lines."""
CASES: dict[str, Callable[[int], Planted]] = {
    **{f"right, SNR {snr}": partial(right, snr=snr) for snr in (5, 20, 67, 200, 1000)},
    **{f"right, 2.5 channels wide, shot noise, SNR {s}": partial(right, snr=s, width=1.5, gain=1.0, window=10) for s in (20, 1000)},
    **{f"right, noise shared by neighbours, SNR {snr}": partial(right, snr=snr, smooth=0.3) for snr in (67, 1000)},
    "right, Gaussian, SNR 200": partial(right, snr=200, form="gaussian", width=8, window=25),
    "right, two lines 1.5 FWHM apart": partial(right_doublet, snr=50),
    "right, two lines 0.8 FWHM apart": partial(right_doublet, snr=100, apart=0.8),
    **{f"missing line 7 away, 0.375 high, SNR {snr}": partial(missing_line, snr=snr) for snr in (5, 10, 20, 67, 300)},
    **{f"missing line 7 away, {ratio:g} high": partial(missing_line, ratio=ratio) for ratio in (0.03, 0.1, 1.0)},
    **{f"missing line {away:g} away": partial(missing_line, away=away) for away in (2.0, 4.0, 12.0)},
    "missing line in half of the pixels": some_with_a_line,
    "lines out of reach in half of the pixels": some_elsewhere,
    **{f"Gaussian fitted as Lorentzian, SNR {snr}": partial(wrong_shape, true="gaussian", snr=snr) for snr in (10, 33, 200)},
    **{f"Lorentzian fitted as Gaussian, SNR {snr}": partial(wrong_shape, true="lorentzian", snr=snr) for snr in (10, 33, 200)},
    **{f"Gaussian under a tight window, SNR {s}": partial(wrong_shape, true="gaussian", window=(240, 262), snr=s) for s in (33, 100)},
    "filter edge": filter_edge,
    **{f"two lines {apart:g} FWHM apart fitted as one": partial(two_as_one, apart=apart) for apart in (0.3, 0.6, 1.0)},
    **{f"two equal lines {apart:g} FWHM apart": partial(merged, apart=apart) for apart in (0.1, 0.25, 0.33, 0.4, 0.5)},
    **{f"two equal lines {apart:g} FWHM apart, SNR 20": partial(merged, apart=apart, snr=20) for apart in (0.25, 0.33, 0.5)},
    "lines that wander, two fitted as one": uneven_blend,
    **{f"lines that run together, {ratio:g} high": partial(running_together, ratio=ratio) for ratio in (0.4, 0.8)},
    "one line listed twice": listed_twice,
    "windows [225, 295] and [225, 296]": window_typo,
    "windows [225, 295] and [225, 266]": partial(window_typo, high=266),
    "one width for all pixels, lines that wander": partial(held_pair, shared="fwhm"),
    "one width for all pixels, widths that differ": partial(held_pair, shared="fwhm", widths=0.15, high=6000),
    "width fixed 13 % beside the truth": partial(held_pair, fixed="fwhm", fwhm=5.2),
    "distance kept, but it differs": partial(held_pair, distance_from="A", wander=0.4, high=6000),
    **{f"two lines 0.3 FWHM apart, {kind} held": partial(held_pair, apart=2.0, high=400, **how) for kind, how in HOLDS.items()},
    "background that bends, fitted straight": bent_background,
    "background that bends a little, fitted straight": partial(bent_background, bend=40),
    "background that bends": partial(bent_background, background="automatic"),
    "background that bends a little": partial(bent_background, bend=40, background="automatic"),
    "fluorescence of particles": particles,
    "background that bends much": partial(bent_background, bend=2000, background="automatic"),
}
"""Rows of the table in ``docs/wrong_models.md``."""

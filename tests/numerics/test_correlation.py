"""Against scipy where pixels are independent, and against simulated fields where they are not."""

import numpy as np
import pytest
from scipy import stats

from napari_wse2xai.numerics.correlation import correlate
from napari_wse2xai.numerics.likeness import MaskedGrid

SHAPE = (24, 33)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def island() -> np.ndarray:
    """An oval with a bite, that touches one side of the scan."""
    y, x = np.indices(SHAPE)
    return (((y - 12) / 12.5) ** 2 + ((x - 15) / 15.5) ** 2 < 1) & ~((y > 15) & (x < 12))


def smooth(rng: np.random.Generator, count: int, length: float, along_x: float | None = None) -> np.ndarray:
    """Fields of Gaussian covariance on the island, NaN elsewhere: cut out of a torus so large that its ends do not meet."""
    size = (3 * SHAPE[0], 3 * SHAPE[1])
    lengths = (length, length if along_x is None else along_x)
    k = 2 * np.pi * np.hypot(np.fft.fftfreq(size[0])[:, None] * lengths[0], np.fft.fftfreq(size[1]) * lengths[1])
    spectrum = np.fft.fft2(rng.normal(size=(count, *size))) * np.exp(-(k**2) / 2)
    fields = np.fft.ifft2(spectrum).real[:, : SHAPE[0], : SHAPE[1]]
    return np.where(island(), fields, np.nan)


@pytest.mark.parametrize("ranks", [False, True])
def test_independent_pixels_are_judged_as_scipy_judges_them(rng: np.random.Generator, ranks: bool) -> None:
    one = rng.normal(size=SHAPE)
    other = 0.1 * one + rng.normal(size=SHAPE)
    one[3, 4] = np.nan
    known = np.isfinite(one)
    ours = correlate(one, other, ranks=ranks)
    theirs = (stats.spearmanr if ranks else stats.pearsonr)(one[known], other[known])
    assert ours.pixels == known.sum()
    assert ours.r == pytest.approx(theirs.statistic, abs=1e-12)
    assert ours.independent == pytest.approx(known.sum(), rel=0.05)
    assert ours.p == pytest.approx(theirs.pvalue, rel=0.3)
    if not ranks:
        interval = theirs.confidence_interval(0.95)
        assert (ours.low, ours.high) == pytest.approx((interval.low, interval.high), abs=0.01)


@pytest.mark.parametrize("lengths", [(0.7, 0.7), (1.5, 1.5), (3.0, 3.0), (4.0, 0.8), (0.8, 3.0)])
def test_smooth_maps_that_owe_nothing_to_one_another_have_uniform_p_values(rng: np.random.Generator, lengths: tuple[float, float]) -> None:
    """Streaks along one direction too, as a drift from line to line draws them."""
    fields = smooth(rng, 400, *lengths)
    found = [correlate(one, other) for one, other in zip(fields[::2], fields[1::2], strict=True)]
    p = np.array([each.p for each in found])
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert stats.binomtest(int((p < 0.05).sum()), len(p), 0.05).pvalue > 0.01
    naive = [stats.pearsonr(one[island()], other[island()]).pvalue for one, other in zip(fields[::2], fields[1::2], strict=True)]
    assert np.mean(np.array(naive) < 0.05) > 0.15, "these fields would not have shown the fault"
    true = 1 + 1 / np.var([each.r for each in found])
    assert np.median([each.independent for each in found]) == pytest.approx(true, rel=0.35)


def test_steps_that_differ_are_distances_and_not_pixels(rng: np.random.Generator) -> None:
    """The same island scanned twice as finely along x has no more independent pixels."""
    fields = smooth(rng, 2, 2.0)
    fine = np.repeat(fields, 2, axis=2)
    once, twice = correlate(*fields, (1.0, 1.0)), correlate(*fine, (-1.0, 0.5))
    assert twice.r == pytest.approx(once.r, abs=1e-6)
    assert twice.independent == pytest.approx(once.independent, rel=0.25)


def test_a_line_scan_and_too_few_pixels(rng: np.random.Generator) -> None:
    line = np.convolve(rng.normal(size=209), np.ones(10), "valid")[None]
    found = correlate(line, np.roll(line, 97, axis=1))
    assert 8 < found.independent < 60
    few = correlate(line[:, :3], line[:, :3])
    assert np.isnan(few.r)
    assert few.pixels == 3
    assert np.isnan(correlate(line, np.ones_like(line)).r)


def test_a_map_with_itself_is_sure(rng: np.random.Generator) -> None:
    one = rng.normal(size=SHAPE)
    found = correlate(one, one)
    assert found.r == pytest.approx(1)
    assert found.p < 1e-50
    assert found.error < 1e-6


def test_the_traces_are_those_of_the_matrices(rng: np.random.Generator) -> None:
    """By transforms, against matrices written out pixel by pixel."""
    there = rng.uniform(size=(5, 7)) > 0.3
    grid = MaskedGrid(there, (1.0, 1.0))
    one, other = (grid.covariance(rng.normal(size=grid.count)) for _ in range(2))
    places = np.argwhere(there)
    full = []
    for lags in (one, other):
        apart = places[:, None] - places[None]
        full.append(lags[apart[..., 0], apart[..., 1]])  # a negative lag stands at the end
    centred = np.eye(grid.count) - 1 / grid.count
    assert grid.joint(one, other) == pytest.approx(np.trace(centred @ full[0] @ centred @ full[1]))
    part = there & (np.arange(7) < 4)
    weights = part[there] / part.sum()
    assert grid.variance_of_mean(part, one) == pytest.approx(max(weights @ full[0] @ weights, 0))

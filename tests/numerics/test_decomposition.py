"""Components of spectra: against published thresholds, random matrices, and planted parts."""

from functools import partial

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d, uniform_filter1d

from napari_wse2xai.numerics import decomposition
from napari_wse2xai.numerics.noise_memory import WHITE

X = np.linspace(150.0, 350.0, 180)


def _line(position: float, width: float) -> np.ndarray:
    return np.exp(-4 * np.log(2) * ((X - position) / width) ** 2)


@pytest.mark.parametrize("beta", [0.1, 0.3, 0.5, 0.8, 1.0])
def test_threshold_is_that_of_gavish_and_donoho(beta: float) -> None:
    """Their published approximation of omega is within 0.02 of it."""
    omega = 0.56 * beta**3 - 0.95 * beta**2 + 1.82 * beta + 1.43
    shape = (round(500 * beta), 500)
    singular = np.ones(101)
    for factor, expected in ((omega + 0.02, 1), (omega - 0.02, 0)):
        singular[0] = factor
        assert decomposition.standing_above_noise(singular, shape) == expected


@pytest.mark.parametrize("shape", [(300, 120), (90, 400)])
def test_noise_alone_has_no_component(shape: tuple[int, int]) -> None:
    """Twelve matrices of nothing but noise."""
    for seed in range(12):
        noise = np.random.default_rng(seed).normal(size=shape)
        assert decomposition.standing_above_noise(np.linalg.svd(noise, compute_uv=False), shape) == 0


def test_positive_parts_are_found_with_honest_errors() -> None:
    """Three lines in known shares: spectra by their shape, shares within their errors."""
    rng = np.random.default_rng(4)
    parts = np.stack([_line(250, 8) + 0.3 * _line(262, 10), _line(205, 12), _line(310, 9)])
    shares = rng.gamma(1.0, 1.0, (900, 3)) * [60, 30, 20] * (rng.random((900, 3)) > 0.3)
    basis = decomposition.positive(shares @ parts + rng.normal(size=(900, len(X))) * 0.5 + 0.5, 3, WHITE)
    likeness = np.corrcoef(np.concatenate([basis.spectra, parts]))[:3, 3:]
    which = likeness.argmax(axis=1)
    assert sorted(which) == [0, 1, 2] and likeness.max(axis=1).min() > 0.97
    found, errors = basis.shares(shares @ parts + rng.normal(size=(900, len(X))) * 0.5)
    assert np.corrcoef(found[:, 0], shares[:, which[0]])[0, 1] > 0.99 and (errors > 0).all()


def test_error_of_a_share_is_its_scatter() -> None:
    """The same spectrum with other noise, two hundred times: the scatter of its share is what the errors say."""
    rng = np.random.default_rng(9)
    parts = np.stack([_line(250, 8), _line(205, 12)])
    clean = rng.normal(size=(400, 2)) * [30, 20] @ parts
    basis, above = decomposition.principal(clean + rng.normal(size=clean.shape), None, 12)
    assert above == 2
    shares, errors = basis.shares(clean[0] + rng.normal(size=(200, len(X))))
    assert shares.std(axis=0) == pytest.approx(errors.mean(axis=0), rel=0.15)


@pytest.mark.parametrize("smooth", [partial(uniform_filter1d, size=3), partial(gaussian_filter1d, sigma=1.3)])
def test_smoothed_noise_is_no_component_and_errors_grow_by_it(smooth) -> None:
    """As above, of spectra that were smoothed before they were saved: their noise has the shape of lines."""
    rng = np.random.default_rng(9)
    parts = np.stack([_line(250, 16), _line(205, 20)])
    clean = rng.normal(size=(400, 2)) * [30, 20] @ parts
    basis, above = decomposition.principal(smooth(clean + rng.normal(size=clean.shape)), None, 12)
    assert above == 2
    shares, errors = basis.shares(smooth(clean[0] + rng.normal(size=(200, len(X)))))
    assert shares.std(axis=0) == pytest.approx(errors.mean(axis=0), rel=0.2)


def test_shot_noise_of_a_strong_line_is_no_component() -> None:
    """One line of steady shape: unweighed its shot noise would pass for more."""
    rng = np.random.default_rng(2)
    clean = rng.uniform(0.5, 1.5, (500, 1)) * 4000 * _line(250, 20) + 20
    spectra = rng.poisson(clean).astype(float)
    _, above = decomposition.principal(spectra / decomposition.channel_noise(spectra), None, 12)
    assert above == 1
    assert decomposition.channel_noise(spectra) == pytest.approx(np.sqrt(clean.mean(axis=0)), rel=0.3)

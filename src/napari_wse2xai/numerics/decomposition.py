"""Spectra as sums of a few spectra, or as groups of like ones; the work is scikit-learn's."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics import noise_memory
from napari_wse2xai.numerics.noise import channel_sigma, variance_line
from napari_wse2xai.numerics.noise_memory import WHITE, Memory

Array = NDArray[np.float64]
LEAST = 1e-30
"""Of noise, where there is none."""


@dataclass(frozen=True)
class Basis:
    """Spectra that make up others."""

    spectra: Array
    """(component, channel), in units of each channel's noise."""
    mean: Array
    """(channel,) what they are added to, in the same units."""
    variance: Array
    """(component,) share of the variance that each explains."""
    model: Any
    """scikit-learn's; its ``transform`` gives the share of each in a spectrum."""
    memory: Memory
    """How the noise goes on along the channels."""

    def shares(self, weighed: Array) -> tuple[Array, Array]:
        """How much of each component lies in spectra (m, channel), and the standard errors of that, each (m, component).

        Notes
        -----
        Errors of a linear least-squares fit, the noise of each spectrum taken from what the components leave of it.
        """
        shares = np.asarray(self.model.transform(weighed), dtype=np.float64)
        left = weighed - self.mean - shares @ self.spectra
        free = max(weighed.shape[1] - len(self.spectra), 1)
        weights = np.asarray(np.linalg.pinv(self.spectra), dtype=np.float64)
        # By what is left, not by one: misfits of the components raise the errors as noise does.
        variance = np.einsum("ij,ij->i", left, left) / free
        return shares, np.sqrt(variance[:, None] * np.diag(self.memory.between(weights[None])[0]))


def channel_noise(spectra: Array) -> Array:
    """(channel,) standard deviation of the noise where the mean of some spectra (m, channel) lies: read noise and shot noise.

    Notes
    -----
    Weighing channels by it keeps strong lines, whose shot noise is large, from passing for components (Keenan and Kotula, Surf. Interface
    Anal. 36, 203 (2004)).
    """
    noise = channel_sigma(spectra)
    constant, slope = variance_line(_deviations(spectra), _levels(spectra))
    expected = constant + slope * spectra.mean(axis=0)
    return np.asarray(np.sqrt(np.maximum(expected, 1e-3 * float(np.median(noise)) ** 2 + 1e-30)))


def _deviations(spectra: Array) -> Array:
    """Differences of next neighbours, each of one standard deviation, less what is common to all spectra."""
    step = np.diff(spectra, axis=1)
    # Lines change from channel to channel too, but alike in all spectra: their median takes that off.
    return np.asarray(((step - np.median(step, axis=0)) / np.sqrt(2.0)).ravel())


def _levels(spectra: Array) -> Array:
    return np.asarray((0.5 * (spectra[:, 1:] + spectra[:, :-1])).ravel())


def principal(weighed: Array, number: int | None, most: int) -> tuple[Basis, int]:
    """Principal components of spectra (m, channel), and how many of them stand above the noise.

    Parameters
    ----------
    number : how many to give; None for those above the noise, at least one
    most : how many to give at most
    """
    from sklearn.decomposition import PCA

    model = PCA(svd_solver="covariance_eigh" if weighed.shape[0] > weighed.shape[1] else "full").fit(weighed)
    memory = noise_memory.among(weighed, np.maximum(channel_sigma(weighed), LEAST))
    above = standing_above_noise(np.asarray(model.singular_values_), weighed.shape, memory, most)
    kept = min(number or max(above, 1), most, len(model.components_))
    model.components_, model.n_components_ = model.components_[:kept], kept
    for name in ("explained_variance_", "explained_variance_ratio_", "singular_values_"):
        setattr(model, name, getattr(model, name)[:kept])
    return Basis(model.components_, model.mean_, model.explained_variance_ratio_, model, memory), above


def positive(weighed: Array, number: int, memory: Memory) -> Basis:
    """Components without negative parts (NMF) of spectra (m, channel); negative counts are taken for 0.

    Notes
    -----
    Lee and Seung, Nature 401, 788 (1999); begun from the singular vectors (Boutsidis and Gallopoulos 2008), so that it gives the same
    twice.
    """
    from sklearn.decomposition import NMF

    clipped = np.maximum(weighed, 0.0)
    model = _Clipping(NMF(number, init="nndsvda", max_iter=400, tol=1e-3, random_state=0))
    shares = model.fit_transform(clipped)
    parts = np.asarray(model.model.components_, dtype=np.float64)
    # NMF knows no order: by the light that each brings.
    power = (shares**2).mean(axis=0) * (parts**2).sum(axis=1)
    order = np.argsort(-power)
    model.order = order
    left = float(((clipped - shares @ parts) ** 2).mean())
    explained = max(0.0, 1.0 - left / float(clipped.var(axis=0).mean() or 1.0))
    return Basis(parts[order], np.zeros(weighed.shape[1]), explained * power[order] / power.sum(), model, memory)


class _Clipping:
    """NMF that takes negative counts for 0, and gives its components strongest first."""

    def __init__(self, model: Any) -> None:
        self.model, self.order = model, np.arange(model.n_components)

    def fit_transform(self, values: Array) -> Array:
        return np.asarray(self.model.fit_transform(values))

    def transform(self, values: Array) -> Array:
        return np.asarray(self.model.transform(np.maximum(values, 0.0)))[:, self.order]


def clusters(scores: Array, number: int) -> Any:
    """Groups of like spectra by their principal scores (m, component): scikit-learn's KMeans, fitted."""
    from sklearn.cluster import KMeans

    return KMeans(number, n_init=10, random_state=0).fit(scores)


def standing_above_noise(singular: Array, shape: tuple[int, int], memory: Memory = WHITE, most: int = 0) -> int:
    """How many singular values of a (m, n) matrix stand above those of noise of unknown strength.

    Parameters
    ----------
    memory : how the noise goes on along the n channels
    most : values that may be more than noise; asked where it goes on

    Notes
    -----
    The optimal hard threshold of Gavish and Donoho, IEEE Trans. Inf. Theory 60, 5040 (2014), equations 11 and 5: omega(beta) times the
    median singular value, with the median of the Marchenko-Pastur distribution found by integration.  Of noise that goes on, the largest
    value of a matrix of such noise (Horn's parallel analysis, Psychometrika 30, 179 (1965)) stands for white noise's, 1 + sqrt(beta).
    """
    beta = min(shape) / max(shape)
    factor = np.sqrt(2 * (beta + 1) + 8 * beta / (beta + 1 + np.sqrt(beta**2 + 14 * beta + 1)))
    if memory == WHITE:
        return int((singular > factor / np.sqrt(_marchenko_pastur_median(beta)) * np.median(singular)).sum())
    noise = memory.drawn(shape)
    drawn = np.sqrt(np.maximum(np.linalg.eigvalsh(noise.T @ noise if shape[0] > shape[1] else noise @ noise.T)[::-1], 0.0))
    strength = np.linalg.norm(singular[most:]) / max(float(np.linalg.norm(drawn[most : len(singular)])), LEAST)
    return int((singular > factor / (1 + np.sqrt(beta)) * strength * drawn[0]).sum())


def _marchenko_pastur_median(beta: float) -> float:
    """Median of the squared singular values of noise, in units of its variance times the longer side."""
    from scipy.integrate import quad
    from scipy.optimize import brentq

    low, high = (1 - np.sqrt(beta)) ** 2, (1 + np.sqrt(beta)) ** 2

    def below(value: float) -> float:
        return float(quad(lambda x: np.sqrt(max((high - x) * (x - low), 0.0)) / (2 * np.pi * beta * x), low, value, limit=200)[0])

    return float(brentq(lambda value: below(value) - 0.5, low + 1e-9, high - 1e-9))

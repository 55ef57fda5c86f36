"""Tables with a known law, and small models."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Numbers = NDArray[np.float64]
STRONG, LINEAR, SQUARE, PARTNER = 2, 3, 7, 5
"""Columns of the law: saturating, linear, quadratic, and one that acts only through the strong one."""


@dataclass(frozen=True)
class Flake:
    """A square flake with a known law."""

    X: Numbers
    y: Numbers
    coordinates: Numbers
    z: Numbers
    law: Callable[[Numbers], Numbers]

    def standardised(self, table: Numbers) -> Numbers:
        return (table - self.X.mean(axis=0)) / self.X.std(axis=0)

    def truth(self, table: Numbers) -> Numbers:
        return self.law(self.standardised(table))


def law(z: Numbers) -> Numbers:
    return 5 + 1.6 * np.tanh(0.9 * z[:, STRONG]) + 0.5 * z[:, LINEAR] + 0.245 * (z[:, SQUARE] ** 2 - 1) + 0.4 * z[:, STRONG] * z[:, PARTNER]


def flake(seed: int = 0, *, side: int = 24, columns: int = 9, noise: float = 0.12) -> Flake:
    """Columns that share smooth fields, in raw units: position, FWHM and height of each line in turn."""
    rng = np.random.default_rng(seed)
    shared = np.stack([smooth(rng, side, 3) for _ in range(3)], axis=1)
    z = np.stack([_column(rng, shared, side) for _ in range(columns)], axis=1)
    z = (z - z.mean(axis=0)) / z.std(axis=0)
    centre, scale = np.resize([250.0, 6.0, 500.0], columns), np.resize([0.15, 0.6, 80.0], columns)
    y = law(z)
    y = y + noise * y.std() * rng.standard_normal(len(y))
    row, column = np.divmod(np.arange(side**2), side)
    return Flake(centre + scale * z, y, 0.5 * np.stack([row, column], axis=1), z, law)


def smooth(rng: np.random.Generator, side: int, sigma: float) -> Numbers:
    field = gaussian_filter(rng.standard_normal((side, side)), sigma, mode="wrap").ravel()
    return (field - field.mean()) / field.std()


def _column(rng: np.random.Generator, shared: Numbers, side: int) -> Numbers:
    weights = rng.normal(size=3)
    return 0.5 * shared @ weights / np.linalg.norm(weights) + 0.5 * smooth(rng, side, 2) + 0.35 * rng.standard_normal(side**2)


class Oracle:
    """The law itself as a fitted estimator."""

    def __init__(self, flake: Flake) -> None:
        self.flake = flake

    def predict(self, table: Numbers) -> Numbers:
        return self.flake.truth(table)


class LawModule(torch.nn.Module):
    """The law as a differentiable module of the raw table, with dropout and batch statistics that only evaluation mode switches off."""

    def __init__(self, flake: Flake) -> None:
        super().__init__()
        self.register_buffer("centre", torch.as_tensor(flake.X.mean(axis=0)).float())
        self.register_buffer("scale", torch.as_tensor(flake.X.std(axis=0)).float())
        self.normalise = torch.nn.BatchNorm1d(flake.X.shape[1], eps=0.0)
        self.dropout = torch.nn.Dropout(0.5)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        z = self.dropout(self.normalise((features - self.centre) / self.scale))
        bent = 1.6 * torch.tanh(0.9 * z[:, STRONG]) + 0.245 * (z[:, SQUARE] ** 2 - 1)
        return (5 + bent + 0.5 * z[:, LINEAR] + 0.4 * z[:, STRONG] * z[:, PARTNER])[:, None]


class Convolution(torch.nn.Module):
    """A small convolutional network with random weights, on columns in the raw units of `flake`."""

    def __init__(self, flake: Flake, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.register_buffer("centre", torch.as_tensor(flake.X.mean(axis=0)).float())
        self.register_buffer("scale", torch.as_tensor(flake.X.std(axis=0)).float())
        self.layers = torch.nn.Sequential(
            torch.nn.Conv1d(1, 8, 3, padding=1),
            torch.nn.Tanh(),
            torch.nn.InstanceNorm1d(8, affine=True),
            torch.nn.BatchNorm1d(8),
            torch.nn.Flatten(),
            torch.nn.Dropout(0.5),
            torch.nn.Linear(8 * flake.X.shape[1], 1),
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        predicted: torch.Tensor = self.layers(((features - self.centre) / self.scale)[:, None])
        return predicted


class Fitted:
    """What a trained network looks like to the explainers."""

    def __init__(self, module: torch.nn.Module) -> None:
        self.module_ = module

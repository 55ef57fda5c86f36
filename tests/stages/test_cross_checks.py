"""Three more questions to a network: right for a law that is known, and told in plain words."""

import numpy as np
import pytest
import torch

from napari_wse2xai.explaining import Subject, partial_dependence
from napari_wse2xai.progress import silent
from napari_wse2xai.stages._cross_checks import cross_checks

WEIGHTS = np.array([2.0, -1.0, 0.5, 0.0, 0.0, 0.0, 3.0, 0.0, 1.0])
"""Of three peaks; the second one is not used."""


class Linear:
    """A fitted network that is a straight line, and owes nothing to its randomness."""

    def __init__(self) -> None:
        self.module_ = torch.nn.Linear(len(WEIGHTS), 1)
        with torch.no_grad():
            self.module_.weight.copy_(torch.as_tensor(WEIGHTS)[None])
            self.module_.bias.fill_(7.0)

    def predict(self, table: np.ndarray) -> np.ndarray:
        return table @ WEIGHTS + 7.0


@pytest.fixture(scope="module")
def law() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    table = rng.normal(size=(2000, len(WEIGHTS)))
    values = Linear().predict(table)
    values[::7] = np.nan  # pixels without PL
    return table, values


def test_a_straight_law_is_told_exactly(law: tuple[np.ndarray, np.ndarray]) -> None:
    table, values = law
    partial = partial_dependence(Linear(), table, grid_resolution=20, percentiles=(0.05, 0.95))
    told = cross_checks(
        Subject.of(Linear(), table), values, partial.grid_values, [[0, 1, 2], [3, 4, 5], [6, 7, 8]], seed=0, progress=silent
    )
    # level with the mean prediction, but for the pixels' places within their bins
    np.testing.assert_allclose(np.diff(told["ale"]), np.diff(partial.average), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(told["ale"], partial.average, atol=0.1)
    shares = (WEIGHTS**2).reshape(3, 3).sum(axis=1) / (WEIGHTS**2).sum()
    np.testing.assert_allclose(told["permutation"], np.repeat(2 * shares, 3), atol=0.12)
    assert (told["permutation"][3:6] == 0).all(), "a peak that is not used is worth nothing"
    assert told["randomised"].shape == WEIGHTS.shape

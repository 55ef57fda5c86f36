"""What may be set runs to its border: the last value that is allowed works, and the one beyond it is refused."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from napari_wse2xai.errors import DataError, SettingsError
from napari_wse2xai.explaining.bands import FEWEST_PIXELS, _known
from napari_wse2xai.explaining.permutation import permutation_importance
from napari_wse2xai.explaining.slopes import _steps
from napari_wse2xai.explaining.subject import checked_columns, checked_table
from napari_wse2xai.learning.input_errors import error_spread
from napari_wse2xai.learning.network_training import TrainingPlan
from napari_wse2xai.learning.regressor import SpectralCNNRegressor
from napari_wse2xai.learning.splits import SpatialBlockKFold, leave_one_flake_out, random_split
from napari_wse2xai.learning.surrogate_maps import _of_one_flake
from napari_wse2xai.learning.variogram import FEWEST_PAIRS, Raster, correlation_length
from napari_wse2xai.numerics.over_flakes import OverFlakes
from napari_wse2xai.theory.evaluation import Conditions
from napari_wse2xai.theory.reference import COARSEST_MESH, _require_fine

TABLE = np.random.default_rng(0).normal(size=(FEWEST_PAIRS, 3))
PLACES = np.stack(np.unravel_index(np.arange(FEWEST_PAIRS), (FEWEST_PAIRS // 2, 2)), axis=1).astype(float)


class Sum:
    """A model that is there to be asked."""

    def predict(self, table: np.ndarray) -> np.ndarray:
        return table.sum(axis=1)


def only(count: int, of: int) -> np.ndarray:
    """Values of which so many are known."""
    return np.where(np.arange(of) < count, np.arange(of, dtype=float), np.nan)


def split(**settings: object) -> object:
    rows, columns = np.indices((8, 8)).reshape(2, -1)
    return list(SpatialBlockKFold(**settings).split(np.zeros(64), groups=np.stack([rows, columns], axis=1)))


PAPERS = SpectralCNNRegressor.paper()._layout()

BORDERS: dict[str, tuple[Callable[[float], object], float, float]] = {
    "channels of a block": (lambda value: replace(PAPERS, channels=(4, int(value))), 2, 1),
    "dropout at least": (lambda value: replace(PAPERS, dropout=value), 0.0, -1e-6),
    "dropout below": (lambda value: replace(PAPERS, dropout=value), 1 - 1e-6, 1.0),
    "epochs": (lambda value: TrainingPlan(int(value), 0.1, 2), 1, 0),
    "batch": (lambda value: TrainingPlan(1, 0.1, int(value)), 2, 1),
    "step of a slope": (lambda value: _steps(TABLE, value), 1e-9, 0.0),
    "rows of a table": (lambda value: checked_table(TABLE[: int(value)]), 2, 1),
    "first column": (lambda value: checked_columns(TABLE, [int(value)]), 0, -1),
    "last column": (lambda value: checked_columns(TABLE, [int(value)]), 2, 3),
    "draws of inputs": (lambda value: error_spread(Sum(), TABLE, TABLE, TABLE[:, 0], count=int(value)), 1, 0),
    "pixels of a permutation": (lambda value: permutation_importance(Sum(), TABLE, only(int(value), len(TABLE)), n_repeats=1), 2, 1),
    "pixels of a band": (lambda value: _known(only(int(value), 99)), FEWEST_PIXELS, FEWEST_PIXELS - 1),
    "pixels of a length": (lambda value: correlation_length(only(int(value), len(PLACES)), PLACES), FEWEST_PAIRS, FEWEST_PAIRS - 1),
    "pixels of a surrogate": (
        lambda value: _of_one_flake(TABLE[: int(value), 0], Raster.of(PLACES[: int(value)]), 1, np.random.default_rng(0)),
        FEWEST_PAIRS,
        FEWEST_PAIRS - 1,
    ),
    "pixels of a random split": (lambda value: random_split(int(value)), 2, 1),
    "share of a random split, at least": (lambda value: random_split(100, share=value), 1e-6, 0.0),
    "share of a random split, at most": (lambda value: random_split(100, share=value), 0.99, 1.0),
    "flakes of which one is left out": (lambda value: list(leave_one_flake_out(np.arange(9) % int(value))), 2, 1),
    "folds": (lambda value: split(n_splits=int(value), block_size=2, buffer=0), 2, 1),
    "size of a block": (lambda value: split(n_splits=2, block_size=value, buffer=0), 1.0, 0.0),
    "blocks for the folds": (lambda value: split(n_splits=int(value), block_size=4, buffer=0), 4, 5),
    "flakes of a ranking": (lambda value: OverFlakes.of("abc", TABLE[: int(value)], np.ones((int(value), 3))), 2, 1),
    "mesh of k points": (lambda value: _require_fine("a", f"40 Ry, {int(value)} x {int(value)}"), COARSEST_MESH, COARSEST_MESH - 1),
    "width at least": (lambda value: Conditions(fwhm_cm1=value), 0.5, 0.49),
    "width at most": (lambda value: Conditions(fwhm_cm1=value), 100, 100.1),
    "motion at least": (lambda value: Conditions(motion_k=value), 1, 0.9),
    "temperature at most": (lambda value: Conditions(raman_k=value), 5000, 5001),
    "photon at least": (lambda value: Conditions(laser_ev=value), 0.5, 0.4),
    "photon at most": (lambda value: Conditions(laser_ev=value), 10, 10.1),
}  # fmt: skip


@pytest.mark.parametrize("name", BORDERS)
def test_what_is_allowed_runs_to_its_border(name: str) -> None:
    make, last, beyond = BORDERS[name]
    make(last)
    with pytest.raises((SettingsError, DataError)):
        make(beyond)

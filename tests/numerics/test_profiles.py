"""Profiles against known laws and known errors."""

import numpy as np
import pytest

from napari_wse2xai.numerics.profiles import along_line, profile

STEP = (0.5, 0.25)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def places(shape: tuple[int, int]) -> np.ndarray:
    return np.stack(np.meshgrid(np.arange(shape[0]) * STEP[0], np.arange(shape[1]) * STEP[1], indexing="ij"), axis=-1)


def test_the_means_are_those_of_pandas(rng: np.random.Generator) -> None:
    import pandas as pd

    place, values = rng.uniform(-1, 6, (9, 14)), rng.normal(size=(9, 14))
    place[0, 0], values[2, 3] = np.nan, np.nan
    found = profile(values, place, 0.5, STEP)
    table = pd.DataFrame({"at": place.ravel(), "value": values.ravel()}).dropna()
    groups = table.groupby(np.floor(table["at"] / 0.5))
    assert found.mean == pytest.approx(groups["value"].mean().to_numpy())
    assert found.place == pytest.approx(groups["at"].mean().to_numpy())
    assert found.pixels.tolist() == groups.size().tolist()


def test_the_errors_are_true_where_neighbours_are_alike(rng: np.random.Generator) -> None:
    """The means of many flakes scatter as their errors say; errors that take pixels for independent would be three times too small."""
    shape, place = (20, 30), np.repeat(np.arange(20.0)[:, None], 30, axis=1)
    pulls, naive = [], []
    for _ in range(60):
        noise = rng.normal(size=(shape[0] + 4, shape[1] + 4))
        smooth = np.lib.stride_tricks.sliding_window_view(noise, (5, 5)).mean(axis=(2, 3))
        found = profile(3.0 * place + smooth, place, 4.0, (1.0, 1.0))
        truth = 3.0 * found.place
        pulls += list((found.mean - truth) / found.error)
        naive += list((found.mean - truth) / (smooth.std() / np.sqrt(found.pixels)))
    assert 0.8 < np.std(pulls) < 1.35
    assert np.std(naive) > 2


def test_the_errors_of_the_fits_count_where_they_are_larger() -> None:
    place = np.repeat(np.arange(4.0)[:, None], 6, axis=1)
    found = profile(np.ones((4, 6)), place, 1.0, STEP, np.full((4, 6), 0.3))
    assert found.error == pytest.approx(np.full(4, 0.3 / np.sqrt(6)))


def test_nothing_there_gives_an_empty_profile() -> None:
    nothing = np.full((3, 4), np.nan)
    assert profile(nothing, nothing, 1.0, STEP).mean.shape == (0,)


def test_the_way_along_a_bent_line() -> None:
    """Right along a row, then down a column: 3 um and 2 um."""
    corners = np.array([[0.5, 0.5], [0.5, 3.5], [2.5, 3.5]])
    found = along_line(places((8, 20)), corners, 0.3)
    assert found[1, 2] == pytest.approx(0.0)
    assert found[1, 10] == pytest.approx(2.0)
    assert found[1, 14] == pytest.approx(3.0)
    assert found[3, 14] == pytest.approx(4.0)
    assert found[5, 15] == pytest.approx(5.0), "a quarter beside it still counts"
    assert np.isnan(found[7, 2])
    assert np.isnan(found[1, 0]), "before its beginning"


def test_a_line_of_no_length_has_no_pixels() -> None:
    assert np.isnan(along_line(places((3, 4)), np.zeros((2, 2)), 1.0)).all()

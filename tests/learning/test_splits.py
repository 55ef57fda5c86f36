import numpy as np
import pytest
from island import Island
from scipy.spatial.distance import cdist
from sklearn.linear_model import Ridge
from sklearn.model_selection import cross_val_score

from napari_wse2xai.errors import DataError, SettingsError
from napari_wse2xai.learning.splits import SpatialBlockKFold, leave_one_flake_out, random_split
from napari_wse2xai.learning.variogram import correlation_length


@pytest.fixture(scope="module")
def island():
    return Island(0)


def test_seven_to_three_and_the_same_for_the_same_seed():
    train, test = random_split(1000, seed=4)
    assert len(train) == 700
    assert sorted([*train, *test]) == list(range(1000))
    assert np.array_equal(random_split(1000, seed=4)[1], test)
    assert not np.array_equal(random_split(1000, seed=5)[1], test)
    assert [len(part) for part in random_split(3, share=0.1)] == [2, 1]  # never none


def test_no_training_pixel_lies_within_the_buffer_and_every_pixel_is_held_out_once(island):
    splitter = SpatialBlockKFold()
    y = island.law()
    folds = splitter.folds(y, island.coordinates)
    assert folds.buffer > 0.5
    held_out = []
    for train, test in splitter.split(island.features, y, island.coordinates):
        assert cdist(island.coordinates[train], island.coordinates[test]).min() > folds.buffer
        held_out.extend(test)
    assert sorted(held_out) == list(range(len(y)))


def test_blocks_are_as_wide_as_the_target_is_alike_and_folds_are_balanced(island):
    y = island.law()
    folds = SpatialBlockKFold().folds(y, island.coordinates)
    assert folds.block_size == pytest.approx(correlation_length(y, island.coordinates))
    area = np.bincount(folds.block) * 0.25
    assert area.min() > 0.4 * folds.block_size**2
    sizes = np.bincount(folds.fold)
    assert len(sizes) == 5
    assert sizes.max() < 2 * sizes.min()


def test_scikit_learn_takes_it(island):
    y = island.law()
    scores = cross_val_score(Ridge(), island.features, y, cv=SpatialBlockKFold(n_splits=4), groups=island.coordinates)
    assert scores.shape == (4,)
    assert SpatialBlockKFold(n_splits=4).get_n_splits() == 4


def test_a_flake_too_small_for_honest_blocks_is_refused(island):
    with pytest.raises(DataError, match="too small for honest blocks: it holds 1 blocks"):
        next(SpatialBlockKFold(block_size=14.0, buffer=1.0).split(None, None, island.coordinates))
    with pytest.raises(DataError, match=r"too small for honest blocks.*leave .*% of its pixels"):
        next(SpatialBlockKFold(block_size=5.0, buffer=7.0).split(None, None, island.coordinates))


def test_what_is_missing_is_said(island):
    with pytest.raises(SettingsError, match="groups=coordinates"):
        next(SpatialBlockKFold().split(None, np.zeros(5)))
    with pytest.raises(SettingsError, match="need the target map"):
        next(SpatialBlockKFold().split(None, None, island.coordinates))


def test_flakes_at_the_same_stage_coordinates_do_not_touch(island):
    places = np.concatenate([island.coordinates, island.coordinates])
    flake = np.repeat([0, 1], len(island.coordinates))
    y = np.concatenate([island.law(), island.law()])
    folds = SpatialBlockKFold().folds(y, np.column_stack([flake, places]))
    assert not set(folds.block[flake == 0]) & set(folds.block[flake == 1])
    for fold in range(5):
        train = folds.training(fold)
        for one in (0, 1):
            held_out = (folds.fold == fold) & (flake == one)
            if held_out.any():
                assert cdist(places[train][flake[train] == one], places[held_out]).min() > folds.buffer


def test_each_flake_is_left_out_once():
    folds = list(leave_one_flake_out([0, 0, 1, 2, 2]))
    assert [test.tolist() for _, test in folds] == [[0, 1], [2], [3, 4]]
    assert folds[1][0].tolist() == [0, 1, 3, 4]
    with pytest.raises(DataError, match="Only one flake"):
        list(leave_one_flake_out([3, 3]))

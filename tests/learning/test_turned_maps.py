import numpy as np
import pytest
from island import Island

from napari_wse2xai.data import Level
from napari_wse2xai.learning.null_test import null_test
from napari_wse2xai.learning.turned_maps import TURNS, turned
from napari_wse2xai.learning.verdict import Evidence, judge

BY_NUMPY = {
    "mirrored left to right": np.fliplr,
    "mirrored top to bottom": np.flipud,
    "turned by 180°": lambda picture: np.rot90(picture, 2),
    "turned by 90°": np.rot90,
    "turned by 270°": lambda picture: np.rot90(picture, 3),
    "with x and y exchanged": np.transpose,
    "with x and y exchanged and turned by 180°": lambda picture: np.rot90(picture, 2).T,
}


def pictured(shape):
    values = np.random.default_rng(0).standard_normal(shape)
    places = np.argwhere(np.ones(shape)) * (0.5, 0.5)
    found = turned(values.ravel(), places, np.zeros(values.size, dtype=np.int64))
    return values, {name: found[:, index].reshape(shape) for index, name in enumerate(TURNS)}


@pytest.mark.parametrize("name", [name for name in TURNS if "exchanged" not in name and "90" not in name and "270" not in name])
def test_mirrors_of_any_rectangle_are_those_of_numpy(name):
    values, found = pictured((9, 14))
    assert np.array_equal(found[name], BY_NUMPY[name](values))


@pytest.mark.parametrize("name", TURNS)
def test_turns_of_a_square_are_those_of_numpy(name):
    values, found = pictured((11, 11))
    assert np.array_equal(found[name], BY_NUMPY[name](values))


def test_a_law_whose_pl_is_drawn_mirrored_is_refused_and_said_so():
    island = Island(0, side=28)
    law = island.law()
    picture = np.full(island.mask.shape, np.nan)
    picture[island.mask] = law
    mirrored = picture[::-1][island.mask]  # the outline is the same upside down
    for y, refused in ((law, False), (mirrored, True)):
        test = null_test(island.features, y, island.coordinates, count=39)
        verdict = judge(Evidence("height", len(y), (), test))
        said = [reason for reason in verdict.reasons if "mirrored top to bottom follows RS better" in reason]
        assert bool(said) is refused
        assert (verdict.level is Level.DO_NOT_INTERPRET) is refused

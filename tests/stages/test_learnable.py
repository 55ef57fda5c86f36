"""What Train says of a table before it learns: odd pixels, and pixels that one line's gaps cost."""

import sys
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_wse2xai.data import PairedMaps, Samples
from napari_wse2xai.errors import DataError, DataWarning
from napari_wse2xai.stages import Train
from napari_wse2xai.stages._learnable import check_learnable, tell_skimmed
from napari_wse2xai.synthetic import make_flake

sys.path.append(str(Path(__file__).parents[1]))

from truth_pairs import truth_pair


@pytest.fixture(scope="module")
def pair() -> PairedMaps:
    return truth_pair(make_flake("triangle", shape_px=(26, 30), seed=1))


def said(pair: PairedMaps) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_learnable(Samples.of([pair]), [pair])
    return [str(each.message) for each in caught]


def test_one_pixel_that_decides_all_is_named_with_its_place(pair: PairedMaps) -> None:
    height = pair.pl.height.copy()
    row, column = np.argwhere(pair.paired)[100]
    height[0, row, column] *= 100
    (sentence,) = said(replace(pair, pl=replace(pair.pl, height=height)))
    assert f"row {row}, column {column} " in sentence
    assert "hold 100% of the variance of PL height" in sentence or "hold 99% of the variance of PL height" in sentence


def test_odd_pl_is_not_learnt_from_and_that_is_said(pair: PairedMaps) -> None:
    height, (row, column) = pair.pl.height.copy(), np.argwhere(pair.paired)[100]
    height[0, row, column] = 0.0
    odd = replace(pair, pl=replace(pair.pl, height=height))
    collected, kept = Samples.of([odd]), Train().measured([odd])
    missing = np.flatnonzero(np.isnan(kept.targets[:, 0]))
    assert [(kept.row[k], kept.column[k]) for k in missing] == [(row, column)]
    with pytest.warns(DataWarning, match=f"1 of {len(kept)} pixels are not learnt from: .* row {row}, column {column} of"):
        tell_skimmed(collected, kept)
    assert np.isfinite(Train(without_odd=False).measured([odd]).targets).all()


@pytest.mark.parametrize(("factor", "told"), [(1.0, False), (2.0, True)])
def test_flakes_that_differ_more_than_their_pixels_are_told(pair: PairedMaps, factor: float, told: bool) -> None:
    other = replace(pair, pl=replace(pair.pl, height=factor * pair.pl.height))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        check_learnable(Samples.of([pair, other]), [pair, other])
    assert ["lies between the flakes, not on them" in str(each.message) for each in caught] == [True] * told


@pytest.mark.parametrize(("share", "told"), [(0.3, True), (0.05, False)])
def test_a_line_whose_gaps_cost_many_pixels_is_named_with_their_number(pair: PairedMaps, share: float, told: bool) -> None:
    height = pair.raman.height.copy()
    gaps = pair.paired & (np.random.default_rng(0).random(pair.paired.shape) < share)
    height[2, gaps] = np.nan
    sentences = said(replace(pair, raman=replace(pair.raman, height=height)))
    wanted = f"{gaps.sum()} of {pair.paired.sum()} pixels are left out because {pair.raman.names[2]} has no fit there"
    assert [sentence.startswith(wanted) for sentence in sentences] == [True] * told


def test_rs_that_is_the_same_everywhere_is_refused(pair: PairedMaps) -> None:
    flat = {name: np.where(np.isfinite(getattr(pair.raman, name)), 7.0, np.nan) for name in ("position", "fwhm", "height")}
    constant = replace(pair, raman=replace(pair.raman, **flat))
    with pytest.raises(DataError, match="RS is the same in all pixels"):
        check_learnable(Samples.of([constant]), [constant])


def test_heights_that_are_nowhere_are_refused_before_anything_is_trained(pair: PairedMaps) -> None:
    nothing = replace(pair, raman=replace(pair.raman, height=np.where(np.isfinite(pair.raman.height), 0.0, np.nan)))
    with pytest.raises(DataError, match="No RS line rises above the noise"):
        check_learnable(Samples.of([nothing]), [nothing])
    check_learnable(Samples.of([nothing], targets=["position"]), [nothing])

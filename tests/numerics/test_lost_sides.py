"""Straight edges of a mask that may be cuts, and placings compared without them."""

import numpy as np
import pytest

from napari_wse2xai.numerics import rivals
from napari_wse2xai.numerics.coarse_search import Freedom
from napari_wse2xai.numerics.lost_sides import Cuts
from napari_wse2xai.numerics.outline import Placing, Scan

SHAPE = (44, 53)


def disc(cut_deg: float | None, depth: float = 0.3) -> Scan:
    """Disc of 17 steps, less a side that lies so many degrees from y towards x."""
    y, x = np.meshgrid(np.arange(SHAPE[0]) - 21.3, np.arange(SHAPE[1]) - 26.4, indexing="ij")
    flake = np.hypot(y, x) < 17
    if cut_deg is not None:
        angle = np.deg2rad(cut_deg)
        flake &= y * np.cos(angle) + x * np.sin(angle) < 17 * (1 - depth)
    return Scan(flake, np.ones(2), np.zeros(2), blur_um=1.0)


@pytest.mark.parametrize("cut", [0.0, 35.0, 140.0, 260.0])
def test_a_cut_is_found_where_it_is(cut: float) -> None:
    cuts = Cuts.of(disc(cut), 1.0)
    angles = np.rad2deg(np.arctan2(cuts.ways[:, 1], cuts.ways[:, 0]))
    away = np.abs((angles - cut + 180) % 360 - 180)
    assert len(away)
    assert away.max() <= 10
    np.testing.assert_allclose(cuts.limits[np.argmin(away)], 17 * 0.7 - 2 + np.array([21.3, 26.4]) @ cuts.ways[np.argmin(away)], atol=1.0)


def test_a_whole_disc_has_none() -> None:
    assert not len(Cuts.of(disc(None), 1.0).ways)


def matched(fixed_cut: float, moving_cut: float) -> list[rivals.PlacingFit]:
    """The placing that lays cut on cut, and what fits as well as it."""
    fixed, moving = disc(fixed_cut), disc(moving_cut)
    angle = np.deg2rad(fixed_cut - moving_cut)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    middle = np.array([21.3, 26.4])
    best = Placing(turn, middle - turn @ middle)
    fits = rivals.compared(fixed, moving, [best])
    return rivals.as_good(rivals._if_sides_are_lost(fixed, moving, fits, Freedom()))


def test_two_cuts_on_one_another_do_not_tell_the_turn_of_a_disc() -> None:
    best, *others = matched(20.0, 130.0)
    assert best.agreement > 0.95
    assert others
    assert not any(fit.mirrored for fit in others)

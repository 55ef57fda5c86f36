"""Overlays of two maps of one flake."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from napari_wse2xai.data import Frame, Pairable, PairedMaps, PeakMaps, Transform
from napari_wse2xai.data.candidate import Candidate
from napari_wse2xai.layers import KEY, overlay_layers, shown_in, to_layers
from napari_wse2xai.plots.pairing import checkerboard, draw_candidate, draw_checkerboard, draw_overlay, pl_border_um, two_colours


@pytest.fixture
def paired(raman_peaks: PeakMaps) -> PairedMaps:
    """RS, and as PL the same with its left half not measured."""
    height = raman_peaks.height.copy()
    height[:, :, :28] = np.nan
    pl = replace(raman_peaks, height=height, name="PL")
    turned = Transform.similarity(rotation_deg=5.0, shift_um=(1.0, 2.0))
    return PairedMaps(raman_peaks, pl, Frame((10, 12), (1.0, 1.0)), turned, 0.31, 0.04, 0.98, "register")


def test_where_both_shine_the_overlay_is_white(paired: PairedMaps) -> None:
    colours, lit = two_colours(paired), np.isfinite(paired.raman.light)
    red, green, blue = np.moveaxis(colours, -1, 0)
    np.testing.assert_array_equal(red, blue)
    left = np.arange(56) < 28
    assert (green[:, left] == 0).all()
    np.testing.assert_array_equal(lit[:, ~left], green[:, ~left] > 0)
    assert np.corrcoef(red[:, ~left].ravel(), green[:, ~left].ravel())[0, 1] > 0.95
    assert (colours[~lit] == 0).all()


def test_the_checkerboard_shows_each_in_turns(paired: PairedMaps) -> None:
    whole = replace(paired, pl=paired.raman)
    board, lit = checkerboard(whole), np.isfinite(paired.raman.light)
    magenta, green = board[..., 0] > 0, board[..., 1] > 0
    assert not (magenta & green).any()
    np.testing.assert_array_equal(magenta | green, lit)
    assert 0.35 < green.sum() / lit.sum() < 0.65


def test_a_candidate_shows_rs_in_magenta_and_pl_in_green_where_it_places_it(raman_peaks: PeakMaps) -> None:
    """RS without its upper half; PL without its left half, with an origin of its own, moved so that it lies three rows lower."""
    upper, left, height = np.arange(48)[:, None] < 24, np.arange(56)[None] < 28, raman_peaks.height
    raman = replace(raman_peaks, height=np.where(upper, np.nan, height))
    pl = replace(raman_peaks, height=np.where(left, np.nan, height))
    (y, x), step = raman.frame.origin_um, raman.frame.step_um[0]
    pl = replace(pl, frame=replace(pl.frame, origin_um=(y + 7.0, x - 5.0)))
    shift = (3 * step - 7.0, 5.0)
    axes = Figure().subplots()
    moved = Candidate(Transform.similarity(rotation_deg=0.0, shift_um=shift), shift, 0.876, 1.0)
    draw_candidate(axes, Pairable(raman, pl), moved, 2)
    red, green, blue = np.moveaxis(np.asarray(axes.images[0].get_array()), -1, 0)
    np.testing.assert_array_equal(red, blue)
    np.testing.assert_array_equal(red > 0, np.isfinite(raman.light) & ~upper)
    np.testing.assert_array_equal(green[3:] > 0, (np.isfinite(pl.light) & ~left)[:-3])
    assert axes.get_title() == "2: 0°\n88%"


def test_the_figure_states_the_misalignment_and_the_scans_border(paired: PairedMaps) -> None:
    axes = Figure().subplots(1, 2)
    draw_overlay(axes[0], paired)
    draw_checkerboard(axes[1], paired)
    assert "0.31 ± 0.04 µm (0.62 steps)" in axes[0].get_title()
    border = pl_border_um(paired)
    np.testing.assert_array_equal(axes[0].lines[0].get_xdata(), border[:, 1])
    np.testing.assert_allclose(paired.transform.inverse.apply(border)[0], [-0.5, -0.5], atol=1e-12)


def test_layers_show_pl_on_the_rs_frame_and_both_in_two_colours(paired: PairedMaps) -> None:
    layers = to_layers(paired)
    assert [keywords["visible"] for _, keywords, _ in layers] == [False] * 3 * 8 + [True] * 2
    assert [keywords["colormap"] for _, keywords, _ in layers[-2:]] == ["magenta", "green"]
    assert all(keywords["blending"] == "additive" for _, keywords, _ in layers[-2:])
    assert len({(keywords["scale"], keywords["translate"]) for _, keywords, _ in layers}) == 1
    assert all(values.shape == (48, 56) and shown_in(keywords["metadata"]) is keywords["metadata"][KEY] for values, keywords, _ in layers)
    assert all(keywords["metadata"][KEY].artefact is paired for _, keywords, _ in layers)


def test_the_layers_of_a_checkerboard_show_each_pixel_once(paired: PairedMaps) -> None:
    whole = replace(paired, pl=paired.raman)
    (raman, _, _), (pl, _, _) = overlay_layers(whole, in_turns=True)
    assert not ((raman > 0) & (pl > 0)).any()
    np.testing.assert_array_equal((raman > 0) | (pl > 0), np.isfinite(whole.raman.light))
    np.testing.assert_array_equal(pl > 0, checkerboard(whole)[..., 1] > 0)

"""Pairing in the window: found without help, put by hand, by landmarks; shown, saved, and found again by other panels."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.backend_bases import MouseEvent
from napari.layers import Image

from napari_wse2xai import io
from napari_wse2xai.data import Frame, Pairable, PairedMaps, PeakMaps, Transform
from napari_wse2xai.data.transform import corners_um
from napari_wse2xai.gui.contributions import triangle_pl_on_its_own_grid
from napari_wse2xai.gui.pair import placing
from napari_wse2xai.gui.pair.panel import PairPanel
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.session.saving import SaveButtons
from napari_wse2xai.layers import light_layer, shown_in, to_layers
from napari_wse2xai.numerics import registration
from napari_wse2xai.session import State
from napari_wse2xai.stages import Deconvolve, FindFlake, Pair, Peak
from napari_wse2xai.stages.pair import AutomaticPlacing, GivenTransform, Landmarks
from napari_wse2xai.synthetic import SAMPLE_PLACEMENT, SyntheticPair, make_pair
from symmetric_flakes import polygon
from symmetric_flakes import scanned as scanned_flake

SIGNS = ((1, 1), (-1, 1), (1, -1), (-1, -1))


@pytest.fixture(scope="module")
def scanned() -> SyntheticPair:
    return make_pair("triangle", SAMPLE_PLACEMENT)


@pytest.fixture(scope="module")
def pairable(scanned: SyntheticPair, raman_peaks: PeakMaps) -> Pairable:
    """The triangle's RS peaks, and PL peaks on a grid of their own."""
    exciton = Deconvolve(peaks=(Peak(name="A", shape="gaussian", position=1.65, fwhm=0.05, window=(1.55, 1.75)),))
    return Pairable(raman_peaks, exciton(FindFlake(window=(1.6, 1.7))(scanned.pl)))


@pytest.fixture
def viewer(viewer, pairable: Pairable):
    contents.add(viewer, [*to_layers(pairable.raman), *to_layers(pairable.pl)])
    return viewer


@pytest.fixture
def panel(viewer, qtbot) -> PairPanel:
    panel = PairPanel(viewer)
    qtbot.addWidget(panel)
    yield panel
    panel.close()


def done(panel: PairPanel, settle) -> PairedMaps:
    settle(lambda: not panel.work.runner.busy)
    (paired,) = contents.paired_maps(panel.viewer)
    return paired


def turned_round(frame: Frame, signs: tuple[int, int]) -> Frame:
    """The same grid on a stage whose coordinates fall along rows or columns."""
    (dy, dx), (y, x) = signs, (3.0, -7.0)
    return replace(frame, step_um=(dy * frame.step_um[0], dx * frame.step_um[1]), origin_um=(y, x))


def as_image(peaks: PeakMaps, colour: str) -> Image:
    data, keywords, _ = light_layer(peaks, colour)
    return Image(data, **keywords)


@pytest.mark.parametrize("signs", SIGNS)
@pytest.mark.parametrize("pl_signs", SIGNS)
def test_a_layer_put_where_a_transform_says_gives_that_transform(pairable: Pairable, scanned, signs, pl_signs) -> None:
    raman = replace(pairable.raman, frame=turned_round(pairable.raman.frame, signs))
    pl = replace(pairable.pl, frame=turned_round(pairable.pl.frame, pl_signs))
    fixed, moving = as_image(raman, "magenta"), as_image(pl, "green")
    placing.place(moving, pl.frame, fixed, raman.frame, scanned.transform)
    found = placing.placed(moving, pl.frame, fixed, raman.frame)
    corners = corners_um(pl.frame)
    np.testing.assert_allclose(found.apply(corners), scanned.transform.apply(corners), atol=1e-6)
    # And seen from the canvas: the PL pixel at a corner lies on the RS pixel that the transform names.
    rows, columns = pl.frame.shape
    for pixel in ((0, 0), (rows - 1, columns - 1)):
        stage = scanned.transform.apply(np.array(pl.frame.origin_um) + np.array(pl.frame.step_um) * pixel)
        wanted = (stage - raman.frame.origin_um) / raman.frame.step_um
        np.testing.assert_allclose(fixed.world_to_data(moving.data_to_world(pixel)), wanted, atol=1e-6)


@pytest.mark.parametrize("signs", SIGNS)
def test_what_napari_does_under_the_mouse_is_what_the_stage_sees(pairable: Pairable, signs) -> None:
    raman, pl = (replace(peaks, frame=turned_round(peaks.frame, signs)) for peaks in (pairable.raman, pairable.pl))
    fixed, moving = as_image(raman, "magenta"), as_image(pl, "green")
    np.testing.assert_allclose(placing.placed(moving, pl.frame, fixed, raman.frame).matrix, np.eye(2), atol=1e-12)
    moving.affine = np.array([[1, 0, 2.0], [0, 1, 5.0], [0, 0, 1]])  # dragged down by 2 and right by 5
    dragged = placing.placed(moving, pl.frame, fixed, raman.frame)
    np.testing.assert_allclose(dragged.offset, [2.0 * signs[0], 5.0 * signs[1]], atol=1e-9)
    before = dragged.mirrored
    placing.mirror(moving, pl.frame)
    assert placing.placed(moving, pl.frame, fixed, raman.frame).mirrored != before


def test_registered_in_the_window_and_shown_in_two_ways(panel: PairPanel, viewer, scanned, pairable, settle) -> None:
    settle(panel.work.begin_button.isEnabled)
    assert panel.chosen() is not None
    assert (panel.chosen().raman, panel.chosen().pl) == (pairable.raman, pairable.pl)
    panel.work.begin_button.click()
    paired = done(panel, settle)
    off = paired.transform.apply(corners_um(paired.pl_frame)) - scanned.transform.apply(corners_um(paired.pl_frame))
    assert np.sqrt((off**2).sum(axis=1).mean()) < 0.5 * paired.step_um
    assert "µm" in panel.work.message.text()
    assert "steps" in panel.work.message.text()
    assert "mirrored" in panel.work.message.text()
    visible = [layer for layer in viewer.layers if layer.visible]
    assert [shown_in(layer.metadata).part for layer in visible] == ["RS", "PL"]
    raman, pl = visible
    assert ((raman.data > 0) & (pl.data > 0)).sum() > 200
    panel.look.setCurrentText("checkerboard")
    assert not ((raman.data > 0) & (pl.data > 0)).any()
    assert {layer.name for layer in viewer.layers} >= {"A height (counts) on RS grid", "A position (eV) on RS grid"}
    assert contents.all_peaks(viewer) == [pairable.raman, pairable.pl], "PL on the RS grid is no deconvolution of its own"


def test_placings_that_fit_alike_are_shown_and_one_is_clicked(viewer, qtbot, settle) -> None:
    scans = scanned_flake(polygon(3), 7, lost=True)
    viewer.layers.clear()
    contents.add(viewer, [*to_layers(scans.raman), *to_layers(scans.pl)])
    panel = PairPanel(viewer)
    qtbot.addWidget(panel)
    settle(panel.work.begin_button.isEnabled)
    panel.work.begin_button.click()
    settle(lambda: not panel.work.runner.busy, 120_000)
    assert "several ways" in panel.work.message.text()
    assert [(node.step, node.state) for node in contents.session(viewer).nodes[-1:]] == [("Pair", State.FAILED)]
    assert not panel.choice.isHidden()
    pictures = panel.choice.canvas.figure.axes
    assert len(pictures) >= 3
    corners = corners_um(scans.pl.frame)
    (wanted,) = [picture for picture in pictures if picture.get_title().startswith("2:")]
    panel.choice.canvas.draw()
    x, y = wanted.transAxes.transform((0.5, 0.5))
    canvas = panel.choice.canvas
    canvas.callbacks.process("button_press_event", MouseEvent("button_press_event", canvas, x, y, button=1))
    settle(lambda: not panel.work.runner.busy, 120_000)
    paired = done(panel, settle)
    assert panel.choice.isHidden()
    assert "candidate 2 of" in paired.found_by
    assert not [node for node in contents.session(viewer).nodes if node.state is State.FAILED], "it came to a result since"
    np.testing.assert_allclose(paired.transform.apply(corners), paired.candidates[1].transform.apply(corners))
    panel.close()


def test_used_where_it_was_put_and_a_second_time_refined(panel: PairPanel, viewer, scanned, pairable, settle, monkeypatch) -> None:
    monkeypatch.setattr(registration, "REPEATS", 12)  # six know an error to a third of it only
    settle(panel.buttons["move"].isEnabled)
    panel.buttons["move"].click()
    moving = viewer.layers.selection.active
    assert moving.mode == "transform"
    assert [layer.name for layer in viewer.layers if layer.visible] == [f"{pairable.raman.name} · all peaks", moving.name]
    fixed = placing.layer_of(viewer, pairable.raman)
    aside = Transform(scanned.transform.matrix, scanned.transform.offset + np.array([0.7, -0.3]))
    placing.place(moving, pairable.pl.frame, fixed, pairable.raman.frame, aside)
    panel.buttons["use"].click()
    paired = done(panel, settle)
    np.testing.assert_allclose(paired.transform.offset, aside.offset, atol=1e-6)
    assert "may miss its place" in panel.work.message.text()
    assert isinstance(panel.form.value().method, GivenTransform)
    again = placing.by_hand(viewer, pairable)  # the result is selected and was not moved
    np.testing.assert_allclose(again.matrix, paired.transform.matrix, atol=1e-8)
    viewer.layers.selection.active.affine = np.array([[1, 0, 0.3], [0, 1, 0.2], [0, 0, 1]])  # the pair's own PL layer, dragged
    assert placing.by_hand(viewer, pairable).offset - aside.offset == pytest.approx([0.3, 0.2], abs=1e-6)
    panel.buttons["move"].click()  # goes on from there
    panel.buttons["refine"].click()
    refined = done(panel, settle)
    assert refined.misalignment_um < 0.5 * refined.step_um < paired.misalignment_um
    assert "may miss its place" not in panel.work.message.text()


def test_landmarks_are_clicked_in_turns(panel: PairPanel, viewer, scanned, pairable, settle) -> None:
    settle(panel.buttons["click"].isEnabled)
    panel.buttons["click"].click()
    assert panel.work.message.text().startswith("Click place 1 on RS")
    fixed, moving = (placing.layer_of(viewer, peaks) for peaks in (pairable.raman, pairable.pl))
    places = [(8.0, 6.0), (16.0, 8.0), (12.0, 18.0)]

    def click(peaks: PeakMaps, layer, place) -> None:
        points = viewer.layers.selection.active
        assert points.mode == "add"
        pixel = (np.array(place) - peaks.frame.origin_um) / peaks.frame.step_um
        points.add(points.world_to_data(layer.data_to_world(pixel)))
        settle()

    click(pairable.raman, fixed, scanned.transform.apply((1.0, 1.0)) + 900)
    assert panel.clicks.counts == (0, 0), "a click beside the map is none"
    for number, place in enumerate(places, 1):
        assert f"place {number} on RS" in panel.work.message.text()
        click(pairable.raman, fixed, scanned.transform.apply(place))
        assert f"same place, {number}, on PL" in panel.work.message.text()
        click(pairable.pl, moving, place)
    assert "agree within" in panel.work.message.text()
    panel.buttons["back"].click()
    settle()
    assert panel.clicks.counts == (3, 2)
    click(pairable.pl, moving, places[-1])
    assert isinstance(panel.form.value().method, Landmarks)
    panel.work.begin_button.click()
    paired = done(panel, settle)
    np.testing.assert_allclose(paired.transform.matrix, scanned.transform.matrix, atol=1e-3)
    assert not panel.clicks.going_on


def test_the_pair_is_saved_with_the_results_and_as_a_table(panel: PairPanel, viewer, scanned, tmp_path, settle, qtbot) -> None:
    panel.form.put(Pair(method=GivenTransform.of(scanned.transform)))
    settle(panel.work.begin_button.isEnabled)
    panel.run()
    paired = done(panel, settle)
    panel.save(tmp_path / "paired.csv")
    settle(lambda: not panel.saver.busy)
    lines = (tmp_path / "paired.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 1 + paired.paired.sum()
    assert "A.height" in lines[0]
    buttons = SaveButtons(viewer)
    qtbot.addWidget(buttons)
    buttons.save_results(tmp_path / "results.nc")
    settle(lambda: not buttons.runner.busy)
    back = io.read_results(tmp_path / "results.nc").paired
    assert back is not None
    np.testing.assert_allclose(back.transform.matrix, scanned.transform.matrix)
    viewer.layers.clear()
    contents.add(viewer, to_layers(io.read_results(tmp_path / "results.nc")))
    assert [one.transform.mirrored for one in contents.paired_maps(viewer)] == [True]


def test_run_says_what_is_missing(panel: PairPanel, viewer, settle) -> None:
    settle(panel.work.begin_button.isEnabled)
    panel.form._inputs["method"]._kind.put("landmarks")
    assert not panel.work.begin_button.isEnabled()
    assert "three places" in panel.work.message.text()
    panel.form.put(Pair(method=AutomaticPlacing()))
    assert panel.work.begin_button.isEnabled()
    viewer.layers.clear()
    settle()
    assert panel.work.begin_button.isEnabled(), "deleting layers deletes no result"
    session = contents.session(viewer)
    session.remove(*session.of_kind(PeakMaps))
    settle(lambda: not panel.work.begin_button.isEnabled())
    assert panel.work.message.text().startswith("Deconvolve an RS map and a PL map")


def test_the_sample_on_its_own_grid_goes_with_the_triangle(scanned: SyntheticPair) -> None:
    layers = triangle_pl_on_its_own_grid()
    sample = shown_in(layers[0][1]["metadata"]).artefact
    assert sample.frame == scanned.pl.frame != scanned.raman.frame
    assert sample.frame.sample == scanned.raman.frame.sample

"""A scan at an angle in the window: drawn turned, overlays on it, the right pixel under the mouse, dragging in its own coordinates."""

from dataclasses import replace

import numpy as np
import pytest
from test_spectrum_view import hover

from napari_wse2xai.data import Direction, Frame, Pairable, PeakMaps, SpectralMap, Transform
from napari_wse2xai.data.transform import corners_um, pixels_um
from napari_wse2xai.gui.maps.spectrum_view import SpectrumView
from napari_wse2xai.gui.pair import placing
from napari_wse2xai.gui.session import contents
from napari_wse2xai.layers import to_layers


def turned(artefact, step: tuple[float, float] = (0.5, 0.25)):
    return replace(artefact, frame=replace(artefact.frame, step_um=step, rotation_deg=25.0))


@pytest.mark.parametrize("step", [(0.5, 0.25), (-0.5, 0.25)])
def test_overlays_lie_on_a_turned_map_and_the_mouse_finds_its_pixels(viewer, qtbot, small, small_peaks, light, step) -> None:
    view = SpectrumView(viewer)
    viewer.window.add_dock_widget(view)
    flake = np.zeros(small.frame.shape, bool)
    flake[2:10, 3:13] = True
    source, peaks = turned(replace(small, flake=flake), step), turned(small_peaks, step)
    layers = contents.add(viewer, [*to_layers(source), *to_layers(peaks)])
    contents.add(viewer, to_layers(light))  # another slider: the turned map is laid anew
    stage = pixels_um(source.frame)
    for layer in viewer.layers:
        if contents.shown(layer).frame == source.frame:
            for row, column in ((0, 0), (11, 15), (4, 9)):
                there = np.array(layer.data_to_world((*[0] * (layer.ndim - 2), row, column))[-2:])
                np.testing.assert_allclose(there, stage[row, column] * (np.sign(step[0]), 1), atol=1e-9)
    viewer.layers.selection.active = peaks_layer = layers[-1]
    hover(viewer, peaks_layer, 4, 9)
    assert view.pixel == (4, 9)
    y, x = stage[4, 9]
    assert f"x {x:.2f} µm, y {y:.2f} µm" in view.words.text()
    view.close()


@pytest.mark.parametrize("steps", [((0.5, 0.25), (0.5, 0.25)), ((-0.5, 0.25), (0.4, 0.3))])
def test_dragging_is_told_in_the_stage_s_coordinates(viewer, small_peaks: PeakMaps, steps) -> None:
    raman = turned(small_peaks, steps[0])
    pl = replace(small_peaks, frame=replace(small_peaks.frame, step_um=steps[1]), name="pl")
    fixed, moving = (contents.add(viewer, to_layers(peaks))[-1] for peaks in (raman, pl))
    if steps[0][0] > 0:  # both are drawn where the stage has them
        found = placing.by_hand(viewer, Pairable(raman, pl))
        np.testing.assert_allclose(found.matrix, np.eye(2), atol=1e-9)
        np.testing.assert_allclose(found.offset, 0, atol=1e-9)
    wanted = Transform.similarity(rotation_deg=-12.0, shift_um=(1.0, -2.0))
    placing.place(moving, pl.frame, fixed, raman.frame, wanted)
    found = placing.placed(moving, pl.frame, fixed, raman.frame)
    np.testing.assert_allclose(found.apply(corners_um(pl.frame)), wanted.apply(corners_um(pl.frame)), atol=1e-6)
    shown = np.array([moving.data_to_world(corner)[-2:] for corner in ((0, 0), (11, 15))])
    stage = wanted.apply(corners_um(pl.frame))[[0, 3]] * (np.sign(steps[0][0]), 1)
    np.testing.assert_allclose(shown, stage, atol=1e-6)


def test_a_series_and_a_map_share_the_window(viewer, small: SpectralMap) -> None:
    times = Frame((12, 16), (2.5, 0.25), directions=(Direction("time", "s"), Direction("x")))
    (layer,) = contents.add(viewer, to_layers(replace(small, frame=times, name="series")))
    assert viewer.dims.axis_labels[-2:] == ("time (s)", "x (µm)")
    contents.add(viewer, to_layers(small))
    assert [str(unit) for unit in layer.units[-2:]] == ["pixel", "pixel"]

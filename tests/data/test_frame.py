"""Frames: places on the sample, series over anything else, scans at an angle."""

import json

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, Direction, Frame, SpectralMap
from napari_wse2xai.data.transform import corners_um, pixel_coordinates, pixels_um
from napari_wse2xai.io import read, write_map, write_map_table
from napari_wse2xai.layers import to_layers

TURNED = Frame((3, 5), (2.0, 0.5), (10.0, -3.0), "flake", rotation_deg=30.0)
SERIES = Frame((3, 1), directions=(Direction("temperature", "K", (77.0, 100.0, 200.0)), Direction("x")))


def of(frame: Frame) -> SpectralMap:
    counts = np.random.default_rng(0).normal(100, 5, (*frame.shape, 20)).astype(np.float32)
    return SpectralMap.from_arrays(counts, np.linspace(200, 300, 20), AxisKind.RAMAN_SHIFT, frame=frame, laser_nm=532.0)


def test_a_turned_scan_lies_where_trigonometry_says():
    places = pixels_um(TURNED)
    row, column, angle = 2, 4, np.deg2rad(30)
    y = 10.0 + 2 * row * np.cos(angle) - 0.5 * column * np.sin(angle)
    x = -3.0 + 2 * row * np.sin(angle) + 0.5 * column * np.cos(angle)
    np.testing.assert_allclose(places[row, column], [y, x])
    np.testing.assert_allclose(corners_um(TURNED)[-1], [y, x])
    np.testing.assert_allclose(pixel_coordinates(TURNED, places), np.moveaxis(np.indices((3, 5)), 0, -1), atol=1e-12)


@pytest.mark.parametrize("step", [(2.0, 0.5), (-2.0, 0.5)])
def test_napari_draws_a_turned_scan_turned(step):
    from napari.layers import Image

    frame = Frame((3, 5), step, (10.0, -3.0), rotation_deg=30.0)
    data, keywords, _ = to_layers(of(frame))[0]
    layer = Image(data, **{name: value for name, value in keywords.items() if name in ("scale", "translate", "rotate")})
    shown = np.array([layer.data_to_world((0, row, column))[1:] for row, column in ((0, 0), (2, 4), (2, 0))])
    stage = pixels_um(frame)[[0, 2, 2], [0, 4, 0]]
    expected = stage * (1 if step[0] > 0 else -1, 1)  # what falls along the rows is drawn with its sign turned
    np.testing.assert_allclose(shown, expected, atol=1e-9)


@pytest.mark.parametrize("frame", [TURNED, SERIES, Frame((2, 3), directions=(Direction("z"), Direction("x")))])
@pytest.mark.parametrize("ending", [".nc", ".csv"])
def test_files_keep_turns_and_directions(frame, ending, tmp_path):
    path = tmp_path / f"map{ending}"
    (write_map if ending == ".nc" else write_map_table)(of(frame), path)
    assert read(path).frame == frame
    assert Frame.from_record(json.loads(json.dumps(frame.as_record()))) == frame


def test_a_series_has_no_places_and_keeps_its_uneven_values():
    assert not SERIES.has_places
    assert SERIES.y_um.tolist() == [77.0, 100.0, 200.0]
    assert TURNED.has_places
    assert Frame((1, 4), directions=(Direction("time", "s"), Direction("x"))).has_places  # one row: nothing lies along time
    _, keywords, _ = to_layers(of(SERIES))[0]
    assert keywords["axis_labels"][1] == "temperature (K)"
    assert keywords["units"][1] == "pixel"


def test_values_that_are_not_as_many_as_pixels_are_no_record():
    with pytest.raises(ValueError, match="3 values of 'temperature' for 2 pixels"):
        Frame.from_record(SERIES.as_record() | {"shape": (2, 1)})

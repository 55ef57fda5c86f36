"""Layer tuples: on their place, upright, with units, limits and a way back to the artefact."""

from dataclasses import replace

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, Frame, PeakMaps, Picture, Record, SpectralMap, Status
from napari_wse2xai.data.quantities import STATUS_COLORS
from napari_wse2xai.errors import DataError
from napari_wse2xai.layers import (
    KEY,
    chi2_layer,
    flake_layer,
    layer_name,
    map_layer,
    peak_layer,
    shown_in,
    status_layer,
    telling_channel,
    to_layers,
)
from napari_wse2xai.layers.part import part_layer
from napari_wse2xai.stages import BY_NAME


def make_map(frame: Frame, kind: AxisKind = AxisKind.RAMAN_SHIFT, channels: int = 11, **fields: object) -> SpectralMap:
    axis = {AxisKind.RAMAN_SHIFT: (100, 300), AxisKind.WAVELENGTH: (700, 800), AxisKind.ENERGY: (1.5, 1.8)}[kind]
    counts = np.random.default_rng(0).normal(100, 5, (*frame.shape, channels)).astype(np.float32)
    return SpectralMap.from_arrays(counts, np.linspace(*axis, channels), kind, frame=frame, **fields)


def place_of(data: np.ndarray, keywords: dict, row: int, column: int) -> tuple[float, ...]:
    """World coordinates (y, x) of a pixel, as napari reckons them."""
    return tuple(keywords["translate"][-2:][i] + keywords["scale"][-2:][i] * index for i, index in enumerate((row, column)))


def test_a_map_s_slider_is_the_spectral_axis_and_its_canvas_the_flake() -> None:
    source = make_map(Frame((4, 6), (0.5, 0.25), (10.0, 20.0)), name="m")
    ((data, keywords, kind),) = to_layers(source)
    assert kind == "image"
    assert data.shape == (11, 4, 6)
    assert np.shares_memory(data, source.counts)
    assert keywords["scale"] == (20.0, 0.5, 0.25)
    assert keywords["translate"] == (100.0, 10.0, 20.0)
    assert keywords["units"] == ("1/cm", "um", "um")
    assert keywords["axis_labels"] == ("Raman shift", "y", "x")
    np.testing.assert_array_equal(data[3, 2, 1], source.counts[2, 1, 3])


@pytest.mark.parametrize("step", [(1.0, 1.0), (-0.5, 0.25), (0.5, -0.25), (-2.0, -3.0)])
def test_row_0_stays_on_top_and_column_0_at_the_left_whatever_the_stage_s_signs(step: tuple[float, float]) -> None:
    source = make_map(Frame((4, 6), step, (7.0, -3.0)), flake=np.ones((4, 6), bool))
    for data, keywords, _ in to_layers(source):
        top_left, bottom_right = place_of(data, keywords, 0, 0), place_of(data, keywords, 3, 5)
        assert top_left[0] < bottom_right[0]
        assert top_left[1] < bottom_right[1]
        stage = [np.sign(s) * p for s, p in zip(step, bottom_right, strict=True)]
        assert stage == pytest.approx([source.frame.y_um[3], source.frame.x_um[5]])


def test_all_layers_of_one_frame_lie_on_the_same_place(raman_peaks: PeakMaps, clean_raman: SpectralMap) -> None:
    layers = [*to_layers(clean_raman), *to_layers(raman_peaks), peak_layer(raman_peaks, 0, "fwhm", error=True)]
    assert {keywords["scale"][-2:] for _, keywords, _ in layers} == {layers[0][1]["scale"][-2:]}
    assert {keywords["translate"][-2:] for _, keywords, _ in layers} == {layers[0][1]["translate"][-2:]}
    assert all(keywords["units"][-2:] == ("um", "um") for _, keywords, _ in layers)
    assert {kind for *_, kind in layers} == {"image", "labels"}


def test_every_layer_leads_back_to_its_artefact(raman_peaks: PeakMaps, clean_raman: SpectralMap) -> None:
    for artefact in (raman_peaks, clean_raman):
        for _, keywords, _ in to_layers(artefact):
            shown = shown_in(keywords["metadata"])
            assert shown is not None
            assert shown.artefact is artefact
    assert shown_in({}) is None
    assert shown_in({KEY: "of other making"}) is None


def test_the_flake_becomes_labels_that_can_be_edited_without_touching_the_map() -> None:
    flake = np.zeros((4, 6), bool)
    flake[1, 2] = True
    source = make_map(Frame((4, 6)), flake=flake)
    data, keywords, kind = flake_layer(source)
    assert kind == "labels"
    data[0, 0] = 1
    assert not flake[0, 0]
    assert "flake" in keywords["name"]


def test_of_the_peak_maps_one_height_is_shown_at_first(raman_peaks: PeakMaps) -> None:
    visible = [keywords for *_, keywords, _ in to_layers(raman_peaks) if keywords.get("visible", True)]
    (only,) = visible
    assert only["name"] == "L250 height (counts)"


def test_a_weak_peak_that_ran_away_in_one_pixel_is_not_what_is_shown_first(raman_peaks: PeakMaps) -> None:
    _, (_, shown, _) = to_layers(raman_peaks)
    medians = [np.median(height[np.isfinite(height)]) for height in raman_peaks.height]
    weak = int(np.argmin(medians))
    height = raman_peaks.height.copy()
    height[(weak, *np.argwhere(np.isfinite(height[weak]))[0])] = 100 * max(medians)
    _, (_, after, _) = to_layers(replace(raman_peaks, height=height))
    assert shown["name"] == after["name"] == f"{raman_peaks.names[int(np.argmax(medians))]} height (counts)"


@pytest.mark.parametrize("parameter", ["position", "fwhm", "height"])
def test_colour_limits_are_deaf_to_outliers_and_to_nan(raman_peaks: PeakMaps, parameter: str) -> None:
    values = np.array(getattr(raman_peaks, parameter))
    values[:, 24, 28] = 1e6
    spoiled = replace(raman_peaks, **{parameter: values})
    data, keywords, _ = peak_layer(spoiled, 3, parameter)
    low, high = keywords["contrast_limits"]
    assert np.isnan(data).any()
    assert low < np.nanmedian(data) < high < 1e5


def test_a_map_without_any_value_still_has_limits(raman_peaks: PeakMaps) -> None:
    empty = replace(raman_peaks, height=np.full_like(raman_peaks.height, np.nan))
    for _, keywords, kind in to_layers(empty):
        assert kind == "labels" or keywords["contrast_limits"][0] < keywords["contrast_limits"][1]


def test_names_say_peak_parameter_and_unit(raman_peaks: PeakMaps) -> None:
    assert peak_layer(raman_peaks, 0, "position")[1]["name"] == "L195 position (cm⁻¹)"
    assert peak_layer(raman_peaks, 0, "height", error=True)[1]["name"] == "L195 height error (counts)"


def test_the_status_layer_says_its_words(raman_peaks: PeakMaps) -> None:
    data, keywords, kind = next(layer for layer in to_layers(raman_peaks) if layer[2] == "labels")
    assert kind == "labels"
    assert not keywords["visible"]
    assert keywords["features"]["status"][Status.BELOW_NOISE] == "signal below noise"
    np.testing.assert_array_equal(data, raman_peaks.status)


def test_a_map_stays_three_dimensional_and_a_view_beside_one_of_another_axis() -> None:
    raman = make_map(Frame((4, 6)), channels=11)
    light = make_map(Frame((4, 6)), AxisKind.ENERGY, channels=7)
    data, keywords, _ = map_layer(light, along=raman.axis)
    assert data.shape == (7, 4, 6)
    assert keywords["units"] == ("1/cm", "um", "um")
    assert np.shares_memory(data, light.counts)
    np.testing.assert_array_equal(data[2], light.counts[..., 2])


def test_the_telling_channel_is_where_the_flake_stands_out() -> None:
    source = make_map(Frame((20, 20)))
    counts = source.counts.copy()
    counts[..., 2] += 1000  # silicon: bright everywhere
    counts[5:10, 5:10, 7] += 200  # the flake
    assert telling_channel(replace(source, counts=counts)) == 7


def test_what_is_no_artefact_is_refused() -> None:
    with pytest.raises(TypeError, match="int cannot be shown"):
        to_layers(3)


def test_a_picture_lies_in_its_place_with_its_unit():
    frame = Frame((2, 3), (-0.5, 0.25), (10.0, 20.0))
    ((values, keywords, kind),) = to_layers(Picture(frame, np.arange(6, dtype=np.float32).reshape(2, 3), "Height", "nm"))
    assert (kind, values.shape, keywords["name"]) == ("image", (2, 3), "Height (nm)")
    assert (keywords["scale"], keywords["translate"], keywords["units"]) == ((0.5, 0.25), (-10.0, 20.0), ("um", "um"))
    assert "rgb" not in keywords and shown_in(keywords["metadata"]).part == "picture"


def test_a_colour_picture_is_shown_in_colour():
    ((values, keywords, _),) = to_layers(Picture(Frame((2, 3)), np.zeros((2, 3, 3), np.uint8), "white light"))
    assert keywords["rgb"] is True
    assert (values.shape, keywords["scale"]) == ((2, 3, 3), (1.0, 1.0))
    assert "contrast_limits" not in keywords


@pytest.mark.parametrize("values", [np.zeros((2, 3)), np.zeros((2, 3, 3), np.float32), np.zeros((3, 2), np.float32)])
def test_a_picture_that_does_not_fit_its_grid_is_refused(values):
    with pytest.raises(DataError, match="do not fit its grid"):
        Picture(Frame((2, 3)), values)


@pytest.mark.parametrize("ground", ["#262930", "#ffffff"], ids=["dark", "light"])
def test_every_status_is_told_from_the_others_and_from_the_ground(ground) -> None:
    from itertools import combinations

    from matplotlib.colors import to_rgb

    colours = {status: np.array(to_rgb(STATUS_COLORS[status])) for status in Status if status is not Status.NOT_ON_FLAKE}
    for one, other in combinations([*colours.values(), np.array(to_rgb(ground))], 2):
        assert np.linalg.norm(one - other) > 0.12


def test_window_and_report_draw_in_the_same_colours(raman_peaks) -> None:
    from matplotlib.colors import to_rgba
    from matplotlib.figure import Figure

    from napari_wse2xai.layers import status_layer
    from napari_wse2xai.plots.maps import draw_parameter, draw_status

    for parameter in ("position", "fwhm", "height"):
        axes = Figure().subplots()
        draw_parameter(axes, raman_peaks, 0, parameter)
        assert peak_layer(raman_peaks, 0, parameter)[1]["colormap"] == axes.images[0].get_cmap().name
    axes = Figure().subplots()
    draw_status(axes, raman_peaks)
    (image,) = axes.images
    drawn = {int(status): image.get_cmap()(image.norm(int(status))) for status in Status}
    shown = status_layer(raman_peaks)[1]["colormap"]
    for status in set(Status) - {Status.NOT_ON_FLAKE}:
        assert to_rgba(shown[int(status)]) == pytest.approx(drawn[int(status)])


def test_a_map_on_wavelengths_is_drawn_in_micrometres_and_found_by_the_mouse() -> None:
    """One unit of length for all axes: with a slider in nm napari put canvas and mouse into nm, and no pixel was ever under the mouse."""
    from napari.components import ViewerModel

    viewer = ViewerModel()
    data, keywords, _ = map_layer(make_map(Frame((4, 6), (0.5, 0.25), (10.0, 20.0)), AxisKind.WAVELENGTH))
    layer = viewer.add_image(data, **keywords)
    assert [str(unit) for unit in viewer.layers.extent.units[-2:]] == ["micrometer", "micrometer"]
    np.testing.assert_allclose(viewer.layers.extent.world, layer.extent.world)


def test_a_layer_leads_to_its_part_and_the_part_to_the_layer(raman_peaks: PeakMaps, clean_raman: SpectralMap) -> None:
    """Also those that are made on demand; what is saved of a window names its layers by artefact and part."""
    layers = [*to_layers(raman_peaks), *to_layers(clean_raman), chi2_layer(raman_peaks), status_layer(raman_peaks)]
    layers += [peak_layer(raman_peaks, index, parameter, error=True) for index in (0, 3) for parameter in ("fwhm", "height")]
    parts = [shown.part for _, keywords, _ in layers if (shown := shown_in(keywords["metadata"])) is not None]
    assert len(parts) == len(layers) and {"map", "flake", "repaired", "status", "reduced chi2"} < set(parts)
    for (data, keywords, kind), part in zip(layers, parts, strict=True):
        found = part_layer(shown_in(keywords["metadata"]).artefact, part)
        assert found is not None and (found[1]["name"], found[2]) == (keywords["name"], kind)
        np.testing.assert_array_equal(found[0], data)


def test_colours_of_a_map_end_where_two_in_a_hundred_pixels_lie_beyond(raman_peaks: PeakMaps) -> None:
    for data, keywords, _ in (peak_layer(raman_peaks, 3, "height"), chi2_layer(raman_peaks)):
        np.testing.assert_allclose(keywords["contrast_limits"], np.nanpercentile(data, [2, 98]), rtol=1e-6)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("Despike", "despiked"), ("Baseline", "above baseline"), ("ConvertAxis", "converted"), ("Calibrate", "calibrated"),
        ("CorrectResponse", "response corrected"), ("Normalise", "normalised"),
    ],
)  # fmt: skip
def test_the_name_of_a_map_says_what_was_last_done_to_it(step: str, words: str) -> None:
    assert step in BY_NAME
    done = [Record("read", {}, "0.1"), Record("Baseline", {}, "0.1"), Record(step, {}, "0.1"), Record("FindFlake", {}, "0.1")]
    assert layer_name(make_map(Frame((4, 6), (1.0, 1.0)), name="m", history=tuple(done))) == f"m · {words}"

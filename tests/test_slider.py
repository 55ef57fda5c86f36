"""The slider's number is the value of the channel that is shown, to half a channel, on every axis."""

from pathlib import Path

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, Frame, SpectralMap
from napari_wse2xai.data.axis import convert_values
from napari_wse2xai.io import read
from napari_wse2xai.layers import map_layer

NY, NX = 3, 4


def stitched() -> np.ndarray:
    """Two grating positions that overlap: their channels lie between one another, some very near."""
    return np.sort(np.concatenate([np.linspace(500, 560, 101), np.linspace(540.013, 620, 131)]))


AXES = {
    "nm to eV": (convert_values(np.linspace(500, 1000, 301), AxisKind.WAVELENGTH, AxisKind.ENERGY, None)[::-1], AxisKind.ENERGY),
    "nm to a Raman shift": (
        convert_values(np.linspace(534, 700, 257), AxisKind.WAVELENGTH, AxisKind.RAMAN_SHIFT, 532.0),
        AxisKind.RAMAN_SHIFT,
    ),
    "stitched": (stitched(), AxisKind.WAVELENGTH),
    "with a gap": (np.concatenate([np.arange(100, 200, 1.7), np.arange(700, 720, 0.9)]), AxisKind.RAMAN_SHIFT),
    "three channels": (np.array([1.0, 1.2, 2.0]), AxisKind.ENERGY),
    "two channels": (np.array([1.0, 1.7]), AxisKind.ENERGY),
    "jitter": (np.linspace(0, 1, 50) + np.random.default_rng(3).uniform(-0.009, 0.009, 50), AxisKind.ENERGY),
    "even": (np.linspace(100, 300, 101), AxisKind.RAMAN_SHIFT),
    "even, written to two digits": (np.round(np.linspace(100, 300, 101) * 1.0371, 2), AxisKind.RAMAN_SHIFT),
}


def map_on(values: np.ndarray, kind: AxisKind) -> SpectralMap:
    """Map whose counts are the values of the channels themselves, and thousandths of the pixel's number."""
    counts = np.broadcast_to(values, (NY, NX, len(values))) + np.arange(NY * NX).reshape(NY, NX, 1) / 1000
    return SpectralMap.from_arrays(counts, values, kind, frame=Frame((NY, NX)))


def check_every_step(source: SpectralMap) -> None:
    """Compare numbers and channels at every step of the slider, as napari would: value at a step, slice of the data there."""
    data, keywords, _ = map_layer(source)
    numbers = keywords["translate"][0] + keywords["scale"][0] * np.arange(data.shape[0])
    v = source.axis.values
    middles = np.concatenate([[-np.inf], (v[1:] + v[:-1]) / 2, [np.inf]])
    seen = set()
    for step, number in enumerate(numbers):
        plane = np.asarray(data[step, :, :])
        (channel,) = {
            int(np.argmin(np.abs(np.asarray(source.counts[row, column]) - plane[row, column]))) for row, column in [(0, 0), (2, 3)]
        }
        np.testing.assert_array_equal(plane, np.asarray(source.counts)[:, :, channel])
        slack = 1e-9 + 0.1 * np.diff(v).min()  # an axis is even where it is so to a tenth of a channel
        assert middles[channel] - slack <= number <= middles[channel + 1] + slack, (step, number, v[channel])
        seen.add(channel)
    assert seen == set(range(len(v)))
    most = keywords["scale"][0] / 2 + slack
    assert abs(numbers[0] - v[0]) <= most and abs(numbers[-1] - v[-1]) <= most, "half a step of the slider from the ends"


@pytest.mark.parametrize("name", [name for name in AXES if name != "stitched"])
def test_every_number_is_that_of_its_channel_and_every_channel_can_be_reached(name: str) -> None:
    check_every_step(map_on(*AXES[name]))


def test_on_a_stitched_axis_too() -> None:
    source = map_on(*AXES["stitched"])
    check_every_step(source)
    assert map_layer(source)[0].shape[0] < 64 * len(source.axis) + 2


def test_a_channel_too_near_to_its_neighbour_does_not_make_the_slider_endless() -> None:
    values = np.array([1.0, 1.0 + 1e-9, 2.0, 3.0, 5.0])
    data, keywords, _ = map_layer(map_on(values, AxisKind.ENERGY))
    assert data.shape[0] <= 64 * 5 + 2
    assert keywords["translate"][0] + keywords["scale"][0] * (data.shape[0] - 1) == pytest.approx(5.0, abs=0.5)
    far, *_ = map_layer(map_on(values + 1000.0, AxisKind.ENERGY))
    assert abs(far.shape[0] - data.shape[0]) <= 1, "wherever the axis begins"


def test_on_a_real_map_of_an_instrument(shared_data: Path) -> None:
    """Its channels are 2.2 to 3.1 cm-1 apart."""
    source = read(shared_data / "witec" / "Si-data.WIP", "Map_000_Spec.Data 1_F")
    data, keywords, _ = map_layer(source)
    numbers = keywords["translate"][0] + keywords["scale"][0] * np.arange(data.shape[0])
    v = source.axis.values
    shown = np.array([np.flatnonzero((source.counts == data[step][..., None]).all(axis=(0, 1)))[0] for step in range(data.shape[0])])
    assert np.ptp(np.diff(v)) > 0.5
    assert (np.abs(numbers - v[shown]) == np.abs(numbers[:, None] - v).min(axis=1)).all()
    assert np.abs(numbers - v[shown]).max() <= np.diff(v).max() / 2
    assert set(shown) == set(range(len(v)))


def test_an_even_axis_stays_a_plain_view_and_an_uneven_one_copies_nothing(tmp_path: Path) -> None:
    even = map_on(*AXES["even"])
    assert isinstance(map_layer(even)[0], np.ndarray)
    assert np.shares_memory(map_layer(even)[0], even.counts)
    values, kind = AXES["nm to eV"]
    np.save(tmp_path / "counts.npy", map_on(values, kind).counts)
    counts = np.load(tmp_path / "counts.npy", mmap_mode="r")
    data, _, _ = map_layer(SpectralMap.from_arrays(counts, values, kind))
    plane = data[7, :, :]
    assert np.shares_memory(plane, counts)


@pytest.mark.parametrize(
    "key",
    [
        np.s_[3],
        np.s_[-1, 1],
        np.s_[2:9:3],
        np.s_[::-1, 1:, -2],
        np.s_[...],
        np.s_[..., 2],
        np.s_[5, ..., 1:3],
        np.s_[np.int64(4), 1, 2],
        ([1, 2], [0, 1], [3, 3]),
        (slice(None), [0, 2]),
        (None, 3),
    ],
)
def test_it_is_indexed_like_the_array_that_it_stands_for(key: object) -> None:
    source = map_on(*AXES["three channels"])
    data, _, _ = map_layer(source)
    whole = np.asarray(data)
    assert whole.shape == data.shape
    assert whole.dtype == data.dtype == np.float32
    np.testing.assert_array_equal(np.asarray(data[key]), whole[key])  # type: ignore[index]


def test_numpy_takes_it_for_an_array() -> None:
    data, _, _ = map_layer(map_on(*AXES["with a gap"]))
    whole = np.asarray(data)
    assert np.max(data) == whole.max()
    assert (data.size, data.ndim, len(data)) == (whole.size, 3, len(whole))
    np.testing.assert_allclose(np.mean(data, axis=0), whole.mean(axis=0))
    assert np.array(data, dtype=np.float64).dtype == np.float64


@pytest.mark.parametrize("kinds", [("nm to eV", "nm to a Raman shift"), ("even", "nm to eV"), ("nm to eV", "even")])
def test_a_map_is_laid_along_the_slider_of_another_kind_channel_by_channel(kinds: tuple[str, str]) -> None:
    first, second = (map_on(*AXES[name]) for name in kinds)
    (alone, own, _), (data, keywords, _), (_, other, _) = map_layer(second), map_layer(second, along=first.axis), map_layer(first)
    np.testing.assert_array_equal(np.asarray(data), np.asarray(alone))
    assert keywords["axis_labels"] == other["axis_labels"]
    assert keywords["units"] == other["units"]
    assert (keywords["scale"][1:], keywords["translate"][1:]) == (own["scale"][1:], own["translate"][1:])
    ends = keywords["translate"][0] + keywords["scale"][0] * np.array([0, len(data) - 1])
    np.testing.assert_allclose(ends, first.axis.span, atol=0.01 * np.ptp(first.axis.values))


def test_a_map_and_its_calibrated_twin_are_moved_by_one_slider() -> None:
    """Each number of the common slider is a number of both."""
    values, kind = AXES["nm to a Raman shift"]
    layers = [map_layer(map_on(moved, kind)) for moved in (values, values + 0.317)]
    steps = [keywords["scale"][0] for _, keywords, _ in layers]
    starts = [keywords["translate"][0] for _, keywords, _ in layers]
    assert steps[0] == steps[1]
    assert (starts[1] - starts[0]) / steps[0] == round((starts[1] - starts[0]) / steps[0])


@pytest.mark.parametrize("moved", np.linspace(0, 1, 8, endpoint=False))
def test_wherever_an_uneven_axis_lies_the_slider_ends_within_half_a_step_of_it(moved: float) -> None:
    values = AXES["three channels"][0] + 0.2 * moved
    data, keywords, _ = map_layer(map_on(values, AxisKind.ENERGY))
    first, step = keywords["translate"][0], keywords["scale"][0]
    off = [first - values[0], first + step * (len(data) - 1) - values[-1]]
    assert np.abs(off).max() <= step / 2 + 1e-9

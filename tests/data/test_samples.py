"""The table that a network learns from."""

from dataclasses import replace

import numpy as np
import pytest

from napari_wse2xai.data import Frame, PairedMaps, PeakMaps, Samples, Status, Transform
from napari_wse2xai.errors import DataError


@pytest.fixture(scope="module")
def paired(raman_peaks: PeakMaps) -> PairedMaps:
    """RS, and as PL its first line, on the same grid."""
    pl = replace(raman_peaks, name="PL")
    return PairedMaps(raman_peaks, pl, raman_peaks.frame, Transform.similarity(), 0.1, 0.02, 0.99, "stage")


def test_a_row_is_a_pixel_with_its_numbers_in_their_columns(paired: PairedMaps) -> None:
    table = Samples.of([paired], targets=["height", "area"], pl_peak="L250")
    assert table.feature_names[9:12] == ("L250.position", "L250.fwhm", "L250.height")
    assert table.feature_units[9:12] == ("cm-1", "cm-1", "counts")
    assert table.target_units == ("counts", "counts cm-1")
    pixel = 17
    row, column = table.row[pixel], table.column[pixel]
    assert table.features[pixel, 11] == paired.raman.height[3, row, column]
    assert table.feature_errors[pixel, 9] == paired.raman.position_error[3, row, column]
    np.testing.assert_array_equal(table.targets[:, 0], table.features[:, 11])


def test_values_go_back_to_their_place(paired: PairedMaps) -> None:
    table = Samples.of([paired], pl_peak="L250")
    picture = table.image(table.features[:, 11])
    there = np.isfinite(picture)
    assert there.sum() == len(table)
    np.testing.assert_array_equal(picture[there], paired.raman.height[3][there])
    moved = replace(paired, raman=replace(paired.raman, frame=Frame((48, 56), (-0.5, 0.25), (3.0, 1.0))))
    place = Samples.of([moved], pl_peak="L250").coordinates_um
    np.testing.assert_allclose(place[0], [3.0 - 0.5 * table.row[0], 1.0 + 0.25 * table.column[0]])


def test_the_strongest_pl_peak_is_the_target_where_none_is_named(paired: PairedMaps) -> None:
    assert Samples.of([paired]).pl_peak == "L250"


def test_a_missing_position_is_the_flakes_median_and_says_so(paired: PairedMaps) -> None:
    position = paired.raman.position.copy()
    absent = np.zeros(position.shape[1:], dtype=bool)
    absent[:, ::2] = True
    position[2][absent] = np.nan
    position[5] = np.nan
    table = Samples.of([replace(paired, raman=replace(paired.raman, position=position))])
    here = absent[table.row, table.column]
    np.testing.assert_array_equal(table.filled[:, 6], here)
    np.testing.assert_allclose(table.features[here, 6], np.median(table.features[~here, 6]))
    assert np.isnan(table.feature_errors[here, 6]).all()
    low, high = table.lines[5].window
    assert (table.features[:, 15] == (low + high) / 2).all()
    assert table.absent()["L359.5"] == 1.0


def test_badly_fitted_pixels_are_left_out(paired: PairedMaps) -> None:
    status = paired.raman.status.copy()
    table = Samples.of([paired])
    status[table.row[:5], table.column[:5]] = Status.ABNORMAL
    assert len(Samples.of([replace(paired, raman=replace(paired.raman, status=status))])) == len(table) - 5


def test_flakes_follow_one_another(paired: PairedMaps) -> None:
    both = Samples.of([paired, replace(paired, raman=replace(paired.raman, name="second"))])
    assert len(both) == 2 * (both.flake == 0).sum()
    assert both.names[1] == "second"
    np.testing.assert_array_equal(both.image(both.targets[:, 0], 0), both.image(both.targets[:, 0], 1))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"targets": ["colour"]}, "'colour' is not known"),
        ({"targets": []}, "No target"),
        ({"pl_peak": "B exciton"}, "has no peak 'B exciton'; name one of L195"),
    ],
)
def test_what_is_not_there_is_refused(paired: PairedMaps, options: dict[str, object], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        Samples.of([paired], **options)


def test_flakes_with_other_lines_are_refused(paired: PairedMaps) -> None:
    other = replace(paired, raman=replace(paired.raman, names=tuple(f"M{name}" for name in paired.raman.names)))
    with pytest.raises(DataError, match="deconvolve all flakes alike"):
        Samples.of([paired, other])
    with pytest.raises(DataError, match="pair RS with PL first"):
        Samples.of([])


def test_a_line_that_hardly_a_fit_has_is_no_feature_and_is_told(paired: PairedMaps) -> None:
    """Left out by its fit, height 0; one that is only under its noise has a height and stays."""
    height, position = paired.raman.height.copy(), paired.raman.position.copy()
    height[2], position[2], position[5] = 0.0, np.nan, np.nan
    height[2].flat[:3] = 7.0
    table = Samples.of([replace(paired, raman=replace(paired.raman, height=height, position=position))])
    assert table.left_out == (paired.raman.names[2],)
    assert [line.name for line in table.lines] == [name for k, name in enumerate(paired.raman.names) if k != 2]
    assert table.features.shape == table.feature_errors.shape == table.filled.shape == (len(table), 3 * len(table.lines))
    np.testing.assert_array_equal(table.features[:, 8], paired.raman.height[3][table.row, table.column])

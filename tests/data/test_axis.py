import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, SpectralAxis, SpectralMap
from napari_wse2xai.data.axis import convert_values
from napari_wse2xai.errors import DataError


def test_conversions_agree_with_textbook_values_and_return():
    silicon_nm = convert_values([520.7], AxisKind.RAMAN_SHIFT, AxisKind.WAVELENGTH, 532.0)
    assert silicon_nm[0] == pytest.approx(547.156, abs=2e-3)
    assert convert_values([532.0], AxisKind.WAVELENGTH, AxisKind.ENERGY, None)[0] == pytest.approx(2.33053, abs=1e-5)
    back = convert_values(silicon_nm, AxisKind.WAVELENGTH, AxisKind.RAMAN_SHIFT, 532.0)
    assert back[0] == pytest.approx(520.7)


def test_raman_shift_without_laser_is_refused():
    with pytest.raises(DataError, match="laser"):
        convert_values([600.0], AxisKind.WAVELENGTH, AxisKind.RAMAN_SHIFT, None)


@pytest.mark.parametrize(
    ("values", "words"),
    [([1.0, 2.0, 2.0, 3.0], "2 nm twice"), ([1.0, 3.0, 2.0], "not monotonic"), ([], "empty"), ([1.0, np.nan], "not numbers")],
)
def test_impossible_axes_get_one_sentence(values, words):
    with pytest.raises(DataError, match=words) as error:
        SpectralAxis(np.array(values), AxisKind.WAVELENGTH)
    assert "\n" not in str(error.value)


def test_between_takes_both_ends():
    axis = SpectralAxis(np.arange(10.0), AxisKind.ENERGY)
    assert axis.between(2, 4) == slice(2, 5)
    assert axis.between(2.5, 4.5) == slice(3, 5)
    assert axis.between(20, 30) == slice(10, 10)


@pytest.mark.parametrize("unit", ["1/cm", "rel. 1/cm", "cm-1", "cm⁻¹", "cm^-1"])
def test_spellings_of_the_raman_unit(unit):
    assert AxisKind.from_unit(unit) is AxisKind.RAMAN_SHIFT


def test_a_falling_axis_is_turned_with_its_counts():
    cube = np.arange(6.0).reshape(1, 2, 3)
    turned = SpectralMap.from_arrays(cube, [30.0, 20.0, 10.0], AxisKind.WAVELENGTH)
    assert turned.axis.values.tolist() == [10, 20, 30]
    assert turned.counts[0, 1].tolist() == [5, 4, 3]


def test_infinite_counts_become_missing():
    cube = np.array([[[1.0, np.inf, 3.0]]])
    assert np.isnan(SpectralMap.from_arrays(cube, [1, 2, 3], AxisKind.ENERGY).counts[0, 0, 1])

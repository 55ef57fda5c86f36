import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, SpectralAxis, SpectralMap
from napari_wse2xai.data.axis import Medium, air_index, convert_values, spectral_unit, to_air, to_vacuum
from napari_wse2xai.errors import DataError


def test_conversions_agree_with_textbook_values_and_return():
    silicon_nm = convert_values([520.7], AxisKind.RAMAN_SHIFT, AxisKind.WAVELENGTH, 532.0)
    assert silicon_nm[0] == pytest.approx(547.156, abs=2e-3)
    assert convert_values([532.0], AxisKind.WAVELENGTH, AxisKind.ENERGY, None)[0] == pytest.approx(2.33053, abs=1e-5)
    back = convert_values(silicon_nm, AxisKind.WAVELENGTH, AxisKind.RAMAN_SHIFT, 532.0)
    assert back[0] == pytest.approx(520.7)


@pytest.mark.parametrize(("air_nm", "vacuum_nm"), [(546.0750, 546.2268), (585.24878, 585.41102), (632.8, 632.9750), (811.5311, 811.7542)])
def test_air_and_vacuum_agree_with_nist(air_nm, vacuum_nm):
    assert to_vacuum(air_nm) == pytest.approx(vacuum_nm, abs=2e-4)
    assert to_air(to_vacuum(air_nm)) == pytest.approx(air_nm, abs=1e-9)


def test_the_index_of_air_is_ciddors():
    assert air_index([633.0, 589.3]) == pytest.approx([1.00027653, 1.00027716], abs=2e-8)
    assert np.isfinite(air_index([0.0, 1e-3, -5.0, 1e9])).all()


def test_air_makes_silicon_a_little_less():
    silicon_nm = convert_values([520.7], AxisKind.RAMAN_SHIFT, AxisKind.WAVELENGTH, 532.0, Medium.AIR)
    assert silicon_nm[0] == pytest.approx(547.1614, abs=1e-4)
    naive = convert_values(silicon_nm, AxisKind.WAVELENGTH, AxisKind.RAMAN_SHIFT, 532.0)
    assert naive[0] - 520.7 == pytest.approx(0.148, abs=0.003)
    by_hand = 1e7 * (1 / to_vacuum(532.0) - 1 / to_vacuum(silicon_nm))
    assert by_hand == pytest.approx([520.7], abs=1e-9)


def test_air_makes_energies_smaller_and_every_conversion_returns():
    energy = convert_values([750.0], AxisKind.WAVELENGTH, AxisKind.ENERGY, None, Medium.AIR)
    assert 1239.841984 / 750.0 - energy[0] == pytest.approx(0.000455, abs=2e-6)
    for medium in (None, *Medium):
        for kind in (AxisKind.ENERGY, AxisKind.RAMAN_SHIFT):
            there = convert_values([540.0, 750.0], AxisKind.WAVELENGTH, kind, 532.0, medium)
            assert convert_values(there, kind, AxisKind.WAVELENGTH, 532.0, medium) == pytest.approx([540.0, 750.0], abs=1e-9)


def test_the_label_says_the_medium_where_it_is_known():
    assert SpectralAxis(np.arange(3.0), AxisKind.WAVELENGTH, medium=Medium.AIR).label == "wavelength in air (nm)"
    assert SpectralAxis(np.arange(3.0), AxisKind.WAVELENGTH).label == "wavelength (nm)"


def test_an_axis_takes_as_many_errors_as_values():
    with pytest.raises(DataError, match="3 values but 2 errors"):
        SpectralAxis(np.arange(3.0), AxisKind.WAVELENGTH, error=np.ones(2))


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


@pytest.mark.parametrize(
    ("text", "code", "factor"),
    [
        *((text, "cm-1", 1.0) for text in ("1/cm", "rel. 1/cm", "cm-1", "cm⁻¹", "cm-¹", "cm^-1", "cm**-1", "cm−1", "Raman shift (cm-1)")),
        *((text, "cm-1", 1.0) for text in (r"$\mathrm{cm}^{-1}$", "cm^{-1}", "1 / centimeter", "Raman Shift / cm-1")),
        *((text, "abs. cm-1", 1.0) for text in ("abs. 1/cm", "1/cm abs", "Absolute wavenumber (cm⁻¹)", "abs. cm-1")),
        *((text, "nm", 1.0) for text in ("nm", "nanometers", "Wavelength (nm)", "Wavelength [nm]")),
        *((text, "nm", 1e3) for text in ("um", "µm", "μm", "microns", "micrometre")),
        *((text, "nm", 0.1) for text in ("Å", "\u212b", "Angstrom", "Ångström")),
        *((text, "eV", 1.0) for text in ("eV", "electronvolt", "Energy / eV")),
        ("meV", "eV", 1e-3),
    ],
)
def test_units_are_read_as_people_write_them(text, code, factor):
    found = spectral_unit(text)
    assert (found.kind.code, found.factor) == (code, factor)


@pytest.mark.parametrize("text", ["pixel", "", "V", "counts", "number", "absorbance", "um/s"])
def test_what_is_no_unit_of_light_is_refused(text):
    with pytest.raises(DataError, match=r"not known; use cm-1 \(Raman shift\), abs\. cm-1"):
        spectral_unit(text)


def test_wavenumbers_of_light_are_not_shifts():
    assert convert_values([18796.992], AxisKind.WAVENUMBER, AxisKind.WAVELENGTH, None)[0] == pytest.approx(532.0, abs=1e-4)
    assert convert_values([8065.544], AxisKind.WAVENUMBER, AxisKind.ENERGY, None)[0] == pytest.approx(1.0, abs=1e-6)  # 1 eV, CODATA
    shift = convert_values([18796.992 - 520.7], AxisKind.WAVENUMBER, AxisKind.RAMAN_SHIFT, 532.0)
    assert shift[0] == pytest.approx(520.7, abs=1e-3)
    assert AxisKind.from_unit(AxisKind.WAVENUMBER.code) is AxisKind.WAVENUMBER


@pytest.mark.parametrize("ending", [".nc", ".csv"])
def test_files_keep_the_kind_of_wavenumbers(ending, tmp_path):
    from napari_wse2xai.io import read, write_map, write_map_table

    counts = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    path = tmp_path / f"map{ending}"
    (write_map if ending == ".nc" else write_map_table)(
        SpectralMap.from_arrays(counts, [1.2e4, 1.3e4, 1.4e4, 1.5e4], AxisKind.WAVENUMBER), path
    )
    assert read(path).axis.kind is AxisKind.WAVENUMBER

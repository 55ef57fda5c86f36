"""Maps that do not fit their section are refused before any work."""

import numpy as np
import pytest

from napari_wse2xai import recipe
from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.errors import DataError
from napari_wse2xai.recipe import Recipe, Section
from napari_wse2xai.stages import Calibrate, ConvertAxis, CorrectResponse, Deconvolve, Peak, Train
from napari_wse2xai.stages.correct_response import Spectrum

CM1, NM, EV = AxisKind.RAMAN_SHIFT, AxisKind.WAVELENGTH, AxisKind.ENERGY


def spectra(kind, low, high, laser_nm=532.0, n=200):
    return SpectralMap.from_arrays(np.ones((2, 3, n)), np.linspace(low, high, n), kind, laser_nm=laser_nm, name="mine")


def section(position=250.0, window=(183.0, 300.0), to="cm-1"):
    return Section(
        convert_axis=ConvertAxis(to=to), deconvolve=Deconvolve(peaks=(Peak(name="A", position=position, fwhm=0.05, window=window),))
    )


RAMAN = section()
PL = section(1.65, (1.5, 1.8), "eV")


def check(modality, source, part):
    recipe.check(Recipe(**{modality: part}), {modality: source})


@pytest.mark.parametrize(
    ("modality", "source", "part", "words"),
    [
        ("pl", spectra(CM1, 100, 560), PL, r"^pl: 'mine' has an axis in cm-1.*under raman"),
        ("raman", spectra(NM, 700, 800, None), RAMAN, r"^raman: 'mine' has an axis in nm.*under pl.*laser_nm"),
        ("raman", spectra(EV, 1.5, 1.8, None), RAMAN, r"^raman: 'mine' has an axis in eV.*under pl"),
        ("raman", spectra(NM, 720, 820), RAMAN, r"no Raman line lies; name it under pl"),
        ("raman", spectra(NM, 535, 550), section(to="eV"), r"add convert_axis: \{to: cm-1\}"),
        ("raman", spectra(CM1, 100, 560), section(700.0, (650.0, 750.0)), r"^raman: Peak A is expected at 700 cm-1"),
        ("pl", spectra(NM, 445, 554), PL, r"^pl: Peak A is expected at 1\.65 eV"),
        ("raman", spectra(CM1, 100, 560, n=8), RAMAN, r"^raman: The window 183 to 300 cm-1 holds 2 channels, .* the 3 parameters"),
    ],
)
def test_a_map_that_does_not_fit_is_refused_in_one_sentence(modality, source, part, words):
    with pytest.raises(DataError, match=words) as caught:
        check(modality, source, part)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_calibration_or_response_that_does_not_fit_is_refused_before_any_work():
    source = spectra(CM1, 100, 400)
    with pytest.raises(DataError, match=r"^raman: 'mine' was measured from 100 to 400 cm-1, where 0 lines of the reference"):
        check("raman", source, RAMAN.model_copy(update={"calibrate": Calibrate()}))
    response = CorrectResponse(response=Spectrum(axis=(200, 400), values=(1, 1)))
    with pytest.raises(DataError, match=r"^raman: The response covers 200 to 400 cm-1"):
        check("raman", source, RAMAN.model_copy(update={"correct_response": response}))


@pytest.mark.parametrize(
    ("modality", "source", "part"),
    [
        ("raman", spectra(CM1, 100, 560, None), RAMAN),
        ("raman", spectra(NM, 535, 550), RAMAN),
        ("pl", spectra(NM, 690, 830, None), PL),
        ("pl", spectra(EV, 1.45, 1.85, None), PL),
    ],
)
def test_a_map_that_fits_passes(modality, source, part):
    check(modality, source, part)


def test_a_pl_peak_to_learn_that_is_not_fitted_is_refused():
    wanted = Recipe(raman=RAMAN, pl=PL, train=Train(pl_peak="B"))
    with pytest.raises(DataError, match=r"^train\.pl_peak is 'B', but the PL peaks are A; name one of these, or none\.$"):
        recipe.check(wanted, {"raman": spectra(CM1, 100, 560), "pl": spectra(EV, 1.45, 1.85)})


def test_a_declared_laser_replaces_the_files():
    source = spectra(NM, 535, 550, None)
    assert recipe.with_laser(source, Section(laser_nm=532)).axis.laser_nm == 532
    assert recipe.with_laser(source, Section()) is source


def test_light_recorded_in_raman_shift_may_be_pl_where_its_laser_is_known():
    shift = 1e7 / 532.0 - 1.65 * 8065.544  # where a WITec that stays in Raman shift writes 1.65 eV
    check("pl", spectra(CM1, shift - 1500, shift + 1500), PL)
    with pytest.raises(DataError, match="set laser_nm and convert_axis"):
        check("pl", spectra(CM1, shift - 1500, shift + 1500, None), PL)

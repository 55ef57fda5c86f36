"""Dark spectrum and response: taken off and divided by, from files, and refused where they do not cover the map."""

import numpy as np
import pytest
from pydantic import ValidationError

from napari_wse2xai import recipe
from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.errors import DataError, SettingsError
from napari_wse2xai.stages import CorrectResponse
from napari_wse2xai.stages.correct_response import Spectrum

NM = np.linspace(600, 800, 201)
LIGHT = 1000 * np.exp(-(((NM - 700) / 30) ** 2)) + 50
RESPONSE = 0.2 + 0.8 * np.exp(-(((NM - 650) / 80) ** 2))
DARK = 300 + 0.1 * (NM - 600)


def spectrum(values, axis=NM):
    return Spectrum(axis=tuple(np.asarray(axis).tolist()), values=tuple(np.asarray(values).tolist()))


@pytest.fixture
def measured():
    counts = np.broadcast_to(LIGHT * RESPONSE + DARK, (3, 4, len(NM)))
    return SpectralMap.from_arrays(counts, NM, AxisKind.WAVELENGTH, name="flake", laser_nm=532.0)


def test_light_is_what_it_was(measured):
    corrected = CorrectResponse(dark=spectrum(DARK), response=spectrum(5 * RESPONSE))(measured)
    assert corrected.counts[1, 2] == pytest.approx(LIGHT * RESPONSE.mean(), rel=1e-5)
    assert corrected.intensity_unit == "counts"


def test_dark_alone_and_response_alone(measured):
    assert CorrectResponse(dark=spectrum(DARK))(measured).counts[0, 0] == pytest.approx(LIGHT * RESPONSE, rel=1e-5)
    flat = CorrectResponse(response=spectrum(np.full(201, 7.0)))(measured)
    assert flat.counts == pytest.approx(measured.counts, rel=1e-6)


def test_a_white_lamp_as_measured_is_freed_of_its_dark_and_its_own_light(measured):
    lamp, lamp_dark = (NM / 700) ** 3, 20 + 0.0 * NM
    settings = {"response": spectrum(1e4 * RESPONSE * lamp + lamp_dark), "response_dark": spectrum(lamp_dark), "lamp": spectrum(lamp)}
    corrected = CorrectResponse(dark=spectrum(DARK), **settings)(measured)
    assert corrected.counts[1, 2] == pytest.approx(LIGHT * RESPONSE.mean(), rel=1e-5)
    with pytest.raises(DataError, match="lamp's spectrum is not above zero at 600"):
        CorrectResponse(**{**settings, "lamp": spectrum(lamp - lamp[0])})(measured)
    with pytest.raises(DataError, match="but no response"):
        CorrectResponse(dark=spectrum(DARK), lamp=spectrum(lamp))(measured)


def test_a_lamp_in_an_instruments_own_file(measured):
    shift = 1e7 * (1 / 500.0 - 1 / NM)  # measured with another laser's shift as its axis
    pixels = np.stack([RESPONSE, 3 * RESPONSE, np.full(201, np.nan)])[None]
    white = Spectrum.from_map(SpectralMap.from_arrays(pixels, shift, AxisKind.RAMAN_SHIFT, laser_nm=500.0), "lamp.wdf")
    assert (white.unit, white.file) == ("nm", "lamp.wdf")
    assert white.values == pytest.approx(2 * RESPONSE, rel=1e-6)
    corrected = CorrectResponse(dark=spectrum(DARK), response=white)(measured)
    assert corrected.counts[1, 2] == pytest.approx(LIGHT * RESPONSE.mean(), rel=1e-5)


def test_a_coarser_response_in_another_unit_will_do():
    shift = 1e7 * (1 / 532.0 - 1 / np.linspace(535, 560, 400))
    response = 1 + 0.01 * (np.linspace(535, 560, 400) - 535)
    source = SpectralMap.from_arrays(response[None, None], shift, AxisKind.RAMAN_SHIFT, laser_nm=532.0)
    coarse = spectrum([1.0 - 0.05, 1.0 + 0.30], [530.0, 565.0])
    corrected = CorrectResponse(response=coarse, unit="nm")(source)
    assert np.ptp(corrected.counts) < 1e-5 * corrected.counts.mean()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"response": spectrum(RESPONSE[20:], NM[20:])}, r"response covers 620 to 800 nm, but 'flake' was measured from 600 to 800"),
        ({"dark": spectrum(DARK[:-9], NM[:-9])}, r"dark spectrum covers 600 to 791 nm"),
        ({"response": spectrum(RESPONSE - 0.5)}, r"response is not above zero at \d+"),
        ({}, r"neither a dark spectrum nor a response"),
    ],
)
def test_what_is_not_known_is_refused(measured, settings, words):
    with pytest.raises(DataError, match=words) as caught:
        CorrectResponse(**settings)(measured)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "wavelength\tcounts\n600\t1.5\n700\t2.5\n",
        "600.0,1.5\n700.0,2.5\n",
        "# white lamp\n700 2.5 9\n600 1.5 9\n",
        "600,0;1,5\n700,0;2,5\n",
        "600, 1.5\n700, 2.5\n",
    ],
)
def test_files_of_any_hand_are_read(tmp_path, text):
    path = tmp_path / "white.txt"
    path.write_text(text, encoding="utf-8")
    found = CorrectResponse(response=str(path)).response
    assert (found.axis, found.values, found.file) == ((600.0, 700.0), (1.5, 2.5), str(path))


@pytest.mark.parametrize(("text", "words"), [(None, "cannot be read"), ("", "holds no spectrum"), ("600 nan\n700 1\n", "finite values")])
def test_files_without_a_spectrum_are_refused(tmp_path, text, words):
    path = tmp_path / "white.txt"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(ValidationError, match=words):
        CorrectResponse(response=path)


def test_a_recipe_finds_the_file_beside_it_and_then_holds_its_numbers(tmp_path):
    (tmp_path / "map.txt").touch()
    (tmp_path / "white.txt").write_text("600 1.5\n700 2.5\n", encoding="utf-8")
    (tmp_path / "lamp.txt").write_text("600 7\n700 8\n", encoding="utf-8")
    (tmp_path / "recipe.yaml").write_text("pl: {file: map.txt, correct_response: {response: white.txt, lamp: lamp.txt}, calibrate: }")
    once = recipe.load(tmp_path / "recipe.yaml")
    assert once.pl.correct_response.response.values == (1.5, 2.5)
    assert once.pl.correct_response.lamp.values == (7, 8)
    (tmp_path / "white.txt").unlink()
    (tmp_path / "again.yaml").write_text(recipe.to_yaml(once), encoding="utf-8")
    assert recipe.load(tmp_path / "again.yaml") == once
    steps = [type(stage).__name__ for stage in once.pl.stages()]
    assert steps == ["CorrectResponse", "ConvertAxis", "FindFlake", "Despike", "Calibrate", "Baseline", "Deconvolve"]


def test_a_recipe_names_the_place_of_a_missing_file(tmp_path):
    (tmp_path / "map.txt").touch()
    (tmp_path / "recipe.yaml").write_text("pl: {file: map.txt, correct_response: {dark: gone.txt}}", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"pl\.correct_response\.dark: the spectrum .*gone\.txt cannot be read"):
        recipe.load(tmp_path / "recipe.yaml")

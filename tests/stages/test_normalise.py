"""Counts per second and milliwatt: by the file's words, by the user's, or one sentence."""

from dataclasses import replace

import numpy as np
import pytest

from napari_wse2xai import recipe
from napari_wse2xai.data import AxisKind, Frame, PairedMaps, Samples, SpectralMap, Transform
from napari_wse2xai.errors import DataError, DataWarning
from napari_wse2xai.io import read
from napari_wse2xai.recipe import from_history
from napari_wse2xai.stages import ConvertAxis, Normalise

SAID = {"Acq. time (s)": "4", "Accumulations": "1", "Laser power (mW)": "0.5"}


def of(unit: str = "counts", **metadata: str) -> SpectralMap:
    counts = np.arange(2 * 3 * 10, dtype=np.float32).reshape(2, 3, 10)
    axis = np.linspace(700, 800, 10)
    return SpectralMap.from_arrays(counts, axis, AxisKind.WAVELENGTH, frame=Frame((2, 3)), name="m", intensity_unit=unit, metadata=metadata)


def test_counts_are_divided_by_what_the_file_says() -> None:
    found = Normalise()(of(**SAID))
    np.testing.assert_allclose(found.counts, of().counts / (4 * 0.5), rtol=1e-6)
    assert found.intensity_unit == "counts/(s mW)"
    assert from_history(found).stages == (Normalise(),)
    again = Normalise()(found)
    np.testing.assert_array_equal(again.counts, found.counts)


def test_what_is_a_rate_already_is_divided_by_the_power_alone() -> None:
    found = Normalise()(of("counts/s", **SAID))
    np.testing.assert_allclose(found.counts, of().counts / 0.5, rtol=1e-6)
    assert found.intensity_unit == "counts/(s mW)"


def test_settings_stand_over_the_file() -> None:
    found = Normalise(exposure_s=2, power_mw=10)(of(**SAID))
    np.testing.assert_allclose(found.counts, of().counts / 20, rtol=1e-6)


def test_several_accumulations_are_told_unless_the_user_said_what_becomes_of_them() -> None:
    source = of(**(SAID | {"Accumulations": "5"}))
    with pytest.warns(DataWarning, match="5 accumulations, which are taken as averaged"):
        averaged = Normalise()(source)
    np.testing.assert_allclose(averaged.counts, of().counts / 2, rtol=1e-6)
    np.testing.assert_allclose(Normalise(accumulations="summed")(source).counts, of().counts / 10, rtol=1e-6)
    np.testing.assert_allclose(Normalise(accumulations="averaged")(source).counts, of().counts / 2, rtol=1e-6)


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"Laser power": "2 mW"}, r"does not say its exposure; give its exposure in seconds"),
        ({"Exposure": "2 s"}, r"does not say the power of its laser; give that on the sample"),
        ({"Exposure": "2 s", "ND Filter": "10%"}, r"laser \(only a filter: 10%\); give that on the sample"),
    ],
)
def test_what_is_not_known_is_one_sentence(metadata: dict[str, str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        Normalise()(of(**metadata))


def test_a_density_keeps_what_it_is_per() -> None:
    found = Normalise()(ConvertAxis(to="eV")(of(**SAID)))
    assert found.intensity_unit == "counts/(s mW) nm/eV"


def test_a_recipe_names_it_before_the_deconvolution(tmp_path) -> None:
    path = tmp_path / "r.yaml"
    (tmp_path / "a.txt").touch()
    path.write_text("raman: {file: a.txt, normalise: {power_mw: 2, exposure_s: 1}}", encoding="utf-8")
    steps = [type(stage).__name__ for stage in recipe.load(path).raman.stages()]
    assert steps.index("Normalise") == steps.index("Deconvolve") - 1


def test_rates_are_read_as_rates(tmp_path) -> None:
    lines = [
        "#AxisUnit[0]=\tCnt/sec",
        "#AxisUnit[1]=\tnm",
        "#AxisType[2]=\tY",
        "#AxisType[3]=\tX",
        "\t\t" + "\t".join(f"{500 + i}" for i in range(12)),
    ]
    lines += [f"{y}\t{x}\t" + "\t".join("5" for _ in range(12)) for y in range(2) for x in range(3)]
    (tmp_path / "a.txt").write_text("\n".join(lines), encoding="utf-8")
    found = read(tmp_path / "a.txt")
    assert found.intensity_unit == "counts/s"


def pair_of(raman_peaks, **changes: object) -> PairedMaps:
    raman = replace(raman_peaks, **changes)
    return PairedMaps(raman, raman, raman.frame, Transform.identity(), 0.0, 0.0, 1.0, "given")


def test_flakes_in_different_units_are_not_pooled(raman_peaks) -> None:
    pairs = [pair_of(raman_peaks), pair_of(raman_peaks, intensity_unit="counts/s", name="other")]
    with pytest.raises(DataError, match=r"'other' is in counts/s, .* in counts; normalise both"):
        Samples.of(pairs)


def test_flakes_that_were_lit_differently_are_pooled_with_a_word(raman_peaks) -> None:
    one, other = pair_of(raman_peaks, metadata=SAID), pair_of(raman_peaks, metadata=SAID | {"Acq. time (s)": "1"}, name="other")
    with pytest.warns(DataWarning, match=r"'other' was taken with 1 s, 0.5 mW, .* with 4 s, 0.5 mW.*normalise"):
        Samples.of([one, other])
    Samples.of([one, one])
    normalised = [replace(pair.raman, intensity_unit="counts/(s mW)") for pair in (one, other)]
    Samples.of([replace(pair, raman=peaks, pl=peaks) for pair, peaks in zip((one, other), normalised, strict=True)])

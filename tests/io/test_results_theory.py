"""Theory beside the data in results.nc: as it was, for xarray too, and one sentence where it is damaged."""

import dataclasses

import h5py
import numpy as np
import pytest
import xarray

from napari_wse2xai.data import Frame, Record, Results
from napari_wse2xai.errors import UserError
from napari_wse2xai.io import is_results, read_results, write_results
from napari_wse2xai.theory.agreement import Agreement
from napari_wse2xai.theory.beside import REGIONS, TheoryBeside
from napari_wse2xai.theory.evaluation import Conditions, evaluate
from napari_wse2xai.theory.matching import Match
from napari_wse2xai.theory.naming import propose


def made() -> TheoryBeside:
    result = evaluate("WSe2", Conditions(fwhm_cm1=4.0))
    rng = np.random.default_rng(1)
    matches = {engine: Match(1.5, 0.2, 300.0, 20.0, (210.0, 280.0)) for engine in result.engines[1:]}
    return TheoryBeside(
        result,
        Frame((3, 5), (0.5, 0.25), (10.0, 20.0), "flake"),
        rng.integers(0, 4, (3, 5)).astype(np.uint8),
        "PL",
        np.linspace(150, 300, 11),
        rng.normal(size=(len(REGIONS), 11)),
        "counts",
        {result.engines[0]: Match(window=(210.0, 280.0), problem="no line there")} | matches,
        propose(["A1'", "P220", "2LA"], [249.7, 219.8, np.nan], [4.0, 9.0, np.nan], result.places("LDA")),
        "height: A1'.height",
        ("One sentence – with 0.41 ± 0.08.",),
        Agreement(0.41, 0.08, 950),
        "triangle",
        (Record("CompareTheory", {"share": 0.25}, "0.1.0", 0.5),),
    )


@pytest.fixture(scope="module")
def beside() -> TheoryBeside:
    return made()


@pytest.fixture
def path(tmp_path, beside):
    write_results(Results({}, theory=beside), tmp_path / "results.nc")
    return tmp_path / "results.nc"


def assert_same(found, wanted):
    for field in dataclasses.fields(wanted):
        one, other = getattr(found, field.name), getattr(wanted, field.name)
        if dataclasses.is_dataclass(other):
            assert_same(one, other)
        elif isinstance(other, np.ndarray):
            np.testing.assert_array_equal(one, other, err_msg=field.name)
        elif field.name == "tensors":
            assert {mode: tensor.tolist() for mode, tensor in one.items()} == {mode: tensor.tolist() for mode, tensor in other.items()}
        else:
            assert repr(one) == repr(other), field.name  # NaN is not equal to itself


def test_everything_comes_back(path, beside):
    assert is_results(path)
    assert_same(read_results(path).theory, beside)


def test_a_material_without_defects_comes_back_too(tmp_path, beside):
    result = dataclasses.replace(
        beside.result,
        engines=("LDA",),
        controls=(),
        folded={},
        **{name: getattr(beside.result, name)[2:] for name in ("spectral_intensity", "raman", "mode_frequency", "relative_height")},
        control_height=np.zeros((1, 0, 4)),
    )
    bare = dataclasses.replace(beside, result=result, matches={"LDA": beside.matches["LDA"]}, agreement=None, evidence=())
    write_results(Results({}, theory=bare), tmp_path / "results.nc")
    assert_same(read_results(tmp_path / "results.nc").theory, bare)


def test_other_programs_read_names_units_and_numbers(path, beside):
    with xarray.open_dataset(path, group="theory", engine="h5netcdf") as found:
        assert found["raman"].dims == ("engine", "structure", "geometry", "wavenumber")
        assert found["mean_spectrum"].dims == ("part", "spectral")
        assert list(found["part"].values) == ["flake", "bright", "dark"]
        assert found["shift"].sel(engine="LDA").item() == 1.5
        assert np.isnan(found["shift"].sel(engine="diep").item())
        assert found["shift"].attrs["units"] == "cm-1"
        assert found["region"].attrs["flag_meanings"] == "elsewhere bright dark between"
        assert "0.41 ± 0.08" in found.attrs["evidence"]
        assert "Quantum ESPRESSO" in found.attrs["provenance"]
        np.testing.assert_array_equal(found["region"], beside.region)


def test_a_file_without_theory_has_none(tmp_path, samples):
    from learned import make_explanation

    write_results(Results({}, explanation=make_explanation(samples)), tmp_path / "results.nc")
    assert read_results(tmp_path / "results.nc").theory is None


@pytest.mark.parametrize("attribute", ["proposals", "pristine_modes", "agreement", "folded", "not_laid_over"])
def test_a_damaged_file_is_one_sentence(path, attribute):
    with h5py.File(path, "r+") as file:
        file["theory"].attrs[attribute] = '{"no": '
    with pytest.raises(UserError) as caught:
        read_results(path)
    assert str(caught.value).count("\n") == 0

"""A results.nc that was written before layouts were counted: it opens, and what is written of it again has all that it had."""

import gzip
from pathlib import Path
from typing import Any

import h5netcdf
import h5py
import numpy as np
import pytest

from napari_wse2xai.data import Level
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io import read_results, write_results

OLD = Path(__file__).with_name("old") / "results_before_layouts.nc.gz"


@pytest.fixture(scope="module")
def old(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("old") / "results.nc"
    path.write_bytes(gzip.decompress(OLD.read_bytes()))
    return path


def variables(group: Any) -> dict[str, tuple[tuple[str, ...], np.ndarray, dict]]:
    """Dimensions, values and attributes of every variable in a group and those within it."""
    found = {f"{group.name}/{name}": (each.dimensions, each[...], dict(each.attrs)) for name, each in group.variables.items()}
    for inner in group.groups.values():
        found |= variables(inner)
    return found


def test_an_old_file_opens_with_every_number_that_it_holds(old):
    results = read_results(old)
    peaks, model, explanation = results.peaks["raman"], results.model, results.explanation
    with h5py.File(old) as file:
        for group, artefact, names in (
            ("raman/peaks", peaks, ("position", "fwhm_error", "area", "at_bound", "r2", "peak_status", "background", "substrate_share")),
            ("pair", results.paired.pl, ("height", "status")),
            ("samples", model.samples, ("features", "filled", "targets", "row")),
            ("explanation", explanation, ("pdp", "supported", "importance", "ice", "pixels", "step")),
            ("explanation/extra", explanation, ("ale", "curvature", "permutation")),
            ("theory", results.theory.result, ("spectral_intensity", "raman")),
        ):
            for name in names:
                np.testing.assert_array_equal(getattr(artefact, name), file[group][name][()], err_msg=name)
        first = model.samples.flake == 0
        at = (..., model.samples.row[first], model.samples.column[first])
        for group, name, values in (
            ("model", "predicted", model.predicted),
            ("model", "split", model.split),
            ("explanation", "ice_slope", explanation.slope),
            ("explanation", "off_cloud", explanation.off_cloud),
        ):
            np.testing.assert_array_equal(values[..., first], file[group][name][()][at], err_msg=name)
        assert file["explanation/recovery"].attrs["model_r2"] == explanation.recovery.model_r2
        assert len(model.scores) == len(file["model/scores/r2"])
        assert model.scores[3].mape == file["model/scores/mape"][3]
    assert [each.name for each in peaks.computed] == ["A/B"]
    assert [each.degree for each in peaks.under] == [2, None]
    assert peaks.under[0].beside == ((90.0, 95.0),)
    assert (explanation.verdict.level, explanation.not_separable) == (Level.LOCAL_ONLY, (("E'.height", "2LA(M).height", 0.97),))
    assert explanation.derivative is None
    assert [line.form for line in model.samples.lines] == [None] * 3
    assert results.paired.doubts == ("So so.",)
    assert results.warnings == ("Beware.",)


def test_what_is_written_again_has_every_variable_and_attribute_that_the_old_file_had(old, tmp_path):
    again = tmp_path / "results.nc"
    write_results(read_results(old), again)
    with h5netcdf.File(old, "r") as one, h5netcdf.File(again, "r") as other:
        before, after = variables(one), variables(other)
    assert set(before) <= set(after)
    for name, (dims, values, attributes) in before.items():
        found = after[name]
        assert found[0] == dims or "background" in name, name
        np.testing.assert_array_equal(found[1], values, err_msg=name)
        assert found[1].dtype == values.dtype, name
        for key in ("units", "unit_of_each"):
            assert attributes.get(key) in (None, found[2].get(key)), (name, key)
        words, now = (str(each.get("flag_meanings", "")).split() for each in (attributes, found[2]))
        assert now[: len(words)] == words, "words may be added, but those of before keep their numbers"
    with h5py.File(old) as one, h5py.File(again) as other:
        for name in _groups(one):
            lost = set(one[name].attrs) - set(other[name].attrs) - {"pl_shape", "pl_step_um", "pl_origin_um"}
            assert not lost, name


def _groups(file):
    found = ["/"]
    file.visititems(lambda name, node: found.append(name) if isinstance(node, h5py.Group) else None)
    return found


def test_a_file_of_a_later_layout_is_refused_with_one_sentence(old, tmp_path):
    later = tmp_path / "later.nc"
    later.write_bytes(old.read_bytes())
    with h5py.File(later, "a") as file:
        file.attrs["layout"] = 99
    with pytest.raises(ReaderError, match="later version") as caught:
        read_results(later)
    assert "\n" not in str(caught.value)

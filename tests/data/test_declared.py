"""What the fields of artefacts declare holds of the arrays themselves, and xarray and tables follow from it."""

import gzip
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import pytest
import xarray
from typing_extensions import TypeAliasType

from learned import make_explanation, make_model, make_samples
from napari_wse2xai.data import Explanation, Frame, PeakMaps, Recovery, Samples, SpectralMap, TrainedModel
from napari_wse2xai.data import declared as module
from napari_wse2xai.data.declared import along, declared, variables
from napari_wse2xai.io import read_results, write_results, write_slopes_csv
from napari_wse2xai.theory.beside import TheoryBeside
from napari_wse2xai.theory.evaluation import TheoryResult

KINDS = (SpectralMap, PeakMaps, Samples, TrainedModel, Explanation, Recovery, TheoryBeside, TheoryResult)
PLACES = ("pixel", "y", "x")
ALONG = ("grid", "spectral", "wavenumber", "limit", "curve")
OLD = Path(__file__).parents[1] / "io" / "old" / "results_before_layouts.nc.gz"


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    """Everything that a run can give, in a file of this version."""
    folder = tmp_path_factory.mktemp("declared")
    (folder / "old.nc").write_bytes(gzip.decompress(OLD.read_bytes()))
    write_results(read_results(folder / "old.nc"), folder / "results.nc")
    return folder / "results.nc"


@pytest.fixture(scope="module")
def results(path):
    return read_results(path)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_a_value_is_of_comes_first_then_its_place_then_what_it_runs_along(kind):
    """(peak, y, x), (target, pixel), (feature, grid), (y, x, spectral); but for the table that is learnt from."""
    for each in declared(kind):
        order = [1 if dim in PLACES else 2 if dim in ALONG else 0 for dim in each.about.dims or ()]
        table = kind is Samples and order[:1] == [1]
        assert table or order == sorted(order), each.field


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_array_is_declared(kind):
    known = {each.field for each in declared(kind)}
    undeclared = [each.name for each in fields(kind) if "ndarray" in str(each.type).lower() and each.name not in known]
    assert set(undeclared) <= {"replaced", "saturated", "bad_channels", "bridged", "weights", "curves"}


def test_an_array_is_known_by_either_of_the_shapes_that_numpy_has_given_its_name(monkeypatch):
    """From numpy 2.5 on NDArray is no short form of ndarray but a name of its own: no file of results could be opened there."""
    scalar = TypeVar("scalar", bound=np.generic)
    as_a_name = TypeAliasType("NDArray", np.ndarray[Any, np.dtype[scalar]], type_params=(scalar,))
    monkeypatch.setattr(module, "NDArray", as_a_name)
    for hint, kind in (
        (as_a_name[np.uint8], np.uint8),
        (np.ndarray[Any, np.dtype[np.bool_]], np.bool_),
        (as_a_name[np.generic], None),
        (str, None),
    ):
        found = module.Declared("status", hint, along("y", "x"), optional=False)
        assert (found.kind, found.is_array) == (kind, hint is not str)


def test_the_declared_dimensions_are_those_of_the_arrays(results):
    model = results.model
    for artefact in (results.maps["raman"], results.peaks["raman"], model, model.samples, results.explanation, results.theory.result):
        sizes: dict[str, int] = {}
        for each in variables(artefact):
            assert len(each.dims) == each.values.ndim, each.name
            for dim, size in zip(each.dims, each.values.shape, strict=True):
                if each.of not in ("scores",):
                    assert sizes.setdefault(dim, size) == size, (each.name, dim)


def test_xarray_of_an_artefact_is_what_xarray_reads_from_the_file(path, results):
    with xarray.open_datatree(path) as tree:
        for where, artefact in (("raman/peaks", results.peaks["raman"]), ("theory", results.theory), ("samples", results.model.samples)):
            mine, read = artefact.to_xarray(), tree[where].to_dataset()
            assert mine.data_vars
            for name, values in mine.data_vars.items():
                assert read[name].dims == values.dims, name
                assert read[name].attrs.get("units") == values.attrs.get("units"), name
                np.testing.assert_array_equal(read[name].values, values.values.astype(read[name].dtype), err_msg=name)
        slope = results.explanation.to_xarray()["ice_slope"]
        first = results.model.samples.flake == 0
        there = tree["explanation/ice_slope"].values[..., results.model.samples.row[first], results.model.samples.column[first]]
        np.testing.assert_array_equal(slope.values[:, first], there)


def test_xarray_of_every_artefact_can_be_written(results, tmp_path):
    artefacts = (results.maps["raman"], results.peaks["raman"], results.paired, results.model, results.model.samples)
    for number, artefact in enumerate((*artefacts, results.explanation, results.explanation.recovery, results.theory.result)):
        artefact.to_xarray().to_netcdf(tmp_path / f"{number}.nc", engine="h5netcdf")
        with xarray.open_dataset(tmp_path / f"{number}.nc", engine="h5netcdf") as again:
            assert set(again.data_vars) == set(artefact.to_xarray().data_vars)


def test_a_table_has_a_row_per_pixel_and_a_column_per_number_with_its_unit(results):
    peaks = results.peaks["raman"]
    table = peaks.to_dataframe()
    assert len(table) == 4 * 3
    row = table[(table["row"] == 2) & (table["column"] == 1)].iloc[0]
    assert row["A1'.height"] == peaks.height[0, 2, 1]
    assert row["2LA(M) µ.fwhm_error"] == peaks.fwhm_error[1, 2, 1]
    assert (row["status"], row["A/B"], row["A/B_error"]) == (
        peaks.status[2, 1],
        peaks.computed[0].value[2, 1],
        peaks.computed[0].error[2, 1],
    )
    np.testing.assert_allclose((row["y_um"], row["x_um"]), (1.0 - 2 * 0.3, 2.0 + 0.7))
    units = table.attrs["units"]
    assert (units["A1'.position"], units["A1'.height"], units["A1'.area"]) == ("cm-1", "counts", "counts cm-1")


def test_tables_of_what_was_learnt_have_the_pixels_of_the_samples():
    samples = make_samples(targets=("height", "position"), flakes=2)
    model, explanation = make_model(samples), make_explanation(samples)
    learnt, told, table = samples.to_dataframe(), explanation.to_dataframe(), model.to_dataframe()
    assert len(learnt) == len(told) == len(table) == len(samples)
    k = len(samples) - 7  # on the second flake
    assert learnt.loc[k, "A1'.height"] == samples.features[k, 5]
    assert learnt.loc[k, "PL position_error"] == samples.target_errors[k, 1]
    assert table.loc[k, "position.predicted"] == model.predicted[1, k]
    assert told.loc[k, "A1'.fwhm.ice_slope"] == explanation.slope[4, k]
    assert (told.loc[k, "flake"], told.loc[k, "row"]) == (1, samples.row[k])
    assert (learnt.attrs["units"]["A1'.height"], table.attrs["units"]["position.held_out"]) == ("counts", "eV")
    assert told.attrs["units"]["A1'.fwhm.ice_slope"] == "counts per cm-1"


def test_places_of_a_turned_scan_are_those_on_the_stage_in_every_table(tmp_path):
    samples = make_samples()
    frame = replace(samples.frames[0], rotation_deg=30.0)
    turned = replace(samples, frames=(frame,))
    write_slopes_csv(make_explanation(turned), tmp_path / "slopes.csv")
    for table in (turned.to_dataframe(), pd.read_csv(tmp_path / "slopes.csv")):
        down, right = 0.5 * samples.row, 0.5 * samples.column  # um from the first pixel, along rows and columns
        c, s = np.cos(np.pi / 6), np.sin(np.pi / 6)
        np.testing.assert_allclose(table["y_um"], 1.0 + c * down - s * right, atol=1e-5)
        np.testing.assert_allclose(table["x_um"], -2.0 + s * down + c * right, atol=1e-5)


def test_a_map_is_a_table_of_spectra(results):
    source = results.maps["raman"]
    table = source.to_dataframe()
    assert table.loc[5, f"{source.axis.values[7]:.6g}"] == source.counts[1, 2, 7]
    assert table.loc[5, "flake"] == source.flake[1, 2]
    assert Frame(source.frame.shape).n_pixels == len(table)

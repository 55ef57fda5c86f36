"""results.nc: model and explanation come back as they were, and xarray reads what the contract names."""

import subprocess
import sys
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import xarray

from learned import A_HEIGHT, H_HEIGHT, make_explanation, make_model, make_recovery, make_samples, with_others, with_questions
from napari_wse2xai.data import Level, Results, Samples
from napari_wse2xai.data import history as histories
from napari_wse2xai.io import is_results, read_results, write_results


def assert_same(found: Any, wanted: Any, where: str = "") -> None:
    """Compare two nouns field by field, arrays with their type."""
    assert type(found) is type(wanted), where
    if isinstance(wanted, np.ndarray):
        np.testing.assert_array_equal(found, wanted, err_msg=where)
        assert found.dtype == wanted.dtype, where
    elif isinstance(wanted, dict):
        assert set(found) == set(wanted), where
        for key in wanted:
            assert_same(found[key], wanted[key], f"{where}[{key}]")
    elif isinstance(wanted, tuple) and wanted and hasattr(wanted[0], "__dataclass_fields__"):
        assert len(found) == len(wanted), where
        for index, pair in enumerate(zip(found, wanted, strict=True)):
            assert_same(*pair, f"{where}[{index}]")
    elif hasattr(wanted, "__dataclass_fields__"):
        for field in fields(wanted):
            assert_same(getattr(found, field.name), getattr(wanted, field.name), f"{where}.{field.name}")
    else:
        np.testing.assert_equal(found, wanted, err_msg=where)


def written(tmp_path, model=None, explanation=None) -> Results:
    write_results(Results({}, model=model, explanation=explanation), tmp_path / "results.nc")
    assert is_results(tmp_path / "results.nc")
    return read_results(tmp_path / "results.nc")


@pytest.fixture(scope="module", params=[1, 2], ids=["one flake", "two flakes"])
def many(request) -> Samples:
    """Samples of several targets."""
    return make_samples(targets=("height", "position", "area"), flakes=request.param)


def test_a_model_comes_back_as_it_was(tmp_path, many):
    model = make_model(many, level=Level.LOCAL_ONLY)
    refused = replace(model.null_tests[0], p_value={"random": np.nan, "blocks": np.nan}, refused="The variogram is missed.")
    shape = (len(many.target_names), len(many))
    left = {"unexplained": np.random.default_rng(0).standard_normal(shape), "region": np.arange(np.prod(shape)).reshape(shape) % 4}
    unknown = replace(model, null_tests=(refused, *model.null_tests[1:]), **left)
    found = written(tmp_path, unknown)
    assert_same(found.model, unknown)
    assert found.explanation is None
    assert found.model.stamp == model.stamp


def test_scores_and_p_values_of_a_null_test_lie_side_by_side_whatever_order_they_were_found_in(tmp_path):
    model = make_model(make_samples())
    test = replace(model.null_tests[0], r2={"random": 0.9, "blocks": 0.4, "other flake": 0.1}, p_value={"blocks": 0.04, "random": 0.01})
    written(tmp_path, replace(model, null_tests=(test,)))
    with xarray.open_dataset(tmp_path / "results.nc", group="model/null_test_1") as read:
        table = {
            str(name.item()): (float(read.r2.sel(validation=name)), float(read.p_value.sel(validation=name))) for name in read.validation
        }
    np.testing.assert_equal(table, {"random": (0.9, 0.01), "blocks": (0.4, 0.04), "other flake": (0.1, np.nan)})


def test_an_explanation_comes_back_as_it_was_and_shares_the_models_samples(tmp_path, many):
    model, explanation = make_model(many), with_others(make_explanation(many, level=Level.DO_NOT_INTERPRET))
    found = written(tmp_path, model, explanation)
    assert_same(found.explanation, explanation)
    assert_same(found.model, model)
    assert found.explanation.samples is found.model.samples
    assert found.explanation.stamp == "DO NOT INTERPRET"


def test_answers_to_questions_come_back_and_xarray_reads_them(tmp_path, many):
    explanation = with_questions(make_explanation(many))
    assert_same(written(tmp_path, make_model(many), explanation).explanation, explanation)
    with xarray.open_datatree(tmp_path / "results.nc") as tree:
        pairs, regions, looked = (tree[f"explanation/{name}"] for name in ("pairs", "regions", "wavenumbers"))
        np.testing.assert_array_equal(pairs["surface"][0], explanation.pairs[0].surface)
        assert pairs["features"].values.tolist() == [[A_HEIGHT, H_HEIGHT]]
        assert (pairs["surface"].attrs["units"], looked["wavenumber"].attrs["units"]) == ("counts", "cm-1")
        assert regions["rule"].values.tolist() == [region.rule for region in explanation.regions]
        np.testing.assert_array_equal(regions["region_of"][A_HEIGHT], 1 + (many.features[:, H_HEIGHT] > 90))
        assert looked["by_line"].values[0].tolist() == [0.2, 0.65, 0.15]
        further = tree["explanation/answers"]
        assert (further["question"].values.tolist(), further["answer"].values[0, A_HEIGHT]) == (["left_out"], 0.61)


def test_an_explanation_alone_brings_its_samples(tmp_path, explanation):
    assert_same(written(tmp_path, None, explanation).explanation, explanation)


@pytest.mark.parametrize("good", [True, False])
def test_the_scores_of_a_simulation_come_back_with_the_explanation(tmp_path, explanation, good):
    recovery = make_recovery(good=good)
    found = written(tmp_path, None, replace(explanation, recovery=recovery)).explanation.recovery
    assert_same(found, recovery)
    assert (found.passed, found.sentences) == (good, recovery.sentences)
    with xarray.open_datatree(tmp_path / "results.nc") as tree:
        kept = tree["/explanation/recovery"]
        assert float(kept["pdp_r2"].sel(role="saturating")) == 0.991
        assert np.isnan(kept["pdp_r2"].sel(role="partner"))
        assert kept.attrs["passed"] == good
        assert histories.from_json(kept.attrs["history"]) == recovery.history


def test_an_explanation_of_some_features_is_read_by_xarray_too(tmp_path, explanation):
    few = {field.name: getattr(explanation, field.name) for field in fields(explanation)}
    per_feature = ("features", "feature_units", "pdp_grid", "pdp", "pdp_low", "pdp_high", "supported", "ice", "step", "slope")
    per_feature += ("slope_error", "off_cloud", "importance", "importance_error", "slope_rms", "curvature", "ale")
    per_feature += ("permutation", "permutation_error")
    few |= {name: few[name][3:6] for name in per_feature} | {"ranking": (2, 0, 1)}
    wanted = type(explanation)(**few)
    assert_same(written(tmp_path, None, wanted).explanation, wanted)
    with xarray.open_datatree(tmp_path / "results.nc") as tree:
        assert list(tree["/explanation/feature"].values) == ["A1'.position", "A1'.fwhm", "A1'.height"]


def test_an_explanation_of_other_samples_keeps_them_apart(tmp_path, trained):
    other = make_explanation(make_samples(seed=5))
    found = written(tmp_path, trained, other)
    assert_same(found.explanation, other)
    assert_same(found.model, trained)


def test_a_bare_model_and_explanation_come_back_too(tmp_path, trained, explanation):
    bare = replace(trained, scores=(), null_tests=(), verdicts=(), curves={}, weights={}, remarks=(), history=(), settings={})
    size = explanation.pdp.shape
    thin = replace(explanation, pixels=np.empty(0, dtype=np.int64), ice=np.empty((size[0], 0, size[1])), not_separable=(), ale=None)
    found = written(tmp_path, bare, thin)
    assert_same(found.model, bare)
    assert_same(found.explanation, thin)


def test_weights_of_any_shape_and_kind_come_back(tmp_path, trained):
    tensors = {
        "square": np.arange(16.0).reshape(4, 4),
        "cube": np.zeros((3, 3, 3), dtype=np.float16),
        "one": np.ones(1, dtype=np.float32),
        "count": np.array(3, dtype=np.int64),
        "mask": np.array([1, 0], dtype=np.uint8),
    }
    model = replace(trained, weights={"height": tensors})
    assert_same(written(tmp_path, model).model.weights, model.weights)


def test_xarray_reads_the_groups_of_the_contract(tmp_path, trained, explanation):
    write_results(Results({}, model=trained, explanation=explanation), tmp_path / "results.nc")
    samples = trained.samples
    with xarray.open_datatree(tmp_path / "results.nc") as tree:
        model, told = tree["/model"], tree["/explanation"]
        assert model["predicted"].dims == ("target", "y", "x")
        assert model["split"].dims == ("y", "x")
        assert list(model["target"].values) == ["height"]
        np.testing.assert_array_equal(model["y"], samples.frames[0].y_um)
        np.testing.assert_allclose(model["predicted"].values[0], samples.image(trained.predicted[0]), rtol=1e-6)
        assert model.attrs["verdict"] == "interpretable"
        assert model.attrs["reasons"].splitlines() == list(trained.verdicts[0].reasons)
        assert model.attrs["height_r2_random_validation"] == 0.97
        assert told["pdp"].dims == told["pdp_grid"].dims == ("feature", "grid")
        assert told["ice_slope"].dims == ("feature", "y", "x")
        assert told["importance"].dims == ("feature",)
        assert list(told["feature"].values) == list(explanation.features)
        slope = told["ice_slope"].sel(feature="A1'.height").values
        np.testing.assert_allclose(slope, samples.image(explanation.slope[A_HEIGHT]), rtol=1e-6)
        assert all(histories.from_json(node.attrs["history"]) for node in (model, told, *model.subtree, *told.subtree))


def test_the_second_flake_has_its_own_grid(tmp_path):
    samples = make_samples(flakes=2)
    explanation = make_explanation(samples)
    write_results(Results({}, model=make_model(samples), explanation=explanation), tmp_path / "results.nc")
    with xarray.open_datatree(tmp_path / "results.nc") as tree:
        second = tree["/explanation_flake_2"]
        assert second["ice_slope"].shape == (9, *samples.frames[1].shape)
        np.testing.assert_array_equal(second["x"], samples.frames[1].x_um)
        assert second.attrs["name"] == "flake 2"


def test_reading_a_model_loads_neither_torch_nor_sklearn(tmp_path, trained):
    write_results(Results({}, model=trained), tmp_path / "results.nc")
    code = (
        "import sys; from napari_wse2xai.io import read_results; assert read_results(sys.argv[1]).model.weights;"
        "assert not {'torch', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "results.nc")], check=True)


def test_every_further_result_names_its_dimensions_and_its_unit(tmp_path, many):
    explanation = make_explanation(many)
    written(tmp_path, explanation=explanation)
    with xarray.open_datatree(tmp_path / "results.nc") as tree:
        group, extra = tree["explanation"].dataset, tree["explanation/extra"].dataset
        features, grid, pixels = *explanation.pdp.shape, len(many)
        of_length = {"feature": features, "grid": grid, "pixel": pixels}
        assert extra["ale"].dims == ("feature", "grid")
        for name in ("curvature", "ale", "permutation", "permutation_error"):
            assert tuple(of_length[axis] for axis in extra[name].dims) == getattr(explanation, name).shape
        assert {group[name].attrs["units"] for name in ("pdp", "pdp_low", "pdp_high", "importance", "slope_rms")} == {"counts"}
        assert group["ice_slope"].attrs["unit_of_each"] == "counts per feature_unit"
        assert group["pdp_grid"].attrs["unit_of_each"] == "feature_unit"
        assert list(group["feature_unit"].values[:3]) == ["cm-1", "cm-1", "counts"]

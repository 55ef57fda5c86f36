"""What a trained model's layers say and hide, worked out here from its arrays."""

import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from napari.layers import Layer

from napari_wse2xai.data import Results, TrainedModel
from napari_wse2xai.io import read_results
from napari_wse2xai.layers import beside_layers, part_name, region_layer, shown_in, structure_layer, to_layers
from napari_wse2xai.theory.cell import HarmonicCell


def test_the_name_tells_the_mean_absolute_percentage_error(trained: TrainedModel) -> None:
    measured, predicted = trained.samples.targets[:, 0], trained.predicted[0]
    share = np.mean([abs(p - m) / abs(m) for m, p in zip(measured, predicted, strict=True)])
    names = [keywords["name"] for _, keywords, _ in to_layers(trained)]
    told = [name for name in names if "MAPE" in name]
    assert len(told) == 2
    for name in told:
        assert float(name.split("MAPE ")[1].split(" %")[0]) == pytest.approx(100 * share, abs=0.051)


def test_split_and_folds_are_hidden_and_only_the_prediction_is_seen(trained: TrainedModel) -> None:
    seen = [keywords["name"] for _, keywords, _ in to_layers(trained) if keywords.get("visible", True)]
    assert [name.split(",")[0] for name in seen] == ["predicted PL height"]


def test_what_rs_does_not_explain_is_an_image_and_regions_where_training_found_it(trained: TrainedModel) -> None:
    plain = trained
    samples = plain.samples
    region = np.zeros((1, len(samples)), dtype=np.int64)
    region[0, samples.column == 3] = 2
    region[0, samples.column == 9] = 1
    score = np.where(region > 0, 4.5, 0.5)
    before, layers = to_layers(plain), to_layers(replace(plain, unexplained=score, region=region))
    image, labels = (layer for layer in layers if layer[1]["name"] not in {each[1]["name"] for each in before})
    assert (image[2], labels[2]) == ("image", "labels")
    here = samples.row[samples.column == 3], 3
    assert np.all(image[0][here] == 4.5)
    assert np.all(labels[0][here] == 2)
    assert len(labels[1]["features"]["index"]) == 3
    assert not any(layer[1]["visible"] for layer in (image, labels))


@pytest.fixture(scope="module")
def every_result(tmp_path_factory) -> Results:
    """Everything that a run can give."""
    path = tmp_path_factory.mktemp("layers") / "results.nc"
    path.write_bytes(gzip.decompress((Path(__file__).parent / "io" / "old" / "results_before_layouts.nc.gz").read_bytes()))
    return read_results(path)


def test_napari_takes_every_layer_as_it_is_said(every_result: Results) -> None:
    """It refuses a word that it does not know, a colour that is none, a scale of another length."""
    explanation = every_result.explanation
    cell = HarmonicCell(("W", "O", "Te"), np.arange(9.0).reshape(3, 3), np.eye(3) * 5, np.ones(3), np.eye(9), "W", "Te", 1)
    layers = [*to_layers(every_result), region_layer(explanation), *beside_layers(explanation, 0), structure_layer(cell, "atoms")]
    made = [Layer.create(data, dict(keywords), kind) for data, keywords, kind in layers]
    assert [each.name for each in made] == [keywords["name"] for _, keywords, _ in layers]
    of = {shown.part: each for each in made if (shown := shown_in(each.metadata)) is not None}
    assert {"map", "repaired", "flake", "status", "region", "regions"} < set(of)
    assert of["region"].colormap.map(np.array([0, 1]))[:, 3].tolist() == [0, 1], "what is not painted is seen through"
    assert len({tuple(colour) for colour in made[-1].face_color}) == 3, "metal, oxygen, an element that is not known"


def test_peaks_whose_map_is_not_there_are_shown_all_the_same(every_result: Results) -> None:
    names = [keywords["name"] for _, keywords, _ in to_layers(Results({}, peaks=every_result.peaks))]
    assert sum("fit status" in name for name in names) == len(every_result.peaks) == 2


def test_of_a_pair_the_parameters_of_pl_lie_on_the_grid_of_rs(every_result: Results) -> None:
    pair = every_result.paired
    of = {keywords["name"]: data for data, keywords, _ in to_layers(pair)}
    for parameter, words in (("position", "position (eV)"), ("fwhm", "FWHM (eV)"), ("height", "height (counts)")):
        np.testing.assert_array_equal(of[f"X {words} on RS grid"], getattr(pair.pl, parameter)[0])
    assert all(keywords["scale"] == to_layers(pair.raman)[0][1]["scale"] for _, keywords, _ in to_layers(pair))


def test_a_result_with_maps_alone_shows_them_and_one_with_fits_the_strongest_height(every_result: Results) -> None:
    def seen(results: Results) -> list[str]:
        return [shown_in(keywords["metadata"]).part for _, keywords, _ in to_layers(results) if keywords.get("visible", True)]

    assert seen(Results(every_result.maps)) == ["map", "flake"] * 2
    (only,) = seen(Results(every_result.maps, every_result.peaks))
    assert only == part_name("X", "height")

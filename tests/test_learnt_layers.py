"""What a trained model's layers say and hide, worked out here from its arrays."""

from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Layer

from as_text import layer_text, require_as_read
from learned import make_explanation, make_model, make_samples, with_others
from napari_wse2xai.data import Components, Level, Picture, Results, TrainedModel
from napari_wse2xai.layers import (
    beside_layers,
    chi2_layer,
    computed_layer,
    effect_layer,
    overlay_layers,
    part_name,
    peak_layer,
    region_layer,
    residual_layer,
    shown_in,
    slope_layer,
    structure_layer,
    to_layers,
)
from napari_wse2xai.layers.part import part_layer
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


def test_the_part_of_an_explanation_leads_to_its_layer_on_any_flake() -> None:
    explanation = make_explanation(make_samples(flakes=2))
    for flake in (0, 1):
        rs, pl = beside_layers(explanation, 5, flake)
        made = {"region": region_layer(explanation, flake), "slope A1'.height": slope_layer(explanation, 5, flake)}
        for part, (data, keywords, kind) in (made | {"RS A1'.height": rs, "PL A1'.height": pl}).items():
            found = part_layer(explanation, part, flake)
            assert found is not None and (found[1]["name"], found[2]) == (keywords["name"], kind)
            np.testing.assert_array_equal(found[0], data)
    assert part_layer(explanation, "slope A1'.depth") is part_layer(explanation, "drawn") is None


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


def test_layers_are_as_they_were_read(every_result: Results) -> None:
    """Names, places, colours and limits of all that can be shown of a run, of two flakes and of other models beside the network."""
    samples = make_samples(flakes=2)
    explanation = with_others(make_explanation(samples, level=Level.LOCAL_ONLY))
    region = np.tile((samples.column < 5).astype(np.int64), (1, 1))
    model = replace(make_model(samples), unexplained=region * 4.0, region=region)
    raman, pair = every_result.peaks["raman"], every_result.paired
    cell = HarmonicCell(("W", "O", "Te"), np.arange(9.0).reshape(3, 3), np.eye(3) * 5, np.ones(3), np.eye(9), "W", "Te", 1)
    spectra = np.ones((2, 40), dtype=np.float32)
    axis, explained = every_result.maps["raman"].axis, np.array([0.7, 0.3])
    share, group = np.arange(24.0).reshape(2, 4, 3), np.arange(12, dtype=np.uint8).reshape(4, 3) % 3
    groups = Components(raman.frame, axis, "k-means", ("one", "two"), spectra, explained, group=group)
    parts = Components(raman.frame, axis, "PCA", ("first", "second"), spectra, explained, share=share, mean=spectra[0])
    picture = Picture(raman.frame, np.arange(12, dtype=np.float32).reshape(4, 3), "height", "nm")
    layers = [
        *to_layers(every_result), *to_layers(model), *to_layers(explanation), *to_layers(picture), *to_layers(groups), *to_layers(parts),
        *beside_layers(explanation, 0),
        slope_layer(explanation, 4, 1, only_sure=False), region_layer(explanation, 1), structure_layer(cell, "atoms"),
        effect_layer(explanation, 5, 1 + region[0], ("left", "right"), 0), chi2_layer(raman), peak_layer(raman, 1, "fwhm", error=True),
        computed_layer(raman, raman.computed[0], error=True), *overlay_layers(pair, in_turns=True),
        residual_layer(every_result.maps["raman"], np.asarray(every_result.maps["raman"].counts) - 100),
    ]  # fmt: skip
    require_as_read("layers", "\n".join(map(layer_text, layers)))

"""What a trained model's layers say and hide, worked out here from its arrays."""

from dataclasses import replace

import numpy as np
import pytest

from napari_wse2xai.data import TrainedModel
from napari_wse2xai.layers import to_layers


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

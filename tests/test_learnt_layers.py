"""What a trained model's layers say and hide, worked out here from its arrays."""

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

"""Explaining: from a trained network to curves, slopes and a ranking."""

from dataclasses import replace

import numpy as np
import pytest

from learned import A_HEIGHT, LINES
from napari_wse2xai.data import Explanation, Level, MapLevel, Samples, Score, TrainedModel, Verdict
from napari_wse2xai.errors import Cancelled, DataError, DataWarning, SettingsError
from napari_wse2xai.learning import SpectralCNNRegressor
from napari_wse2xai.learning.explainable import model_of
from napari_wse2xai.stages import Explain
from napari_wse2xai.stages._cross_checks import depends_on_weights


@pytest.fixture(scope="module")
def learnt(trained: TrainedModel, samples: Samples) -> TrainedModel:
    """The model of the tests with a network that has really learnt the law."""
    network = SpectralCNNRegressor(LINES, max_epochs=50).fit(samples.features, samples.targets[:, 0])
    return replace(trained, settings=network.settings(), weights={"height": network.state()})


@pytest.fixture(scope="module")
def explained(learnt: TrainedModel) -> Explanation:
    return Explain(refits=6, model="network")(learnt)


def test_the_law_comes_out(explained: Explanation) -> None:
    assert explained.ranking[0] == A_HEIGHT
    curve, grid = explained.pdp[A_HEIGHT], explained.pdp_grid[A_HEIGHT]
    slope = np.polyfit(grid, curve, 1)[0]
    assert slope == pytest.approx(3 + 0.002 * 90, rel=0.3)  # some 200 pixels: the lines go together, and share what one does
    assert np.median(explained.slope[A_HEIGHT]) == pytest.approx(slope, rel=0.15)


def test_every_number_has_its_error_and_its_place(explained: Explanation, samples: Samples) -> None:
    count, grid = len(explained.features), explained.pdp_grid.shape[1]
    assert explained.features == samples.feature_names
    assert explained.pdp.shape == explained.pdp_low.shape == explained.pdp_high.shape == (count, grid) == (9, 50)
    assert (explained.pdp_low <= explained.pdp).all()
    assert (explained.pdp_high >= explained.pdp).all()
    assert explained.slope.shape == explained.slope_error.shape == explained.off_cloud.shape == (count, len(samples))
    assert (explained.slope_error > 0).all()
    assert explained.ice.shape == (count, len(explained.pixels), grid)
    assert explained.derivative.shape == (count, len(samples))
    truth, found, error = 3 + 0.002 * samples.features[:, 8].mean(), explained.slope[A_HEIGHT].mean(), explained.mean_slope_error[A_HEIGHT]
    assert abs(found - truth) < 3 * error < truth, "the mean slope has an error that holds the law's own mean"
    assert sorted(explained.ranking) == list(range(count))
    assert explained.sure(A_HEIGHT).mean() > explained.sure(1).mean()


def test_it_tells_how_its_network_was_trained(explained: Explanation, learnt: TrainedModel) -> None:
    assert explained.history[:-1] == learnt.history != ()
    assert explained.history[-1].step == "Explain"


def test_three_more_questions_agree_with_the_law(explained: Explanation) -> None:
    high = A_HEIGHT
    assert explained.ale.shape == explained.pdp.shape
    assert np.abs(explained.ale[high] - explained.pdp[high]).max() < 0.15 * np.ptp(explained.pdp[high])
    lost = explained.permutation.reshape(-1, 3)
    assert (lost == lost[:, :1]).all(), "a peak's three parameters are shuffled together"
    assert lost[:, 0].argmax() == high // 3
    assert lost[high // 3, 0] > 0.5
    assert 0 < explained.permutation_error[high] < 0.2
    assert np.abs(explained.randomised).mean() < 0.2
    assert "they come from what was learnt" in explained.remarks[0]


def test_maps_that_owe_nothing_to_the_weights_are_told() -> None:
    assert "do not rely on them" in depends_on_weights(np.array([0.9, -0.4, 0.1]))


def test_progress_only_goes_on(learnt: TrainedModel) -> None:
    seen: list[float] = []
    Explain(refits=4, grid=10)(learnt, lambda fraction, message: seen.append(fraction))
    assert seen == sorted(seen) and seen[-1] <= 1


def test_what_must_not_be_interpreted_is_asked_about_and_stamped(learnt: TrainedModel) -> None:
    doubtful = replace(learnt, verdicts=(Verdict("height", Level.DO_NOT_INTERPRET, ("Noise.",)),))
    with pytest.raises(DataError, match=r"'do not interpret': Noise\. .* anyway"):
        Explain()(doubtful)
    with pytest.warns(DataWarning, match="every figure is stamped"):
        explained = Explain(anyway=True, refits=4, grid=10)(doubtful)
    assert explained.stamp == "DO NOT INTERPRET"


def test_a_target_that_was_not_learnt_is_named(learnt: TrainedModel) -> None:
    with pytest.raises(SettingsError, match="has not learnt PL area; choose height"):
        Explain(target="area")(learnt)


def test_cancel_passes_through(learnt: TrainedModel) -> None:
    def cancel(fraction: float, message: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        Explain()(learnt, cancel)


def test_what_only_the_window_could_ask_comes_with_the_explanation(learnt: TrainedModel, samples: Samples, explained: Explanation) -> None:
    assert not explained.pairs + explained.regions + explained.wavenumbers, "it costs time: only where asked"
    found = Explain(refits=4, grid=8, pairs=3, regions=2, wavenumbers=True, further=("left_out",), model="network")(learnt)
    first, second, third = found.ranking[:3]
    assert [pair.features for pair in found.pairs] == [(first, second), (first, third), (second, third)]
    network = SpectralCNNRegressor.from_state(learnt.settings, learnt.weights["height"])
    there = samples.features.copy()
    there[:, first], there[:, second] = found.pairs[0].grid[0, 2], found.pairs[0].grid[1, 6]
    assert found.pairs[0].surface[2, 6] == pytest.approx(network.predict(there).mean(), rel=0.01)
    assert found.region_of.shape == (len(found.features), len(samples))
    assert {k for k in range(len(found.features)) if found.region_of[k].any()} == {first, second}
    assert {region.feature for region in found.regions} == {first, second}
    (left_out,) = found.answers
    assert (left_out.key, left_out.values.shape) == ("left_out", (len(found.features),))
    assert found.features[int(left_out.values.argmax())].startswith("A1'"), "the peak that the light was made of"
    (looked,) = found.wavenumbers
    assert looked.by_line.sum() == pytest.approx(1)
    assert LINES[int(looked.by_line.argmax())].name == "A1'"
    np.testing.assert_allclose(looked.drawn.max(axis=1), samples.features[:, 2::3].mean(axis=0), rtol=0.35)  # of caricatures that move


def _scored(model: TrainedModel, **r2: float) -> TrainedModel:
    """The same with other scores in spatial blocks, names with ``_`` for a blank, and nothing kept of what was fitted."""
    scores = [Score(name.replace("_", " "), "height", "blocks", "validation", value, 1.0, 1.0, 1.0) for name, value in r2.items()]
    return replace(model, scores=tuple(scores), fitted={})


def test_the_model_that_predicts_best_in_blocks_is_explained_beside_those_as_good(learnt: TrainedModel, samples: Samples) -> None:
    rivals = _scored(learnt, CNN=0.95, Gaussian_process=0.96, gradient_boosting=0.9, ridge=0.99)
    found = Explain(refits=4, grid=9)(rivals)
    assert found.model == "Gaussian process", "a straight line is a reference, not something to explain"
    assert [other.model for other in found.others] == ["CNN"], "the trees predict worse"
    network = SpectralCNNRegressor.from_state(learnt.settings, learnt.weights["height"])
    step = samples.features[:, A_HEIGHT].std()
    there = [samples.features + side * step * np.eye(9)[A_HEIGHT] for side in (-1, 1)]
    wanted = (network.predict(there[1]) - network.predict(there[0])) / (2 * step)
    np.testing.assert_allclose(found.others[0].slope[A_HEIGHT], wanted, rtol=1e-3)
    truth = 3 + 0.002 * samples.features[:, 8]
    assert np.median(np.abs(found.slope[A_HEIGHT] / truth - 1)) < 0.15
    assert (found.others[0].ranking[0], found.ranking[0]) == (A_HEIGHT, A_HEIGHT)
    assert found.randomised is None and found.derivative is not None, "a process has no weights to draw anew, but derivatives"
    assert "Gaussian process, which predicts held-out pixels in spatial blocks with R2 0.96." in found.remarks[-1]


def test_the_papers_network_can_always_be_chosen(learnt: TrainedModel) -> None:
    found = Explain(refits=4, grid=9, model="network")(_scored(learnt, CNN=0.5, Gaussian_process=0.96))
    assert (found.model, [other.model for other in found.others]) == ("CNN", ["Gaussian process"])
    assert "R2 0.50; the best, Gaussian process, with 0.96" in found.remarks[-1]
    with pytest.raises(SettingsError, match="has no MLP ensemble; explain CNN"):
        Explain(model="ensemble")(_scored(learnt, CNN=0.5))


def test_trees_without_derivatives_are_explained_too(learnt: TrainedModel) -> None:
    found = Explain(refits=4, grid=9, model="gradient boosting", scheme="autograd")(_scored(learnt, gradient_boosting=0.9))
    assert found.ranking[0] == A_HEIGHT
    assert found.derivative is None
    assert (found.map_level, found.disagreement) == (MapLevel.ALONE, None)


def test_a_training_from_a_file_is_explained_as_the_one_that_was_kept(learnt: TrainedModel, samples: Samples) -> None:
    kept = _scored(learnt, MLP_ensemble=0.9)
    first = model_of(kept, "height", "MLP ensemble")
    assert model_of(kept, "height", "MLP ensemble") is first, "it is not fitted again"
    again = model_of(replace(kept, fitted={}), "height", "MLP ensemble")
    np.testing.assert_allclose(again.predict(samples.features), first.predict(samples.features), rtol=1e-5)

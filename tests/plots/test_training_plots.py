"""Plots of a training show its numbers, and the verdict stands on each."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from learned import make_model, make_samples
from napari_wse2xai.data import Level, TrainedModel
from napari_wse2xai.plots import training
from napari_wse2xai.plots.judged import BADGE


@pytest.fixture
def axes() -> Axes:
    return Figure(layout="constrained").subplots()


def badges(figure: Figure) -> list[str]:
    """Texts of all badges on a figure."""
    return [text.get_text() for text in figure.findobj(lambda artist: artist.get_gid() == BADGE)]


def test_the_scatter_plot_shows_every_pixel_in_its_part_with_its_score(axes: Axes, trained: TrainedModel) -> None:
    training.draw_scatter(axes, trained, "height")
    seen, unseen = (points.get_offsets() for points in axes.collections)
    assert (len(seen), len(unseen)) == ((trained.split == 0).sum(), (trained.split == 1).sum())
    np.testing.assert_array_equal(seen[:, 0], trained.samples.targets[trained.split == 0, 0])
    np.testing.assert_array_equal(unseen[:, 1], trained.predicted[0, trained.split == 1])
    assert axes.get_legend_handles_labels()[1] == ["training: R² 0.980, MAPE 3.2 %", "validation: R² 0.970, MAPE 3.2 %"]
    assert badges(axes.figure) == ["interpretable"]


def test_figure_2_shows_what_was_measured_and_predicted_on_each_flake() -> None:
    model = make_model(make_samples(flakes=2))
    images = training.Prediction.of(model, "height", 1)
    here = model.samples.flake == 1
    places = model.samples.row[here], model.samples.column[here]
    measured, predicted = model.samples.targets[here, 0], model.predicted[0, here]
    np.testing.assert_allclose(images.error[places], predicted - measured, atol=1e-3)
    assert np.isfinite(images.measured).sum() == here.sum()
    assert images.percent == f"MAPE {100 * np.mean(np.abs(predicted / measured - 1)):.1f} %"
    figure = Figure()
    training.draw_prediction(figure.subplots(1, 3), model, "height", flake=1)
    assert images.percent in figure.axes[2].get_title()
    assert badges(figure) == ["interpretable"]
    shown = [
        image for image in figure.findobj(lambda artist: hasattr(artist, "get_clim")) if np.ma.size(image.get_array()) == measured.size
    ]
    assert all(image.get_clim()[0] < image.get_clim()[1] for image in shown)


def test_measured_and_predicted_share_their_colours_and_the_error_is_centred(trained: TrainedModel) -> None:
    grid = Figure().subplots(1, 3)
    training.draw_prediction(grid, trained, "height")
    measured, predicted, error = (axes.images[0].get_clim() for axes in grid)
    assert measured == predicted
    assert error[0] == -error[1]


def test_learning_curves_take_only_their_target(axes: Axes) -> None:
    model = make_model(make_samples(targets=("height", "position")))
    training.draw_learning_curves(axes, model.curves, "position", verdict=model.verdict("position"))
    assert [line.get_label() for line in axes.lines] == ["R² training", "R² validation"]
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), model.curves["position r2 validation"])
    np.testing.assert_array_equal(axes.lines[1].get_xdata(), model.curves["position epoch"])
    assert badges(axes.figure) == ["interpretable"]
    empty = Figure().subplots()
    training.draw_learning_curves(empty, {}, "height")
    assert not empty.lines


def test_the_null_test_counts_all_surrogates_and_says_p(axes: Axes, trained: TrainedModel) -> None:
    test = trained.null_tests[0]
    training.draw_null_test(axes, test, "blocks", verdict=trained.verdicts[0])
    assert sum(bar.get_height() for bar in axes.patches) == 39
    assert axes.get_title(loc="left") == "p ≤ 0.025"  # no 39 surrogates can show less
    assert axes.lines[0].get_xdata()[0] == test.r2["blocks"]
    refused = replace(test, refused="The variogram is missed.")
    other = Figure().subplots()
    training.draw_null_test(other, refused, "random")
    assert other.get_title(loc="left") == "p refused"


def test_the_network_and_the_reference_models_have_a_bar_for_each_model_and_validation(axes: Axes) -> None:
    model = make_model(level=Level.LOCAL_ONLY)
    training.draw_reference_models(axes, model, "height")
    widths = {round(bar.get_width(), 3) for bar in axes.patches}
    assert len(axes.patches) == 10
    assert {0.97, 0.93, 0.7, 0.55, -0.2} <= widths
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["mean", "ridge", "gradient boosting", "MLP ensemble", "CNN"]
    assert badges(axes.figure) == ["local only"]


def test_figure_s2_has_one_row_per_architecture_and_one_column_per_condition(trained: TrainedModel) -> None:
    other = make_model(level=Level.DO_NOT_INTERPRET, seed=3)
    figure = Figure(layout="constrained")
    cases = {("convolution", "on"): trained, ("convolution", "off"): other, ("residual", "on"): trained}
    training.draw_scatter_grid(figure, cases, "height")
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == ["on\nconvolution", "off\nconvolution", "on\nresidual", ""]
    assert badges(figure) == ["interpretable", "do not interpret", "interpretable"]


def test_what_rs_does_not_explain_stands_beside_its_regions(trained: TrainedModel) -> None:
    samples = trained.samples
    region = np.where(samples.column < 4, 1, 0)[None]
    figure = Figure()
    model = replace(trained, unexplained=np.where(region > 0, -4.0, 0.5), region=region)
    training.draw_unexplained(figure.subplots(1, 2), model, "height")
    score, number = (np.ma.filled(axes.images[0].get_array().astype(float), np.nan) for axes in figure.axes[:2])
    assert np.nanmin(score[:, :4]) == -4.0
    assert np.isfinite(number).sum() == (region > 0).sum()
    assert figure.axes[0].images[0].get_clim() == (-5.0, 5.0)


def test_one_epoch_that_is_far_off_does_not_flatten_the_curves(axes: Axes) -> None:
    curves = {"height epoch": np.array([3.0, 6.0, 9.0]), "height r2 validation": np.array([-80.0, 0.4, 0.9]), "height loss": np.ones(3)}
    training.draw_learning_curves(axes, curves, "height")
    low, high = axes.get_ylim()
    assert -2 < low < 0 < 1 < high < 1.1
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title(loc="left")) == ("epoch", "R²", "PL height")
    np.testing.assert_array_equal(axes.lines[0].get_xdata(), [3, 6, 9])
    assert [each.get_yscale() for each in axes.figure.axes] == ["linear", "log"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["R² validation", "loss"]

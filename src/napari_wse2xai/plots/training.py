"""How well a network predicts, drawn on given Axes: curves, scatter, images, reference models, null test.  The verdict stands on each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from napari_wse2xai.data import NETWORK, VALIDATIONS, NullTest, Score, TrainedModel, Verdict
from napari_wse2xai.data.quantities import COLORMAPS, pretty, region_color
from napari_wse2xai.data.verdict import p_in_words
from napari_wse2xai.numerics.relative_error import in_percent, mape, wape
from napari_wse2xai.plots.grid import is_line
from napari_wse2xai.plots.judged import badge
from napari_wse2xai.plots.maps import draw_kinds, draw_map, draw_profile, limits
from napari_wse2xai.plots.plain_text import make_logarithmic

UNEXPLAINED = 5.0
"""Standard errors at which the colours of what is not explained end."""
PARTS = {"training": "#7c8794", "validation": "#d1495b"}
"""Colour of the pixels that the network saw, and of those that it did not."""
BARS = {"random": "#9db7d1", "blocks": "#1f4e79", "other flake": "#59a14f"}
"""Colour of each of `VALIDATIONS`."""
SHORT = {"random": "random split", "blocks": "spatial blocks", "other flake": "another flake"}
WORST_R2 = -0.5
"""Where the axis of R2 ends: below, one is as bad as another."""


def draw_learning_curves(axes: Axes, curves: Mapping[str, NDArray[np.floating]], target: str, *, verdict: Verdict | None = None) -> None:
    """R2 of both parts and the loss, epoch by epoch.

    Parameters
    ----------
    curves : `TrainedModel.curves`, or those of a training that is under way; ``<target> epoch`` says when they were taken
    target : whose curves to take from them
    """
    loss_axes = axes.twinx()
    for name, values in curves.items():
        what = name.removeprefix(f"{target} ")
        if what == name or not len(values):
            continue
        epochs = curves.get(f"{target} epoch", np.arange(1, len(values) + 1))
        if what.lower().startswith("r2 "):
            part = what[len("r2 ") :]
            axes.plot(epochs, values, color=PARTS.get(part, "#333333"), linewidth=1.4, label=f"R² {part}")
        elif what == "loss":
            loss_axes.plot(epochs, values, color="#4c9be8", linewidth=0.9, linestyle=":", label=what)
    axes.set(xlabel="epoch", ylabel="R²", ylim=(WORST_R2, 1.03))
    axes.set_title(f"PL {target}", loc="left")
    if loss_axes.lines:
        loss_axes.set_ylabel("loss")
        make_logarithmic(loss_axes.yaxis)
    else:
        loss_axes.set_axis_off()
    handles = [*axes.lines, *loss_axes.lines]
    if handles:
        axes.legend(handles=handles, loc="lower right", fontsize="small", frameon=False)
    badge(axes, verdict)


def draw_scatter(axes: Axes, model: TrainedModel, target: str, *, title: str = "") -> None:
    """Predicted against measured, training and validation pixels of the random split: the paper's Figure S2.

    Parameters
    ----------
    title : above, instead of the target
    """
    index = model.samples.target(target)
    measured, predicted = model.samples.targets[:, index], model.predicted[index]
    for part, color in PARTS.items():
        mine = model.split == (part == "validation")
        label = f"{part}: {_quality(model.score(target, part=part))}"
        axes.scatter(measured[mine], predicted[mine], s=8, color=color, alpha=0.6, linewidths=0, label=label)
    low, high = limits(np.concatenate([measured, predicted]))
    room = 0.12 * (high - low)
    ends = (low - room, high + room)
    axes.plot(ends, ends, color="#333333", linewidth=0.8, zorder=0)
    unit = pretty(model.samples.target_units[index])
    axes.set(xlabel=f"measured ({unit})", ylabel=f"predicted ({unit})", xlim=ends, ylim=ends, aspect="equal")
    axes.set_title(title or f"PL {target}", loc="left")
    axes.legend(loc="upper left", fontsize="x-small", frameon=False, handletextpad=0.2, borderaxespad=0.2, markerscale=1.6)
    badge(axes, model.verdict(target))


def _quality(score: Score | None) -> str:
    return "not scored" if score is None else f"R² {score.r2:.3f}, {in_percent(score.mape, score.wape)}"


@dataclass(frozen=True, eq=False)
class Prediction:
    """What a network predicts on one flake, pixel by pixel."""

    measured: NDArray[np.float32]
    predicted: NDArray[np.float32]
    error: NDArray[np.float32]
    """(ny, nx) predicted less measured."""
    percent: str
    """Error over these pixels, ``MAPE 3.1 %``."""

    @classmethod
    def of(cls, model: TrainedModel, target: str, flake: int) -> "Prediction":
        """Spread measurement and prediction over the grid of a flake."""
        samples, index = model.samples, model.samples.target(target)
        measured, predicted = (samples.image(values, flake) for values in (samples.targets[:, index], model.predicted[index]))
        percent = in_percent(mape(measured, predicted), wape(measured, predicted))
        return cls(measured, predicted, predicted - measured, percent)


def draw_prediction(grid: Sequence[Axes], model: TrainedModel, target: str, *, flake: int = 0) -> None:
    """Measured, predicted and error images on three Axes, the error in percent above: the paper's Figure 2.

    Parameters
    ----------
    grid : three Axes
    flake : which of `samples.frames`
    """
    frame, images = model.samples.frames[flake], Prediction.of(model, target, flake)
    unit = model.samples.target_units[model.samples.target(target)]
    titles = (f"Measured PL {target}", "Predicted", f"Error, {images.percent}")
    bounds = limits(images.measured)
    for axes, values, title in zip(grid, (images.measured, images.predicted, images.error), titles, strict=True):
        if is_line(frame):
            draw_profile(axes, frame, values, title=title, unit=unit)
            continue
        image = draw_map(axes, frame, values, title=title, unit=unit)
        if values is images.error:
            reach = max(abs(bound) for bound in limits(values))
            image.set(cmap=COLORMAPS["slope"], clim=(-reach, reach))
        else:
            image.set_clim(*bounds)
        badge(axes, model.verdict(target) if values is images.predicted else None, inside=True)


def draw_unexplained(grid: Sequence[Axes], model: TrainedModel, target: str, *, flake: int = 0) -> None:
    """What RS does not explain, in standard errors, on the first of two Axes, and the regions where it gathers on the second."""
    frame, index = model.samples.frames[flake], model.samples.target(target)
    assert model.unexplained is not None and model.region is not None
    score = model.samples.image(model.unexplained[index], flake)
    region = np.nan_to_num(model.samples.image(model.region[index].astype(np.float64), flake)).astype(np.uint8)
    title = f"PL {target} that RS does not explain"
    if is_line(frame):
        draw_profile(grid[0], frame, score, title=title, unit="standard errors")
    else:
        image = draw_map(grid[0], frame, score, title=title, unit="standard errors")
        image.set(cmap=COLORMAPS["slope"], clim=(-UNEXPLAINED, UNEXPLAINED))
    kinds = {number: (f"region {number}", region_color(number - 1)) for number in range(1, int(region.max(initial=0)) + 1)}
    draw_kinds(grid[1], frame, region, kinds, "Regions where it gathers" if kinds else "It gathers nowhere")
    badge(grid[0], model.verdict(target), inside=True)


def draw_null_test(axes: Axes, test: NullTest, validation: str, *, verdict: Verdict | None = None) -> None:
    """How well surrogate maps that owe nothing to RS are predicted, and how well the target itself is.

    Parameters
    ----------
    validation : ``random`` or ``blocks``
    """
    surrogates, observed, p = test.surrogate_r2[validation], test.r2[validation], test.p_value[validation]
    shown = np.maximum(surrogates[np.isfinite(surrogates)], WORST_R2)
    own = max(observed, WORST_R2)
    edges = np.linspace(min(shown.min(initial=own), own) - 0.05, max(shown.max(initial=own), own) + 0.05, 32)
    axes.hist(shown, bins=list(edges), color="#b9c3cd", label=f"{len(surrogates)} surrogates")
    axes.axvline(own, color=PARTS["validation"], linewidth=2, label=f"measured PL {test.target}")
    axes.set(xlabel=f"R², {SHORT[validation]} ({test.model})", ylabel="surrogate maps")
    axes.set_title("p refused" if test.refused or not np.isfinite(p) else p_in_words(p, len(surrogates)), loc="left")
    axes.legend(loc="upper center", fontsize="small", frameon=False)
    axes.margins(y=0.25)
    badge(axes, verdict)


def draw_reference_models(axes: Axes, model: TrainedModel, target: str) -> None:
    """R2 of the network and the reference models on pixels that they did not see, by kind of validation; bars end at `WORST_R2`."""
    held_out = [score for score in model.scores if score.target == target and score.part == "validation"]
    names = list(dict.fromkeys(score.model for score in held_out))
    kinds = [kind for kind in VALIDATIONS if any(score.validation == kind for score in held_out)]
    for offset, kind in enumerate(kinds):
        for place, name in enumerate(names):
            score = model.score(target, model=name, validation=kind)
            if score is not None:
                height = place + (offset - (len(kinds) - 1) / 2) * 0.8 / len(kinds)
                axes.barh(height, max(score.r2, WORST_R2), 0.8 / len(kinds), color=BARS[kind])
                axes.text(max(score.r2, 0) + 0.01, height, f"{score.r2:.2f}", va="center", fontsize="x-small")
    axes.axvline(0, color="#333333", linewidth=0.8)
    axes.set_yticks(range(len(names)), names)
    for tick, name in zip(axes.get_yticklabels(), names, strict=True):
        tick.set_fontweight("bold" if name == NETWORK else "normal")
    axes.set(xlabel="R² on pixels not seen", xlim=(WORST_R2, 1.15))
    axes.invert_yaxis()
    axes.set_title(f"PL {target}", loc="left")
    handles = [Patch(color=BARS[kind], label=SHORT[kind]) for kind in kinds]
    axes.legend(handles=handles, loc="lower left", fontsize="x-small", framealpha=0.9)
    badge(axes, model.verdict(target))


def draw_scatter_grid(figure: Figure | SubFigure, models: Mapping[tuple[str, str], TrainedModel], target: str) -> None:
    """Scatter plots of several architectures (rows) and conditions (columns): the paper's Figure S2.

    Parameters
    ----------
    models : by architecture and condition
    """
    rows, columns = (list(dict.fromkeys(key[axis] for key in models)) for axis in (0, 1))
    grid = figure.subplots(len(rows), len(columns), squeeze=False)
    for row, architecture in enumerate(rows):
        for column, condition in enumerate(columns):
            model = models.get((architecture, condition))
            if model is None:
                grid[row, column].set_axis_off()
            else:
                draw_scatter(grid[row, column], model, target, title=f"{condition}\n{architecture}")

"""Draw the pictures of the pages in docs/ideas: ``python docs/make_ideas.py``.

Each is worked out by the package's own functions on a made-up flake, two smooth parameters and a law; nothing is drawn by hand.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from napari_wse2xai import explaining
from napari_wse2xai.learning import GaussianProcess, SpatialBlockKFold
from napari_wse2xai.learning.null_test import null_test
from napari_wse2xai.plots.plain_text import PlainFigure

IMAGES = Path(__file__).parent / "images"
SHAPE = (30, 40)
DPI = 110
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Flake:
    """Two smooth parameters on a triangle, a PL that follows them, and one that does not."""

    on: NDArray[np.bool_]
    """(ny, nx)"""
    table: Numbers
    """(n, 2)"""
    lawful: Numbers
    unrelated: Numbers

    @property
    def places(self) -> Numbers:
        """(n, 2) y and x."""
        return np.argwhere(self.on).astype(np.float64)

    def picture(self, values: Numbers) -> Numbers:
        """(ny, nx)"""
        image = np.full(SHAPE, np.nan)
        image[self.on] = values
        return image


def made(seed: int = 5) -> Flake:
    """A flake; the law: the first parameter brightens where the second is high, and hardly where it is low."""
    rng = np.random.default_rng(seed)
    fields = [gaussian_filter(rng.normal(size=SHAPE), 4.0) for _ in range(3)]
    first, second, third = ((field - field.mean()) / field.std() for field in fields)
    row, column = np.mgrid[: SHAPE[0], : SHAPE[1]]
    on = (row > 2) & (column > 0.55 * (SHAPE[0] - row)) & (column < SHAPE[1] - 0.55 * (SHAPE[0] - row))
    table = np.column_stack([first[on], second[on]])
    noise = rng.normal(size=(2, len(table))) * 5
    law = 100 + 30 * table[:, 0] / (1 + np.exp(-2 * table[:, 1]))
    return Flake(on, table, law + noise[0], 100 + 20 * third[on] + noise[1])


def main() -> None:
    """Draw all."""
    flake = made()
    for name, draw in {"ice": draw_ice, "ale": draw_ale, "blocks": draw_blocks, "null": draw_null}.items():
        figure = PlainFigure(figsize=(9.0, 3.2), layout="constrained")
        draw(figure, flake)
        figure.savefig(IMAGES / f"ideas_{name}.png", dpi=DPI, metadata={"Software": None})


def draw_ice(figure: PlainFigure, flake: Flake) -> None:
    """ICE curves with their mean, and the slopes where the pixels lie."""
    subject = explaining.Subject.of(GaussianProcess(random_state=0).fit(flake.table, flake.lawful), flake.table)
    curves = explaining.partial_dependence(subject, features=[0], kind="both", samples=150)
    slopes = explaining.ice_slope(subject, features=[0])
    left, right = figure.subplots(1, 2)
    left.plot(curves.grid_values[0], curves.individual[0].T, color="#4c78b8", alpha=0.2, linewidth=0.8)
    left.plot(curves.grid_values[0], curves.average[0], color="#b3261e", linewidth=2.2)
    left.plot([], [], color="#4c78b8", label="one pixel (ICE)")
    left.plot([], [], color="#b3261e", label="their mean (PDP)")
    left.set(xlabel="RS parameter", ylabel="predicted PL (counts)", title="Turned from low to high, pixel by pixel")
    left.legend(frameon=False)
    reach = float(np.percentile(np.abs(slopes.slope[0]), 98))
    shown = _map(right, flake.picture(slopes.slope[0]), "Slope of each pixel's curve", cmap="RdBu_r", vmin=-reach, vmax=reach)
    figure.colorbar(shown, ax=right, label="counts per unit of the parameter")


def draw_ale(figure: PlainFigure, flake: Flake) -> None:
    """A parameter that goes with another one: PDP leaves the data, ALE does not."""
    rng = np.random.default_rng(1)
    twin = flake.table[:, :1] + 0.25 * rng.normal(size=(len(flake.table), 1))
    table = np.hstack([flake.table[:, :1], twin])
    light = 100 + 8 * table[:, 0] * table[:, 1] + rng.normal(size=len(table)) * 2
    subject = explaining.Subject.of(GaussianProcess(random_state=0).fit(table, light), table)
    curve, local = (
        explaining.partial_dependence(subject, features=[0]),
        explaining.accumulated_local_effects(subject, features=[0], bins=20),
    )
    left, right = figure.subplots(1, 2)
    left.plot(*table.T, ".", color="#4c78b8", markersize=3)
    left.set(xlabel="RS parameter", ylabel="the parameter that goes with it", title="Pairs of values that occur")
    grid, average = curve.grid_values[0], curve.average[0] - curve.average[0].mean()
    right.plot(grid, average, color="#b3261e", linewidth=2, label="PDP")
    right.plot(local.grid_values[0], local.average[0], color="#2a7d4f", linewidth=2, label="ALE")
    right.fill_between(grid, *right.get_ylim(), where=~curve.supported[0], color="#8a8a8a", alpha=0.2, linewidth=0, label="off the data")
    right.set(xlabel="RS parameter", ylabel="change of predicted PL (counts)", title="What is made of it", xlim=(grid[0], grid[-1]))
    right.legend(frameon=False)


def draw_blocks(figure: PlainFigure, flake: Flake) -> None:
    """A PL that owes nothing to RS, predicted between known neighbours and in blocks that were held out."""
    blocks = SpatialBlockKFold(block_size=9.0, buffer=4.0)
    scattered = np.random.default_rng(0).permutation(len(flake.table)) % 5
    folds = [np.flatnonzero(scattered == fold) for fold in range(5)]
    between = _held_out(flake, [(np.setdiff1d(np.arange(len(scattered)), fold), fold) for fold in folds])
    apart = _held_out(flake, list(blocks.split(None, flake.unrelated, flake.places)))
    axes = figure.subplots(1, 3)
    low, high = np.percentile(flake.unrelated, [2, 98])
    _map(axes[0], flake.picture(flake.unrelated), "PL, made up without RS", vmin=low, vmax=high)
    _map(axes[1], flake.picture(between), f"between known neighbours\nR² {_r2(flake.unrelated, between):.2f}", vmin=low, vmax=high)
    _map(axes[2], flake.picture(apart), f"blocks that were kept away\nR² {_r2(flake.unrelated, apart):.2f}", vmin=low, vmax=high)


def draw_null(figure: PlainFigure, flake: Flake) -> None:
    """Scores of surrogates, and those of a lawful and of an unrelated PL."""
    for axes, values, title in zip(
        figure.subplots(1, 2, sharex=True),
        (flake.lawful, flake.unrelated),
        ("a PL that follows RS", "a PL that does not"),
        strict=True,
    ):
        tested = null_test(flake.table, values, flake.places)
        axes.hist(tested.surrogate_r2["random"], bins=20, color="#a9b6c4", label="surrogates")
        axes.axvline(tested.r2["random"], color="#b3261e", linewidth=2, label=f"this map, p = {tested.p_value['random']:.2f}")
        axes.set(xlabel="R² between known neighbours", ylabel="surrogates", title=title)
        axes.legend(frameon=False, loc="upper left")


def _held_out(flake: Flake, splits: list[tuple[NDArray[np.intp], NDArray[np.intp]]]) -> Numbers:
    """Prediction of every pixel by a model that did not see it; the model knows RS and nothing else."""
    predicted = np.full(len(flake.table), np.nan)
    for training, test in splits:
        model = GaussianProcess(random_state=0).fit(flake.table[training], flake.unrelated[training])
        predicted[test] = model.predict(flake.table[test])
    return predicted


def _r2(values: Numbers, predicted: Numbers) -> float:
    return float(1 - ((values - predicted) ** 2).sum() / ((values - values.mean()) ** 2).sum())


def _map(axes: Axes, image: Numbers, title: str, **looks: object) -> object:
    axes.set(title=title, xticks=[], yticks=[])
    return axes.imshow(image, interpolation="nearest", **({"cmap": "inferno"} | looks))  # type: ignore[arg-type]


if __name__ == "__main__":
    main()

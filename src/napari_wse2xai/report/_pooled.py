"""Figures over many flakes."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from napari_wse2xai.data.pooled import Pool
from napari_wse2xai.report._page import Images

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 4
"""Of panels in a row."""
BY_CONDITION = (
    "One point per flake: the median of its well fitted pixels, with a line over their middle half; boxes: quartiles over flakes."
)
ALONG = "Median of each flake's well fitted pixels with its standard error; lines: straight, or a power law for intensities."


def pooled_figures(pooled: Sequence[Pool], placed: Sequence[Pool] = (), over: str = "") -> Images:
    """Draw every parameter by condition, and those that are `placed` against what the series runs over, named with its unit."""
    from napari_wse2xai.plots.pooled import draw_along, draw_by_condition

    images: Images = {}
    for name, pools in _groups(pooled):
        images |= _sheet(f"flakes_{name}", pools, draw_by_condition)
    for name, pools in _groups([pool for pool in placed if any(pool.points(condition)[0] for condition in pool.conditions)]):
        images |= _sheet(f"over_{name}", pools, lambda axes, pool: draw_along(axes, pool, over), legend=True)
    return images


def pooled_captions(images: Images) -> list[tuple[str, str]]:
    """Names and captions of those that were drawn, in their order."""
    names = [name.removesuffix(".png") for name in images if name.endswith(".png")]
    captions = {"flakes_": BY_CONDITION, "over_": ALONG}
    return [(name, text) for start, text in reversed(captions.items()) for name in names if name.startswith(start)]


def _groups(pooled: Sequence[Pool]) -> Iterator[tuple[str, list[Pool]]]:
    """Pools of one figure, by its name: one parameter of every peak of a modality."""
    found: dict[str, list[Pool]] = {}
    for pool in pooled:
        parameter = pool.first.parameter if pool.first.peak else "computed"
        found.setdefault(f"{pool.first.modality}_{parameter}", []).append(pool)
    yield from found.items()


def _sheet(name: str, pools: Sequence[Pool], draw: "Callable[[Axes, Pool], None]", *, legend: bool = False) -> Images:
    """One panel for each peak; conditions are named above all where they are told apart by colour."""
    from napari_wse2xai.plots.plain_text import PlainFigure
    from napari_wse2xai.report._figures import saved

    columns = min(len(pools), COLUMNS)
    rows = -(-len(pools) // columns)
    figure = PlainFigure(figsize=(max(2.9 * columns, 4.0), 2.5 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, pool in zip(panels, pools, strict=False):
        draw(axes, pool)
    for axes in panels[len(pools) :]:
        axes.set_axis_off()
    handles, labels = panels[0].get_legend_handles_labels()
    if legend and len(labels) > 1:
        figure.legend(handles, labels, loc="outside upper center", ncols=4, fontsize="small", frameon=False)
    return saved(figure, name)

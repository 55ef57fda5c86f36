"""Models that predict as well, beside one another: slope maps of one parameter, and where they are apart."""

from collections.abc import Sequence

from matplotlib.axes import Axes

from napari_wse2xai.data import Explanation
from napari_wse2xai.data.explanation import APART
from napari_wse2xai.data.quantities import COLORMAPS, feature_words
from napari_wse2xai.plots.grid import is_line
from napari_wse2xai.plots.judged import badge, stamp
from napari_wse2xai.plots.maps import MapPlot, draw_profile
from napari_wse2xai.plots.side_by_side import slope_reach


def draw_compared(grid: Sequence[Axes], explanation: Explanation, feature: int, *, flake: int = 0) -> None:
    """Slope maps of every model in the same colours, then by how many errors they differ.

    Parameters
    ----------
    grid : an Axes for every model and one more
    feature : number of the feature
    flake : which of `samples.frames`
    """
    samples, unit = explanation.samples, f"{explanation.target_unit} / {explanation.feature_units[feature]}"
    maps = {explanation.model_words: explanation.slope, **{other.words: other.slope for other in explanation.others}}
    reach = slope_reach(samples.image(explanation.slope[feature], flake))
    for axes, (name, slopes) in zip(grid, maps.items(), strict=False):
        values, title = samples.image(slopes[feature], flake), f"ICE slope, {feature_words(explanation.features[feature])}\n{name}"
        if is_line(samples.frames[flake]):
            draw_profile(axes, samples.frames[flake], values, title=title, unit=unit)
        else:
            MapPlot(axes, samples.frames[flake]).show(values, title=title, unit=unit, colors=COLORMAPS["slope"], clim=(-reach, reach))
        stamp(axes, explanation.stamp)
    _draw_apart(grid[len(maps)], explanation, feature, flake)
    badge(grid[0], explanation.verdict, inside=True)


def _draw_apart(axes: Axes, explanation: Explanation, feature: int, flake: int) -> None:
    """Difference of the models in errors; bright where it is beyond what the errors allow."""
    assert explanation.disagreement is not None
    frame, share = explanation.samples.frames[flake], float(explanation.disputed(feature).mean())
    values = explanation.samples.image(explanation.disagreement[feature], flake)
    title, unit = f"models apart\nbeyond {APART} errors in {share:.0%}", "errors"
    if is_line(frame):
        draw_profile(axes, frame, values, title=title, unit=unit)
    else:
        MapPlot(axes, frame).show(values, title=title, unit=unit, colors=COLORMAPS["error"], clim=(0.0, 2 * APART))
    stamp(axes, explanation.stamp)

"""Parts of a flake in which a parameter acts alike, as a map with their rules."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.patches import Patch

from napari_wse2xai.data import Explanation
from napari_wse2xai.data.quantities import feature_words, region_color
from napari_wse2xai.plots.grid import aspect, dress, dress_line, extent_um, is_line, line_extent
from napari_wse2xai.plots.judged import badge, stamp
from napari_wse2xai.plots.plain_text import plain


def draw_regions(axes: Axes, explanation: Explanation, feature: int, *, flake: int = 0) -> None:
    """Regions of a parameter in the colours of the window's layer; what each is stands beneath."""
    assert explanation.region_of is not None
    frame, regions = explanation.samples.frames[flake], [each for each in explanation.regions if each.feature == feature]
    colors = [region_color(each.number - 1) for each in regions]
    values, line = explanation.samples.image(explanation.region_of[feature], flake), is_line(frame)
    axes.imshow(
        values.reshape(1, -1) if line else values,
        extent=line_extent(frame) if line else extent_um(frame),
        cmap=ListedColormap(colors),
        norm=BoundaryNorm(np.arange(len(regions) + 1) + 0.5, len(regions)),
        aspect="auto" if line else aspect(frame),
        interpolation="nearest",
    )
    (dress_line if line else dress)(axes, frame)
    axes.set_title(plain(f"Where {feature_words(explanation.features[feature])} acts alike ({explanation.model_words})"), loc="left")
    handles = [Patch(facecolor=color, label=plain(each.rule)) for color, each in zip(colors, regions, strict=True)]
    axes.legend(handles=handles, fontsize="x-small", loc="upper left", bbox_to_anchor=(0.0, -0.22), frameon=False)
    badge(axes, explanation.verdict, inside=True)
    stamp(axes, explanation.stamp)

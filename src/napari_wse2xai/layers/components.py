"""Components of a map's spectra as layers: their shares as images, groups of like spectra as Labels."""

import numpy as np

from napari_wse2xai.data import Components
from napari_wse2xai.data.quantities import COLORMAPS, region_color
from napari_wse2xai.layers.shown import KEY, LayerTuple, Shown, image_layer, place, to_layers

GROUPS = "groups"


@to_layers.register
def _(artefact: Components) -> list[LayerTuple]:
    if artefact.group is not None:
        return [groups_layer(artefact)]
    return [share_layer(artefact, index) for index in reversed(range(len(artefact.names)))]


def share_layer(components: Components, index: int) -> LayerTuple:
    """How much of a component lies in each pixel; only the first is seen at first.  What differs from a mean diverges from zero."""
    if components.share is None:
        raise ValueError("groups have no shares")
    values, name = components.share[index], components.names[index]
    diverges = components.mean is not None
    title = f"{components.name} · {components.method} {index + 1} ({100 * components.explained[index]:.2g} %)"
    layer = image_layer(components, name, title, values, COLORMAPS["slope" if diverges else "value"], visible=index == 0)
    if diverges:
        reach = float(np.nanpercentile(np.abs(values), 98)) if np.isfinite(values).any() else 1.0
        layer[1]["contrast_limits"] = (-reach or -1.0, reach or 1.0)
    return layer


def groups_layer(components: Components) -> LayerTuple:
    """Groups of like spectra as Labels."""
    if components.group is None:
        raise ValueError("components are no groups")
    words = ["not compared", *components.names]
    keywords = {
        "name": f"{components.name} · {components.method}, {len(components.names)} groups",
        "opacity": 0.6,
        "features": {"index": list(range(len(words))), "group": words},
        "colormap": {None: "#00000000", 0: "#00000000"} | {k + 1: region_color(k) for k in range(len(components.names))},
        "metadata": {KEY: Shown(components, GROUPS)},
    }
    return components.group, keywords | place(components.frame), "labels"

"""Components of a map's spectra as layers: their shares as images, groups of like spectra as Labels."""

from napari_wse2xai.data import Components
from napari_wse2xai.data.quantities import COLORMAPS, region_color
from napari_wse2xai.layers.shown import LayerTuple, Shown, image_layer, kinds_layer, reach, to_layers

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
        layer[1]["contrast_limits"] = (-reach(values), reach(values))
    return layer


def groups_layer(components: Components) -> LayerTuple:
    """Groups of like spectra as Labels."""
    if components.group is None:
        raise ValueError("components are no groups")
    kinds = [("not compared", "#00000000"), *((name, region_color(k)) for k, name in enumerate(components.names))]
    name = f"{components.name} · {components.method}, {len(components.names)} groups"
    return kinds_layer(Shown(components, GROUPS), name, components.group, kinds, heading="group", opacity=0.6)

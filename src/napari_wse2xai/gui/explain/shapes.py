"""The layer of shapes that the user draws round pixels."""

from napari_wse2xai.data import Explanation
from napari_wse2xai.layers import KEY, LayerTuple, Shown
from napari_wse2xai.layers.shown import place


def shapes_layer(explanation: Explanation) -> LayerTuple:
    """Make an empty Shapes layer, in pixels of the first flake; what is drawn in it counts on every flake that it covers."""
    keywords = {
        "ndim": 2,
        "name": "drawn regions of the curves",
        "face_color": "#e8711a33",
        "edge_color": "#e8711a",
        "edge_width": 0.3,
        "metadata": {KEY: Shown(explanation, "drawn")},
    }
    return None, keywords | place(explanation.samples.frames[0]), "shapes"

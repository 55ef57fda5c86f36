"""Theory as layers: which pixels are called bright and dark, and cells of atoms as points in space."""

from typing import Any

import numpy as np

from napari_wse2xai.layers.shown import LayerTuple, Shown, kinds_layer, to_layers
from napari_wse2xai.theory.beside import TheoryBeside
from napari_wse2xai.theory.cell import HarmonicCell

ELEMENTS = {"W": ("#2e86ab", 1.9), "Mo": ("#5b8e7d", 1.9), "Se": ("#e8a33d", 1.5), "S": ("#e9c46a", 1.3), "O": ("#d1495b", 1.1)}
"""Colour and diameter (A) of each element's point."""
_REGIONS = {"elsewhere": "#00000000", "bright": "#f0b13f", "dark": "#4c78b8", "between": "#00000000"}
_UNKNOWN = ("#8a8a8a", 1.5)


@to_layers.register
def _(artefact: TheoryBeside) -> list[LayerTuple]:
    return [regions_layer(artefact)]


def regions_layer(beside: TheoryBeside) -> LayerTuple:
    """Bright and dark parts of the flake, whose mean spectra theory is laid over, as Labels."""
    name = f"bright and dark by {beside.light}"
    return kinds_layer(Shown(beside, "regions"), name, beside.region, list(_REGIONS.items()), heading="region", opacity=0.5)


def structure_layer(cell: HarmonicCell, name: str, *, visible: bool = True) -> LayerTuple:
    """Atoms as points (z, y, x) in A, the metal's plane at z = 0; the element stands in the status bar."""
    metals = np.isin(cell.symbols, ("W", "Mo"))
    x, y, z = cell.positions.T
    colours, sizes = zip(*(ELEMENTS.get(symbol, _UNKNOWN) for symbol in cell.symbols), strict=True)
    keywords: dict[str, Any] = {
        "name": name,
        "features": {"element": list(cell.symbols)},
        "face_color": list(colours),
        "border_width": 0.06,
        "border_color": "#1d2733",
        "size": np.array(sizes),
        "shading": "spherical",
        "visible": visible,
        "axis_labels": ("z", "y", "x"),
        "units": ("angstrom",) * 3,
        "metadata": {},
    }
    return np.stack([z - z[metals].mean(), y, x], axis=1), keywords, "points"

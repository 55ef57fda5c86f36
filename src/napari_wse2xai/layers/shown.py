"""What every layer has in common: its place on the canvas, its looks, and the way back to what it shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Components, Explanation, Frame, PairedMaps, PeakMaps, Picture, SpectralMap, TrainedModel
from napari_wse2xai.theory.beside import TheoryBeside

LayerTuple = tuple[Any, dict[str, Any], str]
KEY = "wse2xai"
BY_HAND = "#e8711a"
"""Colour of what a user draws or paints, the same on every layer and in every plot."""


@dataclass(frozen=True, eq=False)
class Shown:
    """What a layer shows."""

    artefact: SpectralMap | PeakMaps | Components | Picture | PairedMaps | TrainedModel | Explanation | TheoryBeside
    part: str
    """``map``, ``residual``, ``flake``, ``repaired``, ``status``, ``reduced chi2``, ``picture``, ``light``, or a peak parameter as in
    `part_name`; of components their names, or ``groups``; of paired maps ``RS``, ``PL``, or a parameter of a PL peak; of a model
    ``measured``, ``predicted``, ``error``, ``split``, ``folds``; of an explanation ``region``, or ``drawn``; ``slope``, ``apart``, ``RS``,
    ``PL``, ``effect`` and the feature's name; of theory beside the data ``regions``."""
    flake: int = 0
    """Which flake, of an artefact that holds several."""

    @property
    def frame(self) -> Frame:
        """Grid of the layer."""
        if isinstance(self.artefact, TrainedModel | Explanation):
            return self.artefact.samples.frames[self.flake]
        return self.artefact.frame

    @property
    def name(self) -> str:
        """Name of the map that the layer goes with."""
        if isinstance(self.artefact, TrainedModel | Explanation):
            return self.artefact.samples.names[self.flake]
        return self.artefact.name


@singledispatch
def to_layers(artefact: object) -> list[LayerTuple]:
    """Layers that show an artefact; of many peak maps only the strongest height, the others come from `peak_layer` on demand."""
    raise TypeError(f"{type(artefact).__name__} cannot be shown")


def shown_in(metadata: Mapping[str, object]) -> Shown | None:
    """What a layer's metadata say that it shows; None for a layer of other making."""
    shown = metadata.get(KEY)
    return shown if isinstance(shown, Shown) else None


def place(frame: Frame) -> dict[str, Any]:
    """Where a frame lies on the canvas; a stage coordinate that falls along the rows is drawn with its sign turned, never mirrored.

    The pixels of a series are drawn one apart, in both directions: napari compares what it shows, and a second is no micrometre.
    """
    along = [_placed(*each, are_places=frame.has_places) for each in zip(frame.step_um, frame.origin_um, strict=True)]
    falls = np.prod(frame.step_um) < 0
    turned = {"rotate": -frame.rotation_deg if falls else frame.rotation_deg} if frame.rotation_deg else {}
    return {
        "scale": tuple(scale for scale, _ in along),
        "translate": tuple(start for _, start in along),
        "units": ("um", "um") if frame.has_places else ("pixel", "pixel"),
        "axis_labels": tuple(each.name if each.is_length and frame.has_places else each.label for each in frame.directions),
    } | turned


def _placed(step: float, origin: float, *, are_places: bool) -> tuple[float, float]:
    """Scale and translation along one direction."""
    if not are_places:
        return 1.0, 0.0
    return abs(step), origin if step > 0 else -origin


def image_layer(
    artefact: SpectralMap | PeakMaps | Components, part: str, name: str, values: NDArray[Any], colormap: str, *, visible: bool = True
) -> LayerTuple:
    """One map as an Image; NaN is transparent."""
    keywords = {
        "name": name,
        "colormap": colormap,
        "contrast_limits": limits(values, 2, 98),
        "visible": visible,
        "metadata": {KEY: Shown(artefact, part)},
    }
    return values, keywords | place(artefact.frame), "image"


def limits(values: NDArray[Any], low: float, high: float) -> tuple[float, float]:
    """Colour limits deaf to outliers, never equal."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    bottom, top = (float(v) for v in np.percentile(finite, [low, high]))
    return (bottom, top) if top > bottom else (bottom - 0.5, bottom + 0.5)


def kinds_layer(
    shown: Shown, name: str, values: NDArray[Any], kinds: Sequence[tuple[str, str]], *, heading: str = "", **looks: Any
) -> LayerTuple:
    """Which of some kinds each pixel is of, as Labels whose words stand in the status bar.

    Parameters
    ----------
    values : (ny, nx) numbers of `kinds`, from 0
    kinds : words and colour of each
    heading : of the words; the part that is shown where none is given
    """
    keywords = {
        "name": name,
        "features": {"index": list(range(len(kinds))), heading or shown.part: [words for words, _ in kinds]},
        "colormap": {None: "#00000000"} | {number: colour for number, (_, colour) in enumerate(kinds)},
        "metadata": {KEY: shown},
    }
    return values, keywords | looks | place(shown.frame), "labels"


def shapes_layer(shown: Shown, name: str) -> LayerTuple:
    """Empty layer that a user draws on."""
    keywords = {"ndim": 2, "name": name, "face_color": f"{BY_HAND}22", "edge_color": BY_HAND, "edge_width": 0.4, "metadata": {KEY: shown}}
    return None, keywords | place(shown.frame), "shapes"


def reach(values: NDArray[Any]) -> float:
    """Colour limit, up and down: deaf to outliers, never zero."""
    finite = np.abs(values[np.isfinite(values)])
    return float(np.percentile(finite, 98)) or 1.0 if finite.size else 1.0

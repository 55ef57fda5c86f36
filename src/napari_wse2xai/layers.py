"""Artefacts as napari layer tuples, and back; napari itself is not needed for either.

Same frame, same place: every layer gets scale, translation and units from the artefact's `Frame`, rows downwards, columns to the right.
`layer.metadata["wse2xai"]` holds a `Shown`, written here only and read by `artefact_of` and `shown_in` only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import PARAMETERS, AxisKind, Frame, PairedMaps, PeakMaps, Picture, Results, SpectralAxis, SpectralMap, Status
from napari_wse2xai.numerics import brightness

LayerTuple = tuple[Any, dict[str, Any], str]
KEY = "wse2xai"
PINT_UNITS = {AxisKind.RAMAN_SHIFT: "1/cm", AxisKind.WAVELENGTH: "nm", AxisKind.ENERGY: "eV"}
COLORMAPS = {"position": "turbo", "fwhm": "viridis", "height": "inferno"}
STATUS_COLORS = {
    Status.OK: "#3f9b63",
    Status.NOT_ON_FLAKE: "#00000000",
    Status.NOT_MEASURED: "#8c8c8c",
    Status.BELOW_NOISE: "#4c78b8",
    Status.AT_BOUND: "#e8a33d",
    Status.NOT_CONVERGED: "#d1495b",
    Status.TOO_FEW_CHANNELS: "#6b6b6b",
    Status.PEAKS_MERGED: "#9a7fd1",
    Status.SPIKE_LEFT: "#e377c2",
    Status.ABNORMAL: "#a0522d",
}
"""Good is green, what needs a look is bright."""
WORDS = {"position": "position", "fwhm": "FWHM", "height": "height"}
DONE = {
    "Despike": "despiked",
    "Baseline": "above baseline",
    "ConvertAxis": "converted",
    "Calibrate": "calibrated",
    "CorrectResponse": "response corrected",
}
"""What is added to a map's layer name after a stage."""


@dataclass(frozen=True, eq=False)
class Shown:
    """What a layer shows."""

    artefact: SpectralMap | PeakMaps | Picture | PairedMaps
    part: str
    """``map``, ``flake``, ``repaired``, ``status``, ``reduced chi2``, ``picture``, ``light``, or a peak parameter as in `part_name`; of
    paired maps ``RS``, ``PL``, or a parameter of a PL peak."""


def part_name(name: str, parameter: str, *, error: bool = False) -> str:
    """Name of one peak parameter's map, and of its layer: ``A1' height``, ``A1' height error``."""
    return f"{name} {WORDS[parameter]}{' error' if error else ''}"


@singledispatch
def to_layers(artefact: object) -> list[LayerTuple]:
    """Layers that show an artefact; of many peak maps only the strongest height, the others come from `peak_layer` on demand."""
    raise TypeError(f"{type(artefact).__name__} cannot be shown")


@to_layers.register
def _(artefact: SpectralMap) -> list[LayerTuple]:
    layers = [map_layer(artefact)]
    if artefact.repaired is not None:
        layers.append(repaired_layer(artefact))
    if artefact.flake is not None:
        layers.append(flake_layer(artefact))
    return layers


@to_layers.register
def _(artefact: PeakMaps) -> list[LayerTuple]:
    strongest = int(np.argmax([np.nanmax(h) if np.isfinite(h).any() else -np.inf for h in artefact.height]))
    return [status_layer(artefact), peak_layer(artefact, strongest, "height")]


@to_layers.register
def _(artefact: PairedMaps) -> list[LayerTuple]:
    carried = [peak_layer(artefact.pl, index, parameter) for index in range(len(artefact.pl.names)) for parameter in PARAMETERS]
    for _, keywords, _ in carried:
        metadata = {KEY: Shown(artefact, keywords["metadata"][KEY].part)}
        keywords |= {"visible": False, "name": f"{keywords['name']} on RS grid", "metadata": metadata}
    return [*carried, *overlay_layers(artefact)]


@to_layers.register
def _(artefact: Picture) -> list[LayerTuple]:
    return [picture_layer(artefact)]


@to_layers.register
def _(artefact: Results) -> list[LayerTuple]:
    axes = tuple(source.axis for source in artefact.maps.values())
    layers = []
    for key, source in artefact.maps.items():
        layers.append(map_layer(source, sliders=axes))
        layers.extend(layer for layer in to_layers(source)[1:])
        layers.extend(to_layers(artefact.peaks[key]) if key in artefact.peaks else [])
    for _, keywords, _ in layers[: -1 if artefact.peaks else 0]:
        keywords["visible"] = keywords["metadata"][KEY].part == "map" and not artefact.peaks
    if artefact.paired is not None:
        layers.extend((data, keywords | {"visible": False}, kind) for data, keywords, kind in to_layers(artefact.paired))
    return layers


def map_layer(source: SpectralMap, *, sliders: tuple[SpectralAxis, ...] = ()) -> LayerTuple:
    """Image whose slider is the spectral axis and whose canvas is the flake in um.

    Parameters
    ----------
    sliders
        Spectral axes of all maps that share the window, this one's included.  Maps of different kinds of axis get a slider each: the
        data are repeated, without copying, along the others' axes, so that each map is seen whatever the others' sliders say.
    """
    kinds = {axis.kind: axis for axis in (*sliders, source.axis)}
    ordered = [kinds[kind] for kind in AxisKind if kind in kinds]
    data = np.moveaxis(source.counts, -1, 0)
    for position, axis in enumerate(ordered):
        if axis.kind is not source.axis.kind:
            data = np.expand_dims(data, position)
    data = np.broadcast_to(data, (*(len(source.axis if a.kind is source.axis.kind else a) for a in ordered), *source.frame.shape))
    place = _place(source.frame)
    low, high = _limits(source.counts[..., telling_channel(source)], 1, 99)
    return (
        data,
        {
            "name": layer_name(source),
            "scale": (*(_step(axis) for axis in ordered), *place["scale"]),
            "translate": (*(axis.span[0] for axis in ordered), *place["translate"]),
            "units": (*(PINT_UNITS[axis.kind] for axis in ordered), *place["units"]),
            "axis_labels": (*(axis.kind.value for axis in ordered), *place["axis_labels"]),
            "contrast_limits": (low, high),
            "colormap": "gray",
            "metadata": {KEY: Shown(source, "map")},
        },
        "image",
    )


def layer_name(source: SpectralMap) -> str:
    """Name of the map and what was last done to it."""
    last = next((DONE[record.step] for record in reversed(source.history) if record.step in DONE), "")
    return f"{source.name} · {last}" if last else source.name


def flake_layer(source: SpectralMap) -> LayerTuple:
    """Labels that can be edited by hand: 1 is flake."""
    if source.flake is None:
        raise ValueError("the flake was not looked for")
    keywords = {"name": f"{source.name} · flake", "opacity": 0.35, "metadata": {KEY: Shown(source, "flake")}}
    return source.flake.astype(np.uint8), keywords | _place(source.frame), "labels"


def repaired_layer(source: SpectralMap) -> LayerTuple:
    """Number of channels that the spike filter replaced, hidden at first."""
    if source.repaired is None:
        raise ValueError("spikes were not looked for")
    return _image(source, "repaired", f"{source.name} · channels repaired", source.repaired.astype(np.float32), "magma", visible=False)


def peak_layer(peaks: PeakMaps, index: int, parameter: str, *, error: bool = False) -> LayerTuple:
    """One parameter of one peak, or its standard error; NaN is transparent."""
    values = getattr(peaks, f"{parameter}_error" if error else parameter)[index]
    part = part_name(peaks.names[index], parameter, error=error)
    return _image(peaks, part, f"{part} ({pretty(peaks.unit(parameter))})", values, "cividis" if error else COLORMAPS[parameter])


def light_layer(peaks: PeakMaps, colour: str) -> LayerTuple:
    """Sum of the heights of all peaks in one colour that adds to those below: two flakes in magenta and green are white where they meet."""
    values, keywords, kind = _image(peaks, "light", f"{peaks.name} · all peaks", np.nan_to_num(peaks.light), colour)
    return values, keywords | {"blending": "additive", "contrast_limits": (0.0, _limits(peaks.light, 2, 98)[1])}, kind


def overlay_layers(paired: PairedMaps, *, in_turns: bool = False) -> list[LayerTuple]:
    """RS in magenta and PL in green over each other, white where both shine; or in turns, as the squares of a checkerboard."""
    squares = paired.squares()
    layers = []
    for part, peaks, colour, seen in (("RS", paired.raman, "magenta", ~squares), ("PL", paired.pl, "green", squares)):
        values, keywords, kind = light_layer(peaks, colour)
        keywords |= {"name": f"{part} of the pair", "metadata": {KEY: Shown(paired, part)}}
        layers.append((np.where(seen, values, 0.0) if in_turns else values, keywords, kind))
    return layers


def chi2_layer(peaks: PeakMaps) -> LayerTuple:
    """Goodness of the fit of every pixel; about 1 where it is good."""
    return _image(peaks, "reduced chi2", f"{peaks.name} · reduced χ²", peaks.reduced_chi2, "viridis")


def status_layer(peaks: PeakMaps) -> LayerTuple:
    """What became of each pixel, as Labels in `STATUS_COLORS` whose features name the words; hidden at first."""
    colours: dict[int | None, str] = {None: "#00000000"} | {int(status): colour for status, colour in STATUS_COLORS.items()}
    words = {"index": [int(status) for status in Status], "status": [status.meaning for status in Status]}
    keywords = {
        "name": f"{peaks.name} · fit status",
        "visible": False,
        "features": words,
        "colormap": colours,
        "metadata": {KEY: Shown(peaks, "status")},
    }
    return peaks.status, keywords | _place(peaks.frame), "labels"


def picture_layer(picture: Picture) -> LayerTuple:
    """Scan or white-light picture in its place, to lie under the maps."""
    colours = {"rgb": True} if picture.is_colour else {"colormap": "gray", "contrast_limits": _limits(picture.values, 1, 99)}
    name = f"{picture.name} ({pretty(picture.unit)})" if picture.unit else picture.name
    metadata = {KEY: Shown(picture, "picture")}
    return picture.values, {"name": name, "metadata": metadata} | colours | _place(picture.frame), "image"


def shown_in(metadata: Mapping[str, Any]) -> Shown | None:
    """What a layer's metadata say that it shows; None for a layer of other making."""
    shown = metadata.get(KEY)
    return shown if isinstance(shown, Shown) else None


def _image(
    artefact: SpectralMap | PeakMaps, part: str, name: str, values: NDArray[Any], colormap: str, *, visible: bool = True
) -> LayerTuple:
    keywords = {
        "name": name,
        "colormap": colormap,
        "contrast_limits": _limits(values, 2, 98),
        "visible": visible,
        "metadata": {KEY: Shown(artefact, part)},
    }
    return values, keywords | _place(artefact.frame), "image"


def _place(frame: Frame) -> dict[str, Any]:
    """Where a frame lies on the canvas; a stage coordinate that falls along the rows is drawn with its sign turned, never mirrored."""
    return {
        "scale": tuple(abs(step) for step in frame.step_um),
        "translate": tuple(origin if step > 0 else -origin for origin, step in zip(frame.origin_um, frame.step_um, strict=True)),
        "units": ("um", "um"),
        "axis_labels": ("y", "x"),
    }


def _step(axis: SpectralAxis) -> float:
    """Mean step of an axis, so that the slider's ends are exact and its middle nearly so."""
    return (axis.span[1] - axis.span[0]) / (len(axis) - 1) if len(axis) > 1 else 1.0


def telling_channel(source: SpectralMap) -> int:
    """Channel to show first: where the flake's strongest line is."""
    return brightness.telling_channel(source.counts)


def _limits(values: NDArray[Any], low: float, high: float) -> tuple[float, float]:
    """Colour limits deaf to outliers, never equal."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    bottom, top = (float(v) for v in np.percentile(finite, [low, high]))
    return (bottom, top) if top > bottom else (bottom - 0.5, bottom + 0.5)


def pretty(unit: str) -> str:
    """Write a unit as people read it."""
    return unit.replace("cm-1", "cm⁻¹")

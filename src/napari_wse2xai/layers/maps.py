"""What is measured, fitted and paired, as layers."""

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import PARAMETERS, AxisKind, ComputedMap, PairedMaps, PeakMaps, Picture, Results, SpectralAxis, SpectralMap, Status
from napari_wse2xai.data.peak_maps import strongest
from napari_wse2xai.data.quantities import COLORMAPS, STATUS_COLORS, WORDS, pretty
from napari_wse2xai.layers.arriving import ArrivingPlanes, is_dear
from napari_wse2xai.layers.shown import KEY, LayerTuple, Shown, image_layer, limits, place, to_layers
from napari_wse2xai.layers.slider import OnSlider, Slider
from napari_wse2xai.numerics import brightness
from napari_wse2xai.numerics.brightness import sampled

PINT_UNITS = {AxisKind.RAMAN_SHIFT: "1/cm", AxisKind.WAVELENGTH: "pixel", AxisKind.ENERGY: "eV", AxisKind.WAVENUMBER: "1/cm"}
"""Unit of a slider.  No length: napari has one unit of length for all axes, and the canvas would be in nanometres, the mouse too."""
DONE = {
    "Despike": "despiked",
    "Baseline": "above baseline",
    "ConvertAxis": "converted",
    "Calibrate": "calibrated",
    "CorrectResponse": "response corrected",
    "Normalise": "normalised",
}
"""What is added to a map's layer name after a stage."""


def part_name(name: str, parameter: str, *, error: bool = False) -> str:
    """Name of one peak parameter's map, and of its layer: ``A1' height``, ``A1' height error``."""
    return f"{name} {WORDS[parameter]}{' error' if error else ''}"


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
    return [status_layer(artefact), peak_layer(artefact, strongest(artefact.height), "height")]


@to_layers.register
def _(artefact: PairedMaps) -> list[LayerTuple]:
    carried = [peak_layer(artefact.pl, index, parameter) for index in range(len(artefact.pl.names)) for parameter in PARAMETERS]
    carried += [computed_layer(artefact.pl, each) for each in artefact.pl.computed]
    for _, keywords, _ in carried:
        metadata = {KEY: Shown(artefact, keywords["metadata"][KEY].part)}
        keywords |= {"visible": False, "name": f"{keywords['name']} on RS grid", "metadata": metadata}
    return [*carried, *overlay_layers(artefact)]


@to_layers.register
def _(artefact: Picture) -> list[LayerTuple]:
    return [picture_layer(artefact)]


@to_layers.register
def _(artefact: Results) -> list[LayerTuple]:
    first = next((source.axis for source in artefact.maps.values()), None)
    layers = []
    for key, source in artefact.maps.items():
        layers.append(map_layer(source, along=first))
        layers.extend(layer for layer in to_layers(source)[1:])
        layers.extend(to_layers(artefact.peaks[key]) if key in artefact.peaks else [])
    layers.extend(layer for key, peaks in artefact.peaks.items() if key not in artefact.maps for layer in to_layers(peaks))
    for _, keywords, _ in layers[:-1] if artefact.peaks else []:
        keywords["visible"] = False
    for learnt in (artefact.paired, artefact.model, artefact.explanation, artefact.theory):
        if learnt is not None:
            layers.extend((data, keywords | {"visible": False}, kind) for data, keywords, kind in to_layers(learnt))
    return layers


def map_layer(source: SpectralMap, *, along: SpectralAxis | None = None) -> LayerTuple:
    """Image (spectral, y, x) whose slider is the spectral axis and whose canvas is the flake in um.

    Parameters
    ----------
    along
        Axis that the slider is of, where that may be of another kind, as where a PL map joins an RS map: this map's channels are then laid
        evenly along it, since napari has one slider for the first axes of all layers.
    """
    here, own = place(source.frame), Slider.over(source.axis)
    axis = source.axis if along is None or along.kind is source.axis.kind else along
    slider = own if axis is source.axis else own.along(Slider.over(axis))
    return (
        _on_slider(source, own),
        {
            "name": layer_name(source),
            "scale": (slider.step, *here["scale"]),
            "translate": (slider.start, *here["translate"]),
            "units": (PINT_UNITS[axis.kind], *here["units"]),
            "axis_labels": (axis.kind.value, *here["axis_labels"]),
            "contrast_limits": _first_look(source)[1],
            "colormap": COLORMAPS["light"],
            "metadata": {KEY: Shown(source, "map")},
        }
        | {name: value for name, value in here.items() if name == "rotate"},
        "image",
    )


def _on_slider(source: SpectralMap, slider: Slider) -> Any:
    """Counts with the slider's axis first, then rows and columns: a view."""
    by_channel: Any = ArrivingPlanes(source.counts) if is_dear(source.counts) else np.moveaxis(source.counts, -1, 0)
    return by_channel if slider.is_even else OnSlider(by_channel, 0, slider.channels)


def residual_layer(source: SpectralMap, residual: NDArray[np.float32]) -> LayerTuple:
    """Measured minus fit (ny, nx, n) of every pixel of a map, in its place and under its slider; red is too much, blue too little."""
    _, keywords, kind = map_layer(source)
    far = limits(np.abs(residual), 2, 99)[1]
    name = f"{source.name} · residual ({pretty(source.intensity_unit)})"
    looks = {"name": name, "contrast_limits": (-far, far), "colormap": COLORMAPS["slope"], "metadata": {KEY: Shown(source, "residual")}}
    by_channel, slider = np.moveaxis(residual, -1, 0), Slider.over(source.axis)
    return by_channel if slider.is_even else OnSlider(by_channel, 0, slider.channels), keywords | looks, kind


def layer_name(source: SpectralMap) -> str:
    """Name of the map and what was last done to it."""
    last = next((DONE[record.step] for record in reversed(source.history) if record.step in DONE), "")
    return f"{source.name} · {last}" if last else source.name


def flake_layer(source: SpectralMap) -> LayerTuple:
    """Labels that can be edited by hand: 1 is flake."""
    if source.flake is None:
        raise ValueError("the flake was not looked for")
    keywords = {"name": f"{source.name} · flake", "opacity": 0.35, "metadata": {KEY: Shown(source, "flake")}}
    return source.flake.astype(np.uint8), keywords | place(source.frame), "labels"


def repaired_layer(source: SpectralMap) -> LayerTuple:
    """Number of channels that the spike filter replaced, hidden at first."""
    if source.repaired is None:
        raise ValueError("spikes were not looked for")
    return image_layer(
        source, "repaired", f"{source.name} · channels repaired", source.repaired.astype(np.float32), COLORMAPS["count"], visible=False
    )


def peak_layer(peaks: PeakMaps, index: int, parameter: str, *, error: bool = False) -> LayerTuple:
    """One parameter of one peak, or its standard error; NaN is transparent."""
    values = getattr(peaks, f"{parameter}_error" if error else parameter)[index]
    part = part_name(peaks.names[index], parameter, error=error)
    return image_layer(peaks, part, f"{part} ({pretty(peaks.unit(parameter))})", values, COLORMAPS["error" if error else parameter])


def computed_layer(peaks: PeakMaps, computed: ComputedMap, *, error: bool = False) -> LayerTuple:
    """One computed map, or its standard error; NaN is transparent."""
    part = computed_part(computed, error=error)
    name = f"{part} ({pretty(computed.unit)})" if computed.unit != "1" else part
    return image_layer(peaks, part, name, computed.error if error else computed.value, COLORMAPS["error" if error else "value"])


def computed_part(computed: ComputedMap, *, error: bool) -> str:
    """Name of a computed map, or of that of its error."""
    return f"{computed.name} error" if error else computed.name


def light_layer(peaks: PeakMaps, colour: str) -> LayerTuple:
    """Sum of the heights of all peaks in one colour that adds to those below: two flakes in magenta and green are white where they meet."""
    values, keywords, kind = image_layer(peaks, "light", f"{peaks.name} · all peaks", np.nan_to_num(peaks.light), colour)
    return values, keywords | {"blending": "additive", "contrast_limits": (0.0, limits(peaks.light, 2, 98)[1])}, kind


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
    return image_layer(peaks, "reduced chi2", f"{peaks.name} · reduced χ²", peaks.reduced_chi2, COLORMAPS["reduced_chi2"])


def status_layer(peaks: PeakMaps) -> LayerTuple:
    """What became of each pixel, as Labels in `STATUS_COLORS` whose features name the words; hidden at first."""
    colours: dict[int | None, str] = {int(status): colour for status, colour in STATUS_COLORS.items()}
    colours |= {None: "#00000000", int(Status.NOT_ON_FLAKE): "#00000000"}  # what lies below is to be seen there
    words = {"index": [int(status) for status in Status], "status": [status.meaning for status in Status]}
    keywords = {
        "name": f"{peaks.name} · fit status",
        "visible": False,
        "features": words,
        "colormap": colours,
        "metadata": {KEY: Shown(peaks, "status")},
    }
    return peaks.status, keywords | place(peaks.frame), "labels"


def picture_layer(picture: Picture) -> LayerTuple:
    """Scan or white-light picture in its place, to lie under the maps."""
    colours = {"rgb": True} if picture.is_colour else {"colormap": COLORMAPS["light"], "contrast_limits": limits(picture.values, 1, 99)}
    name = f"{picture.name} ({pretty(picture.unit)})" if picture.unit else picture.name
    metadata = {KEY: Shown(picture, "picture")}
    return picture.values, {"name": name, "metadata": metadata} | colours | place(picture.frame), "image"


def telling_channel(source: SpectralMap) -> int:
    """Channel to show first: where the flake's strongest line is."""
    return _first_look(source)[0]


_FIRST_LOOKS: WeakKeyDictionary[SpectralMap, tuple[int, tuple[float, float]]] = WeakKeyDictionary()


def _first_look(source: SpectralMap) -> tuple[int, tuple[float, float]]:
    """Channel of a map to show first, and limits of its colours; reckoned once."""
    if source not in _FIRST_LOOKS:
        channel = brightness.telling_channel(source.counts)
        seen = sampled(source.counts)[1][:, channel] if is_dear(source.counts) else source.counts[..., channel]
        _FIRST_LOOKS[source] = channel, limits(np.asarray(seen), 1, 99)
    return _FIRST_LOOKS[source]

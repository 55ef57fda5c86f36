"""Spectra of components, or of groups of like spectra, one above the other on one axis."""

import numpy as np
from matplotlib.axes import Axes

from napari_wse2xai.data import Components
from napari_wse2xai.data.quantities import COLORMAPS, pretty, region_color
from napari_wse2xai.plots.grid import is_line
from napari_wse2xai.plots.maps import MapPlot, draw_kinds, draw_profile, limits


def draw_components(axes: Axes, components: Components) -> None:
    """Spectrum of each in its colour and as high as all others, the spread of a group as a band; the first at the top."""
    x, number = components.axis.values, len(components.names)
    for index, (name, spectrum) in enumerate(zip(components.names, components.spectra, strict=True)):
        zero, colour = 1.25 * (number - 1 - index), region_color(index)
        top = max(float(np.nanmax(np.abs(spectrum))), 1e-30)
        axes.axhline(zero, color="#8a8a8a", linewidth=0.5)
        axes.plot(x, spectrum / top + zero, color=colour, linewidth=1.0)
        if components.spread is not None:
            low, high = (spectrum + sign * components.spread[index] for sign in (-1, 1))
            axes.fill_between(x, low / top + zero, high / top + zero, color=colour, alpha=0.2, linewidth=0)
        share = f"{100 * components.explained[index]:.2g} % of {'pixels' if components.group is not None else 'variance'}"
        words = f"{name}\n{share}\ntop {top:.4g} {pretty(components.intensity_unit)}"
        axes.annotate(words, (1.01, zero + 0.3), xycoords=("axes fraction", "data"), color=colour, fontsize="x-small", va="center")
    axes.set(xlabel=components.axis.label, ylabel="each from its own zero to its own top", yticks=[])
    compared = x[np.isfinite(components.spectra).any(axis=0)]
    axes.set_xlim(compared.min(), compared.max())


def draw_share(axes: Axes, components: Components, index: int) -> None:
    """How much of a component lies in each pixel; what differs from a mean diverges from zero."""
    assert components.share is not None and components.share_error is not None
    values, title = components.share[index], f"{components.method}, {components.names[index]}"
    if is_line(components.frame):
        draw_profile(axes, components.frame, values, errors=components.share_error[index], title=title, unit="")
        return
    _, reach = limits(np.abs(values))
    colors, low = (COLORMAPS["slope"], -reach) if components.mean is not None else (COLORMAPS["value"], 0.0)
    MapPlot(axes, components.frame).show(values, title=title, unit="", colors=colors, clim=(low, reach))


def draw_groups(axes: Axes, components: Components) -> None:
    """Which group each pixel belongs to."""
    assert components.group is not None
    kinds = {index + 1: (name, region_color(index)) for index, name in enumerate(components.names)}
    draw_kinds(axes, components.frame, components.group, kinds, f"{components.method}, groups of like spectra")

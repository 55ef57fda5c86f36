"""Words and colours of what is measured and fitted: one table for screen, report and docs."""

from napari_wse2xai.data.peak_maps import Status

WORDS = {"position": "position", "fwhm": "FWHM", "height": "height", "form": "form", "value": ""}
"""What a parameter is called in a title."""
COLORMAPS = {
    "position": "coolwarm",
    "fwhm": "viridis",
    "height": "inferno",
    "form": "cividis",
    "value": "plasma",
    "error": "magma",
    "count": "Greys",
}
"""Colour map of each parameter, of errors and of numbers of channels; positions diverge from their median."""
STATUS_COLORS = {
    Status.OK: "#2f9e5f",
    Status.NOT_ON_FLAKE: "#e4e4e4",
    Status.NOT_MEASURED: "#8a8a8a",
    Status.BELOW_NOISE: "#3f74bd",
    Status.AT_BOUND: "#f0a202",
    Status.NOT_CONVERGED: "#cf2f3f",
    Status.TOO_FEW_CHANNELS: "#5f6b73",
    Status.PEAKS_MERGED: "#9464c4",
    Status.SPIKE_LEFT: "#e377c2",
    Status.ABNORMAL: "#8c3f2b",
    Status.MISFIT: "#f26419",
    Status.SATURATED: "#ffe14d",
}
"""Good is green, what needs a look is bright; each is told from the others on light and on dark ground."""


def pretty(unit: str) -> str:
    """Write a unit as people read it."""
    return unit.replace("cm-1", "cm⁻¹")

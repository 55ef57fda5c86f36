"""Words and colours of what is measured and fitted: one table for screen, report and docs."""

import math
import re
from typing import NamedTuple, Self

from napari_wse2xai.data.peak_maps import Status

SIDES = {"raman": "RS", "pl": "PL"}
"""What a map of a modality is called."""
WORDS = {"position": "position", "fwhm": "FWHM", "height": "height", "form": "form", "value": ""}
"""What a parameter is called in a title."""
MODEL_WORDS = {"CNN": "network"}
"""What a model is called in a title, where that is not its name among the scores."""
COLORMAPS = {
    "position": "coolwarm",
    "fwhm": "viridis",
    "height": "inferno",
    "form": "cividis",
    "value": "plasma",
    "error": "magma",
    "count": "magma",
    "slope": "RdBu_r",
    "reduced_chi2": "viridis",
    "surface": "viridis",
    "light": "gray",
}
"""Colour map of each parameter, of errors, numbers of channels, slopes, misfits, predictions over two parameters, light; positions diverge
from their median, slopes from 0."""
_WAVENUMBERS, _SHARE = re.compile(r"(?<=\d )cm-1"), re.compile(r"\bR2\b")
"""Unit of a number, and the share of the variance that a model predicts."""
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
    Status.ACCEPTED: "#9fe08a",
    Status.REJECTED: "#c04ad8",
}
"""Good is green, what needs a look is bright; each is told from the others on light and on dark ground."""

REGION_COLORS = ("#0072b2", "#e6a817", "#009e73", "#cc5fa5", "#7f4f24", "#56b4e9", "#6a51a3", "#8a8a8a")
"""Regions in which a parameter acts alike, by their number."""


def region_color(index: int) -> str:
    """Colour of a region, a group or a component by its number from 0, the same on maps and in plots."""
    return REGION_COLORS[index % len(REGION_COLORS)]


def colormap_of(parameter: str) -> str:
    """Colour map of a parameter; that of heights for what has none of its own."""
    return COLORMAPS.get(parameter, COLORMAPS["height"])


class Feature(NamedTuple):
    """One parameter of one line, or a computed map (``value``)."""

    line: str
    parameter: str

    @classmethod
    def of(cls, name: str) -> Self:
        """Feature of a name, as ``A1'.height``; the name of a line may hold dots itself."""
        line, _, parameter = name.rpartition(".")
        return cls(line, parameter)

    @property
    def name(self) -> str:
        """As in tables and files: ``A1'.fwhm``."""
        return f"{self.line}.{self.parameter}"

    @property
    def words(self) -> str:
        """For people: ``A1' FWHM``."""
        return f"{self.line} {WORDS[self.parameter]}".strip()


def feature_words(name: str) -> str:
    """``A1'.fwhm`` as ``A1' FWHM``."""
    return Feature.of(name).words


def pretty(unit: str) -> str:
    """Write a unit as people read it."""
    return "µm" if unit == "um" else unit.replace("cm-1", "cm⁻¹")


def in_sentence(text: str) -> str:
    """Sentence with units of numbers, and R², as people read them; what a setting is called stays, such as ``abs. cm-1``."""
    return _SHARE.sub("R²", _WAVENUMBERS.sub("cm⁻¹", text))


def with_error(value: float, error: float | None) -> str:
    """Value and its standard error, both to the second digit of the error: ``249.81 ± 0.12``."""
    if error is None or not math.isfinite(error) or error <= 0:
        return f"{value:.4g}"
    decimals = 1 - math.floor(math.log10(error))
    return f"{value:.{decimals}f} ± {error:.{decimals}f}" if 0 <= decimals <= 6 else f"{value:.4g} ± {error:.2g}"


def with_unit(feature: str, unit: str) -> str:
    """``A1'.fwhm`` as ``A1' FWHM (cm⁻¹)``."""
    return f"{feature_words(feature)} ({pretty(unit)})"

"""What a model makes of each RS parameter, drawn on given Axes: the paper's Figure 3.

Every function here prints the verdict's stamp over what it draws, so that no picture of a model that must not be interpreted goes without.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from numpy.typing import NDArray

from napari_wse2xai.data import Explanation
from napari_wse2xai.data.quantities import WORDS, Feature, feature_words, pretty
from napari_wse2xai.plots.grid import is_line
from napari_wse2xai.plots.judged import badge, stamp
from napari_wse2xai.plots.plain_text import plain
from napari_wse2xai.plots.side_by_side import ThreeMaps, draw_three_profiles

CURVES = {"position": "#d1495b", "fwhm": "#e8a33d", "height": "#1f4e79", "form": "#6a4c93", "value": "#3f9b63"}
"""Colour of the curve of each parameter of a line."""
DOTS = (0, (1, 1.2))


def modes(explanation: Explanation) -> list[str]:
    """RS lines whose parameters were explained, in the order of the samples."""
    return list(dict.fromkeys(Feature.of(name).line for name in explanation.features))


def draw_pdp_panel(figure: Figure | SubFigure, explanation: Explanation, *, columns: int = 4) -> NDArray[np.object_]:
    """One small panel per mode with the curves of its three parameters: the paper's Figure 3a,b.  Returns the Axes that were used."""
    names = modes(explanation)
    columns = min(columns, len(names))
    grid = figure.subplots(-(-len(names) // columns), columns, sharex=True, sharey=True, squeeze=False)
    for index, axes in enumerate(grid.ravel()):
        if index < len(names):
            draw_pdp(axes, explanation, names[index], legend=index == 0)
            axes.label_outer()
        else:
            axes.set_axis_off()
    badge(grid[0, -1] if len(names) >= columns else grid[0, 0], explanation.verdict)
    used: NDArray[np.object_] = grid.ravel()[: len(names)]
    return used


def draw_pdp(axes: Axes, explanation: Explanation, mode: str, *, legend: bool = True) -> None:
    """Partial dependence on the three parameters of one mode, with 95 % bands, over the central 95 % of the measured PL (grey).

    Curves are dashed where most pixels would leave the cloud of the data; accumulated local effects, which never do, are dotted beside
    them.  Parameters are given in standard deviations from their mean, so that the three share an axis.

    Parameters
    ----------
    mode : name of the RS line
    """
    axes.axhspan(*explanation.pl_band, color="#8c98a4", alpha=0.22, linewidth=0, label="95 % of the measured PL")
    for parameter in CURVES:
        name = Feature(mode, parameter).name
        if name in explanation.features:
            _draw_curve(axes, explanation, explanation.features.index(name), CURVES[parameter], WORDS[parameter] or mode)
    if explanation.ale is not None:
        axes.plot([], [], color="#5b6876", linewidth=0.9, linestyle=DOTS, label="ALE")
    unit = pretty(explanation.target_unit)
    axes.set(xlabel="deviation from the mean (σ)", ylabel=f"PL {explanation.target} ({unit}), {explanation.model_words}")
    axes.set_title(mode, loc="left", fontsize="medium")
    if legend:
        axes.legend(fontsize="x-small", frameon=False, loc="best")
    stamp(axes, explanation.stamp)


def _draw_curve(axes: Axes, explanation: Explanation, feature: int, color: str, label: str) -> None:
    x = _in_sigmas(explanation, feature)
    supported, curve = explanation.supported[feature], explanation.pdp[feature]
    axes.fill_between(x, explanation.pdp_low[feature], explanation.pdp_high[feature], color=color, alpha=0.18, linewidth=0)
    axes.plot(x, curve, color=color, linewidth=0.9, linestyle=(0, (2, 1.5)))
    axes.plot(x, np.where(supported, curve, np.nan), color=color, linewidth=1.8, label=label)
    if explanation.ale is not None:
        axes.plot(x, explanation.ale[feature], color=color, linewidth=0.9, linestyle=DOTS)


def _in_sigmas(explanation: Explanation, feature: int) -> NDArray[np.float64]:
    """Grid of a feature as deviations from its mean in its standard deviations."""
    column = explanation.samples.feature_names.index(explanation.features[feature])
    mean = explanation.samples.features[:, column].mean()
    return np.asarray((explanation.pdp_grid[feature] - mean) / (explanation.step[feature] or 1.0))


def draw_side_by_side(grid: Sequence[Axes], explanation: Explanation, feature: int, *, flake: int = 0) -> ThreeMaps | None:
    """RS, ICE-slope and PL images on three Axes: the paper's Figure 3c-j.

    Returns
    -------
    the maps, which can show another feature at once; None for a line scan
    """
    if is_line(explanation.samples.frames[flake]):
        draw_three_profiles(grid, explanation, feature, flake)
        return None
    maps = ThreeMaps(grid, explanation, flake=flake)
    maps.show(feature)
    return maps


def draw_ranking(axes: Axes, explanation: Explanation, *, most: int = 12) -> None:
    """Features from the most to the least important: spread of the PDP with its error, and the root mean square slope times step.

    Parameters
    ----------
    most : how many features to show
    """
    shown = explanation.ranking[:most]
    places = np.arange(len(shown))
    order = list(shown)
    error = explanation.importance_error[order]
    axes.barh(
        places - 0.2,
        explanation.importance[order],
        0.38,
        xerr=error,
        color="#1f4e79",
        ecolor="#7c8794",
        capsize=2,
        label="spread of the PDP",
    )
    axes.barh(places + 0.2, explanation.slope_rms[order], 0.38, color="#e8a33d", label="rms slope × σ (sees interactions)")
    axes.set_yticks(places, [plain(feature_words(explanation.features[index])) for index in shown])
    axes.set(xlabel=f"effect on PL {explanation.target} ({pretty(explanation.target_unit)}), {explanation.model_words}", xlim=(0, None))
    axes.invert_yaxis()
    axes.legend(loc="lower right", fontsize="small", frameon=False)
    badge(axes, explanation.verdict)
    stamp(axes, explanation.stamp)

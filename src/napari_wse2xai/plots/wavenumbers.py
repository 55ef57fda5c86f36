"""Which wavenumbers a network looks at, drawn over the lines that it is shown."""

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from numpy.typing import NDArray

from napari_wse2xai.data import NUMBER, Explanation
from napari_wse2xai.data.quantities import pretty
from napari_wse2xai.data.questions import Wavenumbers
from napari_wse2xai.plots.judged import badge, stamp

SPECTRUM = "0.45"
COLOURS = "tab10"

Numbers = NDArray[np.float64]


def draw_wavenumbers(axes: Axes, explanation: Explanation, found: Wavenumbers) -> None:
    """Mean lines in grey, and over them how much of the prediction each channel of each line moves.

    Parameters
    ----------
    axes : gets a second scale on its right
    """
    lines = explanation.samples.lines
    unit = pretty(explanation.samples.feature_units[0])
    moved = axes.twinx()
    palette = colormaps[COLOURS].colors  # type: ignore[attr-defined]
    for k, line in enumerate(lines):
        if line.shape == NUMBER:  # a computed map has no place on the axis
            continue
        axes.plot(found.channels[k], found.drawn[k], color=SPECTRUM, linewidth=0.9)
        colour = palette[k % len(palette)]
        moved.fill_between(found.channels[k], found.share[k], color=colour, alpha=0.55, linewidth=0, label=line.name)
    axes.set(xlabel=f"RS axis ({unit})", ylabel="mean lines (counts)", ylim=(0, None))
    moved.set_ylabel(f"share of PL {explanation.target} ({pretty(explanation.target_unit)} per {unit})")
    moved.set_ylim(0, None)
    moved.legend(loc="upper right", fontsize="x-small", frameon=False, ncols=2)
    badge(axes, explanation.verdict, inside=False)
    stamp(moved, explanation.stamp)  # that on the right is drawn last

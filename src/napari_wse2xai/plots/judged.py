"""The verdict on every figure: a badge beside the title, and a stamp across whatever must not be interpreted."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.patheffects import withStroke

from napari_wse2xai.data import Level, Verdict

BADGE_COLORS = {Level.INTERPRETABLE: "#2a7d4f", Level.LOCAL_ONLY: "#b8720a", Level.DO_NOT_INTERPRET: "#b3261e"}
"""Dark enough for white letters."""
STAMP_COLOR = "#b3261e"
STAMP = "stamp"
BADGE = "verdict"
"""Groups (``gid``) by which a stamp and a badge are known again, in the figure and in its SVG."""


def badge(axes: Axes, verdict: Verdict | None, *, inside: bool = False) -> None:
    """Write the verdict as a coloured label above the Axes, on the right; nothing where there is none.

    Parameters
    ----------
    inside : in the lower left corner instead, where a centred title needs the room above
    """
    if verdict is None:
        return
    box = {"boxstyle": "round,pad=0.3", "facecolor": BADGE_COLORS[verdict.level], "edgecolor": "none"}
    style: dict[str, Any] = {"fontsize": "x-small" if inside else "small", "color": "white", "bbox": box}
    if inside:
        label = axes.text(0.03, 0.03, str(verdict.level), transform=axes.transAxes, zorder=900, **style)
    else:
        label = axes.set_title(str(verdict.level), loc="right", **style)
    label.set_gid(BADGE)


def stamp(where: Axes | Figure | SubFigure, text: str) -> None:
    """Print a warning across an Axes or a figure, over all that is drawn; nothing where the text is empty.

    Parameters
    ----------
    text : `Explanation.stamp` or `TrainedModel.stamp`
    """
    if not text:
        return
    edge = withStroke(linewidth=2.5, foreground="white")
    box = {"boxstyle": "square,pad=0.25", "facecolor": "none", "path_effects": [edge], "edgecolor": STAMP_COLOR, "linewidth": 1.6}
    style: dict[str, Any] = {
        "ha": "center",
        "va": "center",
        "color": STAMP_COLOR,
        "fontweight": "bold",
        "alpha": 0.8,
        "path_effects": [edge],
        "bbox": box,
        "zorder": 1000,
    }
    if isinstance(where, Axes):
        label = where.text(0.5, 0.5, text, transform=where.transAxes, rotation=20, fontsize=_size(where, text), **style)
        label.set_in_layout(False)
    else:
        label = where.text(0.5, 0.5, text, rotation=20, fontsize=34, **style)
    label.set_gid(STAMP)


def _size(axes: Axes, text: str) -> float:
    """Points at which a text fills most of the width of an Axes, as it stands."""
    axes.apply_aspect()  # a map does not fill the room it is given
    points = 72 * axes.bbox.width / axes.figure.dpi
    return float(min(max(1.1 * points / max(len(text), 1), 6.0), 26.0))

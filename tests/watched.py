"""What tests alone ask of what the package made."""

import threading

from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from napari_wse2xai.plots.judged import STAMP


def stamped(where: Axes | Figure | SubFigure) -> bool:
    """Whether a stamp lies on an Axes or figure."""
    return any(label.get_gid() == STAMP for label in where.texts)


def is_reading() -> bool:
    """Whether planes of any layer are being read."""
    return any(thread.name == "planes" for thread in threading.enumerate())

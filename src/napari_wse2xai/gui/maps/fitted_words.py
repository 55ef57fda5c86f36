"""The fitted numbers of a pixel, as rich text beside its spectrum."""

import html

import numpy as np

from napari_wse2xai.data import PARAMETERS, PeakMaps
from napari_wse2xai.data.quantities import WORDS, pretty
from napari_wse2xai.plots.spectra import COMPONENT_COLORS, fitted_numbers

Pixel = tuple[int, int]


def table(peaks: PeakMaps, pixel: Pixel) -> str:
    """Fitted numbers of a pixel, a row for each peak."""
    units = [pretty(peaks.unit(parameter)) for parameter in PARAMETERS]
    titles = "".join(f"<th align=left>{WORDS[p]}<br>({u})&nbsp;</th>" for p, u in zip(PARAMETERS, units, strict=True))
    rows = "".join(_row(index, cells) for index, cells in enumerate(fitted_numbers(peaks, *pixel)))
    return f"<table cellspacing=0><tr><th></th>{titles}</tr>{rows}</table>"


def computed_text(peaks: PeakMaps, pixel: Pixel) -> str:
    """Every computed value of a pixel with its error, a line each."""
    lines = (
        f"{html.escape(each.name)}: {each.value[pixel]:.5g} ± {each.error[pixel]:.2g} {pretty(each.unit) if each.unit != '1' else ''}"
        for each in peaks.computed
        if np.isfinite(each.value[pixel])
    )
    return "<br>".join(lines)


def _row(index: int, cells: tuple[str, ...]) -> str:
    """One peak's numbers, marked with the colour of its curve."""
    mark = f"<span style='color:{COMPONENT_COLORS[index % len(COMPONENT_COLORS)]}'>■</span>&nbsp;"
    return f"<tr><td>{mark}" + "<td>".join(f"{cell.replace(' ± ', '±')}&nbsp;</td>" for cell in cells) + "</tr>"

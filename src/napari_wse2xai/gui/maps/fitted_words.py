"""The fitted numbers of a pixel, as rich text beside its spectrum."""

import html
from collections.abc import Sequence
from textwrap import wrap

import numpy as np

from napari_wse2xai.data import PARAMETERS, PeakMaps, SpectralMap
from napari_wse2xai.data.quantities import WORDS, pretty
from napari_wse2xai.plots.spectra import COMPONENT_COLORS, describe, fitted_numbers

Pixel = tuple[int, int]
LINE = 34
"""Letters, about as wide as the table of one peak's numbers."""
FEW, LONG = 3, 13
"""Peaks of which the errors stand below their values where both are longer than so many letters, as energies are."""


def table(peaks: PeakMaps, pixel: Pixel) -> str:
    """Fitted numbers of a pixel, a row for each peak."""
    units = [pretty(peaks.unit(parameter)) for parameter in PARAMETERS]
    titles = "".join(f"<th align=left>{WORDS[p]}<br>({u})&nbsp;</th>" for p, u in zip(PARAMETERS, units, strict=True))
    numbers = [[cell.replace(" ± ", "±") for cell in cells] for cells in fitted_numbers(peaks, *pixel)]
    if len(numbers) <= FEW:
        numbers = [[cell.replace("±", "<br>±") if len(cell) > LONG else cell for cell in cells] for cells in numbers]
    rows = "".join(_row(index, cells) for index, cells in enumerate(numbers))
    return f"<table cellspacing=0><tr><th></th>{titles}</tr>{rows}</table>"


def place_and_status(source: SpectralMap, pixel: Pixel, peaks: PeakMaps | None) -> str:
    """Where a pixel lies and what became of its fit, in lines as long as the table below is wide."""
    parts = describe(source, *pixel, peaks).split("  ")
    return "<br>".join(html.escape(line, quote=False) for part in parts for line in wrap(part, LINE))


def computed_text(peaks: PeakMaps, pixel: Pixel) -> str:
    """Every computed value of a pixel with its error, a line each."""
    lines = (
        f"{html.escape(each.name)}: {each.value[pixel]:.5g} ± {each.error[pixel]:.2g} {pretty(each.unit) if each.unit != '1' else ''}"
        for each in peaks.computed
        if np.isfinite(each.value[pixel])
    )
    return "<br>".join(lines)


def _row(index: int, cells: Sequence[str]) -> str:
    """One peak's numbers, marked with the colour of its curve."""
    mark = f"<span style='color:{COMPONENT_COLORS[index % len(COMPONENT_COLORS)]}'>■</span>&nbsp;"
    return f"<tr><td>{mark}" + "<td>".join(f"{cell}&nbsp;</td>" for cell in cells) + "</tr>"

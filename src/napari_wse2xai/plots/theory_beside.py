"""Measured mean spectra with calculated lines laid over them, on given Axes."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from napari_wse2xai.data.quantities import pretty
from napari_wse2xai.plots.plain_text import PlainFigure
from napari_wse2xai.plots.theory import looks_of
from napari_wse2xai.theory.beside import REGIONS, TheoryBeside

_MARGIN_CM1 = 12.0
"""Shown beyond the windows that were matched."""
_ABOVE = {"bright": "brightest", "dark": "darkest"}


def draw_beside(axes: Axes, beside: TheoryBeside, engine: str, region: str) -> None:
    """Mean spectrum of one of `REGIONS`, and one engine's lines of every structure, moved and stretched alike.

    Dotted: where the engine itself puts E' and A1'.
    """
    axes.plot(beside.axis, beside.spectra[REGIONS.index(region)], color="#8a8a8a", linewidth=2.0, label="measured")
    for structure in beside.result.structures:
        curve = beside.laid_over(engine, structure, region)
        if np.isfinite(curve).any():
            axes.plot(beside.axis, curve, **looks_of(structure) | {"alpha": 0.85})
    for number, mode in enumerate(("E'", "A1'")):
        place = beside.result.places(engine).get(mode)
        if place is not None:
            axes.axvline(place, color="#8a8a8a", linestyle=(":", "--")[number], linewidth=0.9, label=f"{mode} as calculated")
    low, high = _shown(beside)
    axes.set_xlim(low, high)
    inside = (beside.axis >= low) & (beside.axis <= high) & np.isfinite(beside.spectra[REGIONS.index(region)])
    if inside.any():
        seen = beside.spectra[REGIONS.index(region)][inside]
        axes.set_ylim(min(0.0, float(seen.min())), 1.25 * float(seen.max()) or 1.0)


def _shown(beside: TheoryBeside) -> tuple[float, float]:
    windows = np.array([found.window for found in beside.matches.values()])
    if not np.isfinite(windows).any():
        return float(beside.axis[0]), float(beside.axis[-1])
    return float(np.nanmin(windows)) - _MARGIN_CM1, float(np.nanmax(windows)) + _MARGIN_CM1


def beside_figure(beside: TheoryBeside, *, only: str = "") -> PlainFigure:
    """Bright above dark, a column per engine; or, for a narrow place, of one engine only."""
    engines = (only,) if only else beside.result.engines
    figure = PlainFigure(figsize=(4.2, 5.3) if only else (4.4 * len(engines) + 0.6, 6.2))
    grid = figure.subplots(2, len(engines), squeeze=False, sharex=True)
    for number, engine in enumerate(engines):
        for row, region in enumerate(REGIONS[1:]):
            draw_beside(grid[row, number], beside, engine, region)
            grid[row, number].set_title(_title(beside, engine, region), fontsize="small" if only else "medium")
            if number == 0:
                grid[row, number].set_ylabel(pretty(beside.intensity_unit))
    for axes in grid[-1]:
        axes.set_xlabel("Raman shift (cm⁻¹)")
    _finish(figure, grid, bool(only))
    return figure


def _title(beside: TheoryBeside, engine: str, region: str) -> str:
    pixels = beside.pixels[REGIONS.index(region)]
    words = f"{engine}, {_ABOVE[region]} {pixels} pixels by {beside.light}"
    found = beside.matches[engine]
    return f"{words}\n{'not laid over' if found.problem else f'shifted by {found.shift:+.1f} ± {found.shift_error:.1f} cm⁻¹'}"


def _finish(figure: PlainFigure, grid: Any, narrow: bool) -> None:
    """Leave room, and tell the colours once."""
    handles = {text: handle for axes in grid.ravel() for handle, text in zip(*axes.get_legend_handles_labels(), strict=True)}
    places = {"left": 0.07, "right": 0.98, "bottom": 0.15, "top": 0.91, "hspace": 0.32, "wspace": 0.2}
    room = {"left": 0.17, "bottom": 0.24, "top": 0.92, "hspace": 0.4} if narrow else {}
    figure.subplots_adjust(**(places | room))
    looks: dict[str, Any] = {"fontsize": "x-small", "ncols": 2} if narrow else {"fontsize": "small", "ncols": 6}
    figure.legend(handles.values(), handles.keys(), frameon=False, loc="lower center", **looks)

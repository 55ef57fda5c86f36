"""Calculated spectra on given Axes: spectral intensity and Raman, every structure together, an engine per column."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from napari_wse2xai.plots.plain_text import PlainFigure
from napari_wse2xai.theory import GAMMA_MODES, GEOMETRIES
from napari_wse2xai.theory.evaluation import PROJECTIONS, TheoryResult
from napari_wse2xai.theory.findings import fall_with_defects

COLOURS = {"pristine": "#3d3d3d", "V_Se": "#d1495b", "O_Se": "#2e86ab"}
_SHOWN_CM1 = (120.0, 340.0)
_AXIS = "wavenumber (cm⁻¹)"


def looks_of(structure: str) -> dict[str, Any]:
    """Colour and name of a structure's curve; those with another chalcogen look alike."""
    kind, _, site = structure.partition("_")
    color = next((COLOURS[name] for name in COLOURS if name.partition("_")[0] == kind), "#8a8a8a")
    words = {"V": f"{site} missing ({structure})", "O": f"O on a {site} site ({structure})"}.get(kind, structure)
    return {"color": color, "linewidth": 1.2, "label": words}


def draw_spectral_intensity(axes: Axes, result: TheoryResult, engine: str, projection: str) -> None:
    """Spectrum of the velocities of one engine's cells: of all atoms ("total"), or projected on a Gamma mode.

    A dashed line shows how high the pristine peak would stand after the worst of the changes without chemistry.
    """
    e, k = result.engines.index(engine), PROJECTIONS.index(projection)
    for s, structure in enumerate(result.structures):
        values = result.spectral_intensity[e, s, k]
        if np.isfinite(values).all():
            axes.plot(result.wavenumbers, values, **looks_of(structure))
    if projection in GAMMA_MODES and result.controls:
        lowest = result.control_height[e, :, GAMMA_MODES.index(projection)].min()
        height = lowest * np.nanmax(result.spectral_intensity[e, 0, k])
        axes.axhline(height, color="#8a8a8a", linestyle="--", linewidth=0.9, label="pristine peak after the worst null control")
    axes.set(xlim=_SHOWN_CM1, ylim=(0, None))
    axes.margins(x=0)


def draw_raman(axes: Axes, result: TheoryResult, engine: str, geometry: str = "backscattering") -> None:
    """Raman spectrum of one engine's cells, with the first-principles places of E' and A1' as dotted lines."""
    e, k = result.engines.index(engine), GEOMETRIES.index(geometry)
    for s, structure in enumerate(result.structures):
        if np.isfinite(result.raman[e, s, k]).all():
            axes.plot(result.wavenumbers, result.raman[e, s, k], **looks_of(structure))
    for index, mode in enumerate(("E'", "A1'")):
        place = result.modes.wavenumbers[mode]
        axes.axvline(
            place, color="#8a8a8a", linestyle=(":", "--")[index], linewidth=0.9, label=f"{mode} of pristine crystal, LDA ({place:.0f})"
        )
    axes.set(xlim=_shown(result), ylim=(0, None))


def _shown(result: TheoryResult) -> tuple[float, float]:
    if result.supercell_engines:
        return _SHOWN_CM1
    places = result.modes.wavenumbers
    return min(places["E'"], places["A1'"]) - 60, max(places["E'"], places["A1'"]) + 60


def spectral_intensity_figure(result: TheoryResult, *, only: str = "") -> PlainFigure:
    """Figure 4a of Yoo et al. 2023: an engine per column, or, for a narrow place, one; all atoms, then projected on A1' and E'."""
    engines = (only,) if only else result.moving_engines
    figure = PlainFigure(figsize=(4.2, 7.2) if only else (5.2 * len(engines), 8.2))
    grid = figure.subplots(len(PROJECTIONS), len(engines), squeeze=False, sharex=True)
    for column, engine in enumerate(engines):
        for row, projection in enumerate(PROJECTIONS):
            axes = grid[row, column]
            draw_spectral_intensity(axes, result, engine, projection)
            axes.set_title(f"{engine}: " + ("all atoms" if projection == "total" else f"projected on {projection}"), fontsize="medium")
            _label_y(axes, column, f"intensity ({_unit(result)})")
        _point_at_folded(grid[0, column], result, engine)
        grid[-1, column].set_xlabel(_AXIS)
    _fit(figure, bool(only), {"left": 0.09, "right": 0.98, "bottom": 0.1, "top": 0.91, "hspace": 0.22, "wspace": 0.14})
    figure.legend(*grid[1, 0].get_legend_handles_labels(), frameon=False, fontsize="small", loc="lower center", ncols=1 if only else 4)
    if not only:
        figure.suptitle(f"{result.material}: spectral intensity, {result.conditions.motion_k:g} K; {_verdict(result)}", fontsize="medium")
    return figure


def _fit(figure: PlainFigure, narrow: bool, places: dict[str, float]) -> None:
    """Leave room for titles and legend."""
    height = figure.get_figheight()
    room = {"left": 0.17, "right": 0.97, "bottom": 1.4 / height, "top": 1 - 0.3 / height, "hspace": 0.35}
    figure.subplots_adjust(**(places | (room if narrow else {})))


def _verdict(result: TheoryResult) -> str:
    fall = fall_with_defects(result, "A1'")
    return (
        f"A1' falls by {100 * fall.least:.0f} to {100 * fall.most:.0f} % with defects"
        if fall.real
        else "theory says nothing of A1' and defects"
    )


def _label_y(axes: Axes, column: int, text: str) -> None:
    if column == 0:
        axes.set_ylabel(text)


def _unit(result: TheoryResult) -> str:
    return "meV cm" if result.conditions.mass_weighted else "Å² ps⁻² cm"


def _point_at_folded(axes: Axes, result: TheoryResult, engine: str) -> None:
    """Say at the peak that a reader would take for A1' that it is not."""
    if engine not in result.folded:
        return
    peak = result.folded[engine]
    height = np.interp(peak.wavenumber, result.wavenumbers, result.spectral_intensity[result.engines.index(engine), 0, 0])
    axes.annotate(
        f"{peak.wavenumber:.0f}: {peak.modes} folded modes,\nnot the Raman line A1'",
        (peak.wavenumber, height),
        (0.98, 0.95),
        textcoords="axes fraction",
        ha="right",
        va="top",
        fontsize="x-small",
        bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1},
        arrowprops={"arrowstyle": "->", "color": "#8a8a8a"},
    )


def raman_figure(result: TheoryResult, *, only: str = "") -> PlainFigure:
    """Figure 4c of Yoo et al. 2023: calculated Raman spectra in backscattering, an engine per column, or, for a narrow place, one."""
    engines = (only,) if only else result.supercell_engines or result.engines
    figure = PlainFigure(figsize=(4.2, 4.0) if only else (max(5.2 * len(engines), 6.4), 4.2))
    grid = figure.subplots(1, len(engines), squeeze=False, sharey=True)[0]
    for column, (axes, engine) in enumerate(zip(grid, engines, strict=True)):
        draw_raman(axes, result, engine)
        axes.set_title(engine, fontsize="medium")
        axes.set_xlabel(_AXIS)
        _label_y(axes, column, "Raman intensity (arb. units)")
    _fit(figure, bool(only), {"left": 0.08 if len(engines) > 1 else 0.13, "right": 0.98, "bottom": 0.12, "top": 0.82, "wspace": 0.06})
    if only:
        figure.legend(*grid[0].get_legend_handles_labels(), frameon=False, fontsize="x-small", loc="lower center", ncols=1)
        return figure
    grid[0].legend(frameon=False, fontsize="x-small", loc="upper left")
    given = result.conditions
    heading = f"{result.material}: Raman, {given.laser_ev:g} eV, {given.raman_k:g} K, {given.fwhm_cm1:g} cm⁻¹"
    figure.suptitle(f"{heading}\nstatic tensors, no resonance: its A1'/E' ratio is not that of a measurement", fontsize="medium")
    return figure

"""Figures of a run, drawn in memory."""

import io
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG

from napari_wse2xai.data import PARAMETERS, Components, PairedMaps, PeakMaps, Results, SpectralMap, peaks_there
from napari_wse2xai.plots import maps, pairing
from napari_wse2xai.plots.components import draw_components, draw_groups, draw_share
from napari_wse2xai.plots.grid import is_line, proportions
from napari_wse2xai.plots.mean_spectrum import draw_mean_spectrum
from napari_wse2xai.plots.plain_text import PlainFigure
from napari_wse2xai.plots.spectra import brightest_pixel, draw_spectrum
from napari_wse2xai.progress import Progress
from napari_wse2xai.report import _learnt_figures, _theory
from napari_wse2xai.report._page import Images

DPI = 140
"""Dots per inch of the pictures in the page."""


def draw_figures(results: Results, progress: Progress) -> Images:
    """Draw every figure of a run, each as PNG and as SVG."""
    images: Images = {}
    jobs = _all_jobs(results)
    for done, (name, draw) in enumerate(jobs.items()):
        progress(done / len(jobs), f"drawing {name}")
        images |= saved(draw(), name)
    return images


def _all_jobs(results: Results) -> dict[str, Callable[[], PlainFigure]]:
    """Every figure by name, not yet drawn."""
    found: dict[str, Callable[[], PlainFigure]] = {}
    for modality, source in results.maps.items():
        peaks = results.peaks.get(modality)
        found |= {f"{modality}_{name}": partial(job, source, peaks) for name, job in _jobs(peaks).items()}
        if modality in results.components:
            found[f"{modality}_components"] = partial(_components, results.components[modality])
    if results.paired is not None:
        found["pair_overlay"] = partial(_pairing, results.paired)
    return found | _learnt_figures.jobs(results) | _theory.jobs(results)


Job = Callable[[SpectralMap, PeakMaps | None], PlainFigure]


def _jobs(peaks: PeakMaps | None) -> Mapping[str, Job]:
    """Figures of one modality by name, in the order of the report."""
    jobs: dict[str, Job] = {"flake": _flake, "spectra": _spectra}
    if peaks is not None:
        jobs |= {parameter: partial(_panel, parameter) for parameter in reversed(PARAMETERS)}
        jobs |= {"computed": _computed} if peaks.computed else {}
    return jobs


def saved(figure: PlainFigure, name: str) -> Images:
    """Content of a figure's files, each drawn once."""
    picture, lines = io.BytesIO(), io.BytesIO()
    figure.settle(dpi=DPI)
    FigureCanvasAgg(figure).print_png(picture, metadata={"Software": None})
    with rc_context({"svg.hashsalt": name}):  # the ids of its parts: the same picture is the same file
        FigureCanvasSVG(figure).print_svg(lines, metadata={"Date": None})
    return {f"{name}.png": picture.getvalue(), f"{name}.svg": lines.getvalue()}


def _flake(source: SpectralMap, peaks: PeakMaps | None) -> PlainFigure:
    """Where the flake is, where cosmic rays fell, what became of the fits."""
    signal = np.stack([np.asarray(line).mean(axis=-1) for line in source.counts])
    panels = 1 + (source.repaired is not None) + (peaks is not None)
    figure = _sheet(source, 1, panels)
    grid = figure.subplots(1, panels, squeeze=False).ravel()
    maps.draw_values(grid[0], source.frame, signal, title="Mean signal", unit=source.intensity_unit, flake=source.flake)
    if source.repaired is not None:
        maps.draw_values(grid[1], source.frame, source.repaired, title="Repaired channels", unit="channels", parameter="count")
    if peaks is not None:
        maps.draw_status(grid[-1], peaks)
    return figure


def _spectra(source: SpectralMap, peaks: PeakMaps | None) -> PlainFigure:
    """The brightest pixel with its fit and residual, and the mean of all fitted pixels."""
    figure = PlainFigure(figsize=(10.5, 7.2), layout="constrained")
    top, residual, bottom = figure.subplots(3, 1, gridspec_kw={"height_ratios": [3, 1, 3]})
    row, column = brightest_pixel(source, peaks)
    draw_spectrum(top, source, row, column, peaks=peaks, residual_axes=residual)
    top.set_title(f"Brightest pixel (row {row}, column {column})")
    draw_mean_spectrum(bottom, source, peaks)
    bottom.set_title("Mean spectrum")
    return figure


def _components(components: Components) -> PlainFigure:
    """Spectra of the components, and where the strongest of them lie."""
    shown = min(len(components.names), 4) if components.group is None else 1
    columns = min(shown, 2)
    figure = PlainFigure(figsize=(11.0, 4.8), layout="constrained")
    halves: Any = figure.subfigures(1, 2, width_ratios=(1.0, 1.1))
    left, right = halves
    draw_components(left.subplots(), components)
    for number, axes in enumerate(right.subplots(-(-shown // columns), columns, squeeze=False).ravel()[:shown]):
        if components.group is None:
            draw_share(axes, components, number)
        else:
            draw_groups(axes, components)
    if shown == 3:
        right.axes[-1].remove()
    return figure


def _panel(parameter: str, source: SpectralMap, peaks: PeakMaps | None) -> PlainFigure:
    """One parameter of every peak."""
    assert peaks is not None
    count = int(peaks_there([peaks]).sum())
    columns = min(count, 2 if is_line(source.frame) else 4)
    figure = _sheet(source, -(-count // columns), columns)
    maps.panel(figure, peaks, parameter, flake=source.flake, columns=columns)
    return figure


def _computed(source: SpectralMap, peaks: PeakMaps | None) -> PlainFigure:
    """Every computed map."""
    assert peaks is not None
    columns = min(len(peaks.computed), 2 if is_line(source.frame) else 4)
    figure = _sheet(source, -(-len(peaks.computed) // columns), columns)
    for number, each in enumerate(peaks.computed, 1):
        axes = figure.add_subplot(-(-len(peaks.computed) // columns), columns, number)
        maps.draw_computed(axes, peaks, each, flake=source.flake)
    return figure


def _pairing(paired: PairedMaps) -> PlainFigure:
    """How RS and PL lie on one another, and the PL as it now lies on the RS grid."""
    figure = PlainFigure(figsize=(12.5, 4.0), layout="constrained")
    overlay, board, pl = figure.subplots(1, 3)
    pairing.draw_overlay(overlay, paired)
    pairing.draw_checkerboard(board, paired)
    maps.draw_parameter(pl, paired.pl, 0, "height")
    return figure


def _sheet(source: SpectralMap, rows: int, columns: int) -> PlainFigure:
    """Figure for so many pictures of the map, each in the map's proportions."""
    width, height = (4.2, 2.3) if is_line(source.frame) else _cell(source)
    return PlainFigure(figsize=(max(width * columns, 5.0), height * rows), layout="constrained")


def _cell(source: SpectralMap) -> tuple[float, float]:
    ratio = min(max(proportions(source.frame), 0.3), 2.5)
    return 3.4, 2.35 * ratio + 0.75

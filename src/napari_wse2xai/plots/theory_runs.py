"""Spectra that were calculated here: Raman of a layer beside the pristine one, spectral intensity of dynamics with its error."""

from collections.abc import Mapping

from matplotlib.axes import Axes

from napari_wse2xai.plots.plain_text import PlainFigure
from napari_wse2xai.theory.cell import Array
from napari_wse2xai.theory.dynamics import Averaged
from napari_wse2xai.theory.layer_raman import PRISTINE, LayerRaman
from napari_wse2xai.theory.spectra import GEOMETRIES

_COLOURS = ("#3d3d3d", "#d1495b")
_AXIS = "wavenumber (cm⁻¹)"


def layer_raman_figure(found: LayerRaman, geometry: str = "backscattering") -> PlainFigure:
    """Raman spectra on one scale."""
    figure = PlainFigure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    for name, curves in found.spectra.items():
        axes.plot(found.wavenumbers, curves[GEOMETRIES.index(geometry)], color=_COLOURS[name != PRISTINE], linewidth=1.2, label=name)
    given = found.conditions
    drawn_for = f"{given['laser_ev']:g} eV, {given['temperature_k']:g} K, lines of {given['fwhm_cm1']:g} cm⁻¹, {geometry}"
    title = f"{found.material}: Raman\n{drawn_for}\nstatic tensors of the pristine crystal, no resonance"
    axes.set_title(title, fontsize="small")  # in lines that a narrow dock holds too
    _finish(axes, "Raman intensity (arb. units)")
    return figure


def dynamics_figure(x: Array, curves: Mapping[str, Averaged], title: str) -> PlainFigure:
    """Spectral intensity of all atoms and projected on Gamma modes, each with a band of one standard error."""
    figure = PlainFigure(figsize=(6.4, 2.2 * len(curves) + 0.8), layout="constrained")
    for axes, (name, curve) in zip(figure.subplots(len(curves), squeeze=False, sharex=True)[:, 0], curves.items(), strict=True):
        axes.fill_between(x, curve.mean - curve.error, curve.mean + curve.error, color="#d1495b", alpha=0.3, linewidth=0, label="± 1 error")
        axes.plot(x, curve.mean, color=_COLOURS[0], linewidth=1.1, label="all atoms" if name == "total" else f"projected on {name}")
        _finish(axes, "intensity (meV cm)")
        axes.label_outer()
    figure.suptitle(title, fontsize="small")
    return figure


def _finish(axes: Axes, label: str) -> None:
    axes.set(xlabel=_AXIS, ylabel=label, ylim=(0, None))
    axes.margins(x=0)
    axes.legend(frameon=False, fontsize="small")

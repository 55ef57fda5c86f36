"""The two figures of the theory part as a folder: pictures, tables, NetCDF."""

from pathlib import Path

import numpy as np

from napari_wse2xai import report
from napari_wse2xai.io import delivered, require_room
from napari_wse2xai.io.theory_files import write_spectra_csv, write_theory
from napari_wse2xai.theory.calculated import Calculated
from napari_wse2xai.theory.evaluation import Conditions, TheoryResult, evaluate

_FILES = ("spectral_intensity", "raman")
_LAST = "theory.nc"


def write_theory_figures(
    output: str | Path, material: str = "WSe2", conditions: Conditions | None = None, calculated: Calculated | None = None
) -> TheoryResult:
    """Write ``spectral_intensity`` and ``raman`` as ``.png``, ``.svg`` and ``.csv``, and ``theory.nc``, from the shipped reference.

    `calculated`, see `io.calculations`, stands in for it where it is given.

    A material of which the reference has no cells with defects gets no spectral intensity: three atoms have none worth drawing.
    """
    result = evaluate(material, conditions, calculated)
    made = [name for name in _FILES if np.isfinite(getattr(result, name)[:, 0, 0]).all(axis=-1).any()]
    everything = [f"{name}.{kind}" for name in _FILES for kind in ("png", "svg", "csv")]
    folder = Path(output).expanduser()
    require_room(folder, [*everything, _LAST])
    with delivered(folder, first=_LAST, last=_LAST, replaced=everything) as staged:
        for name in made:
            write_spectra_csv(result, name, staged / f"{name}.csv")
            for file, content in _drawn(result, name).items():
                (staged / file).write_bytes(content)
        write_theory(result, staged / _LAST)
    return result


def _drawn(result: TheoryResult, name: str) -> report.Images:
    from napari_wse2xai.plots import theory as plots

    figure = plots.spectral_intensity_figure(result) if name == "spectral_intensity" else plots.raman_figure(result)
    return report.saved(figure, name)

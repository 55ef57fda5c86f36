"""Calculated spectra as a NetCDF file and as tables for a spreadsheet."""

from pathlib import Path

import numpy as np

from napari_wse2xai._version import __version__
from napari_wse2xai.io import codec
from napari_wse2xai.io.atomic import new_file
from napari_wse2xai.io.hdf_node import HdfNode
from napari_wse2xai.io.netcdf import CONVENTIONS
from napari_wse2xai.theory import GEOMETRIES
from napari_wse2xai.theory.evaluation import PROJECTIONS, TheoryResult
from napari_wse2xai.theory.findings import sentences


def write_theory(result: TheoryResult, path: str | Path) -> None:
    """Write all spectra, what they were drawn for and how they were computed into one NetCDF-4 file."""
    import h5netcdf

    with new_file(path) as temporary, h5netcdf.File(temporary, "w") as file:
        file.attrs.update({"Conventions": CONVENTIONS, "napari_wse2xai": __version__})
        write_theory_group(file, result)


def write_theory_group(group: HdfNode, result: TheoryResult) -> None:
    """Write a result into a group."""
    codec.write(group, result)
    group.attrs["findings"] = "\n".join(sentences(result))


def write_spectra_csv(result: TheoryResult, name: str, path: str | Path) -> None:
    """Write one column per engine, structure and projection (or geometry): `name` is "spectral_intensity" or "raman"."""
    kinds, unit = (PROJECTIONS, result.intensity_unit) if name == "spectral_intensity" else (GEOMETRIES, "arbitrary")
    values = getattr(result, name)
    table = {"wavenumber (cm-1)": result.wavenumbers}
    for e, engine in enumerate(result.engines):
        for s, structure in enumerate(result.structures):
            for k, kind in enumerate(kinds):
                if np.isfinite(values[e, s, k]).all():
                    table[f"{engine} {structure} {kind} ({unit})"] = values[e, s, k]
    with new_file(path) as temporary:  # without pandas, which takes longer to load than the rest to be calculated
        columns = np.column_stack(list(table.values()))
        np.savetxt(temporary, columns, fmt="%.6g", delimiter=",", header=",".join(table), comments="", encoding="utf-8")

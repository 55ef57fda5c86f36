"""Calculated spectra as a NetCDF file and as tables for a spreadsheet."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from napari_wse2xai._version import __version__
from napari_wse2xai.io.atomic import new_file
from napari_wse2xai.io.netcdf import CONVENTIONS
from napari_wse2xai.theory import GAMMA_MODES, GEOMETRIES
from napari_wse2xai.theory.evaluation import PROJECTIONS, TheoryResult
from napari_wse2xai.theory.findings import sentences

_VARIABLES = {
    "spectral_intensity": ("engine", "structure", "projection", "wavenumber"),
    "raman": ("engine", "structure", "geometry", "wavenumber"),
    "mode_frequency": ("engine", "structure", "mode"),
    "relative_height": ("engine", "structure", "mode"),
    "control_height": ("engine", "control", "mode"),
}
_LONG_NAMES = {
    "spectral_intensity": "spectrum of the velocity autocorrelation per unit cell",
    "raman": "Stokes Raman intensity per unit cell",
    "mode_frequency": "wavenumber at which the spectrum projected on the mode is highest",
    "relative_height": "height of the projected peak, against the pristine cell of the same engine",
    "control_height": "the same of cells changed without chemistry (null controls)",
}


def write_theory(result: TheoryResult, path: str | Path) -> None:
    """Write all spectra, what they were drawn for and how they were computed into one NetCDF-4 file."""
    import h5netcdf

    with new_file(path) as temporary, h5netcdf.File(temporary, "w") as file:
        file.attrs.update({"Conventions": CONVENTIONS, "napari_wse2xai": __version__})
        write_theory_group(file, result)


def write_theory_group(group: Any, result: TheoryResult) -> None:
    """Write a result into a group."""
    for name, labels in _coordinates(result).items():
        group.dimensions[name] = len(labels)
        data = np.array(labels, dtype=object) if isinstance(labels, tuple) else labels
        group.create_variable(name, (name,), data=data, dtype=_text_type() if isinstance(labels, tuple) else None)
    group.variables["wavenumber"].attrs.update({"units": "cm-1", "long_name": "wavenumber of the vibration"})
    for name, dimensions in _VARIABLES.items():
        if "control" in dimensions and not result.controls:
            continue
        variable = group.create_variable(name, dimensions, data=getattr(result, name))
        variable.attrs.update({"units": _unit(result, name), "long_name": _LONG_NAMES[name]})
    group.attrs["material"] = result.material
    group.attrs["conditions"] = json.dumps(asdict(result.conditions))
    group.attrs["provenance"] = json.dumps(dict(result.provenance), ensure_ascii=False)
    group.attrs["findings"] = "\n".join(sentences(result))


def _text_type() -> Any:
    import h5py

    return h5py.string_dtype()


def _coordinates(result: TheoryResult) -> dict[str, Any]:
    controls = {"control": result.controls} if result.controls else {}
    return controls | {
        "engine": result.engines,
        "structure": result.structures,
        "projection": PROJECTIONS,
        "geometry": GEOMETRIES,
        "mode": GAMMA_MODES,
        "wavenumber": result.wavenumbers,
    }


def _unit(result: TheoryResult, name: str) -> str:
    intensity = "meV cm" if result.conditions.mass_weighted else "angstrom2 ps-2 cm"
    return {"spectral_intensity": intensity, "raman": "arbitrary", "mode_frequency": "cm-1"}.get(name, "1")


def write_spectra_csv(result: TheoryResult, name: str, path: str | Path) -> None:
    """Write one column per engine, structure and projection (or geometry): `name` is "spectral_intensity" or "raman"."""
    kinds = PROJECTIONS if name == "spectral_intensity" else GEOMETRIES
    values = getattr(result, name)
    table = {"wavenumber (cm-1)": result.wavenumbers}
    for e, engine in enumerate(result.engines):
        for s, structure in enumerate(result.structures):
            for k, kind in enumerate(kinds):
                if np.isfinite(values[e, s, k]).all():
                    table[f"{engine} {structure} {kind} ({_unit(result, name)})"] = values[e, s, k]
    with new_file(path) as temporary:  # without pandas, which takes longer to load than the rest to be calculated
        columns = np.column_stack(list(table.values()))
        np.savetxt(temporary, columns, fmt="%.6g", delimiter=",", header=",".join(table), comments="", encoding="utf-8")

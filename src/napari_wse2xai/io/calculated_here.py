"""Relaxed layers, vibrations and runs of dynamics that were calculated here, as NetCDF-4 files with their provenance."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_wse2xai._version import __version__
from napari_wse2xai.data import History
from napari_wse2xai.data import history as histories
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.atomic import new_file
from napari_wse2xai.io.damage import readable_as
from napari_wse2xai.io.hdf5 import numbers_of, open_hdf5
from napari_wse2xai.io.hdf_node import HdfNode
from napari_wse2xai.io.netcdf import CONVENTIONS, OVERHEAD
from napari_wse2xai.theory.calculated import Calculation, Vibrations
from napari_wse2xai.theory.cell import GAMMA_MODES, Array, HarmonicCell
from napari_wse2xai.theory.relaxed import Relaxed
from napari_wse2xai.theory.runs import Run

_KIND = "napari_wse2xai_calculation"
_OURS = "napari-wse2xai"
_ATOMS = {"positions": "position", "lattice": "lattice", "masses": "mass"}
_WHOLE = {"cells": int, "metal": str, "chalcogen": str}
_RUN = {"engine": str, "temperature_k": float, "step_fs": float, "thermalise_ps": float, "seed": int, "done": int}


def write_relaxed(relaxed: Relaxed, path: str | Path, history: History = ()) -> None:
    """Write where the atoms of a layer came to rest."""
    told = {"a": relaxed.a, "height": relaxed.height, "largest_force": relaxed.largest_force, "steps": relaxed.steps}
    _write(path, "relaxed layer", relaxed.cell, {}, told, history)


def write_vibrations(cell: HarmonicCell, path: str | Path, history: History = ()) -> None:
    """Write a layer's springs and its vibrations at Gamma, with how much of each is a Gamma mode of the pristine crystal."""
    shares = np.stack([(cell.overlaps(mode) ** 2).sum(axis=0) for mode in GAMMA_MODES], axis=1)
    vectors = cell.vectors.T.reshape(-1, len(cell.symbols), 3)
    variables = {
        "hessian": (("component", "component_"), cell.hessian, "eV angstrom-2", "second derivatives of the energy"),
        "wavenumber": (("vibration",), cell.wavenumbers, "cm-1", "vibrations at Gamma; negative where unstable"),
        "vector": (("vibration", "atom", "xyz"), vectors, "1", "mass-weighted vibrations of length 1"),
        "share": (("vibration", "mode"), shares, "1", "how much of a vibration is a Gamma mode of the pristine crystal, 0 to 1"),
    }
    _write(path, "vibrations", cell, variables, {}, history)


def write_run(run: Run, path: str | Path, history: History = ()) -> None:
    """Write a run as far as it went: enough to go on from, and what spectra are drawn from."""
    variables = {
        "velocity": (("frame", "atom", "xyz"), run.kept, "angstrom ps-1", "velocities after each step at constant energy"),
        "energy": (("frame",), run.energies, "eV", "kinetic and potential energy"),
        "temperature": (("frame",), run.temperatures, "K", "of the motion without that of the whole"),
        "position_now": (("atom", "xyz"), run.positions, "angstrom", "where the run stands"),
        "velocity_now": (("atom", "xyz"), run.velocities, "angstrom ps-1", "how it moves there"),
    }
    told = {name: getattr(run, name) for name in _RUN}
    drift = {"energy_drift": run.drift} if len(run.energies) > 1 else {}
    _write(path, "dynamics", run.cell, variables, told | drift, history, size=run.kept.nbytes + 2 * run.energies.nbytes)


def write_lines(columns: Mapping[str, Array], units: Mapping[str, str], path: str | Path, history: History = ()) -> None:
    """Write curves over one axis, the first of the columns, as a NetCDF-4 file."""
    import h5netcdf

    axis = next(iter(columns))
    with new_file(path) as temporary, h5netcdf.File(temporary, "w") as file:
        file.dimensions = {axis: len(columns[axis])}
        for name, values in columns.items():
            file.create_variable(name, (axis,), data=values).attrs["units"] = units.get(name, units[""])
        file.attrs.update({"Conventions": CONVENTIONS, "napari_wse2xai": __version__, "history": histories.to_json(history)})


def history_of(path: str | Path) -> History:
    """Read how a file of this kind came to be."""
    place = Path(path)
    with readable_as("a calculation", place), open_hdf5(place) as file:
        return histories.from_json(_plain(file.attrs["history"]))


def _write(
    path: str | Path, kind: str, cell: HarmonicCell, variables: Mapping[str, Any], told: Mapping[str, Any], history: History, size: int = 0
) -> None:
    import h5netcdf
    import h5py

    n = len(cell.symbols)
    lengths = {"atom": n, "xyz": 3, "vector_of_lattice": 3, "component": 3 * n, "component_": 3 * n, "mode": len(GAMMA_MODES)}
    lengths |= {"vibration": 3 * n - 3, "frame": len(variables["energy"][1]) if "energy" in variables else 0}
    atoms = {
        "position": (("atom", "xyz"), cell.positions, "angstrom", "relaxed atoms"),
        "lattice": (("vector_of_lattice", "xyz"), cell.lattice, "angstrom", "vectors of the cell, one a row"),
        "mass": (("atom",), cell.masses, "u", "mass of each atom"),
    }
    every = atoms | dict(variables)
    with new_file(path, expected_bytes=size + OVERHEAD) as temporary, h5netcdf.File(temporary, "w") as file:
        used = {name for dimensions, *_ in every.values() for name in dimensions}
        file.dimensions = {name: length for name, length in lengths.items() if name in used}
        texts = {"element": ("atom", cell.symbols)} | ({"mode": ("mode", GAMMA_MODES)} if "mode" in used else {})
        for name, (dimension, words) in texts.items():
            file.create_variable(name, (dimension,), data=np.array(words, dtype=object), dtype=h5py.string_dtype())
        for name, (dimensions, values, unit, words) in every.items():
            file.create_variable(name, dimensions, data=values).attrs.update({"units": unit, "long_name": words})
        file.attrs.update({"Conventions": CONVENTIONS, "napari_wse2xai": __version__, _KIND: kind, **told})
        file.attrs.update({name: getattr(cell, name) for name in _WHOLE} | {"history": histories.to_json(history)})


def read_run(path: str | Path) -> Run:
    """Read a run to go on with.

    Raises
    ------
    ReaderError
        The file is damaged, or holds no run.
    """
    place = Path(path)
    with readable_as("a run of dynamics", place), open_hdf5(place) as file:
        _require(file, place, "dynamics")
        told = {name: kind(_plain(file.attrs[name])) for name, kind in _RUN.items()}
        numbers: dict[str, Any] = {name: numbers_of(file[key]).astype(np.float64) for name, key in _NOW.items()}
        return Run(_cell(file), **told, **numbers, kept=numbers_of(file["velocity"]).astype(np.float32))


_NOW = {"positions": "position_now", "velocities": "velocity_now", "energies": "energy"}


def read_atoms(path: str | Path) -> HarmonicCell:
    """Read the relaxed atoms of any file of this kind."""
    place = Path(path)
    with readable_as("a relaxed layer", place), open_hdf5(place) as file:
        _require(file, place, "relaxed layer", "vibrations", "dynamics")
        return _cell(file)


def read_calculated_here(path: Path, step_fs: float | None = None) -> Calculation:
    """Read vibrations or dynamics, to lay them beside data as those of another program."""
    with open_hdf5(path) as file:
        _require(file, path, "vibrations", "dynamics")
        if _plain(file.attrs[_KIND]) == "vibrations":
            cell = _cell(file)
            atoms = {name: getattr(cell, name) for name in ("symbols", "positions", "lattice", "masses")}
            return Vibrations(_OURS, path.name, **atoms, wavenumbers=numbers_of(file["wavenumber"]), vectors=numbers_of(file["vector"]))
    return replace(read_run(path).trajectory(), program=_OURS, file=path.name)


def _require(file: HdfNode, path: Path, *kinds: str) -> None:
    kind = _plain(file.attrs.get(_KIND, ""))
    if kind not in kinds:
        raise ReaderError(f"'{path.name}' holds {f'a {kind}' if kind else 'no calculation'}; give a file that holds {' or '.join(kinds)}.")


def _cell(file: HdfNode) -> HarmonicCell:
    symbols = tuple(_plain(word) for word in file["element"][()])
    told = {name: kind(_plain(file.attrs[name])) for name, kind in _WHOLE.items()}
    hessian = numbers_of(file["hessian"]) if "hessian" in file else np.zeros((3 * len(symbols),) * 2)
    numbers: dict[str, Any] = {name: numbers_of(file[key]) for name, key in _ATOMS.items()}
    return HarmonicCell(symbols, **numbers, hessian=hessian, **told)


def _plain(value: object) -> Any:
    """An attribute as Python has it: text, or a number out of a row of one."""
    value = value.decode() if isinstance(value, bytes) else value
    return value if isinstance(value, str) else np.asarray(value).reshape(-1)[0]

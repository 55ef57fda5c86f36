"""ABINIT: vibrations that anaddb writes into ``..._PHBST.nc``; its text holds no atoms."""

from pathlib import Path

import numpy as np

from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.hdf5 import numbers_of, open_hdf5
from napari_wse2xai.theory.calculated import Vibrations

_BOHR_A, _CM1_PER_EV = 0.529177210903, 8065.543937


def read_phonons(path: Path, step_fs: float | None = None) -> Vibrations:
    """Vibrations at Gamma."""
    with open_hdf5(path) as file:
        points = numbers_of(file["qpoints"])
        if not (gamma := np.flatnonzero(np.abs(points).max(axis=1) < 1e-6)).size:
            raise ReaderError(f"'{path.name}' holds no vibrations at Gamma; give anaddb the wavevector 0 0 0.")
        at = int(gamma[0])
        lattice = numbers_of(file["primitive_vectors"]) * _BOHR_A
        kinds = numbers_of(file["atom_species"]).astype(int) - 1
        numbers = numbers_of(file["atomic_numbers"])[kinds]
        masses = numbers_of(file["atomic_mass_units"])[kinds]
        moves = numbers_of(file["phdispl_cart"])[at, :, :, 0].reshape(-1, len(masses), 3) * np.sqrt(masses)[:, None]
        wavenumbers = numbers_of(file["phfreqs"])[at] * _CM1_PER_EV
        fractions = numbers_of(file["reduced_atom_positions"])
    lengths = np.linalg.norm(moves, axis=(1, 2), keepdims=True)
    return Vibrations(
        "ABINIT",
        path.name,
        tuple(_ELEMENTS.get(round(float(number)), f"Z{number:.0f}") for number in numbers),
        fractions @ lattice,
        lattice,
        masses,
        wavenumbers,
        moves / np.where(lengths > 0, lengths, 1.0),
    )


_ELEMENTS = {8: "O", 13: "Al", 14: "Si", 16: "S", 33: "As", 34: "Se", 42: "Mo", 52: "Te", 74: "W"}


def read_text(path: Path, step_fs: float | None = None) -> Vibrations:
    """Vibrations of the NetCDF file beside the text."""
    beside = [path.with_name(f"{stem}_PHBST.nc") for stem in (path.name, path.stem)]
    found = next((one for one in beside if one.is_file()), None)
    if found is None:
        raise ReaderError(
            f"'{path.name}' is the text of anaddb, which holds no atoms; give '{beside[1].name}', which anaddb writes beside it."
        )
    return read_phonons(found)

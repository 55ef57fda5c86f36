"""Files of CASTEP, VASP and ASE's kinds as those programs lay them out, made of a cell whose vibrations or motion are known."""

from pathlib import Path

import numpy as np

from napari_wse2xai.theory import HarmonicCell


def whole(cell: HarmonicCell) -> tuple[np.ndarray, np.ndarray]:
    """All 3 n wavenumbers and mode vectors (3 n, n, 3), the three shifts included."""
    shifts = np.kron(np.sqrt(cell.masses / cell.masses.sum())[:, None], np.eye(3))
    vectors = np.concatenate([shifts, cell.vectors], axis=1).T
    return np.concatenate([np.zeros(3), cell.wavenumbers]), vectors.reshape(-1, len(cell.symbols), 3)


def write_phonon(path: Path, cell: HarmonicCell) -> None:
    """A CASTEP .phonon file."""
    wavenumbers, vectors = whole(cell)
    fractions, n = cell.positions @ np.linalg.inv(cell.lattice), len(cell.symbols)
    head = [" BEGIN header", f" Number of ions         {n}", f" Number of branches     {3 * n}", " Number of wavevectors  1"]
    head += [" Frequencies in         cm-1", " IR intensities in      (D/A)**2/amu", " Raman activities in    A**4 amu**(-1)"]
    head += [" Unit cell vectors (A)", *("".join(f"{x:15.9f}" for x in row) for row in cell.lattice), " Fractional Co-ordinates"]
    for number, (place, symbol, mass) in enumerate(zip(fractions, cell.symbols, cell.masses, strict=True), 1):
        head.append(f"  {number:4d}" + "".join(f"{x:16.9f}" for x in place) + f"   {symbol:2s}    {mass:12.6f}")
    lines = [*head, " END header", "     q-pt=    1    0.000000  0.000000  0.000000      1.0000000000"]
    lines += [f"    {number:4d}  {value:15.6f}  {0:20.7f}" for number, value in enumerate(wavenumbers, 1)]
    lines += ["                        Phonon Eigenvectors", "Mode Ion                X              Y              Z"]
    for mode, vector in enumerate(vectors, 1):
        for ion, row in enumerate(vector, 1):
            lines.append(f"{mode:4d}{ion:4d}" + "".join(f"{x:16.12f}{0:16.12f}    " for x in row))
    path.write_text("\n".join(lines) + "\n")


def _vasp_head(cell: HarmonicCell) -> list[str]:
    kinds = list(dict.fromkeys(cell.symbols))
    masses = dict(zip(cell.symbols, cell.masses, strict=True))
    lines = [" vasp.6.3.0 20Jan22 complex", "", " INCAR:", "   POTIM = 1.5000"]
    for kind in kinds:
        lines += [f"   VRHFIN ={kind}: s2", f"   POMASS = {masses[kind]:8.3f}; ZVAL   =    6.000    mass and valenz"]
    numbers = "".join(f"{cell.symbols.count(kind):4d}" for kind in kinds)
    lines += [f"   ions per type =       {numbers}", "      direct lattice vectors                 reciprocal lattice vectors"]
    for row, other in zip(cell.lattice, np.linalg.inv(cell.lattice).T, strict=True):
        lines.append("".join(f"{x:13.9f}" for x in (*row, *other)))
    return lines


def sorted_by_kind(cell: HarmonicCell) -> np.ndarray:
    """Order in which VASP has the atoms: kind by kind."""
    kinds = list(dict.fromkeys(cell.symbols))
    return np.array(sorted(range(len(cell.symbols)), key=lambda atom: kinds.index(cell.symbols[atom])))


def write_outcar(path: Path, cell: HarmonicCell) -> None:
    """A VASP OUTCAR of vibrations, imaginary ones told as VASP does."""
    wavenumbers, vectors = whole(cell)
    order = sorted_by_kind(cell)
    lines = [*_vasp_head(cell), "", " Eigenvectors and eigenvalues of the dynamical matrix", " ------", ""]
    for number, (value, vector) in enumerate(zip(wavenumbers[::-1], vectors[::-1], strict=True), 1):
        sign = "f  " if value >= 0 else "f/i"
        lines.append(f"{number:4d} {sign}= {abs(value) / 33.3564095:11.6f} THz {0:11.6f} 2PiTHz {abs(value):11.6f} cm-1 {0:11.6f} meV")
        lines.append("             X         Y         Z           dx          dy          dz")
        for place, row in zip(cell.positions[order], vector[order], strict=True):
            lines.append("".join(f"{x:10.6f}" for x in place) + "".join(f"{x:16.10f}" for x in row))
        lines.append("")
    path.write_text("\n".join([*lines, " Eigenvectors after division by SQRT(mass)", *lines[-60:]]) + "\n")


def write_outcar_frames(path: Path, cell: HarmonicCell, frames: np.ndarray) -> None:
    """A VASP OUTCAR of dynamics, frames (t, n, 3) in A."""
    order, lines = sorted_by_kind(cell), _vasp_head(cell)
    for frame in frames:
        lines += ["", " POSITION                                       TOTAL-FORCE (eV/Angst)", " " + "-" * 60]
        lines += ["".join(f"{x:13.7f}" for x in (*place, 0, 0, 0)) for place in frame[order]]
        lines.append(" " + "-" * 60)
    path.write_text("\n".join(lines) + "\n")


def write_vasprun(path: Path, cell: HarmonicCell, unit: str) -> None:
    """A vasprun.xml of vibrations; unit "" is eV/A^2/u, as VASP 5 had it, or "THz^2"."""
    wavenumbers, vectors = whole(cell)
    order, kinds = sorted_by_kind(cell), list(dict.fromkeys(cell.symbols))
    scale = 33.3564095 if unit else 521.4708983725064
    values = -np.sign(wavenumbers) * (wavenumbers / scale) ** 2
    masses = dict(zip(cell.symbols, cell.masses, strict=True))
    atoms = "".join(f"<rc><c>{cell.symbols[i]}</c><c>{kinds.index(cell.symbols[i]) + 1}</c></rc>" for i in order)
    types = "".join(f"<rc><c>{cell.symbols.count(k)}</c><c>{k}</c><c>{masses[k]}</c><c>6.0</c><c>PAW</c></rc>" for k in kinds)

    def rows(table: np.ndarray) -> str:
        return "".join("<v>" + " ".join(f"{x:.10f}" for x in row) + "</v>" for row in table)

    fractions = (cell.positions @ np.linalg.inv(cell.lattice))[order]
    path.write_text(
        "<modeling><atominfo><array name='atoms'><set>" + atoms + "</set></array><array name='atomtypes'><set>" + types + "</set></array>"
        "</atominfo><structure name='initialpos'><crystal><varray name='basis'>" + rows(cell.lattice) + "</varray></crystal>"
        "<varray name='positions'>"
        + rows(fractions)
        + "</varray></structure><calculation><dynmat>"
        + (f"<i name='unit' type='string'>{unit} </i>" if unit else "")
        + "<varray name='hessian'></varray><v name='eigenvalues'>"
        + " ".join(f"{v:.10E}" for v in values)
        + "</v>"
        "<varray name='eigenvectors'>" + rows(vectors[:, order].reshape(len(vectors), -1)) + "</varray></dynmat></calculation></modeling>"
    )

"""VASP: OUTCAR and vasprun.xml with vibrations or dynamics, XDATCAR."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.calculations.frames import FEWEST, count, images, trajectory
from napari_wse2xai.theory.calculated import Calculation, Trajectory, Vibrations
from napari_wse2xai.theory.cell import WAVENUMBER_PER_ROOT, Array

_CM1_PER_THZ = 33.3564095
_VIBRATION = re.compile(r"^\s*\d+ f(/i)?\s*=.*?(\S+) cm-1", re.MULTILINE)
_VECTORS = "Eigenvectors and eigenvalues of the dynamical matrix"
_FRAME = "TOTAL-FORCE (eV/Angst)"


def read_outcar(path: Path, step_fs: float | None = None) -> Calculation:
    """Vibrations where the run calculated some (IBRION 5 to 8), else dynamics."""
    text = path.read_text(encoding="utf-8", errors="replace")
    symbols, masses = _atoms(path, text)
    lattice = _lattice(path, text)
    if _VECTORS in text:
        return _vibrations(path, text, symbols, masses, lattice)
    blocks = text.split(_FRAME)[1:]
    frames = [_columns(block, len(symbols)) for block in blocks]
    if any(len(frame) < len(symbols) for frame in frames):
        whole = sum(len(frame) == len(symbols) for frame in frames)
        raise ReaderError(f"'{path.name}' begins {len(frames)} frames, but {whole} could be read: it is cut or damaged; copy it again.")
    if len(frames) < FEWEST:
        raise ReaderError(f"'{path.name}' holds neither vibrations nor {FEWEST} steps of dynamics.")
    step = step_fs or _step(text)
    if step is None:
        raise ReaderError(f"'{path.name}' does not say its time step (POTIM); give it in fs (--step-fs, or step_fs in a recipe).")
    atoms = {"symbols": symbols, "masses": masses, "lattice": lattice}
    return Trajectory.of_positions("VASP", path.name, np.stack(frames)[:, :, :3], step, **atoms)


def _atoms(path: Path, text: str) -> tuple[tuple[str, ...], Array]:
    """Elements and masses of all atoms."""
    kinds = re.findall(r"VRHFIN\s*=\s*([A-Z][a-z]?)", text)
    numbers = re.search(r"ions per type\s*=((?:\s+\d+)+)", text)
    masses = re.findall(r"POMASS =\s*([\d.]+);", text)
    if not kinds or numbers is None or len(masses) < len(kinds):
        raise ReaderError(f"'{path.name}' does not say its elements, their numbers or masses; it is cut or no whole OUTCAR: copy it again.")
    each = [int(word) for word in numbers[1].split()]
    symbols = tuple(element for element, number in zip(kinds, each, strict=True) for _ in range(number))
    return symbols, np.repeat([float(mass) for mass in masses[: len(kinds)]], each)


def _lattice(path: Path, text: str) -> Array:
    _, found, after = text.partition("direct lattice vectors")
    if not found:
        raise ReaderError(f"'{path.name}' holds no lattice; it is cut or no whole OUTCAR: copy it again.")
    return _columns(after, 3)[:, :3]


def _columns(text: str, rows: int) -> Array:
    """(rows, columns) numbers of the first lines that hold at least three; fewer rows where the text ends or goes on otherwise."""
    found: list[list[float]] = []
    for line in text.splitlines()[1:]:
        words = re.findall(r"-?\d+\.\d+", line)
        if len(words) >= 3:
            found.append([float(word) for word in words])
        elif found:
            break
        if len(found) == rows:
            break
    return np.array(found) if found and len({len(row) for row in found}) == 1 else np.zeros((0, 3))


def _vibrations(path: Path, text: str, symbols: tuple[str, ...], masses: Array, lattice: Array) -> Vibrations:
    part = text.partition(_VECTORS)[2].partition("Eigenvectors after division")[0]
    heads = list(_VIBRATION.finditer(part))[: 3 * len(symbols)]
    rows = [_columns(part[head.end() :], len(symbols)) for head in heads]
    whole = [row for row in rows if row.shape == (len(symbols), 6)]
    if len(whole) < 3 * len(symbols):
        raise ReaderError(f"'{path.name}' holds {len(whole)} of {3 * len(symbols)} vibrations: it is cut, or only some atoms were moved.")
    vectors = np.stack(whole)[:, :, 3:]
    wavenumbers = np.array([float(head[2]) * (-1 if head[1] else 1) for head in heads])
    return Vibrations("VASP", path.name, symbols, whole[0][:, :3], lattice, masses, wavenumbers, vectors)


def _step(text: str) -> float | None:
    found = re.search(r"POTIM\s*=\s*([\d.]+)", text)
    return float(found[1]) if found else None


def read_vasprun(path: Path, step_fs: float | None = None) -> Calculation:
    """Vibrations where the run calculated some, else dynamics."""
    root = ElementTree.parse(path).getroot()
    dynmat = root.find(".//dynmat")
    if dynmat is not None:
        return _of_dynmat(path, root, dynmat)
    found = images(path, "vasp-xml", len(root.findall("calculation")))
    step = step_fs or float(root.findtext(".//i[@name='POTIM']") or 0) or None
    return trajectory("VASP", path, found, step)


def _of_dynmat(path: Path, root: ElementTree.Element, dynmat: ElementTree.Element) -> Vibrations:
    """Vibrations; eigenvalues are in eV/A^2/u, or in THz^2 where the file says so, negative where stable."""
    cells = [[cell.text or "" for cell in row] for row in root.findall("atominfo/array[@name='atoms']/set/rc")]
    kinds = [[cell.text or "" for cell in row] for row in root.findall("atominfo/array[@name='atomtypes']/set/rc")]
    masses = np.array([float(kinds[int(cell[1]) - 1][2]) for cell in cells])
    structure = root.find("structure[@name='initialpos']")
    if structure is None or not cells:
        raise ReaderError(f"'{path.name}' does not say its atoms or where they are; copy it again.")
    lattice = _varray(structure.find("crystal/varray[@name='basis']"))
    values = -np.array([float(word) for word in (dynmat.findtext("v[@name='eigenvalues']") or "").split()])
    vectors = _varray(dynmat.find("varray[@name='eigenvectors']"))
    if vectors.shape != (3 * len(cells), 3 * len(cells)) or len(values) != len(vectors):
        raise ReaderError(f"'{path.name}' holds {len(values)} of {3 * len(cells)} vibrations: only some atoms were moved.")
    thz = "THz" in (dynmat.findtext("i[@name='unit']") or "")
    return Vibrations(
        "VASP",
        path.name,
        tuple(cell[0].strip() for cell in cells),
        _varray(structure.find("varray[@name='positions']")) @ lattice,
        lattice,
        masses,
        np.sign(values) * np.sqrt(np.abs(values)) * (_CM1_PER_THZ if thz else WAVENUMBER_PER_ROOT),
        vectors.reshape(len(values), -1, 3),
    )


def _varray(node: ElementTree.Element | None) -> Array:
    if node is None:
        return np.zeros((0, 0))
    return np.array([[float(word) for word in (row.text or "").split()] for row in node.findall("v")])


def read_xdatcar(path: Path, step_fs: float | None = None) -> Trajectory:
    """Dynamics; the file does not say its time step, nor masses other than the elements'."""
    found = images(path, "vasp-xdatcar", count(path, "Direct configuration"))
    return trajectory("VASP", path, found, step_fs)

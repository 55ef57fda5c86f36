"""Which program wrote a file, and what is in it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.calculated_here import read_calculated_here
from napari_wse2xai.io.calculations import abinit, castep, espresso, vasp
from napari_wse2xai.io.calculations.frames import read_extxyz
from napari_wse2xai.io.checksum import sha256
from napari_wse2xai.io.damage import readable_as
from napari_wse2xai.ordinary import require_ordinary, shown
from napari_wse2xai.theory.calculated import Calculated, Calculation

_HEAD_BYTES = 1 << 14
Read = Callable[[Path, float | None], Calculation]


@dataclass(frozen=True)
class _FileKind:
    """One kind of file: how it is known by its name and its first lines, and what reads it."""

    name: str
    suffixes: tuple[str, ...]
    signs: tuple[str, ...]
    read: Read

    def matches(self, path: Path, head: str) -> bool:
        """Whether a file is of this kind."""
        by_name = any(path.name.lower().endswith(suffix) for suffix in self.suffixes)
        return (by_name or not self.suffixes) and (not self.signs or any(sign in head for sign in self.signs))


KINDS = (
    _FileKind("CASTEP .phonon", (".phonon",), (), castep.read_phonon),
    _FileKind("CASTEP .castep", (".castep",), (), castep.read_castep),
    _FileKind("CASTEP .md", (".md",), ("<-- ", "BEGIN header"), castep.read_md),
    _FileKind("ABINIT PHBST.nc", ("_phbst.nc",), (), abinit.read_phonons),
    _FileKind("napari-wse2xai theory .nc", (".nc",), (), read_calculated_here),
    _FileKind("ABINIT anaddb output", (), ("ANADDB",), abinit.read_text),
    _FileKind("Quantum ESPRESSO dynamical matrix", (), ("Dynamical matrix file",), espresso.read_dynamical),
    _FileKind("Quantum ESPRESSO pw.x output", (), ("Program PWSCF",), espresso.read_dynamics),
    _FileKind("Quantum ESPRESSO dynmat.x table", (), ("Program DYNMAT", "diagonalizing the dynamical matrix"), espresso.refuse_table),
    _FileKind("VASP vasprun.xml", (".xml",), ("<modeling>",), vasp.read_vasprun),
    _FileKind("VASP OUTCAR", (), (" vasp.", "INCAR:"), vasp.read_outcar),
    _FileKind("VASP XDATCAR", (), ("Direct configuration",), vasp.read_xdatcar),
    _FileKind("extended XYZ", (".xyz", ".extxyz"), (), read_extxyz),
)
"""In the order in which they are tried."""


def read_calculation(path: str | Path, step_fs: float | None = None) -> Calculation:
    """Read what a program calculated.

    Parameters
    ----------
    path : a file of one of `KINDS`
    step_fs : time between two frames, for files of dynamics that do not say it (XDATCAR, most XYZ)

    Raises
    ------
    ReaderError
        With one sentence: no such kind, cut, damaged, or a library is missing.
    """
    source = Path(path).expanduser()
    if require_ordinary(source) is None or not source.is_file():
        raise ReaderError(f"'{shown(source)}' does not exist; give a file of CASTEP, Quantum ESPRESSO, ABINIT or VASP, or an extended XYZ.")
    with readable_as("a calculation", source), source.open("rb") as stream:
        head = stream.read(_HEAD_BYTES).decode("utf-8", "replace")
    kind = next((kind for kind in KINDS if kind.matches(source, head)), None)
    if kind is None:
        known = ", ".join(kind.name for kind in KINDS if kind.read is not espresso.refuse_table)
        raise ReaderError(f"'{source.name}' is no calculation that is known here ({known}); give one of these.")
    with readable_as(kind.name, source, StopIteration, SyntaxError, NameError):  # castep-outputs uses a name that a cut file never sets
        return kind.read(source, step_fs)


def read_calculated(paths: Iterable[str | Path], step_fs: float | None = None) -> Calculated:
    """Read several files, and sort them by program and structure."""
    places = [Path(path).expanduser() for path in paths]
    found = [read_calculation(place, step_fs) for place in places]
    return Calculated.of(found, {place.name: sha256(place) for place in places})


class Naming(Protocol):
    """Settings that may name files of calculations."""

    @property
    def calculations(self) -> tuple[Path, ...]:
        """The files."""
        ...

    @property
    def step_fs(self) -> float | None:
        """Time between frames that their files do not say."""
        ...


def read_named(settings: Naming | None) -> Calculated | None:
    """Read the calculations that settings name in place of the shipped reference; None where they name none."""
    return read_calculated(settings.calculations, settings.step_fs) if settings is not None and settings.calculations else None

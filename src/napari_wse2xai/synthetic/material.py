"""How the crystal answers to light: eight phonon lines, one exciton, and the law that ties them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from napari_wse2xai.synthetic.growth import Crystal, Field, smooth_field

A1_HEIGHT = 3300.0
"""Height of A1' on pristine crystal in focus, counts."""
PL_HEIGHT = 6000.0
"""Height of the exciton line where the law gives 1, counts."""


@dataclass(frozen=True)
class CrystalLine:
    """One line of the pristine crystal, and how defects and strain change it."""

    name: str
    position: float
    """cm-1."""
    fwhm: float
    """cm-1."""
    height: float
    """Counts."""
    per_strain: float
    """Shift in cm-1 per percent."""
    dims: tuple[float, float]
    """Exponents by which (vacancies, oxygen) change the height; negative weakens the line."""
    widens: tuple[float, float]
    """Relative broadening at full (vacancies, oxygen)."""
    shape: str = "lorentzian"


LINES = (
    CrystalLine("P195", 195.0, 11.0, 100.0, -0.8, (0.5, 0.1), (0.15, 0.05)),
    CrystalLine("P220", 220.0, 10.0, 220.0, -1.0, (0.9, 0.0), (0.25, 0.05)),
    CrystalLine("P240", 240.5, 8.0, 450.0, -1.2, (0.2, 0.5), (0.10, 0.30)),
    CrystalLine("A1'", 249.8, 3.6, A1_HEIGHT, -0.8, (-0.75, -0.40), (0.30, 0.12)),
    CrystalLine("2LA(M)", 259.5, 8.0, 900.0, -1.6, (-0.25, -0.10), (0.25, 0.10)),
    CrystalLine("P359", 359.0, 8.0, 220.0, -1.4, (-0.2, 0.0), (0.15, 0.10)),
    CrystalLine("P374", 374.0, 8.5, 340.0, -1.4, (-0.3, -0.1), (0.15, 0.10)),
    CrystalLine("P395", 395.0, 8.0, 290.0, -1.8, (0.1, 0.2), (0.20, 0.25)),
)
"""The lines of the wse2-532 preset; docs/presets.md has the sources."""

HIGH_RESOLUTION = (
    CrystalLine("P220", 218.6, 17.5, 130.0, -1.0, (0.5, 0.0), (0.10, 0.05)),
    CrystalLine("P240", 240.8, 10.0, 330.0, -1.2, (0.2, 0.5), (0.10, 0.20)),
    CrystalLine("A1'", 250.08, 1.3, 9000.0, -0.8, (-0.75, -0.40), (0.12, 0.05)),
    CrystalLine("P257", 257.2, 2.6, 300.0, -1.0, (0.2, 0.1), (0.10, 0.10)),
    CrystalLine("2LA(M)", 260.8, 4.4, 700.0, -1.6, (-0.25, -0.10), (0.15, 0.10)),
    CrystalLine("P278", 278.0, 22.0, 160.0, -1.0, (0.1, 0.1), (0.05, 0.05), "gaussian"),
    CrystalLine("P359", 360.4, 2.0, 220.0, -1.4, (-0.2, 0.0), (0.15, 0.10)),
    CrystalLine("P374", 374.5, 2.7, 420.0, -1.4, (-0.3, -0.1), (0.10, 0.05)),
    CrystalLine("P395", 396.0, 11.0, 200.0, -1.8, (0.1, 0.2), (0.10, 0.15)),
)
"""What 532 nm and 1800 lines per mm show of real monolayers, 0.5 cm-1 per channel: narrow, no band at 195, a shoulder at 257 and a plateau
up to 289 (public spectra fitted by this project, docs/sample_data.md)."""
BILAYER = (
    CrystalLine("P220", 219.5, 10.0, 220.0, -1.0, (0.9, 0.0), (0.25, 0.05)),
    CrystalLine("P240", 240.0, 8.0, 450.0, -1.2, (0.2, 0.5), (0.10, 0.30)),
    CrystalLine("A1'", 250.7, 3.6, A1_HEIGHT, -0.8, (-0.75, -0.40), (0.30, 0.12)),
    CrystalLine("2LA(M)", 258.9, 8.0, 900.0, -1.6, (-0.25, -0.10), (0.25, 0.10)),
    CrystalLine("P309", 309.1, 3.0, 400.0, -1.0, (-0.3, -0.1), (0.10, 0.05)),
    CrystalLine("P359", 360.0, 8.0, 220.0, -1.4, (-0.2, 0.0), (0.15, 0.10)),
    CrystalLine("P374", 374.5, 8.5, 340.0, -1.4, (-0.3, -0.1), (0.15, 0.10)),
    CrystalLine("P395", 396.0, 8.0, 290.0, -1.8, (0.1, 0.2), (0.20, 0.25)),
)
WS2 = (
    CrystalLine("P325", 323.3, 13.0, 450.0, -1.2, (0.2, 0.3), (0.10, 0.10)),
    CrystalLine("P344", 344.2, 14.0, 700.0, -1.4, (0.3, 0.1), (0.10, 0.10)),
    CrystalLine("2LA(M)", 351.3, 8.0, 4200.0, -1.6, (-0.25, -0.10), (0.15, 0.10)),
    CrystalLine("E'", 355.9, 4.7, 2400.0, -2.1, (-0.3, -0.1), (0.15, 0.05)),
    CrystalLine("A1'", 418.1, 4.5, A1_HEIGHT, -0.6, (-0.75, -0.40), (0.30, 0.12)),
)
MOS2 = (
    CrystalLine("E'", 385.5, 3.5, 2600.0, -2.1, (-0.3, -0.1), (0.15, 0.05)),
    CrystalLine("A1'", 404.0, 5.0, A1_HEIGHT, -0.6, (-0.75, -0.40), (0.30, 0.12)),
    CrystalLine("2LA(M)", 450.0, 21.0, 500.0, -1.6, (0.4, 0.2), (0.10, 0.10)),
)
MOSE2 = (
    CrystalLine("A1'", 241.0, 3.0, A1_HEIGHT, -0.6, (-0.75, -0.40), (0.30, 0.12)),
    CrystalLine("E'", 287.0, 5.0, 400.0, -2.1, (-0.3, -0.1), (0.15, 0.05)),
)
MOS2_BULK = (
    CrystalLine("A1g", 407.0, 5.0, A1_HEIGHT, -0.6, (-0.75, -0.40), (0.30, 0.12)),
    CrystalLine("E2g", 383.0, 5.0, 2600.0, -2.1, (-0.3, -0.1), (0.15, 0.05)),
    CrystalLine("2LA(M)", 460.0, 24.0, 500.0, -1.6, (0.4, 0.2), (0.10, 0.10)),
)
MOTE2 = (
    CrystalLine("A1'", 172.0, 4.0, A1_HEIGHT, -0.6, (-0.75, -0.40), (0.30, 0.12)),
    CrystalLine("E'", 235.0, 5.0, 2600.0, -2.1, (-0.3, -0.1), (0.15, 0.05)),
)
MOTE2_BILAYER = (*MOTE2, CrystalLine("P290", 290.0, 4.0, 900.0, -1.0, (-0.3, -0.1), (0.10, 0.05)))
GRAPHENE = (
    CrystalLine("2D", 2680.0, 30.0, A1_HEIGHT, -16.0, (-0.75, -0.40), (0.30, 0.12)),
    CrystalLine("G", 1582.0, 13.0, 1500.0, -6.0, (-0.2, -0.1), (0.15, 0.05)),
    CrystalLine("D", 1345.0, 25.0, 500.0, -4.0, (0.9, 0.3), (0.10, 0.10)),
    CrystalLine("D'", 1620.0, 13.0, 250.0, -4.0, (0.9, 0.3), (0.10, 0.10)),
)
HBN = (CrystalLine("E2g", 1366.0, 10.0, A1_HEIGHT, -4.0, (-0.75, -0.40), (0.30, 0.12)),)
LINE_SETS = {
    "usual": LINES,
    "high resolution": HIGH_RESOLUTION,
    "bilayer WSe2": BILAYER,
    "WS2": WS2,
    "MoS2": MOS2,
    "MoSe2": MOSE2,
    "MoTe2": MOTE2,
    "bulk MoS2": MOS2_BULK,
    "bilayer MoTe2": MOTE2_BILAYER,
    "graphene": GRAPHENE,
    "hBN": HBN,
}
"""Lines of a synthetic flake by their name in `make_flake`; those of other materials stand where the presets for 532 nm have them."""
EXCITONS = {"WS2": (2.010, 0.045), "MoS2": (1.860, 0.065), "MoSe2": (1.570, 0.048), "MoTe2": (1.100, 0.050)}
"""Position and FWHM in eV of the exciton line where it is not WSe2's."""
WSE2_EXCITON = (1.650, 0.058)

DOPING_EFFECT = 0.35
"""Largest relative change of A1' height by the smooth doping of the crystal; the other lines feel a sixth of it."""
OWN_EFFECT = 0.15
"""Largest relative change of each line's height that no other line shares; a third of it for the FWHM, 0.3 cm-1 for the position."""


def pl_law(a1_height: ArrayLike, vacancy: ArrayLike, oxygen: ArrayLike) -> Field:
    """PL height relative to that of pristine crystal: grows with A1' height and saturates, quenched by vacancies, raised by oxygen.

    ``(1 - exp(-a / 0.8)) / (1 - exp(-1 / 0.8)) * (1 + 0.3 oxygen) / (1 + 0.3 vacancy)``

    Parameters
    ----------
    a1_height : A1' height relative to pristine crystal in the same focus, about 0.3 to 1.3
    vacancy, oxygen : relative densities, 0 to 1

    Notes
    -----
    Made up for testing, after the tendencies that Yoo et al. 2023 (doi 10.1002/aisy.202200463) report; no physics follows from it.
    """
    saturating = (1.0 - np.exp(-np.asarray(a1_height) / 0.8)) / (1.0 - np.exp(-1.0 / 0.8))
    return np.asarray(saturating * (1.0 + 0.3 * np.asarray(oxygen)) / (1.0 + 0.3 * np.asarray(vacancy)))


def phonon_maps(crystal: Crystal, rng: np.random.Generator, lines: tuple[CrystalLine, ...] = LINES) -> Field:
    """Position, FWHM and relative-to-focus height of every line: (3, peak, ny, nx)."""
    doping = smooth_field(rng, crystal.flake.shape, 0.10)
    chief = lines[governing(lines)]
    return np.stack([_line_maps(line, crystal, doping * (1.0 if line is chief else 1.0 / 6.0), rng) for line in lines], axis=1)


def governing(lines: tuple[CrystalLine, ...]) -> int:
    """Which line the PL follows and doping changes: A1', or the strongest where a crystal has none."""
    names = [line.name for line in lines]
    return names.index("A1'") if "A1'" in names else int(np.argmax([line.height for line in lines]))


def _line_maps(line: CrystalLine, crystal: Crystal, doping: Field, rng: np.random.Generator) -> Field:
    """Position, FWHM and height of one line, its height changed by its share of the doping: (3, ny, nx)."""
    own = [smooth_field(rng, crystal.flake.shape, 0.10) for _ in range(3)]
    # Vacancies soften a line by 0.4 cm-1 at most, far less than strain moves it: positions tell strain first.
    position = line.position + line.per_strain * crystal.strain - 0.4 * crystal.vacancy + 0.15 * own[0]
    broadening = line.widens[0] * crystal.vacancy + line.widens[1] * crystal.oxygen
    fwhm = line.fwhm * (1.0 + broadening + OWN_EFFECT / 3.0 * own[1])
    defects = np.exp(line.dims[0] * crystal.vacancy + line.dims[1] * crystal.oxygen)
    height = line.height * defects * (1.0 + DOPING_EFFECT * doping + OWN_EFFECT * own[2])
    return np.stack([position, fwhm, height])


def exciton_maps(crystal: Crystal, rng: np.random.Generator, lines: str = "usual") -> tuple[Field, Field]:
    """Position and FWHM in eV of the exciton line, (ny, nx) each: strain shifts it, vacancies broaden it."""
    own = [smooth_field(rng, crystal.flake.shape, 0.10) for _ in range(2)]
    pristine, fwhm = EXCITONS.get(lines, WSE2_EXCITON)
    # Tension lowers the exciton by some 50 meV per percent (54 of uniaxial strain: Schmidt et al. 2016, 2D Mater. 3, 021011).
    position = pristine - 0.045 * crystal.strain + 0.004 * crystal.oxygen + 0.003 * own[0]
    return position, fwhm * (1.0 + 0.20 * crystal.vacancy + 0.05 * own[1])

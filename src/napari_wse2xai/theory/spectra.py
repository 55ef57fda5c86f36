"""Spectra of a cell of atoms on springs, in closed form: what molecular dynamics would give after endless time."""

import numpy as np

from napari_wse2xai.theory.cell import Array, HarmonicCell, mode_mass

BOLTZMANN_MEV_PER_K = 8.617333262e-2
KELVIN_PER_WAVENUMBER = 1.438776877
"""h c / k_B, cm K."""
WAVENUMBER_PER_EV = 8065.543937
_SLOWEST_CM1 = 20.0
"""Below it lie the sliding and flexural modes, where 1 / wavenumber makes of a small error a large intensity; a Raman map ends above it."""


def lorentzian(wavenumbers: Array, centres: Array, fwhm_cm1: float) -> Array:
    """(centres, wavenumbers) lines of area 1, in cm."""
    half = fwhm_cm1 / 2
    return np.asarray(half / np.pi / ((wavenumbers[None] - centres[:, None]) ** 2 + half**2))


def spectral_intensity(
    cell: HarmonicCell,
    wavenumbers: Array,
    *,
    mode: str | None = None,
    fwhm_cm1: float = 5.0,
    temperature_k: float = 273.0,
    mass_weighted: bool = True,
) -> Array:
    """Spectrum of the velocities' autocorrelation: its Fourier transform, as Figure 4a of Yoo et al. 2023 shows it.

    In a harmonic cell every mode carries k_B T whatever its wavenumber, so that the classical autocorrelation is a sum of cosines and its
    spectrum a sum of lines, without a start, a length or noise.

    Parameters
    ----------
    cell : the cell
    wavenumbers : (n,) cm-1
    mode : a Gamma mode of the pristine crystal, to which the velocities are projected; None for all velocities
    fwhm_cm1 : width of the Lorentzian that each mode is drawn with
    temperature_k : of the classical motion; it scales the whole
    mass_weighted : each atom's part times its mass

    Returns
    -------
    (n,) mass-weighted: meV cm per unit cell (all velocities: the area is 9 k_B T for MX2, less the three shifts; a Gamma mode: k_B T for
    each partner, where nothing is missing).  Else A^2 / ps^2 cm.
    """
    energy = BOLTZMANN_MEV_PER_K * temperature_k
    if mode is not None:
        weights: Array = (cell.overlaps(mode) ** 2).sum(axis=0)
        if not mass_weighted:
            weights = weights / mode_mass(cell.metal, cell.chalcogen, mode)
    elif mass_weighted:
        # Weighed by mass every mode has the same energy, k_B T (equipartition), so that all count alike.
        weights = np.full(len(cell.wavenumbers), 1.0 / cell.cells)
    else:
        weights = (cell.vectors**2 / np.repeat(cell.masses, 3)[:, None]).sum(axis=0) / cell.cells
    scale = energy if mass_weighted else energy * A2_PER_PS2_U_IN_MEV
    return np.asarray(scale * weights @ lorentzian(wavenumbers, cell.wavenumbers, fwhm_cm1))


A2_PER_PS2_U_IN_MEV = 1.602176634e-22 / 1.66053906660e-27 / 1e4
"""(A / ps)^2 of 1 meV / u."""

GEOMETRIES = ("backscattering", "parallel", "powder")


def activity(tensors: Array, geometry: str) -> Array:
    """Raman activity of tensors (..., 3, 3), averaged over the crystal's angle about z, or over all directions for a powder.

    backscattering : along z, all light that comes back; parallel : its polarisation that of the laser; powder : 45 a^2 + 7 g^2, over 45.
    """
    xx, yy, xy = tensors[..., 0, 0], tensors[..., 1, 1], tensors[..., 0, 1]
    if geometry == "backscattering":
        # Mean over the angle of the light along x and y that comes back, for a laser polarised at that angle.
        return np.asarray((xx**2 + yy**2 + 2 * xy**2) / 2)
    if geometry == "parallel":
        return np.asarray((3 * xx**2 + 3 * yy**2 + 2 * xx * yy + 4 * xy**2) / 8)
    mean = np.trace(tensors, axis1=-2, axis2=-1) / 3
    # 45 a^2 + 7 g^2, Placzek's average over all directions; a is the mean of the diagonal, g^2 the anisotropy.
    anisotropy = 1.5 * ((tensors**2).sum(axis=(-1, -2)) - 3 * mean**2)
    return np.asarray((45 * mean**2 + 7 * anisotropy) / 45)


def stokes_factor(wavenumbers: Array, *, laser_ev: float, temperature_k: float) -> Array:
    """(w_L - w)^4 / w (n + 1), in cm^-3; 0 below 20 cm-1.  Activities times this are proportional to counts of energy, not of photons."""
    shift = np.maximum(wavenumbers, _SLOWEST_CM1)
    # Bose's n + 1 = 1 / (1 - exp(-h c w / k T)); expm1 keeps its digits where the exponent is small.
    occupied = 1.0 / -np.expm1(-KELVIN_PER_WAVENUMBER * shift / temperature_k)
    factor = (laser_ev * WAVENUMBER_PER_EV - shift) ** 4 / shift * occupied
    return np.asarray(np.where(wavenumbers > _SLOWEST_CM1, factor, 0.0))


def mode_tensors(cell: HarmonicCell, tensors: dict[str, Array]) -> Array:
    """(3 n - 3, 3, 3) Raman tensors of a cell's modes: those of the pristine crystal's Gamma modes, by how much of each they are.

    Parameters
    ----------
    cell : the cell
    tensors : per Gamma mode (partners, 3, 3), derivative of the polarisability of one unit cell by the mode's coordinate, A^2
    """
    total = np.zeros((len(cell.wavenumbers), 3, 3))
    for mode, partners in tensors.items():
        scaled = partners / np.sqrt(mode_mass(cell.metal, cell.chalcogen, mode))
        total += np.einsum("pm,pij->mij", cell.overlaps(mode), scaled)
    return total


def raman(
    cell: HarmonicCell,
    tensors: dict[str, Array],
    wavenumbers: Array,
    *,
    geometry: str = "backscattering",
    laser_ev: float = 2.33,
    temperature_k: float = 300.0,
    fwhm_cm1: float = 5.0,
) -> Array:
    """Stokes spectrum as Figure 4c of Yoo et al. 2023 shows it, (n,) arbitrary units per unit cell, one scale for all cells.

    Only the pristine crystal's tensors enter: how a defect changes the polarisability itself, and any resonance, is left out.
    """
    options = {"laser_ev": laser_ev, "temperature_k": temperature_k, "fwhm_cm1": fwhm_cm1}
    return raman_of_modes(cell.wavenumbers, mode_tensors(cell, tensors), wavenumbers, geometry=geometry, **options)


def raman_of_modes(
    places: Array,
    tensors: Array,
    wavenumbers: Array,
    *,
    geometry: str = "backscattering",
    laser_ev: float = 2.33,
    temperature_k: float = 300.0,
    fwhm_cm1: float = 5.0,
) -> Array:
    """Stokes spectrum of modes at `places` (m,) cm-1 with `tensors` (m, 3, 3), in A^2 / u^(1/2) per unit cell; see `raman`."""
    strengths = activity(tensors, geometry) * stokes_factor(places, laser_ev=laser_ev, temperature_k=temperature_k) / _UNIT
    return np.asarray(strengths @ lorentzian(wavenumbers, places, fwhm_cm1))


_UNIT = 1e15
"""Brings the arbitrary units near 1."""


def all_partners(tensors: dict[str, Array]) -> dict[str, Array]:
    """Per mode (partners, 3, 3) from one tensor each; that of a twofold mode is the one along y, and the threefold axis gives the other."""
    half, root = -0.5, np.sqrt(3.0) / 2
    turn = np.array([[half, -root, 0.0], [root, half, 0.0], [0.0, 0.0, 1.0]])
    full = {}
    for mode, along in tensors.items():
        if mode.startswith("A"):
            full[mode] = along[None]
        else:  # turned by 120 degrees, y becomes -sin x + cos y
            full[mode] = np.stack([(turn @ along @ turn.T - half * along) / -root, along])
    return full

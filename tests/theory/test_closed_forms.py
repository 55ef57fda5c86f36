"""Closed forms against dynamics run step by step, against integrals over directions, and against constants of another library."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import constants
from scipy.spatial.transform import Rotation

from napari_wse2xai.theory import HarmonicCell, pristine_modes, raman, spectral_intensity, supercell
from napari_wse2xai.theory.spectra import activity, all_partners, stokes_factor

CM1_OF_HERTZ = 1 / (100 * constants.c)


def molecule(wavenumber_cm1: float) -> HarmonicCell:
    """Two atoms of unequal mass on one spring along x, whose stretching wavenumber is known by hand."""
    masses = np.array([183.84, 78.971])
    reduced = masses.prod() / masses.sum() * constants.atomic_mass
    spring = reduced * (2 * np.pi * 100 * constants.c * wavenumber_cm1) ** 2 / constants.e * 1e-20  # eV/A^2
    hessian = np.zeros((6, 6))
    hessian[np.ix_([0, 3], [0, 3])] = spring * np.array([[1, -1], [-1, 1]])
    return HarmonicCell(("W", "Se"), np.zeros((2, 3)), np.eye(3), masses, hessian, "W", "Se", 1)


def test_a_molecule_of_two_atoms_has_the_wavenumber_of_its_spring():
    assert molecule(250.0).wavenumbers[-1] == pytest.approx(250.0, abs=1e-4)


def velocities_of(cell: HarmonicCell, temperature_k: float, *, steps: int, dt_fs: float, every: int) -> np.ndarray:
    """(steps, 3 n, 3 n) m/s: velocity Verlet on the cell's springs, one run per motion, each with its share of a thermal start.

    The motion is linear: a sum over these starts is the mean over endlessly many Maxwellian ones whose energy is all kinetic.
    """
    masses = np.repeat(cell.masses, 3)[:, None] * constants.atomic_mass
    springs = cell.hessian * constants.e * 1e20
    v = np.diag(np.sqrt(2 * constants.k * temperature_k / masses[:, 0]))
    x, dt, kept = np.zeros_like(v), dt_fs * constants.femto, np.empty((steps, *v.shape))
    force = -springs @ x
    for step in range(steps * every):
        if step % every == 0:
            kept[step // every] = v
        v = v + force / masses * dt / 2
        x = x + v * dt
        force = -springs @ x
        v = v + force / masses * dt / 2
    return kept


def test_the_spectrum_is_that_of_dynamics_run_step_by_step():
    """Places within 0.5 cm-1 and areas within 2 % of molecular dynamics' (Wiener-Khinchin, window)."""
    cell = pristine_cell()
    temperature, dt, every, steps = 273.0, 1.0, 5, 4096
    run = velocities_of(cell, temperature, steps=steps, dt_fs=dt, every=every)
    masses = np.repeat(cell.masses, 3)[:, None] * constants.atomic_mass
    window = np.hanning(steps)[:, None, None]
    power = (np.abs(np.fft.rfft(run * window, n=8 * steps, axis=0)) ** 2 * masses).sum(axis=(1, 2))
    shift = np.fft.rfftfreq(8 * steps, dt * every * constants.femto) * CM1_OF_HERTZ
    per_bin = 2 * power / (8 * steps) / (window**2).sum() / (constants.e * 1e-3)  # meV: the sum over all is m v^2
    x = np.arange(20, 500, 0.05)
    closed = spectral_intensity(cell, x, fwhm_cm1=0.5, temperature_k=temperature)
    for place in (150.0, 210.0, 260.0, 320.0):
        near, around = np.abs(shift - place) < 10, np.abs(x - place) < 10
        assert shift[near][per_bin[near].argmax()] == pytest.approx(x[around][closed[around].argmax()], abs=0.5)
        assert per_bin[near].sum() == pytest.approx(closed[around].sum() * 0.05, rel=0.02)


def pristine_cell() -> HarmonicCell:
    """One cell with four lines far from each other."""
    bare = molecule(250.0)
    cell = replace(
        bare,
        symbols=("W", "Se", "Se"),
        positions=np.array([[0, 0, 0], [0, -1.9, 1.67], [0, -1.9, -1.67]], float),
        masses=np.array([183.84, 78.971, 78.971]),
        hessian=np.zeros((9, 9)),
    )
    return cell.with_modes({"E''": 150.0, "E'": 210.0, "A1'": 260.0, "A2''": 320.0})


def test_the_area_is_that_of_equipartition():
    """Each of the 3 n - 3 motions holds k_B T, and each partner of a Gamma mode too, where no atom is missing."""
    x = np.arange(-20_000, 20_000, 0.5)
    cell = supercell("diep", "pristine")
    energy_mev = constants.k * 300 / constants.e * 1e3
    total = spectral_intensity(cell, x, temperature_k=300).sum() * 0.5
    assert total == pytest.approx((3 * 48 - 3) / 16 * energy_mev, rel=1e-3)
    for mode, partners in (("A1'", 1), ("E'", 2)):
        assert spectral_intensity(cell, x, mode=mode, temperature_k=300).sum() * 0.5 == pytest.approx(partners * energy_mev, rel=1e-3)


def test_velocities_without_masses_hold_kt_over_mass():
    x = np.arange(-20_000, 20_000, 0.5)
    got = spectral_intensity(molecule(250.0), x, temperature_k=300, mass_weighted=False).sum() * 0.5
    free = constants.k * 300 / constants.atomic_mass * 1e-4  # (A/ps)^2 u
    masses = np.array([183.84, 78.971])
    assert got == pytest.approx(free * ((1 / masses).sum() * 3 - 3 * 2 / masses.sum()), rel=1e-3)


def test_activities_are_averages_over_directions():
    rng = np.random.default_rng(1)
    tensor = rng.normal(size=(3, 3))
    tensor = tensor + tensor.T
    around_z = Rotation.from_euler("z", np.arange(0, 360, 5)[:, None], degrees=True).as_matrix()
    turned = around_z @ tensor @ around_z.transpose(0, 2, 1)
    assert activity(tensor, "parallel") == pytest.approx((turned[:, 0, 0] ** 2).mean())
    assert activity(tensor, "backscattering") == pytest.approx((turned[:, 0, 0] ** 2 + turned[:, 0, 1] ** 2).mean())
    anyhow = Rotation.random(200_000, random_state=2).as_matrix()
    turned = anyhow @ tensor @ anyhow.transpose(0, 2, 1)
    assert activity(tensor, "powder") == pytest.approx((turned[:, 0, 0] ** 2 + turned[:, 0, 1] ** 2).mean(), rel=0.01)


def test_partners_of_a_twofold_mode_turn_into_each_other():
    along = np.array([[1.3, 0, 0], [0, -1.3, 0], [0, 0, 0]])
    across, same = all_partners({"E'": along})["E'"]
    np.testing.assert_allclose(same, along)
    np.testing.assert_allclose(np.abs(across), [[0, 1.3, 0], [1.3, 0, 0], [0, 0, 0]], atol=1e-12)


def test_the_stokes_factor_is_the_textbook_one():
    shift = np.array([100.0, 250.0, 400.0])
    laser = 2.33 * constants.e / constants.h / constants.c / 100
    bose = 1 / (np.exp(constants.h * constants.c * 100 * shift / constants.k / 300) - 1)
    expected = (laser - shift) ** 4 / shift * (bose + 1)
    np.testing.assert_allclose(stokes_factor(shift, laser_ev=2.33, temperature_k=300), expected, rtol=1e-6)


def test_a_supercell_of_the_pristine_crystal_gives_the_crystals_own_two_lines():
    """Sixteen cells or one: the intensity per unit cell is the same."""
    modes = pristine_modes("WSe2")
    big = supercell("diep", "pristine")
    x = np.arange(100, 400, 0.1)
    places = [spectral_intensity(big, x, mode=mode, fwhm_cm1=1) for mode in ("E'", "A1'")]
    small = pristine_cell().with_modes(dict(zip(("E'", "A1'"), (x[place.argmax()] for place in places), strict=True)))
    for geometry in ("backscattering", "parallel", "powder"):
        one, sixteen = (raman(cell, modes.tensors, x, geometry=geometry) for cell in (small, big))
        assert np.abs(one - sixteen).max() < 0.05 * one.max()

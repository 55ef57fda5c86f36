"""Dynamics on springs, whose every number is known: places, areas, equipartition, drift, restart, cancel."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import constants
from scipy.signal import lfilter

from napari_wse2xai.engines import Dynamics, run_nve
from napari_wse2xai.errors import Cancelled, DataError
from napari_wse2xai.theory import HarmonicCell, spectral_intensity, supercell
from napari_wse2xai.theory.dynamics import (
    as_stepped,
    autocorrelation,
    block_error,
    lags_of,
    mass_weighted,
    over_seeds,
    slope_with_error,
    spectrum,
    temperatures,
)
from napari_wse2xai.theory.runs import Run, narrowest_cm1, spectrum_of_runs
from napari_wse2xai.theory.words import of_runs

K_MEV = constants.k / constants.e * 1e3
CM1 = np.sqrt(constants.e * 1e20 / constants.atomic_mass) / (2 * np.pi * 100 * constants.c)


def springs_of(cell: HarmonicCell):
    """Forces of a cell's own springs."""

    def forces(positions):
        away = (positions - cell.positions).ravel()
        pull = cell.hessian @ away
        return 0.5 * float(away @ pull), -pull.reshape(-1, 3)

    return forces


def chain(atoms: int, spring: float, mass: float) -> HarmonicCell:
    """A ring of equal atoms on equal springs along x; across they are bound to nothing but each other, alike."""
    ring = spring * (2 * np.eye(atoms) - np.roll(np.eye(atoms), 1, axis=0) - np.roll(np.eye(atoms), -1, axis=0))
    hessian = np.kron(ring, np.diag([1.0, 0.8, 0.6]))
    return HarmonicCell(("W",) * atoms, np.zeros((atoms, 3)), np.eye(3), np.full(atoms, mass), hessian, "W", "Se", 1)


def started(cell: HarmonicCell, velocities: np.ndarray, step_fs: float) -> Run:
    """A run from rest positions with given velocities, without thermalisation: its energy is left as it is."""
    start = Dynamics(step_fs=step_fs, thermalise_ps=step_fs * 1e-3).start(cell, "springs")
    return replace(start, done=1, velocities=velocities)


def test_a_ring_of_atoms_has_the_wavenumbers_of_the_textbook():
    """2 sqrt(k / m) |sin(pi q / N)|."""
    ring = chain(8, 4.0, 100.0)
    along = 2 * np.sqrt(4.0 / 100.0) * np.abs(np.sin(np.pi * np.arange(8) / 8)) * CM1
    expected = np.sort(np.concatenate([along * np.sqrt(share) for share in (1.0, 0.8, 0.6)]))[3:]
    np.testing.assert_allclose(np.sort(ring.wavenumbers), expected, rtol=1e-6)


@pytest.mark.parametrize("step_fs", [2.0, 5.0, 10.0])
def test_two_atoms_swing_at_the_wavenumber_of_their_spring(step_fs):
    """Within 0.5 cm-1, and with all the energy in the line, however long the step: Verlet's own shift is taken out."""
    reduced = 100.0 / 2
    stretch = np.kron(np.array([[1.0, -1], [-1, 1]]), np.diag([reduced * (250 / CM1) ** 2, 0, 0]))
    cell = HarmonicCell(("W", "W"), np.zeros((2, 3)), np.eye(3), np.full(2, 100.0), stretch, "W", "Se", 1)
    run = run_nve(started(cell, np.array([[2.0, 0, 0], [-2.0, 0, 0]]), step_fs), springs_of(cell), 20.0)
    x = np.arange(150, 400, 0.05)
    found = spectrum_of_runs([run], x, fwhm_cm1=3.0).mean
    assert x[found.argmax()] == pytest.approx(250, abs=0.5)
    far = np.arange(1, 800, 0.05)
    area = spectrum_of_runs([run], far, fwhm_cm1=3.0).mean.sum() * 0.05
    assert area == pytest.approx(3 * K_MEV * 273, rel=0.02)


def test_a_short_run_draws_no_narrow_line_and_says_so():
    reduced = 100.0 / 2
    stretch = np.kron(np.array([[1.0, -1], [-1, 1]]), np.diag([reduced * (250 / CM1) ** 2, 0, 0]))
    cell = HarmonicCell(("W", "W"), np.zeros((2, 3)), np.eye(3), np.full(2, 100.0), stretch, "W", "Se", 1)
    run = run_nve(started(cell, np.array([[2.0, 0, 0], [-2.0, 0, 0]]), 2.0), springs_of(cell), 2.0)
    x = np.arange(150, 350, 0.02)
    found = spectrum_of_runs([run], x, fwhm_cm1=0.1).mean
    wide = x[found > found.max() / 2]
    assert narrowest_cm1([run]) == pytest.approx(np.ptp(wide), rel=0.05)


def test_the_stretched_axis_is_that_of_a_swing_stepped_by_hand():
    step_fs, place = 10.0, 250.0
    turn = 2 * np.pi * 100 * constants.c * place * step_fs * constants.femto
    x = [1.0, 1 - turn**2 / 2]
    for _ in range(200_000):
        x.append((2 - turn**2) * x[-1] - x[-2])
    power = np.abs(np.fft.rfft(np.array(x) * np.hanning(len(x))))
    at = np.fft.rfftfreq(len(x), step_fs * constants.femto)[power.argmax()] / (100 * constants.c)
    assert as_stepped(np.array([place]), step_fs)[0][0] == pytest.approx(at, abs=0.02)
    assert at - place > 2


def test_places_and_areas_are_those_of_the_closed_form():
    """Every vibration starts with k_B T: then each line of the run must have the place and the area of the closed form's."""
    ring = chain(6, 4.0, 100.0)
    each = np.sqrt(2 * K_MEV * 273 / 1e3 * constants.e / constants.atomic_mass) * 1e-2  # A/ps of 1 u
    start = (ring.vectors.sum(axis=1) * each / np.sqrt(100.0)).reshape(-1, 3)
    run = run_nve(started(ring, start, 5.0), springs_of(ring), 60.0)
    x = np.arange(1, 300, 0.02)
    closed = spectral_intensity(ring, x, fwhm_cm1=3.0)
    found = spectrum_of_runs([run], x, fwhm_cm1=3.0).mean
    groups = np.split(np.sort(ring.wavenumbers), np.flatnonzero(np.diff(np.sort(ring.wavenumbers)) > 4) + 1)
    assert len(groups) > 5
    for group in groups:
        near = (x > group[0] - 4) & (x < group[-1] + 4)
        assert x[near][found[near].argmax()] == pytest.approx(x[near][closed[near].argmax()], abs=0.5)
        assert found[near].sum() == pytest.approx(closed[near].sum(), rel=0.02)


@pytest.fixture(scope="module")
def runs() -> tuple[HarmonicCell, list[Run]]:
    ring = chain(6, 4.0, 100.0)
    settings = [Dynamics(temperature_k=273, step_fs=2.0, thermalise_ps=1.0, length_ps=6, seed=seed) for seed in range(8)]
    return ring, [run_nve(one.start(ring, "springs"), springs_of(ring), one.length_ps) for one in settings]


def test_the_area_is_what_moves(runs):
    """The spectrum's area is the mean of m v^2, to 2 %, whatever its shape."""
    ring, found = runs
    x = np.arange(0, 3000, 0.25)
    for run in found[:3]:
        series = mass_weighted(run.kept, ring.masses)
        area = spectrum(autocorrelation(series, lags_of(len(series), 2.0, 5.0)), 2.0, x, 5.0).sum() * 0.25
        assert area == pytest.approx((series**2).sum(axis=1).mean(), rel=0.02)


def test_equipartition(runs):
    """Whole energy and mean temperature of every seed, and, over seeds, what each vibration has."""
    ring, found = runs
    for run in found:
        assert run.energies.mean() * 1e3 == pytest.approx(15 * K_MEV * 273, rel=2e-3)
    each = np.array([run.temperatures.mean() for run in found])
    assert each.mean() == pytest.approx(273, abs=3 * each.std(ddof=1) / np.sqrt(len(each)))
    assert np.abs(each - 273).max() < 0.1 * 273
    np.testing.assert_allclose(temperatures(found[0].kept, ring.masses), found[0].temperatures)


def test_equipartition_of_every_vibration_of_a_layer():
    """Many short runs from thermalised starts: kinetic energy of slow and of fast vibrations alike, half k_B T each."""
    cell = supercell("diep", "pristine")
    settings = [Dynamics(step_fs=5.0, thermalise_ps=2.0, length_ps=0.5, seed=seed) for seed in range(12)]
    found = [run_nve(one.start(cell, "springs"), springs_of(cell), 0.5) for one in settings]
    moving = np.stack([mass_weighted(run.kept, cell.masses) @ cell.vectors for run in found])
    kinetic = (moving**2).mean(axis=(0, 1)) * 0.1036426966 / K_MEV
    thirds = np.array_split(kinetic, 3)
    assert [third.mean() for third in thirds] == pytest.approx([273] * 3, rel=0.08)
    assert np.mean([run.temperatures.mean() for run in found]) == pytest.approx(273, rel=0.03)


def test_the_energy_does_not_drift(runs):
    _, found = runs
    assert max(abs(run.drift) for run in found) < 0.1
    tilted = replace(found[0], energies=np.arange(len(found[0].energies)) * 2e-3 * 6 * 1e-3 * 0.5)
    assert tilted.drift == pytest.approx(0.5)
    assert tilted.drift_error == pytest.approx(0, abs=1e-9)
    assert np.isnan(replace(tilted, energies=tilted.energies[:1]).drift)
    assert ["too much" in told for told in of_runs([found[0], tilted])][:2] == [False, True]


@pytest.mark.parametrize("memory", [0.0, 0.9])
def test_the_error_of_a_drift_covers_the_truth_though_neighbouring_steps_are_alike(memory):
    """200 series with a slope of 0.3: as far from it as the error says; an error that takes steps for independent is 4 times too small."""
    noise = lfilter([1.0], [1.0, -memory], np.random.default_rng(5).normal(size=(200, 1200)), axis=1)[:, 200:]
    found = np.array([slope_with_error(row + 0.3 * 0.005 * np.arange(1000), 0.005) for row in noise])
    off = (found[:, 0] - 0.3) / found[:, 1]
    assert 0.8 < off.std() < 1.35
    assert abs(off.mean()) < 0.3
    np.testing.assert_allclose(found[:3, 0], [np.polyfit(0.005 * np.arange(1000), row, 1)[0] + 0.3 for row in noise[:3]])
    assert all(np.isnan(slope_with_error(np.ones(1), 0.005)))


def test_the_energy_of_a_layer_does_not_drift_with_five_femtoseconds():
    cell = supercell("diep", "V_Se")
    run = run_nve(Dynamics(length_ps=4).start(cell, "springs"), springs_of(cell), 4.0)
    assert abs(run.drift) < 0.1


def test_a_seed_gives_the_same_run_and_another_gives_another(runs):
    ring, found = runs
    one = Dynamics(temperature_k=273, step_fs=2.0, thermalise_ps=1.0, seed=3)
    again = run_nve(one.start(ring, "springs"), springs_of(ring), 6.0)
    np.testing.assert_array_equal(again.kept, found[3].kept)
    assert np.abs(found[3].kept - found[4].kept).max() > 0.1


@pytest.mark.parametrize("after", [200, 500, 900])
def test_a_run_that_was_stopped_goes_on_where_it_was(runs, after):
    """In the thermalisation, at its end, and later; what was kept is the state of the last step."""
    ring, found = runs
    calls, kept = [], []

    def stop(fraction: float, message: str) -> None:
        calls.append(fraction)
        if len(calls) == after:
            raise Cancelled

    start = Dynamics(temperature_k=273, step_fs=2.0, thermalise_ps=1.0).start(ring, "springs")
    with pytest.raises(Cancelled):
        run_nve(start, springs_of(ring), 6.0, keep=kept.append, progress=stop)
    assert kept[-1].done == after
    again = run_nve(kept[-1], springs_of(ring), 6.0)
    np.testing.assert_array_equal(again.kept, found[0].kept)
    np.testing.assert_array_equal(again.energies, found[0].energies)


def test_a_run_can_be_made_longer(runs):
    ring, found = runs
    short = replace(found[0], done=1500, kept=found[0].kept[:1000], energies=found[0].energies[:1000])
    assert run_nve(found[0], springs_of(ring), 6.0).done == found[0].done
    assert len(short.kept) == 1000
    longer = run_nve(found[0], springs_of(ring), 6.5)
    assert len(longer.kept) == 3250
    np.testing.assert_array_equal(longer.kept[:3000], found[0].kept)


def test_atoms_that_fly_apart_are_one_sentence():
    ring = chain(4, -40.0, 1.0)
    with pytest.raises(DataError, match="fly apart"):
        run_nve(Dynamics(step_fs=20).start(ring, "springs"), springs_of(ring), 5.0)


def test_a_layer_with_a_mode_at_a_known_place():
    """The projected spectrum of a real cell's springs, run step by step, stands where the closed form has it."""
    cell = supercell("diep", "pristine")
    run = run_nve(Dynamics(step_fs=5.0, thermalise_ps=0.2, seed=1).start(cell, "springs"), springs_of(cell), 8.0)
    x = np.arange(200, 300, 0.1)
    found = spectrum_of_runs([run], x, "A1'")
    assert x[found.mean.argmax()] == pytest.approx(x[spectral_intensity(cell, x, mode="A1'").argmax()], abs=1.0)
    assert np.isfinite(found.error).all()
    assert found.error.max() > 0


def test_errors_over_seeds_and_blocks_are_the_spread_that_they_stand_for():
    rng = np.random.default_rng(1)
    each = rng.normal(5, 2, size=(12, 400))
    got = over_seeds(each)
    assert got.error.mean() == pytest.approx(2 / np.sqrt(12), rel=0.15)
    assert np.isnan(over_seeds(each[:1]).error).all()
    smooth = np.repeat(rng.normal(size=400), 50)
    assert block_error(smooth, 20) == pytest.approx(1 / np.sqrt(400), rel=0.5)
    assert smooth.std() / np.sqrt(len(smooth)) < 0.3 * block_error(smooth, 20)


def test_the_error_over_seeds_is_that_of_the_mean():
    """Against the spread of the means of ten groups of four seeds."""
    ring, x = chain(6, 4.0, 100.0), np.arange(20, 300, 2.0)
    starts = [Dynamics(step_fs=4.0, thermalise_ps=0.6, seed=seed).start(ring, "springs") for seed in range(40)]
    found = [run_nve(start, springs_of(ring), 1.0) for start in starts]
    groups = [spectrum_of_runs(found[first : first + 4], x) for first in range(0, 40, 4)]
    spread = np.std([group.mean for group in groups], axis=0, ddof=1)
    told = np.mean([group.error for group in groups], axis=0)
    assert np.linalg.norm(told) == pytest.approx(np.linalg.norm(spread), rel=0.3)


def test_temperature_leaves_out_the_motion_of_the_whole():
    velocities = np.tile(np.array([7.0, -2.0, 1.0]), (3, 5, 1))
    np.testing.assert_allclose(temperatures(velocities, np.array([1.0, 2, 3, 4, 5])), 0, atol=1e-9)

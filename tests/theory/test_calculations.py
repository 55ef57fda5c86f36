"""Files of CASTEP, Quantum ESPRESSO, ABINIT, VASP and XYZ, against what went into them, the programs' own numbers, and a second count."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from made_calculations import sorted_by_kind, write_outcar, write_outcar_frames, write_phonon, write_vasprun
from napari_wse2xai import cli
from napari_wse2xai.errors import DataError, ReaderError
from napari_wse2xai.io.calculations import read_calculated, read_calculation
from napari_wse2xai.theory import HarmonicCell, supercell
from napari_wse2xai.theory.calculated import Trajectory, Vibrations, structure_of
from napari_wse2xai.theory.evaluation import evaluate
from napari_wse2xai.theory.findings import fall_with_defects
from napari_wse2xai.theory.spectra import activity

FILES = Path(__file__).with_name("files")
ase_io = pytest.importorskip("ase.io", reason="ASE comes with the extra 'theory'")
pytest.importorskip("castep_outputs", reason="castep-outputs comes with the extra 'theory'")


@pytest.fixture(scope="module")
def cells() -> dict[str, HarmonicCell]:
    return {name: supercell("diep", name) for name in ("pristine", "V_Se", "O_Se")}


@pytest.fixture(scope="module")
def phonons(cells, tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("castep")
    for name, cell in cells.items():
        write_phonon(folder / f"{name}.phonon", cell)
    return {name: folder / f"{name}.phonon" for name in cells}


def assert_of(found: Vibrations, cell: HarmonicCell, order=None) -> None:
    """The springs of a file are those of the cell that it was made of."""
    order = np.arange(len(cell.symbols)) if order is None else order
    assert found.symbols == tuple(np.array(cell.symbols)[order])
    np.testing.assert_allclose(found.cell().wavenumbers, cell.wavenumbers, atol=2e-3)
    np.testing.assert_allclose(found.masses, cell.masses[order], atol=2e-3)
    for mode in ("A1'", "E'", "E''"):
        one, other = ((c.overlaps(mode) ** 2 * c.wavenumbers).sum() for c in (found.cell(), cell))
        assert one == pytest.approx(other, rel=1e-4)


def test_a_castep_phonon_file_gives_back_what_it_was_made_of(phonons, cells):
    for name, path in phonons.items():
        found = read_calculation(path)
        assert_of(found, cells[name])
        assert structure_of(found) == name
        np.testing.assert_allclose(found.positions, cells[name].positions, atol=1e-5)


def test_a_real_castep_phonon_file():
    found = read_calculation(FILES / "bn.phonon")
    assert found.symbols == ("B", "N")
    np.testing.assert_allclose(found.wavenumbers, [-0.040146, -0.040146, -0.029897, 1130.614141, 1130.614141, 1319.725988])
    flat = found.vectors.reshape(6, -1)
    np.testing.assert_allclose(flat @ flat.T, np.eye(6), atol=1e-8)


def test_raman_tensors_come_from_the_castep_file_beside_it(tmp_path):
    """Two modes' tensors as castep-outputs' own test has them; a file with another number of modes is told and left out."""
    (tmp_path / "bn.phonon").write_bytes((FILES / "bn.phonon").read_bytes())
    (tmp_path / "bn.castep").write_bytes((FILES / "raman_block.castep").read_bytes())
    with pytest.warns(UserWarning, match="2 Raman tensors"):
        assert read_calculation(tmp_path / "bn.phonon").tensors is None
    text = (FILES / "raman_block.castep").read_text()
    block = text[text.index(" + Mode number:   2") : text.index(" +------", text.index(" + Mode number:   2"))]
    six = "".join(block.replace("Mode number:   2", f"Mode number: {number:3d}") for number in range(1, 7))
    head = text[: text.index(" + Mode number:   1")]
    (tmp_path / "bn.castep").write_text(head + six + text[text.index(" +------", text.index(" + Mode number:   2")) :])
    found = read_calculation(tmp_path / "bn.castep")
    volume = abs(np.linalg.det(found.lattice))
    np.testing.assert_allclose(found.tensors[3] / np.sqrt(volume), [[0, 0, 0], [0, -2.5, -1.3062], [0, -1.3062, -1.0]], atol=1e-9)


def test_a_castep_file_alone_says_what_is_missing():
    with pytest.raises(ReaderError, match=r"no eigenvectors; put 'raman_block.phonon'"):
        read_calculation(FILES / "raman_block.castep")


def test_the_activity_of_ph_x_is_that_of_dynmat_x():
    """Wavenumbers to 0.01 cm-1, and the Raman activity to 0.1 %, as dynmat.x prints them."""
    table = [line.split() for line in (FILES / "alas_dynmat.txt").read_text().splitlines() if re.match(r"\s+\d+\s+-?\d+\.\d\d\s", line)]
    found = read_calculation(FILES / "alas.dynG")
    np.testing.assert_allclose(np.abs(found.wavenumbers), [abs(float(row[1])) for row in table], atol=0.01)
    np.testing.assert_allclose(45 * activity(found.tensors, "powder")[3:], [float(row[4]) for row in table][3:], rtol=1e-3)
    assert found.symbols == ("Al", "As")
    assert np.linalg.norm(found.positions[1] - found.positions[0]) == pytest.approx(10.60 * 0.529177 * np.sqrt(3) / 4, rel=1e-5)


def test_raman_slopes_of_a_shift_of_the_whole_are_taken_out():
    found = read_calculation(FILES / "alas.dynG")
    slopes = found.polarisability()
    shift = np.kron(np.sqrt(found.masses)[:, None], np.eye(3))
    np.testing.assert_allclose(slopes @ shift, 0, atol=1e-9)


def test_abinits_netcdf_file_gives_what_its_text_says():
    """362.3801 cm-1, as anaddb prints, three times; the light atom moves more, as their masses have it."""
    found = read_calculation(FILES / "alas_PHBST.nc")
    np.testing.assert_allclose(found.wavenumbers, [0, 0, 0, 362.3801, 362.3801, 362.3801], atol=2e-3)
    moves = found.vectors[3:] / np.sqrt(found.masses)[:, None]
    np.testing.assert_allclose(np.linalg.norm(moves[:, 0], axis=1) / np.linalg.norm(moves[:, 1], axis=1), 74.92159 / 26.981539, rtol=1e-4)
    flat = found.vectors.reshape(6, -1)
    np.testing.assert_allclose(flat @ flat.T, np.eye(6), atol=1e-6)


def test_anaddbs_text_leads_to_the_file_beside_it(tmp_path):
    (tmp_path / "run.out").write_text(".Version 9.6.2 of ANADDB\n")
    with pytest.raises(ReaderError, match=r"give 'run_PHBST.nc'"):
        read_calculation(tmp_path / "run.out")
    (tmp_path / "run_PHBST.nc").write_bytes((FILES / "alas_PHBST.nc").read_bytes())
    assert read_calculation(tmp_path / "run.out").program == "ABINIT"


def test_dynmats_table_holds_no_atoms():
    with pytest.raises(ReaderError, match="fildyn"):
        read_calculation(FILES / "alas_dynmat.txt")


def test_vasps_outcar_and_vasprun_give_back_what_they_were_made_of(tmp_path, cells):
    cell = cells["O_Se"]
    order = sorted_by_kind(cell)
    assert (order != np.arange(len(order))).any()
    write_outcar(tmp_path / "OUTCAR", cell)
    assert_of(read_calculation(tmp_path / "OUTCAR"), cell, order)
    for unit in ("", "THz^2"):
        write_vasprun(tmp_path / "vasprun.xml", cell, unit)
        assert_of(read_calculation(tmp_path / "vasprun.xml"), cell, order)


def test_an_unstable_mode_stays_unstable(tmp_path, cells):
    cell = replace(cells["pristine"], hessian=cells["pristine"].hessian - 3.0 * np.eye(144))
    assert (cell.wavenumbers < 0).sum() > 3
    write_outcar(tmp_path / "OUTCAR", cell)
    np.testing.assert_allclose(np.sort(read_calculation(tmp_path / "OUTCAR").wavenumbers)[:3], cell.wavenumbers[:3], atol=1e-4)


def moving(cell: HarmonicCell, steps: int = 40, step_fs: float = 2.0) -> np.ndarray:
    """(t, n, 3) positions of one mode's motion, with a drift over the cell's border."""
    mode = int((cell.overlaps("A1'") ** 2).sum(axis=0).argmax())
    times = np.arange(steps) * step_fs
    swing = np.cos(2 * np.pi * 2.99792458e-5 * cell.wavenumbers[mode] * times)
    pattern = cell.vectors[:, mode].reshape(-1, 3) / np.sqrt(cell.masses)[:, None]
    return cell.positions + 0.5 * swing[:, None, None] * pattern + 0.02 * times[:, None, None] * np.array([1.0, 0, 0])


def wrapped(frames: np.ndarray, lattice: np.ndarray) -> np.ndarray:
    return (frames @ np.linalg.inv(lattice) % 1.0) @ lattice


@pytest.mark.parametrize("kind", ["OUTCAR", "XDATCAR", "run.extxyz", "with velocities.extxyz"])
def test_dynamics_keep_their_frames_step_and_velocities(tmp_path, cells, kind):
    from ase import Atoms

    cell = cells["pristine"]
    frames = moving(cell)
    path = tmp_path / kind
    atoms = [Atoms(cell.symbols, frame, cell=cell.lattice, pbc=True) for frame in wrapped(frames, cell.lattice)]
    true = (frames[2:] - frames[:-2]) / 4e-3
    if kind == "OUTCAR":
        write_outcar_frames(path, cell, wrapped(frames, cell.lattice))
    elif kind == "XDATCAR":
        ase_io.write(path, atoms, format="vasp-xdatcar")
    else:
        for number, image in enumerate(atoms):
            image.info["time_fs"] = 2.0 * number
            if "velocities" in kind:
                image.set_velocities(np.full((48, 3), 0.01 * number))
        ase_io.write(path, atoms, format="extxyz")
    found = read_calculation(path, None if "xyz" in kind else 2.0)
    assert isinstance(found, Trajectory)
    assert (found.frames, found.step_fs) == (40, 2.0)
    if "velocities" in kind:
        assert found.velocities[7] == pytest.approx(0.07 * 1e3 / 10.180505717871193, rel=1e-6)
        return
    order = sorted_by_kind(cell) if kind == "OUTCAR" else np.arange(48) if "xyz" in kind else None
    if order is not None:
        np.testing.assert_allclose(found.velocities, true[:, order], atol=2e-4)
    assert np.abs(found.velocities).max() < 60


def test_dynamics_of_castep_are_counted_again():
    """castep-outputs gives one frame of three of this file, ASE all; the times in the file are two femtoseconds apart."""
    found = read_calculation(FILES / "si8_three_frames.md")
    assert (found.frames, found.velocities.shape) == (3, (3, 8, 3))
    assert found.step_fs == pytest.approx(2.0, abs=1e-6)
    kinetic = 0.5 * (found.masses[:, None] * found.velocities[0] ** 2).sum() * 0.1036426966 / 1e3
    text = (FILES / "si8_three_frames.md").read_text()
    hartree = float(text[: text.index("<-- E")].split()[-1])
    assert kinetic == pytest.approx(hartree * 27.211386, rel=1e-4)


def test_dynamics_of_pw_x():
    found = read_calculation(FILES / "alas_md.out")
    assert (found.frames, found.step_fs) == (5, 0.9676)
    assert found.velocities.shape == (3, 2, 3)


def test_xdatcar_asks_for_its_step_and_then_has_every_frame():
    with pytest.raises(ReaderError, match="does not say the time between its frames"):
        read_calculation(FILES / "XDATCAR_STO")
    found = read_calculation(FILES / "XDATCAR_STO", 1.0)
    assert found.frames == (FILES / "XDATCAR_STO").read_text().count("Direct configuration")
    assert found.velocities.shape == (2, 135, 3)


WHOLE = ["bn.phonon", "alas.dynG", "alas_PHBST.nc", "si8_three_frames.md", "alas_md.out", "XDATCAR_STO"]


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.9])
def test_a_cut_file_is_one_sentence_or_told_to_be_shorter(tmp_path, name, share):
    content = (FILES / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(share * len(content))])
    try:
        found = read_calculation(tmp_path / name, 1.0)
    except (ReaderError, DataError) as error:
        assert "\n" not in str(error)
        assert name in str(error)
        return
    if isinstance(found, Vibrations):  # all that it needs lies before the cut
        np.testing.assert_array_equal(found.vectors, read_calculation(FILES / name).vectors)
    else:  # every frame that it begins is whole
        signs = {"si8_three_frames.md": b"<-- E", "alas_md.out": b"!    total energy", "XDATCAR_STO": b"Direct configuration"}
        assert found.frames == (tmp_path / name).read_bytes().count(signs[name])


@pytest.mark.parametrize("name", WHOLE)
def test_a_garbled_file_is_one_sentence(tmp_path, name):
    content = bytearray((FILES / name).read_bytes())
    rng = np.random.default_rng(3)
    for at in rng.integers(len(content) // 3, len(content), len(content) // 12):
        content[at] = rng.integers(33, 126)
    (tmp_path / name).write_bytes(bytes(content))
    with pytest.raises((ReaderError, DataError)) as caught:
        read_calculation(tmp_path / name, 1.0)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [("notes.txt", b"dear diary"), ("map.csv", b"1,2\n"), ("empty", b""), ("x.xml", b"<modeling>"), ("b.xyz", b"\xff\xfe")],
)
def test_what_is_no_calculation_is_one_sentence(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises((ReaderError, DataError)) as caught:
        read_calculation(tmp_path / name)
    assert "\n" not in str(caught.value)
    with pytest.raises(ReaderError, match="does not exist"):
        read_calculation(tmp_path / "nothing.phonon")


def test_a_users_files_take_the_place_of_the_reference(phonons):
    result = evaluate(calculated=read_calculated(phonons.values()))
    shipped = evaluate("WSe2")
    diep = shipped.engines.index("diep")
    assert result.engines == ("CASTEP",)
    np.testing.assert_allclose(result.relative_height[0], shipped.relative_height[diep], atol=1e-3)
    np.testing.assert_allclose(result.control_height[0], shipped.control_height[diep], atol=1e-3)
    assert "falls, by 28 to 62 %" in fall_with_defects(result, "A1'").sentence
    assert "V_Se.phonon" in result.provenance["CASTEP"]
    assert any(key.startswith("SHA-256 of V_Se.phonon") for key in result.provenance)


def test_own_raman_tensors_replace_the_shipped_ones(phonons, cells):
    """Tensors that are the shipped ones by the modes' shares give the shipped spectrum; twice as large ones, four times as high."""
    from napari_wse2xai.theory import pristine_modes
    from napari_wse2xai.theory.calculated import Calculated
    from napari_wse2xai.theory.spectra import mode_tensors

    found = read_calculation(phonons["pristine"])
    own = mode_tensors(found.cell(), pristine_modes("WSe2").tensors) * np.sqrt(found.cell().cells)
    flat = found.vectors.reshape(len(found.vectors), -1)
    by_mode = np.einsum("pm,mij->pij", flat @ found.cell().vectors, own)
    plain, same, twice = (
        evaluate(calculated=Calculated.of([replace(found, tensors=tensors)])).raman[0, 0] for tensors in (None, by_mode, 2 * by_mode)
    )
    np.testing.assert_allclose(same, plain, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(twice, 4 * plain, rtol=1e-6, atol=1e-9)


def test_dynamics_show_the_mode_that_moves(cells):
    """One mode's motion, followed in time: its spectrum stands where the closed form has it, with the area of equipartition."""
    from napari_wse2xai.theory.calculated import Calculated

    cell = cells["pristine"]
    frames = moving(cell, steps=6000)
    atoms = {"symbols": cell.symbols, "masses": cell.masses, "lattice": cell.lattice}
    found = Trajectory.of_positions("VASP", "XDATCAR", wrapped(frames, cell.lattice), 2.0, **atoms)
    result = evaluate(calculated=Calculated.of([found]))
    mode = int((cell.overlaps("A1'") ** 2).sum(axis=0).argmax())
    assert result.engines == ("VASP dynamics",)
    assert result.places("VASP dynamics")["A1'"] == pytest.approx(cell.wavenumbers[mode], abs=0.5)
    projected = result.spectral_intensity[0, 0, 1]
    assert projected.sum() * 0.5 == pytest.approx(0.08617333 * 273, rel=0.02)
    assert np.isnan(result.raman).all()
    assert "no null controls" in fall_with_defects(replace(result, relative_height=np.ones_like(result.relative_height)), "A1'").sentence


def test_runs_of_several_seeds_count_alike_however_warm_each_is(cells):
    """Two runs of different temperature and length: the mean of what each gives alone; the same run twice is refused."""
    from napari_wse2xai.theory.calculated import Calculated

    cell, rng = cells["pristine"], np.random.default_rng(4)
    atoms = {"symbols": cell.symbols, "masses": cell.masses, "lattice": cell.lattice, "positions": cell.positions}
    cold, warm = (
        Trajectory("VASP", f"{steps}", **atoms, velocities=rng.normal(scale=scale, size=(steps, 48, 3)), step_fs=5.0, frames=steps)
        for steps, scale in ((300, 1.0), (500, 3.0))
    )
    alone = [evaluate(calculated=Calculated.of([run])).spectral_intensity[0, 0] for run in (cold, warm)]
    both = Calculated.of([cold, warm])
    np.testing.assert_allclose(evaluate(calculated=both).spectral_intensity[0, 0], np.mean(alone, axis=0), rtol=1e-9, atol=1e-12)
    assert both.found["VASP dynamics"]["pristine"].frames == 800
    for other, words in ((warm, "the same run"), (replace(warm, velocities=warm.velocities * 2, step_fs=4.0), "another time step")):
        with pytest.raises(DataError, match=words):
            Calculated.of([cold, warm, other])


@pytest.mark.parametrize(
    ("names", "part"),
    [
        (["V_Se"], "give a calculation of the pristine layer"),
        (["pristine", "pristine"], "are both of pristine"),
    ],
)
def test_calculations_that_cannot_be_compared_are_one_sentence(phonons, names, part):
    with pytest.raises(DataError, match=part):
        read_calculated([phonons[name] for name in names])


def test_another_crystal_a_layer_on_its_side_and_cells_of_two_sizes(phonons, cells, tmp_path):
    with pytest.raises(DataError, match="holds B1N1, which is no layer"):
        read_calculated([FILES / "bn.phonon"])
    found = read_calculation(phonons["pristine"])
    turned = replace(found, lattice=found.lattice[:, [1, 2, 0]], positions=found.positions[:, [1, 2, 0]])
    with pytest.raises(DataError, match="does not lie in the plane"):
        turned.cell()
    with pytest.raises(DataError, match="holds W16S1Se31, which is no layer"):
        structure_of(replace(found, symbols=tuple("S" if i == 1 else s for i, s in enumerate(found.symbols))))


def test_a_layer_that_is_cut_by_the_cells_border_is_put_together(phonons):
    found = read_calculation(phonons["pristine"])
    down = found.positions - np.array([0, 0, found.positions[:, 2].mean()])
    fractions = down @ np.linalg.inv(found.lattice) % 1.0
    cut = replace(found, positions=fractions @ found.lattice)
    assert np.ptp(cut.positions[:, 2]) > 10
    np.testing.assert_array_equal(cut.cell().sides, found.cell().sides)


def test_the_command_takes_files_and_says_what_is_wrong(phonons, tmp_path, capsys):
    files = [word for path in phonons.values() for word in ("--calculation", str(path))]
    assert cli.main(["theory", "figures", "--output", str(tmp_path / "out"), *files]) == 0
    assert "by 28 to 62 %" in capsys.readouterr().out
    assert (tmp_path / "out" / "spectral_intensity.png").stat().st_size > 10_000
    assert cli.main(["theory", "figures", "--output", str(tmp_path / "bad"), "--calculation", str(FILES / "bn.phonon")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "bad").exists()

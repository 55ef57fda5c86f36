"""Layers with defects, and springs by displacing atoms, against cells whose springs are known."""

import numpy as np
import pytest
from pydantic import ValidationError

from napari_wse2xai.engines import Layer, Relax, hessian
from napari_wse2xai.engines.forces import forces_of
from napari_wse2xai.errors import SettingsError
from napari_wse2xai.theory import supercell


@pytest.mark.parametrize(
    ("defects", "count"),
    [
        ((), {"W": 6, "Se": 12}),
        (("V_Se",), {"W": 6, "Se": 11}),
        (("O_Se",), {"W": 6, "Se": 11, "O": 1}),
        (("V_Se", "V_Se@3"), {"W": 6, "Se": 10}),
    ],
)
def test_atoms_are_those_of_the_formula(defects, count):
    cell = Layer(material="WSe2", repeat=(2, 3), defects=defects).build()
    assert {element: cell.symbols.count(element) for element in dict.fromkeys(cell.symbols)} == count
    assert cell.cells == 6
    lengths = np.linalg.norm(cell.lattice, axis=1)
    assert lengths[1] / lengths[0] == pytest.approx(1.5)


def test_every_metal_has_six_neighbours():
    cell = Layer(material="MoS2", repeat=(3, 4)).build()
    away = cell.positions[None] - cell.positions[:, None]
    fractions = away @ np.linalg.inv(cell.lattice)
    near = np.linalg.norm((fractions - np.round(fractions)) @ cell.lattice, axis=-1)
    metals = np.array(cell.symbols) == "Mo"
    assert ((near[metals][:, ~metals] < 2.6).sum(axis=1) == 6).all()


@pytest.mark.parametrize("defect", ["V_S", "X_Se", "Se", "V_Se@99"])
def test_a_defect_that_cannot_be_is_one_sentence(defect):
    with pytest.raises(ValidationError, match=defect):
        Layer(material="WSe2", repeat=(2, 2), defects=(defect,)).build()


def test_the_same_site_twice():
    with pytest.raises(ValidationError, match="no free site"):
        Layer(material="WSe2", repeat=(2, 2), defects=("V_Se@1", "O_Se@1")).build()


@pytest.mark.parametrize("name", ["pristine", "V_Se"])
def test_displacing_atoms_gives_the_springs_that_act(name):
    pytest.importorskip("phonopy", reason="phonopy comes with the extra 'theory'")
    cell = supercell("diep", name)
    moved = []

    def forces(positions):
        away = positions - cell.positions
        fractions = away @ np.linalg.inv(cell.lattice)
        away = (fractions - np.round(fractions)) @ cell.lattice
        moved.append(np.linalg.norm(away, axis=1).max())
        return 0.0, -(cell.hessian @ away.ravel()).reshape(-1, 3)

    springs = hessian(cell, forces, displacement=0.03)
    assert max(moved) == pytest.approx(0.03, abs=1e-6)
    found = np.linalg.eigvalsh(springs / np.sqrt(np.outer(*(np.repeat(cell.masses, 3),) * 2)))
    assert np.abs(np.sqrt(np.abs(found[-60:])) * 521.4708984 - cell.wavenumbers[-60:]).max() < 2.0


def test_engines_refuse_what_they_are_wrong_for():
    with pytest.raises(SettingsError, match="wrong for MoS2"):
        forces_of("GFN1-xTB", Layer(material="MoS2", repeat=(4, 4)).build())
    with pytest.raises(SettingsError, match="at least 3 x 3"):
        forces_of("GFN1-xTB", Layer(repeat=(1, 1)).build())
    with pytest.raises(ValidationError, match="diep"):
        Relax(engine="CHGNet")

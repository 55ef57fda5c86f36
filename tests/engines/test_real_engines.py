"""The engines that come with the extra, as they are; and what is said where they are not there."""

import warnings

import numpy as np
import pytest

from napari_wse2xai import cli
from napari_wse2xai.engines import Phonons, Relax, forces
from napari_wse2xai.errors import SettingsError


def test_a_missing_library_names_the_extra(monkeypatch, tmp_path, capsys):
    def missing(name: str):
        raise ImportError(name)

    monkeypatch.setattr(forces, "import_module", missing)
    assert cli.main(["theory", "relax", "--output", str(tmp_path / "out")]) == 2
    assert "pip install 'napari-wse2xai[theory]'" in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "out").exists()
    with pytest.raises(SettingsError):
        Relax()()


def test_diep_gives_the_lattice_constant_and_the_lines_of_wse2():
    """E' within 6 % and A1' within 4 % of what is measured (248, 250), a = 3.30 +- 0.03; both partners of E' alike."""
    pytest.importorskip("diep", reason="diep comes with the extra 'theory'")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cell = Phonons()()
    assert np.linalg.norm(cell.lattice[0]) == pytest.approx(3.30, abs=0.03)
    places = {mode: cell.wavenumbers[(cell.overlaps(mode) ** 2).sum(axis=0) > 0.5] for mode in ("A1'", "E'")}
    assert places["A1'"] == pytest.approx([250], rel=0.04)
    assert places["E'"] == pytest.approx([248, 248], rel=0.06)
    assert cell.wavenumbers.min() > 100

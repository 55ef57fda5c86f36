"""Calculating a layer by mouse, on an engine of springs along bonds: settings, files, figure, and the way beside the data."""

import numpy as np
import pytest

pytest.importorskip("ase", reason="ASE comes with the extra 'theory'")
pytest.importorskip("phonopy", reason="phonopy comes with the extra 'theory'")

from bonds import Bonds
from napari_wse2xai import theory_runs
from napari_wse2xai.engines import Dynamics, Inputs, Layer, MolecularDynamics, Phonons, Raman, Relax, forces, relaxation
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.theory.calculate_panel import KINDS, CalculatePanel, carried
from napari_wse2xai.gui.theory.panel import TheoryPanel
from napari_wse2xai.io.calculations import read_calculation
from napari_wse2xai.layers import to_layers

DEFECT = Layer(repeat=(3, 2), defects=("V_Se",))
RAMAN = Raman(phonons=Phonons(relax=Relax(layer=DEFECT)))


@pytest.fixture(autouse=True)
def bonds(monkeypatch):
    monkeypatch.setattr(relaxation, "calculator_of", lambda engine: Bonds())
    monkeypatch.setattr(theory_runs, "calculator_of", lambda engine: Bonds())


@pytest.fixture
def theory(viewer, qtbot, tmp_path) -> TheoryPanel:
    panel = TheoryPanel(viewer)
    qtbot.addWidget(panel)
    panel.calculating.folder = tmp_path
    panel.show()
    panel.calculate_section.expand()
    return panel


@pytest.fixture
def panel(theory: TheoryPanel) -> CalculatePanel:
    return theory.calculating


def test_no_form_is_made_before_the_panel_is_opened(viewer, qtbot):
    closed = TheoryPanel(viewer)
    qtbot.addWidget(closed)
    assert not closed.calculating.forms
    closed.calculate_section.expand()
    assert len(closed.calculating.forms) == 1


def test_the_form_holds_the_settings_of_the_layer_too(panel: CalculatePanel):
    for name, kind in KINDS.items():
        panel.kind.setCurrentText(name)
        assert isinstance(panel.form.value(), kind.model)
    panel.kind.setCurrentText("Vibrations and Raman")
    panel.form.put(RAMAN)
    assert panel.form.value() == RAMAN
    assert [form for form in panel.forms.values() if form.isVisibleTo(panel)] == [panel.form]


def test_the_layer_goes_along_to_another_kind(panel: CalculatePanel):
    panel.form.put(RAMAN)
    panel.kind.setCurrentText("Dynamics")
    assert panel.form.value() == MolecularDynamics(relax=Relax(layer=DEFECT))
    panel.kind.setCurrentText("Inputs for a DFT program")
    assert panel.form.value() == Inputs(program="CASTEP", layer=DEFECT)
    assert carried(Phonons(relax=Relax(fmax=0.01)), Inputs(program="VASP", k_points=9)) == Inputs(program="VASP", k_points=9)


def _type(panel: CalculatePanel, name: str, text: str) -> str:
    from qtpy.QtWidgets import QLineEdit

    panel.form.findChild(QLineEdit, name).setText(text)
    return panel.work.message.text()


def test_what_cannot_be_is_one_sentence(panel: CalculatePanel):
    assert _type(panel, "repeat", "4 by 4") == "Repeat: '4 by 4' is no size; type it as 4 x 4."
    assert not panel.work.begin_button.isEnabled()
    assert "13 x 1 unit cells cannot" in _type(panel, "repeat", "13×1")
    _type(panel, "repeat", "4X4")
    said = _type(panel, "defects", "V_S")
    assert "'V_S' is no defect of WSe2" in said
    _type(panel, "defects", "V_Se; O_Se@5")
    assert panel.work.begin_button.isEnabled()
    assert panel.form.value().phonons.relax.layer.defects == ("V_Se", "O_Se@5")
    panel.form.put(Raman(phonons=Phonons(relax=Relax(engine="GFN1-xTB"))))
    panel._check()
    assert "at least 3 x 3" in panel.work.message.text()
    panel.form.put(Raman(phonons=Phonons(relax=Relax(layer=Layer(material="TaS2")))))
    panel._check()
    assert "TaS2" in panel.work.message.text()
    assert not panel.work.begin_button.isEnabled()


@pytest.mark.parametrize("missing", ["diep", "phonopy"])
def test_a_missing_library_is_told_before_anything_is_begun(panel: CalculatePanel, monkeypatch, missing):
    monkeypatch.setattr(forces, "find_spec", lambda name: None if name == missing else object())
    panel._check()
    assert panel.work.message.text() == f"Calculating needs {missing}, which is not installed: pip install 'napari-wse2xai[theory]'."
    assert not panel.work.begin_button.isEnabled()
    panel.kind.setCurrentText("Inputs for a DFT program")
    assert panel.work.begin_button.isEnabled(), "inputs need no engine"


@pytest.mark.own_window
def test_calculated_lines_are_kept_shown_and_laid_beside_the_data(theory, panel, small, small_peaks, settle, tmp_path):
    contents.add(theory.viewer, to_layers(small) + to_layers(small_peaks))
    settle(lambda: theory.peaks.count() == 1)
    panel.form.put(RAMAN)
    panel.work.begin_button.click()
    settle(panel.use_button.isEnabled, 60_000)
    folder = tmp_path / "Raman WSe2 3x2 V_Se diep"
    found = read_calculation(folder / "layer.nc")
    assert f"A1'  {_place(found, 'A1p'):7.1f} cm⁻¹" in panel.said.text()
    assert len(panel.canvas.figure.axes[0].lines) == 2
    theory.resize(340, 1500)
    settle(lambda: not panel.canvas.geometry().intersects(panel.use_button.geometry()))
    assert panel.said.height() >= panel.said.heightForWidth(panel.said.width())
    panel.structure_button.click()
    try:
        seen, pristine = panel.structures.viewer.layers
        assert (seen.name, seen.visible, len(seen.data), len(pristine.data)) == ("WSe2: V_Se", True, 17, 18)
        np.testing.assert_allclose(np.sort(np.ptp(seen.data, axis=0)), np.sort(np.ptp(found.positions, axis=0)), atol=1e-3)
        assert panel.structures.turning
    finally:
        panel.structures.close()
    panel.use_button.click()
    assert theory.calculations == (folder / "pristine.nc", folder / "layer.nc")
    theory.compare()
    settle(lambda: theory.view.beside is not None)
    result = theory.view.beside.result
    assert result.engines == ("napari-wse2xai",)
    assert theory.view.beside.history[-1].settings["calculations"] == [str(folder / name) for name in ("pristine.nc", "layer.nc")]


def _place(found, mode: str) -> float:
    """Wavenumber of the vibration with most of the breathing of the chalcogens, by its own vectors."""
    side = np.sign(found.positions[:, 2] - found.positions[np.array(found.symbols) == "W", 2].mean())
    pattern = np.where(np.array(found.symbols) == "W", 0.0, side)
    shares = (found.vectors[:, :, 2] @ pattern) ** 2
    return float(found.wavenumbers[shares.argmax()])


def test_what_has_nothing_to_be_compared_with_is_told(theory, panel, settle):
    panel.kind.setCurrentText("Vibrations")
    panel.form.put(Phonons(relax=Relax(layer=Layer(repeat=(2, 1), defects=("V_Se",)), fmax=0.01)))
    panel.work.begin_button.click()
    settle(panel.use_button.isEnabled, 60_000)
    panel.use_button.click()
    assert "give a calculation of the pristine layer" in theory.files.text()
    assert theory.calculations == ()


def test_cancelled_dynamics_are_gone_on_with(panel, settle, tmp_path):
    panel.kind.setCurrentText("Dynamics")
    long = MolecularDynamics(relax=Relax(layer=Layer(repeat=(3, 2))), dynamics=Dynamics(length_ps=200, thermalise_ps=0.05))
    panel.form.put(long)
    panel._check()
    assert "min; what was done before Cancel is kept" in panel.work.message.text()
    reached = []
    panel.work.runner.progressed.connect(lambda fraction, message: reached.append(message))
    panel.work.begin_button.click()
    settle(lambda: any("dynamics" in message for message in reached), 60_000)
    panel.work.cancel_button.click()
    settle(lambda: not panel.work.runner.busy)
    folder = tmp_path / "Dynamics WSe2 3x2 pristine diep"
    settle((folder / "seed_0.unfinished.nc").is_file, 20_000)
    panel.form.put(long.model_copy(update={"dynamics": Dynamics(length_ps=0.1, thermalise_ps=0.05)}))
    settle(panel.work.begin_button.isEnabled)
    panel.work.begin_button.click()
    settle(panel.use_button.isEnabled, 60_000)
    assert not (folder / "seed_0.unfinished.nc").exists()
    assert "energy drift" in panel.said.text()
    assert len(panel.canvas.figure.axes) == 3


def test_inputs_are_written(panel, settle, tmp_path):
    panel.kind.setCurrentText("Inputs for a DFT program")
    panel.form.put(Inputs(program="Quantum ESPRESSO", layer=DEFECT))
    assert panel.work.begin_button.text() == "Write inputs"
    panel.work.begin_button.click()
    settle(lambda: "README" in panel.said.text())
    written = {path.name for path in (tmp_path / "Inputs WSe2 3x2 V_Se Quantum ESPRESSO").iterdir()}
    assert {"relax", "phonons", "raman", "md", "README.txt"} <= written
    assert not panel.use_button.isEnabled()
    assert not panel.structure_button.isEnabled()

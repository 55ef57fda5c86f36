"""Calculate a layer by mouse: which layer, which engine, what of it; files in a folder, a figure, and the way beside the data."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg
from matplotlib.figure import Figure
from napari import Viewer
from platformdirs import user_documents_path
from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_wse2xai import theory_runs
from napari_wse2xai.engines import Inputs, Layer, MolecularDynamics, Phonons, Raman, Relax
from napari_wse2xai.engines.forces import require_engine, require_fit
from napari_wse2xai.errors import UserError
from napari_wse2xai.gui.parts.drawn import SMALL, canvas_of, take_out
from napari_wse2xai.gui.parts.form import Form
from napari_wse2xai.gui.parts.guarded import ComboBox
from napari_wse2xai.gui.parts.message_label import BAD, QUIET, MessageLabel, WrappedLabel
from napari_wse2xai.gui.parts.work_row import WorkRow
from napari_wse2xai.gui.theory.structure_window import StructureWindow
from napari_wse2xai.plots import theory_runs as plots
from napari_wse2xai.stages import Settings
from napari_wse2xai.theory import words
from napari_wse2xai.theory.cell import HarmonicCell
from napari_wse2xai.theory.reference import known

_CALL_S = {"diep": 0.13 / 48, "GFN1-xTB": 1.0 / 48}
"""Seconds that forces on an atom take, roughly, where 48 of them are calculated."""
_WORTH_SAYING_S = 60


@dataclass(frozen=True)
class _Kind:
    """One kind of calculation: its settings, what does it, what it gave in sentences, and which of its files can lie beside data."""

    model: type[Settings]
    run: Callable[..., Any]
    words: Callable[[Any], Iterable[str]]
    files: tuple[str, ...] = ()


KINDS = {
    "Vibrations and Raman": _Kind(Raman, theory_runs.raman, words.of_raman, ("pristine.nc", "layer.nc")),
    "Vibrations": _Kind(Phonons, theory_runs.phonons, words.of_vibrations, ("phonons.nc",)),
    "Dynamics": _Kind(MolecularDynamics, theory_runs.dynamics, words.of_runs, ("seed_*.nc",)),
    "Relaxed atoms": _Kind(Relax, theory_runs.relax, words.of_relaxed),
    "Inputs for a DFT program": _Kind(
        Inputs, theory_runs.inputs, lambda files: (f"{len(files)} files; what to do with them stands in README.txt.",)
    ),
}
"""As on the command line: raman, phonons, md, relax, inputs."""


class CalculatePanel(QWidget):
    """Choose, calculate, look; then lay it beside the data in place of the reference."""

    use = Signal(object, str)
    """Files that are to stand in for the reference, and the material that they are of."""
    told = Signal(str, str)
    """What came of a run, and the severity to say it in."""

    def __init__(self, napari_viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind, self.forms = ComboBox(), dict[str, Form]()
        self._place_of_form = QVBoxLayout()
        self.folder = user_documents_path() / "napari-wse2xai"
        self.folder_button, self.place = QPushButton("Folder…"), MessageLabel(napari_viewer)
        self.work = WorkRow(napari_viewer, "Calculate")
        self.said, self.use_button = WrappedLabel(), QPushButton("Use beside the data")
        self.structures, self.structure_button = StructureWindow(self), QPushButton("Atoms in 3-D")
        self._found: Any = None
        self.canvas: FigureCanvasQTAgg | None = None  # made when there is something to draw: it takes a while
        self._asked: Settings = Raman()
        self._files: list[Path] = []
        self._shown = next(iter(KINDS))
        self._arrange()
        self._connect()

    def _arrange(self) -> None:
        self.kind.addItems(list(KINDS))
        self.kind.setToolTip("What is calculated of the layer.")
        self.folder_button.setToolTip("Where the files come to lie, in a folder of their own for each layer.")
        self.use_button.setToolTip("Lay these lines over the measured spectrum, in place of the reference; then press Compare below.")
        self.structure_button.setToolTip("The relaxed atoms, turning, in a napari window of their own.")
        for button in (self.use_button, self.structure_button):
            button.setEnabled(False)
        self.said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.said.setVisible(False)
        buttons = QHBoxLayout()
        for button in (self.folder_button, self.structure_button):
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 2, 0, 8)
        column.addWidget(self.kind)
        column.addLayout(self._place_of_form)
        for part in (self.place, self.work, self.said):
            column.addWidget(part)
        column.addLayout(buttons)
        column.addWidget(self.use_button)

    def _connect(self) -> None:
        self.kind.currentTextChanged.connect(self._on_kind)
        self.folder_button.clicked.connect(self._ask_for_folder)
        self.work.begin_button.clicked.connect(self.calculate)
        self.work.gave.connect(self._on_calculated)
        self.work.told.connect(self.told)
        self.use_button.clicked.connect(self._on_use)
        self.structure_button.clicked.connect(self.show_structures)

    def prepare(self) -> None:
        """Make the form, when the panel is opened: the window has so many that each is made when it is wanted."""
        if not self.forms:
            self._on_kind(self._shown)

    @property
    def form(self) -> Form:
        """The form that is seen."""
        if self._shown not in self.forms:
            form = self.forms[self._shown] = Form(KINDS[self._shown].model)
            form.changed.connect(self._check)
            self._place_of_form.addWidget(form)
        return self.forms[self._shown]

    def _on_kind(self, name: str) -> None:
        """Show another kind's settings, with the layer and the engine of the one before where those are valid."""
        before, self._shown = self.forms.get(self._shown), name
        self.work.begin_button.setText("Write inputs" if KINDS[name].model is Inputs else "Calculate")
        with suppress(ValueError):  # what is half typed stays where it is
            if before is not None:
                self.form.put(carried(before.value(), self.form.value()))
        for form in (self.form, *self.forms.values()):
            form.setVisible(form is self.form)
        self._check()

    def _ask_for_folder(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Folder for calculations", str(self.folder))
        if path:
            self.folder = Path(path)
            self._check()

    def output(self, settings: Settings) -> Path:
        """Folder of a calculation: named by what it is of, so that another does not take its place."""
        layer, relax = _inside(settings, Layer), _inside(settings, Relax)
        size = f"{layer.repeat[0]}x{layer.repeat[1]}"
        by = relax.engine if relax is not None else settings.program  # type: ignore[attr-defined]
        what = {kind.model: name for name, kind in KINDS.items()}[type(settings)]
        return self.folder / " ".join((what.split()[-1 if what.startswith("Vibrations and") else 0], layer.material, size, layer.name, by))

    def calculate(self) -> None:
        """Begin with the settings as shown."""
        kind, settings = KINDS[self._shown], self.form.value()
        output = self.output(settings)
        self._asked = settings
        for button in (self.use_button, self.structure_button):
            button.setEnabled(False)
        run = partial(kind.run, settings, output)
        self.work.begin(lambda progress: (run(progress=progress), output), f"Calculate: {output.name}", "Loading the engine…")

    def _on_calculated(self, outcome: tuple[Any, Path]) -> None:
        found, output = outcome
        self._found = found
        self.structure_button.setEnabled(bool(_cells(self._asked, found)))
        kind = next(kind for kind in KINDS.values() if kind.model is type(self._asked))
        self.said.setText("\n".join(kind.words(found)))
        self.said.setVisible(True)
        self._files = [file for pattern in kind.files for file in sorted(output.glob(pattern)) if "unfinished" not in file.name]
        self.use_button.setEnabled(bool(self._files))
        self._show(_figure(self._asked, found))
        self.place.say(f"Saved in {output}.")

    def show_structures(self) -> None:
        """Open the atoms of what was calculated, turning."""
        layer = _inside(self._asked, Layer)
        self.structures.show_cells(layer.material, _cells(self._asked, self._found))

    def _show(self, figure: Figure | None) -> None:
        """Put a drawn figure in the place of the last one."""
        column = self.layout()
        assert isinstance(column, QVBoxLayout)
        take_out(column, self.canvas)
        self.canvas = None if figure is None else canvas_of(figure)
        if self.canvas is not None:
            column.insertWidget(column.indexOf(self.said) + 1, self.canvas)

    def event(self, event: QEvent) -> bool:
        """Be as high as the words need in the width that there is: a fold asks for the height of unwrapped ones only."""
        done = bool(super().event(event))
        if event.type() in (QEvent.Type.LayoutRequest, QEvent.Type.Resize):
            self.setMinimumHeight(max(0, self.heightForWidth(self.width())))  # -1: nothing that wraps
        return done

    def _on_use(self) -> None:
        self.use.emit(self._files, _inside(self._asked, Layer).material)

    def _check(self) -> None:
        """Allow Calculate where settings are valid and what calculates is installed; else say why not."""
        objection, offer = None, ""
        try:
            settings = self.form.value()
            _require(settings)
            self.place.say(f"Files go to {self.output(settings)}.")
            offer = _how_long(settings)
        except (ValueError, UserError) as error:
            objection = str(error), BAD if isinstance(error, ValueError) else QUIET
        self.work.object_with(objection, offer)


def carried(old: Settings, new: Settings) -> Settings:
    """Settings with the layer, and the engine that relaxes it, of others."""
    for kind in (Relax, Layer):
        value = _inside(old, kind)
        if value is not None:
            new = _with(new, value)
    return new


def _inside(settings: Settings, kind: type[Any]) -> Any:
    """The settings of a kind that stand within others; None where there are none."""
    if isinstance(settings, kind):
        return settings
    inner = (value for _, value in settings if isinstance(value, Settings))
    return next((found for value in inner if (found := _inside(value, kind)) is not None), None)


def _with(settings: Settings, value: Settings) -> Settings:
    """Settings in which one of a kind, wherever it stands, is replaced."""
    if isinstance(value, type(settings)):
        return value
    return settings.model_copy(update={name: _with(one, value) for name, one in settings if isinstance(one, Settings)})


def _require(settings: Settings) -> None:
    """Refuse before any work what cannot be calculated here."""
    relax = _inside(settings, Relax)
    if relax is not None:
        require_engine(relax.engine)
        require_fit(relax.engine, relax.layer.build())
    if isinstance(settings, Raman):
        known(settings.phonons.relax.layer.material)


def _how_long(settings: Settings) -> str:
    if not isinstance(settings, MolecularDynamics):
        return ""
    atoms = len(settings.relax.layer.build().symbols)
    steps = settings.seeds * (settings.dynamics.before + settings.dynamics.steps)
    seconds = steps * atoms * _CALL_S[settings.relax.engine]
    if seconds < _WORTH_SAYING_S:
        return ""
    return f"Will take some {seconds / 60:.0f} min; what was done before Cancel is kept and gone on with."


def _cells(settings: Settings, found: Any) -> dict[str, HarmonicCell]:
    """Relaxed cells by name; none where there are only inputs."""
    if isinstance(settings, Inputs):
        return {}
    if isinstance(settings, Raman):
        return dict(reversed(found.cells.items()))
    cell = found[0].cell if isinstance(settings, MolecularDynamics) else found.cell if isinstance(settings, Relax) else found
    return {_inside(settings, Layer).name: cell}


def _figure(settings: Settings, found: Any) -> Figure | None:
    with rc_context(SMALL):
        if isinstance(settings, Raman):
            return plots.layer_raman_figure(found)
        if isinstance(settings, MolecularDynamics):
            return plots.dynamics_figure(*theory_runs.curves_of(found), theory_runs.title_of(settings, found))
    return None

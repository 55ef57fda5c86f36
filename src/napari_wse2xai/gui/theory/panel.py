"""The Theory panel: calculated lines over the flake's mean spectrum, names for its peaks, and what theory says of the finding."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from napari import Viewer
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_wse2xai import io
from napari_wse2xai.data import AxisKind, PeakMaps, Results, SpectralMap
from napari_wse2xai.errors import UserError
from napari_wse2xai.gui.parts.asking import save_where_asked
from napari_wse2xai.gui.parts.collapsible import CollapsibleSection
from napari_wse2xai.gui.parts.docked import FollowsLayers, Scrolled, plain
from napari_wse2xai.gui.parts.form import Form
from napari_wse2xai.gui.parts.guarded import ComboBox
from napari_wse2xai.gui.parts.message_label import BAD, QUIET, MessageLabel
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.session.step_row import StepRow
from napari_wse2xai.gui.theory.calculate_panel import CalculatePanel
from napari_wse2xai.gui.theory.result import TheoryView
from napari_wse2xai.gui.theory.structure_window import StructureWindow
from napari_wse2xai.io.calculations import read_calculated, read_named
from napari_wse2xai.layers import to_layers
from napari_wse2xai.progress import Progress
from napari_wse2xai.stages import CompareTheory, Settings
from napari_wse2xai.theory.beside import TheoryBeside

MISSING = "Deconvolve a Raman map first; every one in the window is listed here."
MAP_MISSING = "The map that these peaks were fitted to is not in the window; open it, or deconvolve again."
_SAVES = {
    "figure": ("Save figure…", "theory.png", "Picture (*.png *.svg *.pdf)"),
    "netcdf": ("Save as NetCDF…", "theory.nc", "NetCDF (*.nc)"),
}


class TheoryPanel(FollowsLayers):
    """Compare one deconvolved Raman map with calculated spectra; of an explanation in the window, say what theory says of it."""

    def __init__(self, napari_viewer: Viewer, parent: QWidget | None = None) -> None:
        napari_viewer = plain(napari_viewer)
        super().__init__(napari_viewer, parent)
        self.peaks, self.form = ComboBox(), Form(CompareTheory)
        self.files_button, self.files = QPushButton("Your own calculations…"), MessageLabel(napari_viewer)
        self.calculations: tuple[Path, ...] = ()
        self.calculating = CalculatePanel(napari_viewer)
        self.calculate_section = CollapsibleSection("Calculate a layer on this machine", self.calculating)
        self.work = StepRow(napari_viewer, "Compare")
        self.view, self.below = TheoryView(), QWidget()
        self.structures = StructureWindow(self)
        self.structure_button, self.turn_button = QPushButton("Structures in 3-D"), QPushButton("Turn")
        self.save_buttons = {key: QPushButton(title) for key, (title, _, _) in _SAVES.items()}
        self.saved = MessageLabel(napari_viewer)
        self._arrange()
        self._connect()
        self.set_listening(True)
        self.refresh()

    def _arrange(self) -> None:
        self.peaks.setSizeAdjustPolicy(ComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.peaks.setToolTip("Deconvolved Raman map that theory is laid beside")
        self.files_button.setToolTip("Vibrations or dynamics by CASTEP, Quantum ESPRESSO, ABINIT or VASP, in place of the reference.")
        self.take_files(())
        self.structure_button.setToolTip("The pristine layer and its defects, where they were calculated, in a napari window of their own.")
        self.turn_button.setCheckable(True)
        self.turn_button.setToolTip("Let the structures turn slowly.")
        self.save_buttons["figure"].setToolTip("The plot of the chosen tab, as PNG, SVG or PDF.")
        self.save_buttons["netcdf"].setToolTip("Spectra, matches and names as they lie in results.nc.")
        below = QVBoxLayout(self.below)
        below.setContentsMargins(0, 0, 0, 0)
        for buttons in ((self.structure_button, self.turn_button), tuple(self.save_buttons.values())):
            row = QHBoxLayout()
            for button in buttons:
                row.addWidget(button)
            below.addLayout(row)
        below.addWidget(self.saved)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 2, 6, 8)
        for part in (self.calculate_section, self.peaks, self.form, self.files_button, self.files, self.work, self.view, self.below):
            column.addWidget(part)
        column.addStretch()

    def _connect(self) -> None:
        self.peaks.currentIndexChanged.connect(lambda _: self._check())
        self.form.changed.connect(self._check)
        self.files_button.clicked.connect(self._ask_for_files)
        self.calculate_section.toggled.connect(lambda _: self.calculating.prepare())
        self.calculating.use.connect(self.use_calculated)
        self.calculating.told.connect(self.told)
        self.work.begin_button.clicked.connect(self.compare)
        self.work.gave.connect(self._on_compared)
        self.work.told.connect(self.told)
        self.structure_button.clicked.connect(self.show_structures)
        self.turn_button.toggled.connect(self.structures.turn)
        for key, button in self.save_buttons.items():
            button.clicked.connect(partial(self._ask, key))

    def refresh(self) -> None:
        """List the Raman maps that are deconvolved, the newest chosen where one came, and show what was compared last."""
        there = [peaks for peaks in contents.all_peaks(self.viewer) if peaks.axis.kind is AxisKind.RAMAN_SHIFT]
        self.peaks.put_results(there, lambda one: f"{one.name}: {', '.join(one.names)}")
        compared = contents.of_kind(self.viewer, TheoryBeside)
        if compared and compared[-1] is not self.view.beside:
            self.view.show_beside(compared[-1])
        self.below.setVisible(self.view.beside is not None)
        self._check()

    def take_files(self, files: Sequence[Path]) -> None:
        """Let calculations stand in for the shipped reference; none: use that."""
        self.calculations = tuple(files)
        names = ", ".join(file.name for file in files)
        self.files.say(f"In place of the reference: {names}" if names else "The reference that comes with the plugin is used.")

    def use_calculated(self, files: Sequence[Path], material: str) -> None:
        """Let what was calculated here stand in for the reference, beside what does so already where the two go together."""
        for chosen in dict.fromkeys(((*self.calculations, *files), tuple(files))):
            try:
                read_calculated(dict.fromkeys(chosen))
            except UserError as error:
                self.files.say(str(error), BAD)
                continue
            self.form.put_one("material", material)
            self.take_files(tuple(dict.fromkeys(chosen)))
            break
        self._check()

    def _ask_for_files(self) -> None:
        """Ask for files; none chosen goes back to the reference."""
        names, _ = QFileDialog.getOpenFileNames(self, "Your own calculations: the pristine layer, and its defects", "", "All files (*)")
        self.take_files([Path(name) for name in names])
        self._check()

    def compare(self) -> None:
        """Begin with the settings as shown."""
        peaks, settings = self.peaks.currentData(), self.settings()
        source = self._source(peaks)
        if source is None or self.work.runner.busy or not isinstance(settings, CompareTheory):
            return
        known = contents.session(self.viewer)
        pairs, explained = known.pairs_of(peaks), known.explanations_of(peaks)
        paired, explanation = pairs[-1] if pairs else None, explained[-1] if explained else None

        def work(report: Progress) -> TheoryBeside:
            calculated = read_named(settings)
            return settings(source, peaks, paired=paired, explanation=explanation, calculated=calculated, progress=report)

        given = [peaks, *(one for one in (paired, explanation) if one is not None)]
        self.work.begin_step(settings, given, work, f"Theory: {source.name}", "Calculating…")

    def settings(self) -> Settings:
        """Settings as shown, the files among them; raises ValueError with one sentence where they are not valid."""
        return self.form.value().model_copy(update={"calculations": self.calculations})

    def _source(self, peaks: PeakMaps | None) -> SpectralMap | None:
        """The map that the peaks were found in, with its flake as it is drawn."""
        source = None if peaks is None else contents.session(self.viewer).source_of(peaks)
        return None if source is None else contents.with_edited_flake(self.viewer, source)

    def _on_compared(self, beside: TheoryBeside) -> None:
        active = self.viewer.layers.selection.active
        contents.add(self.viewer, [(data, keywords | {"visible": False}, kind) for data, keywords, kind in to_layers(beside)])
        self.viewer.layers.selection.active = active
        self.view.show_beside(beside)
        self.below.setVisible(True)
        self.ran.emit(beside)

    def show_structures(self) -> None:
        """Open the structures of the material that was compared, turning."""
        if self.view.beside is None:
            return
        try:
            self.structures.show_structures(self.view.beside.result)
        except UserError as error:  # calculations of one's own, of a material that the reference does not know
            self.saved.say(str(error), BAD)
            return
        self.turn_button.setChecked(True)

    def _check(self) -> None:
        """Allow Compare where settings and choice are valid; else say why not."""
        self.work.object_with(self._objection())

    def _objection(self) -> tuple[str, str] | None:
        peaks = self.peaks.currentData()
        if peaks is None:
            return MISSING, QUIET
        if self._source(peaks) is None:
            return MAP_MISSING, QUIET
        try:
            settings = self.settings()
            assert isinstance(settings, CompareTheory)
            settings.check()
        except (ValueError, UserError) as error:
            return str(error), BAD
        return None

    def _ask(self, key: str) -> None:
        _, name, pattern = _SAVES[key]
        save_where_asked(self, name, pattern, partial(self.save, key), self.saved)

    def save(self, key: str, path: Path) -> None:
        """Write the figure that is seen, or everything as NetCDF."""
        beside = self.view.beside
        if beside is None:
            return
        if key == "figure":
            with io.new_file(path) as temporary:
                self.view.page().savefig(temporary, format=path.suffix.lstrip("."), dpi=200)
        else:
            io.write_results(Results({}, theory=beside), path)
        self.saved.say(f"Saved {path}.")

    def let_go(self) -> None:
        """Hear of nothing more, stop what runs, and close the structures."""
        self.work.runner.cancel()
        self.calculating.work.runner.cancel()
        self.calculating.structures.close()
        self.structures.close()
        super().let_go()


class TheoryDock(Scrolled):
    """The Theory panel as a dock of its own."""

    def __init__(self, napari_viewer: Viewer, parent: QWidget | None = None) -> None:
        self.panel = TheoryPanel(napari_viewer)
        super().__init__(self.panel, parent)

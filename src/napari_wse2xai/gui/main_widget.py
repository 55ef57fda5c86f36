"""The dock: one foldable panel per stage in the order of the chain, and the choice of peak maps."""

from functools import partial
from pathlib import Path
from typing import Any

from napari import Viewer
from qtpy.QtCore import QEvent, Signal
from qtpy.QtWidgets import QApplication, QScrollArea, QVBoxLayout, QWidget

from napari_wse2xai.data import Components, PeakMaps
from napari_wse2xai.errors import counted
from napari_wse2xai.gui.explain.panel import ExplainPanel
from napari_wse2xai.gui.maps.components_view import ComponentsView
from napari_wse2xai.gui.maps.correlate_panel import CorrelatePanel
from napari_wse2xai.gui.maps.load_maps import LoadMaps
from napari_wse2xai.gui.maps.model_check import ModelCheck
from napari_wse2xai.gui.maps.peak_chooser import PeakChooser
from napari_wse2xai.gui.maps.peak_file import PeakFile
from napari_wse2xai.gui.maps.preset_box import PresetBox
from napari_wse2xai.gui.maps.review_desk import ReviewDesk
from napari_wse2xai.gui.maps.stage_panel import LatePanel, StagePanel
from napari_wse2xai.gui.maps.steps_before import StepsBefore, valid_settings
from napari_wse2xai.gui.pair.panel import PairPanel
from napari_wse2xai.gui.parts.collapsible import CollapsibleSection
from napari_wse2xai.gui.parts.docked import FollowsLayers, plain
from napari_wse2xai.gui.parts.help import page_of
from napari_wse2xai.gui.parts.later import later
from napari_wse2xai.gui.parts.message_label import BAD, QUIET, MessageLabel
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.session.panel import SessionPanel
from napari_wse2xai.gui.session.saving import SaveButtons
from napari_wse2xai.gui.session.welcome import Welcome
from napari_wse2xai.gui.theory.panel import TheoryPanel
from napari_wse2xai.gui.train.panel import TrainPanel
from napari_wse2xai.io import is_results
from napari_wse2xai.recipe import Recipe
from napari_wse2xai.session.files import is_session
from napari_wse2xai.stages import (
    STAGES,
    TABLE,
    Baseline,
    CompareTheory,
    Decompose,
    Deconvolve,
    Explain,
    Pair,
    Peak,
    Review,
    Simulate,
    Stage,
    Train,
)

BY_HAND = (Review, Pair, Train, Explain, Simulate, CompareTheory)
"""Steps with panels that show more than their classes say; every other step's panel is made of its class."""
LEAST_WIDTH = 390
LAID_OUT_MS = 50
"""Until a fold that was opened has its height, fold by fold."""


class MainWidget(FollowsLayers):
    """From map to peak maps, step by step: convert axis, find flake, remove spikes, baseline, deconvolve, pair RS with PL."""

    settings_changed = Signal()
    """Of baseline or deconvolution."""

    def __init__(self, napari_viewer: Viewer, parent: QWidget | None = None) -> None:
        napari_viewer = plain(napari_viewer)
        super().__init__(napari_viewer, parent)
        self.loading, self.welcome = LoadMaps(napari_viewer), Welcome(napari_viewer)
        self.panels: dict[type[Stage[Any, Any]], StagePanel] = {stage: StagePanel(napari_viewer, stage) for stage in STAGES}
        self.checking = ModelCheck(napari_viewer, self.panels[Deconvolve].form)
        self.components = ComponentsView(napari_viewer)
        self.peak_file = PeakFile(napari_viewer, self.panels[Deconvolve].form)
        self.preset = PresetBox(self.panels.values())
        self.before = StepsBefore(self.panels, self.preset, self)
        self.said, self.chooser = MessageLabel(napari_viewer), PeakChooser(napari_viewer)
        self.correlating = CorrelatePanel(napari_viewer)
        self.reviewing = ReviewDesk(napari_viewer)
        self.pairing = PairPanel(napari_viewer)
        self.training = TrainPanel(napari_viewer)
        self.explaining = ExplainPanel(napari_viewer)
        self.theory = TheoryPanel(napari_viewer)
        self.late = [LatePanel(napari_viewer, step) for step in TABLE if step not in (*STAGES, *BY_HAND)]
        self.session = SessionPanel(napari_viewer)
        self.saving = SaveButtons(napari_viewer)
        self._learning = (self.pairing, self.correlating, self.training, self.explaining, self.theory, self.session)
        self.sections: dict[Any, CollapsibleSection] = {}
        self._told_by: Any = None
        self._had_peaks, self._scroll = False, QScrollArea()
        self._build()
        self._connect()
        self.set_listening(True)
        self.refresh()

    @property
    def _further(self) -> dict[str, Any]:
        """What stands behind the chain of a map, by its title."""
        return {
            "Peak maps": self.chooser,
            Review.title: self.reviewing,
            Pair.title: self.pairing,
            "Correlate": self.correlating,
            Train.title: self.training,
            Explain.title: self.explaining,
            CompareTheory.title: self.theory,
            **{panel.stage.title: panel for panel in self.late},
        }

    def _build(self) -> None:
        inside = QWidget()
        column = self._folds = QVBoxLayout(inside)
        column.setContentsMargins(2, 2, 2, 2)
        column.addWidget(self.welcome)
        column.addWidget(self._section(LoadMaps, "Load maps", self.loading))
        column.addWidget(self.preset)
        column.addWidget(self.before.conversion)
        for number, (stage, panel) in enumerate(self.panels.items(), 1):
            column.addWidget(self._section(stage, f"{number}. {stage.title}", self._dressed(stage, panel)))
        for number, (title, panel) in enumerate(self._further.items(), len(self.panels) + 1):
            column.addWidget(self._section(_kind_of(panel), f"{number}. {title}", panel))
        column.addWidget(self._section(SessionPanel, "Session", self.session))
        column.addWidget(self.saving)
        column.addStretch()
        self.sections[next(step for step in self.panels if step.usual)].expand(animate=False)
        self._scroll.setWidgetResizable(True)
        self._scroll.setWidget(inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._scroll)
        layout.addWidget(self.said)
        self.setMinimumWidth(LEAST_WIDTH)

    def _dressed(self, stage: Any, panel: StagePanel) -> QWidget:
        """A stage with what belongs to it."""
        parts = {Deconvolve: (self.peak_file, self.before.chain, panel, self.checking), Decompose: (panel, self.components)}.get(stage)
        if parts is None:
            return panel
        together = QWidget()
        column = QVBoxLayout(together)
        column.setContentsMargins(0, 0, 0, 0)
        for part in parts:
            column.addWidget(part)
        return together

    def _section(self, key: Any, title: str, content: QWidget) -> CollapsibleSection:
        self.sections[key] = CollapsibleSection(title, content, page_of(key))
        return self.sections[key]

    def _connect(self) -> None:
        for stage, panel in self.panels.items():
            panel.ran.connect(lambda result, stage=stage: self._on_ran(stage, result))
            panel.told.connect(partial(self._tell, stage, stage.title))
        self.welcome.wanted.connect(self._begin_with)
        self.welcome.file_wanted.connect(self._open_again)
        self.components.chosen.connect(self._on_start_peaks)
        self.checking.changed.connect(lambda text: self._tell(None, "Accepted", f"{text} Run {Deconvolve.title} again."))
        for title, told in {**self._further, "Session": self.session}.items():
            if hasattr(told, "told"):
                told.told.connect(partial(self._tell, _kind_of(told), title))
        self.session.recipe_given.connect(self._on_recipe)
        for fitting in (Baseline, Deconvolve):
            self.panels[fitting].form.changed.connect(self.settings_changed)
        for section in self.sections.values():
            section.toggled.connect(partial(self._on_toggled, section))

    def _tell(self, key: object, title: str, text: str, severity: str = QUIET) -> None:
        """Say at the foot what came of a step."""
        self._told_by = key
        self.said.say(f"{title}: {text}", severity)
        self._say_once()

    def _on_toggled(self, section: CollapsibleSection, opened: bool) -> None:
        """Bring a step up that was opened beyond the window's lower edge."""
        self._say_once()
        if opened:
            later(self, partial(self._bring_up, section, only_if_cut=True), LAID_OUT_MS)

    def _say_once(self) -> None:
        """Say nothing at the foot that an open panel says itself."""
        section = self.sections.get(self._told_by)
        self.said.setVisible(bool(self.said.text()) and (section is None or not section.isExpanded()))

    def _begin_with(self, what: str) -> None:
        """Ask for maps, or for a session."""
        self.open_section(LoadMaps if what == "open" else SessionPanel)
        (self.loading.ask if what == "open" else self.session.ask_what_to_open)()

    def _open_again(self, path: Path) -> None:
        """Open a file that was opened lately, outside the GUI thread."""
        if path.suffix.lower() == ".nc" and (is_results(path) or is_session(path)):
            self.session.open(path)
        else:
            self.open_section(LoadMaps)
            self.loading.open_first(path)

    def refresh(self) -> None:
        """Show what lies in the window now."""
        self.welcome.look(empty=not len(self.viewer.layers))
        for panel in (*self.panels.values(), *self.late):
            panel.refresh()
        self.before.look()
        self.chooser.refresh()
        self.reviewing.refresh()
        if contents.all_peaks(self.viewer) and not self._had_peaks:  # a result was opened: show what it holds
            self.open_section(PeakChooser)
        self._had_peaks = bool(contents.all_peaks(self.viewer))

    def _on_ran(self, stage: Any, result: Any) -> None:
        """Hand the result to the next step, and open that."""
        if isinstance(result, Components):
            self.components.show_components(result)
            self.open_section(Decompose)
            return
        usual = [step for step in self.panels if step.usual and step.order > stage.order]
        self.open_section(next(iter(usual), PeakChooser))
        if isinstance(result, PeakMaps):
            self.chooser.refresh()
            worked_on = self.panels[Deconvolve].worked_on
            if worked_on is not None:
                self.checking.know(result, worked_on)
        self.before.go_on()

    def _on_recipe(self, recipe: Recipe) -> None:
        """Show a recipe's settings in the panels."""
        self.preset.take(recipe)
        panels = {
            "pair": self.pairing,
            "train": self.training,
            "explain": self.explaining,
            **{each.stage.key: each for each in self.late},
        }
        for key, panel in panels.items():
            settings, form = getattr(recipe, key), getattr(panel, "form", None)
            if settings is not None and form is not None:
                form.put(settings)

    def _on_start_peaks(self, peaks: tuple[Peak, ...]) -> None:
        """Take start peaks from a component."""
        self.put_start_peaks(peaks)
        self.open_section(Deconvolve)
        self._tell(None, Deconvolve.title, f"{counted(len(peaks), 'start peak')} taken; look at their windows, then Run.")

    def open_section(self, step: object) -> None:
        """Open one section and close the others; where the window is low its head comes to the top."""
        for key, section in self.sections.items():
            (section.expand if key is step else section.collapse)(animate=False)
        later(self, partial(self._bring_up, self.sections[step]))

    def _bring_up(self, section: QWidget, *, only_if_cut: bool = False) -> None:
        self._folds.activate()  # they have just changed their heights,
        QApplication.sendEvent(self._scroll, QEvent(QEvent.Type.LayoutRequest))  # and how far can be scrolled follows a turn later, else
        bar = self._scroll.verticalScrollBar()
        if not only_if_cut or section.y() + section.sizeHint().height() > bar.value() + self._scroll.viewport().height():
            bar.setValue(section.y())

    def add_peak(self, position: float) -> None:
        """Add a peak at a position to the list of the deconvolution, like its nearest one in the list."""
        panel = self.panels[Deconvolve]
        self.open_section(Deconvolve)
        try:
            settings = panel.form.value()
        except ValueError as error:
            self._tell(None, "No peak was added", str(error), BAD)
            return
        assert isinstance(settings, Deconvolve)
        panel.form.put(settings.model_copy(update={"peaks": (*settings.peaks, new_peak(settings.peaks, position))}))

    def start_peaks(self) -> tuple[Peak, ...]:
        """Peaks that the deconvolution would start from; none where its settings are not valid."""
        try:
            settings = self.panels[Deconvolve].form.value()
        except ValueError:
            return ()
        return settings.peaks if isinstance(settings, Deconvolve) else ()

    def settings_of_fit(self) -> tuple[Any, Any]:
        """Settings of baseline and deconvolution as they stand; None for what is not valid."""
        return valid_settings(self.panels[Baseline]), valid_settings(self.panels[Deconvolve])

    def put_start_peaks(self, peaks: tuple[Peak, ...]) -> None:
        """Show other start peaks in the deconvolution's list."""
        panel = self.panels[Deconvolve]
        panel.form.put(panel.form.value().model_copy(update={"peaks": peaks}))

    def put_areas(self, areas: tuple[tuple[float, float], ...]) -> None:
        """Show other areas of the baseline, which is drawn by straight lines."""
        panel = self.panels[Baseline]
        settings = panel.form.value()
        assert isinstance(settings, Baseline)
        panel.form.put(settings.model_copy(update={"method": settings.method.model_copy(update={"areas": areas})}))

    def listen(self) -> None:
        """Hear of layers that come and go."""
        for panel in self._learning:
            panel.set_listening(True)
        contents.session(self.viewer).changed.connect(self._later)
        contents.current(self.viewer).changed.connect(self._later)
        super().listen()

    def let_go(self) -> None:
        """Hear of nothing more, and stop what runs."""
        self.loading.stop()
        for learner in self._learning:
            learner.set_listening(False)
        for panel in (*self.panels.values(), *self.late):
            panel.stop()
        self.saving.runner.cancel()
        self.checking.row.runner.cancel()
        self.reviewing.let_go()
        contents.session(self.viewer).changed.disconnect(self._later, missing_ok=True)
        contents.current(self.viewer).changed.disconnect(self._later, missing_ok=True)
        super().let_go()


def _kind_of(panel: QWidget) -> type:
    """What a panel's fold is known by: late panels are of one class, so the step of each."""
    return panel.stage if isinstance(panel, LatePanel) else type(panel)


def new_peak(peaks: tuple[Peak, ...], position: float) -> Peak:
    """Peak at a position: width and shape of the nearest one, and its window where that holds it."""
    name, taken = f"P{position:.4g}", {peak.name for peak in peaks}
    while name in taken:
        name += "'"
    if not peaks:
        width = 0.02 * position
        return Peak(name=name, position=position, fwhm=width, window=(position - 6 * width, position + 6 * width))
    near = min(peaks, key=lambda peak: abs(peak.position - position))
    low, high = near.window
    if not low <= position <= high:  # a window of its own: widening the neighbours' would change their fit
        low, high = position - 6 * near.fwhm, position + 6 * near.fwhm
    return Peak(name=name, shape=near.shape, formula=near.formula, position=round(position, 4), fwhm=near.fwhm, window=(low, high))

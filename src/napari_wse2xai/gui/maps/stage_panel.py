"""One panel for every stage: choose a map, or a result, set, run, cancel."""

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar
from weakref import ref

from napari import Viewer
from qtpy.QtCore import Signal
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.data.quantities import pretty
from napari_wse2xai.gui.parts.call_queue import CallQueue
from napari_wse2xai.gui.parts.form import Form
from napari_wse2xai.gui.parts.guarded import ComboBox
from napari_wse2xai.gui.parts.message_label import BAD, QUIET
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.session.step_row import StepRow
from napari_wse2xai.layers import KEY, LayerTuple, to_layers
from napari_wse2xai.layers.shown import limits, place
from napari_wse2xai.progress import Progress
from napari_wse2xai.stages import SoFar, Step


class StagePanel(QWidget):
    """Form of a stage's settings with a choice of layer, Run, Cancel, a bar and one line for messages."""

    ran = Signal(object)
    """The artefact that a run gave."""
    chosen = Signal()
    told = Signal(str, str)
    """What came of a run, and the severity to say it in."""
    works_on: ClassVar[str] = "Map that this step works on; it stays as it is, so that you can always go back to it."
    nothing: ClassVar[str] = "Open a map: drop its file on the window, or File > Open Sample."

    def __init__(self, viewer: Viewer, stage: type[Step], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer, self.stage = viewer, stage
        self._worked_on: ref[SpectralMap] | None = None
        self._so_far: Any = None
        self.work = StepRow(viewer, "Run", words=lambda made, _: stage.summary(made[0]))
        self.queue = CallQueue(self)
        self.source = ComboBox()
        self.source.setToolTip(self.works_on)
        self.source.setSizeAdjustPolicy(ComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.form = Form(stage)
        self.to_here = QPushButton("Run all to here")
        self.offer_steps([])
        self._build()
        self._connect()
        self.refresh()

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 2, 6, 8)
        for row in (self.source, self.to_here, self.work, self.form):  # Run is in reach however long the form is
            layout.addWidget(row)

    def _connect(self) -> None:
        self.work.begin_button.clicked.connect(self.run)
        self.form.changed.connect(self._check)
        self.source.currentIndexChanged.connect(lambda _: self._choose())
        self.work.runner.showed.connect(self._on_shown)
        self.work.gave.connect(self._on_finished)
        self.work.told.connect(self._on_told)

    def refresh(self) -> None:
        """List the maps in the viewer; the current one is chosen."""
        there, current = contents.map_layers(self.viewer), contents.current(self.viewer).layer
        place = next((place for place, layer in enumerate(there) if layer is current), 0)
        self.source.put([(layer.name, contents.map_of(layer)) for layer in there], otherwise=place)
        self._on_choice()

    @property
    def worked_on(self) -> SpectralMap | None:
        """Map of the last run, as long as anybody else has it."""
        return None if self._worked_on is None else self._worked_on()

    def offer_steps(self, titles: list[str]) -> None:
        """Offer to run steps that are not done yet before this one; none: nothing."""
        self.to_here.setVisible(bool(titles))
        missing = ", ".join(titles) or "what is missing before"
        self.to_here.setToolTip(f"Run {missing}, then {self.stage.title}, each with the settings that its panel shows.")

    def chosen_map(self) -> SpectralMap | None:
        """Map of the chosen layer."""
        data = self.source.currentData()
        return data if isinstance(data, SpectralMap) else None

    def run(self) -> None:
        """Begin with the settings as shown."""
        source = self.chosen_map()
        if source is None or self.work.runner.busy:
            return
        self._worked_on = ref(source)
        self._begin({SpectralMap: contents.kept_with_flake(self.viewer, source)})

    def _begin(self, known: Mapping[type, Any]) -> None:
        """Begin with what there is, by its kinds; what the result's history begins with is the last that the step takes."""
        settings = self.form.value()
        assert isinstance(settings, self.stage)
        given = [known[kind] for kind in reversed(self.stage.takes)]
        work = partial(_done, settings, known)
        self.work.begin_step(settings, given, work, f"{self.stage.title}: {given[0].name}", "Running…")

    def _choose(self) -> None:
        """Make the chosen map the current one, everywhere."""
        self._on_choice()
        chosen = self.chosen_map()
        layer = next((layer for layer in contents.map_layers(self.viewer) if contents.map_of(layer) is chosen), None)
        if layer is not None:
            contents.current(self.viewer).choose(layer)

    def _on_choice(self) -> None:
        source = self.chosen_map()
        self.form.show_axis("" if source is None else pretty(source.axis.unit))
        self._check()
        self.chosen.emit()

    def _check(self) -> None:
        """Allow Run where settings and choice are valid; else say why not."""
        self.work.object_with(self._objection())

    def _objection(self) -> tuple[str, str] | None:
        """Why Run is off, and the severity to say it in."""
        try:
            self.form.value()
        except ValueError as error:
            return str(error), BAD
        return None if self._is_ready() else (self.nothing, QUIET)

    def _is_ready(self) -> bool:
        """Whether there is what the step takes."""
        return self.chosen_map() is not None

    def _on_shown(self, so_far: SoFar) -> None:
        """Show what there is of the result; the layer goes when the run ends."""
        if not self.work.runner.busy:
            return
        keywords = {"name": so_far.name, "contrast_limits": limits(so_far.values, 2, 98), **place(so_far.frame)}
        if self._so_far is None or self._so_far not in self.viewer.layers:
            (self._so_far,) = contents.add(self.viewer, [(so_far.values, keywords | {"colormap": "viridis", "metadata": {}}, "image")])
        else:
            self._so_far.data = so_far.values
            self._so_far.contrast_limits = keywords["contrast_limits"]

    def _on_finished(self, made: tuple[Any, list[LayerTuple]]) -> None:
        """Take a result and its layers into the window, one per turn of its loop."""
        result, layers = made
        if isinstance(result, SpectralMap):
            layers = [layer for layer in layers if layer[1]["metadata"][KEY].part in self.stage.shows]
        below = contents.hidden_by(self.viewer, layers, self.worked_on)
        self.queue.do([partial(contents.session(self.viewer).add, result)])
        self.queue.do(contents.coming(self.viewer, layers))
        self.queue.do([partial(contents.hide, below), partial(self.ran.emit, result)])

    def _on_told(self, text: str, severity: str) -> None:
        """Take away what there was so far, and say on what came of it."""
        if self._so_far is not None and self._so_far in self.viewer.layers:
            self.viewer.layers.remove(self._so_far)
        self._so_far = None
        self.told.emit(text, severity)

    def stop(self) -> None:
        """Let nothing run, and nothing come any more."""
        self.work.runner.cancel()
        self.queue.forget()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Stop what runs when the dock goes."""
        self.stop()
        super().closeEvent(event)


class LatePanel(StagePanel):
    """Of a step behind the chains of the maps: what it takes beside the chosen result is what that goes back to."""

    works_on = "Result that this step works on; it stays as it is."
    nothing = "What this step works on is not in the window yet; run the steps before it."

    def refresh(self) -> None:
        """List what the step can take, the newest chosen where one came."""
        self.source.put_results(contents.of_kind(self.viewer, self.stage.takes[-1]), lambda one: str(one.name))
        self._check()

    def run(self) -> None:
        """Begin with the settings as shown."""
        if self._is_ready() and not self.work.runner.busy:
            self._begin(self._known())

    def _choose(self) -> None:
        self._check()

    def _known(self) -> dict[type, Any]:
        """The chosen result and what it goes back to, by their kinds, the nearest of each."""
        chosen = self.source.currentData()
        line = [] if chosen is None else [chosen, *contents.session(self.viewer).ancestors(chosen)]
        return {type(each): each for each in reversed(line)}

    def _is_ready(self) -> bool:
        return set(self._known()).issuperset(self.stage.takes)


def _done(settings: Step, known: Mapping[type, Any], progress: Progress) -> tuple[Any, list[LayerTuple]]:
    """A result and its layers: what is to be reckoned for them, such as limits of colours, is done in the thread of the work."""
    result = settings.on(known, progress)
    return result, to_layers(result)

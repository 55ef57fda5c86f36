"""The panel of a step behind the chains of the maps that has none of its own: all it shows is what the step's class says."""

from functools import partial
from typing import Any

from napari import Viewer
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_wse2xai.gui.parts.call_queue import CallQueue
from napari_wse2xai.gui.parts.docked import FollowsLayers, plain
from napari_wse2xai.gui.parts.form import Form
from napari_wse2xai.gui.parts.guarded import ComboBox
from napari_wse2xai.gui.parts.message_label import BAD, QUIET
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.session.step_row import StepRow
from napari_wse2xai.layers import LayerTuple, to_layers
from napari_wse2xai.progress import Progress
from napari_wse2xai.stages import Step


class LatePanel(FollowsLayers):
    """Choice of a result, Run and form; what else the step takes is what that result goes back to."""

    def __init__(self, napari_viewer: Viewer, step: type[Step], parent: QWidget | None = None) -> None:
        napari_viewer = plain(napari_viewer)
        super().__init__(napari_viewer, parent)
        self.of_step, self.source, self.form, self.queue = step, ComboBox(), Form(step), CallQueue(self)
        self.work = StepRow(napari_viewer, "Run", words=lambda made, _: step.summary(made[0]))
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 2, 6, 8)
        for row in (self.source, self.work, self.form):
            column.addWidget(row)
        self.work.begin_button.clicked.connect(self.run)
        self.work.gave.connect(self._on_gave)
        self.work.told.connect(self.told)
        self.form.changed.connect(self._check)
        self.source.currentIndexChanged.connect(lambda _: self._check())
        self.refresh()

    def refresh(self) -> None:
        """List what the step can take, the newest chosen where one came."""
        self.source.put_results(contents.of_kind(self.viewer, self.of_step.takes[-1]), lambda one: str(one.name))
        self._check()

    def run(self) -> None:
        """Begin with the settings as shown."""
        known = self._known()
        if self._objection() is not None or self.work.runner.busy:
            return
        settings: Any = self.form.value()

        def work(report: Progress) -> tuple[Any, list[LayerTuple]]:
            made = settings.on(known, report)
            return made, to_layers(made)

        given = [known[kind] for kind in reversed(self.of_step.takes)]
        self.work.begin_step(settings, given, work, f"{self.of_step.title}: {given[0].name}", "Running…")

    def _known(self) -> dict[type, Any]:
        """The chosen result and what it goes back to, by their kinds, the nearest of each."""
        chosen = self.source.currentData()
        line = [] if chosen is None else [chosen, *contents.session(self.viewer).ancestors(chosen)]
        return {type(each): each for each in reversed(line)}

    def _check(self) -> None:
        self.work.object_with(self._objection())

    def _objection(self) -> tuple[str, str] | None:
        if not set(self._known()).issuperset(self.of_step.takes):
            return "What this step works on is not in the window yet; run the steps before it.", QUIET
        try:
            self.form.value()
        except ValueError as error:
            return str(error), BAD
        return None

    def _on_gave(self, made: tuple[Any, list[LayerTuple]]) -> None:
        result, layers = made
        self.queue.do([partial(contents.session(self.viewer).add, result)])
        self.queue.do([*contents.coming(self.viewer, layers), partial(self.ran.emit, result)])

    def let_go(self) -> None:
        """Hear of nothing more, stop what runs, and let nothing come any more."""
        self.work.runner.cancel()
        self.queue.forget()
        super().let_go()

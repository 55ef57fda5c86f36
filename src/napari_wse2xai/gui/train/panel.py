"""The Train panel: choose flakes, set, train; watch it learn, then see whether it may be believed."""

from functools import partial
from pathlib import Path
from typing import Any

from napari import Viewer
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_wse2xai.data import PairedMaps, TrainedModel
from napari_wse2xai.gui.parts import preloading
from napari_wse2xai.gui.parts.asking import save_where_asked
from napari_wse2xai.gui.parts.call_queue import CallQueue
from napari_wse2xai.gui.parts.docked import Scrolled, plain
from napari_wse2xai.gui.parts.form import Form
from napari_wse2xai.gui.parts.guarded import ComboBox
from napari_wse2xai.gui.parts.message_label import BAD, NOTE, QUIET
from napari_wse2xai.gui.parts.newest import Newest
from napari_wse2xai.gui.parts.paper import on_paper
from napari_wse2xai.gui.parts.turns import in_turn
from napari_wse2xai.gui.session import contents, kept_trainings
from napari_wse2xai.gui.session.follows_session import FollowsSession
from napari_wse2xai.gui.session.outdated import Outdated
from napari_wse2xai.gui.session.step_row import StepRow
from napari_wse2xai.gui.train.monitor import LiveCurves, TrainingMonitor
from napari_wse2xai.gui.train.result import TrainResult
from napari_wse2xai.io import new_file
from napari_wse2xai.io.learnt_csv import write_scores_csv
from napari_wse2xai.layers import to_layers
from napari_wse2xai.progress import Progress
from napari_wse2xai.stages import Train
from napari_wse2xai.stages.train import PaperRecipe

PRESETS = {"laptop": Train(), "paper": Train(recipe=PaperRecipe())}
"""Settings to begin with."""
MISSING = "Pair an RS map with a PL map first; every pair in the session is listed here."
UNTICKED = "Tick the flakes to train on."
ENOUGH = "Stops at the best epoch so far; the networks on the other folds get as many epochs."
ROW = 22
WARM_MS = 300


class TrainPanel(FollowsSession):
    """Learn the PL of one or more flakes from their RS, beside simple reference models, and judge what was learnt."""

    def __init__(self, napari_viewer: Viewer, parent: QWidget | None = None) -> None:
        napari_viewer = plain(napari_viewer)
        super().__init__(napari_viewer, parent)
        self.flakes, self.preset, self.form = QListWidget(), ComboBox(), Form(Train)
        self.enough_button = QPushButton("Stop and keep")
        self.work = StepRow(napari_viewer, "Train", between=(self.enough_button,))
        self.monitor, self.queue = TrainingMonitor(self), CallQueue(self)
        self._looking = Newest("Looking for an interrupted training", self, skip_stale=True)
        self.live, self.which, self.result, self.outdated = LiveCurves(), ComboBox(), TrainResult(), Outdated(napari_viewer)
        self.save_buttons = {"figure": QPushButton("Save plot…"), "scores": QPushButton("Save scores as CSV…")}
        self.save_buttons["figure"].setToolTip("The plot of the chosen tab, as PNG, SVG or PDF.")
        self.save_buttons["scores"].setToolTip("R², RMSE and MAPE of every model, by split, as a table.")
        self._known: list[PairedMaps] = []
        self._settings = Train()
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._prepare()
        self._arrange()
        self._connect()
        self.set_listening(True)
        self.refresh()

    def _prepare(self) -> None:
        self.flakes.setToolTip("Pairs of RS and PL in the window; with several, each flake is also predicted from the others.")
        self.preset.addItems(list(PRESETS))
        self.preset.setToolTip("laptop: one cycle, in a fraction of the paper's time.  paper: as Yoo et al. 2023 did; slow.")
        self.enough_button.setToolTip(
            f"{ENOUGH} Reference models, null test and verdict follow as usual; of several targets, ends this one."
        )
        self.which.setToolTip("Which model in the window")
        self.which.setSizeAdjustPolicy(ComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.live.setVisible(False)

    def _arrange(self) -> None:
        top = QFormLayout()
        top.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        top.addRow("Preset", self.preset)
        saving = QHBoxLayout()
        for button in self.save_buttons.values():
            saving.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 2, 6, 8)
        column.addWidget(QLabel("Flakes"))
        column.addWidget(self.flakes)
        column.addLayout(top)
        for part in (self.form, self.work, self.live, self.which, self.outdated, self.result):
            column.addWidget(part)
        column.addLayout(saving)
        column.addStretch()

    def _connect(self) -> None:
        self.preset.currentTextChanged.connect(lambda name: self.form.put(PRESETS[name]))
        self.form.changed.connect(self._check)
        self.flakes.itemChanged.connect(lambda _: self._check())
        self.work.begin_button.clicked.connect(self.train)
        self.enough_button.clicked.connect(self._enough)
        self.work.gave.connect(self._on_trained)
        self.work.told.connect(self._on_told)
        self.work.runner.ended.connect(self._check)
        self._looking.gave.connect(lambda offer: self.work.object_with(self._objection(), offer))
        self.monitor.grew.connect(self._on_grew)
        self.which.currentIndexChanged.connect(lambda _: self._show_chosen())
        self.save_buttons["figure"].clicked.connect(lambda: self._ask("training.png", "Picture (*.png *.svg *.pdf)", self.save_figure))
        self.save_buttons["scores"].clicked.connect(lambda: self._ask("scores.csv", "Table (*.csv)", self.save_scores))
        self._idle.timeout.connect(lambda: in_turn(self, self._warm))

    def refresh(self) -> None:
        """List the pairs in the window, new ones ticked, and the models."""
        self._list_flakes()
        self.which.put_results(contents.models(self.viewer), lambda model: f"{model.name}: {', '.join(model.samples.target_names)}")
        self._show_chosen()
        self._check()

    def _list_flakes(self) -> None:
        pairs = contents.paired_maps(self.viewer)
        if [id(pair) for pair in pairs] == [id(pair) for pair in self._known]:
            return
        unticked = {id(pair) for pair in self._known} - {id(pair) for pair in self.chosen()}
        self._known = pairs
        self.flakes.blockSignals(True)
        self.flakes.clear()
        for pair in pairs:
            item = QListWidgetItem(f"{pair.name}: {int(pair.paired.sum())} pixels")
            item.setToolTip(item.text())
            item.setData(Qt.ItemDataRole.UserRole, pair)
            item.setFlags(Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEnabled)
            item.setCheckState(Qt.CheckState.Unchecked if id(pair) in unticked else Qt.CheckState.Checked)
            self.flakes.addItem(item)
        self.flakes.blockSignals(False)
        self.flakes.setFixedHeight(ROW * min(max(len(pairs), 2), 5) + 6)

    def chosen(self) -> list[PairedMaps]:
        """Ticked pairs."""
        items = [self.flakes.item(row) for row in range(self.flakes.count())]
        return [item.data(Qt.ItemDataRole.UserRole) for item in items if item.checkState() == Qt.CheckState.Checked]

    def model(self) -> TrainedModel | None:
        """Model whose result is shown."""
        return self.result.model

    def train(self) -> None:
        """Begin with the settings as shown."""
        pairs = self.chosen()
        if not pairs or self.work.runner.busy:
            return
        settings = self.form.value()
        assert isinstance(settings, Train)
        self._settings = settings

        def work(report: Progress) -> TrainedModel:
            return kept_trainings.train(settings, pairs, self.monitor.attend(report))

        self.result.setVisible(False)
        self.live.begin(settings.recipe.epochs)
        self._draw_live()
        self.work.begin_step(settings, pairs, work, f"Train: {pairs[0].raman.name}", preloading.LOADING)

    def _enough(self) -> None:
        self.monitor.enough.set()
        self.enough_button.setEnabled(False)
        self.work.message.say(ENOUGH)

    def _on_grew(self, validation: str, curves: Any) -> None:
        if self.work.runner.busy:
            self.live.show_curves(validation, curves)

    def _on_trained(self, model: TrainedModel) -> None:
        """Put the prediction on the canvas, alone."""
        kept_trainings.forget(self._settings, model)
        contents.session(self.viewer).add(model)
        for layer in self.viewer.layers:
            contents.see(layer, False)
        self.queue.do(contents.coming(self.viewer, to_layers(model)))
        self.queue.do([self.viewer.reset_view, self.refresh, partial(self.ran.emit, model)])

    def _on_told(self, text: str, severity: str) -> None:
        self.live.setVisible(False)
        self.result.setVisible(self.result.model is not None)
        self.told.emit(text, severity)

    def _show_chosen(self) -> None:
        model = self.which.currentData()
        self.which.setVisible(self.which.count() > 1)
        self.result.show_model(model if isinstance(model, TrainedModel) else None)
        self.outdated.about(self.result.model)
        for button in self.save_buttons.values():
            button.setVisible(self.result.model is not None)

    def _check(self) -> None:
        """Allow Train where settings and choice are valid, else say why not; say where it goes on from an interruption."""
        objection = self._objection()
        settings = None if objection else self.form.value()
        self.work.object_with(objection)
        if isinstance(settings, Train) and kept_trainings.are_some_kept():
            pairs = self.chosen()
            self._looking.do(lambda progress: kept_trainings.offer(settings, pairs))
        else:
            self._looking.forget()

    def _objection(self) -> tuple[str, str] | None:
        try:
            self.form.value()
        except ValueError as error:
            return str(error), BAD
        if not self._known:
            return MISSING, QUIET
        return None if self.chosen() else (UNTICKED, NOTE)

    def _ask(self, name: str, pattern: str, save: Any) -> None:
        save_where_asked(self, name, pattern, save, self.work.message)

    def save_figure(self, path: Path) -> None:
        """Write the plot that is shown; its ending says how."""
        with new_file(path) as temporary, on_paper(self.result.canvas.figure):
            self.result.canvas.figure.savefig(temporary, format=path.suffix.lstrip("."), dpi=200)
        self.work.message.say(f"Saved {path}.")

    def save_scores(self, path: Path) -> None:
        """Write the scores of the model and the reference models as a table."""
        if self.result.model is not None:
            write_scores_csv({(): self.result.model}, path)
            self.work.message.say(f"Saved {path}.")

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Prepare what takes long the first time, as soon as the panel has been seen."""
        super().showEvent(event)
        self._idle.start(WARM_MS)

    def _warm(self) -> None:
        self._draw_live()
        preloading.begin()

    def _draw_live(self) -> None:
        """Draw the empty curves at their place now: while a network is trained, that would take five times as long."""
        if layout := self.layout():
            layout.activate()
        self.live.draw()

    def let_go(self) -> None:
        """Hear of nothing more, and stop what runs."""
        self.work.runner.cancel()
        self._looking.forget()
        self.queue.forget()
        super().let_go()


class TrainDock(Scrolled):
    """The Train panel as a dock of its own."""

    def __init__(self, napari_viewer: Viewer, parent: QWidget | None = None) -> None:
        self.panel = TrainPanel(napari_viewer)
        super().__init__(self.panel, parent)

"""The Pair panel: PL onto the RS grid, found without help, by hand or by landmarks; the result as an overlay."""

from functools import partial
from pathlib import Path
from typing import Any

from napari import Viewer
from qtpy.QtWidgets import QFormLayout, QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_wse2xai import io
from napari_wse2xai.data import AxisKind, Pairable, PairedMaps, PeakMaps
from napari_wse2xai.errors import AmbiguousPairing, SettingsError, UserError
from napari_wse2xai.gui.pair import placing
from napari_wse2xai.gui.pair.choice import PairChoice
from napari_wse2xai.gui.pair.landmarks import LandmarkClicks
from napari_wse2xai.gui.pair.view import IN_TURNS, TWO_COLOURS, PairView, summary
from napari_wse2xai.gui.parts.asking import ask_where
from napari_wse2xai.gui.parts.docked import plain
from napari_wse2xai.gui.parts.form import Form
from napari_wse2xai.gui.parts.guarded import WIDEST, ComboBox
from napari_wse2xai.gui.parts.message_label import BAD, NOTE, QUIET
from napari_wse2xai.gui.parts.run import Runner
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.session.follows_session import FollowsSession
from napari_wse2xai.gui.session.step_row import StepRow
from napari_wse2xai.stages import Pair
from napari_wse2xai.stages.pair import GivenTransform, Landmarks

MISSING = "Deconvolve an RS map and a PL map of one flake first; then both are listed here."
LANDMARKS_MISSING = "Press 'Click landmarks' and click three places or more on both maps, or type them here."
HELP = {
    "save": "A line for each pixel with both: its place in µm, and every RS and PL number with its error.",
    "move": "Show both maps alone, RS in magenta and PL in green, and let the mouse drag and turn the PL map (napari's transform mode).",
    "mirror": "Turn left and right of the PL map round.",
    "use": "Pair with the PL map exactly where it lies on the canvas.",
    "refine": "Pair from where the PL map lies on the canvas, then bring the outlines of the two flakes together.",
    "click": "Put RS and PL side by side and click places that you recognise, on one and on the other in turns.",
    "back": "Forget the last click.",
}


class PairPanel(FollowsSession):
    """Choose RS and PL peaks, say how PL is to be placed, run; see how well they lie on one another, save the pairs."""

    def __init__(self, napari_viewer: Viewer, parent: QWidget | None = None) -> None:
        napari_viewer = plain(napari_viewer)
        super().__init__(napari_viewer, parent)
        self.work, self.saver = StepRow(napari_viewer, "Run", words=summary), Runner(self)
        self.clicks, self.view = LandmarkClicks(napari_viewer, self), PairView(napari_viewer)
        self.raman, self.pl, self.look = ComboBox(), ComboBox(), ComboBox()
        self.form, self.choice = Form(Pair), PairChoice()
        self.buttons = {key: QPushButton(text) for key, text in _BUTTONS.items()}
        self._known: list[PeakMaps] = []
        self._worked_on: Pairable | None = None
        self._clicked_for: Pairable | None = None
        self._prepare()
        self._arrange()
        self._connect()
        self.set_listening(True)
        self.refresh()

    def _prepare(self) -> None:
        self.look.addItems([TWO_COLOURS, IN_TURNS])
        self.look.setToolTip("White where both shine, or each in turns: the outline should run on from square to square.")
        for box, what in ((self.raman, "Peaks of the RS map: the grid of the result."), (self.pl, "Peaks of the PL map, on its own grid.")):
            box.setToolTip(what)
            box.setSizeAdjustPolicy(ComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for key, help_text in HELP.items():
            self.buttons[key].setToolTip(help_text)

    def _arrange(self) -> None:
        maps = QFormLayout()
        maps.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        maps.addRow("RS", self.raman)
        maps.addRow("PL", self.pl)
        result = QFormLayout()
        result.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        result.addRow("Overlay", self.look)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 2, 6, 8)
        column.addLayout(maps)
        column.addWidget(self.form)
        column.addWidget(self.work)
        column.addWidget(self.choice)
        column.addLayout(self._grid(("move", "mirror"), ("use", "refine"), ("click", "back")))
        column.addLayout(result)
        column.addLayout(self._row("save"))
        column.addStretch()

    def _row(self, *keys: str) -> QHBoxLayout:
        row = QHBoxLayout()
        for key in keys:
            row.addWidget(self.buttons[key])
        return row

    def _grid(self, *rows: tuple[str, ...]) -> QGridLayout:
        grid = QGridLayout()
        for row, keys in enumerate(rows):
            for column, key in enumerate(keys):
                grid.addWidget(self.buttons[key], row, column)
        return grid

    def _connect(self) -> None:
        calls = {
            "move": self.move_by_hand,
            "mirror": self.mirror,
            "use": partial(self.use_place, refine=False),
            "refine": partial(self.use_place, refine=True),
            "click": self.click_landmarks,
            "back": self.clicks.take_back,
            "save": partial(ask_where, self, "paired.csv", "Table (*.csv)", self.save),
        }
        for key, call in calls.items():
            self.buttons[key].clicked.connect(lambda _, call=call: call())
        for box in (self.raman, self.pl):
            box.currentIndexChanged.connect(lambda _: self._check())
        self.form.changed.connect(self._check)
        self.look.currentTextChanged.connect(self.view.look)
        self._connect_work()

    def _connect_work(self) -> None:
        self.clicks.told.connect(self._guide)
        self.clicks.given.connect(lambda landmarks: self.form.put(Pair(method=landmarks)))
        self.work.begin_button.clicked.connect(self.run)
        self.work.gave.connect(self._on_finished)
        self.work.refused.connect(self._on_refused)
        self.work.told.connect(self._on_told)
        self.choice.chosen.connect(self.take)
        self.saver.finished.connect(lambda path: self._say(f"Saved {path}."))
        self.saver.failed.connect(partial(self._say, severity=BAD))

    def refresh(self) -> None:
        """List the deconvolutions in the viewer; RS and PL are chosen anew where others have come."""
        every = contents.all_peaks(self.viewer)
        came = [peaks for peaks in every if not any(peaks is known for known in self._known)]
        self._known = every
        for box, is_raman in ((self.raman, True), (self.pl, False)):
            kept = box.currentData()
            fitting = [peaks for peaks in every if (peaks.axis.kind is AxisKind.RAMAN_SHIFT) is is_raman]
            new = [peaks for peaks in fitting if any(peaks is one for one in came)]
            wanted = new[-1] if new else kept if any(kept is one for one in every) else next(reversed(fitting), None)
            box.put([(f"{peaks.name}: {', '.join(peaks.names)}"[:WIDEST], peaks) for peaks in every], wanted, otherwise=-1)
        self.view.follow(contents.paired_maps(self.viewer))
        self._check()

    def chosen(self) -> Pairable | None:
        """Both results, where two different ones are chosen."""
        raman, pl = self.raman.currentData(), self.pl.currentData()
        return Pairable(raman, pl) if isinstance(raman, PeakMaps) and isinstance(pl, PeakMaps) and raman is not pl else None

    def run(self) -> None:
        """Begin with the settings as shown."""
        source = self.chosen()
        if source is None or self.work.runner.busy:
            return
        self._forget_click()
        pair = self.form.value()
        assert isinstance(pair, Pair)
        self.choice.hide()
        self._worked_on = source
        self.work.begin_step(
            pair, [source.raman, source.pl], lambda progress: pair(source, progress), f"Pair: {source.pl.name}", "Running…"
        )
        self._check()

    def take(self, number: int) -> None:
        """Pair with one of several placings that fit."""
        self._clicked_for = self.chosen()
        self._put_candidate(number)
        self.run()

    def _put_candidate(self, number: int) -> None:
        method = self.form.value().method  # type: ignore[attr-defined]
        self.form.put(Pair(method=method.model_copy(update={"candidate": number})))

    def _forget_click(self) -> None:
        """Take back a click that was meant for other maps."""
        before, now = self._clicked_for, self.chosen()
        if before is not None and now is not None and (before.raman is not now.raman or before.pl is not now.pl):
            self._clicked_for = None
            if getattr(self.form.value().method, "candidate", 0):  # type: ignore[attr-defined]
                self._put_candidate(0)

    def _on_refused(self, error: UserError) -> None:
        """Show the placings that fit alike, to be clicked."""
        if isinstance(error, AmbiguousPairing) and self._worked_on is not None:
            self.work.end_with("PL fits in several ways, and the outline cannot tell which is right.", NOTE)
            self.choice.show_candidates(self._worked_on, error.candidates)

    def move_by_hand(self) -> None:
        """Show both maps, and let the mouse drag and turn the PL map."""
        source = self.chosen()
        if source is None:
            return
        self.clicks.end()
        fixed, moving = self.view.only_light(source)
        placing.place(moving, source.pl.frame, fixed, source.raman.frame, self._start(source))
        self.viewer.layers.selection.active = moving
        moving.mode = "transform"
        self.viewer.reset_view()
        self._check()
        self._guide("Drag the green PL map onto the magenta RS map, turn it at its round handle; then 'Use where I put it'.", NOTE)

    def _start(self, source: Pairable) -> Any:
        """Transform to begin with: that of the settings, else of the last pair, else what the stage says."""
        try:
            method = self.form.value().method  # type: ignore[attr-defined]
        except ValueError:
            method = None
        if isinstance(method, GivenTransform | Landmarks):
            return method.start()
        last = self.view.last_of(source)
        return placing.beginning(source.raman.frame, source.pl.frame) if last is None else last.transform

    def mirror(self) -> None:
        """Turn the PL map round on the canvas."""
        source = self.chosen()
        layer = None if source is None else placing.layer_of(self.viewer, source.pl)
        if source is not None and layer is not None:
            placing.mirror(layer, source.pl.frame)

    def use_place(self, *, refine: bool) -> None:
        """Take over where the PL map lies on the canvas, and run."""
        source = self.chosen()
        if source is None or self.work.runner.busy:
            return
        try:
            transform = placing.by_hand(self.viewer, source)
        except SettingsError as error:
            self._say(str(error), BAD)
            return
        if transform is not None:
            self.form.put(Pair(method=GivenTransform.of(placing.rounded(transform), refine=refine)))
            self.run()

    def click_landmarks(self) -> None:
        """Put both maps side by side and wait for clicks."""
        source = self.chosen()
        if source is not None:
            self.clicks.begin(self.view.only_light(source), source)
            self._check()
            self.clicks.go_on()

    def save(self, path: Path) -> None:
        """Write the pair that is shown as a table."""
        paired = self.view.paired
        if paired is None:
            return

        def work(progress: object) -> Path:
            io.write_table(paired, path)
            return path

        self.saver.start(work, f"saving {path.name}")

    def _check(self) -> None:
        """Allow what is possible; else say why not."""
        both, idle = self.chosen() is not None, not self.work.runner.busy
        for key in ("move", "mirror", "use", "refine", "click"):
            self.buttons[key].setEnabled(both and idle)
        self.buttons["back"].setEnabled(self.clicks.going_on)
        self.buttons["save"].setEnabled(self.view.paired is not None)
        self.look.setEnabled(self.view.paired is not None)
        if not self.clicks.going_on:
            self.work.object_with(self._objection())

    def _objection(self) -> tuple[str, str] | None:
        """Why Run is off, and the severity to say it in."""
        if self.chosen() is None:
            return MISSING, QUIET
        try:
            self.form.value()
        except ValueError as error:
            return (LANDMARKS_MISSING, NOTE) if "at least 3" in str(error) else (str(error), BAD)
        return None

    def _say(self, text: str, severity: str = QUIET) -> None:
        self.work.message.say(text, severity)

    def _guide(self, text: str, severity: str) -> None:
        """Say what to do next, also where the dock is scrolled away from this panel."""
        self._say(text, severity)
        self.told.emit(text, severity)

    def _on_finished(self, result: PairedMaps) -> None:
        contents.session(self.viewer).add(result)
        self.clicks.end()
        if self._worked_on is not None:
            self.view.settle(self._worked_on, result)
        self.view.show(result, self.look.currentText())
        self._check()
        self.ran.emit(result)

    def _on_told(self, text: str, severity: str) -> None:
        self._check()
        self.told.emit(text, severity)

    def let_go(self) -> None:
        """Hear of nothing more, and stop what runs."""
        self.work.runner.cancel()
        self.saver.cancel()
        super().let_go()


_BUTTONS = {
    "move": "Move PL by hand",
    "mirror": "Mirror PL",
    "use": "Use where I put it",
    "refine": "Refine from there",
    "click": "Click landmarks",
    "back": "Take back a click",
    "save": "Save pairs as CSV…",
}

"""A step run again from the Session panel: its settings as a form, a button, and how far it is."""

from napari import Viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_wse2xai.errors import UserError
from napari_wse2xai.gui.parts.form import Form
from napari_wse2xai.gui.parts.message_label import BAD, WrappedLabel
from napari_wse2xai.gui.parts.work_row import WorkRow
from napari_wse2xai.gui.session import kept_trainings
from napari_wse2xai.session import Session
from napari_wse2xai.session.outline import Row
from napari_wse2xai.session.rerun import BY_NAME
from napari_wse2xai.stages import Settings, as_kept


class RunAgain(QWidget):
    """Hidden until a step is offered."""

    made = Signal(object)
    """`session.rerun.Made`: what a run gave."""
    told = Signal(str, str)
    """What came of it, and the severity to say it in."""

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title, self.form = WrappedLabel(), QWidget()
        self.work = WorkRow(viewer, "Run again")
        self._session: Session | None = None
        self._row: Row | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 6, 0, 0)
        for part in (self.title, self.form, self.work):
            self._column.addWidget(part)
        self.work.begin_button.clicked.connect(self.begin)
        self.work.gave.connect(self._on_made)
        self.work.told.connect(self.told)
        self.setVisible(False)

    @property
    def busy(self) -> bool:
        """Whether something is being run again."""
        return self.work.runner.busy

    def can(self, row: Row) -> bool:
        """Whether a step can be run again."""
        return (row.step or row.node.step) in BY_NAME

    def offer(self, session: Session, row: Row) -> None:
        """Show the settings of a step."""
        if self.busy or row.node.artefact is None:
            return
        self._session, self._row = session, row
        step = row.step or row.node.step
        record = next(each for each in reversed(row.node.artefact.history) if each.step == step)
        try:
            kept, below = as_kept(BY_NAME[step], record), session.plan(row.node.id, step=row.step).below
        except UserError as error:
            self.told.emit(str(error), BAD)
            return
        self._put(kept)
        names = ", ".join(dict.fromkeys(getattr(BY_NAME[each.history[-1].step], "title", "") for each in below))
        self.title.setText(f"<b>{row.title}</b> of {row.node.name}" + (f"; then below it: {names}" if names else ""))
        self.setVisible(True)

    def _put(self, settings: Settings) -> None:
        form = Form(type(settings))
        form.put(settings)
        self._column.replaceWidget(self.form, form)
        self.form.deleteLater()
        self.form = form
        form.changed.connect(self._check)
        self._check()

    def _check(self) -> None:
        try:
            self.settings()
        except ValueError as error:
            self.work.object_with((str(error), BAD))
        else:
            self.work.object_with(None)

    def settings(self) -> Settings:
        """Settings as shown; raises ValueError with one sentence where they are not valid."""
        assert isinstance(self.form, Form)
        return self.form.value()

    def begin(self) -> None:
        """Run the step and all below it, in a thread."""
        if self._session is None or self._row is None or self.busy:
            return
        try:
            plan = self._session.plan(self._row.node.id, self.settings(), step=self._row.step)
        except UserError as error:
            self.work.object_with((str(error), BAD))
            return
        self.work.begin(lambda progress: plan.run(progress, run=kept_trainings.run), plan.label, "Running again…")

    def run_as_it_was(self, session: Session, row: Row) -> None:
        """Make a result again with its own settings, of what stands now; what is out of date before it is made again first."""
        if self.busy:
            return
        try:
            plan = session.plan(row.node.id)
        except UserError as error:
            self.told.emit(str(error), BAD)
            return
        self.title.setText(f"<b>{row.title}</b> of {row.node.name}, with all that is out of date before it")
        self.form.setVisible(False)
        self.setVisible(True)
        self.work.begin(lambda progress: plan.run(progress, run=kept_trainings.run), plan.label, "Running again…")

    def _on_made(self, made: object) -> None:
        self.setVisible(False)
        self.made.emit(made)

    def cancel(self) -> None:
        """Stop what runs."""
        self.work.runner.cancel()

"""Simulate my flake: one button that plants a known law on the user's own maps, and tells how well it is found again."""

from dataclasses import replace
from weakref import WeakKeyDictionary

from napari import Viewer
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_wse2xai.data import Explanation, Level, Recovery, TrainedModel
from napari_wse2xai.gui.parts.message_label import QUIET, WrappedLabel
from napari_wse2xai.gui.parts.work_row import WorkRow
from napari_wse2xai.plots.judged import BADGE_COLORS
from napari_wse2xai.stages import Simulate

NEEDS_MODEL = "Needs the trained model in the window, to train one like it."
GOOD, DOUBTFUL = (BADGE_COLORS[level] for level in (Level.INTERPRETABLE, Level.LOCAL_ONLY))


class RecoveryTest(QWidget):
    """Button, bar and scores."""

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.explanation: Explanation | None = None
        self.model: TrainedModel | None = None
        self._found: WeakKeyDictionary[Explanation, Recovery] = WeakKeyDictionary()
        self.tried: Explanation | None = None
        self.work, self.badge, self.words = WorkRow(viewer, "Simulate my flake"), WrappedLabel(), WrappedLabel()
        self.work.begin_button.setToolTip(
            "Put a law that is known in the place of the light, on your own RS maps, with noise as here; train and explain again, "
            "and see how much of the law is found."
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        for part in (self.work, self.badge, self.words):
            column.addWidget(part)
        for label in (self.badge, self.words):
            label.setVisible(False)
        self.work.begin_button.clicked.connect(self.begin)
        self.work.gave.connect(self.show_recovery)

    def take(self, explanation: Explanation | None, model: TrainedModel | None) -> None:
        """Stand by for another explanation, and show what is known of it."""
        self.work.runner.cancel()
        self.explanation, self.model = explanation, model
        self._show(None if explanation is None else self.recovery_of(explanation))
        self.work.object_with((NEEDS_MODEL, QUIET) if model is None else None)

    def begin(self) -> None:
        """Plant, train, explain and compare, in a thread."""
        explanation, model = self.explanation, self.model
        if explanation is not None and model is not None:
            self.tried = explanation
            self.work.begin(lambda report: Simulate()(model, explanation, report), "Simulate my flake", "Planting a law…")

    def recovery_of(self, explanation: Explanation) -> Recovery | None:
        """What is known of an explanation: from here, else from where it came."""
        return self._found.get(explanation, explanation.recovery)

    def with_scores(self, explanation: Explanation) -> Explanation:
        """Give the explanation what is known of it, to be saved with it."""
        return replace(explanation, recovery=self.recovery_of(explanation))

    def show_recovery(self, recovery: Recovery) -> None:
        """Keep and show how well the law was found."""
        if self.tried is not None:
            self._found[self.tried] = recovery
        self._show(recovery)

    def _show(self, recovery: Recovery | None) -> None:
        """Show scores; None hides what is shown."""
        if recovery is not None:
            head, *rest = recovery.sentences
            self.badge.setText(f"<b>{head}</b>")
            colour = GOOD if recovery.passed else DOUBTFUL
            self.badge.setStyleSheet(f"color: white; background: {colour}; border-radius: 6px; padding: 5px")
            self.words.setText("<ul style='margin-left: -24px'>" + "".join(f"<li>{sentence}</li>" for sentence in rest) + "</ul>")
        for label in (self.badge, self.words):
            label.setVisible(recovery is not None)

"""Simulate my flake: one button that plants a known law on the user's own maps, and tells how well it is found again."""

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_wse2xai.data import NETWORK, Explanation, Level, Samples, TrainedModel
from napari_wse2xai.gui.voice import QUIET
from napari_wse2xai.gui.work_row import WorkRow
from napari_wse2xai.plots.judged import BADGE_COLORS
from napari_wse2xai.stages import Progress, Train

if TYPE_CHECKING:
    from napari_wse2xai.explaining.twin import Recovery

NEEDS_MODEL = "Needs the trained model in the window, to train one like it."
GOOD, DOUBTFUL = (BADGE_COLORS[level] for level in (Level.INTERPRETABLE, Level.LOCAL_ONLY))


class TwinTest(QWidget):
    """Button, bar and scores."""

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.explanation: Explanation | None = None
        self.model: TrainedModel | None = None
        self.work, self.badge, self.words = WorkRow(viewer, "Simulate my flake"), QLabel(), QLabel()
        self.work.begin_button.setToolTip(
            "Put a law that is known in the place of the light, on your own RS maps, with noise as here; train and explain again, "
            "and see how much of the law is found."
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        for part in (self.work, self.badge, self.words):
            column.addWidget(part)
        for label in (self.badge, self.words):
            label.setWordWrap(True)
            label.setVisible(False)
        self.work.begin_button.clicked.connect(self.begin)
        self.work.gave.connect(self.show_recovery)

    def take(self, explanation: Explanation | None, model: TrainedModel | None) -> None:
        """Stand by for another explanation; what came of a former one is forgotten."""
        self.work.runner.cancel()
        self.explanation, self.model = explanation, model
        for label in (self.badge, self.words):
            label.setVisible(False)
        self.work.object_with((NEEDS_MODEL, QUIET) if model is None else None)

    def begin(self) -> None:
        """Plant, train, explain and compare, in a thread."""
        explanation, model = self.explanation, self.model
        if explanation is not None and model is not None:
            self.work.begin(lambda report: recovered(explanation, model, report), "Simulate my flake", "Planting a law…")

    def show_recovery(self, recovery: "Recovery") -> None:
        """Show how well the law was found."""
        head, *rest = recovery.sentences
        self.badge.setText(f"<b>{head}</b>")
        colour = GOOD if recovery.passed else DOUBTFUL
        self.badge.setStyleSheet(f"color: white; background: {colour}; border-radius: 6px; padding: 5px")
        self.words.setText("<ul style='margin-left: -24px'>" + "".join(f"<li>{sentence}</li>" for sentence in rest) + "</ul>")
        for label in (self.badge, self.words):
            label.setVisible(True)


def recovered(explanation: Explanation, model: TrainedModel, report: Progress) -> "Recovery":
    """Plant a law with the noise and the hidden part that the scores show, and train as the model was trained."""
    from napari_wse2xai.explaining.twin import simulate

    settings = _settings(model)
    noise, hidden = shares(model, explanation.target)

    def trainer(planted: Samples, progress: Progress) -> Any:
        known = np.isfinite(planted.targets[:, 0])
        network = settings.network(planted.lines).set_params(on_epoch=lambda done, words, _history: progress(done, words))
        return network.fit(planted.features[known], planted.targets[known, 0]).set_params(on_epoch=None)

    return simulate(
        explanation.samples, trainer, target=explanation.target, noise=noise, hidden=hidden, seed=settings.seed, progress=report
    )


def shares(model: TrainedModel, target: str) -> tuple[float, float]:
    """Share of the target's variance that no model predicts between neighbours, and the share that is lost across the flake."""
    random, blocks = (_best(model, target, validation) for validation in ("random", "blocks"))
    noise = float(np.clip(1 - random, 0.0, 1.0)) if np.isfinite(random) else 0.05
    return noise, float(np.clip(random - blocks, 0.0, 1 - noise)) if np.isfinite(random - blocks) else 0.0


def _best(model: TrainedModel, target: str, validation: str) -> float:
    """R2 of the network on pixels not seen, else of its best rival; NaN where none was tested."""
    scores = {s.model: s.r2 for s in model.scores if (s.target, s.validation, s.part) == (target, validation, "validation")}
    return scores.get(NETWORK, max(scores.values(), default=float("nan")))


def _settings(model: TrainedModel) -> Train:
    """Settings that the model was trained with; the usual ones where its history does not say."""
    record = next((record for record in reversed(model.history) if record.step == "Train"), None)
    return Train() if record is None else Train.model_validate(record.settings)

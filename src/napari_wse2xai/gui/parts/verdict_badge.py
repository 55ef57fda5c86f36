"""The verdict as a badge."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_wse2xai.data import Level, Verdict
from napari_wse2xai.gui.parts.message_label import WrappedLabel
from napari_wse2xai.plots.judged import BADGE_COLORS


class VerdictBadge(QWidget):
    """Green, amber or red: how far the network may be believed, and why."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.level, self.reasons = WrappedLabel(), WrappedLabel()
        self.level.setAlignment(Qt.AlignmentFlag.AlignCenter)
        for label in (self.level, self.reasons):
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.level)
        column.addWidget(self.reasons)

    def show_verdict(self, verdict: Verdict, *, brief: bool = False) -> None:
        """Show level, what it means, and the reasons.

        Parameters
        ----------
        brief : only the weightiest reason, and none where all is well; the others in the tooltip
        """
        self.level.setText(f"<b>PL {verdict.target}: {verdict.level}</b>")
        self.level.setStyleSheet(f"color: white; background: {BADGE_COLORS[verdict.level]}; border-radius: 6px; padding: 5px")
        said = verdict.reasons[: int(verdict.level is not Level.INTERPRETABLE)] if brief else verdict.reasons
        reasons = "".join(f"<li>{reason}</li>" for reason in said)
        self.setToolTip("\n".join(verdict.reasons) if brief else "")
        self.reasons.setText(f"{verdict.level.meaning}<ul style='margin-left: -24px'>{reasons}</ul>")

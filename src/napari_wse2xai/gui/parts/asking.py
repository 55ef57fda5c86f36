"""Where a file is to lie: asked of the user, and what goes wrong with it said in the panel."""

from collections.abc import Callable
from pathlib import Path

from qtpy.QtWidgets import QFileDialog, QWidget

from napari_wse2xai.errors import UserError
from napari_wse2xai.gui.parts.message_label import BAD, MessageLabel


def ask_where(parent: QWidget, name: str, pattern: str, save: Callable[[Path], object]) -> None:
    """Ask for a path and save there; without one nothing is done."""
    path, _ = QFileDialog.getSaveFileName(parent, "Save", name, pattern)
    if path:
        save(Path(path))


def save_where_asked(parent: QWidget, name: str, pattern: str, save: Callable[[Path], None], label: MessageLabel) -> None:
    """Ask for a path and save there; what goes wrong is said."""

    def saved(path: Path) -> None:
        try:
            save(path)
        except UserError as error:
            label.say(str(error), BAD)

    ask_where(parent, name, pattern, saved)

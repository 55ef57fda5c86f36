"""Buttons that keep the list of peaks in a file, and bring it back."""

from pathlib import Path

from napari import Viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_wse2xai.errors import SettingsError, counted
from napari_wse2xai.gui.parts.asking import ask_where
from napari_wse2xai.gui.parts.form import Form
from napari_wse2xai.gui.parts.message_label import BAD, MessageLabel
from napari_wse2xai.recipe import read_peaks, write_peaks
from napari_wse2xai.stages import Deconvolve

PATTERN = "List of peaks (*.yaml *.yml)"


class PeakFile(QWidget):
    """Save and open the peaks of the deconvolution's form."""

    changed = Signal(str)
    """Peaks were opened, or saved; in words."""

    def __init__(self, viewer: Viewer, form: Form, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self.save_button, self.open_button, self.message = QPushButton("Save peaks…"), QPushButton("Open peaks…"), MessageLabel(viewer)
        self.save_button.setToolTip(
            "Keep this list of peaks in a file, with bounds and ties: for other maps, and for recipes (peaks: FILE)."
        )
        self.open_button.setToolTip("Put the peaks of a file in the place of this list.")
        buttons = QHBoxLayout()
        for button in (self.save_button, self.open_button):
            buttons.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 2, 6, 0)
        column.addLayout(buttons)
        column.addWidget(self.message)
        self.save_button.clicked.connect(lambda _=False: ask_where(self, "peaks.yaml", PATTERN, self.save))
        self.open_button.clicked.connect(self._ask_which)

    def _ask_which(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Open peaks", "", PATTERN)
        if path:
            self.open(Path(path))

    def save(self, path: Path) -> None:
        """Write the list as it is shown."""
        try:
            settings = self._form.value()
            assert isinstance(settings, Deconvolve)
            write_peaks(settings.peaks, path)
        except (ValueError, SettingsError) as error:
            self.message.say(f"The peaks were not saved: {error}", BAD)
            return
        self.message.say(f"Saved {path.name}: {counted(len(settings.peaks), 'peak')}.")

    def open(self, path: Path) -> None:
        """Show the peaks of a file in place of the list."""
        try:
            peaks = read_peaks(path)
        except SettingsError as error:
            self.message.say(str(error), BAD)
            return
        self._form.put_one("peaks", peaks)
        self.message.say(f"Opened {path.name}: {counted(len(peaks), 'peak')}.")

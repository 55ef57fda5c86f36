"""What can be begun with, while nothing is open."""

from functools import partial
from pathlib import Path
from typing import Any

from napari import Viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.gui.parts.call_queue import CallQueue
from napari_wse2xai.gui.parts.help import open_page
from napari_wse2xai.gui.parts.run import Runner
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.session.recent import recent
from napari_wse2xai.layers import to_layers
from napari_wse2xai.progress import Progress

WORDS = "<b>Begin here</b><br>A map file, or the result of a run, can also be dropped on the window."
BUTTONS = {
    "open": ("Open maps…", "Choose files of the instrument, a table, NetCDF or results.nc, and see what is in them."),
    "sample": ("Open the sample flake, RS and PL", "A synthetic triangle of WSe2 with a known truth: two maps of 56 × 48 pixels."),
    "session": ("Open a session…", "All flakes, steps and results of an earlier afternoon."),
    "learn": ("First result in five minutes", "The tutorial, in the browser."),
}
TUTORIAL = "tutorials/first_result.md"
SHOWN = 5


def _sample(progress: Progress) -> tuple[SpectralMap, ...]:
    from napari_wse2xai.synthetic import make_flake

    flake = make_flake("triangle")
    return flake.raman, flake.pl


class Welcome(QWidget):
    """Buttons, and the files that were opened lately; hidden as soon as anything is open."""

    wanted = Signal(str)
    """``open`` or ``session``."""
    file_wanted = Signal(object)
    """Path of a file."""

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer, self.runner, self.queue = viewer, Runner(self), CallQueue(self)
        self.runner.finished.connect(self._take_sample)
        self._words = QLabel(WORDS)
        self.runner.failed.connect(self._words.setText)
        self.buttons = {key: QPushButton(title) for key, (title, _) in BUTTONS.items()}
        self.recent_buttons: list[QPushButton] = []
        self._is_there = False
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(8, 8, 8, 8)
        self._words.setWordWrap(True)
        self._column.addWidget(self._words)
        for key, button in self.buttons.items():
            button.setToolTip(BUTTONS[key][1])
            button.clicked.connect(partial(self._on_click, key))
            self._column.addWidget(button)
        self._lately = QLabel("Opened lately")
        self._column.addWidget(self._lately)

    def _on_click(self, key: str, *_: Any) -> None:
        if key == "learn":
            open_page(TUTORIAL)
        elif key == "sample":
            self.runner.start(_sample, "Making the sample flake")
        else:
            self.wanted.emit(key)

    def _take_sample(self, maps: tuple[SpectralMap, ...]) -> None:
        """Show both maps, RS in front."""
        contents.open_in_turns(self.viewer, self.queue, [layer for each in reversed(maps) for layer in to_layers(each)], "Open sample")

    def look(self, *, empty: bool) -> None:
        """Be there while nothing is open, with the files that were opened lately."""
        if empty and not self._is_there:
            self._list(recent()[:SHOWN])
        self._is_there = empty
        self.setVisible(empty)

    def _list(self, files: list[Path]) -> None:
        for button in self.recent_buttons:
            self._column.removeWidget(button)
            button.deleteLater()
        self.recent_buttons = []
        for path in files:
            button = QPushButton(path.name)
            button.setToolTip(str(path))
            button.clicked.connect(lambda _=False, path=path: self.file_wanted.emit(path))
            self._column.addWidget(button)
            self.recent_buttons.append(button)
        self._lately.setVisible(bool(files))

"""Save or copy what is seen: one button, which every plot carries in its corner."""

import io as memory
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from matplotlib.figure import Figure
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage
from qtpy.QtWidgets import QApplication, QFileDialog, QMenu, QToolButton, QWidget

from napari_wse2xai.errors import UserError
from napari_wse2xai.gui.parts.paper import on_paper
from napari_wse2xai.io.shown import PICTURES, Column, put_columns, write_columns, write_picture

TIP = "Save or copy this plot: SVG, PDF, PNG with 300 dpi, and the numbers that it shows as CSV with their units."
SIDE = 20
COPY_DPI = 150


class Exported(Protocol):
    """Something that is seen."""

    def export_name(self) -> str:
        """Name for its files, without ending."""

    def export_figure(self) -> Figure | None:
        """Figure to be saved; None where nothing is seen."""

    def export_columns(self) -> Sequence[Column]:
        """Numbers that are seen, with headings and units."""


class ExportButton(QToolButton):
    """Opens the menu; what came of it is told in napari's corner."""

    def __init__(self, what: Exported, parent: QWidget | None = None, *, words: str = "⤓") -> None:
        super().__init__(parent)
        self._what = what
        self.setText(words)
        self.setToolTip(TIP)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setCursor(Qt.CursorShape.ArrowCursor)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        for ending, words_of in PICTURES.items():
            self._add(menu, f"Save as {words_of}…", partial(self._ask, ending), "A picture, dark on white, letters as letters.")
        self._add(menu, "Save numbers as CSV…", partial(self._ask, ".csv"), "What is drawn, in columns with their units.")
        menu.addSeparator()
        self._add(menu, "Copy picture", self.copy_picture, "To paste it into a text or a talk.")
        self._add(menu, "Copy numbers", self.copy_numbers, "To paste them into a spreadsheet.")
        self.setMenu(menu)

    def _add(self, menu: QMenu, words: str, act: Callable[[], object], tip: str) -> None:
        action = menu.addAction(words)
        action.setToolTip(tip)
        action.triggered.connect(lambda _=False: act())

    def _ask(self, ending: str) -> None:
        kind = PICTURES.get(ending, "Table").partition(",")[0]
        path, _ = QFileDialog.getSaveFileName(self, "Save", self._what.export_name() + ending, f"{kind} (*{ending})")
        if path:
            self.save(Path(path if Path(path).suffix else f"{path}{ending}"))

    def offer(self) -> None:
        """Open the menu, by a key."""
        self.menu().popup(self.mapToGlobal(self.rect().bottomLeft()))

    def save(self, path: Path) -> None:
        """Write what is seen, as the path ends; a path that cannot be written is told in one sentence."""
        try:
            if path.suffix.lower() == ".csv":
                write_columns(self._what.export_columns(), path)
            else:
                with _waiting(), _shown(self._what) as figure:
                    write_picture(figure, path)
        except UserError as error:
            _tell(str(error), grave=True)
        else:
            _tell(f"Saved {path}.")

    def copy_picture(self) -> None:
        """Put a picture on the clipboard."""
        place = memory.BytesIO()
        try:
            with _waiting(), _shown(self._what) as figure:
                figure.savefig(place, format="png", dpi=COPY_DPI)
        except UserError as error:
            _tell(str(error), grave=True)
            return
        QApplication.clipboard().setImage(QImage.fromData(place.getvalue()))
        _tell("The picture is on the clipboard.")

    def copy_numbers(self) -> None:
        """Put the numbers on the clipboard, with tabs between, as spreadsheets take them."""
        place = memory.StringIO()
        try:
            columns = self._what.export_columns()
        except UserError as error:
            _tell(str(error), grave=True)
            return
        if not columns:
            _tell("There are no numbers in this plot to copy.", grave=True)
            return
        put_columns(columns, place, separator="\t")
        QApplication.clipboard().setText(place.getvalue())
        _tell("The numbers are on the clipboard.")


@contextmanager
def _shown(what: Exported) -> Iterator[Figure]:
    """The figure of something, dark on white while it is written."""
    figure = what.export_figure()
    if figure is None or not any(axes.get_visible() and axes.axison for axes in figure.axes):
        raise UserError("There is nothing in this plot to save yet.")
    with on_paper(figure):
        yield figure


@contextmanager
def _waiting() -> Iterator[None]:
    QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
    try:
        yield
    finally:
        QApplication.restoreOverrideCursor()


def _tell(text: str, *, grave: bool = False) -> None:
    from napari.utils.notifications import show_error, show_info

    (show_error if grave else show_info)(text)


def in_corner(button: Any, of: QWidget) -> None:
    """Put a button into the upper right corner of what it belongs to."""
    button.setGeometry(of.width() - SIDE - 2, 2, SIDE, SIDE)
    button.raise_()

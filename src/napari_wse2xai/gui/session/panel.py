"""The Session panel: flakes with all that was made of them; shown again, run again, taken back, saved and opened whole."""

from functools import partial
from pathlib import Path
from typing import Any

from napari import Viewer
from qtpy.QtCore import QPoint, Qt, Signal
from qtpy.QtGui import QBrush, QColor, QKeyEvent, QKeySequence
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QGridLayout,
    QHeaderView,
    QMenu,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_wse2xai.errors import UserError, counted
from napari_wse2xai.gui.parts.asking import ask_where
from napari_wse2xai.gui.parts.call_queue import CallQueue
from napari_wse2xai.gui.parts.docked import plain
from napari_wse2xai.gui.parts.message_label import BAD, INKS, NOTE, QUIET, ground
from napari_wse2xai.gui.parts.work_row import WorkRow
from napari_wse2xai.gui.session import contents, recent
from napari_wse2xai.gui.session.follows_session import FollowsSession
from napari_wse2xai.gui.session.layers import session_layers
from napari_wse2xai.gui.session.opened import open_file, saved, show_alone, shown_of
from napari_wse2xai.gui.session.run_again import RunAgain
from napari_wse2xai.io import new_file
from napari_wse2xai.recipe import parse_with, schema_line
from napari_wse2xai.session import Session, State
from napari_wse2xai.session.outline import TOGETHER, Branch, Row, about, done_at, outline, record_of, settings_line

_ROW = Qt.ItemDataRole.UserRole
_NETCDF = "Session (*.nc)"
WORDS = {
    State.CURRENT: ("", QUIET),
    State.REPLACED: ("replaced", QUIET),
    State.OUT_OF_DATE: ("out of date", NOTE),
    State.FAILED: ("failed", BAD),
}
_BUTTONS = {
    "undo": ("Undo", "Take back the last step, its layers too (Ctrl+Z in this panel)."),
    "redo": ("Redo", "Do again what was taken back (Ctrl+Shift+Z in this panel)."),
    "again": ("Run again…", "Run the chosen step again, with other settings, and everything below it."),
    "here": (
        "Run all to here",
        "Bring the chosen result up to date: it is made again of what stands now, after every step before it that is out of date.",
    ),
    "show": ("Show", "Show the chosen result's layers, and no others (double click)."),
    "remove": ("Remove", "Take the chosen result out of the session, with all that was made of it; Undo brings it back."),
    "recipe": ("Save recipe…", "Recipe of the chosen result: it makes it again without a window."),
    "load": ("Load recipe…", "Put the settings of a recipe's file into the panels; nothing is run, and no map is opened."),
    "save": ("Save session…", "All flakes, all steps and results in one file; spectra stay in their own files."),
    "open": ("Open session…", "A session, or the results of a run; what is in the window stays."),
}
_COLUMNS = 3
LEAST_PX, FIRST_PX = 30, 175
"""Widths of a column at least, and of the first at first."""


class SessionPanel(FollowsSession):
    """A tree of flakes, steps and results, and what can be done with them."""

    recipe_given = Signal(object)
    """A recipe whose settings are to be shown in the panels."""

    def __init__(self, napari_viewer: Viewer, parent: QWidget | None = None) -> None:
        napari_viewer = plain(napari_viewer)
        super().__init__(napari_viewer, parent)
        self.tree, self.again = QTreeWidget(), RunAgain(napari_viewer)
        self.buttons = {key: QPushButton(title) for key, (title, _) in _BUTTONS.items()}
        self.with_spectra = QCheckBox("spectra too")
        self.files = WorkRow(napari_viewer, "")
        self.queue = CallQueue(self)
        self._prepare()
        self._arrange()
        self._connect()
        self.set_listening(True)
        self.refresh()

    @property
    def session(self) -> Session:
        """Session of the window."""
        return contents.session(self.viewer)

    def _prepare(self) -> None:
        self.tree.setToolTip("Every flake with its steps and results: what each was made of, whether it still holds, and why not.")
        self.tree.setColumnCount(4)
        self.tree.setHeaderLabels(["Flake, step, result", "State", "Settings", "When"])
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tree.setMinimumHeight(230)
        self.tree.setIndentation(14)
        head = self.tree.header()
        head.setStretchLastSection(False)
        head.setMinimumSectionSize(LEAST_PX)
        head.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        head.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        head.resizeSection(0, FIRST_PX)
        head.moveSection(2, 1)  # what, how, state, when
        self.with_spectra.setToolTip("Put the spectra into the session's file too, so that it opens where their own files are not.")
        for key, (_, tip) in _BUTTONS.items():
            self.buttons[key].setToolTip(tip)
        self.files.begin_button.setVisible(False)
        self.files.cancel_button.setVisible(False)

    def _arrange(self) -> None:
        grid = QGridLayout()
        for index, key in enumerate(_BUTTONS):
            grid.addWidget(self.buttons[key], index // _COLUMNS, index % _COLUMNS)
        grid.addWidget(self.with_spectra, len(_BUTTONS) // _COLUMNS, len(_BUTTONS) % _COLUMNS)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 2, 6, 8)
        column.addWidget(self.tree)
        column.addLayout(grid)
        for part in (self.files, self.again):
            column.addWidget(part)

    def _connect(self) -> None:
        acts = {
            "undo": self.undo,
            "redo": self.redo,
            "again": self.run_again,
            "recipe": partial(ask_where, self, "recipe.yaml", "Recipe (*.yaml)", self.save_recipe),
            "save": partial(ask_where, self, "session.nc", _NETCDF, self.save),
            "open": self.ask_what_to_open,
            "here": self.run_to_here,
            "load": self._ask_for_recipe,
            "show": self.show_chosen,
            "remove": self.remove,
        }
        for key, act in acts.items():
            self.buttons[key].clicked.connect(lambda _=False, act=act: act())
        self.tree.itemDoubleClicked.connect(lambda *_: self.show_chosen())
        self.tree.customContextMenuRequested.connect(self._open_menu)
        self.tree.itemSelectionChanged.connect(self._set_buttons)
        self.files.gave.connect(self._on_file)
        self.files.runner.failed.connect(lambda text: self._say(text, BAD))
        self.again.made.connect(self._on_made)
        self.again.told.connect(self.told)

    def refresh(self) -> None:
        """Show the session as it is now; what was chosen stays chosen."""
        chosen = self.chosen()
        self.tree.clear()
        for branch in outline(self.session):
            self._add_branch(branch, None if chosen is None else (chosen.node.id, chosen.step))
        self.tree.expandAll()
        self._set_buttons()

    def _add_branch(self, branch: Branch, chosen: tuple[str, str] | None) -> None:
        top = QTreeWidgetItem(self.tree, [branch.name])
        for side, rows in branch.sides.items():
            home = top if side == TOGETHER else QTreeWidgetItem(top, [side])
            for row in rows:
                item = self._item(home, row)
                if chosen == (row.node.id, row.step):
                    self.tree.setCurrentItem(item)

    def _item(self, home: QTreeWidgetItem, row: Row) -> QTreeWidgetItem:
        words, severity = WORDS[row.node.state] if not row.step else ("", QUIET)
        record = record_of(row)
        item = QTreeWidgetItem(home, [row.title, words, settings_line(record), done_at(record)])
        item.setData(0, _ROW, row)
        text = about(row.node) if not row.step else "A step on the way to the result below; its own result is not here."
        for column in range(4):
            item.setToolTip(column, text or row.title)
        inks = INKS[ground(self.viewer)]
        item.setForeground(1, QBrush(QColor(inks[severity])))
        if row.step or row.node.state in (State.REPLACED, State.FAILED):
            item.setForeground(0, QBrush(QColor(inks[QUIET])))
        return item

    def chosen(self) -> Row | None:
        """Chosen result or step."""
        item = self.tree.currentItem()
        row = None if item is None else item.data(0, _ROW)
        return row if isinstance(row, Row) else None

    def choose(self, node_id: str) -> None:
        """Choose a result."""
        for item in self._items():
            row = item.data(0, _ROW)
            if isinstance(row, Row) and row.node.id == node_id and not row.step:
                self.tree.setCurrentItem(item)

    def _items(self) -> list[QTreeWidgetItem]:
        found = self.tree.findItems("*", Qt.MatchFlag.MatchWildcard | Qt.MatchFlag.MatchRecursive)
        return list(found)

    def _set_buttons(self) -> None:
        row, busy = self.chosen(), self.files.runner.busy or self.again.busy
        has_result = row is not None and row.node.artefact is not None
        self.buttons["undo"].setEnabled(bool(self.session.undoable))
        self.buttons["redo"].setEnabled(bool(self.session.redoable))
        self.buttons["undo"].setToolTip(f"{_BUTTONS['undo'][1]} Now: {self.session.undoable or 'nothing'}.")
        self.buttons["redo"].setToolTip(f"{_BUTTONS['redo'][1]} Now: {self.session.redoable or 'nothing'}.")
        self.buttons["again"].setEnabled(has_result and not busy and row is not None and self.again.can(row))
        self.buttons["here"].setEnabled(self.buttons["again"].isEnabled() and row is not None and not row.step)
        self.buttons["load"].setEnabled(not busy)
        for key in ("recipe", "show"):
            self.buttons[key].setEnabled(has_result)
        self.buttons["remove"].setEnabled(row is not None and not row.step)
        self.buttons["save"].setEnabled(bool(self.session.nodes) and not busy)
        self.buttons["open"].setEnabled(not busy)

    def _open_menu(self, place: QPoint) -> None:
        menu = self.menu()
        menu.exec(self.tree.viewport().mapToGlobal(place))

    def menu(self) -> QMenu:
        """What can be done with the chosen result."""
        menu = QMenu(self)
        for key in ("show", "again", "here", "recipe", "remove"):
            action = menu.addAction(_BUTTONS[key][0])
            action.setEnabled(self.buttons[key].isEnabled())
            action.triggered.connect(self.buttons[key].click)
        return menu

    # What the buttons do

    def undo(self) -> None:
        """Take the last step back."""
        self._say(f"Taken back: {words}." if (words := self.session.undo()) else "There is nothing to take back.")

    def redo(self) -> None:
        """Do again what was taken back."""
        self._say(f"Done again: {words}." if (words := self.session.redo()) else "There is nothing to do again.")

    def show_chosen(self) -> None:
        """Show the layers of the chosen result, and no others."""
        row = self.chosen()
        if row is not None and row.node.artefact is not None:
            show_alone(self.viewer, row.node.artefact)
        elif row is not None:
            self._say(row.node.why, BAD)

    def remove(self) -> None:
        """Take the chosen result out, with all that was made of it."""
        row = self.chosen()
        if row is None:
            return
        before = len(self.session.nodes)
        self.session.remove(row.node.id)
        gone = before - len(self.session.nodes)
        more = f" and {counted(gone - 1, 'result')} made of it" if gone > 1 else ""
        self._say(f"Removed {row.title}{more}; Undo brings it back.")

    def run_again(self) -> None:
        """Show the settings of the chosen step, to be changed and run."""
        row = self.chosen()
        if row is not None:
            self.again.offer(self.session, row)

    def run_to_here(self) -> None:
        """Bring the chosen result up to date, with all that lies before it."""
        row = self.chosen()
        if row is not None:
            self.again.run_as_it_was(self.session, row)

    def _ask_for_recipe(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Load recipe", "", "Recipe (*.yaml *.yml)")
        if path:
            self.load_recipe(Path(path))

    def load_recipe(self, path: Path) -> None:
        """Hand the settings of a recipe to the panels; the files that it names need not be there."""
        try:
            found = parse_with(path.read_text(encoding="utf-8"), (), source=path.name, folder=path.parent)
        except (UserError, OSError, UnicodeDecodeError) as error:
            self._say(str(error), BAD)
            return
        self.recipe_given.emit(found)
        files = ", ".join(section.file.name for section in found.sections().values() if section.file is not None)
        self._say(f"The panels show the settings of {path.name}; it is made for {files}.")

    def _on_made(self, made: Any) -> None:
        """Take what was made, and show it where what it is made anew of was shown."""
        self.session.take(made)
        shown_of(self.viewer, made)
        failed = "; ".join(each.why for each in made.missing)
        self._say(f"{made.label}: {counted(len(made.artefacts), 'result')} made again. {failed}", NOTE if failed else QUIET)

    def save_recipe(self, path: Path) -> None:
        """Write the recipe of the chosen result."""
        row = self.chosen()
        if row is None:
            return
        try:
            text = self.session.recipe_of(row.node.id)
            with new_file(path) as temporary:
                temporary.write_text(schema_line() + text, encoding="utf-8")
        except UserError as error:
            self._say(str(error), BAD)
            return
        self._say(f"Saved {path}.")

    def save(self, path: Path) -> None:
        """Write the whole session, in a thread."""
        contents.keep_drawn_flakes(self.viewer)
        view = [each.as_record() for each in session_layers(self.viewer).seen()]
        work = saved(self.session, path, view, spectra=self.with_spectra.isChecked())
        self.files.begin(work, f"saving {path.name}", f"Saving {path.name}…")
        self._set_buttons()

    def open(self, path: Path) -> None:
        """Open a session or the results of a run beside what is here, in a thread."""
        recent.note([path])
        self.files.begin(lambda progress: open_file(path, progress), f"opening {path.name}", f"Opening {path.name}…")
        self._set_buttons()

    def _on_file(self, gave: Any) -> None:
        if isinstance(gave, Path):
            self._say(f"Saved {gave}.")
        else:
            self.queue.do(gave.into(self.viewer))
            self.queue.do([self.viewer.reset_view])
            self._say(gave.words)
        self._set_buttons()

    def ask_what_to_open(self) -> None:
        """Let the user choose a session, or the results of a run."""
        path, _ = QFileDialog.getOpenFileName(self, "Open", "", "Session or results (*.nc)")
        if path:
            self.open(Path(path))

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 - Qt's name
        """Undo and redo by the keys that every program has for them."""
        if event.matches(QKeySequence.StandardKey.Undo):
            self.undo()
        elif event.matches(QKeySequence.StandardKey.Redo):
            self.redo()
        else:
            super().keyPressEvent(event)

    def _say(self, text: str, severity: str = QUIET) -> None:
        self.files.message.say(text, severity)
        self.told.emit(text, severity)

    def let_go(self) -> None:
        """Hear of nothing more, and stop what runs."""
        self.files.runner.cancel()
        self.again.cancel()
        self.queue.forget()
        super().let_go()

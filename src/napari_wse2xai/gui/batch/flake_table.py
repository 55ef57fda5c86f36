"""The flakes of a batch as a table that is filled while it goes on."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from napari import Viewer
from qtpy.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from qtpy.QtGui import QColor

from napari_wse2xai.batch import AT_WORK, DONE, FAILED, FlakeRow
from napari_wse2xai.gui.parts.message_label import BAD, INKS, NOTE, QUIET, ground

Index = QModelIndex | QPersistentModelIndex


class FlakeColumn(NamedTuple):
    """What stands under a title, and what that means."""

    title: str
    words: Callable[[FlakeRow], str]
    tip: str


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}".replace("%", " %")


COLUMNS = (
    FlakeColumn("Flake", lambda row: row.folder, "Its folder in that of the results: its name, after its condition where there are such."),
    FlakeColumn("State", lambda row: row.state, "Waiting, at work, done, or failed."),
    FlakeColumn("RS ok", lambda row: _share(row.raman_ok), "Share of the fitted Raman pixels of which all is well."),
    FlakeColumn("PL ok", lambda row: _share(row.pl_ok), "Share of the fitted PL pixels of which all is well."),
    FlakeColumn("s", lambda row: "" if row.seconds is None else f"{row.seconds:.1f}", "Seconds that the flake took."),
    FlakeColumn(
        "Verdict, or reason",
        lambda row: row.reason or row.verdict,
        "On what was learnt from the flake, at the end of the batch; of a flake that failed, why.",
    ),
)
_SEVERITY = {FAILED: BAD, AT_WORK: NOTE}


class FlakeTable(QAbstractTableModel):
    """A line for each flake; a new row of the same flake takes the place of its former one."""

    def __init__(self, viewer: Viewer, parent: Any = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self.rows: list[FlakeRow] = []
        self._lines: dict[str, int] = {}

    def put(self, rows: Sequence[FlakeRow]) -> None:
        """Show other flakes."""
        self.beginResetModel()
        self.rows = list(rows)
        self._lines = {row.folder: line for line, row in enumerate(rows)}
        self.endResetModel()

    def follow(self, row: FlakeRow) -> None:
        """Show what has become of a flake."""
        line = self._lines.get(row.folder)
        if line is not None:
            self.rows[line] = row
            self.dataChanged.emit(self.index(line, 0), self.index(line, len(COLUMNS) - 1))

    def count(self, state: str) -> int:
        """How many are in a state."""
        return sum(row.state == state for row in self.rows)

    def is_done(self, index: QModelIndex) -> bool:
        """Whether there are results to a line."""
        return bool(index.isValid()) and self.rows[index.row()].state == DONE

    def rowCount(self, parent: Index | None = None) -> int:  # noqa: N802 - Qt's name
        """Give the number of flakes."""
        return len(self.rows)

    def columnCount(self, parent: Index | None = None) -> int:  # noqa: N802 - Qt's name
        """Give the number of columns."""
        return len(COLUMNS)

    def headerData(self, section: int, orientation: object, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: N802 - Qt's name
        """Name the columns."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        words = {int(Qt.ItemDataRole.DisplayRole): COLUMNS[section].title, int(Qt.ItemDataRole.ToolTipRole): COLUMNS[section].tip}
        return words.get(role)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give words and colour of a cell; what is cut there is read under the mouse."""
        row = self.rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return COLUMNS[index.column()].words(row)
        if role == Qt.ItemDataRole.ForegroundRole and row.state != DONE:
            return QColor(INKS[ground(self._viewer)][_SEVERITY.get(row.state, QUIET)])
        return None

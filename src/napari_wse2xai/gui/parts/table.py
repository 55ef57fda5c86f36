"""A table for a list of settings objects: one row each, columns from the fields."""

from collections.abc import Iterable
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QHeaderView, QPushButton, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from napari_wse2xai.data.quantities import pretty
from napari_wse2xai.gui.parts.describe import AXIS, described, one_sentence, options, unit
from napari_wse2xai.gui.parts.fields import read_number, read_window, write_number, write_window
from napari_wse2xai.gui.parts.guarded import ComboBox
from napari_wse2xai.stages import Settings

ROW_HEIGHT = 24
WIDEST = 130
"""Pixels; a longer text is cut, and read in full in its tooltip."""
LONG = 16
"""Letters that always fit."""
YES, NO = "yes", "no"


class SettingsTable(QWidget):
    """Shows a tuple of settings and gives it back; rows are added and removed by buttons."""

    changed = Signal()

    def __init__(self, model: type[Settings], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        fields = sorted(model.model_fields.items(), key=lambda entry: not entry[1].is_required())  # what must be given comes first
        self._columns = [_Column(name, field) for name, field in fields]
        self._table = QTableWidget(0, len(self._columns))
        self.show_axis("")
        self._table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self._table.horizontalHeader().setMaximumSectionSize(WIDEST)
        self._table.setWordWrap(False)
        self._table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self._table.setMinimumHeight(9 * ROW_HEIGHT)
        self._table.itemChanged.connect(lambda _: self.changed.emit())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._table)
        layout.addLayout(self._buttons())

    def show_axis(self, axis_unit: str) -> None:
        """Head the columns, with the unit of the chosen map's axis where they are in that unit."""
        self._table.setHorizontalHeaderLabels([column.heading(axis_unit) for column in self._columns])
        for index, column in enumerate(self._columns):
            head = self._table.horizontalHeaderItem(index)
            assert head is not None
            head.setToolTip(column.help)

    def value(self) -> tuple[Settings, ...]:
        """Rows as settings; raises ValueError naming the row that is not valid."""
        return tuple(self._row_value(row) for row in range(self._table.rowCount()))

    def put(self, rows: Iterable[Settings]) -> None:
        """Show settings, one row each."""
        self._table.blockSignals(True)
        self._table.setRowCount(0)
        for settings in rows:
            self._append([column.write(getattr(settings, column.name)) for column in self._columns])
        self._table.blockSignals(False)
        self.changed.emit()

    def _row_value(self, row: int) -> Settings:
        values = {}
        for index, column in enumerate(self._columns):
            try:
                values[column.name] = column.read(self._text(row, index))
            except ValueError as error:
                raise ValueError(f"row {row + 1}, {column.title}: {error}") from None
        try:
            return self._model(**values)
        except ValidationError as error:
            raise ValueError(f"row {row + 1}, {one_sentence(self._model, error).rstrip('.')}") from None

    def _text(self, row: int, index: int) -> str:
        chooser = self._table.cellWidget(row, index)
        if isinstance(chooser, ComboBox):
            return str(chooser.currentText())
        item = self._table.item(row, index)
        return item.text().strip() if item is not None else ""

    def _append(self, texts: list[str]) -> None:
        row = self._table.rowCount()
        self._table.insertRow(row)
        for index, (column, shown) in enumerate(zip(self._columns, texts, strict=True)):
            if column.choices:
                self._table.setCellWidget(row, index, self._chooser(column.choices, shown))
            else:
                item = QTableWidgetItem(shown)
                item.setToolTip(shown if len(shown) > LONG else column.help)
                self._table.setItem(row, index, item)

    def _chooser(self, choices: tuple[str, ...], chosen: str) -> ComboBox:
        chooser = ComboBox()
        chooser.addItems(list(choices))
        chooser.setCurrentText(chosen or choices[0])
        chooser.currentTextChanged.connect(lambda _: self.changed.emit())
        return chooser

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        tips = "A row like the last one, to be edited.", "Take out the row that is selected, else the last one."
        for words, act, tip in zip(("Add row", "Remove row"), (self.add_row, self.remove_row), tips, strict=True):
            button = QPushButton(words)
            button.setToolTip(tip)
            button.clicked.connect(act)
            row.addWidget(button)
        return row

    def add_row(self) -> None:
        """Append a row like the last one, valid or not, to be edited."""
        last = self._table.rowCount() - 1
        texts = [self._text(last, index) if last >= 0 else "" for index in range(len(self._columns))]
        names = [column.name for column in self._columns]
        if last >= 0 and "name" in names:
            texts[names.index("name")] += " 2"
        if "source" in names:  # where the last one's value comes from says nothing of the new one
            texts[names.index("source")] = ""
        self._append(texts)
        self.changed.emit()

    def remove_row(self) -> None:
        """Take out the current row, else the last."""
        row = self._table.currentRow()
        self._table.removeRow(row if row >= 0 else self._table.rowCount() - 1)
        self.changed.emit()


class _Column:
    """How one field is written into a cell and read from it."""

    def __init__(self, name: str, field: FieldInfo) -> None:
        self.name = name
        self.title = str(field.title or name)
        self.unit = unit(field)
        self.help = described(field)
        (kind, *_), self._optional = options(field.annotation)
        self._is_flag = kind is bool
        self.choices: tuple[str, ...] = get_args(kind) if get_origin(kind) is Literal else (NO, YES) if self._is_flag else ()
        self._is_window = get_origin(kind) is tuple
        self._is_number = kind in (float, int)

    def heading(self, axis_unit: str) -> str:
        """Title, and under it the unit."""
        return f"{self.title}\n{(axis_unit or AXIS) if self.unit == AXIS else pretty(self.unit)}"

    def read(self, text: str) -> Any:
        """Value of a cell's text."""
        if not text and self._optional:
            return None
        if self._is_flag:
            return text == YES
        if self._is_window:
            return read_window(text)
        return read_number(text) if self._is_number else text

    def write(self, value: Any) -> str:
        """Text for a value."""
        if value is None:
            return ""
        if self._is_flag:
            return YES if value else NO
        if self._is_window:
            return write_window(value)
        return write_number(value) if self._is_number else str(value)

"""Settings, maps, folder of results, processes: what a batch is to do."""

from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QFileDialog, QFormLayout, QHBoxLayout, QLineEdit, QPushButton, QWidget

from napari_wse2xai.data import Results
from napari_wse2xai.gui.batch.order import BatchOrder
from napari_wse2xai.gui.parts.guarded import ComboBox, WholeBox
from napari_wse2xai.numerics.library_threads import cores
from napari_wse2xai.recipe import pattern_like

A_FILE = "a recipe's file"
_MAPS = {"raman": "RS maps", "pl": "PL maps"}
_TIPS = {
    "recipe": "A recipe of many flakes, or of one, whose settings are then used for the maps below.",
    "raman": "Pattern of the Raman maps, such as day*/*_rs.wdf; * stands for what tells flakes apart. Where {condition}, {name} or {value} "
    "stand in it, they say what it is.",
    "pl": "Pattern of the PL maps; those of one flake are found by what the signs of both patterns stand for.",
    "output": "A folder of each flake comes to lie here, with tables and a report over all.",
}
_EXAMPLES = {"recipe": "series.yaml", "raman": "day*/*_rs.wdf", "pl": "day*/*_pl.wdf", "output": "results"}
_ASKS = {
    "recipe": "Choose the recipe's file.",
    "raman": "Choose the Raman map of one flake; the pattern that it makes can be changed.",
    "pl": "Choose the PL map of one flake; the pattern that it makes can be changed.",
    "output": "Choose the folder of results.",
}


class BatchChoice(QWidget):
    """Form of a `BatchOrder`."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.source = ComboBox()
        self.fields = {key: QLineEdit() for key in _TIPS}
        self.buttons = {key: QPushButton("…") for key in _TIPS}
        self.processes, self.only_missing = WholeBox(1, None), QCheckBox("only what is missing")
        self._flakes: dict[str, Results] = {}
        self._files: dict[str, Path] = {}
        self._form = QFormLayout(self)
        self._arrange()
        self._connect()

    def _arrange(self) -> None:
        self.source.addItem(A_FILE)
        self.source.setToolTip("Where the settings come from: a recipe's file, or what was done with a flake in this window.")
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.addRow("Settings", self.source)
        for key, title in {"recipe": "Recipe", **_MAPS, "output": "Results in"}.items():
            self.fields[key].setToolTip(_TIPS[key])
            self.fields[key].setPlaceholderText(_EXAMPLES[key])
            self.buttons[key].setToolTip(_ASKS[key])
            self.buttons[key].setMaximumWidth(34)
            self._form.addRow(title, _row(self.fields[key], self.buttons[key]))
        self.processes.setValue(max(1, cores() - 1))
        self.processes.setToolTip("How many flakes are done at once, each in a process of its own; the results do not depend on it.")
        self.only_missing.setChecked(True)
        self.only_missing.setToolTip("Leave alone what lies in the folder already, made of the same files with the same settings.")
        self._form.addRow("Processes", _row(self.processes, self.only_missing))

    def _connect(self) -> None:
        self.source.currentIndexChanged.connect(lambda _: self._on_source())
        for key, field in self.fields.items():
            field.textChanged.connect(lambda _: self.changed.emit())
            self.buttons[key].clicked.connect(partial(self._ask, key))

    def offer(self, flakes: dict[str, Results]) -> None:
        """Let the settings be those of a flake of the window."""
        chosen, self._flakes = self.source.currentText(), flakes
        self.source.put([(words, words) for words in (A_FILE, *map(_as_here, flakes))], chosen)
        if self.source.currentText() != chosen:
            self._on_source()

    @property
    def flake(self) -> Results | None:
        """Flake whose settings are wanted; None where a file's are."""
        index = self.source.currentIndex() - 1
        return list(self._flakes.values())[index] if index >= 0 else None

    def order(self) -> BatchOrder | None:
        """What is chosen; None where something has to be chosen still."""
        typed = {key: field.text().strip() for key, field in self.fields.items()}
        source = self.flake or (Path(typed["recipe"]).expanduser() if typed["recipe"] else None)
        if source is None or not typed["output"]:
            return None
        patterns = {key: str(Path(typed[key]).expanduser()) for key in _MAPS if typed[key]}
        return BatchOrder(source, patterns, Path(typed["output"]).expanduser())

    def let_maps_be_chosen(self, allowed: bool) -> None:
        """Close the fields of the maps where the recipe names them itself."""
        for key in _MAPS:
            self.fields[key].setEnabled(allowed)
            self.buttons[key].setEnabled(allowed)
            self.fields[key].setPlaceholderText(_EXAMPLES[key] if allowed else "as the recipe says")

    def _on_source(self) -> None:
        """Show what a source needs; patterns of a flake are made of its own files."""
        row = self.fields["recipe"].parentWidget()
        assert row is not None
        self._form.setRowVisible(row, self.flake is None)
        if self.flake is not None:
            for key, file in files_of(self.flake).items():
                self.take(key, file)
        self.changed.emit()

    def take(self, key: str, path: Path) -> None:
        """Take a file or folder; that of a map makes a pattern, together with the other map of its flake."""
        if key not in _MAPS:
            self.fields[key].setText(str(path))
            return
        self._files[key] = path
        for modality, file in self._files.items():
            other = next((each for name, each in self._files.items() if name != modality), None)
            self.fields[modality].setText(pattern_like(file, other))

    def _ask(self, key: str) -> None:
        there = str(Path(self.fields[key].text()).parent) if self.fields[key].text() else ""
        if key == "output":
            path = QFileDialog.getExistingDirectory(self, _ASKS[key], there)
        else:
            kinds = "Recipe (*.yaml *.yml)" if key == "recipe" else "All files (*)"
            path, _ = QFileDialog.getOpenFileName(self, _ASKS[key], there, kinds)
        if path:
            self.take(key, Path(path))


def files_of(flake: Results) -> dict[str, Path]:
    """Files that the maps of a flake were read from, by modality."""
    parts: dict[str, Any] = {**flake.maps, **flake.peaks}
    read = {key: part.history[0].settings for key, part in parts.items() if part.history and part.history[0].step == "read"}
    return {key: Path(told.get("folder", "")) / str(told["file"]) for key, told in read.items() if "file" in told}


def _as_here(name: str) -> str:
    return f"{name}, as it was done here"


def _row(*widgets: QWidget) -> QWidget:
    together = QWidget()
    row = QHBoxLayout(together)
    row.setContentsMargins(0, 0, 0, 0)
    for widget in widgets:
        row.addWidget(widget)
    return together

"""The Load maps panel: choose files, see what is in them, choose an item, load it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from napari import Viewer
from qtpy.QtCore import Qt
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_wse2xai.data import AxisKind, Medium, Picture
from napari_wse2xai.errors import counted
from napari_wse2xai.gui.parts.call_queue import CallQueue
from napari_wse2xai.gui.parts.docked import plain
from napari_wse2xai.gui.parts.guarded import ComboBox, DoubleSpinBox
from napari_wse2xai.gui.parts.message_label import BAD, QUIET
from napari_wse2xai.gui.parts.work_row import WorkRow
from napari_wse2xai.gui.session import contents, recent
from napari_wse2xai.io import FORMATS, Item
from napari_wse2xai.io.readers.peaks import PEAK_MAPS
from napari_wse2xai.layers import to_layers
from napari_wse2xai.session.opening import PL, RAMAN, ItemChoice, Listing, Opened, listing_of, opened

_KEPT = Qt.ItemDataRole.UserRole
_AS_FILE = "as the file says"
_OVERLAPS = {_AS_FILE: None, "join as measured": "blend", "join, scaled": "scale", "join, shifted": "offset"}
_TITLES = {RAMAN: "Raman (RS)", PL: "photoluminescence (PL)"}


class LoadMaps(QWidget):
    """Choose files and an item in them, say what it is, load it as layers."""

    def __init__(self, napari_viewer: Viewer, parent: QWidget | None = None) -> None:
        napari_viewer = plain(napari_viewer)
        super().__init__(parent)
        self.viewer = napari_viewer
        self.files_button, self.work = QPushButton("Choose files…"), WorkRow(napari_viewer, "Load", words=_came_of)
        self.tree, self.details = QTreeWidget(), QLabel()
        self.measures, self.laser, self.unit, self.medium = ComboBox(), DoubleSpinBox(), ComboBox(), ComboBox()
        self.overlap, self.swap_xy = ComboBox(), QCheckBox("swap x and y")
        self.with_pictures = QCheckBox("with the pictures in the file")
        self.queue = CallQueue(self)
        self._load_then, self._problem = False, ""
        self._prepare()
        self._prepare_fields()
        self._arrange()
        self._connect()
        self._on_item()

    def _prepare(self) -> None:
        self.files_button.setToolTip("One or several files; nothing is loaded before you say which item.")
        self.work.begin_button.setToolTip("Load the chosen item as layers; a double click on it does the same (Ctrl+Return).")
        self.work.cancel_button.setToolTip("Stop looking or loading; the layers stay as they are (Ctrl+.).")
        self.tree.setToolTip("What is in the files: maps, spectra, pictures, peak maps, with their size in pixels and channels.")
        self.tree.setColumnCount(2)
        self.tree.setHeaderLabels(["Item", "Size"])
        self.tree.setMinimumHeight(150)
        self.tree.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.tree.header().setStretchLastSection(False)
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        self.details.setWordWrap(True)

    def _prepare_fields(self) -> None:
        """What the user may say of a file."""
        for key, title in _TITLES.items():
            self.measures.addItem(title, key)
        self.measures.setToolTip("Raman spectra get a Raman shift as their axis, photoluminescence an energy if it has a Raman shift.")
        self.laser.setRange(0.0, 2000.0)
        self.laser.setDecimals(3)
        self.laser.setSuffix(" nm")
        self.laser.setSpecialValueText("not known")
        self.laser.setToolTip("Wavelength of the laser; filled in where the file says it.")
        self.unit.addItems([_AS_FILE, *(kind.code for kind in AxisKind)])
        self.unit.setToolTip("Unit of the spectral axis, where the file does not say it or says it wrongly; 'abs.': of light.")
        self.medium.addItem(_AS_FILE, None)
        for medium in Medium:
            self.medium.addItem(medium.value, medium)
        self.medium.setToolTip(
            "Where wavelengths are measured, the laser's too: air refracts by 0.15 cm⁻¹ at silicon, 0.46 meV at 1.65 eV."
        )
        for title, how in _OVERLAPS.items():
            self.overlap.addItem(title, how)
        self.overlap.setToolTip(
            "Spectra stitched of several positions of a grating: where these overlap, one goes over into the next, as measured, or scaled "
            "or shifted by one number for the whole map so that both agree there."
        )
        self.swap_xy.setToolTip("For a file whose reader took x for y: the map is mirrored across its diagonal, pixels and places.")
        self.with_pictures.setChecked(True)
        self.with_pictures.setToolTip("Scans and white-light pictures come as layers below the map, in their true place.")

    def _arrange(self) -> None:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        rows = (
            ("Measured", self.measures),
            ("Laser", self.laser),
            ("Axis unit", self.unit),
            ("Wavelengths in", self.medium),
            ("Overlap", self.overlap),
        )
        for title, field in rows:
            form.addRow(title, field)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 2, 6, 8)
        for widget in (self.files_button, self.tree, self.details):
            column.addWidget(widget)
        column.addLayout(form)
        column.addWidget(self.swap_xy)
        column.addWidget(self.with_pictures)
        column.addWidget(self.work)

    def _connect(self) -> None:
        self.files_button.clicked.connect(self.ask)
        self.work.begin_button.clicked.connect(self.load)
        self.tree.currentItemChanged.connect(lambda *_: self._on_item())
        self.tree.itemDoubleClicked.connect(lambda *_: self.load())
        self.work.gave.connect(self._on_given)

    def ask(self) -> None:
        """Let the user choose files."""
        patterns = " ".join(pattern for known in FORMATS for pattern in known.patterns)
        names, _ = QFileDialog.getOpenFileNames(self, "Choose maps", "", f"Maps ({patterns});;All files (*)")
        if names:
            self.look_into(map(Path, names))

    def look_into(self, paths: Iterable[Path]) -> None:
        """List what is in files, outside the GUI thread: a text file is read for that."""
        wanted = list(paths)
        self.work.begin(lambda progress: _Listed(listing_of(wanted, progress)), "Looking into files", "Looking into the files…")

    def open_first(self, path: Path) -> None:
        """List a file, then load what is chosen in it at first."""
        self._load_then = True
        self.look_into([path])

    def load(self) -> None:
        """Read the chosen item, outside the GUI thread."""
        choice = self.choice()
        if choice is None or self.work.runner.busy or not _can_load(choice.item):
            return
        recent.note([choice.path])
        self.work.begin(lambda progress: opened(choice, progress), f"Loading {choice.path.name}", f"Loading {choice.item.name}…")

    def stop(self) -> None:
        """Let nothing run, and nothing come any more."""
        self.work.runner.cancel()
        self.queue.forget()

    def choice(self) -> ItemChoice | None:
        """Item and settings as shown."""
        node = self.tree.currentItem()
        kept = node.data(0, _KEPT) if node is not None else None
        if kept is None:
            return None
        path, item = kept
        unit = self.unit.currentText()
        return ItemChoice(
            path,
            item,
            self.measures.currentData() if item.is_spectra else None,
            self.laser.value() or None,
            None if unit == _AS_FILE else unit,
            self.with_pictures.isChecked(),
            self.medium.currentData(),
            self.overlap.currentData(),
            self.swap_xy.isChecked(),
        )

    def _on_given(self, given: "_Listed | list[Opened]") -> None:
        """Take what was found in files, or what was loaded."""
        if isinstance(given, _Listed):
            self._on_listed(given.listings)
        else:
            self._on_loaded(given)

    def _on_listed(self, listings: list[Listing]) -> None:
        self.tree.clear()
        first = None
        for listing in listings:
            node = QTreeWidgetItem(self.tree, [listing.path.name, "" if not listing.problem else "cannot be read"])
            node.setToolTip(0, str(listing.path))
            node.setExpanded(True)
            for item in listing.items:
                child = QTreeWidgetItem(node, [item.name, _size(item)])
                child.setData(0, _KEPT, (listing.path, item))
                child.setDisabled(not _can_load(item))
                first = _better(first, child)
        self.tree.expandAll()
        self._problem = " ".join(listing.problem for listing in listings if listing.problem)
        self._on_item()
        if self._problem:
            self.work.end_with(self._problem, BAD)
        if first is not None:
            self.tree.setCurrentItem(first)
            self.tree.scrollToItem(first)
        wanted, self._load_then = self._load_then, False
        if wanted and first is not None:
            self.load()

    def _on_item(self) -> None:
        """Show what is known of the chosen item, and fill in what the file says."""
        choice = self.choice()
        self.details.setText("" if choice is None else "<br>".join(described(choice.item)))
        if choice is not None and choice.item.is_spectra:
            self.laser.setValue(choice.item.laser_nm or 0.0)
            self.measures.setCurrentIndex(0 if choice.item.is_raman_shift else 1)
            self.overlap.setCurrentIndex(0)
            self.swap_xy.setChecked(False)  # what was asked of one file is no wish for the next
        for field in (self.measures, self.laser, self.unit, self.medium, self.overlap, self.swap_xy, self.with_pictures):
            field.setEnabled(choice is not None and choice.item.is_spectra)
        can = choice is not None and _can_load(choice.item)
        self.work.object_with(None if can else (self._problem, BAD if self._problem else QUIET))

    def _on_loaded(self, artefacts: list[Opened]) -> None:
        shown = [is_.artefact for layer in self.viewer.layers if (is_ := contents.shown(layer)) is not None]
        there = {_identity(picture) for picture in shown if isinstance(picture, Picture)}
        new = [each for each in artefacts if not isinstance(each, Picture) or _identity(each) not in there]
        contents.open_in_turns(self.viewer, self.queue, [layer for each in new for layer in to_layers(each)], "Load maps")

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802 - Qt's name
        """Stop what runs when the dock goes."""
        self.stop()
        super().closeEvent(event)


@dataclass(frozen=True)
class _Listed:
    """What was found in files."""

    listings: list[Listing]


def _came_of(given: "_Listed | list[Opened]", _: list[str]) -> str:
    if not isinstance(given, _Listed):
        return "Loaded."
    return f"{counted(sum(len(listing.items) for listing in given.listings), 'item')} found."


def described(item: Item) -> Iterator[str]:
    """What is known of an item, line by line."""
    ny, nx, n = item.shape
    what = f"{nx} × {ny} {'pixel' if item.n_pixels == 1 else 'pixels'}, {counted(n, 'channel')}" if item.is_spectra else item.what
    yield f"<b>{escape(item.name)}</b>: {escape(what)}"
    facts = (
        ("Axis", item.axis),
        ("Series over", item.over),
        ("Step", "" if item.step_um is None else f"{item.step_um[1]:.4g} × {item.step_um[0]:.4g} µm (x × y)"),
        ("Laser", "" if item.laser_nm is None else f"{item.laser_nm:g} nm"),
        ("Date", item.date),
        ("Objective", item.objective),
        *(fact for fact in item.acquisition.facts() if fact[0] != "Objective"),
    )
    yield from (f"{title}: {escape(value)}" for title, value in facts if value)


def _size(item: Item) -> str:
    ny, nx, n = item.shape
    if item.is_spectra:
        return f"{nx} × {ny} × {n}"
    kind = item.what.partition(" (")[0].partition(":")[0]
    return f"{nx} × {ny} {kind}" if kind == "picture" else kind


def _can_load(item: Item) -> bool:
    return item.is_spectra or item.what == PEAK_MAPS or item.what.startswith("picture")


def _better(one: QTreeWidgetItem | None, other: QTreeWidgetItem) -> QTreeWidgetItem | None:
    """Of two items the one to choose at first: the larger map."""

    def rank(node: QTreeWidgetItem) -> tuple[bool, bool, int]:
        item: Item = node.data(0, _KEPT)[1]
        return item.is_spectra, item.is_map, item.n_pixels

    if not _can_load(other.data(0, _KEPT)[1]):
        return one
    return other if one is None or rank(other) > rank(one) else one


def _identity(picture: Picture) -> tuple[Any, str]:
    return picture.frame, picture.name

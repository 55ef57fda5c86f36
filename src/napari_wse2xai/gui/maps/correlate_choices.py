"""What is plotted against what, and for which pixels."""

from napari import Viewer
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QFormLayout, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from napari_wse2xai.data import PairedMaps
from napari_wse2xai.data.map_values import MapValues, flags_of, values_of
from napari_wse2xai.data.peak_maps import strongest
from napari_wse2xai.errors import SettingsError
from napari_wse2xai.gui.maps.correlate_figures import Found, Pixels, holds
from napari_wse2xai.gui.parts.guarded import ComboBox
from napari_wse2xai.gui.parts.message_label import BAD, MessageLabel

CONDITION_TIP = (
    "Comparisons of peak parameters and computed maps, and the words ok, flake, saturated, misfit, ..., joined by and, or, not; "
    "in the units of the maps. A pixel without a value that decides does not fulfil it. Return: choose these pixels."
)


class Choices(QWidget):
    """Two quantities and a condition."""

    changed = Signal()
    """Another quantity, or other pixels."""
    wanted = Signal(object)
    """Pixels (ny, nx) that fulfil the condition are to be chosen."""

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.found: Found | None = None
        self.values: dict[str, MapValues] = {}
        self.across, self.up, self.condition = ComboBox(), ComboBox(), QLineEdit()
        self.choose_button, self.only_these = QPushButton("Choose these"), QCheckBox("plot only these")
        self.message = MessageLabel(viewer)
        self._within: Pixels | None = None
        self._by_hand = False
        self._tell()
        self._arrange()
        for box in (self.across, self.up):
            box.setSizeAdjustPolicy(ComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.currentIndexChanged.connect(self.changed)
            box.activated.connect(self._on_hand)
        self.condition.textChanged.connect(lambda _: self._check())
        self.condition.returnPressed.connect(self.choose)
        self.choose_button.clicked.connect(self.choose)
        self.only_these.toggled.connect(self.changed)

    def _tell(self) -> None:
        self.across.setToolTip("Quantity along the plot, with its unit: a parameter of a peak, or a computed map.")
        self.up.setToolTip("Quantity up the plot, with its unit; of a pair PL on the grid of RS too.")
        self.condition.setToolTip(CONDITION_TIP)
        self.condition.setPlaceholderText("A1'.height > 40 and ok")
        self.choose_button.setToolTip("Choose the pixels that fulfil the condition: they are lit here, and shown on the map as labels.")
        self.only_these.setToolTip("Leave all other pixels out of plot, correlation and profiles.")

    def _arrange(self) -> None:
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        form.addRow("Along", self.across)
        form.addRow("Up", self.up)
        form.addRow("Condition", self.condition)
        row, whole = QHBoxLayout(), QVBoxLayout()
        row.addWidget(self.choose_button)
        row.addWidget(self.only_these)
        whole.addLayout(row)
        whole.addWidget(self.message)
        form.addRow(whole)

    def _on_hand(self, index: int) -> None:
        self._by_hand = True

    def show_found(self, found: Found | None) -> None:
        """List the quantities of a deconvolution, or of a pair; those that were chosen by hand stay where they are there too."""
        self.found, self.values = found, {} if found is None else values_of(found)
        chosen = self.across.currentData(), self.up.currentData()
        first = ("", "") if found is None else usual(found, self.values)
        for box, before, usually in zip((self.across, self.up), chosen, first, strict=True):
            wanted = before if self._by_hand and before in self.values else usually
            box.put([(each.label, name) for name, each in self.values.items()], wanted)
        self.condition.setPlaceholderText(f"{first[0]} > 0 and ok" if found is not None else "")
        self._check()

    def two(self) -> tuple[MapValues, MapValues] | None:
        """What is plotted against what."""
        names = self.across.currentData(), self.up.currentData()
        return (self.values[names[0]], self.values[names[1]]) if all(name in self.values for name in names) else None

    def within(self) -> Pixels | None:
        """Pixels (ny, nx) that count."""
        if self.found is None:
            return None
        return self._within if self.only_these.isChecked() and self._within is not None else flags_of(self.found)["flake"]

    def _check(self) -> None:
        """Object to a condition while it is typed, else tell how many pixels fulfil it."""
        self._within = None
        if self.found is not None and self.condition.text().strip():
            try:
                self._within = holds(self.found, self.condition.text())
                self.message.say(f"{int(self._within.sum())} of {self._within.size} pixels fulfil it.")
            except SettingsError as error:
                self.message.say(str(error), BAD)
        else:
            self.message.say("")
        self.message.setVisible(bool(self.message.text()))
        for part in (self.choose_button, self.only_these):
            part.setEnabled(self._within is not None)
        if self.only_these.isChecked():
            self.changed.emit()

    def choose(self) -> None:
        """Have the pixels that fulfil the condition chosen."""
        if self._within is not None:
            self.wanted.emit(self._within)


def usual(found: Found, values: dict[str, MapValues]) -> tuple[str, str]:
    """What is plotted at first: of a pair the strongest line of RS and of PL, else height and position of the strongest."""
    heights = [name for name, each in values.items() if name.endswith(".height")]
    if not heights:
        return (next(iter(values)),) * 2
    if isinstance(found, PairedMaps):
        count = sum(f"{name}.height" in heights for name in found.raman.names)
        parts = heights[:count], heights[count:]
        return tuple(_strongest(part or heights, values) for part in parts)  # type: ignore[return-value]  # of two
    first = _strongest(heights, values)
    return first, first.removesuffix("height") + "position"


def _strongest(names: list[str], values: dict[str, MapValues]) -> str:
    return names[strongest([values[name].values for name in names])]

"""Check model: what a deconvolution misses all over its map, each fault with a button that accepts its remedy."""

from weakref import ref

from napari import Viewer
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_wse2xai import recipe
from napari_wse2xai.data import PeakMaps, SpectralMap
from napari_wse2xai.gui.parts.form import Form
from napari_wse2xai.gui.parts.message_label import BAD, QUIET
from napari_wse2xai.gui.parts.work_row import WorkRow
from napari_wse2xai.stages import Deconvolve, Proposal, accepted

FIRST = "Deconvolve a map first: its residuals are what is checked."


class ModelCheck(QWidget):
    """Begins the check of the last deconvolution, lists what it found, and puts what is accepted into the form."""

    changed = Signal(str)
    """A remedy was accepted; its sentence."""

    def __init__(self, viewer: Viewer, form: Form, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._form = form
        self._fitted: tuple[ref[PeakMaps], ref[SpectralMap]] | None = None
        self.proposals: tuple[Proposal, ...] = ()
        self.buttons: list[QPushButton] = []
        self.row = WorkRow(viewer, "Check model")
        self.row.begin_button.setToolTip("Ask the residuals of all pixels together what the list of peaks lacks.")
        self._list = QWidget()
        self._grid = QGridLayout(self._list)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setColumnStretch(0, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 0, 6, 8)
        column.addWidget(self.row)
        column.addWidget(self._list)
        self.row.begin_button.clicked.connect(self.begin)
        self.row.gave.connect(self.show_proposals)
        self.row.object_with((FIRST, QUIET))

    def know(self, peaks: PeakMaps, source: SpectralMap) -> None:
        """Check this deconvolution from now on."""
        self._fitted = ref(peaks), ref(source)
        self._clear()
        self.row.object_with(None)

    def begin(self) -> None:
        """Check in a thread of its own."""
        peaks = None if self._fitted is None else self._fitted[0]()
        source = None if self._fitted is None else self._fitted[1]()
        self._clear()
        if peaks is None or source is None:  # never there, or closed
            self.row.object_with((FIRST, QUIET))
        else:
            self.row.begin(lambda progress: recipe.proposals(peaks, source), f"Check model: {source.name}", "Adding up the residuals…")

    def show_proposals(self, proposals: tuple[Proposal, ...]) -> None:
        """List what was found."""
        self._clear()
        self.proposals = proposals
        if not proposals:
            self.row.message.say("Nothing is missing: the residuals of all pixels together are noise.")
        for number, proposal in enumerate(proposals):
            words = QLabel(proposal.words)
            words.setWordWrap(True)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._grid.addWidget(words, number, 0)
            if proposal.can_be_accepted:
                button = QPushButton("Accept")
                button.setToolTip("Change the settings above as proposed; then run again.")
                button.clicked.connect(lambda _, which=number: self.accept(which))
                self._grid.addWidget(button, number, 1, Qt.AlignmentFlag.AlignTop)
                self.buttons.append(button)

    def accept(self, number: int) -> None:
        """Put a remedy into the form."""
        try:
            settings = self._form.value()
            assert isinstance(settings, Deconvolve)
            self._form.put(accepted(settings, self.proposals[number]))
        except ValueError as error:
            self.row.message.say(f"This cannot be accepted: {error}", BAD)
            return
        self._list.setEnabled(False)
        self.row.message.say("Accepted; run the step again, then check again.")
        self.changed.emit(self.proposals[number].words)

    def _clear(self) -> None:
        self.proposals, self.buttons = (), []
        self._list.setEnabled(True)
        while (item := self._grid.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.deleteLater()

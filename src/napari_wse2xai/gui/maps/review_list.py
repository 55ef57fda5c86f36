"""The pixels of a deconvolution as a list, the worst first: a model that draws only what is seen, so that a large map opens at once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from qtpy.QtGui import QColor

from napari_wse2xai.data import PeakMaps, Status
from napari_wse2xai.data.quantities import STATUS_COLORS

Pixel = tuple[int, int]
Index = QModelIndex | QPersistentModelIndex
HEADS = ("row", "col.", "what became of it", "χ²", "badness")


class ReviewList(QAbstractTableModel):
    """Rows are pixels."""

    def __init__(self, parent: Any = None) -> None:
        super().__init__(parent)
        self._peaks: PeakMaps | None = None
        self._places: NDArray[np.intp] = np.empty((0, 2), dtype=np.intp)
        self._badness: NDArray[np.float32] = np.empty((0, 0), dtype=np.float32)

    def put(self, peaks: PeakMaps | None, places: NDArray[np.intp], badness: NDArray[np.float32]) -> None:
        """List some pixels in their order."""
        self.beginResetModel()
        self._peaks, self._places, self._badness = peaks, places, badness
        self.endResetModel()

    def follow(self, peaks: PeakMaps) -> None:
        """Show what is known of the same pixels now; their order stays, so that nothing moves under the hand."""
        self._peaks = peaks
        if len(self._places):
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._places) - 1, len(HEADS) - 1))

    def pixel(self, row: int) -> Pixel:
        """Row and column on the map of a line of the list."""
        return int(self._places[row, 0]), int(self._places[row, 1])

    def line_of(self, pixel: Pixel) -> int | None:
        """Line of a pixel; None where it is not listed."""
        found = np.flatnonzero((self._places == pixel).all(axis=1))
        return int(found[0]) if len(found) else None

    def rowCount(self, parent: Index | None = None) -> int:  # noqa: N802 - Qt's name
        """Give the number of pixels."""
        return len(self._places)

    def columnCount(self, parent: Index | None = None) -> int:  # noqa: N802 - Qt's name
        """Give the number of columns."""
        return len(HEADS)

    def headerData(self, section: int, orientation: object, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: N802 - Qt's name
        """Name the columns; rows are numbered."""
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return HEADS[section] if orientation == Qt.Orientation.Horizontal else section + 1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Give words and colour of a cell."""
        if self._peaks is None:
            return None
        pixel = self.pixel(index.row())
        if role == Qt.ItemDataRole.DisplayRole or (role == Qt.ItemDataRole.ToolTipRole and index.column() == 2):  # may be cut
            return self._words(index.column(), pixel)
        if role == Qt.ItemDataRole.DecorationRole and index.column() == 2:
            return QColor(STATUS_COLORS[Status(int(self._peaks.status[pixel]))])
        return None

    def _words(self, column: int, pixel: Pixel) -> str:
        assert self._peaks is not None
        if column < 2:
            return str(pixel[column])
        if column == 2:
            return self._peaks.status_words(*pixel)
        value = float((self._peaks.reduced_chi2 if column == 3 else self._badness)[pixel])
        return f"{value:.3g}" if np.isfinite(value) else ""

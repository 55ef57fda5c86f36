"""Cells of atoms in a napari window of their own, turning: beside maps in micrometres they would be lost."""

from collections.abc import Mapping

from napari import Viewer
from qtpy.QtCore import QObject, QTimer

from napari_wse2xai.gui.session import contents
from napari_wse2xai.layers import LayerTuple, structure_layer
from napari_wse2xai.plots.theory import looks_of
from napari_wse2xai.theory.cell import HarmonicCell
from napari_wse2xai.theory.evaluation import TheoryResult
from napari_wse2xai.theory.structures import structures

TURN_MS = 60
TURN_DEG = 1.5
START_DEG = (0.0, 25.0, 120.0)
"""Angles of the camera at first: the layer from aside."""


class StructureWindow(QObject):
    """Opens and turns; forgets its window when the user closes it."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.viewer: Viewer | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(TURN_MS)
        self._timer.timeout.connect(self._turn)

    @property
    def turning(self) -> bool:
        """Whether the structure turns."""
        return bool(self._timer.isActive())

    def show_structures(self, result: TheoryResult) -> None:
        """Open a window with every structure of a material, the pristine one seen, or show them in the one that is open."""
        self.show_cells(result.material, {str(looks_of(name)["label"]): cell for name, cell in structures(result).items()})

    def show_cells(self, material: str, cells: Mapping[str, HarmonicCell]) -> None:
        """Show cells of atoms by name, the first of them seen."""
        viewer = self._open()
        if viewer is None:
            viewer = self.viewer = Viewer(title=f"Structures of {material}", ndisplay=3)
        viewer.layers.clear()
        contents.add(viewer, structure_layers(material, cells))
        viewer.reset_view()
        viewer.scene.camera.angles = START_DEG
        self.turn(True)

    @property
    def open(self) -> bool:
        """Whether the window is still there."""
        return self._open() is not None

    def _open(self) -> Viewer | None:
        return self.viewer if self.viewer is not None and _lives(self.viewer) else None

    def turn(self, wanted: bool) -> None:
        """Begin or stop turning."""
        if wanted:
            self._timer.start()
        else:
            self._timer.stop()

    def _turn(self) -> None:
        viewer = self._open()
        if viewer is None:
            self.turn(False)
            return
        first, second, third = viewer.scene.camera.angles
        viewer.scene.camera.angles = (first, second, (third + TURN_DEG) % 360)

    def close(self) -> None:
        """Close the window, where it is open."""
        self.turn(False)
        viewer = self._open()
        if viewer is not None:
            viewer.close()
        self.viewer = None


def structure_layers(material: str, cells: Mapping[str, HarmonicCell]) -> list[LayerTuple]:
    """A layer of points for each structure; the first is seen."""
    return [structure_layer(cell, f"{material}: {name}", visible=number == 0) for number, (name, cell) in enumerate(cells.items())]


def _lives(viewer: Viewer) -> bool:
    try:
        return bool(viewer.window._qt_window.isVisible())
    except (RuntimeError, AttributeError):  # Qt has deleted it
        return False

"""The workbench: panels at the right, spectrum below, scale bar and colour bar, the view on what has just come."""

from collections.abc import Callable
from typing import Any
from weakref import ref

from napari import Viewer
from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtGui import QResizeEvent, QShowEvent
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

from napari_wse2xai.gui.main_widget import MainWidget
from napari_wse2xai.gui.maps.colour_bar import ColourBar
from napari_wse2xai.gui.maps.load_maps import LoadMaps
from napari_wse2xai.gui.maps.spectrum_view import SpectrumView
from napari_wse2xai.gui.parts import preloading
from napari_wse2xai.gui.parts.help import open_page, page_of
from napari_wse2xai.gui.parts.keys import KeyList, bind
from napari_wse2xai.gui.parts.later import later
from napari_wse2xai.gui.parts.work_row import WorkRow
from napari_wse2xai.gui.session import contents

SPECTRUM = "Spectrum"
"""Name of the dock below."""
PANELS_SHARE, PANELS_PX, SPECTRUM_SHARE, SPECTRUM_PX = 0.32, 480, 0.32, 320
"""Width of the panels and height of the spectrum: shares of the window, and pixels at most."""


class Workbench(MainWidget):
    """Everything that a map needs, by one entry of the menu."""

    def __init__(self, napari_viewer: Viewer, parent: QWidget | None = None) -> None:
        self._frames: list[Any] = []
        self._furnished = False
        super().__init__(napari_viewer, parent)
        self.colour_bar = ColourBar(self.viewer, self)
        preloading.begin_layers()
        bind(self, self._acts())  # outside, Ctrl+Z is napari's own, such as for strokes of the brush

    def _acts(self) -> dict[str, Callable[[], Any]]:
        """What keys do, by the names in `keys.KEYS`."""
        return {
            "run": lambda: self._press("begin_button"),
            "cancel": lambda: self._press("cancel_button"),
            "next": lambda: self._step_on(1),
            "previous": lambda: self._step_on(-1),
            "undo": self.session.undo,
            "redo": self.session.redo,
            "export": self.saving.layer_button.offer,
            "help": lambda: open_page(page_of(self.opened or LoadMaps)),
            "keys": self.list_keys,
        }

    @property
    def opened(self) -> Any:
        """Step whose section is open; None where none is."""
        return next((key for key, section in self.sections.items() if section.isExpanded()), None)

    def _press(self, button: str) -> None:
        """Press a button of the step that is open."""
        rows = [] if self.opened is None else self.sections[self.opened].content().findChildren(WorkRow)
        pressed = next((getattr(row, button) for row in rows if getattr(row, button).isEnabled()), None)
        if pressed is not None:
            pressed.click()

    def _step_on(self, by: int) -> None:
        """Open the section after the one that is open, or before it."""
        keys = list(self.sections)
        place = (keys.index(self.opened) + by if self.opened is not None else 0) % len(keys)
        self.open_section(keys[place])
        self.sections[keys[place]].toggleButton().setFocus()

    def list_keys(self) -> KeyList:
        """Show what keys do, beside the window."""
        shown = KeyList(self)
        shown.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        shown.show()
        return shown

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 - Qt's name
        """Put the rest in its place, once the panels are in theirs."""
        super().showEvent(event)
        if not self._furnished:
            later(self, self.furnish)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        """Keep the canvas's words off its colour bar."""
        super().resizeEvent(event)
        if self._furnished:
            self.colour_bar.look_again()

    def furnish(self) -> SpectrumView:
        """Dock the spectrum below, lay the docks out, switch scale bar and colour bar on; once."""
        docks = self.viewer.window.dock_widgets
        spectrum = next((each for each in docks.values() if isinstance(each, SpectrumView)), None)
        if spectrum is None:
            spectrum = SpectrumView(self.viewer)
            self.viewer.window.add_dock_widget(spectrum, name=SPECTRUM, area="bottom")
        if not self._furnished:
            self._furnished = True
            self.viewer.canvas.overlays.scale_bar.visible = True
            self.colour_bar.listen()
            DockShares(self, spectrum)
            self._look_at_what_came()
        return spectrum

    def refresh(self) -> None:
        """Show what lies in the window now."""
        super().refresh()
        if self._furnished:
            self._look_at_what_came()

    def _look_at_what_came(self) -> None:
        """Put the view on a map that has come on a place of its own."""
        frames = [contents.map_of(layer).frame for layer in contents.map_layers(self.viewer)]
        if any(frame not in self._frames for frame in frames):
            QTimer.singleShot(0, self.viewer.reset_view)
        self._frames = frames

    def let_go(self) -> None:
        """Hear of nothing more."""
        if self._furnished:
            self.colour_bar.let_go()
        super().let_go()


class DockShares(QObject):
    """Keeps panels and spectrum at their shares of the window while that changes its size, until a hand moves a border between docks."""

    def __init__(self, panels: QWidget, spectrum: QWidget) -> None:
        super().__init__(spectrum)  # ends with it
        self._panels, self._spectrum = ref(panels), ref(spectrum)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._lay_out)
        panels.window().installEventFilter(self)
        lay_out(panels, spectrum)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 - Qt's name
        """Follow the window's size; of a QMainWindow itself the mouse meets nothing but borders."""
        if event.type() == QEvent.Type.Resize:
            self._soon.start(0)
        elif event.type() == QEvent.Type.MouseButtonPress:
            self._soon.stop()
            watched.removeEventFilter(self)
        return False

    def _lay_out(self) -> None:
        panels, spectrum = self._panels(), self._spectrum()
        if panels is not None and spectrum is not None:
            lay_out(panels, spectrum)


def lay_out(panels: QWidget, spectrum: QWidget) -> None:
    """Give layers and panels the whole height at left and right, the spectrum the place below the canvas: 720 rows are enough."""
    window, beside, below = panels.window(), dock_of(panels), dock_of(spectrum)
    if not isinstance(window, QMainWindow) or beside is None or below is None:
        return
    window.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea)
    window.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
    width = min(round(PANELS_SHARE * window.width()), PANELS_PX)
    height = min(round(SPECTRUM_SHARE * window.height()), SPECTRUM_PX)
    window.resizeDocks([beside], [width], Qt.Orientation.Horizontal)
    window.resizeDocks([below], [height], Qt.Orientation.Vertical)


def dock_of(widget: QWidget) -> QDockWidget | None:
    """Dock that holds a widget; None where it was closed."""
    found: QWidget | None = widget
    while found is not None and not isinstance(found, QDockWidget):
        found = found.parentWidget()
    return found

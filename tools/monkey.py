"""A monkey at the window: random clicks, keys, numbers, wheel, lassos, layers and themes, with all panels open and everything trained.

    xvfb-run -a -s "-screen 0 1600x1200x24" python tools/monkey.py --actions 2000 --seed 1

Tells every exception, every warning (of Python, of Qt, of napari's corner) with the actions before it, how much memory is left over when
all is closed, and how long the window did not answer at most.  Ends with status 1 where there was an exception or a warning, or more than
50 MB stay.  Dialogs that ask for files get places in a folder of their own; nothing is opened in a browser.
"""

import argparse
import ctypes
import faulthandler
import gc
import random
import sys
import tempfile
import time
import traceback
import warnings
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
import numpy as np
from napari._qt.dialogs.qt_notification import NapariQtNotification
from napari.utils import notifications
from qtpy.compat import isalive
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt, qInstallMessageHandler
from qtpy.QtGui import QDesktopServices, QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QFileDialog,
    QLineEdit,
    QMenu,
    QMessageBox,
    QTabBar,
    QTableWidget,
    QWidget,
)

from napari_wse2xai.data import Frame, SpectralMap
from napari_wse2xai.gui import window
from napari_wse2xai.gui.parts.turns import all_idle
from napari_wse2xai.gui.session import contents
from napari_wse2xai.layers import to_layers
from napari_wse2xai.learning.null_test import FEWEST_SURROGATES
from napari_wse2xai.stages import Baseline, Deconvolve, Explain, FindFlake, Train
from napari_wse2xai.stages.peaks import Peak
from napari_wse2xai.synthetic import make_flake

LEFT_ALONE = ("Calculate", "Run on", "Simulate", "Train")
"""Beginnings of buttons that work for minutes: they are pressed once a hundred actions, and cancelled."""
SETTLE_S, WARM = 0.02, 60
LIMIT_MB = 50
TYPED = ("", "0", "-1", "3.5", "1e9", "nan", "183 – 300", "A1'.height > 40 and ok", "ok", "(((", "π", "120", " ")


def memory_mb() -> float:
    """Memory of this process, after the garbage is gone and the C library has given back what is free."""
    gc.unfreeze()
    gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    gc.freeze()  # as the window has it, which looks for no garbage among what is there for good
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def coarse(source: SpectralMap, name: str) -> SpectralMap:
    """Every third pixel of a sample: quick to work on."""
    frame = Frame(source.counts[::3, ::3].shape[:2], (1.5, 1.5), sample="monkey")
    return SpectralMap.from_arrays(
        np.array(source.counts[::3, ::3]), source.axis.values, source.axis.kind, frame=frame, name=name, laser_nm=source.axis.laser_nm
    )


class Monkey:
    """Acts at random, and remembers what went wrong."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.random, self.folder = random.Random(seed), folder
        self.wrong: list[str] = []
        self.done: deque[str] = deque(maxlen=8)
        self.slowest: list[tuple[float, float, str]] = []
        """Turns of the event loop and whole actions: seconds, those of the processor in this thread, and what."""
        self._listen()
        self.viewer = napari.Viewer()
        self.bench, self.spectrum = window.furnish(self.viewer)
        self.viewer.window._qt_window.resize(1500, 1000)

    def _listen(self) -> None:
        """Hear of everything that goes wrong."""
        sys.excepthook = lambda kind, error, trace: self.note("".join(traceback.format_exception(kind, error, trace)))
        notifications.notification_manager.notification_ready.disconnect()
        notifications.notification_manager.notification_ready.connect(self._on_notice)
        notifications.notification_manager.receive_error = lambda kind, error, trace, *_: sys.excepthook(kind, error, trace)
        warnings.showwarning = lambda message, category, file, line, *_: self.note(f"{category.__name__}: {message} ({file}:{line})")
        qInstallMessageHandler(lambda kind, context, message: None if harmless(message) else self.note(f"Qt: {message}"))
        QDesktopServices.openUrl = lambda url: True
        QFileDialog.getSaveFileName = lambda *a, **k: (str(self.folder / f"{self.random.randrange(9)}.{self._ending(a)}"), "")
        QFileDialog.getOpenFileName = lambda *a, **k: ("", "")
        QFileDialog.getOpenFileNames = lambda *a, **k: ([], "")
        QFileDialog.getExistingDirectory = lambda *a, **k: str(self.folder / "report")
        QMessageBox.exec = lambda *a: QMessageBox.No

    @staticmethod
    def _ending(given: tuple[Any, ...]) -> str:
        name = str(given[2]) if len(given) > 2 else "x.nc"
        return name.rpartition(".")[2]

    def _on_notice(self, notice: Any) -> None:
        if str(notice.severity) in ("error", "NotificationSeverity.ERROR") and not str(notice.message).startswith(KNOWN):
            self.note(f"napari: {notice.message}")

    def note(self, text: str) -> None:
        """Remember and tell something that went wrong, with what was done before it."""
        if text not in self.wrong:
            print(f"WRONG {text.strip()}\n    after: {' | '.join(self.done)}", flush=True)
        self.wrong.append(text)

    def settle(self, seconds: float = SETTLE_S) -> None:
        """Let the window work; measure how long one turn of its loop takes."""
        until = time.monotonic() + seconds
        while True:
            begun, worked = time.monotonic(), time.thread_time()
            QApplication.processEvents()
            QApplication.sendPostedEvents(None, QEvent.DeferredDelete)  # only a loop of Qt's own does it: without, no widget would ever go
            self.slowest.append((time.monotonic() - begun, time.thread_time() - worked, self.done[-1] if self.done else ""))
            if time.monotonic() > until:
                break
            time.sleep(0.002)
        self.slowest = sorted(self.slowest, reverse=True)[:8]

    def wait(self, runner: Any) -> None:
        """Wait for work."""
        while runner.busy or not all_idle():
            self.settle(0.05)
        self.settle(0.3)

    def prepare(self) -> None:
        """Two maps, deconvolved, paired, trained and explained; all folds open."""
        flake = make_flake("triangle")
        for source, name, window_ in ((flake.raman, "RS", (183.0, 300.0)), (flake.pl, "PL", None)):
            contents.add(self.viewer, to_layers(coarse(source, name)))
            self.settle(0.5)
            panels = self.bench.panels
            if window_ is not None:
                peaks = (Peak(name="A1'", position=249.8, fwhm=4, window=window_), Peak(name="E'", position=240, fwhm=6, window=window_))
                panels[Deconvolve].form.put(Deconvolve(peaks=peaks))
            for stage in (FindFlake, Baseline, Deconvolve):
                panels[stage].work.begin_button.click()
                self.wait(panels[stage].work.runner)
        self.bench.pairing.work.begin_button.click()
        self.wait(self.bench.pairing.work.runner)
        self.bench.training.form.put(Train(target=("height",), surrogates=FEWEST_SURROGATES, network_on_blocks=False))
        for panel, step in ((self.bench.training, None), (self.bench.explaining, Explain(anyway=True))):
            if step is not None:
                panel.form.put(step)
            panel.work.begin_button.click()
            self.wait(panel.work.runner)
        self.settle(2.0)
        for section in self.bench.sections.values():
            section.expand(animate=False)
        self.settle(1.0)

    def visible(self, *kinds: type[QWidget]) -> list[QWidget]:
        """Widgets that a hand could reach by scrolling."""
        docks = (self.bench, self.spectrum)
        return [each for dock in docks for kind in kinds for each in dock.findChildren(kind) if each.isVisible() and each.isEnabled()]

    def act(self, number: int) -> None:
        """Do one thing."""
        acts: list[Callable[[], str | None]] = [
            *[self.press_button] * 6,
            *[self.choose] * 3,
            *[self.type_something] * 3,
            self.wheel,
            self.tick_a_cell,
            self.tab,
            *[self.drag_on_plot] * 2,
            *[self.mouse_on_canvas] * 3,
            self.key,
            self.layer,
            self.slider,
            self.undo,
            self.theme,
            self.menu,
        ]
        act = self.random.choice(acts)
        self.done.append(f"{number} {act.__name__}")
        begun, worked = time.monotonic(), time.thread_time()
        said = act()
        self.done[-1] += f": {said}" if said else ""
        self.slowest.append((time.monotonic() - begun, time.thread_time() - worked, self.done[-1]))
        self.settle()

    def press_button(self) -> str | None:
        """Press any button."""
        buttons = [each for each in self.visible(QAbstractButton) if each.text() or each.isCheckable()]
        button = self.random.choice(buttons)
        if button.text().startswith(LEFT_ALONE) and self.random.random() > 0.02:
            return None
        if getattr(button, "menu", lambda: None)() is not None:  # a menu waits for its answer
            return None
        QTest.mouseClick(button, Qt.LeftButton)
        if button.text().startswith(LEFT_ALONE):
            self.settle(0.5)
            for cancel in self.visible(QAbstractButton):
                if cancel.text() == "Cancel":
                    cancel.click()
        return f"{type(button.parent()).__name__} {button.text()}"

    def menu(self) -> str | None:
        """Choose in a menu of saving."""
        menus = [each.menu() for each in self.visible(QAbstractButton) if isinstance(getattr(each, "menu", lambda: None)(), QMenu)]
        if not menus:
            return None
        action = self.random.choice(self.random.choice(menus).actions())
        action.trigger()
        return action.text()

    def choose(self) -> str:
        """Choose in any box."""
        box = self.random.choice(self.visible(QComboBox))
        if box.count():
            box.setCurrentIndex(self.random.randrange(box.count()))
            box.activated.emit(box.currentIndex())
        return f"{type(box.parent()).__name__} {box.currentText()}"

    def type_something(self) -> str:
        """Type into any field."""
        field = self.random.choice(self.visible(QLineEdit))
        text = self.random.choice(TYPED)
        field.setFocus()
        field.selectAll()
        if text.isascii():
            QTest.keyClicks(field, text)
        else:  # for which QTest has no keys
            field.insert(text)
        if self.random.random() < 0.4:
            QTest.keyClick(field, Qt.Key_Return)
        return f"{field.objectName()} {text!r}"

    def wheel(self) -> str:
        """Turn the wheel over anything."""
        widget = self.random.choice([*self.visible(QComboBox, QAbstractSpinBox, QTableWidget), self.spectrum.canvas])
        middle = QPointF(widget.rect().center())
        turn = QPoint(0, self.random.choice((-120, 120, 600)))
        event = QWheelEvent(middle, widget.mapToGlobal(middle), QPoint(), turn, Qt.NoButton, Qt.NoModifier, Qt.NoScrollPhase, False)
        QApplication.sendEvent(widget, event)
        return type(widget).__name__

    def tick_a_cell(self) -> str | None:
        """Click a cell of any table."""
        tables = [each for each in self.visible(QTableWidget) if each.rowCount()]
        if not tables:
            return None
        table = self.random.choice(tables)
        row, column = self.random.randrange(table.rowCount()), self.random.randrange(table.columnCount())
        item = table.item(row, column)
        if item is not None and item.flags() & Qt.ItemIsUserCheckable:
            item.setCheckState(Qt.Unchecked if item.checkState() == Qt.Checked else Qt.Checked)
        table.setCurrentCell(row, column)
        return f"{row}, {column}"

    def tab(self) -> str | None:
        """Click a tab; none is there where docks float and all folds with tabs are shut."""
        bars = self.visible(QTabBar)
        if not bars:
            return None
        bar = self.random.choice(bars)
        bar.setCurrentIndex(self.random.randrange(bar.count()))
        return bar.tabText(bar.currentIndex())

    def drag_on_plot(self) -> str:
        """Drag over any plot, with any button."""
        plots = [each for each in self.visible(QWidget) if hasattr(each, "figure")]
        plot = self.random.choice(plots)
        button = self.random.choice((Qt.LeftButton, Qt.LeftButton, Qt.RightButton))
        places = [QPoint(self.random.randrange(max(plot.width(), 1)), self.random.randrange(max(plot.height(), 1))) for _ in range(6)]
        if self.random.random() < 0.15:
            QTest.mouseDClick(plot, button, Qt.NoModifier, places[0])
        QTest.mousePress(plot, button, Qt.NoModifier, places[0])
        for place in places[1:]:
            QTest.mouseMove(plot, place)
            self.settle(0.001)
            if not isalive(plot):  # what was undone a moment ago took it along
                return "a plot that went"
        QTest.mouseRelease(plot, button, Qt.NoModifier, places[-1])
        return type(plot).__name__

    def mouse_on_canvas(self) -> str:
        """Move, click or drag on the maps."""
        canvas = self.viewer.window._qt_viewer.canvas.native
        places = [QPoint(self.random.randrange(canvas.width()), self.random.randrange(canvas.height())) for _ in range(4)]
        if self.random.random() < 0.5:
            for place in places:
                QTest.mouseMove(canvas, place)
            return "move"
        QTest.mousePress(canvas, Qt.LeftButton, Qt.NoModifier, places[0])
        for place in places[1:]:
            QTest.mouseMove(canvas, place)
        QTest.mouseRelease(canvas, Qt.LeftButton, Qt.NoModifier, places[-1])
        return "drag"

    def key(self) -> str:
        """Press a key of the workbench."""
        key, modifier = self.random.choice(
            (
                (Qt.Key_Down, Qt.ControlModifier),
                (Qt.Key_Up, Qt.ControlModifier),
                (Qt.Key_Return, Qt.ControlModifier),
                (Qt.Key_Period, Qt.ControlModifier),
                (Qt.Key_Tab, Qt.NoModifier),
                (Qt.Key_F1, Qt.NoModifier),
                (Qt.Key_Escape, Qt.NoModifier),
            )
        )
        QTest.keyClick(QApplication.focusWidget() or self.bench, key, modifier)
        return str(key)

    def layer(self) -> str | None:
        """Select, hide or delete a layer."""
        if not len(self.viewer.layers):
            return None
        layer = self.random.choice(list(self.viewer.layers))
        what = self.random.random()
        if what < 0.5:
            self.viewer.layers.selection.active = layer
        elif what < 0.9:
            layer.visible = not layer.visible
        else:
            self.viewer.layers.remove(layer)
        return str(layer.name)

    def slider(self) -> None:
        """Move the slider."""
        if self.viewer.dims.ndim > 2 and self.viewer.dims.nsteps[0] > 1:
            self.viewer.dims.set_current_step(0, self.random.randrange(self.viewer.dims.nsteps[0]))

    def undo(self) -> None:
        """Take back or do again."""
        self.random.choice((self.bench.session.undo, self.bench.session.redo))()

    def theme(self) -> None:
        """Change the theme, now and then."""
        if self.random.random() < 0.2:
            self.viewer.theme = "light" if self.viewer.theme == "dark" else "dark"

    def close(self) -> None:
        """Stop what runs, take everything out of the window."""
        for button in self.visible(QAbstractButton):
            if button.text() == "Cancel":
                button.click()
        self.settle(3.0)
        known = contents.session(self.viewer)
        known.remove(*known.artefacts)
        known.forget_the_past()
        self.viewer.layers.clear()
        for notice in list(NapariQtNotification._instances):  # napari lets one go every four seconds, but keeps all while new ones come
            notice.close()
        self.settle(2.0)


KNOWN = ("There is nothing in this plot", "There are no numbers", "Select a layer", "The slider stands", "'")
"""Beginnings of sentences for the user: these are no faults."""


def harmless(message: str) -> bool:
    """What Qt says of a machine without a screen, a sound or a desktop."""
    return any(
        word in message for word in ("propagateSizeHints", "XDG_RUNTIME_DIR", "does not support", "QFont", "libpng", "QStandardPaths")
    )


def main() -> int:
    """Let it loose."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actions", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    faulthandler.enable()
    with tempfile.TemporaryDirectory() as folder:
        monkey = Monkey(chosen.seed, Path(folder))
        empty = memory_mb()
        monkey.prepare()
        print(f"prepared: {empty:.0f} MB with nothing open, {memory_mb():.0f} MB with everything; {len(monkey.wrong)} things went wrong")
        loaded = memory_mb()
        for number in range(chosen.actions):
            monkey.act(number)
            if number == WARM:
                loaded = memory_mb()
            if number % 50 == 49:
                print(f"{number + 1}: {memory_mb():.0f} MB, {len(monkey.wrong)} things went wrong", flush=True)
        monkey.close()
        left = memory_mb() - loaded
        print(f"{left:+.0f} MB when all is closed, against {WARM} actions after the beginning")
        slow = (f"{wall:.2f} s, {own:.2f} of processor ({what})" for wall, own, what in monkey.slowest)
        print("longest without an answer:", "; ".join(slow))
        monkey.viewer.close()
    return int(bool(monkey.wrong) or left > LIMIT_MB)


if __name__ == "__main__":
    sys.exit(main())

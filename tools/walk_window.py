"""Drive the real window by mouse and keys alone, from the welcome to profiles, at three sizes and in both themes.

Takes a picture after each step:

    xvfb-run -a -s "-screen 0 1920x1200x24" python tools/walk_window.py --output /tmp/walk
    ... python tools/walk_window.py --output /tmp/walk --sizes 1280x720 --themes dark

The first walk does everything on the sample flake, training and explaining included; the others open what it has saved.  No method of the
package is called where a hand would click: what the mouse cannot reach, this cannot either.  Look at every picture.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
from PIL import Image
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QComboBox, QWidget

from napari_wse2xai.gui import window
from napari_wse2xai.gui.explain.panel import ExplainPanel
from napari_wse2xai.gui.maps.correlate_panel import CorrelatePanel
from napari_wse2xai.gui.maps.peak_chooser import PeakChooser
from napari_wse2xai.gui.pair.panel import PairPanel
from napari_wse2xai.gui.parts.turns import all_idle
from napari_wse2xai.gui.session.panel import SessionPanel
from napari_wse2xai.gui.train.panel import TrainPanel
from napari_wse2xai.stages import Baseline, Deconvolve, Despike, FindFlake

SIZES = ("1280x720", "1600x1000", "1920x1080")
THEMES = ("dark", "light")
LONGEST_S = 900.0


class Hand:
    """Mouse, keys and a camera on one window."""

    def __init__(self, folder: Path, size: str, theme: str) -> None:
        self.folder, self.name = folder, f"{size}_{theme}"
        self.viewer = napari.Viewer(title="napari-wse2xai")
        self.viewer.theme = theme
        width, height = map(int, size.split("x"))
        self.viewer.window._qt_window.resize(width, height)
        self.bench, self.spectrum = window.furnish(self.viewer)
        self.viewer.window._qt_window.resize(width, height)
        self.viewer.window._qt_window.activateWindow()  # there is no window manager here that would
        self.wait()
        self.number = 0

    def wait(self, until: Callable[[], object] = lambda: True, seconds: float = 0.4) -> None:
        """Let the window work for a while, and on until something holds."""
        begun = time.monotonic()
        while time.monotonic() - begun < seconds or not until():
            QApplication.processEvents()
            time.sleep(0.005)
            if time.monotonic() - begun > LONGEST_S:
                raise TimeoutError("a step takes too long")

    def picture(self, step: str, widget: QWidget | None = None) -> None:
        """Take a picture of the window, or of a menu or dialog."""
        self.wait()
        self.number += 1
        target = self.folder / f"{self.name}_{self.number:02}_{step}.png"
        if widget is not None:
            widget.grab().save(str(target))
        else:
            Image.fromarray(self.viewer.screenshot(canvas_only=False, flash=False)).save(target)

    def reach(self, widget: QWidget) -> None:
        """Scroll the panels until a widget is seen; one that cannot be seen cannot be clicked."""
        if self.bench.isAncestorOf(widget):
            self.bench._scroll.ensureWidgetVisible(widget, 10, 10)
        self.wait(seconds=0.1)
        if widget.visibleRegion().isEmpty():
            raise AssertionError(f"{type(widget).__name__} {getattr(widget, 'text', str)()} is out of reach")

    def click(self, widget: QWidget, place: QPoint | None = None) -> None:
        """Click with the left button."""
        self.reach(widget)
        QTest.mouseClick(widget, Qt.LeftButton, Qt.NoModifier, place or widget.visibleRegion().boundingRect().center())
        self.wait(seconds=0.1)

    def press(self, key: Any, modifier: Any = Qt.ControlModifier) -> None:
        """Press a key in the workbench."""
        focus = QApplication.focusWidget()
        QTest.keyClick(focus if focus is not None and self.bench.isAncestorOf(focus) else self.bench, key, modifier)
        self.wait(seconds=0.1)

    def drag(self, widget: QWidget, places: list[tuple[float, float]]) -> None:
        """Drag over a widget, places in shares of its width and height."""
        self.reach(widget)
        points = [QPoint(round(x * widget.width()), round(y * widget.height())) for x, y in places]
        QTest.mousePress(widget, Qt.LeftButton, Qt.NoModifier, points[0])
        for point in points[1:]:
            QTest.mouseMove(widget, point)
            self.wait(seconds=0.03)
        QTest.mouseRelease(widget, Qt.LeftButton, Qt.NoModifier, points[-1])
        self.wait()

    def choose(self, box: QComboBox, text: str) -> None:
        """Choose in a box by the keys."""
        self.click(box)
        for index in range(box.count()):
            if text in box.itemText(index):
                QTest.keyClick(box.view(), Qt.Key_Home)
                for _ in range(index):
                    QTest.keyClick(box.view(), Qt.Key_Down)
                break
        QTest.keyClick(box.view(), Qt.Key_Return)
        self.wait()

    def open(self, key: Any) -> None:
        """Open a fold by a click on its head, where it is closed."""
        section = self.bench.sections[key]
        if not section.isExpanded():
            self.click(section.toggleButton(), QPoint(40, section.toggleButton().height() // 2))
            self.wait(seconds=0.3)

    def canvas(self) -> QWidget:
        """Where napari draws."""
        return self.viewer.window._qt_viewer.canvas.native

    def tab(self, bar: Any, index: int) -> None:
        """Click a tab."""
        self.click(bar, bar.tabRect(index).center())
        self.wait()


def run_step(hand: Hand, stage: Any) -> None:
    """Open a stage and run it with the mouse, as long as it takes."""
    hand.open(stage)
    panel = hand.bench.panels[stage]
    hand.click(panel.work.begin_button)
    hand.wait(lambda: not panel.work.runner.busy and all_idle())


def chain(hand: Hand) -> None:
    """From nothing to two peak maps and their pair."""
    hand.picture("welcome")
    hand.click(hand.bench.welcome.buttons["sample"])
    hand.wait(lambda: len(hand.viewer.layers) == 2)
    hand.picture("opened")
    for name in ("RS", "PL"):
        hand.open(FindFlake)
        hand.choose(hand.bench.panels[FindFlake].source, name)
        for stage in (FindFlake, Despike, Baseline, Deconvolve):
            run_step(hand, stage)
            hand.picture(f"{name}_{stage.__name__}")
    hand.open(PairPanel)
    hand.click(hand.bench.pairing.work.begin_button)
    hand.wait(lambda: not hand.bench.pairing.work.runner.busy, 1.0)
    hand.picture("paired")


def learn(hand: Hand) -> None:
    """Train, stopped and kept by the mouse, and explain; then another parameter and every tab."""
    training, explaining = hand.bench.training, hand.bench.explaining
    hand.open(TrainPanel)
    hand.wait(training.work.begin_button.isEnabled)
    hand.click(training.work.begin_button)
    hand.wait(training.enough_button.isEnabled)
    hand.wait(seconds=3.0)
    hand.reach(training.live)
    hand.picture("training")
    hand.click(training.enough_button)
    hand.wait(lambda: not training.work.runner.busy and all_idle(), 1.0)
    hand.reach(training.result)
    hand.picture("trained")
    hand.open(ExplainPanel)
    hand.wait(explaining.work.begin_button.isEnabled)
    hand.click(explaining.work.begin_button)
    hand.wait(lambda: not explaining.work.runner.busy and all_idle() and explaining.result.isVisible(), 1.0)
    hand.picture("explained")
    table = explaining.result.table
    hand.click(table.viewport(), table.visualItemRect(table.item(1, 0)).center())
    for index in range(explaining.result.tabs.count()):
        hand.tab(explaining.result.tabs, index)
        hand.reach(explaining.result.tabs)
        hand.picture(f"explained_{explaining.result.shown.replace(' ', '_')}")


def correlate(hand: Hand) -> None:
    """Brushing, condition, histogram, profiles."""
    panel = hand.bench.correlating
    hand.open(CorrelatePanel)
    hand.wait(lambda: "r = " in panel.words.text())
    hand.picture("correlate")
    hand.drag(panel.canvas, [(0.35, 0.3), (0.7, 0.3), (0.7, 0.7), (0.35, 0.7), (0.35, 0.3)])
    hand.picture("lasso")
    hand.click(panel.choices.condition)
    QTest.keyClicks(panel.choices.condition, "ok and A1' height > 300")
    QTest.keyClick(panel.choices.condition, Qt.Key_Return)
    hand.picture("condition")
    hand.tab(panel.tabs, 1)
    hand.picture("histogram")
    hand.tab(panel.tabs, 2)
    hand.click(panel.buttons["line"])
    hand.drag(hand.canvas(), [(0.25, 0.35), (0.4, 0.45), (0.75, 0.6)])
    hand.wait(seconds=1.5)
    hand.reach(panel.canvas)
    hand.picture("along_a_line")
    hand.tab(panel.tabs, 3)
    hand.wait(lambda: not panel.working.runner.busy, 1.0)
    hand.reach(panel.canvas)
    hand.picture("from_the_edge")


def rest(hand: Hand) -> None:
    """Peak maps, spectrum, session, keys, menus of saving."""
    hand.open(PeakChooser)
    hand.picture("peak_maps")
    QTest.mouseMove(hand.canvas(), QPoint(hand.canvas().width() // 2, hand.canvas().height() // 2))
    hand.picture("spectrum")
    for panel in (TrainPanel, ExplainPanel):  # of results that hold a network they show what it learnt
        hand.open(panel)
        hand.wait(seconds=1.5)
        hand.picture(panel.__name__)
    hand.open(SessionPanel)
    hand.picture("session")
    hand.press(Qt.Key_F1, Qt.ShiftModifier)
    lists = [each for each in hand.bench.findChildren(QWidget) if type(each).__name__ == "KeyList"]
    hand.picture("keys", lists[0])
    lists[0].close()
    menu = hand.spectrum.canvas.export_button.menu()
    menu.popup(hand.spectrum.canvas.mapToGlobal(QPoint(10, 10)))
    hand.picture("save_menu", menu)
    menu.close()


def main() -> None:
    """Walk."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--sizes", nargs="+", default=SIZES)
    parser.add_argument("--themes", nargs="+", default=THEMES)
    parser.add_argument("--results", type=Path, help="results.nc to open in place of the first walk's own")
    chosen = parser.parse_args()
    chosen.output.mkdir(parents=True, exist_ok=True)
    results = chosen.results
    for size in chosen.sizes:
        for theme in chosen.themes:
            hand = Hand(chosen.output, size, theme)
            if results is None:
                chain(hand)
                learn(hand)
                results = chosen.output / "results.nc"
                hand.bench.saving.save_results(results)
                hand.wait(lambda: not hand.bench.saving.runner.busy)  # noqa: B023 - called at once
            else:
                hand.picture("welcome")
                hand.bench.session.open(results)
                hand.wait(lambda: not hand.bench.session.files.runner.busy and not hand.bench.session.queue._waiting, 2.0)  # noqa: B023
                hand.picture("opened")
            correlate(hand)
            rest(hand)
            hand.viewer.close()


if __name__ == "__main__":
    main()

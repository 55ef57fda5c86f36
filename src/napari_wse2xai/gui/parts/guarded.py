"""Fields that the wheel passes over: turned to scroll a panel, it must not change a setting that happens to lie under the mouse.

A field that was clicked, or reached with the tab key, answers the wheel as usual.
"""

from collections.abc import Callable, Sequence
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QComboBox, QDoubleSpinBox, QSlider, QSpinBox, QTabBar
from superqt.utils import signals_blocked

WIDEST = 60
"""Letters of an entry: a box as wide as a long list of peaks would push its dock over the canvas."""
WHOLE = 2**31 - 1
"""Largest whole number that Qt's field holds."""


class _Guarded:
    """Goes before a Qt class: leaves the wheel to what lies behind until the field has the focus."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.setFocusPolicy(Qt.StrongFocus)  # type: ignore[attr-defined]  # Qt's own would give the focus to the wheel

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802 - Qt's name
        """Answer only with the focus."""
        if self.hasFocus():  # type: ignore[attr-defined]
            super().wheelEvent(event)  # type: ignore[misc]
        else:
            event.ignore()


class ComboBox(_Guarded, QComboBox):
    """One of several words, each with what it stands for."""

    def put(self, entries: Sequence[tuple[str, Any]], chosen: object = None, *, otherwise: int = 0) -> None:
        """List other words; nobody is told that another is chosen, since who lists them looks then anyway.

        Parameters
        ----------
        chosen : what is chosen, where it is there
        otherwise : place of what is chosen where it is not
        """
        with signals_blocked(self):
            self.clear()
            for words, thing in entries:
                self.addItem(words, thing)
            self.setCurrentIndex(next((place for place, (_, thing) in enumerate(entries) if thing == chosen), otherwise))

    def put_results(self, there: Sequence[Any], words: Callable[[Any], str]) -> bool:
        """List results by number, the newest chosen where one came, else the choice kept; False where they are listed already."""
        known = [self.itemData(place) for place in range(self.count())]
        if [id(one) for one in known] == [id(one) for one in there]:
            return False
        entries = [(f"{number}. {words(one)}"[:WIDEST], one) for number, one in enumerate(there, 1)]
        self.put(entries, self.currentData() if len(there) <= len(known) else None, otherwise=len(there) - 1)
        return True


class DoubleSpinBox(_Guarded, QDoubleSpinBox):
    """A number with a unit."""


class GuardedSlider(_Guarded, QSlider):
    """A place on a scale."""


class TabBar(_Guarded, QTabBar):
    """Names of pages."""


class WholeBox(_Guarded, QSpinBox):
    """A whole number: takes what is typed, whatever the limits, which only hold the arrows; who reads it says what is wrong.

    Qt's own limits swallow digits while one types: 120 over 39 becomes 3920.
    """

    def __init__(self, low: float | None, high: float | None) -> None:
        super().__init__()
        self._limits = -WHOLE if low is None else int(low), WHOLE if high is None else int(high)
        self.setRange(-WHOLE, WHOLE)

    def stepBy(self, steps: int) -> None:  # noqa: N802 - Qt's name
        """Go up or down, as far as the limits."""
        low, high = self._limits
        self.setValue(min(max(self.value() + steps * self.singleStep(), low), high))

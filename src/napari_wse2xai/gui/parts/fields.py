"""One input per kind of setting: each shows and gives one value."""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from magicgui.types import FileDialogMode
from magicgui.widgets import CheckBox, FileEdit, LineEdit
from qtpy.QtWidgets import QCheckBox, QGridLayout, QLineEdit, QWidget

from napari_wse2xai.gui.parts.guarded import ComboBox, WholeBox


class Input(Protocol):
    """A widget that shows one value; `get` raises ValueError where what is typed is no value."""

    @property
    def native(self) -> QWidget:
        """The widget itself."""

    def get(self) -> Any:
        """Value as shown."""

    def put(self, value: Any) -> None:
        """Show a value."""

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call whenever the user changes the value."""


class _Magic:
    """An input made of one magicgui widget."""

    def __init__(self, widget: Any) -> None:
        self.widget = widget
        self.native: QWidget = widget.native

    def get(self) -> Any:
        """Value as shown."""
        return self.widget.value

    def put(self, value: Any) -> None:
        """Show a value."""
        self.widget.value = value

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call whenever the user changes the value."""
        self.widget.changed.connect(lambda _: callback())


def flag() -> Input:
    """A tick."""
    return _Magic(CheckBox())


class _Chosen:
    """One of several words."""

    def __init__(self, words: tuple[str, ...]) -> None:
        self.native = self._box = ComboBox()
        self._box.addItems(list(words))

    def get(self) -> str:
        """Word as shown."""
        return str(self._box.currentText())

    def put(self, value: str) -> None:
        """Show a word."""
        self._box.setCurrentText(value)

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call whenever the user chooses or types."""
        self._box.currentTextChanged.connect(lambda _: callback())


def choice(words: tuple[str, ...]) -> Input:
    """One of several words."""
    return _Chosen(words)


class _Whole:
    """A whole number."""

    def __init__(self, low: float | None, high: float | None) -> None:
        self.native = self._box = WholeBox(low, high)

    def get(self) -> int:
        """Number as shown."""
        return int(self._box.value())

    def put(self, value: int) -> None:
        """Show a number."""
        self._box.setValue(value)

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call whenever the user types or steps."""
        self._box.valueChanged.connect(lambda _: callback())


def whole(low: float | None, high: float | None) -> Input:
    """A whole number; the limits hold its arrows."""
    return _Whole(low, high)


class _Typed(_Magic):
    """Text that is read and written by two functions: numbers keep all their digits, and empty may mean none."""

    def __init__(self, read: Callable[[str], Any], write: Callable[[Any], str]) -> None:
        super().__init__(LineEdit())
        self._read, self._write = read, write

    def get(self) -> Any:
        return self._read(self.widget.value.strip())

    def put(self, value: Any) -> None:
        self.widget.value = self._write(value)


class _Suggestions(_Chosen):
    """One of several words, or another that is typed."""

    def __init__(self, words: tuple[str, ...]) -> None:
        super().__init__(words)
        self._box.setEditable(True)

    def get(self) -> str:
        """Word as shown."""
        return super().get().strip()


def suggestions(words: tuple[str, ...]) -> Input:
    """One of several words, or another."""
    return _Suggestions(words)


class _Several:
    """Ticks, two in a row: which of some words hold; below them, where others may too, a line to type them in."""

    def __init__(self, words: tuple[str, ...], others: str) -> None:
        self.native = QWidget()
        grid = QGridLayout(self.native)
        grid.setContentsMargins(0, 0, 0, 0)
        self._ticks = {word: QCheckBox(word) for word in words}
        for index, tick in enumerate(self._ticks.values()):
            grid.addWidget(tick, index // 2, index % 2)
        self._others = QLineEdit()
        self._others.setPlaceholderText(others)
        self._others.setToolTip(others)
        if others:
            grid.addWidget(self._others, -(-len(words) // 2), 0, 1, 2)

    def get(self) -> tuple[str, ...]:
        """Ticked and typed words."""
        return (*(word for word, tick in self._ticks.items() if tick.isChecked()), *read_names(self._others.text()))

    def put(self, value: Iterable[str]) -> None:
        """Tick some words, and write the others."""
        for word, tick in self._ticks.items():
            tick.setChecked(word in value)
        self._others.setText(write_names(word for word in value if word not in self._ticks))

    def on_change(self, callback: Callable[[], None]) -> None:
        """Call whenever the user sets or removes a tick, or types."""
        for tick in self._ticks.values():
            tick.toggled.connect(lambda _: callback())
        self._others.textChanged.connect(lambda _: callback())


def several(words: tuple[str, ...], *, others: str = "") -> Input:
    """Any of several words; `others` tells what else may be typed, where anything may."""
    return _Several(words, others)


def names() -> Input:
    """Any number of names, with semicolons between."""
    return _Typed(read_names, write_names)


def read_names(text: str) -> tuple[str, ...]:
    """Names out of what was typed."""
    return tuple(part.strip() for part in text.split(";") if part.strip())


def write_names(names: Iterable[str]) -> str:
    """Names with semicolons between."""
    return "; ".join(names)


def text() -> Input:
    """Words."""
    return _Typed(str, str)


def number(*, optional: bool = False) -> Input:
    """A number, with a point or a comma."""
    return _Typed(_optional(read_number) if optional else read_number, write_number)


def window(*, optional: bool = False) -> Input:
    """A range, as ``183 – 300``."""
    return _Typed(_optional(read_window) if optional else read_window, write_window)


def size() -> Input:
    """Two whole numbers, as ``4 x 4``."""
    return _Typed(read_size, lambda v: f"{v[0]} x {v[1]}")


def windows() -> Input:
    """Several ranges, as ``150 – 330; 330 – 440``."""
    return _Typed(lambda t: tuple(read_window(part) for part in t.split(";") if part.strip()), lambda v: "; ".join(map(write_window, v)))


class _FromFile(_Magic):
    """Settings that are read from a file, such as a spectrum: shows the path, and keeps what was read until another is chosen."""

    def __init__(self, load: Callable[[str], Any]) -> None:
        super().__init__(FileEdit(mode=FileDialogMode.EXISTING_FILE, nullable=True))
        self._load = load
        self._held: Any = None
        self._path = self.widget.value

    def get(self) -> Any:
        path = self.widget.value
        if path != self._path:
            self._held = self._load(str(path)) if path is not None and path.name else None
            self._path = path
        return self._held

    def put(self, value: Any) -> None:
        self.widget.value = None if value is None or not value.file else value.file
        self._held, self._path = value, self.widget.value


def from_file(load: Callable[[str], Any]) -> Input:
    """The path of a file, and what was read from it."""
    return _FromFile(load)


def read_number(text: str) -> float:
    """Number as a person types it."""
    try:
        return float(text.replace(",", ".").replace("−", "-"))
    except ValueError:
        raise ValueError(f"'{text}' is no number") from None


def write_number(value: float | None) -> str:
    """Shortest text that gives the number back."""
    return "" if value is None else repr(float(value)).removesuffix(".0")


def read_window(text: str) -> tuple[float, float]:
    """Range as a person types it: two numbers with a dash, ``to`` or a blank between."""
    parts = text.replace("–", " ").replace("to", " ").replace("...", " ").split()
    if len(parts) == 1 and "-" in text[1:]:
        at = text.index("-", 1)
        parts = [text[:at], text[at + 1 :]]
    parts = [part for part in parts if part != "-"]
    if len(parts) != 2:
        raise ValueError(f"'{text}' is no range; type it as 183 – 300")
    return read_number(parts[0]), read_number(parts[1])


def read_size(text: str) -> tuple[int, int]:
    """Two whole numbers as a person types them, with an x, a sign of multiplication or a blank between."""
    parts = text.lower().replace("×", " ").replace("x", " ").split()
    if len(parts) != 2 or not all(part.isdecimal() for part in parts):
        raise ValueError(f"'{text}' is no size; type it as 4 x 4")
    return int(parts[0]), int(parts[1])


def write_window(value: tuple[float, float] | None) -> str:
    """Range as text."""
    return "" if value is None else f"{write_number(value[0])} – {write_number(value[1])}"


def _optional(read: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: read(text) if text else None

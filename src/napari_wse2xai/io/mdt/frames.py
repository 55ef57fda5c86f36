"""The row of frames of an NT-MDT file."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io.mdt.array import array_content
from napari_wse2xai.io.mdt.binary import Cursor
from napari_wse2xai.io.mdt.contents import About, Content, Other
from napari_wse2xai.io.mdt.curves import curves_content
from napari_wse2xai.io.mdt.scan import curve_content, measured_curve_content, scan_content

_MAGIC = b"\x01\xb0\x93\xff"
_FILE_HEAD = 33
_FRAME_HEAD = 22
_SCAN, _CURVE, _MEASURED_CURVE, _TEXT, _OLD_ARRAY, _ARRAY, _PALETTE, _CURVES, _CURVES_AT_POINTS = 0, 1, 2, 3, 105, 106, 107, 190, 201
_NAMES = {_OLD_ARRAY: "array of an old version", _PALETTE: "palette"}


@dataclass(frozen=True)
class MdtFrame:
    """Bytes of one frame after its head."""

    number: int
    kind: int
    date: str
    body: memoryview
    variables: int
    """Number of bytes at the start of the body that describe the rest, in scans and old curves."""
    folder: Path
    """Where further files of the measurement lie."""

    @property
    def about(self) -> About:
        """All that is known before the body is read."""
        return About(f"Frame {self.number}", self.date)


def contents_of(path: Path) -> list[Content]:
    """Tell what each frame holds, in the order of the file; the values are read by ``load`` only.

    A frame of a kind, or layout, that is not known becomes `Other`; it is never guessed.
    """
    contents = [_content(frame) for frame in _frames(path)]
    taken: dict[str, int] = {}
    return [_renamed(content, taken) for content in contents]


def _renamed(content: Content, taken: dict[str, int]) -> Content:
    """Make names different: the second ``scan`` becomes ``scan (2)``."""
    name = base = content.about.name
    while name in taken:
        taken[base] += 1
        name = f"{base} ({taken[base]})"
    taken[name] = 1
    return replace(content, about=replace(content.about, name=name))


def _frames(path: Path) -> Iterator[MdtFrame]:
    cursor = Cursor(memoryview(path.read_bytes()))
    if bytes(cursor.content[:4]) != _MAGIC:
        raise ReaderError(f"'{path.name}' is not an NT-MDT file, whatever its name says; choose another file.")
    _, _, _, last = Cursor(cursor.take(_FILE_HEAD)).unpack("4sI4sH")
    for number in range(1, last + 2):
        size, kind, _, year, month, day, hour, minute, second, variables = Cursor(cursor.content, cursor.position).unpack("IHH7H")
        if size < _FRAME_HEAD:
            raise ValueError(f"frame {number} says it has {size} bytes")
        body = cursor.take(size)[_FRAME_HEAD:]
        date = f"{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"
        yield MdtFrame(number, kind, date, body, variables, path.parent)


def _content(frame: MdtFrame) -> Content:
    readers: dict[int, Callable[[], Content]] = {
        _SCAN: lambda: scan_content(frame.body, frame.variables, frame.about),
        _CURVE: lambda: curve_content(frame.body, frame.variables, frame.about),
        _CURVES_AT_POINTS: lambda: curve_content(frame.body, frame.variables, frame.about),
        _MEASURED_CURVE: lambda: measured_curve_content(frame.body, frame.variables, frame.about),
        _TEXT: lambda: Other(frame.about, "text"),
        _ARRAY: lambda: array_content(frame.body, frame.about, frame.folder),
        _CURVES: lambda: curves_content(frame.body, frame.about),
    }
    if frame.kind in readers:
        return readers[frame.kind]()
    return Other(frame.about, f"{_NAMES.get(frame.kind, 'frame of unknown type')} ({frame.kind}), cannot be read", is_known=False)

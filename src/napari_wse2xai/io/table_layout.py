"""Whether a table has its spectra in columns or in lines, and what to say of one that has neither."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.errors import ReaderError, counted
from napari_wse2xai.io import table_text
from napari_wse2xai.io.table_look import FEWEST_CHANNELS, Look, look
from napari_wse2xai.io.table_words import coordinate_of, name_and_unit

MOST_COORDINATES = 3
"""Columns of coordinates before a spectrum."""
WITEC_AXIS = "X-Axis"
"""How WITec titles the column of the axis."""
_STEADY = 0.8
"""Part of the steps that go one way along an axis with a seam, where two gratings meet."""


def steps_of(values: NDArray[np.float64]) -> tuple[bool, bool]:
    """Whether numbers rise or fall without exception, and whether they do but for some."""
    steps = np.diff(values[np.isfinite(values)])
    if not len(steps):
        return False, False
    share = max(float((steps > 0).mean()), float((steps < 0).mean()))
    return share == 1.0, share >= _STEADY


def counts_up(values: NDArray[np.float64]) -> bool:
    """Whether numbers only count, from 0 or 1, perhaps over and over again."""
    is_next = np.diff(values) == 1
    return bool(is_next.any()) and values[0] in (0, 1) and bool((is_next | (values[1:] == values[0])).all())


def is_in_columns(seen: Look) -> bool:
    """Whether the first column is the spectral axis and the others are spectra."""
    titles = seen.titles(0)
    if seen.n_columns < 2 or is_rows_of_labspec(seen):
        return False
    if seen.names_axis(0) or any(title.startswith(WITEC_AXIS) for title in titles):
        return True
    if any(_is_no_axis(title, seen.n_columns) for title in titles):
        return False
    down, across = seen.down(), seen.across
    (rises, almost), (rises_across, _) = steps_of(down), steps_of(across)
    if seen.n_columns < FEWEST_CHANNELS:
        return almost and len(down) > 1 and (rises or not seen.metadata)
    return (rises and (not rises_across or len(down) > seen.n_columns)) or (almost and not rises_across)


def _is_no_axis(title: str, n_columns: int) -> bool:
    """Whether a title names a place or a time; above two columns ``X`` alone is what any axis is called."""
    found = coordinate_of(title)
    return found is not None and (n_columns > 2 or found.direction.name != "x" or bool(name_and_unit(title)[1]))


def is_rows_of_labspec(seen: Look) -> bool:
    """Whether the first line has empty cells, zeros or nothing, where the lines after it have coordinates."""
    after = seen.starts[1] if len(seen.starts) > 1 else ("0",)
    if not seen.first[0]:
        return bool(after) and bool(after[0])
    if len(seen.first) < FEWEST_CHANNELS:
        return False
    is_shorter = 0 < seen.n_second - seen.n_columns <= MOST_COORDINATES and steps_of(seen.across)[0]
    return is_shorter or n_zeros_over(seen.across) > 0


def n_zeros_over(first: NDArray[np.float64]) -> int:
    """Number of zeros, or of cells without a number, that a first line has over the coordinates, and that cannot belong to its axis."""
    if np.isfinite(first).all() and steps_of(first)[0]:
        return 0
    for n_zeros in range(min(MOST_COORDINATES, len(first) - 2), 0, -1):
        if not np.nan_to_num(first[:n_zeros]).any() and steps_of(first[n_zeros:])[0]:
            return n_zeros
    return 0


def is_in_lines(path: Path) -> bool:
    """Whether the first line is the spectral axis, as LabSpec writes it: after empty cells, after its header, or alone above spectra."""
    seen = look(path)
    if seen is None:
        return _begins_with_setting(path)
    if is_in_columns(seen):
        return False
    if seen.head:
        return is_rows_of_labspec(seen)
    rises, _ = steps_of(seen.across)
    return is_rows_of_labspec(seen) or bool(seen.metadata) or (rises and seen.n_columns >= FEWEST_CHANNELS)


def _begins_with_setting(path: Path) -> bool:
    with table_text.open_table(path) as stream:
        start = stream.read(1 << 12).lstrip()
    return start.startswith(b"#") and b"=" in start


def no_map(path: Path) -> ReaderError:
    """Sentence that says what a table looks like, and what to do."""
    seen = look(path)
    if seen is None:
        return ReaderError(
            f"'{path.name}' has no spectral axis: no line of numbers stands near its beginning; export a table, or choose another file."
        )
    return ReaderError(f"'{path.name}' {_looks_like(seen)}.")


def _looks_like(seen: Look) -> str:
    if seen.n_columns == 1:
        return "is one column of numbers without a spectral axis; export it with the axis in a column before it"
    named = [title for column in range(min(seen.n_columns, 8)) for title in seen.titles(column)[:1]]
    if _is_long(seen):
        return (
            "looks like a long table (position, spectral axis, intensity: one line per channel) without titles; "
            "put a first line above it that names its columns, such as '#X #Y #Wave #Intensity'"
        )
    if named:
        return f"has the columns {', '.join(map(repr, named))}, of which none is a spectral axis; export the spectra with their axis"
    if seen.n_columns < FEWEST_CHANNELS:
        return (
            f"is a table of {counted(seen.n_columns, 'column')} of which the first neither rises nor falls, so none is a spectral axis; "
            "export the spectra with their axis in the first column"
        )
    return (
        "has no spectral axis: neither its first line nor its first column rises or falls steadily; "
        "export the map with its axis, one grating position only"
    )


def _is_long(seen: Look) -> bool:
    """Whether a column turns back again and again while those before it stand still: the axis of spectrum after spectrum."""
    if not 3 <= seen.n_columns <= 6:
        return False
    columns = [seen.down(column) for column in range(seen.n_columns)]
    stands = [len(values) > 1 and float((np.diff(values) == 0).mean()) >= _STEADY for values in columns]
    sweeps = [steps_of(values)[1] and not stand for values, stand in zip(columns, stands, strict=True)]
    return stands[0] and any(sweeps[1:-1])

"""What is seen in a window, as files: pictures of plots, and columns of numbers."""

import csv
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.errors import UserError
from napari_wse2xai.io.atomic import new_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PICTURES = {".svg": "SVG", ".pdf": "PDF", ".png": "PNG, 300 dpi"}
DPI = 300
ASCII = str.maketrans({"⁻": "-", "¹": "1", "²": "2", "³": "3", "µ": "u", "μ": "u", "−": "-"})
"""Units in letters that every program reads."""
Column = tuple[str, NDArray[Any]]


def write_picture(figure: "Figure", path: str | Path) -> None:
    """Write a figure as SVG, PDF or PNG, as the path ends; PNG with 300 dots per inch."""
    import matplotlib as mpl

    ending = Path(path).suffix.lower()
    if ending not in PICTURES:
        raise UserError(f"'{Path(path).name}' ends as no picture that can be written; let it end with {', '.join(PICTURES)}.")
    with new_file(path) as temporary, mpl.rc_context({"svg.fonttype": "none", "pdf.fonttype": 42}):  # letters stay letters
        figure.savefig(temporary, format=ending.lstrip("."), dpi=DPI)


def write_columns(columns: Sequence[Column], path: str | Path) -> None:
    """Write columns as CSV with one line of headings, as ``pandas.read_csv(path)`` reads it; shorter ones end early."""
    if not columns:
        raise UserError("There are no numbers in this plot to write; save a picture of it.")
    with new_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        put_columns(columns, file)


def put_columns(columns: Sequence[Column], file: TextIO, *, separator: str = ",") -> None:
    """Write columns into an open file."""
    writer = csv.writer(file, delimiter=separator, lineterminator="\n")
    writer.writerow(name.translate(ASCII) for name, _ in columns)
    writer.writerows(zip_longest(*(_texts(values) for _, values in columns), fillvalue=""))


def _texts(values: NDArray[Any]) -> list[str]:
    """Numbers in as many digits as matter; nothing where there is none."""
    if values.dtype.kind not in "fc":
        return [str(value) for value in values.tolist()]
    return ["" if np.isnan(value) else f"{value:.9g}" for value in values.tolist()]

"""Tables over flakes, as pandas and spreadsheets read them without being told how."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from napari_wse2xai import io
from napari_wse2xai.batch._jobs import FlakeRow

SUMMARY = "summary.csv"


def write_summary(rows: Sequence[FlakeRow], folder: Path) -> None:
    """Write ``summary.csv``: one line for each flake."""
    write_rows([asdict(row) for row in rows], folder / SUMMARY)


def write_rows(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write a table in UTF-8 with commas and points; cells are empty where there is no value."""
    with io.new_file(path) as place, place.open("w", encoding="utf-8", newline="") as stream:
        table = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows({key: _cell(value) for key, value in row.items()} for row in rows)


def _cell(value: object) -> Any:
    """Numbers to the seven digits of single precision; nothing for none."""
    if value is None or (isinstance(value, float) and value != value):
        return ""
    return f"{value:.7g}" if isinstance(value, float) else value

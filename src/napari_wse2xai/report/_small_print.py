"""The foot of the finding card's PDF: scores, the simulation, remarks and settings, in two columns of small print."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import SubFigure

from napari_wse2xai.plots.judged import STAMP_COLOR

LEFT, MIDDLE, RIGHT = 0.06, 0.52, 0.97
"""Where the columns begin, and the last ends, as fractions of the page's width."""
WIDE = 83
"""Letters on a line of a column."""
SIZE, STEP = 6, 0.054
"""Points of a letter, and from line to line as a fraction of the foot's height."""
MOST = 18
"""Lines of a column."""
MARKS = {"yes": "#2a7d4f", "local": "#b8720a"}
"""Colours of whether the planted law was found."""
THEORY = "What first principles say of it"
STOPS = (0.0, 0.1, 0.245, 0.31, 0.37)
"""Where the columns of the simulation's table begin, from the left of their column of print."""


@dataclass(frozen=True)
class _TextLine:
    """One line: texts, each at its distance from the left of the column."""

    cells: tuple[tuple[float, str], ...]
    weight: str = "normal"
    color: str = "#1d2733"


def draw_foot(area: SubFigure, words: dict[str, Any]) -> None:
    """Write the small print of a card; `words` are those of the whole card."""
    left = [*_scores(words["scores"]), *_simulation(words["recovery"])]
    cause = f"What the {words['model']} uses to predict PL {words['target']}: an association, not a cause."
    theory = [*_titled(THEORY, words["theory"])]
    right = [*_titled("Remarks", [*words["remarks"][:4], cause])]
    (left if len(left) <= MOST - len(theory) else right).extend(theory)
    right += _titled("Settings", [f"{s}: {values}" for s, values in words["settings"][-3:]])
    for start, lines in ((LEFT, left), (MIDDLE, right)):
        for number, line in enumerate(lines[:MOST]):
            for shift, text in line.cells:
                place = (start + shift, 0.98 - number * STEP)
                area.text(*place, text, fontsize=SIZE, va="top", fontweight=line.weight, color=line.color)
    if words["stamp"]:
        area.text(RIGHT, 0.02, words["stamp"], fontsize=9, color=STAMP_COLOR, fontweight="bold", ha="right", va="bottom")


def _scores(rows: Sequence[dict[str, str]]) -> Iterator[_TextLine]:
    if rows:
        yield _head("How well pixels are predicted that the model did not see")
    for row in rows:
        yield _plain(f"{row['model']}, {row['validation'].partition(' (')[0]}: R² {row['r2']}, {row['percent']}")


def _simulation(found: dict[str, Any] | None) -> Iterator[_TextLine]:
    """Whether a planted law was found again, with a row for each planted parameter."""
    if found is None:
        return
    yield _head(f"Simulation of this flake with a known law: {found['level']}", MARKS[found["class"]])
    yield from _wrapped(found["head"])
    yield _row(("planted", "what it does", "rank", "curve R²", "map corr."), color="#5b6876")
    for row in found["rows"]:
        yield _row((row["parameter"], row["role"], row["rank"], row["curve"], row["map"]))
    yield from _wrapped(f"Predictions against the law: R² {found['model_r2']}. {' '.join(found['notes'])}")


def _titled(title: str, texts: Sequence[str]) -> Iterator[_TextLine]:
    if texts:
        yield _head(title)
    for text in texts:
        yield from _wrapped(text)


def _wrapped(text: str) -> Iterator[_TextLine]:
    return (_plain(line) for line in textwrap.wrap(text, WIDE, subsequent_indent="   "))


def _plain(text: str) -> _TextLine:
    return _TextLine(((0.0, text),))


def _head(text: str, color: str = "#1f4e79") -> _TextLine:
    return _TextLine(((0.0, text),), "bold", color)


def _row(texts: Sequence[str], color: str = "#1d2733") -> _TextLine:
    return _TextLine(tuple(zip(STOPS, texts, strict=True)), color=color)

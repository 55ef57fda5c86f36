"""The finding card: one page that says what was found, how sure that is, and how it was made; HTML and PDF."""

import base64
import io
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.textpath import text_to_path

from napari_wse2xai._version import __version__
from napari_wse2xai.data import NETWORK, Explanation, TrainedModel
from napari_wse2xai.errors import SettingsError
from napari_wse2xai.plots import explaining, training
from napari_wse2xai.plots.judged import BADGE_COLORS, STAMP
from napari_wse2xai.plots.plain_text import PlainFigure
from napari_wse2xai.report import _learnt
from napari_wse2xai.report._learnt_figures import jobs_of_card
from napari_wse2xai.report._numbers import setting_text
from napari_wse2xai.report._page import filled
from napari_wse2xai.report._small_print import LEFT, RIGHT, draw_foot

A4 = (8.27, 11.69)
"""Inches."""
HEIGHTS = (2.1, 2.3, 3.2, 2.1, 2.0)
"""Of verdict, ranking, curves, maps and small print, inches."""
HEAD_POINTS = (7.0, 6.5, 6.0, 5.5, 5.0)
"""Sizes of the letters of the head: the first at which all fits is taken."""
HEAD_TOP, LINE = 0.58, 1.35
"""Where its sentences begin, as a share of its height from below; distance of two lines, in letters' heights."""
TITLE, LONGEST_TITLE = 44, 88
"""Letters of a title at full size, and of the longest that is not cut."""
SMALL = 6.5
"""Points of the letters in a plot."""
SHOWN = 5
"""Features in the table of the PDF."""


@dataclass(frozen=True)
class Card:
    """A finding card, as two files."""

    html: str
    pdf: bytes


def card(
    model: TrainedModel,
    explanation: Explanation,
    *,
    title: str,
    images: Mapping[str, bytes],
    theory: Sequence[str] = (),
) -> Card:
    """Write the finding card of one target.

    Parameters
    ----------
    model : what was explained
    explanation : of one of its targets, with the scores of a simulation of this flake where there was one
    title : name of the flake or of the run
    images : what `draw_figures` drew already, so that it need not be drawn again
    theory : what first principles say of the explanation, a sentence each
    """
    words = _words(model, explanation, title, theory)
    return Card(_html(model, explanation, words, images), _pdf(model, explanation, words))


def card_as(suffix: str, model: TrainedModel, explanation: Explanation, *, title: str, theory: Sequence[str] = ()) -> bytes:
    """Write the finding card of one target as a file of one kind, ``.html`` or ``.pdf``; see `card`."""
    words = _words(model, explanation, title, theory)
    if suffix.lower() == ".pdf":
        return _pdf(model, explanation, words)
    if suffix.lower() in (".html", ".htm"):
        return _html(model, explanation, words, {}).encode()
    raise SettingsError("A finding card is a PDF or an HTML page; let its name end in .pdf or .html.")


def _words(model: TrainedModel, explanation: Explanation, title: str, theory: Sequence[str]) -> dict[str, Any]:
    """What the card says, for both forms."""
    samples = model.samples
    return {
        "title": title,
        "version": __version__,
        "badge": _learnt.badge(explanation.verdict),
        "stamp": explanation.stamp,
        "model": explanation.model_words,
        "target": explanation.target,
        "unit": explanation.target_unit,
        "reasons": explanation.verdict.reasons,
        "about": f"{len(samples)} pixels of {', '.join(samples.names)}; {len(samples.lines)} RS lines; PL peak {samples.pl_peak}.",
        "ranking": _learnt.ranking(explanation, most=SHOWN),
        "scores": [row for row in _learnt.scores(model, explanation.target) if row["model"] in _told(model, explanation.target)],
        "remarks": [explanation.map_sentence, *_maps_shown(explanation), *_learnt.remarks(explanation)],
        "recovery": _learnt.recovery(explanation),
        "theory": list(theory),
        "settings": _settings(model, explanation),
    }


def _maps_shown(explanation: Explanation) -> list[str]:
    """Whose maps stand on the card, where several flakes were learnt together."""
    names = explanation.samples.names
    return [f"The maps show {names[0]}, the first of {len(names)} flakes."] if len(names) > 1 else []


def _told(model: TrainedModel, target: str) -> set[str]:
    """Network, and the best of the reference models between neighbours."""
    scores = model.held_out_r2(target)
    references = sorted((name for name in scores if name != NETWORK), key=lambda name: -scores[name])
    return {NETWORK, *references[:1]}


def _settings(model: TrainedModel, explanation: Explanation) -> list[tuple[str, str]]:
    """Settings of training and explaining, seeds included, one line a step."""
    simulated = explanation.recovery.history if explanation.recovery is not None else ()
    records = {record.step: record for record in (*model.history, *explanation.history, *simulated)}
    return [
        (f"{record.step} ({record.version})", "; ".join(f"{key}: {setting_text(value)}" for key, value in record.settings.items()))
        for record in records.values()
    ]


def _html(model: TrainedModel, explanation: Explanation, words: dict[str, Any], images: Mapping[str, bytes]) -> str:
    pictures = []
    for name, (caption, draw) in jobs_of_card(model, explanation).items():
        content = images.get(f"{name}.png") or _png(draw())
        pictures.append((caption, base64.b64encode(content).decode()))
    return filled("card.html.j2", pictures=pictures, **words)


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.draw_without_rendering()  # the layout settles at the second drawing only
    # No name and version of matplotlib: the same card is the same file.
    figure.savefig(stream, format="png", dpi=110, metadata={"Software": None})
    return stream.getvalue()


def _pdf(model: TrainedModel, explanation: Explanation, words: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    sheet(model, explanation, words).savefig(stream, format="pdf", metadata={"CreationDate": None, "Title": words["title"]})
    return stream.getvalue()


def sheet(model: TrainedModel, explanation: Explanation, words: dict[str, Any]) -> Figure:
    """Draw the whole card on one page."""
    figure = PlainFigure(figsize=A4)
    areas: Any = figure.subfigures(5, 1, height_ratios=HEIGHTS)
    head, ranking, panel, maps, foot = areas
    _draw_head(head, explanation, words)
    bars, scatter = ranking.subplots(1, 2, gridspec_kw={"width_ratios": [1.5, 1]})
    explaining.draw_ranking(bars, explanation, most=6)
    training.draw_scatter(scatter, model, explanation.target)
    ranking.subplots_adjust(left=0.2, right=0.95, bottom=0.22, top=0.88, wspace=0.28)
    explaining.draw_pdp_panel(panel, explanation)
    panel.subplots_adjust(left=0.1, right=0.97, bottom=0.14, top=0.93, hspace=0.3, wspace=0.12)
    explaining.draw_side_by_side(maps.subplots(1, 3), explanation, explanation.ranking[0])
    maps.subplots_adjust(left=0.08, right=0.92, bottom=0.22, top=0.86, wspace=0.6)
    draw_foot(foot, words)
    for area in (ranking, panel, maps):
        _shrink(area)
    scatter.legend(loc="lower right", fontsize=5, frameon=False, handlelength=0.8, handletextpad=0.4, borderpad=0.1, borderaxespad=0.3)
    return figure


def _draw_head(area: SubFigure, explanation: Explanation, words: dict[str, Any]) -> None:
    color = BADGE_COLORS[explanation.verdict.level]
    box = {"boxstyle": "round,pad=0.35", "facecolor": color, "edgecolor": "none"}
    title = textwrap.shorten(words["title"], LONGEST_TITLE, placeholder="…")
    area.text(LEFT, 0.87, title, fontsize=14 * min(1.0, TITLE / len(title)), fontweight="bold", va="center")
    area.text(LEFT, 0.7, f"PL {words['target']}: {words['badge']['level']}", fontsize=11, color="white", bbox=box, va="center")
    area.text(RIGHT, 0.87, f"napari-wse2xai {words['version']}", fontsize=7, color="#5b6876", ha="right", va="center")
    texts = [words["badge"]["meaning"], words["about"], *words["reasons"]]
    lines, points = _fitted(texts, A4[0] * (RIGHT - LEFT) * 72, HEAD_TOP * HEIGHTS[0] * 72)
    area.text(LEFT, HEAD_TOP, "\n".join(lines), fontsize=points, va="top", linespacing=LINE)


def _fitted(texts: Sequence[str], width: float, height: float) -> tuple[list[str], float]:
    """Lines of texts in the largest letters in which all of them fit a width and a height, in points, and the size of these letters.

    Where they do not fit in the smallest either, texts that do as a whole.
    """
    for points in HEAD_POINTS:
        wrapped, room = [_wrapped(text, width, points) for text in texts], int(height / (LINE * points))
        if sum(map(len, wrapped)) <= room:
            break
    while sum(map(len, wrapped)) > room:
        wrapped.pop()
    return [line for lines in wrapped for line in lines], points


def _wrapped(text: str, width: float, points: float) -> list[str]:
    """Lines of a text that are as wide as they may be, in points; all but the first are set in."""
    lines: list[str] = []
    room = 0.0
    for word in text.split():
        wide = points * _width(f" {word}")
        room -= wide
        if lines and room >= 0:
            lines[-1] += f" {word}"
        else:
            lines.append(f"   {word}" if lines else word)
            room = width - wide - 2 * points * _width(" ")
    return lines


@lru_cache(maxsize=4096)
def _width(text: str) -> float:
    """Width of a text, in heights of its letters."""
    return float(text_to_path.get_text_width_height_descent(text, FontProperties(size=100), ismath=False)[0]) / 100


def _shrink(area: SubFigure) -> None:
    """Letters of a size that fits one page: the plots are drawn for a screen."""
    drawn: Any = area
    for axes in drawn.findobj(Axes):
        axes.tick_params(labelsize=SMALL)
    for text in drawn.findobj(Text):
        if text.get_gid() != STAMP:
            text.set_fontsize(min(text.get_fontsize(), SMALL))

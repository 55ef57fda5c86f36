"""What a run leaves in a folder: results, tables, figures, card and report, all of them or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from napari_wse2xai import io, report
from napari_wse2xai.batch._folders import OF_EARLIER, REPORT, RESULTS
from napari_wse2xai.data import Results
from napari_wse2xai.progress import Progress, part

DRAWN = 0.95
"""Where the figures of a report are done, as a fraction of it."""


@dataclass(frozen=True)
class Story:
    """What the report tells beside the results."""

    title: str
    comparisons: "Mapping[str, report.Comparison]" = field(default_factory=dict)
    figures: bool = True
    """Whether they are drawn."""
    job: str = ""
    """What the results file says of the job that made it."""


def deliver(results: Results, folder: Path, story: Story, progress: Progress) -> None:
    """Draw first and write then, so that whatever stops the drawing leaves nothing behind."""
    images = report.draw_figures(results, part(progress, 0.0, DRAWN, "report")) if story.figures else {}
    card = _card(results, story.title, images) if story.figures else None
    text = report.page(results, images, title=story.title, comparisons=story.comparisons)
    progress(DRAWN, "report: writing")
    with io.delivered(folder, first=RESULTS, last=REPORT, replaced=OF_EARLIER) as staged:
        io.write_results(results, staged / RESULTS, job=story.job)
        write_images(images, staged)
        _write_tables(results, staged)
        if card is not None:
            _write_card(card, staged)
        with io.new_file(staged / REPORT) as place:
            place.write_text(text, encoding="utf-8")
    progress(1.0, "report: done")


def write_images(images: "report.Images", folder: Path) -> None:
    """Write pictures to ``figures/``."""
    for name, content in images.items():
        with io.new_file(folder / "figures" / name) as place:
            place.write_bytes(content)


def _card(results: Results, title: str, images: "report.Images") -> "report.Card | None":
    """Finding card, where there is something to find."""
    if results.model is None or results.explanation is None:
        return None
    evidence = results.theory.evidence if results.theory is not None else ()
    return report.card(results.model, results.explanation, title=title, images=images, theory=evidence)


def _write_card(card: "report.Card", folder: Path) -> None:
    with io.new_file(folder / "card.html") as place:
        place.write_text(card.html, encoding="utf-8")
    with io.new_file(folder / "card.pdf") as place:
        place.write_bytes(card.pdf)


def _write_tables(results: Results, folder: Path) -> None:
    if results.paired is not None:
        io.write_table(results.paired, folder / "paired.csv")
    if results.model is not None:
        io.write_scores_csv({(): results.model}, folder / "scores.csv")
    if results.explanation is not None:
        io.write_ranking_csv(results.explanation, folder / "ranking.csv")
        io.write_pdp_csv(results.explanation, folder / "pdp.csv")
        io.write_slopes_csv(results.explanation, folder / "slopes.csv")

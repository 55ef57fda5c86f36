"""Report of several networks side by side: architectures and conditions, as the paper's Figure S2."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from napari_wse2xai._version import __version__
from napari_wse2xai.data import TrainedModel
from napari_wse2xai.plots import training
from napari_wse2xai.plots.plain_text import PlainFigure
from napari_wse2xai.report import _learnt
from napari_wse2xai.report._figures import Images, saved
from napari_wse2xai.report._page import filled, pictures_of

Models = Mapping[tuple[str, str], TrainedModel]
"""By architecture and condition."""


def series_figures(models: Models) -> Images:
    """Scatter plots of all networks, one figure per target."""
    images: Images = {}
    rows, columns = (len({key[axis] for key in models}) for axis in (0, 1))
    for target in _targets(models):
        figure = PlainFigure(figsize=(4.4 * columns, 4.5 * rows), layout="constrained")
        training.draw_scatter_grid(figure, models, target)
        images |= saved(figure, f"scatter_{target}")
    return images


@dataclass(frozen=True)
class Places:
    """Where the results lie that the page names, from the page's own folder."""

    networks: Mapping[tuple[str, str], str]
    """By architecture and condition."""
    flakes: Mapping[str, str]
    """By name."""


def series_page(models: Models, images: Images, places: Places, *, title: str, warnings: tuple[str, ...] = ()) -> str:
    """Write the report of a series.

    Parameters
    ----------
    models : by architecture and condition
    images : what `series_figures` made of them
    places : folders to link to
    title : heading of the page
    warnings : what the user was told while it ran
    """
    captions = [(f"scatter_{target}", f"Predicted against measured PL {target}, random 7:3 split.") for target in _targets(models)]
    return filled(
        "series.html.j2",
        title=title,
        version=__version__,
        rows=list(_rows(models, places.networks)),
        flakes=dict(places.flakes),
        pictures=pictures_of(images, captions),
        drawn=bool(images),
        warnings=warnings,
    )


def _rows(models: Models, folders: Mapping[tuple[str, str], str]) -> Iterator[dict[str, Any]]:
    """One row per network and target: its numbers between neighbours and on spatial blocks."""
    for (architecture, condition), model in models.items():
        for verdict in model.verdicts:
            row: dict[str, Any] = {"architecture": architecture, "condition": condition, "folder": folders[architecture, condition]}
            row |= _learnt.badge(verdict) | {"pixels": len(model.samples), "flakes": len(model.samples.frames)}
            for part in ("training", "validation"):
                score = model.score(verdict.target, part=part)
                row[part] = None if score is None else {"r2": f"{score.r2:.3f}", "mape": f"{score.mape:.1f}"}
            blocks = model.score(verdict.target, validation="blocks")
            row["blocks"] = "–" if blocks is None else f"{blocks.r2:.3f}"
            yield row


def _targets(models: Models) -> list[str]:
    return list(dict.fromkeys(target for model in models.values() for target in model.samples.target_names))

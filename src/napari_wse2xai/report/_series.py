"""Report of several networks side by side: architectures and conditions, as the paper's Figure S2."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_wse2xai._version import __version__
from napari_wse2xai.data import Explanation, TrainedModel
from napari_wse2xai.data.quantities import feature_words, pretty, with_error
from napari_wse2xai.report import _learnt
from napari_wse2xai.report._over_flakes import RankedOverFlakes, over_flakes_captions
from napari_wse2xai.report._page import Images, filled, pictures_of
from napari_wse2xai.report._pooled import pooled_captions

Models = Mapping[tuple[str, str], TrainedModel]
"""By architecture and condition."""
RANKED = 5
"""Parameters that are named of a ranking."""


def series_figures(models: Models) -> Images:
    """Scatter plots of all networks, one figure per target."""
    from napari_wse2xai.plots import training
    from napari_wse2xai.plots.plain_text import PlainFigure
    from napari_wse2xai.report._figures import saved

    images: Images = {}
    rows, columns = (len({key[axis] for key in models}) for axis in (0, 1))
    for target in _targets(models):
        figure = PlainFigure(figsize=(4.4 * columns, 4.5 * rows), layout="constrained")
        training.draw_scatter_grid(figure, models, target)
        images |= saved(figure, f"scatter_{target}")
    return images


@dataclass(frozen=True)
class Overview:
    """What there is beside the networks."""

    flakes: Sequence[Mapping[str, Any]]
    """A row of the summary for each flake; ``folder`` counts from the page's own folder."""
    networks: Mapping[tuple[str, str], str]
    """Folder of each network, by architecture and condition."""
    explanations: Mapping[tuple[str, str], Explanation]
    trends: Sequence[Mapping[str, Any]] = ()
    """How each quantity follows what the series runs over."""
    over: str = ""
    """What that is, with its unit."""
    ranked: Sequence[RankedOverFlakes] = ()
    """Flakes that were explained one by one, put together."""


def series_page(models: Models, images: Images, overview: Overview, *, title: str, warnings: tuple[str, ...] = ()) -> str:
    """Write the report of a series.

    Parameters
    ----------
    models : by architecture and condition
    images : what `series_figures` made of them
    overview : flakes, and what else there is
    title : heading of the page
    warnings : what the user was told while it ran
    """
    captions = over_flakes_captions(overview.ranked)
    captions += [(f"scatter_{target}", f"Predicted against measured PL {target}, random 7:3 split.") for target in _targets(models)]
    return filled(
        "series.html.j2",
        title=title,
        version=__version__,
        rows=list(_rows(models, overview.networks)),
        rankings=[(f"{condition}, {architecture}", _first_of(each)) for (architecture, condition), each in overview.explanations.items()],
        ranked=overview.ranked,
        flakes=[_flake_row(row) for row in overview.flakes],
        conditions=len({row["condition"] for row in overview.flakes}) > 1,
        paired=any(row["misalignment_um"] is not None for row in overview.flakes),
        trends=[_trend_row(row) for row in overview.trends if np.isfinite(row["slope"])],
        over=overview.over,
        pictures=pictures_of(images, [*captions, *pooled_captions(images)]),
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
                row[part] = None if score is None else {"r2": f"{score.r2:.3f}", "mape": _learnt.percent(score.mape)}
            blocks = model.score(verdict.target, validation="blocks")
            row["blocks"] = "–" if blocks is None else f"{blocks.r2:.3f}"
            yield row


def _first_of(explanation: Explanation) -> str:
    """Parameters that the network relies on most, in their order."""
    return ", ".join(feature_words(explanation.features[index]) for index in explanation.ranking[:RANKED])


def _flake_row(row: Mapping[str, Any]) -> dict[str, Any]:
    shares = [f"{modality} {row[key]:.0%}" for modality, key in (("RS", "raman_ok"), ("PL", "pl_ok")) if row[key] is not None]
    known = row["misalignment_um"] is not None
    misalignment = with_error(row["misalignment_um"], row["misalignment_error_um"]) if known else ""
    return {**row, "shares": ", ".join(shares), "misalignment": misalignment, "seconds": f"{row['seconds'] or 0:.1f}"}


def _trend_row(row: Mapping[str, Any]) -> dict[str, Any]:
    exponent = with_error(row["exponent"], row["exponent_error"]) if np.isfinite(row["exponent"]) else ""
    named = f"{row['modality']} {row['peak']} {row['parameter']}"
    return {
        **row,
        "quantity": named,
        "unit": pretty(row["unit"]),
        "slope": with_error(row["slope"], row["slope_error"]),
        "exponent": exponent,
    }


def _targets(models: Models) -> list[str]:
    return list(dict.fromkeys(target for model in models.values() for target in model.samples.target_names))

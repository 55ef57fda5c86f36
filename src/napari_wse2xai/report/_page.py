"""The report as one HTML page."""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath
from typing import Any

import numpy as np

from napari_wse2xai._version import __version__
from napari_wse2xai.data import PARAMETERS, Frame, History, PairedMaps, PeakMaps, Results, SpectralMap, Status, peaks_there
from napari_wse2xai.data.acquisition import told_by
from napari_wse2xai.report import _learnt, _theory
from napari_wse2xai.report._methods import methods
from napari_wse2xai.report._numbers import median, setting_text, to_digits_of, with_spread
from napari_wse2xai.report._truth import Comparison
from napari_wse2xai.stages import STAGES, TABLE, Decompose, Review

Images = dict[str, bytes]
"""File name (``raman_height.png``) to content."""

WORDS = {"raman": "Raman scattering", "pl": "Photoluminescence"}
CAPTIONS = {
    "flake": "Mean signal above the baseline with the flake's outline, channels repaired after cosmic rays, and what became of each fit.",
    "spectra": "Measurement and fit: the brightest pixel with its residual, and the mean of all fitted pixels with the mean of their fits.",
    "height": "Height of each peak.",
    "position": "Position of each peak.",
    "fwhm": "Full width at half maximum of each peak.",
    "components": "What the spectra are made of before any fit: components, or groups of like spectra, and where they lie.",
    "computed": "Maps worked out of the peaks' parameters.",
    "overlay": "RS (magenta) and PL (green) on the RS grid: white where both shine; in turns as a checkerboard; and the PL as it now lies "
    "there. Dashed: border of the PL scan.",
}


@dataclass(frozen=True)
class PageFigure:
    """A figure in the page: the PNG within it, the SVG beside it."""

    data: str
    svg: str
    caption: str


def page(results: Results, images: Images, *, title: str, comparisons: Mapping[str, Comparison] | None = None) -> str:
    """Write the report of a run.

    Parameters
    ----------
    results : what the run made, and what it warned of
    images : what `draw_figures` made of it; where there are none the page says so
    title : heading of the page
    comparisons : by modality, for a synthetic flake
    """
    sections = [_section(name, results, images, (comparisons or {}).get(name)) for name in results.maps]
    return filled(
        "report.html.j2",
        title=title,
        version=__version__,
        sections=sections,
        drawn=bool(images),
        recipe=results.recipe,
        methods=methods(results),
        warnings=results.warnings,
        pair=_pair(results, images),
        badges=_learnt.badges(results.model),
        model=_model(results, images),
        explanation=_explanation(results, images),
        theory=_beside(results, images),
    )


def filled(template: str, **values: Any) -> str:
    """Fill a template of this package."""
    return str(_environment().get_template(template).render(**values))


@cache
def _environment() -> Any:
    """Templates, each compiled once: a series fills them for every flake."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(loader=PackageLoader(__package__), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def _section(name: str, results: Results, images: Images, comparison: Comparison | None) -> dict[str, Any]:
    source, peaks = results.maps[name], results.peaks.get(name)
    history = peaks.history if peaks is not None else source.history
    return {
        "id": name,
        "title": WORDS[name],
        "facts": _facts(source) + (Decompose.facts(results.components[name]) if name in results.components else []),
        "metadata": dict(source.metadata),
        "peaks": _peak_rows(peaks) if peaks is not None else [],
        "computed": _computed_rows(peaks) if peaks is not None else [],
        "unit": source.axis.unit.replace("cm-1", "cm⁻¹"),
        "intensity_unit": source.intensity_unit,
        "fit": _fit_facts(peaks) if peaks is not None else [],
        "status": _status_rows(peaks) if peaks is not None else [],
        "pictures": _pictures(name, images),
        "settings": settings_of(history) + (settings_of(results.components[name].history[-1:]) if name in results.components else []),
        "truth": _truth(comparison) if comparison is not None else None,
    }


def _pair(results: Results, images: Images) -> dict[str, Any] | None:
    """What the report says of the pairing."""
    paired = results.paired
    if paired is None:
        return None
    facts = [fact for step in TABLE if step.gives is PairedMaps for fact in step.facts(paired)]
    return {"facts": facts, "pictures": _pictures("pair", images), "settings": settings_of(paired.history)}


def _model(results: Results, images: Images) -> dict[str, Any] | None:
    """What the report says of the training."""
    model = results.model
    if model is None:
        return None
    return {
        "targets": _learnt.targets(model),
        "pixels": len(model.samples),
        "flakes": model.samples.names,
        "pl_peak": model.samples.pl_peak,
        "device": model.device,
        "remarks": model.remarks,
        "pictures": pictures_of(images, _learnt.captions(model, None)),
        "settings": settings_of(model.history),
    }


def _explanation(results: Results, images: Images) -> dict[str, Any] | None:
    """What the report says of the explanation."""
    explanation = results.explanation
    if explanation is None:
        return None
    return {
        "badge": _learnt.badge(explanation.verdict),
        "target": explanation.target,
        "unit": explanation.target_unit,
        "stamp": explanation.stamp,
        "model": explanation.model_words,
        "ranking": _learnt.ranking(explanation),
        "answers": explanation.answers,
        "compared": _learnt.compared(explanation),
        "remarks": _learnt.remarks(explanation),
        "recovery": _learnt.recovery(explanation),
        "pictures": pictures_of(images, _learnt.captions(None, explanation)),
        "settings": settings_of((*explanation.history, *(explanation.recovery.history if explanation.recovery is not None else ()))),
    }


def _beside(results: Results, images: Images) -> dict[str, Any] | None:
    """What the report says of theory beside the data."""
    beside = results.theory
    if beside is None:
        return None
    pictures = pictures_of(images, _theory.captions(beside))
    return {**_theory.words_of(beside), "pictures": pictures, "settings": settings_of(beside.history[-1:])}


def _facts(source: SpectralMap) -> list[tuple[str, str]]:
    """What was measured, and what the preprocessing found."""
    low, high = source.axis.span
    facts = [*_origin(source.history), _grid(source.frame)]
    facts.append(("Spectra", f"{len(source.axis)} channels from {low:.5g} to {high:.5g} {source.axis.unit.replace('cm-1', 'cm⁻¹')}"))
    if source.axis.laser_nm is not None:
        facts.append(("Laser", f"{source.axis.laser_nm:g} nm"))
    facts += told_by(source.metadata, source.history).facts()
    missing = int((~source.measured).sum())
    if missing:
        facts.append(("Not measured", f"{missing} pixels"))
    return facts + [fact for stage in STAGES if stage.gives is SpectralMap for fact in stage.facts(source)]


def _grid(frame: Frame) -> tuple[str, str]:
    """Pixels and their distances, in what the rows and columns are."""
    (ny, nx), (y, x) = frame.shape, frame.directions
    steps = f"{_step(frame, 0)} × {_step(frame, 1)}".replace(" µm ×", " ×")
    turned = f", turned by {frame.rotation_deg:.4g}° to the stage" if frame.rotation_deg else ""
    return "Map" if frame.has_places else "Series", f"{ny} × {nx} pixels ({y.name} × {x.name}), {steps} each{turned}"


def _step(frame: Frame, index: int) -> str:
    direction, step = frame.directions[index], abs(frame.step_um[index])
    if direction.values and frame.shape[index] > 1:
        step = float(np.median(np.abs(np.diff(direction.values))))
    return f"{step:.4g} {'µm' if direction.is_length else direction.unit}".rstrip()


def _origin(history: History) -> list[tuple[str, str]]:
    """Where the map came from: a file, or the generator of synthetic flakes."""
    first = history[0].settings if history else {}
    if "file" not in first:
        return [("Source", history[0].step if history else "made in Python")]
    rows = [("File", PurePath(str(first["file"])).name)]
    rows += [("Item", str(first["item"]))] if first.get("item") else []
    return [*rows, ("SHA-256", str(first.get("sha256", "")))]


def _fit_facts(peaks: PeakMaps) -> list[tuple[str, str]]:
    lacked = [name for name, there in zip(peaks.names, peaks_there([peaks]), strict=True) if not there]
    told = [("In hardly a fit, not drawn", ", ".join(lacked))] if lacked else []
    return [("Reduced χ²", with_spread(peaks.reduced_chi2)), *told, *Review.facts(peaks)]


def _status_rows(peaks: PeakMaps) -> list[tuple[str, int]]:
    return [(status.meaning, int((peaks.status == status).sum())) for status in Status if (peaks.status == status).any()]


def _peak_rows(peaks: PeakMaps) -> list[dict[str, Any]]:
    """One row per peak: median and spread of each parameter, and the median of its errors."""
    rows = []
    fitted = np.isfinite(peaks.height[0]).sum()
    for index, name in enumerate(peaks.names):
        low, high = peaks.windows[index]
        row: dict[str, Any] = {"name": name, "shape": peaks.shapes[index], "window": f"{low:g} – {high:g}"}
        row |= {parameter: with_spread(getattr(peaks, parameter)[index]) for parameter in PARAMETERS}
        row |= {f"{parameter}_error": median(getattr(peaks, f"{parameter}_error")[index]) for parameter in PARAMETERS}
        row["found"] = f"{int(np.isfinite(peaks.position[index]).sum())} of {int(fitted)}"
        rows.append(row)
    return rows


def _computed_rows(peaks: PeakMaps) -> list[dict[str, Any]]:
    """One row per computed map: median and spread, and the median of its errors."""
    return [
        {"name": each.name, "expression": each.expression, "unit": "" if each.unit == "1" else each.unit}
        | {"value": with_spread(each.value), "error": median(each.error), "found": int(np.isfinite(each.value).sum())}
        for each in peaks.computed
    ]


def _truth(comparison: Comparison) -> dict[str, Any]:
    """How far each peak is off, to two digits."""
    rows = [
        {"name": row.name, "pixels": row.pixels}
        | {
            key: to_digits_of(value, abs(value))
            for key, value in (("position", row.position), ("fwhm", row.fwhm), ("height", 100 * row.height))
        }
        for row in comparison.peaks
    ]
    return {
        "flake_iou": f"{comparison.flake_iou:.3f}",
        "repaired": f"{comparison.repaired_pixels} of {comparison.hit_pixels}",
        "peaks": rows,
    }


def _pictures(name: str, images: Images) -> list[PageFigure]:
    return pictures_of(images, ((f"{name}_{kind}", caption) for kind, caption in CAPTIONS.items()))


def pictures_of(images: Images, captions: Iterable[tuple[str, str]]) -> list[PageFigure]:
    """Pictures that were drawn, of all that have a caption."""
    return [
        PageFigure(base64.b64encode(images[f"{name}.png"]).decode(), f"figures/{name}.svg", caption)
        for name, caption in captions
        if f"{name}.png" in images
    ]


def settings_of(history: History) -> list[dict[str, Any]]:
    """Every step with its settings; the peaks have a table of their own."""
    return [
        {
            "step": record.step,
            "version": record.version,
            "seconds": f"{record.seconds:.2f}",
            "values": [(key, setting_text(value)) for key, value in record.settings.items() if key != "peaks"],
        }
        for record in history
    ]

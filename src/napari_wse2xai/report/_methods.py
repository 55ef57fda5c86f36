"""What was done, as a paragraph for the methods section of a paper: only what the histories say."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from napari_wse2xai._version import __version__
from napari_wse2xai.data import History, PeakMaps, Results, SpectralMap
from napari_wse2xai.data.acquisition import told_by
from napari_wse2xai.data.peak_maps import GOOD
from napari_wse2xai.data.pooled import share_ok
from napari_wse2xai.errors import counted, sentence
from napari_wse2xai.stages.review import words_of

NAMES = {"raman": "Raman", "pl": "Photoluminescence"}


def methods(results: Results) -> str:
    """Write the paragraph; empty for results without a history."""
    said = [words for name, source in results.maps.items() for words in _of_map(name, source, results.peaks.get(name))]
    if results.paired is not None:
        said.append(f"Photoluminescence was brought onto the Raman grid ({results.paired.found_by}; {results.paired.misalignment_text}).")
    said += list(_of_model(results))
    return " ".join([*said, _software(results)]) if said else ""


def _of_map(name: str, source: SpectralMap, peaks: PeakMaps | None) -> Iterator[str]:
    """Measurement, preprocessing and fit of one map."""
    (ny, nx), frame, taken = source.frame.shape, source.frame, told_by(source.metadata, source.history)
    step = f" in steps of {abs(frame.step_um[1]):.3g} µm" if frame.has_places and nx > 1 else ""
    laser = f" with a laser of {source.axis.laser_nm:g} nm" if source.axis.laser_nm is not None else ""
    known = ((taken.exposure_s, "s"), (taken.power_mw, "mW"))
    lit = ", ".join(f"{value:g} {unit}" for value, unit in known if value is not None)
    low, high = source.axis.span
    yield (
        f"{NAMES.get(name, name)} spectra were taken at {ny} × {nx} pixels{step}{laser}{f' ({lit})' if lit else ''}, "
        f"{len(source.axis)} channels from {low:.5g} to {high:.5g} {source.axis.unit}."
    )
    if done := [words for record in source.history if (words := _preprocessing(record.step, record.settings))]:
        yield sentence("; ".join(done))
    if peaks is not None:
        yield from _of_peaks(peaks)


def _preprocessing(step: str, settings: Mapping[str, Any]) -> str:
    """One step before the fit, in words; empty where it changes no spectrum or is not known here."""
    kind = settings.get("method", {}).get("kind", "") if isinstance(settings.get("method"), Mapping) else ""
    words = {
        "CorrectResponse": "the instrument's response was divided out",
        "ConvertAxis": f"the axis was brought to {settings.get('to', '')} where it was not",
        "FindFlake": f"pixels that outshine a corner of the scan by {settings.get('k', 0):g} standard deviations were taken as the flake",
        "Despike": f"cosmic rays were removed ({kind})",
        "Calibrate": "the axis was calibrated",
        "Baseline": f"a baseline was subtracted ({kind})",
        "Normalise": "counts were divided by exposure and laser power",
    }
    return words.get(step, "")


def _of_peaks(peaks: PeakMaps) -> Iterator[str]:
    shapes = ", ".join(f"{name} ({shape})" for name, shape in zip(peaks.names, peaks.shapes, strict=True))
    solver: Any = next((record.settings.get("solver", {}) for record in reversed(peaks.history) if record.step == "Deconvolve"), {})
    how = f" by {solver['kind']}" if isinstance(solver, Mapping) and solver.get("kind") not in (None, "automatic") else " by least squares"
    yield f"{counted(len(peaks.names), 'line')} {'was' if len(peaks.names) == 1 else 'were'} fitted{how}: {shapes}."
    fitted = int(np.isin(peaks.status, GOOD).sum())
    yield f"Errors are standard errors from the covariance of the fit; {fitted} fits ({share_ok(peaks):.0%}) are without objection."
    if done := words_of(peaks):
        yield f"By hand, {' and '.join(done)}."


def _of_model(results: Results) -> Iterator[str]:
    """Training and verdict."""
    model = results.model
    if model is None:
        return
    settings = _settings(model.history, "Train")
    seed = f", seed {settings['seed']}" if "seed" in settings else ""
    learnt = f"{' and '.join(model.samples.target_names)} of {len(model.samples)} pixels"
    drawn_in = ", RS drawn in by the noise in it (Carroll et al. 2006)" if settings.get("without_noise") else ""
    how = f"{settings.get('architecture', 'convolution')}{seed}{drawn_in}"
    yield (
        f"A network was trained to predict PL {learnt} from {counted(len(model.samples.feature_names), 'Raman parameter')} ({how}), beside "
        f"reference models, and tested on spatial blocks and against {settings.get('surrogates', 'no')} surrogate maps."
    )
    yield from (f"Verdict on PL {verdict.target}: {verdict.level}." for verdict in model.verdicts)


def _settings(history: History, step: str) -> Mapping[str, Any]:
    return next((record.settings for record in reversed(history) if record.step == step), {})


def _software(results: Results) -> str:
    parts: list[Any] = [*results.peaks.values(), *results.maps.values(), *([results.model] if results.model is not None else [])]
    made_with: Mapping[str, str] = next((record.made_with for part in parts for record in reversed(part.history) if record.made_with), {})
    names = {"python": "Python", "numpy": "numpy", "torch": "torch"}
    libraries = ", ".join(f"{words} {made_with[name]}" for name, words in names.items() if name in made_with)
    return f"All was done with napari-wse2xai {__version__}{f' ({libraries})' if libraries else ''}."

"""A trained model in ``results.nc``, group ``/model``: predictions, scores, verdict, and the weights as plain arrays."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import NETWORK, Level, NullTest, Samples, Score, TrainedModel, Verdict
from napari_wse2xai.data import history as histories
from napari_wse2xai.io import netcdf
from napari_wse2xai.io.hdf5 import numbers_of
from napari_wse2xai.io.results_pixels import (
    make_flakes,
    put,
    put_maps,
    put_texts,
    read_samples,
    texts,
    values_of_maps,
    write_samples,
)

MODEL, SAMPLES = "model", "samples"
"""Groups of the model, and of the table that it learnt from."""
NOT_SAMPLED = 255
"""Split of a place without a sample."""
_MEASURES = ("r2", "mae", "mape", "wape", "seconds")
_SCORE_TEXTS = tuple(field.name for field in fields(Score) if field.name not in _MEASURES)
_PREDICTIONS = {
    "predicted": "by the network trained on the training pixels of the random split",
    "held_out": "by networks that saw neither the pixel's spatial block nor a buffer around it",
}


def write_model(group: Any, model: TrainedModel) -> None:
    """Write a model into its group."""
    samples, history = model.samples, histories.to_json(model.history)
    make_flakes(group, samples, history)
    put_texts(group, "target", "target", samples.target_names)
    put_texts(group, "target_unit", "target", samples.target_units)
    for name, meaning in _PREDICTIONS.items():
        put_maps(group, samples, name, ("target",), getattr(model, name), empty=np.nan, long_name=meaning)
    flags = {"flag_values": np.array([0, 1, NOT_SAMPLED], dtype=np.uint8), "flag_meanings": "training validation not_sampled"}
    put_maps(group, samples, "split", (), model.split, empty=NOT_SAMPLED, **flags)
    put_maps(group, samples, "block", (), model.block, empty=-1, long_name="fold of spatial validation that holds the pixel out; -1: none")
    group.attrs.update({"name": model.name, "device": model.device, "settings": json.dumps(dict(model.settings))})
    group.attrs["remarks"] = json.dumps(model.remarks, ensure_ascii=False)
    _write_verdicts(group, model)
    _write_parts(group, model, history)


def _write_parts(group: Any, model: TrainedModel, history: str) -> None:
    """Write what has a group of its own."""
    write_samples(group.parent.create_group(SAMPLES), model.samples, history)
    _write_scores(group.create_group("scores"), model.scores)
    _write_curves(group.create_group("curves"), model.curves)
    _write_weights(group.create_group("weights"), model.weights)
    for number, test in enumerate(model.null_tests, start=1):
        _write_null_test(group.create_group(f"null_test_{number}"), test)
    for part in group.groups.values():
        part.attrs["history"] = history


def _write_verdicts(group: Any, model: TrainedModel) -> None:
    """Write the judgement on each target, that on the first also under plain names, and the network's own scores."""
    for verdict in model.verdicts:
        write_verdict(group, verdict, f"{verdict.target}_")
    if model.verdicts:
        write_verdict(group, model.verdicts[0], "")
    for score in model.scores:
        if score.model == NETWORK:
            where = f"{score.validation}_{score.part}".replace(" ", "_")
            group.attrs.update({f"{score.target}_{measure}_{where}": float(getattr(score, measure)) for measure in _MEASURES[:-1]})


def write_verdict(group: Any, verdict: Verdict, prefix: str = "") -> None:
    """Write level, reasons (one a line) and the numbers behind them (JSON) as attributes."""
    group.attrs[f"{prefix}verdict"] = str(verdict.level)
    group.attrs[f"{prefix}reasons"] = "\n".join(verdict.reasons)
    group.attrs[f"{prefix}verdict_numbers"] = json.dumps(dict(verdict.numbers))


def read_verdict(group: Any, target: str, prefix: str = "") -> Verdict:
    """Read what `write_verdict` wrote."""
    level, reasons, numbers = (netcdf.text_of(group.attrs, f"{prefix}{key}") for key in ("verdict", "reasons", "verdict_numbers"))
    return Verdict(target, Level(level), tuple(reasons.splitlines()), json.loads(numbers or "{}"))


def _write_scores(group: Any, scores: tuple[Score, ...]) -> None:
    """One row per score."""
    if not scores:
        return
    for name in _SCORE_TEXTS:
        put_texts(group, name, "score", [getattr(score, name) for score in scores])
    for name in _MEASURES:
        put(group, name, ("score",), np.array([getattr(score, name) for score in scores], dtype=np.float64))


def _read_scores(group: Any) -> tuple[Score, ...]:
    if "r2" not in group:
        return ()
    words = zip(*(texts(group, name) for name in _SCORE_TEXTS), strict=True)
    numbers = zip(*(numbers_of(group[name]).tolist() for name in _MEASURES), strict=True)
    return tuple(
        Score(**dict(zip(_SCORE_TEXTS, word, strict=True)), **dict(zip(_MEASURES, number, strict=True)))
        for word, number in zip(words, numbers, strict=True)
    )


def _in_a_path(name: str) -> str:
    """A name that may hold a slash, as part of a path: a computed map may be called like its formula."""
    return name.replace("/", "∕")


def _write_curves(group: Any, curves: Mapping[str, NDArray[np.float64]]) -> None:
    for name, values in curves.items():
        if len(values):
            put(group, _in_a_path(name.replace(" ", "_")), (f"epoch_{len(values)}",), values, long_name=name)


def _write_weights(group: Any, weights: Mapping[str, Mapping[str, NDArray[np.generic]]]) -> None:
    """Write the tensors of each target's network under their own names."""
    for target, tensors in weights.items():
        home = group.create_group(_in_a_path(target))
        home.attrs["history"] = group.parent.attrs["history"]
        for name, values in tensors.items():
            array = np.asarray(values)
            put(home, name, [f"size_{size}" for size in _told_apart(array.shape)], array)


def _told_apart(shape: tuple[int, ...]) -> list[str]:
    """Names of dimensions: a length that comes twice is numbered, for no variable may have a dimension twice."""
    return [f"{size}" if not shape[:index].count(size) else f"{size}_{shape[:index].count(size) + 1}" for index, size in enumerate(shape)]


def _write_null_test(group: Any, test: NullTest) -> None:
    kinds = list(test.r2)
    put_texts(group, "validation", "validation", kinds)
    for name in ("r2", "p_value"):
        put(group, name, ("validation",), np.array([getattr(test, name).get(kind, np.nan) for kind in kinds], dtype=np.float64))
    for kind, values in test.surrogate_r2.items():
        if len(values):
            put(group, f"surrogate_r2_{kind.replace(' ', '_')}", (f"surrogate_{len(values)}",), values, validation=kind)
    group.attrs.update({"target": test.target, "model": test.model, "refused": test.refused})


def _read_null_test(group: Any) -> NullTest:
    kinds = texts(group, "validation")
    r2, p_value = (dict(zip(kinds, numbers_of(group[name]).tolist(), strict=True)) for name in ("r2", "p_value"))
    runs = [group[name] for name in group if name.startswith("surrogate_r2_")]
    surrogates = {netcdf.text_of(run.attrs, "validation"): numbers_of(run) for run in runs}
    told = [netcdf.text_of(group.attrs, name) for name in ("target", "model", "refused")]
    return NullTest(told[0], told[1], r2, {kind: surrogates.get(kind, np.empty(0)) for kind in kinds}, p_value, told[2])


def read_model(group: Any) -> TrainedModel:
    """Read what `write_model` wrote; `group` is an open h5py group."""
    samples = read_samples(group.parent[SAMPLES])
    tests = sorted((name for name in group if name.startswith("null_test_")), key=lambda name: int(name.rpartition("_")[2]))
    return TrainedModel(
        samples=samples,
        settings=json.loads(netcdf.text_of(group.attrs, "settings")),
        weights={
            target: _tensors(group["weights"][name]) for target in samples.target_names if (name := _in_a_path(target)) in group["weights"]
        },
        curves={netcdf.text_of(curve.attrs, "long_name"): numbers_of(curve) for curve in _variables(group["curves"]).values()},
        scores=_read_scores(group["scores"]),
        null_tests=tuple(_read_null_test(group[name]) for name in tests),
        verdicts=_read_verdicts(group, samples),
        remarks=tuple(json.loads(netcdf.text_of(group.attrs, "remarks"))),
        device=netcdf.text_of(group.attrs, "device"),
        name=netcdf.text_of(group.attrs, "name"),
        history=histories.from_json(netcdf.text_of(group.attrs, "history")),
        **{name: values_of_maps(group, samples, name) for name in ("predicted", "held_out", "split", "block")},
    )


def _read_verdicts(group: Any, samples: Samples) -> tuple[Verdict, ...]:
    return tuple(read_verdict(group, target, f"{target}_") for target in samples.target_names if f"{target}_verdict" in group.attrs)


def _tensors(group: Any) -> dict[str, NDArray[np.generic]]:
    return {name: numbers_of(variable) for name, variable in _variables(group).items()}


def _variables(group: Any) -> dict[str, Any]:
    """Data sets of a group that are more than the name of a dimension."""
    return {name: item for name, item in group.items() if not netcdf.text_of(item.attrs, "NAME").startswith("This is a netCDF dimension")}

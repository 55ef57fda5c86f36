"""Each kind of artefact in a group of a file: its declared fields (`io.codec`), and what of it is no plain array, text or number."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import (
    NETWORK,
    Components,
    Explanation,
    Frame,
    Level,
    NullTest,
    PairedMaps,
    PeakMaps,
    Recovery,
    Samples,
    SpectralMap,
    TrainedModel,
    Transform,
    Verdict,
    candidate,
)
from napari_wse2xai.data import history as histories
from napari_wse2xai.data.trained_model import Beyond
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io import codec, netcdf
from napari_wse2xai.io.codec import put
from napari_wse2xai.io.hdf5 import numbers_of, texts_of
from napari_wse2xai.io.hdf_node import HdfNode
from napari_wse2xai.io.results_theory import THEORY, read_beside, write_beside
from napari_wse2xai.theory.beside import TheoryBeside

PAIR, MODEL, EXPLANATION, RAMAN, COMPONENTS = "pair", "model", "explanation", "raman", "components"
SAMPLES, OWN_SAMPLES, RECOVERY = "samples", "explanation_samples", "recovery"
"""Groups of the table that a model learnt from, of that of an explanation where it is another, and of a simulation's scores."""
_HARMLESS_PIXELS = 1 << 20
"""Of a PL scan whose map is not in the file; more must be paid for with a byte each."""
_MEASURES = ("r2", "mae", "mape", "wape")
_NO_VARIABLE = "This is a netCDF dimension"


def write_artefact(group: HdfNode, artefact: Any, *, known: Samples | None = None, with_raman: bool = False) -> None:
    """Write one artefact into a group: models, explanations and theory into groups of their own within it.

    Parameters
    ----------
    known : samples of the model of an explanation, where the file holds that too
    with_raman : write the RS peaks of a pair into its group too; else they are to be given to `read_artefact`
    """
    if isinstance(artefact, SpectralMap):
        netcdf.write_map_group(group, artefact)
    elif isinstance(artefact, PeakMaps | Components):
        _write_on_grid(group, artefact)
    elif isinstance(artefact, PairedMaps):
        _write_pair(group, artefact)
        if with_raman:
            _write_on_grid(group.create_group(RAMAN), artefact.raman)
    elif isinstance(artefact, TrainedModel):
        _write_model(group.create_group(MODEL), artefact)
    elif isinstance(artefact, Explanation):
        _write_explanation(group.create_group(EXPLANATION), artefact, known)
    else:
        write_beside(group.create_group(THEORY), artefact)


def read_artefact(group: HdfNode, kind: type, *, name: str = "", raman: PeakMaps | None = None, model: TrainedModel | None = None) -> Any:
    """Read what `write_artefact` wrote.

    Parameters
    ----------
    name : for maps and peaks that have none
    raman : RS peaks of a pair that does not hold its own
    model : model of an explanation that does not hold its own samples
    """
    if kind is SpectralMap:
        return netcdf.read_map_group(group, name=name or "map")
    if kind is PeakMaps:
        return _read_peaks(group, name or "peaks")
    if kind is Components:
        return _read_components(group)
    if kind is PairedMaps:
        return _read_pair(group, raman or _read_peaks(group[RAMAN], RAMAN))
    if kind is TrainedModel:
        return _read_model(group[MODEL])
    if kind is Explanation:
        return _read_explanation(group[EXPLANATION], None if model is None else model.samples)
    return read_beside(group[THEORY])


KINDS: dict[str, type] = {
    "map": SpectralMap,
    "peaks": PeakMaps,
    COMPONENTS: Components,
    PAIR: PairedMaps,
    MODEL: TrainedModel,
    EXPLANATION: Explanation,
    THEORY: TheoryBeside,
}
"""Kinds of artefacts by their words in a file."""


def _write_on_grid(group: HdfNode, made: PeakMaps | Components) -> None:
    netcdf.write_frame(group, made.frame)
    netcdf.write_axis(group, made.axis)
    codec.write(group, made)


def _read_peaks(group: HdfNode, name: str) -> PeakMaps:
    fields = codec.read(PeakMaps, group)
    return PeakMaps(
        frame=netcdf.read_frame(group, fields["status"].shape), axis=netcdf.read_axis(group), **fields | {"name": fields["name"] or name}
    )


def _read_components(group: HdfNode) -> Components:
    fields = codec.read(Components, group)
    shape = group["y"].size, group["x"].size
    return Components(frame=netcdf.read_frame(group, shape), axis=netcdf.read_axis(group), **fields)


def _write_pair(group: HdfNode, paired: PairedMaps) -> None:
    """Write the PL peaks on the RS grid, the transform and how well it fits."""
    _write_on_grid(group, paired.pl)
    group.attrs["pl_history"] = histories.to_json(paired.pl.history)
    codec.write(group, paired)
    group.attrs["matrix"] = np.asarray(paired.transform.matrix, dtype=np.float64).ravel()
    group.attrs["offset_um"] = np.asarray(paired.transform.offset, dtype=np.float64)
    group.attrs["pl_frame"] = json.dumps(paired.pl_frame.as_record(), ensure_ascii=False)
    group.attrs["candidates"] = candidate.to_json(paired.candidates)
    flags = {"flag_values": np.array([0, 1], dtype=np.int8), "flag_meanings": "not_paired paired"}
    put(group, "paired", ("y", "x"), paired.paired, **flags)


def _read_pair(group: HdfNode, raman: PeakMaps) -> PairedMaps:
    pl = _read_peaks(group, "pl")
    return PairedMaps(
        raman,
        replace(pl, history=histories.from_json(netcdf.text_of(group.attrs, "pl_history"))),
        pl_frame=_pl_frame(group, pl.frame.sample),
        transform=Transform(group.attrs["matrix"].reshape(2, 2), group.attrs["offset_um"]),
        candidates=candidate.from_json(netcdf.text_of(group.attrs, "candidates")),
        **codec.read(PairedMaps, group),
    )


def _pl_frame(group: HdfNode, sample: str) -> Frame:
    """Grid on which the PL was measured; files of version 0.1 tell it in three attributes."""
    written = netcdf.text_of(group.attrs, "pl_frame")
    told = json.loads(written) if written else {key: group.attrs[f"pl_{key}"].tolist() for key in ("shape", "step_um", "origin_um")}
    frame = Frame.from_record({"sample": sample} | told).checked()
    if frame.n_pixels > max(_HARMLESS_PIXELS, Path(group.file.filename).stat().st_size):
        raise ReaderError(
            f"'{group.name}' claims a PL scan of {frame.shape[0]} x {frame.shape[1]} pixels, more than the file can hold; "
            "the file is damaged, pair the two maps again."
        )
    return frame


def _write_samples(group: HdfNode, samples: Samples, history: str) -> None:
    """Write the table: one row per pixel."""
    codec.write(group, samples)
    group.attrs["frames"] = json.dumps([frame.as_record() for frame in samples.frames], ensure_ascii=False)
    group.attrs["history"] = history


def _read_samples(group: HdfNode) -> Samples:
    units = zip(texts_of(group["feature"]), texts_of(group["feature_unit"]), strict=True)
    return Samples(
        computed_units={name.removesuffix(".value"): unit for name, unit in units if name.endswith(".value")},
        frames=tuple(_frame(entry) for entry in json.loads(netcdf.text_of(group.attrs, "frames"))),
        **codec.read(Samples, group),
    )


def _frame(entry: Any) -> Frame:
    """Frame from its record; files of version 0.1 hold a list of the first four values."""
    known = entry if isinstance(entry, dict) else dict(zip(("shape", "step_um", "origin_um", "sample"), entry, strict=True))
    return Frame.from_record(known).checked()


def _write_model(group: HdfNode, model: TrainedModel) -> None:
    samples, history = model.samples, histories.to_json(model.history)
    codec.make_flakes(group, samples, history)
    codec.write(group, model, samples)
    _write_samples(group.parent.create_group(SAMPLES), samples, history)
    _write_verdicts(group, model)
    for name, values in model.curves.items():
        if len(values):
            put(codec.inside(group, "curves"), _in_a_path(name.replace(" ", "_")), (f"epoch_{len(values)}",), values, long_name=name)
    for target, tensors in model.weights.items():
        home = codec.inside(codec.inside(group, "weights"), _in_a_path(target))
        for name, tensor in tensors.items():
            put(home, name, _sizes(np.shape(tensor)), tensor, long_name=f"{name} of the network")
    for number, test in enumerate(model.null_tests, start=1):
        _write_null_test(codec.inside(group, f"null_test_{number}"), test)


def _in_a_path(name: str) -> str:
    """A name that may hold a slash, as part of a path: a computed map may be called like its formula."""
    return name.replace("/", "∕")


def _sizes(shape: tuple[int, ...]) -> list[str]:
    """Names of dimensions: a length that comes twice is numbered, for no variable may have a dimension twice."""
    before = [shape[:index].count(size) for index, size in enumerate(shape)]
    return [f"size_{size}" if not count else f"size_{size}_{count + 1}" for size, count in zip(shape, before, strict=True)]


def _write_verdicts(group: HdfNode, model: TrainedModel) -> None:
    """Write the judgement on each target, that on the first also under plain names, and the network's own scores."""
    for verdict in model.verdicts:
        _write_verdict(group, verdict, f"{verdict.target}_")
    for verdict in model.verdicts[:1]:
        _write_verdict(group, verdict)
    for score in model.scores:
        if score.model == NETWORK:
            where = f"{score.validation}_{score.part}".replace(" ", "_")
            group.attrs.update({f"{score.target}_{measure}_{where}": float(getattr(score, measure)) for measure in _MEASURES})


def _write_verdict(group: HdfNode, verdict: Verdict, prefix: str = "") -> None:
    """Write level, reasons (one a line) and the numbers behind them (JSON) as attributes."""
    group.attrs[f"{prefix}verdict"] = str(verdict.level)
    group.attrs[f"{prefix}reasons"] = "\n".join(verdict.reasons)
    group.attrs[f"{prefix}verdict_numbers"] = json.dumps(dict(verdict.numbers))


def _read_verdict(group: HdfNode, target: str, prefix: str = "") -> Verdict:
    level, reasons, numbers = (netcdf.text_of(group.attrs, f"{prefix}{key}") for key in ("verdict", "reasons", "verdict_numbers"))
    return Verdict(target, Level(level), tuple(reasons.splitlines()), json.loads(numbers or "{}"))


def _write_null_test(group: HdfNode, test: NullTest) -> None:
    codec.write(group, test)
    for kind, values in test.surrogate_r2.items():
        if len(values):
            name = f"surrogate_r2_{kind.replace(' ', '_')}"
            put(group, name, (f"surrogate_{len(values)}",), values, validation=kind, long_name="R2 of surrogate maps", units="1")
    for number, told in enumerate(test.beyond, start=1):
        about: dict[str, Any] = {
            "confounder": told.confounder,
            "validation": told.validation,
            "correlation": told.correlation,
            "p_value": told.p_value,
        }
        about |= {"alone": told.alone, "long_name": "correlation of surrogate maps", "units": "1"}
        values = told.surrogate_correlation
        put(group, f"surrogate_correlation_{number}", (f"surrogate_{len(values)}",), values, **about)


def _read_null_test(group: HdfNode) -> NullTest:
    found = codec.read(NullTest, group)
    runs = [group[name] for name in group if name.startswith("surrogate_r2_")]
    surrogates = {netcdf.text_of(run.attrs, "validation"): numbers_of(run) for run in runs}
    null = {kind: surrogates.get(kind, np.empty(0)) for kind in found["r2"]}
    return NullTest(**found, surrogate_r2=null, beyond=tuple(_read_beyond(group)))


def _read_beyond(group: HdfNode) -> Iterator[Beyond]:
    """What is told beyond neighbours and confounders, in the order in which it was written."""
    names = sorted((name for name in group if name.startswith("surrogate_correlation_")), key=lambda name: int(name.rpartition("_")[2]))
    for name in names:
        attributes = group[name].attrs
        words = [netcdf.text_of(attributes, key) for key in ("confounder", "validation")]
        correlation, p_value, alone = (float(np.ravel(attributes[key])[0]) for key in ("correlation", "p_value", "alone"))
        yield Beyond(words[0], words[1], correlation, numbers_of(group[name]), p_value, alone)


def _read_model(group: HdfNode) -> TrainedModel:
    samples = _read_samples(group.parent[SAMPLES])
    none: dict[str, HdfNode] = {}
    weights, curves, names = group.get("weights") or none, group.get("curves") or none, samples.target_names
    tests = sorted((name for name in group if name.startswith("null_test_")), key=lambda name: int(name.rpartition("_")[2]))
    return TrainedModel(
        samples=samples,
        weights={name: _numbers(weights[_in_a_path(name)]) for name in names if _in_a_path(name) in weights},
        curves={netcdf.text_of(curve.attrs, "long_name"): numbers_of(curve) for curve in _variables(curves).values()},
        null_tests=tuple(_read_null_test(group[name]) for name in tests),
        verdicts=tuple(_read_verdict(group, name, f"{name}_") for name in names if f"{name}_verdict" in group.attrs),
        **codec.read(TrainedModel, group, samples),
    )


def _numbers(group: HdfNode) -> dict[str, NDArray[np.generic]]:
    return {name: numbers_of(variable) for name, variable in _variables(group).items()}


def _variables(group: HdfNode | Mapping[str, HdfNode]) -> dict[str, HdfNode]:
    """Data sets of a group that are more than the name of a dimension."""
    return {name: item for name, item in group.items() if not netcdf.text_of(item.attrs, "NAME").startswith(_NO_VARIABLE)}


def _write_explanation(group: HdfNode, explanation: Explanation, known: Samples | None) -> None:
    """Write an explanation, and its samples where they are not those that the file holds already."""
    samples, history = explanation.samples, histories.to_json(explanation.history)
    codec.make_flakes(group, samples, history)
    codec.write(group, explanation, samples)
    _write_verdict(group, explanation.verdict)
    group.attrs["stamp"] = explanation.stamp
    if explanation.recovery is not None:
        _write_recovery(group.create_group(RECOVERY), explanation.recovery)
    if samples is not known:
        _write_samples(group.parent.create_group(OWN_SAMPLES), samples, history)


def _write_recovery(group: HdfNode, recovery: Recovery) -> None:
    codec.write(group, recovery)
    group.attrs["passed"] = int(recovery.passed)
    group.attrs["sentences"] = "\n".join(recovery.sentences)


def _read_explanation(group: HdfNode, known: Samples | None) -> Explanation:
    own = group.parent.get(OWN_SAMPLES)
    samples = known if own is None and known is not None else _read_samples(group.parent[OWN_SAMPLES])
    fields = codec.read(Explanation, group, samples)
    without = {"pixels": np.empty(0, dtype=np.int64), "ice": np.empty((len(fields["pdp"]), 0, fields["pdp"].shape[1]))}
    return Explanation(
        samples=samples,
        verdict=_read_verdict(group, fields["target"]),
        recovery=Recovery(**codec.read(Recovery, group[RECOVERY])) if RECOVERY in group else None,
        **without | fields,
    )

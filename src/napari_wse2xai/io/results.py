"""``results.nc``: everything that a run made, in groups that any NetCDF-4 reader can open."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_wse2xai.data import (
    PARAMETERS,
    Explanation,
    Frame,
    History,
    PairedMaps,
    PeakMaps,
    Results,
    SpectralMap,
    Status,
    TrainedModel,
    Transform,
    candidate,
)
from napari_wse2xai.data import history as histories
from napari_wse2xai.data.peak_maps import BOUND_FLAGS
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io import netcdf
from napari_wse2xai.io.atomic import new_file
from napari_wse2xai.io.hdf5 import numbers_of, texts_of
from napari_wse2xai.io.readers.netcdf import open_netcdf
from napari_wse2xai.io.results_computed import read_computed, write_computed
from napari_wse2xai.io.results_explanation import EXPLANATION, read_explanation, write_explanation
from napari_wse2xai.io.results_model import MODEL, read_model, write_model
from napari_wse2xai.io.results_theory import THEORY, read_beside, write_beside
from napari_wse2xai.io.results_under import read_under, write_under
from napari_wse2xai.ordinary import require_ordinary, shown

_PEAK_DIMENSIONS = ("peak", "y", "x")
PAIR, FLAKES = "pair", "flakes"
_HARMLESS_PIXELS = 1 << 20
"""Of a PL scan whose map is not in the file; more must be paid for with a byte each."""
"""Group of the PL peaks on the RS grid."""
_LEARNT = (MODEL, EXPLANATION, THEORY)
_PAIR_NUMBERS = ("misalignment_um", "misalignment_error_um", "overlap")


def write_results(results: Results, path: str | Path, beside: Mapping[str, Results] | None = None) -> None:
    """Write the results of a run; the file appears complete or not at all.

    Parameters
    ----------
    beside : results of further flakes by their names, each written in the same groups below ``/flakes/NAME``
    """
    import h5netcdf

    further = beside or {}
    size = sum(map(_size_of, (results, *further.values())))
    with new_file(path, expected_bytes=size) as temporary, h5netcdf.File(temporary, "w") as file:
        file.attrs["Conventions"] = netcdf.CONVENTIONS
        _write(file, results)
        for name, each in further.items():
            _write(file.create_group(f"{FLAKES}/{name}"), each)


def _write(group: Any, results: Results) -> None:
    """Write results into a file or a group of it."""
    group.attrs["recipe"] = results.recipe
    group.attrs["warnings"] = json.dumps(results.warnings, ensure_ascii=False)
    _write_modalities(group, results)
    if results.paired is not None:
        _write_pair(group.create_group(PAIR), results.paired)
    if results.model is not None:
        write_model(group.create_group(MODEL), results.model)
    if results.explanation is not None:
        known = None if results.model is None else results.model.samples
        write_explanation(group.create_group(EXPLANATION), results.explanation, known)
    if results.theory is not None:
        write_beside(group.create_group(THEORY), results.theory)


def _size_of(results: Results) -> int:
    """About how many bytes the results take."""
    found = [part for part in (results.model, results.explanation) if part is not None]
    learnt = [*found, *(part.samples for part in found)]
    arrays = [value for part in (*results.maps.values(), *results.peaks.values(), *learnt) for value in vars(part).values()]
    return sum(value.nbytes for value in arrays if isinstance(value, np.ndarray)) + (1 + 4 * len(learnt)) * netcdf.OVERHEAD


def _write_modalities(file: Any, results: Results) -> None:
    every: History = ()
    for modality in dict.fromkeys((*results.maps, *results.peaks)):
        group = file.create_group(modality)
        parts = (results.maps.get(modality), results.peaks.get(modality))
        history = max((part.history for part in parts if part is not None), key=len)
        group.attrs["history"] = histories.to_json(history)
        every += history
        _write_modality(group, *parts)
    file.attrs["history"] = histories.to_json(every)


def _write_modality(group: Any, spectral_map: SpectralMap | None, peaks: PeakMaps | None) -> None:
    if spectral_map is not None:
        netcdf.write_map_group(group.create_group("map"), spectral_map)
        if spectral_map.flake is not None:
            flake = group.create_group("flake")
            netcdf.write_frame(flake, spectral_map.frame)
            netcdf.write_flake(flake, spectral_map.flake)
            flake.attrs["history"] = histories.to_json(spectral_map.history)
    if peaks is not None:
        _write_peaks(group.create_group("peaks"), peaks)


def _write_peaks(group: Any, peaks: PeakMaps) -> None:
    netcdf.write_frame(group, peaks.frame)
    netcdf.write_axis(group, peaks.axis)
    _write_peak_list(group, peaks)
    for parameter in PARAMETERS:
        for name, meaning in ((parameter, parameter), (f"{parameter}_error", f"standard error of {parameter}")):
            variable = group.create_variable(name, _PEAK_DIMENSIONS, data=np.ascontiguousarray(getattr(peaks, name), dtype=np.float32))
            variable.attrs.update({"units": peaks.unit(parameter), "long_name": meaning})
    write_under(group, peaks)
    _write_derived(group, peaks)
    write_computed(group, peaks)
    _write_quality(group, peaks)
    netcdf.write_texts(group, peaks)


def _write_peak_list(group: Any, peaks: PeakMaps) -> None:
    import h5py

    group.dimensions["peak"] = len(peaks.names)
    group.dimensions["limit"] = 2
    for name, texts in (("peak", peaks.names), ("shape", peaks.shapes)):
        variable = group.create_variable(name, ("peak",), dtype=h5py.string_dtype())
        variable[:] = np.array(texts, dtype=object)
    windows = np.array(peaks.windows, dtype=np.float64).reshape(-1, 2)
    window = group.create_variable("window", ("peak", "limit"), data=windows)
    window.attrs.update({"units": peaks.axis.unit, "long_name": "spectral window of the fit"})


def _write_derived(group: Any, peaks: PeakMaps) -> None:
    """Write what not every deconvolution has: forms, areas, bounds, R2, and the report of the second look."""
    area_unit = f"{peaks.intensity_unit} {peaks.axis.unit}"
    meanings = {"form": ("1", "fourth parameter of the line shape"), "area": (area_unit, "area of the peak")}
    for name, (unit, meaning) in meanings.items():
        for key, prefix in ((name, ""), (f"{name}_error", "standard error of ")):
            if (values := getattr(peaks, key)) is not None:
                variable = group.create_variable(key, _PEAK_DIMENSIONS, data=np.ascontiguousarray(values, dtype=np.float32))
                variable.attrs.update({"units": unit, "long_name": f"{prefix}{meaning}"})
    if peaks.at_bound is not None:
        variable = group.create_variable("at_bound", _PEAK_DIMENSIONS, data=peaks.at_bound)
        variable.attrs["flag_masks"] = np.array(list(BOUND_FLAGS), dtype=np.uint8)
        variable.attrs["flag_meanings"] = " ".join(BOUND_FLAGS.values())
    if peaks.r2 is not None:
        variable = group.create_variable("r2", ("y", "x"), data=np.ascontiguousarray(peaks.r2, dtype=np.float32))
        variable.attrs.update({"units": "1", "long_name": "share of the variance above the background that the peaks explain"})
    if peaks.averaged is not None:
        variable = group.create_variable("averaged", ("peak",), data=np.asarray(peaks.averaged, dtype=np.float64))
        meaning = "width of the channels that the line was averaged over; 0 for its value in their middle"
        variable.attrs.update({"units": peaks.axis.unit, "long_name": meaning})
    group.attrs["report"] = peaks.report


def _read_derived(group: Any) -> dict[str, Any]:
    names = ("form", "form_error", "area", "area_error", "at_bound", "r2", "peak_status", "averaged")
    return {name: numbers_of(group[name]) if name in group else None for name in names} | {"report": netcdf.text_of(group.attrs, "report")}


def _write_quality(group: Any, peaks: PeakMaps) -> None:
    _write_status(group.create_variable("status", ("y", "x"), data=peaks.status.astype(np.uint8)), "what became of the fit")
    if peaks.peak_status is not None:
        each = group.create_variable("peak_status", _PEAK_DIMENSIONS, data=peaks.peak_status.astype(np.uint8))
        _write_status(each, "what became of the fit of each peak")
    chi2 = group.create_variable("reduced_chi2", ("y", "x"), data=np.ascontiguousarray(peaks.reduced_chi2, dtype=np.float32))
    chi2.attrs.update({"units": "1", "long_name": "mean squared residual over the variance of the noise"})


def _write_status(variable: Any, meaning: str) -> None:
    variable.attrs["long_name"] = meaning
    variable.attrs["flag_values"] = np.array([code.value for code in Status], dtype=np.uint8)
    variable.attrs["flag_meanings"] = " ".join(code.meaning.replace(" ", "_") for code in Status)


def _write_pair(group: Any, paired: PairedMaps) -> None:
    """Write the PL peaks on the RS grid, the transform and how well it fits."""
    _write_peaks(group, paired.pl)
    group.attrs["pl_history"] = histories.to_json(paired.pl.history)
    group.attrs["history"] = histories.to_json(paired.history)
    group.attrs["matrix"] = np.asarray(paired.transform.matrix, dtype=np.float64).ravel()
    group.attrs["offset_um"] = np.asarray(paired.transform.offset, dtype=np.float64)
    group.attrs["pl_shape"] = np.array(paired.pl_frame.shape)
    group.attrs["pl_step_um"] = np.array(paired.pl_frame.step_um, dtype=np.float64)
    group.attrs["pl_origin_um"] = np.array(paired.pl_frame.origin_um, dtype=np.float64)
    group.attrs["pl_frame"] = json.dumps(paired.pl_frame.as_record(), ensure_ascii=False)
    group.attrs["found_by"] = paired.found_by
    group.attrs["candidates"] = candidate.to_json(paired.candidates)
    group.attrs["doubts"] = json.dumps(paired.doubts, ensure_ascii=False)
    for name in _PAIR_NUMBERS:
        group.attrs[name] = float(getattr(paired, name))
    on_both = group.create_variable("paired", ("y", "x"), data=paired.paired.astype(np.int8))
    on_both.attrs.update({"flag_values": np.array([0, 1], dtype=np.int8), "flag_meanings": "not_paired paired"})


def _pl_frame(group: Any, sample: str) -> Frame:
    """Grid on which the PL was measured; files of version 0.1 tell it in three attributes."""
    written = netcdf.text_of(group.attrs, "pl_frame")
    told = {key: group.attrs[f"pl_{key}"].tolist() for key in ("shape", "step_um", "origin_um")} | {"sample": sample}
    frame = Frame.from_record(json.loads(written) if written else told).checked()
    if frame.n_pixels > max(_HARMLESS_PIXELS, Path(group.file.filename).stat().st_size):
        raise ReaderError(
            f"'{group.name}' claims a PL scan of {frame.shape[0]} x {frame.shape[1]} pixels, more than the file can hold; "
            "the file is damaged, pair the two maps again."
        )
    return frame


def _read_pair(group: Any, raman: PeakMaps, measured_pl: PeakMaps | None) -> PairedMaps:
    pl = _read_peaks(group, "pl")
    parents = [peaks.history for peaks in (raman, measured_pl) if peaks is not None]
    off, error, overlap = (float(np.asarray(group.attrs[name]).item()) for name in _PAIR_NUMBERS)
    return PairedMaps(
        raman,
        replace(pl, history=histories.from_json(netcdf.text_of(group.attrs, "pl_history"))),
        pl_frame=_pl_frame(group, pl.frame.sample),
        transform=Transform(group.attrs["matrix"].reshape(2, 2), group.attrs["offset_um"]),
        misalignment_um=off,
        misalignment_error_um=error,
        overlap=overlap,
        found_by=netcdf.text_of(group.attrs, "found_by"),
        candidates=candidate.from_json(netcdf.text_of(group.attrs, "candidates")),
        doubts=tuple(str(doubt) for doubt in json.loads(netcdf.text_of(group.attrs, "doubts") or "[]")),
        history=histories.given(histories.from_json(netcdf.text_of(group.attrs, "history")), *parents),
    )


def is_results(path: str | Path) -> bool:
    """Whether a file is a NetCDF file with the results of a run, not a map alone."""
    import h5py

    source = Path(path).expanduser()
    if source.suffix.lower() != ".nc" or require_ordinary(source) is None or not h5py.is_hdf5(source):
        return False
    with open_netcdf(source) as file:
        return _holds_results(file)


def read_results(path: str | Path) -> Results:
    """Read what `write_results` wrote."""
    with _opened(path) as file:
        return _read(file)


def read_flakes(path: str | Path) -> dict[str, Results]:
    """Read the results of every flake in a file by their names; those of the run itself, which `read_results` gives, come first."""
    with _opened(path) as file:
        return {"": _read(file)} | {name: _read(group) for name, group in (file[FLAKES].items() if FLAKES in file else ())}


@contextmanager
def _opened(path: str | Path) -> Iterator[Any]:
    """Open a file of results; another is refused."""
    source = Path(path).expanduser()
    if require_ordinary(source) is None or not source.is_file():
        raise ReaderError(f"'{shown(source)}' does not exist; give the results.nc of a run.")
    with open_netcdf(source) as file:
        if not _holds_results(file):
            raise ReaderError(f"'{source.name}' holds no results of a run; open it as a map instead.")
        yield file


def _holds_results(group: Any) -> bool:
    return any(name in _LEARNT or "map" in each or "peaks" in each for name, each in group.items() if hasattr(each, "keys"))


def _read(group: Any) -> Results:
    """Results in a file, or in a group of it."""
    modalities = {name: each for name, each in group.items() if name != FLAKES and (f"{name}/map" in group or f"{name}/peaks" in group)}
    maps = {name: netcdf.read_map_group(each["map"], name=name) for name, each in modalities.items() if "map" in each}
    peaks = _all_peaks(modalities)
    paired = _read_pair(group[PAIR], peaks["raman"], peaks.get("pl")) if PAIR in group and "raman" in peaks else None
    told = tuple(json.loads(netcdf.text_of(group.attrs, "warnings") or "[]"))
    theory = read_beside(group[THEORY]) if THEORY in group else None
    return Results(maps, peaks, netcdf.text_of(group.attrs, "recipe"), paired, *_read_learnt(group, paired), warnings=told, theory=theory)


def _read_learnt(group: Any, paired: PairedMaps | None) -> tuple[TrainedModel | None, Explanation | None]:
    model = read_model(group[MODEL]) if MODEL in group else None
    known = None if model is None else model.samples
    explanation = read_explanation(group[EXPLANATION], known) if EXPLANATION in group else None
    if model is not None and paired is not None:
        model = replace(model, history=histories.given(model.history, paired.history))
    return model, explanation


def _all_peaks(modalities: Mapping[str, Any]) -> dict[str, PeakMaps]:
    return {name: _read_peaks(group["peaks"], name) for name, group in modalities.items() if "peaks" in group}


def _read_peaks(group: Any, name: str) -> PeakMaps:
    arrays: dict[str, Any] = {key: numbers_of(group[key]) for parameter in PARAMETERS for key in (parameter, f"{parameter}_error")}
    return PeakMaps(
        frame=netcdf.read_frame(group, group["status"].shape),
        axis=netcdf.read_axis(group),
        names=texts_of(group["peak"]),
        shapes=texts_of(group["shape"]),
        windows=tuple((float(low), float(high)) for low, high in numbers_of(group["window"])),
        status=numbers_of(group["status"]),
        reduced_chi2=numbers_of(group["reduced_chi2"]),
        **read_under(group),
        **_read_derived(group),
        computed=read_computed(group),
        **arrays,
        **netcdf.texts_of(group, name, ""),
    )

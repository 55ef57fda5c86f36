"""``results.nc``: everything that a run made, in groups that any NetCDF-4 reader can open."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_wse2xai.data import Components, Explanation, History, PairedMaps, PeakMaps, Results, SpectralMap, TrainedModel
from napari_wse2xai.data import history as histories
from napari_wse2xai.errors import ReaderError
from napari_wse2xai.io import netcdf
from napari_wse2xai.io.artefacts import COMPONENTS, EXPLANATION, MODEL, PAIR, RAMAN, read_artefact, write_artefact
from napari_wse2xai.io.atomic import new_file
from napari_wse2xai.io.codec import LAYOUT
from napari_wse2xai.io.hdf_node import HdfNode
from napari_wse2xai.io.readers.netcdf import open_netcdf
from napari_wse2xai.io.results_theory import THEORY
from napari_wse2xai.ordinary import require_ordinary, shown
from napari_wse2xai.theory.beside import TheoryBeside

FLAKES, _LAYOUT, _JOB = "flakes", "layout", "job"
_LEARNT = (MODEL, EXPLANATION, THEORY)


def write_results(results: Results, path: str | Path, beside: Mapping[str, Results] | None = None, *, job: str = "") -> None:
    """Write the results of a run; the file appears complete or not at all.

    Parameters
    ----------
    beside : results of further flakes by their names, each written in the same groups below ``/flakes/NAME``
    job : what a batch says of the job that made them; `read_job` reads it
    """
    import h5netcdf

    further = beside or {}
    size = sum(map(_size_of, (results, *further.values())))
    with new_file(path, expected_bytes=size) as temporary, h5netcdf.File(temporary, "w") as file:
        file.attrs.update({"Conventions": netcdf.CONVENTIONS, "title": "Raman and PL maps of flakes", _LAYOUT: LAYOUT})
        if job:
            file.attrs[_JOB] = job
        _write(file, results)
        for name, each in further.items():
            _write(file.create_group(f"{FLAKES}/{name}"), each)


def _write(group: HdfNode, results: Results) -> None:
    """Write results into a file or a group of it."""
    group.attrs["recipe"] = results.recipe
    group.attrs["warnings"] = json.dumps(results.warnings, ensure_ascii=False)
    _write_modalities(group, results)
    if results.paired is not None:
        write_artefact(group.create_group(PAIR), results.paired)
    known = None if results.model is None else results.model.samples
    for artefact in (results.model, results.explanation, results.theory):
        if artefact is not None:
            write_artefact(group, artefact, known=known)


def _size_of(results: Results) -> int:
    """About how many bytes the results take."""
    found = [part for part in (results.model, results.explanation) if part is not None]
    learnt = [*found, *(part.samples for part in found)]
    arrays = [value for part in (*results.maps.values(), *results.peaks.values(), *learnt) for value in vars(part).values()]
    return sum(value.nbytes for value in arrays if isinstance(value, np.ndarray)) + (1 + 4 * len(learnt)) * netcdf.OVERHEAD


def _write_modalities(file: HdfNode, results: Results) -> None:
    every: History = ()
    for modality in dict.fromkeys((*results.maps, *results.peaks)):
        group = file.create_group(modality)
        parts = (results.maps.get(modality), results.peaks.get(modality))
        history = max((part.history for part in parts if part is not None), key=len)
        group.attrs["history"] = histories.to_json(history)
        every += history
        _write_modality(group, *parts)
        if modality in results.components:
            write_artefact(group.create_group(COMPONENTS), results.components[modality])
    file.attrs["history"] = histories.to_json(every)


def _write_modality(group: HdfNode, spectral_map: SpectralMap | None, peaks: PeakMaps | None) -> None:
    if spectral_map is not None:
        write_artefact(group.create_group("map"), spectral_map)
        if spectral_map.flake is not None:
            flake = group.create_group("flake")
            netcdf.write_frame(flake, spectral_map.frame)
            netcdf.write_flake(flake, spectral_map.flake)
            flake.attrs["history"] = histories.to_json(spectral_map.history)
    if peaks is not None:
        write_artefact(group.create_group("peaks"), peaks)


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


def parts_of(results: Results) -> dict[str, Any]:
    """What results hold beside maps, by the names of its groups; ``raman`` and ``pl`` are all that there is of one map."""
    found: dict[str, Any] = {}
    for name in dict.fromkeys((*results.maps, *results.peaks)):
        peaks = {key: each for key, each in results.peaks.items() if key == name}
        found[name] = Results({key: each for key, each in results.maps.items() if key == name}, peaks)
        found |= {f"{name}/peaks": each for each in peaks.values()}
    learnt = {PAIR: results.paired, MODEL: results.model, EXPLANATION: results.explanation}
    return found | {name: each for name, each in learnt.items() if each is not None}


def read_job(path: str | Path) -> str:
    """Read what a batch says of the job that made a file of results; empty where it was none, or the file is damaged."""
    try:
        with _opened(path) as file:
            return netcdf.text_of(file.attrs, _JOB)
    except ReaderError:
        return ""


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
        if int(np.asarray(file.attrs.get(_LAYOUT, 1)).item()) > LAYOUT:
            raise ReaderError(f"'{source.name}' was written by a later version of napari-wse2xai; open it with that.")
        yield file


def _holds_results(group: HdfNode) -> bool:
    return any(name in _LEARNT or "map" in each or "peaks" in each for name, each in group.items() if hasattr(each, "keys"))


def _read(group: HdfNode) -> Results:
    """Results in a file, or in a group of it."""
    modalities = {name: each for name, each in group.items() if name != FLAKES and (f"{name}/map" in group or f"{name}/peaks" in group)}
    maps = {name: read_artefact(each["map"], SpectralMap, name=name) for name, each in modalities.items() if "map" in each}
    peaks = {name: read_artefact(each["peaks"], PeakMaps, name=name) for name, each in modalities.items() if "peaks" in each}
    paired = _paired(group[PAIR], peaks) if PAIR in group and RAMAN in peaks else None
    components = {name: read_artefact(each[COMPONENTS], Components) for name, each in modalities.items() if COMPONENTS in each}
    told = tuple(json.loads(netcdf.text_of(group.attrs, "warnings") or "[]"))
    theory = read_artefact(group, TheoryBeside) if THEORY in group else None
    recipe = netcdf.text_of(group.attrs, "recipe")
    return Results(maps, peaks, recipe, paired, *_learnt(group, paired), warnings=told, theory=theory, components=components)


def _paired(group: HdfNode, peaks: Mapping[str, PeakMaps]) -> PairedMaps:
    paired: PairedMaps = read_artefact(group, PairedMaps, raman=peaks[RAMAN])
    parents = [peaks[name].history for name in (RAMAN, "pl") if name in peaks]
    return replace(paired, history=histories.given(paired.history, *parents))


def _learnt(group: HdfNode, paired: PairedMaps | None) -> tuple[TrainedModel | None, Explanation | None]:
    model: TrainedModel | None = read_artefact(group, TrainedModel) if MODEL in group else None
    explanation: Explanation | None = read_artefact(group, Explanation, model=model) if EXPLANATION in group else None
    if model is not None and paired is not None:
        model = replace(model, history=histories.given(model.history, paired.history))
    return model, explanation

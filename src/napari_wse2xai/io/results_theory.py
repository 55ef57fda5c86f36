"""Theory beside the data in ``results.nc``, group ``/theory``: the calculated spectra, mean spectra, names, and what was said."""

import json
from typing import Any

import numpy as np

from napari_wse2xai.io import codec, netcdf
from napari_wse2xai.io.hdf5 import numbers_of, texts_of
from napari_wse2xai.io.hdf_node import HdfNode
from napari_wse2xai.io.theory_files import write_theory_group
from napari_wse2xai.theory.beside import TheoryBeside
from napari_wse2xai.theory.evaluation import TheoryResult
from napari_wse2xai.theory.matching import Match
from napari_wse2xai.theory.reference import PristineModes

THEORY = "theory"
_MATCHES = {
    "shift": ("cm-1", "to be added to the engine's wavenumbers"),
    "shift_error": ("cm-1", "standard error of shift"),
    "scale": ("", "measured counts per unit of the calculated spectrum"),
    "scale_error": ("", "standard error of scale"),
}


def write_beside(group: HdfNode, beside: TheoryBeside) -> None:
    """Write everything into a group, so that `read_beside` gives it back without calculating."""
    write_theory_group(group, beside.result)
    netcdf.write_frame(group, beside.frame)
    codec.write(group, beside)
    _write_matches(group, beside)
    modes = beside.result.modes
    tensors = {mode: tensor.tolist() for mode, tensor in modes.tensors.items()}
    group.attrs["pristine_modes"] = json.dumps({**vars(modes), "tensors": tensors})


def _write_matches(group: HdfNode, beside: TheoryBeside) -> None:
    found = [beside.matches[engine] for engine in beside.result.engines]
    for name, (unit, meaning) in _MATCHES.items():
        values = np.array([getattr(one, name) for one in found], dtype=np.float64)
        codec.put(group, name, ("engine",), values, units=unit or beside.intensity_unit, long_name=meaning)
    group.attrs["compared_from"] = np.array([one.window[0] for one in found], dtype=np.float64)
    group.attrs["compared_to"] = np.array([one.window[1] for one in found], dtype=np.float64)
    group.attrs["not_laid_over"] = json.dumps([one.problem for one in found], ensure_ascii=False)


def read_beside(group: HdfNode) -> TheoryBeside:
    """Read what `write_beside` wrote."""
    fields = codec.read(TheoryBeside, group)
    frame = netcdf.read_frame(group, fields["region"].shape)
    return TheoryBeside(result=_read_result(group), frame=frame, matches=_read_matches(group), **fields)


def _read_matches(group: HdfNode) -> dict[str, Match]:
    numbers = np.stack([numbers_of(group[name]) for name in _MATCHES], axis=1)
    windows = zip(np.atleast_1d(group.attrs["compared_from"]), np.atleast_1d(group.attrs["compared_to"]), strict=True)
    rows = zip(texts_of(group["engine"]), numbers, windows, _json(group, "not_laid_over"), strict=True)
    return {
        engine: Match(**dict(zip(_MATCHES, row.tolist(), strict=True)), window=(float(low), float(high)), problem=str(why))
        for engine, row, (low, high), why in rows
    }


def _read_result(group: HdfNode) -> TheoryResult:
    modes = _json(group, "pristine_modes")
    tensors = {mode: np.array(tensor) for mode, tensor in modes.pop("tensors").items()}
    none: dict[str, Any] = {"controls": (), "control_height": np.zeros((len(group["engine"]), 0, len(group["mode"])))}
    return TheoryResult(modes=PristineModes(**modes, tensors=tensors), **none | codec.read(TheoryResult, group))


def _json(group: HdfNode, name: str) -> Any:
    return json.loads(netcdf.text_of(group.attrs, name))

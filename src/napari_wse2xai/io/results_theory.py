"""Theory beside the data in ``results.nc``, group ``/theory``: the calculated spectra, mean spectra, names, and what was said."""

import json
from dataclasses import asdict
from typing import Any

import numpy as np

from napari_wse2xai.data import history as histories
from napari_wse2xai.io import netcdf
from napari_wse2xai.io.hdf5 import numbers_of, texts_of
from napari_wse2xai.io.theory_files import write_theory_group
from napari_wse2xai.theory.agreement import Agreement
from napari_wse2xai.theory.beside import REGIONS, TheoryBeside
from napari_wse2xai.theory.evaluation import Conditions, FoldedPeak, TheoryResult
from napari_wse2xai.theory.matching import Match
from napari_wse2xai.theory.naming import Assignment
from napari_wse2xai.theory.reference import PristineModes

THEORY = "theory"
_TEXTS = ("light", "intensity_unit", "explained", "name")
_ENGINE = ("engine",)
_MATCHES = {
    "shift": ("cm-1", "to be added to the engine's wavenumbers"),
    "shift_error": ("cm-1", "standard error of shift"),
    "scale": ("", "measured counts per unit of the calculated spectrum"),
    "scale_error": ("", "standard error of scale"),
}


def write_beside(group: Any, beside: TheoryBeside) -> None:
    """Write everything into a group, so that `read_beside` gives it back without calculating."""
    write_theory_group(group, beside.result)
    netcdf.write_frame(group, beside.frame)
    region = group.create_variable("region", ("y", "x"), data=beside.region)
    region.attrs.update({"flag_values": np.arange(4, dtype=np.uint8), "flag_meanings": "elsewhere bright dark between"})
    _write_means(group, beside)
    _write_matches(group, beside)
    group.attrs.update({name: getattr(beside, name) for name in _TEXTS})
    group.attrs["evidence"] = json.dumps(beside.evidence, ensure_ascii=False)
    group.attrs["agreement"] = json.dumps(None if beside.agreement is None else asdict(beside.agreement))
    group.attrs["proposals"] = json.dumps([asdict(one) for one in beside.proposals], ensure_ascii=False)
    group.attrs["history"] = histories.to_json(beside.history)
    group.attrs["pristine_modes"] = _modes_to_json(beside.result.modes)
    group.attrs["folded"] = json.dumps({engine: asdict(peak) for engine, peak in beside.result.folded.items()})


def _write_means(group: Any, beside: TheoryBeside) -> None:
    import h5py

    group.dimensions["part"], group.dimensions["spectral"] = len(REGIONS), len(beside.axis)
    group.create_variable("part", ("part",), data=np.array(REGIONS, dtype=object), dtype=h5py.string_dtype())
    group.create_variable("spectral", ("spectral",), data=beside.axis).attrs.update({"units": "cm-1", "long_name": "Raman shift"})
    mean = group.create_variable("mean_spectrum", ("part", "spectral"), data=beside.spectra)
    mean.attrs.update({"units": beside.intensity_unit, "long_name": "mean of the flake, and of its bright and dark parts"})


def _write_matches(group: Any, beside: TheoryBeside) -> None:
    found = [beside.matches[engine] for engine in beside.result.engines]
    for name, (unit, meaning) in _MATCHES.items():
        variable = group.create_variable(name, _ENGINE, data=np.array([getattr(one, name) for one in found], dtype=np.float64))
        variable.attrs.update({"units": unit or beside.intensity_unit, "long_name": meaning})
    group.attrs["compared_from"] = np.array([one.window[0] for one in found], dtype=np.float64)
    group.attrs["compared_to"] = np.array([one.window[1] for one in found], dtype=np.float64)
    group.attrs["not_laid_over"] = json.dumps([one.problem for one in found], ensure_ascii=False)


def _modes_to_json(modes: PristineModes) -> str:
    tensors = {mode: tensor.tolist() for mode, tensor in modes.tensors.items()}
    return json.dumps({**vars(modes), "tensors": tensors})


def read_beside(group: Any) -> TheoryBeside:
    """Read what `write_beside` wrote."""
    attributes: dict[str, Any] = {name: netcdf.text_of(group.attrs, name) for name in _TEXTS}
    agreement = _json(group, "agreement")
    region = numbers_of(group["region"]).astype(np.uint8)
    return TheoryBeside(
        result=read_theory(group),
        frame=netcdf.read_frame(group, region.shape),
        region=region,
        axis=numbers_of(group["spectral"]),
        spectra=numbers_of(group["mean_spectrum"]),
        matches=_read_matches(group),
        proposals=tuple(Assignment(**{**one, "also": tuple(one["also"])}) for one in _json(group, "proposals")),
        evidence=tuple(str(text) for text in _json(group, "evidence")),
        agreement=None if agreement is None else Agreement(**agreement),
        history=histories.from_json(netcdf.text_of(group.attrs, "history")),
        **attributes,
    )


def _json(group: Any, name: str) -> Any:
    return json.loads(netcdf.text_of(group.attrs, name))


def _read_matches(group: Any) -> dict[str, Match]:
    numbers = np.stack([numbers_of(group[name]) for name in _MATCHES], axis=1)
    windows = zip(np.atleast_1d(group.attrs["compared_from"]), np.atleast_1d(group.attrs["compared_to"]), strict=True)
    rows = zip(texts_of(group["engine"]), numbers, windows, _json(group, "not_laid_over"), strict=True)
    return {
        engine: Match(**dict(zip(_MATCHES, row.tolist(), strict=True)), window=(float(low), float(high)), problem=str(why))
        for engine, row, (low, high), why in rows
    }


def read_theory(group: Any) -> TheoryResult:
    """Read the calculated spectra of a group that `write_beside` wrote."""
    modes = _json(group, "pristine_modes")
    tensors = {mode: np.array(tensor) for mode, tensor in modes.pop("tensors").items()}
    arrays: dict[str, Any] = {
        name: numbers_of(group[name]) for name in ("spectral_intensity", "raman", "mode_frequency", "relative_height")
    }
    controls = texts_of(group["control"]) if "control" in group else ()
    none = np.zeros((len(group["engine"]), 0, len(group["mode"])))
    return TheoryResult(
        material=netcdf.text_of(group.attrs, "material"),
        conditions=Conditions(**_json(group, "conditions")),
        modes=PristineModes(**modes, tensors=tensors),
        engines=texts_of(group["engine"]),
        structures=texts_of(group["structure"]),
        controls=controls,
        wavenumbers=numbers_of(group["wavenumber"]),
        control_height=numbers_of(group["control_height"]) if controls else none,
        folded={engine: FoldedPeak(**peak) for engine, peak in _json(group, "folded").items()},
        provenance=_json(group, "provenance"),
        **arrays,
    )

"""NeXus: a measurement as NXraman or NXoptical_spectroscopy, with what was fitted to it, for repositories and others' tools."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai._version import __version__
from napari_wse2xai.data import PARAMETERS, AxisKind, History, PeakMaps, Results, SpectralAxis, SpectralMap
from napari_wse2xai.data import history as histories
from napari_wse2xai.errors import DataError
from napari_wse2xai.io.atomic import new_file
from napari_wse2xai.io.exporters._export import Export
from napari_wse2xai.io.hdf_node import HdfNode

DEFINITIONS = {AxisKind.RAMAN_SHIFT: "NXraman"}
"""By what the axis is; all other light is optical spectroscopy."""
_URL = "https://fairmat-nfdi.github.io/nexus_definitions/classes/applications"
_OVERHEAD = 1 << 18


def write(artefact: SpectralMap | PeakMaps | Results, path: Path) -> None:
    """Write an entry for each measurement, as NXraman or NXoptical_spectroscopy: spectra, and what was fitted to them."""
    import h5py

    maps, peaks = _parts(artefact)
    axes = [*(each.axis for each in maps.values()), *(each.axis for each in peaks.values())]
    lasers = [axis.laser_nm for axis in axes if axis.kind in DEFINITIONS]
    if None in lasers:
        raise DataError(
            f"'{path.name}': NXraman wants the wavelength of the laser, which is not known; give it (convert --laser, laser_nm in a recipe "
            "or from Python), and write again."
        )
    size = sum(each.counts.nbytes for each in maps.values()) + _OVERHEAD
    with new_file(path, expected_bytes=size) as temporary, h5py.File(temporary, "w") as file:
        names = list(dict.fromkeys((*maps, *peaks)))
        file.attrs.update({"NX_class": "NXroot", "default": names[0], "creator": f"napari-wse2xai {__version__}"})
        for name in names:
            _write_entry(_group(file, name, "NXentry"), maps.get(name), peaks.get(name))


def _parts(artefact: SpectralMap | PeakMaps | Results) -> tuple[dict[str, SpectralMap], dict[str, PeakMaps]]:
    """Maps and peaks by the names of their entries."""
    if isinstance(artefact, Results):
        return dict(artefact.maps), dict(artefact.peaks)
    name = artefact.axis.kind.modality
    return ({name: artefact}, {}) if isinstance(artefact, SpectralMap) else ({}, {name: artefact})


def _write_entry(entry: HdfNode, source: SpectralMap | None, peaks: PeakMaps | None) -> None:
    known = source or peaks
    assert known is not None
    definition = DEFINITIONS.get(known.axis.kind, "NXoptical_spectroscopy")
    entry["definition"] = definition
    entry["definition"].attrs.update({"version": "2024.02", "URL": f"{_URL}/{definition}.html"})
    entry["title"] = known.name
    if definition == "NXraman":
        entry["experiment_type"], entry["raman_experiment_type"] = "Raman spectroscopy", "Raman imaging"
    else:
        entry["experiment_type"], entry["experiment_sub_type"] = "photoluminescence", "imaging"
    _write_instrument(_group(entry, "instrument", "NXinstrument"), known.axis)
    _group(entry, "sample", "NXsample")["name"] = known.frame.sample or known.name
    _write_process(_group(entry, "processing", "NXprocess"), known.history)
    if source is not None:
        _write_spectra(_group(entry, "data", "NXdata"), source)
    if peaks is not None:
        _write_fit(_group(entry, "fit", "NXprocess"), peaks)
    if source is None and peaks is not None:
        _write_maps(_group(entry, "data", "NXdata"), peaks, "height", {"height": peaks.height[0]})["title"] = peaks.names[0]
    entry.attrs["default"] = "data"


def _write_instrument(group: HdfNode, axis: SpectralAxis) -> None:
    """Write what is known of beam and detector."""
    if axis.kind in DEFINITIONS:
        group["scattering_configuration"] = "not known"  # no file tells how light was polarised
    beam = _group(group, "beam_incident", "NXbeam")
    beam["parameter_reliability"] = "nominal"
    if axis.laser_nm is not None:
        _put(beam, "incident_wavelength", float(axis.laser_nm), "nm")
        if axis.kind in DEFINITIONS:
            _put(beam, "wavelength", float(axis.laser_nm), "nm")
    _group(group, "detector_spectrometer", "NXdetector")["detector_channel_type"] = "multichannel"


def _write_process(group: HdfNode, history: History) -> None:
    """Write the program, and the history as this package reads it."""
    group["program"], group["version"] = "napari-wse2xai", __version__
    note = _group(group, "history", "NXnote")
    note["type"], note["data"] = "application/json", np.bytes_(histories.to_json(history).encode())


def _write_spectra(group: HdfNode, source: SpectralMap) -> None:
    group.attrs.update({"signal": "counts", "axes": ["y", "x", "spectral"]})
    counts = group.create_dataset("counts", source.counts.shape, dtype=np.float32)
    counts.attrs.update({"units": _unit(source.intensity_unit), "long_name": f"intensity ({source.intensity_unit})"})
    for row in range(len(counts)):  # a map that lies in its file is not taken into memory whole
        counts[row] = source.counts[row]
    _write_places(group, source)
    _put(group, "spectral", source.axis.values, _unit(source.axis.unit), source.axis.kind.value)


def _write_fit(group: HdfNode, peaks: PeakMaps) -> None:
    """Write a group of maps for each peak, every parameter with its standard error, and what was fitted where as parameters."""
    group["program"], group["version"] = "napari-wse2xai", __version__
    quality = _write_maps(_group(group, "quality", "NXdata"), peaks, "reduced_chi2", {"reduced_chi2": peaks.reduced_chi2})
    _put(quality, "status", peaks.status, "", "0 where the fit is without objection")
    for index, name in enumerate(peaks.names):
        maps = {parameter: getattr(peaks, parameter)[index] for parameter in reversed(PARAMETERS)}
        maps |= {f"{parameter}_errors": getattr(peaks, f"{parameter}_error")[index] for parameter in PARAMETERS}
        _write_maps(_group(group, f"peak_{index}", "NXdata"), peaks, "height", maps)["title"] = name
        told = _group(group, f"peak_{index}_parameters", "NXparameters")
        told["label"], told["function_type"], told["window"] = name, peaks.shapes[index], _window(peaks, index)


def _window(peaks: PeakMaps, index: int) -> str:
    low, high = peaks.windows[index]
    return f"{low:g} to {high:g} {peaks.axis.unit}"


def _write_maps(group: HdfNode, peaks: PeakMaps, signal: str, maps: Mapping[str, NDArray[Any]]) -> HdfNode:
    """Write maps of a peak by their names, each with its unit, and where they lie."""
    group.attrs.update({"signal": signal, "axes": ["y", "x"]})
    for name, values in maps.items():
        parameter = name.removesuffix("_errors")
        _put(group, name, values, _unit(peaks.unit(parameter)) if parameter in PARAMETERS else "")
    _write_places(group, peaks)
    return group


def _write_places(group: HdfNode, artefact: SpectralMap | PeakMaps) -> None:
    frame = artefact.frame
    for name, values, along in zip("yx", (frame.y_um, frame.x_um), frame.directions, strict=True):
        _put(group, name, values, along.unit or "1", f"stage position {along.name}" if along.is_length else along.name)


def _group(parent: HdfNode, name: str, kind: str) -> HdfNode:
    made = parent.create_group(name)
    made.attrs["NX_class"] = kind
    return made


def _put(group: HdfNode, name: str, values: object, unit: str, words: str = "") -> HdfNode:
    dataset = group.create_dataset(name, data=values)
    if unit:
        dataset.attrs["units"] = unit
    if words:
        dataset.attrs["long_name"] = words
    return dataset


def _unit(unit: str) -> str:
    """Unit as NeXus writes it."""
    return {"cm-1": "1/cm"}.get(unit, unit)


EXPORT = Export(
    "NeXus",
    (".nxs",),
    (SpectralMap, PeakMaps, Results),
    write,
    holds="NXraman, or NXoptical_spectroscopy of photoluminescence; a group of maps for each peak, with errors",
    opens="this package, NOMAD, Mantid, DAWN, h5py",
)

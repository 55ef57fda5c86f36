"""One artefact in a group of its own, each as in the results of a run: what a file of a whole session is made of."""

from typing import Any

from napari_wse2xai.data import Explanation, PairedMaps, PeakMaps, Samples, SpectralMap, TrainedModel
from napari_wse2xai.io import netcdf
from napari_wse2xai.io.results import _read_pair, _read_peaks, _write_pair, _write_peaks
from napari_wse2xai.io.results_explanation import EXPLANATION, read_explanation, write_explanation
from napari_wse2xai.io.results_model import MODEL, read_model, write_model
from napari_wse2xai.io.results_theory import THEORY, read_beside, write_beside
from napari_wse2xai.theory.beside import TheoryBeside

RAMAN = "raman"


def write_artefact(group: Any, artefact: Any, *, known: Samples | None = None, with_raman: bool = False) -> None:
    """Write one artefact into a group.

    Parameters
    ----------
    known : samples of the model of an explanation, where the file holds that too
    with_raman : write the RS peaks of a pair into its group too; else they are to be given to `read_artefact`
    """
    if isinstance(artefact, SpectralMap):
        netcdf.write_map_group(group, artefact)
    elif isinstance(artefact, PeakMaps):
        _write_peaks(group, artefact)
    elif isinstance(artefact, PairedMaps):
        _write_pair(group, artefact)
        if with_raman:
            _write_peaks(group.create_group(RAMAN), artefact.raman)
    elif isinstance(artefact, TrainedModel):
        write_model(group.create_group(MODEL), artefact)
    elif isinstance(artefact, Explanation):
        write_explanation(group.create_group(EXPLANATION), artefact, known)
    else:
        write_beside(group.create_group(THEORY), artefact)


def read_artefact(group: Any, kind: type, *, raman: PeakMaps | None = None, model: TrainedModel | None = None) -> Any:
    """Read what `write_artefact` wrote.

    Parameters
    ----------
    raman : RS peaks of a pair that does not hold its own
    model : model of an explanation that does not hold its own samples
    """
    if kind is SpectralMap:
        return netcdf.read_map_group(group, name="map")
    if kind is PeakMaps:
        return _read_peaks(group, "peaks")
    if kind is PairedMaps:
        return _read_pair(group, _read_peaks(group[RAMAN], RAMAN) if raman is None else raman, None)
    if kind is TrainedModel:
        return read_model(group[MODEL])
    if kind is Explanation:
        return read_explanation(group[EXPLANATION], None if model is None else model.samples)
    return read_beside(group[THEORY])


KINDS: dict[str, type] = {
    "map": SpectralMap,
    "peaks": PeakMaps,
    "pair": PairedMaps,
    "model": TrainedModel,
    "explanation": Explanation,
    "theory": TheoryBeside,
}
"""Kinds of artefacts by their words in a file."""

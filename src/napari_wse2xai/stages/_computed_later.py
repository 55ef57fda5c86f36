"""Maps that are worked out of a deconvolution that is done."""

from collections.abc import Sequence
from dataclasses import replace

from napari_wse2xai.data import PeakMaps, Record, SpectralMap
from napari_wse2xai.errors import SettingsError, sentence
from napari_wse2xai.stages._computing import computed_maps
from napari_wse2xai.stages._refitted import refitted, settings_of
from napari_wse2xai.stages.computed import Computed, check_computed


def compute(peaks: PeakMaps, source: SpectralMap, *wanted: Computed) -> PeakMaps:
    """Add computed maps to a deconvolution that is done.

    Parameters
    ----------
    peaks : as `Deconvolve` gave them
    source : the map that was deconvolved
    wanted : what to work out; one of the name of a computed map that is there takes its place

    Returns
    -------
    the peaks with more computed maps; their history is as if `Deconvolve` had been asked for them

    Raises
    ------
    SettingsError
        A formula that these peaks do not allow.
    """
    stage = settings_of(peaks)
    names = {each.name for each in wanted}
    every = (*(each for each in stage.computed if each.name not in names), *wanted)
    try:
        check_computed(every, stage.peaks)
    except ValueError as error:
        raise SettingsError(sentence(str(error))) from None
    found = {each.name: each for each in (*peaks.computed, *computed_maps(wanted, refitted(stage, peaks, source)))}
    kept = tuple(found[each.name] for each in every if each.name in found)
    return replace(peaks, computed=kept, history=tuple(_with(record, every) for record in peaks.history))


def _with(record: Record, computed: Sequence[Computed]) -> Record:
    """A record of a deconvolution as one that was asked for these computed maps."""
    if record.step != "Deconvolve":
        return record
    return replace(record, settings={**record.settings, "computed": [each.model_dump(mode="json") for each in computed]})

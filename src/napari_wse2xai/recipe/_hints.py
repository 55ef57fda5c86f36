"""Presets that list what a fit was found to lack."""

from collections.abc import Sequence

import numpy as np

from napari_wse2xai.data import AxisKind, PeakMaps
from napari_wse2xai.recipe._read import preset, preset_names
from napari_wse2xai.stages import Peak, Proposal

NEAR = 3.0
"""Distance, cm-1, within which two lists mean the same line."""
SHARED = 0.6
"""Share of the fitted peaks that a preset must list as well, to be for the same material."""


def hint(proposal: Proposal, peaks: PeakMaps) -> str:
    """A sentence that names the presets which list a missing Raman line beside most peaks that were fitted; empty where none does."""
    if proposal.peak is None or peaks.axis.kind is not AxisKind.RAMAN_SHIFT:
        return ""
    found = [name for name in preset_names() if _lists(_raman_peaks(name), proposal.peak, _places(peaks))]
    return f" It is in the preset {' and '.join(found)}." if found else ""


def _places(peaks: PeakMaps) -> list[float]:
    """Where the peaks were found, cm-1."""
    return [float(np.nanmedian(place)) for place in peaks.position if np.isfinite(place).any()]


def _raman_peaks(name: str) -> Sequence[Peak]:
    section = preset(name).raman
    return () if section is None or section.deconvolve is None else section.deconvolve.peaks


def _lists(listed: Sequence[Peak], missing: Peak, places: Sequence[float]) -> bool:
    """Whether a list holds a line that is not one of some places, and most of these."""
    reach = max(NEAR, 0.5 * missing.fwhm)
    away = [abs(peak.position - missing.position) for peak in listed]
    new = [all(abs(peak.position - place) > far for place in places) for peak, far in zip(listed, away, strict=True)]
    same = sum(any(abs(peak.position - place) < NEAR for peak in listed) for place in places)
    return any(far < reach and other for far, other in zip(away, new, strict=True)) and same >= SHARED * max(len(places), 1)

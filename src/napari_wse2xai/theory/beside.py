"""Theory laid beside one measured flake: the noun that travels to the window, the report and the results file."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Explanation, Frame, History, Record
from napari_wse2xai.theory.agreement import Agreement
from napari_wse2xai.theory.cell import Array
from napari_wse2xai.theory.evaluation import TheoryResult
from napari_wse2xai.theory.findings import sentences
from napari_wse2xai.theory.matching import Match
from napari_wse2xai.theory.naming import Assignment

REGIONS = ("flake", "bright", "dark")
"""Of which there is a mean spectrum; the last two are parts of the first."""


def about(explanation: Explanation) -> str:
    """Say what `TheoryBeside.evidence` of an explanation speaks of."""
    return f"{explanation.target}: {explanation.features[explanation.ranking[0]]}"


@dataclass(frozen=True, eq=False)
class TheoryBeside:
    """Mean spectra of a flake with calculated lines laid over them, names for its peaks, and what theory says of the network's finding.

    Attributes
    ----------
    result : the calculated spectra
    frame : grid of the RS map
    region : (ny, nx) 0 elsewhere, 1 the bright part of the flake, 2 the dark part, 3 what lies between
    light : what bright means, in words
    axis : (n,) cm-1
    spectra : (region, n) mean of each of `REGIONS`, in `intensity_unit`
    matches : per engine, the shift and scale that lay its pristine spectrum over the mean of the flake
    proposals : a name for each measured peak
    explained : the target and the parameter that `evidence` speaks of, as "height: A1'.height"; empty where there is none
    evidence : sentences for the finding card
    agreement : what the last of them rests on; None where there is none
    """

    result: TheoryResult
    frame: Frame
    region: NDArray[np.uint8]
    light: str
    axis: Array
    spectra: Array
    intensity_unit: str
    matches: Mapping[str, Match]
    proposals: tuple[Assignment, ...]
    explained: str = ""
    evidence: tuple[str, ...] = ()
    agreement: Agreement | None = None
    name: str = "map"
    history: History = ()

    def with_record(self, record: Record) -> Self:
        """Return the same with one more step in its history."""
        return replace(self, history=(*self.history, record))

    def speaks_of(self, explanation: Explanation) -> bool:
        """Whether `evidence` is about an explanation: of the same target, with the same first parameter, on the same grid."""
        return self.explained == about(explanation) and self.frame in explanation.samples.frames

    @property
    def pixels(self) -> tuple[int, int, int]:
        """How many pixels each of `REGIONS` has."""
        bright, dark, between = (int((self.region == part).sum()) for part in (1, 2, 3))
        return bright + dark + between, bright, dark

    def laid_over(self, engine: str, structure: str, region: str) -> Array:
        """(n,) calculated backscattering spectrum on the measured axis, moved and stretched to match, above the region's own background.

        NaN outside the window that was compared, and everywhere where there is no match or no such structure.
        """
        found, result = self.matches[engine], self.result
        calculated = result.raman[result.engines.index(engine), result.structures.index(structure), 0]
        inside = (self.axis >= found.window[0]) & (self.axis <= found.window[1])
        if found.problem or not inside.any():
            return np.full(len(self.axis), np.nan)
        pristine = result.raman[result.engines.index(engine), 0, 0]
        base, curve = (found.scale * np.interp(self.axis - found.shift, result.wavenumbers, values) for values in (pristine, calculated))
        left = self.spectra[REGIONS.index(region)] - base
        ground = float(np.nanmedian(left[inside]))  # deaf to lines that theory does not have
        return np.where(inside, curve + ground, np.nan)

    @property
    def told(self) -> tuple[str, ...]:
        """Everything that is to be read beside the figures: what theory says of the finding first, then what it says at all."""
        return (*self.evidence, *(text for text in sentences(self.result) if text not in self.evidence))

    def match_words(self, engine: str) -> str:
        """Say how an engine's lines had to be moved."""
        found = self.matches[engine]
        if found.problem:
            return f"not laid over: {found.problem}"
        return f"shifted by {found.shift:+.1f} ± {found.shift_error:.1f} cm-1"

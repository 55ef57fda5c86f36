"""Theory laid beside one measured flake: the noun that travels to the window, the report and the results file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Explanation, Frame, History
from napari_wse2xai.data.declared import PLACES, Coordinates, Tabled, along, attribute
from napari_wse2xai.data.history import Recorded
from napari_wse2xai.theory.agreement import Agreement
from napari_wse2xai.theory.cell import Array
from napari_wse2xai.theory.evaluation import TheoryResult
from napari_wse2xai.theory.findings import sentences
from napari_wse2xai.theory.matching import Match
from napari_wse2xai.theory.naming import Assignment

PARTS = ("elsewhere", "bright", "dark", "between")
"""Words for the values of `TheoryBeside.region`."""
REGIONS = ("flake", "bright", "dark")
"""Of which there is a mean spectrum; the last two are parts of the first."""


def about(explanation: Explanation) -> str:
    """Say what `TheoryBeside.evidence` of an explanation speaks of."""
    return f"{explanation.target}: {explanation.features[explanation.ranking[0]]}"


@dataclass(frozen=True, eq=False)
class TheoryBeside(Recorded, Tabled):
    """Mean spectra of a flake with calculated lines laid over them, names for its peaks, and what theory says of the network's finding."""

    result: TheoryResult
    """The calculated spectra."""
    frame: Frame
    """Grid of the RS map."""
    region: Annotated[NDArray[np.uint8], along(*PLACES, flags=dict(enumerate(PARTS)), says="part of the flake")]
    light: Annotated[str, attribute()]
    """What bright means, in words."""
    axis: Annotated[Array, along("spectral", stored="spectral", unit="cm-1", says="Raman shift")]
    spectra: Annotated[
        Array,
        along(
            "part",
            "spectral",
            stored="mean_spectrum",
            unit="{0.intensity_unit}",
            says="mean of the flake, and of its bright and dark parts",
        ),
    ]
    intensity_unit: Annotated[str, attribute()]
    matches: Mapping[str, Match]
    """Per engine, the shift and scale that lay its pristine spectrum over the mean of the flake."""
    proposals: Annotated[tuple[Assignment, ...], attribute()]
    """A name for each measured peak."""
    explained: Annotated[str, attribute()] = ""
    """The target and the parameter that `evidence` speaks of, as "height: A1'.height"; empty where there is none."""
    evidence: Annotated[tuple[str, ...], attribute()] = ()
    """Sentences for the finding card."""
    agreement: Annotated[Agreement | None, attribute()] = None
    """What the last of them rests on; None where there is none."""
    name: Annotated[str, attribute()] = "map"
    history: Annotated[History, attribute()] = ()

    def coordinates(self) -> Coordinates:
        """Places of the pixels, and the parts that have a mean spectrum."""
        return self.frame.coordinates() | {"part": (("part",), np.array(REGIONS, dtype=object), "")}

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

"""What a run made, kept together: maps and peaks of each modality, what was learnt from them, and the recipe."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from napari_wse2xai.data.components import Components
from napari_wse2xai.data.explanation import Explanation
from napari_wse2xai.data.paired_maps import PairedMaps
from napari_wse2xai.data.peak_maps import PeakMaps
from napari_wse2xai.data.spectral_map import SpectralMap
from napari_wse2xai.data.trained_model import TrainedModel

if TYPE_CHECKING:
    from napari_wse2xai.theory.beside import TheoryBeside


@dataclass(frozen=True, eq=False)
class Results:
    """Artefacts of a run by modality, ``raman`` or ``pl``."""

    maps: Mapping[str, SpectralMap]
    """Map of each modality after preprocessing, its flake included where it was looked for."""
    peaks: Mapping[str, PeakMaps] = field(default_factory=dict)
    """Peaks of each modality that was deconvolved."""
    recipe: str = ""
    """Text of the recipe (YAML) that was run."""
    paired: PairedMaps | None = None
    """PL on the RS grid, where the run paired them."""
    model: TrainedModel | None = None
    """The network with its scores and verdict, where the run trained one."""
    explanation: Explanation | None = None
    """What the network makes of each RS parameter, where the run explained it."""
    warnings: tuple[str, ...] = ()
    """What the run told the user about the data, a sentence each."""
    theory: "TheoryBeside | None" = None
    """Calculated lines beside the measured ones, where the run compared them."""
    components: Mapping[str, Components] = field(default_factory=dict)
    """What the spectra of each modality are made of before any fit, where the run asked that."""

    def keeping(self, made: Any, place: str) -> Self:
        """Add what a step gave, in its place: the name of a field, or of a field's field (``explanation.recovery``)."""
        outer, _, inner = place.partition(".")
        return replace(self, **{outer: replace(getattr(self, outer), **{inner: made}) if inner else made})

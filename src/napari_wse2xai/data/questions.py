"""What can be asked of a model beside curves and slopes: two parameters at once, regions of the flake, wavenumbers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data.declared import along
from napari_wse2xai.data.quantities import feature_words, pretty

if TYPE_CHECKING:
    from napari_wse2xai.data.explanation import Explanation

Numbers = NDArray[np.float64]
OF_TARGET = "{0.target_unit}"


@dataclass(frozen=True, eq=False)
class TwoParameters:
    """Two parameters at once."""

    features: Annotated[tuple[int, int], along("side", says="places of the two in the list of features")]
    grid: Annotated[Numbers, along("side", "point", stored="values", says="values of the first and of the second")]
    surface: Annotated[Numbers, along("point", "point_of_second", unit=OF_TARGET, says="mean prediction with both set")]
    h: Annotated[float, along(unit="1", says="H (Friedman and Popescu 2008): 0 where the two add up, 1 where all is interaction")]
    strength: Annotated[float, along(unit=OF_TARGET, says="standard deviation of the interaction over the pixels")]

    def sentence(self, explanation: "Explanation") -> str:
        """Say how much of what the two do together is interaction, and whether they can be told apart at all."""
        first, second = (explanation.features[feature] for feature in self.features)
        percent, size = 100 * self.h**2, f"{self.strength:.3g} {pretty(explanation.target_unit)}"
        part = "Less than 1 %" if percent < 1 else f"{percent:.0f} %"
        said = f"{part} of what {feature_words(first)} and {feature_words(second)} do together is interaction (H = {self.h:.2f}, {size})."
        for one, other, rho in explanation.not_separable:
            if {one, other} == {first, second}:
                said += f" The two go together (rank correlation {rho:.2f}): away from the dots nothing was measured."
        return said


@dataclass(frozen=True)
class Region:
    """A part of the flakes in which one parameter acts alike."""

    feature: Annotated[int, along(stored="of_feature", says="place of the parameter in the list of features")]
    number: Annotated[int, along(says="in region_of, from 1, by rising slope")]
    rule: Annotated[str, along(says="when a pixel belongs to it")]
    change: Annotated[float, along(unit=OF_TARGET, says="rise of the prediction from the lowest to the highest value of the parameter")]
    kept: Annotated[float, along(unit="1", says="share of the curves' spread that is left within all regions of the parameter")]


@dataclass(frozen=True, eq=False)
class Wavenumbers:
    """Which channels of which lines a network looks at."""

    channels: Annotated[Numbers, along("line", "channel", stored="wavenumber", unit="{0.samples.axis_unit}", says="places on the axis")]
    drawn: Annotated[Numbers, along("line", "channel", unit="{0.samples.intensity_unit}", says="mean lines")]
    share: Annotated[
        Numbers,
        along("line", "channel", unit="{0.target_unit} per {0.samples.axis_unit}", says="mean size of the integrated gradients"),
    ]
    by_line: Annotated[Numbers, along("line", unit="1", says="share of each line in the whole")]
    pixels: Annotated[int, along(says="pixels that were asked about, from all over the flakes")]
    missed: Annotated[float, along(unit=OF_TARGET, says="by how much the shares of a pixel miss its difference to the mean pixel at most")]

    def sentence(self, explanation: "Explanation") -> str:
        """Share of each line, the greatest first, and how well the shares add up."""
        order = np.argsort(-self.by_line, kind="stable")
        shares = ", ".join(f"{explanation.samples.lines[k].name} {self.by_line[k]:.0%}" for k in order)
        missed = f"{self.missed:.2g} {pretty(explanation.target_unit)}"
        return f"{shares} of what {self.pixels} pixels differ in from the mean pixel; their shares add up within {missed}."


@dataclass(frozen=True, eq=False)
class Answer:
    """What a further question about every parameter gave; which there are, `explaining.further` tells."""

    key: Annotated[str, along(stored="question", says="what was asked")]
    title: Annotated[str, along(stored="title_of_answer", says="the same, as a heading")]
    says: Annotated[str, along(stored="what_it_tells", says="what a value tells")]
    unit: Annotated[str, along(stored="unit_of_answer", says="unit of the values")]
    values: Annotated[Numbers, along("feature", stored="answer", says="one for each parameter")]
    errors: Annotated[Numbers, along("feature", stored="answer_error", says="one standard error of each")]
    sentence: Annotated[str, along(stored="sentence", says="what it comes to")]

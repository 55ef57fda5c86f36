"""Maps that are worked out of peak parameters: distances, ratios, shares, the light of a band."""

from collections.abc import Sequence

from napari_wse2xai.data.quantities import Feature
from napari_wse2xai.numerics.expressions import Expression, band_of
from napari_wse2xai.stages._stage import Settings, setting
from napari_wse2xai.stages.peaks import KINDS, Peak

PARTS = (*KINDS, "area")
"""What may stand after a peak's name and a dot."""


class Computed(Settings):
    """One map, worked out of the parameters of the peaks at every pixel, with its error."""

    name: str = setting(title="Name", description="Name of the map, such as splitting.", min_length=1)
    expression: str = setting(
        title="Expression",
        description="Formula over peak parameters, such as A1'.position - E'.position, A1'.area / E'.area or band(240, 260); "
        "+ - * / ** and functions such as sqrt, exp, log.",
        min_length=1,
    )
    unit: str = setting("", title="Unit", description="Unit where numbers of the formula carry units; empty to work it out.")
    source: str = setting("", title="Source", description="Where numbers of the formula come from.")

    def formula(self, peaks: Sequence[Peak]) -> Expression:
        """The formula over some peaks; raises ValueError with one sentence."""
        try:
            formula = formula_of(self.expression, [peak.name for peak in peaks])
            self.unit_of(formula, "axis units", "counts")
            return formula
        except ValueError as error:
            raise ValueError(f"computed map {self.name}: {error}") from None

    def unit_of(self, formula: Expression, axis_unit: str, intensity_unit: str) -> str:
        """Unit of the map; raises ValueError where the formula adds unlike ones."""
        return self.unit or formula.unit(base_units(formula, axis_unit, intensity_unit))


def formula_of(text: str, names: Sequence[str]) -> Expression:
    """A formula over the parameters of peaks of some names; raises ValueError with one sentence that lists them."""
    words = f"the peaks {', '.join(names)}, each with .{', .'.join(PARTS)}"
    return Expression.of(text, [f"{name}.{part}" for name in names for part in PARTS], bands=True, words=words)


def base_units(formula: Expression, axis_unit: str, intensity_unit: str) -> dict[str, dict[str, float]]:
    """Powers of base units of every name in a formula."""
    along, light = {axis_unit: 1.0}, {part: 1.0 for part in intensity_unit.split() if part != "1"}
    of_kind = {"position": along, "fwhm": along, "height": light, "form": {}, "area": light | along}
    return {name: light | along if band_of(name) else of_kind[Feature.of(name).parameter] for name in formula.names}


def check_computed(computed: Sequence[Computed], peaks: Sequence[Peak]) -> None:
    """Refuse formulas that cannot be evaluated, and names that are taken; raises ValueError with the reason."""
    taken = {peak.name for peak in peaks}
    for each in computed:
        if each.name in taken:
            raise ValueError(f"a peak or another computed map is called {each.name} already; give each its own name")
        taken.add(each.name)
        if peaks:
            each.formula(peaks)

"""What a recipe may hold, and what follows from it."""

from collections.abc import Container, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from pydantic import ConfigDict, Field, create_model, model_validator

from napari_wse2xai.data import TARGETS, PeakMaps, SpectralMap
from napari_wse2xai.numerics.seams import Overlap
from napari_wse2xai.recipe._chain import Chain
from napari_wse2xai.stages import (
    SIDE,
    TABLE,
    Baseline,
    Calibrate,
    CompareTheory,
    ConvertAxis,
    CorrectResponse,
    Deconvolve,
    Despike,
    Explain,
    FindFlake,
    Normalise,
    Pair,
    Settings,
    Simulate,
    Step,
    Train,
)
from napari_wse2xai.stages.baseline import PiecewiseLinear

MODALITIES = ("raman", "pl")
"""Sections of a recipe that name a map."""
LATE: dict[str, type[Step]] = {step.key: step for step in TABLE if not {SpectralMap, PeakMaps}.issuperset(step.takes)}
"""Stages that need both maps, by their section, in the order in which they run."""
AFTER = tuple(step for step in TABLE if step not in SIDE)
"""All stages that are no link of a map's chain: those, and what is laid beside the result."""

LateStep = TypeVar("LateStep", bound=Step)
if TYPE_CHECKING:
    StepName = str
else:
    StepName = Literal[(*(stage.key for stage in SIDE), *LATE)]


class Section(Settings):
    """One map: its file, and the settings of every stage; a stage that is None is left out."""

    file: Path | None = Field(None, description="Map file, relative to the recipe's folder.")
    item: str | None = Field(None, description="Which map, in a file that holds several.")
    laser_nm: float | None = Field(
        None, ge=100, le=20_000, description="Wavelength of the laser in nm, where the file does not say it or says it wrong."
    )
    unit: Literal["cm-1", "abs. cm-1", "nm", "eV"] | None = Field(
        None, description="Unit of the spectral axis, where the file does not say it or says it wrong."
    )
    overlap: Overlap | None = Field(
        None,
        description="Join the pieces of a stitched spectrum, several positions of a grating: as measured (blend), or each scaled or "
        "shifted (offset) to agree with the one before.",
    )
    swap_xy: bool = Field(False, description="Exchange x and y, where the reader took one for the other.")
    correct_response: CorrectResponse | None = None
    convert_axis: ConvertAxis | None = None
    find_flake: FindFlake | None = Field(default_factory=FindFlake)
    despike: Despike | None = Field(default_factory=Despike)
    calibrate: Calibrate | None = None
    baseline: Baseline | None = Field(default_factory=Baseline)
    normalise: Normalise | None = None
    deconvolve: Deconvolve | None = Field(default_factory=Deconvolve)

    @model_validator(mode="after")
    def _what_is_reviewed_is_fitted(self) -> Self:
        """Refuse work by hand on fits that there are none of."""
        if getattr(self, "review", None) is not None and self.deconvolve is None:
            raise ValueError("review is what was done by hand to the fits of deconvolve, which is left out; leave out review too")
        return self

    def told(self) -> dict[str, Any]:
        """What is said of the file for `read`, over what it says itself."""
        return {"unit": self.unit, "overlap": self.overlap, "swap_xy": self.swap_xy}

    def following_peaks(self) -> Self:
        """Take the flake's window and the baseline's areas, where neither recipe nor preset gives them, from the peaks' windows."""
        windows = _united([peak.window for peak in self.deconvolve.peaks] if self.deconvolve else [])
        if not windows:
            return self
        return self.model_copy(update={"find_flake": self._flake_in(windows), "baseline": self._baseline_over(windows)})

    def _flake_in(self, windows: list[tuple[float, float]]) -> FindFlake | None:
        stage = self.find_flake
        # Peaks that are fitted beside the flake say nothing about where the flake shines.
        on_flake = self.deconvolve is not None and self.deconvolve.pixels == "flake"
        if stage is None or "window" in stage.model_fields_set or not on_flake:
            return stage
        return stage.model_copy(update={"window": (windows[0][0], windows[-1][1])})

    def _baseline_over(self, windows: list[tuple[float, float]]) -> Baseline | None:
        stage = self.baseline
        if stage is None or not isinstance(stage.method, PiecewiseLinear) or "areas" in stage.method.model_fields_set:
            return stage
        return stage.model_copy(update={"method": stage.method.model_copy(update={"areas": tuple(windows)})})

    def stages(self, stop_after: str | None = None) -> Iterator[Step]:
        """Stages of this section in the order of the chain."""
        for name in STEPS:
            stage = getattr(self, name)
            if stage is not None:
                yield stage
            if name == stop_after:
                return

    def chain(self, stop_after: str | None = None) -> Chain:
        """Stages of this section, ready to run."""
        return Chain(tuple(self.stages(stop_after)))


def _with_all_stages(known: type[Settings], stages: Iterable[type[Step]]) -> type[Settings]:
    """Section, or recipe, with the stages of the table that it does not name itself."""
    further: dict[str, Any] = {
        stage.key: (stage | None, Field(default_factory=stage if stage.usual else lambda: None))
        for stage in stages
        if stage.key not in known.model_fields
    }
    return create_model(known.__name__, __base__=known, __doc__=known.__doc__, **further) if further else known


if not TYPE_CHECKING:
    Section = _with_all_stages(Section, SIDE)

STEPS: dict[str, type[Step]] = {stage.key: stage for stage in SIDE}
"""Stages by their name in a section, in the order of the chain."""


def _united(windows: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Windows in rising order, overlapping ones as one: the boundary of one may lie on a line of the other."""
    united: list[tuple[float, float]] = []
    for low, high in sorted(windows):
        if united and low < united[-1][1]:
            united[-1] = (united[-1][0], max(high, united[-1][1]))
        else:
            united.append((low, high))
    return united


def running(named: Container[str], last: str | None) -> list[str]:
    """Those of the `LATE` stages that run up to one: those that are named, and those that give what one behind them takes.

    A stage that changes what is there already, and gives what it takes, runs where it is named alone.
    """
    found, wanted = list[str](), set[type]()
    for key, step in reversed(LATE.items() if last is not None else ()):
        if key == last or (found and (key in named or step.gives in wanted - set(step.takes))):
            found.append(key)
            wanted |= set(step.takes)
    return found[::-1]


def _require_computed(key: str, names: Sequence[str], section: Section | None, more: Sequence[str]) -> None:
    """Refuse names that are neither among `more` nor computed in a section."""
    computed = [] if section is None or section.deconvolve is None else [each.name for each in section.deconvolve.computed]
    known = [*more, *computed]
    for name in names:
        if name not in known:
            raise ValueError(f"train.{key} names '{name}', which is not computed; there are {', '.join(map(repr, known)) or 'none'}")


class Recipe(Settings):
    """The whole of a recipe, with the preset's values where it gives none."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: str = Field("wse2-532", description="Where values come from that the recipe does not give.")
    raman: Section | None = None
    pl: Section | None = None
    pair: Pair | None = None
    train: Train | None = None
    explain: Explain | None = None
    simulate: Simulate | None = None
    theory: CompareTheory | None = Field(None, description="Calculated lines laid beside the Raman map.")
    stop_after: StepName | None = Field(None, description="Last stage that runs.")
    figures: bool = Field(True, description="Draw the figures and the finding card, which take most of the time of a small run.")
    flakes: None = Field(None, description="Several flakes instead of one; see `Series`.")

    @model_validator(mode="after")
    def _both_where_both_are_needed(self) -> Self:
        """Refuse to pair, train or explain what is not there."""
        if self.last is None:
            return self
        for name in MODALITIES:
            section = getattr(self, name)
            if section is None or section.deconvolve is None:
                asked = self._running
                need = f"{', '.join(asked[:-1])} and {asked[-1]} need" if len(asked) > 1 else f"{asked[0]} needs"
                raise ValueError(
                    f"{need} the peaks of both maps, but there are none of {name}; add the section {name}, or write stop_after: deconvolve"
                )
        return self

    @model_validator(mode="after")
    def _learnt_maps_are_there(self) -> Self:
        """Refuse to learn from or to predict what is neither a parameter nor computed."""
        train = self.training
        if train is not None:
            _require_computed("target", train.target, self.pl, TARGETS)
            _require_computed("features", train.features, self.raman, ())
        return self

    @model_validator(mode="after")
    def _explained_target_is_learnt(self) -> Self:
        """Refuse to explain a target that is not trained on."""
        train, explain = self.training, self.explaining
        if train is not None and explain is not None and explain.target and explain.target not in train.target:
            raise ValueError(f"explain.target is '{explain.target}', but train.target is {', '.join(train.target)}; make them agree")
        return self

    @model_validator(mode="after")
    def _theory_has_lines_to_lie_beside(self) -> Self:
        """Refuse to compare theory with a map whose peaks are not fitted."""
        fitted = self.raman is not None and self.raman.deconvolve is not None
        if self.theory is not None and not (fitted and self.stop_after in (None, "deconvolve", *LATE)):
            raise ValueError("theory needs the peaks of the Raman map; add the section raman, and stop no earlier than deconvolve")
        return self

    @property
    def last(self) -> str | None:
        """Section of the last of the `LATE` stages that run: the one to stop after, or the last that is named; None where none runs."""
        if self.stop_after is not None:
            return self.stop_after if self.stop_after in LATE else None
        return next((name for name in reversed(LATE) if getattr(self, name) is not None), None)

    def _late(self, step: type[LateStep]) -> LateStep | None:
        """Settings of one of the `LATE` stages, the usual ones where a later stage needs it; None where it does not run."""
        return (getattr(self, step.key) or step()) if step.key in self._running else None

    @property
    def _running(self) -> list[str]:
        return running([key for key in LATE if getattr(self, key) is not None], self.last)

    @property
    def pairing(self) -> Pair | None:
        """How RS and PL are paired; None where they are not, or the chain ends before."""
        return self._late(Pair)

    @property
    def training(self) -> Train | None:
        """How a network is trained; None where none is, or the chain ends before."""
        return self._late(Train)

    @property
    def explaining(self) -> Explain | None:
        """How the network is explained; None where it is not, or the chain ends before."""
        return self._late(Explain)

    @property
    def simulating(self) -> Simulate | None:
        """How the flake is simulated; None where it is not, or the chain ends before."""
        return self._late(Simulate)

    @property
    def late_steps(self) -> tuple[Step, ...]:
        """Settings of all steps behind the chains of the maps, in the order in which they run."""
        found = [self.theory if step is CompareTheory else self._late(step) for step in AFTER]
        return tuple(step for step in found if step is not None)

    def sections(self) -> dict[str, Section]:
        """Sections that name a map, by modality."""
        return {name: section for name in MODALITIES if (section := getattr(self, name)) is not None}

    def chains(self) -> dict[str, Chain]:
        """Chain of each modality."""
        return {name: section.chain(self.stop_after) for name, section in self.sections().items()}


if not TYPE_CHECKING:
    Recipe = _with_all_stages(Recipe, AFTER)

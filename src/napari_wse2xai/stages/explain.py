"""From a training to what its best model says about each RS parameter: curves, slope maps, ranking, each with its error."""

import warnings
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_wse2xai.data import Explanation, Level, Samples, TrainedModel
from napari_wse2xai.data.compared import together
from napari_wse2xai.errors import DataError, DataWarning, SettingsError
from napari_wse2xai.explaining.bunch import Bunch
from napari_wse2xai.progress import Progress, part
from napari_wse2xai.stages._cross_checks import cross_checks, depends_on_weights
from napari_wse2xai.stages._models import Asked
from napari_wse2xai.stages._questions import QuestionKey, answers
from napari_wse2xai.stages._stage import Stage, setting

Numbers = NDArray[np.float64]
SLOPES, CURVES, BANDS, CHECKED = 0.2, 0.5, 0.8, 0.95
"""Where slopes, curves, refits and cross-checks end, as fractions of the whole."""


class Explain(Stage[TrainedModel, Explanation]):
    """Show what a model makes of every RS parameter: PDP, ICE curves, slope maps, ranking, with errors from refits and other models.

    Notes
    -----
    Partial dependence: Friedman 2001; ICE: Goldstein et al. 2015; slope of the ICE curves as an image: Yoo et al. 2023, whose equation (3)
    prints a curvature (see `explaining.ice_slope`).  All in evaluation mode.  An association that a model uses is not a cause.
    Which model is left to the evidence: that which predicts best in spatial blocks, unless its slopes stand alone among those of the models
    that predict as well, which are asked the same and told beside it.
    """

    title: ClassVar[str] = "Explain"
    order: ClassVar[int] = 130
    takes: ClassVar[tuple[type, ...]] = (TrainedModel,)
    gives: ClassVar[type] = Explanation
    effort: ClassVar[float] = 25.0
    kept: ClassVar[str] = "explanation"
    optional: ClassVar[bool] = True

    target: Literal["", "position", "fwhm", "height", "area"] | Annotated[str, Field(min_length=1)] = setting(
        "", title="Target", description="Which of the model's targets is explained, a computed map among them; empty: the first."
    )
    model: Literal["auto", "network", "ensemble", "Gaussian process", "kernel ridge", "gradient boosting"] = setting(
        "auto",
        title="Model",
        description="Which trained model is explained; auto: the one that predicts best in spatial blocks and whose slopes agree with "
        "those of others as good; network: the paper's.",
    )
    anyway: bool = setting(
        False,
        title="Explain anyway",
        description="Explain although the verdict is 'do not interpret'; everything that is drawn then carries that stamp.",
    )
    grid: int = setting(50, ge=5, le=500, title="Grid", description="Points of a curve.", unit="points")
    scheme: Literal["central", "forward", "backward", "autograd", "paper-literal"] = setting(
        "central",
        title="Slope",
        description="How slopes are taken: over one standard deviation to both sides, to one side, as derivative, or by the printed "
        "formula, which is a curvature.",
    )
    refits: int = setting(
        16,
        ge=4,
        le=200,
        title="Refits",
        description="How often a smooth model is fitted again to resampled blocks of the flake, for the errors.",
    )
    pairs: int = setting(
        0, ge=0, le=6, title="In pairs", description="Of so many parameters, the most important first, every two are looked at together."
    )
    regions: int = setting(
        0, ge=0, le=24, title="Regions", description="For so many parameters the flake is split into parts in which they act alike."
    )
    wavenumbers: bool = setting(
        False, title="Wavenumbers", description="Find the channels of the lines that move the prediction, by integrated gradients."
    )
    further: tuple[QuestionKey, ...] = setting(
        (),
        title="Further questions",
        description="What else is asked of every parameter; each answer is a column of the ranking.",
    )
    seed: int = setting(0, ge=0, title="Seed", description="Everything random follows from it.")

    def refusal(self, model: TrainedModel) -> str:
        """Why the model is not explained, as a sentence; empty where it is."""
        verdict = model.verdict(self.named(model))
        if verdict.level is not Level.DO_NOT_INTERPRET or self.anyway:
            return ""
        return (
            f"PL {verdict.target} is not explained, the verdict is '{verdict.level}': {verdict.reasons[0]} "
            "To see what it says all the same, set 'Explain anyway' (anyway: true); every figure will be stamped."
        )

    def named(self, model: TrainedModel) -> str:
        """Target that is explained."""
        names = model.samples.target_names
        if self.target and self.target not in names:
            raise SettingsError(f"The model has not learnt PL {self.target}; choose {' or '.join(names)}, or train it on that target.")
        return self.target or names[0]

    def run(self, source: TrainedModel, progress: Progress) -> Explanation:
        """Choose the model, draw slopes and curves, then refit for their errors."""
        from napari_wse2xai.explaining import partial_dependence

        if refused := self.refusal(source):
            raise DataError(refused)
        target, curves = self.named(source), part(progress, SLOPES, CURVES)
        asked = Asked.of(source, target, self.model, self.scheme, part(progress, 0.0, SLOPES))
        partial = partial_dependence(asked.subject, grid_resolution=self.grid, kind="both", random_state=self.seed, progress=curves)
        case = _Case(source.samples, target, partial, asked)
        errors = case.errors(self, part(progress, CURVES, BANDS))
        if source.verdict(target).level is not Level.INTERPRETABLE:
            warnings.warn(
                f"The verdict on PL {target} is '{source.verdict(target).level}': every figure is stamped.", DataWarning, stacklevel=2
            )
        further = case.further(self.seed, part(progress, BANDS, CHECKED))
        further |= answers(self, asked, case.ranked()["ranking"], part(progress, CHECKED, 1.0))
        return case.explanation(errors, further)


@dataclass(frozen=True, eq=False)
class _Case:
    """What is explained, and what was found so far."""

    samples: Samples
    target: str
    partial: Bunch
    asked: Asked

    @property
    def slopes(self) -> Bunch:
        """Of the model that is explained."""
        return self.asked.slopes[self.asked.name]

    @property
    def values(self) -> Numbers:
        """(n,) of the target; NaN where a pixel has none."""
        return np.asarray(self.samples.targets[:, self.samples.target(self.target)])

    def errors(self, settings: Explain, progress: Progress) -> Bunch:
        """Bands and errors from refits and reference models."""
        from napari_wse2xai.explaining import bands

        samples = self.samples
        places = np.column_stack([samples.coordinates_um, samples.flake]) if len(samples.frames) > 1 else samples.coordinates_um
        return bands(
            self.partial,
            self.slopes,
            samples.features,
            self.values,
            places,
            references=self.asked.others,
            refits=settings.refits,
            random_state=settings.seed,
            progress=progress,
        )

    def further(self, seed: int, progress: Progress) -> dict[str, Any]:
        """Derivative of the model at every pixel where it has one, what `cross_checks` finds, and what else the slopes tell."""
        from napari_wse2xai.explaining import derivatives

        subject, told = self.asked.subject, dict[str, Any]()
        if subject.model.differentiable:
            told["derivative"] = derivatives(subject, progress=part(progress, 0.0, 0.1))
        rest = part(progress, 0.1, 1.0)
        told |= cross_checks(subject, self.values, self.partial.grid_values, self.samples.groups, seed=seed, progress=rest)
        return told | {name: self.slopes[name] for name in ("curvature", "nonlinearity") if name in self.slopes}

    def explanation(self, errors: Bunch, further: dict[str, Any]) -> Explanation:
        """Put it together."""
        samples, partial, slopes = self.samples, self.partial, self.slopes
        return Explanation(
            samples,
            self.target,
            samples.target_units[samples.target(self.target)],
            self.asked.model.verdict(self.target),
            samples.feature_names,
            samples.feature_units,
            pdp_grid=partial.grid_values,
            pdp=partial.average,
            pdp_low=errors.low,
            pdp_high=errors.high,
            supported=partial.supported,
            pl_band=self.pl_band(),
            pixels=partial.pixels,
            ice=partial.individual,
            step=slopes.step,
            slope=slopes.slope,
            slope_error=errors.slope_error,
            off_cloud=slopes.off_cloud,
            **{name: errors[name] for name in ("importance_error", "mean_slope_error")},
            not_separable=self.together(),
            remarks=(*_of_weights(further), *self.remarks()),
            name=self.asked.model.name,
            history=self.asked.model.history,
            **self.asked.beside(partial, errors),
            **self.ranked(),
            **further,
        )

    def ranked(self) -> dict[str, Any]:
        """Importance by the spread of the PDP and by the slopes, and the ranking by the greater of both."""
        from napari_wse2xai.explaining import pdp_spread, ranking, slope_rms

        spread = pdp_spread(self.samples.features, self.partial.grid_values, self.partial.average)
        rms = slope_rms(self.slopes.slope, self.slopes.step)
        return {"importance": spread, "slope_rms": rms, "ranking": ranking(spread, rms)}

    def pl_band(self) -> tuple[float, float]:
        """Central 95 % of the measured target."""
        low, high = np.percentile(self.values[np.isfinite(self.values)], [2.5, 97.5])
        return float(low), float(high)

    def together(self) -> tuple[tuple[str, str, float], ...]:
        """Pairs of parameters that cannot be told apart."""
        from napari_wse2xai.explaining import not_separable

        names = self.samples.feature_names
        return tuple((names[a], names[b], rho) for a, b, rho in not_separable(self.samples.features))

    def remarks(self) -> list[str]:
        """Sentences that belong to the result."""
        said = [*(f"{each} from this flake." for each in together(self.together())), *self.worked_out()]
        for name, share in self.samples.absent().items():
            said.append(f"{name} lies under the noise in {share:.0%} of the pixels: its position and FWHM tell nothing.")
        return [*said, *self.cancelling(), self.asked.remark()]

    def worked_out(self) -> list[str]:
        """Computed maps that the parameters they are worked out of tell, as sentences."""
        from napari_wse2xai.explaining import told_by_others

        samples = self.samples
        return [
            f"{samples.feature_names[k].removesuffix('.value')} is told by the other parameters (R2 {r2:.2f}): whether it acts or what it "
            "is worked out of cannot be told from this flake; read them as one."
            for k, r2 in told_by_others(samples.features, samples.columns("value"))
        ]

    def cancelling(self) -> list[str]:
        """Pairs of parameters that move together while their effects cancel, as sentences."""
        from napari_wse2xai.explaining.cancelling import cancelling_sentences

        samples = self.samples
        effect = self.slopes.slope.mean(axis=1) * samples.features.std(axis=0)
        return cancelling_sentences(samples.feature_names, samples.features, effect, samples.target_units[samples.target(self.target)])


def _of_weights(further: dict[str, Any]) -> tuple[str, ...]:
    """Whether the maps come from what was learnt, of a model that has weights."""
    return (depends_on_weights(further["randomised"]),) if "randomised" in further else ()

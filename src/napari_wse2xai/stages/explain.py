"""From a trained model to what it says about each RS parameter: curves, slope maps, ranking, each with its error."""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_wse2xai.data import NETWORK, Explanation, Level, Samples, TrainedModel
from napari_wse2xai.errors import DataError, DataWarning, SettingsError
from napari_wse2xai.learning import references
from napari_wse2xai.progress import Progress, part
from napari_wse2xai.stages._cross_checks import cross_checks, depends_on_weights
from napari_wse2xai.stages._questions import answers
from napari_wse2xai.stages._stage import Stage, setting

if TYPE_CHECKING:
    from sklearn.utils import Bunch

    from napari_wse2xai.explaining import Subject

Numbers = NDArray[np.float64]
CURVES, SLOPES, BANDS, CHECKED = 0.35, 0.5, 0.8, 0.95
"""Where curves, slopes, refits and cross-checks end, as fractions of the whole."""


class Explain(Stage[TrainedModel, Explanation]):
    """Show what the network makes of every RS parameter: PDP, ICE curves, slope maps, ranking, with errors from refits and other models.

    Notes
    -----
    Partial dependence: Friedman 2001; ICE: Goldstein et al. 2015; slope of the ICE curves as an image: Yoo et al. 2023, whose equation (3)
    prints a curvature (see `explaining.ice_slope`).  All in evaluation mode.  An association that the network uses is not a cause.
    """

    title: ClassVar[str] = "Explain"
    order: ClassVar[int] = 130
    takes: ClassVar[tuple[type, ...]] = (TrainedModel,)
    gives: ClassVar[type] = Explanation
    effort: ClassVar[float] = 25.0

    target: Literal["", "position", "fwhm", "height", "area"] | Annotated[str, Field(min_length=1)] = setting(
        "", title="Target", description="Which of the model's targets is explained, a computed map among them; empty: the first."
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
    seed: int = setting(0, ge=0, title="Seed", description="Everything random follows from it.")

    def refusal(self, model: TrainedModel) -> str:
        """Why the model is not explained, as a sentence; empty where it is."""
        verdict = model.verdict(self.named(model))
        if verdict.level is not Level.DO_NOT_INTERPRET or self.anyway:
            return ""
        return (
            f"PL {verdict.target} is not explained, the verdict is '{verdict.level}': {verdict.reasons[0]} "
            "To see what the network says all the same, set 'Explain anyway' (anyway: true); every figure will be stamped."
        )

    def named(self, model: TrainedModel) -> str:
        """Target that is explained."""
        names = model.samples.target_names
        if self.target and self.target not in names:
            raise SettingsError(f"The model has not learnt PL {self.target}; choose {' or '.join(names)}, or train it on that target.")
        return self.target or names[0]

    def run(self, source: TrainedModel, progress: Progress) -> Explanation:
        """Draw curves and slopes, then refit for their errors."""
        from napari_wse2xai.explaining import Subject, ice_slope, partial_dependence
        from napari_wse2xai.learning.regressor import SpectralCNNRegressor

        if refused := self.refusal(source):
            raise DataError(refused)
        target, samples = self.named(source), source.samples
        subject = Subject.of(SpectralCNNRegressor.from_state(source.settings, source.weights[target]), samples.features)
        curves = part(progress, 0.0, CURVES)
        partial = partial_dependence(subject, grid_resolution=self.grid, kind="both", random_state=self.seed, progress=curves)
        slopes = ice_slope(subject, scheme=self.scheme, progress=part(progress, CURVES, SLOPES))
        case = _Case(samples, target, partial, slopes, source)
        errors = case.errors(self, part(progress, SLOPES, BANDS))
        if source.verdict(target).level is not Level.INTERPRETABLE:
            warnings.warn(
                f"The verdict on PL {target} is '{source.verdict(target).level}': every figure is stamped.", DataWarning, stacklevel=2
            )
        further = case.further(subject, self.seed, part(progress, BANDS, CHECKED))
        further |= answers(self, subject, samples, case.ranked()["ranking"], part(progress, CHECKED, 1.0))
        return case.explanation(errors, further)


@dataclass(frozen=True, eq=False)
class _Case:
    """What is explained, and what was found so far."""

    samples: Samples
    target: str
    partial: "Bunch"
    slopes: "Bunch"
    model: TrainedModel

    @property
    def values(self) -> Numbers:
        """(n,) of the target; NaN where a pixel has none."""
        return np.asarray(self.samples.targets[:, self.samples.target(self.target)])

    def errors(self, settings: Explain, progress: Progress) -> "Bunch":
        """Bands and errors from refits and reference models."""
        from napari_wse2xai.explaining import bands

        samples = self.samples
        places = np.column_stack([samples.coordinates_um, samples.flake]) if len(samples.frames) > 1 else samples.coordinates_um
        others = references.fitted(references.as_good(self.model, self.target), samples.features, self.values, seed=settings.seed)
        return bands(
            self.partial,
            self.slopes,
            samples.features,
            self.values,
            places,
            references=others,
            refits=settings.refits,
            random_state=settings.seed,
            progress=progress,
        )

    def further(self, subject: "Subject", seed: int, progress: Progress) -> dict[str, Any]:
        """Derivative of the network at every pixel, what `cross_checks` finds, and what else the slopes tell."""
        from napari_wse2xai.explaining import derivatives

        told, rest = {"derivative": derivatives(subject, progress=part(progress, 0.0, 0.1))}, part(progress, 0.1, 1.0)
        told |= cross_checks(subject, self.values, self.partial.grid_values, self.samples.groups, seed=seed, progress=rest)
        return told | {name: self.slopes[name] for name in ("curvature", "nonlinearity") if name in self.slopes}

    def explanation(self, errors: "Bunch", further: dict[str, Any]) -> Explanation:
        """Put it together."""
        samples, partial, slopes = self.samples, self.partial, self.slopes
        return Explanation(
            samples,
            self.target,
            samples.target_units[samples.target(self.target)],
            self.model.verdict(self.target),
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
            importance_error=errors.importance_error,
            not_separable=self.together(),
            remarks=(depends_on_weights(further["randomised"]), *self.remarks()),
            name=self.model.name,
            history=self.model.history,
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
        said = [
            f"{first} and {second} go together (rank correlation {rho:.2f}): which of the two acts cannot be told from this flake."
            for first, second, rho in self.together()
        ]
        for name, share in self.samples.absent().items():
            said.append(f"{name} lies under the noise in {share:.0%} of the pixels: its position and FWHM tell nothing.")
        network = self.model.score(self.target)
        if network is not None and network.model == NETWORK:
            said.append(f"The network that is explained predicts held-out pixels of the random split with R2 {network.r2:.2f}.")
        return said

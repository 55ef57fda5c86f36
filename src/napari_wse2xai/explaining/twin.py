"""Simulate my flake: whether training and explaining would find a known law on parameter maps like these."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data.samples import Samples
from napari_wse2xai.explaining.bands import REFITS, TWO_SIDED, bands
from napari_wse2xai.explaining.curves import ice_curves, partial_dependence, refined
from napari_wse2xai.explaining.model import Progress, as_model, predict, silent
from napari_wse2xai.explaining.planted import PlantedLaw
from napari_wse2xai.explaining.ranking import pdp_spread, ranking, slope_rms
from napari_wse2xai.explaining.slopes import ice_slope

if TYPE_CHECKING:
    from sklearn.utils import Bunch

Numbers = NDArray[np.float64]
PLANTED = "planted law"
"""Name of the target that stands in for the measured one."""
GOOD_PDP, GOOD_SLOPES, GOOD_BANDS = 0.95, 0.9, 0.85
"""The last is below 95 % by what one flake is off by chance: all its curves move together."""
LEAST_LAW = 0.05
"""Share of the variance that is left to the law whatever the noise."""
NODES = 17
TOLERANCE = 2e-3
"""Of the largest range of a curve."""
TRAINED, EXPLAINED = 0.6, 0.95
"""Where training and explaining end, as fractions of the whole."""


@dataclass(frozen=True, eq=False)
class Explained:
    """Curves, slopes and their errors of one model."""

    partial: "Bunch"
    slopes: "Bunch"
    errors: "Bunch"


Trainer = Callable[[Samples, Progress], Any]
"""Trains on the first target of samples and gives a fitted estimator."""
Explainer = Callable[[Any, Samples, Progress], Explained]


@dataclass(frozen=True)
class Recovery:
    """How well a planted law was found again, for this flake's parameters, geometry and noise."""

    law: dict[str, str]
    """Which parameter has which role: ``saturating``, ``linear``, ``quadratic``, ``partner`` (acts only through the saturating one)."""
    parameters: int
    """Number of parameters to choose among."""
    noise: float
    """Share of the variance that was noise."""
    hidden: float
    """Share of the variance that was a smooth map which RS does not show."""
    ranks: dict[str, int]
    """Rank that each planted parameter was given, from 1."""
    model_r2: float
    """Of the network's predictions against the law without noise."""
    pdp_r2: dict[str, float]
    """Of the partial dependences against the true ones, for the parameters that have one."""
    slope_correlation: dict[str, float]
    """Of the slope maps with the true ones, for the parameters whose slope varies."""
    band_coverage: float
    """Share of the true partial dependences, of all parameters, within the 95 % bands."""
    slope_coverage: float
    """Share of the true slopes, of all parameters, within 1.96 sigma."""
    false_slopes: float
    """Share of the pixels whose slope is called sure (beyond 2 sigma, within the cloud) for parameters that do nothing."""
    seed: int = 0
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether an explanation of this flake may be believed in what it says of such laws."""
        return (
            self.ranks["saturating"] == 1
            and float(np.median(list(self.pdp_r2.values()))) > GOOD_PDP
            and float(np.median(list(self.slope_correlation.values()))) > GOOD_SLOPES
            and min(self.band_coverage, self.slope_coverage) >= GOOD_BANDS
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the user reads, the verdict first."""
        known = ", ".join(f"{self.law[role]} {_ordinal(rank)}" for role, rank in self.ranks.items())
        curves = ", ".join(f"{self.law[role]} {value:.2f}" for role, value in self.pdp_r2.items())
        maps = ", ".join(f"{self.law[role]} {value:.2f}" for role, value in self.slope_correlation.items())
        within = sum(rank <= len(self.ranks) for rank in self.ranks.values())
        return (
            "A law planted on these very parameter maps was found again: curves and slope maps like these can be believed."
            if self.passed
            else "A law planted on these very parameter maps was not found again as it should be: read the explanation with care.",
            f"Ranks of the four planted parameters among {self.parameters}: {known}; {within} of 4 came first.",
            f"Agreement with the truth: curves (R2) {curves}; slope maps (correlation) {maps}; predictions (R2) {self.model_r2:.2f}.",
            f"The 95 % bands held {self.band_coverage:.0%} of the true curves and {self.slope_coverage:.0%} of the true slopes; "
            f"parameters that do nothing were given a sure slope in {self.false_slopes:.1%} of the pixels.",
            f"Of the variance, {self.noise:.0%} was noise and {self.hidden:.0%} a smooth map that RS does not show; seed {self.seed}.",
        )


def simulate(  # noqa: PLR0913 - the data, how to learn and explain, and what to plant
    samples: Samples,
    trainer: Trainer,
    explainer: Explainer | None = None,
    *,
    target: str = "",
    noise: float = 0.05,
    hidden: float = 0.0,
    order: Sequence[int] = (),
    seed: int = 0,
    progress: Progress = silent,
) -> Recovery:
    """Plant a known law on a user's own parameter maps, train and explain again, and compare with the truth.

    Parameters
    ----------
    samples : the user's own: their covariance, geometry and gaps are kept, the target is replaced
    trainer : gives an estimator trained on the planted samples, whose only target is the planted one
    explainer : gives curves, slopes and errors of it; `explained` where none is given
    target : the measured target whose mean, spread and gaps the planted one takes over; the first where none is named
    noise : share of the variance that no model can predict: 1 - R2 of held-out pixels in a random split
    hidden : share of the variance in a smooth map that RS does not show, as smooth as the target: R2 of a random split - R2 of blocks
    order : columns from the most to the least important, from which the planted ones are taken; by the peaks' heights where none is given
    seed : of the law, its noise and everything after
    progress : called by training and explaining

    Notes
    -----
    A twin tests laws of its family: one saturating height, a linear position, a quadratic width, and a height that acts only through the
    first.
    """
    rng = np.random.default_rng(seed)
    values = samples.targets[:, samples.target(target or samples.target_names[0])]
    law = PlantedLaw.drawn(samples, values, rng, share=max(1 - noise - hidden, LEAST_LAW), order=order)
    planted = planted_samples(samples, law, values, (noise, hidden), rng)
    estimator = trainer(planted, _part(progress, 0.0, TRAINED))
    found = (explainer or explained)(estimator, planted, _part(progress, TRAINED, EXPLAINED))
    progress(EXPLAINED, "Comparing with the truth")
    recovery = compared(found, law, samples, noise=noise, hidden=hidden, seed=seed)
    predicted = predict(as_model(estimator), samples.features)
    return replace(recovery, model_r2=_r2(law.predict(samples.features), predicted))


def planted_samples(samples: Samples, law: PlantedLaw, values: Numbers, shares: tuple[float, float], rng: np.random.Generator) -> Samples:
    """Put a law with noise and a hidden smooth map (shares of the variance) in the place of a target."""
    noise, hidden = shares
    spread = float(np.nanstd(values))
    parts = np.sqrt(noise) * rng.standard_normal(len(samples)) + np.sqrt(hidden) * _hidden_map(samples, values, hidden, rng)
    planted = np.where(np.isfinite(values), law.predict(samples.features) + spread * parts, np.nan)
    errors = np.full((len(samples), 1), np.sqrt(noise) * spread)
    unit = samples.target_units[:1]
    return replace(samples, target_names=(PLANTED,), target_units=unit, targets=planted[:, None], target_errors=errors)


def explained(estimator: Any, samples: Samples, progress: Progress = silent, *, refits: int = REFITS) -> Explained:
    """Curves, slopes and bands with their defaults."""
    table = samples.features
    partial = partial_dependence(estimator, table, progress=_part(progress, 0.0, 0.3))
    slopes = ice_slope(estimator, table, progress=_part(progress, 0.3, 0.6))
    places = np.column_stack([samples.coordinates_um, samples.flake])
    last = _part(progress, 0.6, 1.0)
    return Explained(partial, slopes, bands(partial, slopes, table, samples.targets[:, 0], places, refits=refits, progress=last))


def compared(found: Explained, law: PlantedLaw, samples: Samples, **planted: Any) -> Recovery:
    """Compare what was found with the law; `planted` are noise, hidden and seed of the `Recovery`."""
    truth = _Truth.of(law, samples, found)
    partial, slopes, errors = found.partial, found.slopes, found.errors
    spread = pdp_spread(samples.features, partial.grid_values, partial.average)
    order = ranking(spread, slope_rms(slopes.slope, slopes.step))
    names, idle = samples.feature_names, np.delete(np.arange(len(order)), list(law.columns.values()))
    sure = (np.abs(slopes.slope) >= 2 * errors.slope_error) & ~slopes.off_cloud
    main, bent = ("saturating", "linear", "quadratic"), ("saturating", "quadratic", "partner")
    return Recovery(
        law={role: names[column] for role, column in law.columns.items()},
        parameters=len(order),
        ranks={role: order.index(column) + 1 for role, column in law.columns.items()},
        model_r2=float("nan"),
        pdp_r2={role: _r2(truth.curves[law.columns[role]], partial.average[law.columns[role]]) for role in main},
        slope_correlation={role: _correlation(truth.slopes[law.columns[role]], slopes.slope[law.columns[role]]) for role in bent},
        band_coverage=truth.within(errors.low, errors.high),
        slope_coverage=float((np.abs(truth.slopes - slopes.slope) <= TWO_SIDED * errors.slope_error).mean()),
        false_slopes=float(sure[idle].mean()) if idle.size else 0.0,
        **planted,
    )


@dataclass(frozen=True, eq=False)
class _Truth:
    """What explaining should have found."""

    curves: Numbers
    slopes: Numbers

    @classmethod
    def of(cls, law: PlantedLaw, samples: Samples, found: Explained) -> "_Truth":
        """Partial dependences over all pixels, and central differences, of the law itself."""
        table, grid = samples.features, found.partial.grid_values
        nodes = np.linspace(grid[:, 0], grid[:, -1], NODES, axis=1)
        curves = ice_curves(as_model(law), table, np.arange(table.shape[1]), nodes).mean(axis=1)
        steps = np.where(found.slopes.step > 0, found.slopes.step, 1.0)
        return cls(refined(curves, grid.shape[1]), ice_slope(law, table, step=steps.tolist()).slope)

    def within(self, low: Numbers, high: Numbers) -> float:
        """Share of the true curves between two others, but for the error of a few nodes."""
        slack = TOLERANCE * float(np.ptp(self.curves, axis=1).max())
        return float(((low - slack <= self.curves) & (self.curves <= high + slack)).mean())


def _hidden_map(samples: Samples, values: Numbers, share: float, rng: np.random.Generator) -> Numbers:
    """A map as smooth as the target that owes nothing to RS, of unit spread."""
    from napari_wse2xai.learning import surrogates

    if share <= 0:
        return np.zeros(len(samples))
    whole = np.where(np.isfinite(values), values, np.nanmedian(values))
    (drawn,) = surrogates(whole, samples.coordinates_um, count=1, rng=rng, flake=samples.flake)
    return np.asarray((drawn - drawn.mean()) / drawn.std())


def _r2(truth: Numbers, found: Numbers) -> float:
    return float(1 - ((truth - found) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())


def _correlation(a: Numbers, b: Numbers) -> float:
    """Pearson's, 0 where one does not vary but for rounding."""
    varies = all(np.std(map_) > 1e-6 * np.abs(map_).max() for map_ in (a, b))
    return float(np.corrcoef(a, b)[0, 1]) if varies else 0.0


def _ordinal(rank: int) -> str:
    return f"{rank}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(rank if rank < 20 else rank % 10, 'th') }"


def _part(progress: Progress, start: float, end: float) -> Progress:
    return lambda fraction, message: progress(start + (end - start) * fraction, message)

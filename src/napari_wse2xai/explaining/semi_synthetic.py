"""Simulate my flake: whether training and explaining would find a known law on parameter maps like these."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data.recovery import BENT, MAIN, Recovery
from napari_wse2xai.data.samples import Samples
from napari_wse2xai.explaining.bands import REFITS, TWO_SIDED, bands
from napari_wse2xai.explaining.bunch import Bunch
from napari_wse2xai.explaining.curves import ice_curves, partial_dependence, refined
from napari_wse2xai.explaining.model import as_model, predict
from napari_wse2xai.explaining.planted import PlantedLaw
from napari_wse2xai.explaining.ranking import pdp_spread, ranking, slope_rms
from napari_wse2xai.explaining.slopes import ice_slope
from napari_wse2xai.explaining.subject import Subject
from napari_wse2xai.numerics.standard import or_one
from napari_wse2xai.progress import Progress, part, silent

Numbers = NDArray[np.float64]
PLANTED = "planted law"
"""Name of the target that stands in for the measured one."""
LEAST_LAW = 0.05
"""Share of the variance that is left to the law whatever the noise."""
NODES = 17
"""Points at which a planted law's curve is worked out; a spline gives the rest."""
TOLERANCE = 2e-3
"""Of the largest range of a curve."""
TRAINED, EXPLAINED = 0.6, 0.95
"""Where training and explaining end, as fractions of the whole."""


@dataclass(frozen=True, eq=False)
class Explained:
    """Curves, slopes and their errors of one model."""

    partial: Bunch
    slopes: Bunch
    errors: Bunch


Trainer = Callable[[Samples, Progress], Any]
"""Trains on the first target of samples and gives a fitted estimator."""
Explainer = Callable[[Any, Samples, Progress], Explained]


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
    A semi-synthetic recovery tests laws of its family: one saturating height, a linear position, a quadratic width, and a height that
    acts only through the first.
    """
    rng = np.random.default_rng(seed)
    target = target or samples.target_names[0]
    values = samples.targets[:, samples.target(target)]
    law = PlantedLaw.drawn(samples, values, rng, share=max(1 - noise - hidden, LEAST_LAW), order=order)
    planted = planted_samples(samples, law, values, (noise, hidden), rng)
    estimator = trainer(planted, part(progress, 0.0, TRAINED))
    found = (explainer or explained)(estimator, planted, part(progress, TRAINED, EXPLAINED))
    progress(EXPLAINED, "Comparing with the truth")
    recovery = compared(found, law, samples, noise=noise, hidden=hidden, seed=seed, target=target)
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


def explained(
    estimator: object, samples: Samples, progress: Progress = silent, *, references: Sequence[object] = (), refits: int = REFITS
) -> Explained:
    """Curves, slopes and bands with their defaults; `references` are fitted to the same samples."""
    subject, table = Subject.of(estimator, samples.features), samples.features
    partial = partial_dependence(subject, progress=part(progress, 0.0, 0.3))
    slopes = ice_slope(subject, progress=part(progress, 0.3, 0.6))
    places = np.column_stack([samples.coordinates_um, samples.flake])
    last = part(progress, 0.6, 1.0)
    errors = bands(partial, slopes, table, samples.targets[:, 0], places, references=references, refits=refits, progress=last)
    return Explained(partial, slopes, errors)


def compared(found: Explained, law: PlantedLaw, samples: Samples, **planted: Any) -> Recovery:
    """Compare what was found with the law; `planted` are noise, hidden, seed and target of the `Recovery`."""
    truth = _Truth.of(law, samples, found)
    partial, slopes, errors = found.partial, found.slopes, found.errors
    spread = pdp_spread(samples.features, partial.grid_values, partial.average)
    order = ranking(spread, slope_rms(slopes.slope, slopes.step))
    # What was given no part in the law: a sure slope by one of these is a false one.
    names, idle = samples.feature_names, np.delete(np.arange(len(order)), list(law.columns.values()))
    sure = (np.abs(slopes.slope) >= 2 * errors.slope_error) & ~slopes.off_cloud
    return Recovery(
        law={role: names[column] for role, column in law.columns.items()},
        parameters=len(order),
        ranks={role: order.index(column) + 1 for role, column in law.columns.items()},
        model_r2=float("nan"),
        pdp_r2={role: _r2(truth.curves[law.columns[role]], partial.average[law.columns[role]]) for role in MAIN},
        slope_correlation={role: _correlation(truth.slopes[law.columns[role]], slopes.slope[law.columns[role]]) for role in BENT},
        band_coverage=truth.within(errors.low, errors.high),
        slope_coverage=float((np.abs(truth.slopes - slopes.slope) <= TWO_SIDED * errors.slope_error).mean()),
        false_slopes=float(sure[idle].mean()),
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
        steps = or_one(found.slopes.step)
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
    # Surrogates need a value in every pixel; the gaps are cut out of the planted map again.
    whole = np.where(np.isfinite(values), values, np.nanmedian(values))
    (drawn,) = surrogates(whole, samples.coordinates_um, count=1, rng=rng, flake=samples.flake)
    return np.asarray((drawn - drawn.mean()) / drawn.std())


def _r2(truth: Numbers, found: Numbers) -> float:
    return float(1 - ((truth - found) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())


def _correlation(a: Numbers, b: Numbers) -> float:
    """Pearson's, 0 where one does not vary but for rounding."""
    varies = all(np.std(map_) > 1e-6 * np.abs(map_).max() for map_ in (a, b))
    return float(np.corrcoef(a, b)[0, 1]) if varies else 0.0

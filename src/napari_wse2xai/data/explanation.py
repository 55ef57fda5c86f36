"""The result of explaining: which parameter does what to the light, where, and how sure that is."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data.compared import MapLevel, OtherModel, comparison
from napari_wse2xai.data.declared import Coordinates, Tabled, along, attribute
from napari_wse2xai.data.history import History, Recorded
from napari_wse2xai.data.quantities import MODEL_WORDS, feature_words
from napari_wse2xai.data.questions import Answer, Region, TwoParameters, Wavenumbers
from napari_wse2xai.data.recovery import Recovery
from napari_wse2xai.data.samples import Samples
from napari_wse2xai.data.trained_model import NETWORK
from napari_wse2xai.data.verdict import Level, Verdict

Numbers = NDArray[np.float64]


EXTRA = "extra"
"""Group in files of what is told but not ranked by; a field of it is None where that was not asked."""
OTHERS = "others"
"""Group of what other models say."""
OF_TARGET, OF_FEATURE, SLOPE = "{0.target_unit}", "feature_unit", "{0.target_unit} per feature_unit"
APART = 1.96
"""Errors beyond which two slopes are not the same."""
DISPUTED = 0.25
"""Share of the pixels beyond which models do not agree on where."""
on_grid, per_feature, per_pixel = partial(along, "feature", "grid"), partial(along, "feature"), partial(along, "feature", "pixel")
curve, effect, lost = partial(on_grid, unit=OF_TARGET), partial(per_feature, unit=OF_TARGET), partial(per_feature, group=EXTRA, unit="1")
sloped = partial(per_pixel, unit=SLOPE, empty=np.nan)


@dataclass(frozen=True, eq=False)
class Explanation(Recorded, Tabled):
    """What one model makes of each RS parameter, for one target; ``pixel`` runs over `samples`, ``curve`` over `pixels`."""

    samples: Samples
    target: Annotated[str, attribute()]
    target_unit: Annotated[str, attribute(stored="units")]
    verdict: Verdict
    features: Annotated[tuple[str, ...], per_feature(stored="feature", heading="feature", says="parameter of RS, as A1'.height")]
    feature_units: Annotated[tuple[str, ...], per_feature(stored="feature_unit", heading="unit", says="unit of the feature")]
    pdp_grid: Annotated[Numbers, on_grid(unit=OF_FEATURE, heading="value", says="values of the parameter")]
    pdp: Annotated[
        Numbers,
        curve(heading="PL {0.target} ({unit})", says="partial dependence: mean prediction with the parameter at the grid's value"),
    ]
    pdp_low: Annotated[Numbers, curve(heading="low", says="lower end of the 95 % band, over refits and reference models")]
    pdp_high: Annotated[Numbers, curve(heading="high", says="upper end of the 95 % band, over refits and reference models")]
    supported: Annotated[
        NDArray[np.bool_], on_grid(unit="1", heading="supported", says="1 where most curves lie within the cloud of the data")
    ]
    pl_band: Annotated[tuple[float, float], attribute(says="central 95 % of the measured target: the grey band of the paper's Figure 3")]
    pixels: Annotated[NDArray[np.int64], along("curve", says="row in the samples of each ICE curve")]
    ice: Annotated[Numbers, along("feature", "curve", "grid", unit=OF_TARGET, says="prediction with the parameter at the grid's value")]
    step: Annotated[Numbers, per_feature(unit=OF_FEATURE, says="standard deviation of the parameter, half the width of the difference")]
    slope: Annotated[
        Numbers, sloped(stored="ice_slope", heading="{{label}} slope ({unit})", says="slope of the ICE curve from minus to plus step")
    ]
    slope_error: Annotated[
        Numbers, sloped(stored="ice_slope_error", heading="{{label}} slope error ({unit})", says="standard deviation over refits")
    ]
    off_cloud: Annotated[
        NDArray[np.bool_], per_pixel(unit="1", empty=-1, says="1 where step leads out of the cloud of the data; -1 no pixel")
    ]
    importance: Annotated[Numbers, effect(heading="PDP spread ({unit})", says="standard deviation of the partial dependence over the data")]
    importance_error: Annotated[Numbers, effect(heading="error ({unit})", says="one standard error of the importance")]
    slope_rms: Annotated[
        Numbers, effect(heading="rms slope x sigma ({unit})", says="root mean square of slope times step: sees a pure interaction too")
    ]
    ranking: Annotated[tuple[int, ...], along("feature_rank", says="features, the most important first, by the greater of the two")]
    not_separable: Annotated[tuple[tuple[str, str, float], ...], attribute(says="parameters that go together, with their rank correlation")]
    derivative: Annotated[Numbers | None, per_pixel(group=EXTRA, unit=SLOPE, says="derivative of the prediction by the parameter")] = None
    curvature: Annotated[Numbers | None, per_pixel(group=EXTRA, unit=OF_TARGET, says="second difference over plus and minus step")] = None
    nonlinearity: Annotated[Numbers | None, per_pixel(group=EXTRA, unit="1", says="0 straight, 1 slopes to either side cancel")] = None
    ale: Annotated[Numbers | None, curve(group=EXTRA, heading="ALE", says="accumulated local effect about the mean prediction")] = None
    permutation: Annotated[Numbers | None, lost(heading="R2 lost (peak)", says="R2 lost where the feature's peak is shuffled")] = None
    """On the pixels of the training."""
    permutation_error: Annotated[Numbers | None, lost(heading="R2 lost error", says="standard deviation over shuffles")] = None
    randomised: Annotated[Numbers | None, per_feature(group=EXTRA, unit="1", says="correlation of derivatives with random weights'")] = None
    mean_slope_error: Annotated[Numbers | None, per_feature(group=EXTRA, unit=SLOPE, says="one standard error of the mean slope")] = None
    pairs: Annotated[tuple[TwoParameters, ...], along("pair", group="pairs")] = ()
    region_of: Annotated[NDArray[np.int64] | None, per_pixel(group="regions", unit="1", says="region of a pixel; 0 not asked")] = None
    regions: Annotated[tuple[Region, ...], along("region", group="regions")] = ()
    wavenumbers: Annotated[tuple[Wavenumbers, ...], along("asked", group="wavenumbers")] = ()
    answers: Annotated[tuple[Answer, ...], along("answered", group="answers")] = ()
    model: Annotated[str, attribute(says="name of the model that is explained, among those of the scores")] = NETWORK
    others: Annotated[tuple[OtherModel, ...], along("other", group=OTHERS)] = ()
    disagreement: Annotated[
        Numbers | None,
        per_pixel(group=OTHERS, unit="1", says="by how many errors slopes of models that predict as well differ; not the same beyond 1.96"),
    ] = None
    remarks: Annotated[tuple[str, ...], attribute()] = ()
    name: Annotated[str, attribute()] = "explanation"
    history: Annotated[History, attribute()] = ()
    recovery: Recovery | None = None
    """How well a law planted on this flake was found again, where that was tried."""

    def coordinates(self) -> Coordinates:
        """Where every pixel lies."""
        return self.samples.places()

    @property
    def stamp(self) -> str:
        """What must stand on every picture of it; empty where the model is interpretable."""
        return "" if self.verdict.level is Level.INTERPRETABLE else str(self.verdict.level).upper()

    def peak_loss(self, feature: int) -> tuple[float, float]:
        """R2 that the network loses where the feature's whole peak is shuffled, and its standard deviation; NaN where that is not known."""
        if self.permutation is None or self.permutation_error is None:
            return float("nan"), float("nan")
        return float(self.permutation[feature]), float(self.permutation_error[feature])

    def sure(self, feature: int) -> NDArray[np.bool_]:
        """(n,) pixels whose slope is beyond two standard deviations, within the cloud of the data, and undisputed by other models."""
        beyond = np.abs(self.slope[feature]) >= 2 * self.slope_error[feature]
        return np.asarray(beyond & ~self.off_cloud[feature] & ~self.disputed(feature))

    def disputed(self, feature: int) -> NDArray[np.bool_]:
        """(n,) pixels at which models that predict as well differ by more than their errors; none where there is but one."""
        return np.zeros(len(self.samples), dtype=bool) if self.disagreement is None else np.asarray(self.disagreement[feature] > APART)

    @property
    def model_words(self) -> str:
        """What the model that is explained is called in a title."""
        return MODEL_WORDS.get(self.model, self.model)

    @property
    def disputed_share(self) -> float:
        """Share of the pixels that are disputed, mean over parameters by the square of what they do; NaN where there is one model."""
        if self.disagreement is None:
            return float("nan")
        return float(np.average((self.disagreement > APART).mean(axis=1), weights=np.maximum(self.slope_rms**2, 1e-300)))

    @property
    def map_level(self) -> MapLevel:
        """How far the slope maps carry, apart from the verdict on the model."""
        if not self.others:
            return MapLevel.ALONE
        return MapLevel.DISPUTED if self.disputed_share > DISPUTED else MapLevel.AGREED

    @property
    def map_sentence(self) -> str:
        """What the other models say of the maps."""
        if not self.others:
            return MapLevel.ALONE.meaning
        first, where = feature_words(self.features[self.ranking[0]]), self.map_level is not MapLevel.DISPUTED
        which = all(other.ranking[0] == self.ranking[0] for other in self.others)
        return comparison([self.model_words, *(other.words for other in self.others)], first, self.disputed_share, which=which, where=where)

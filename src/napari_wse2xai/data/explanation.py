"""The result of explaining: which parameter does what to the light, where, and how sure that is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data.history import History, Record
from napari_wse2xai.data.recovery import Recovery
from napari_wse2xai.data.samples import Samples
from napari_wse2xai.data.verdict import Level, Verdict

Numbers = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Explanation:
    """What one model makes of each RS parameter, for one target.

    ``feature`` runs over `features`, ``n`` over the pixels of `samples`, ``grid`` over the points of a curve, ``curve`` over `pixels`.
    Slopes are in the target's unit per the feature's unit.
    """

    samples: Samples
    target: str
    target_unit: str
    verdict: Verdict
    features: tuple[str, ...]
    feature_units: tuple[str, ...]
    pdp_grid: Numbers
    """(feature, grid) values of the parameter."""
    pdp: Numbers
    """(feature, grid) partial dependence: mean prediction over all pixels with the parameter set to the grid's value."""
    pdp_low: Numbers
    pdp_high: Numbers
    """(feature, grid) 95 % band over refits and over the reference models."""
    supported: NDArray[np.bool_]
    """(feature, grid) False where most curves have left the cloud of the data."""
    pl_band: tuple[float, float]
    """Central 95 % of the measured target: the grey band of the paper's Figure 3."""
    pixels: NDArray[np.int64]
    """(curve,) rows of `samples` whose ICE curves are kept."""
    ice: Numbers
    """(feature, curve, grid) prediction with the parameter set to the grid's value, pixel by pixel."""
    step: Numbers
    """(feature,) standard deviation of each parameter: half the width of the central difference."""
    slope: Numbers
    """(feature, n) ``[f(x + step) - f(x - step)] / (2 step)``: average slope of the ICE curve between them."""
    slope_error: Numbers
    """(feature, n) one standard deviation over refits."""
    off_cloud: NDArray[np.bool_]
    """(feature, n) True where x + step or x - step leaves the cloud of the data."""
    importance: Numbers
    """(feature,) standard deviation of the PDP over the data, in the target's unit."""
    importance_error: Numbers
    slope_rms: Numbers
    """(feature,) root mean square of slope times step, in the target's unit: sees a pure interaction, which the PDP averages away."""
    ranking: tuple[int, ...]
    """Features from the most to the least important, by the greater of the two."""
    not_separable: tuple[tuple[str, str, float], ...]
    """Pairs of parameters that go together, with their rank correlation: which of the two acts cannot be told."""
    extra: Mapping[str, Numbers] = field(default_factory=dict)
    """Further results by name (``curvature``, ``derivative``, ``ale``, ``permutation``...), feature first."""
    remarks: tuple[str, ...] = ()
    name: str = "explanation"
    history: History = ()
    recovery: Recovery | None = None
    """How well a law planted on this flake was found again, where that was tried."""

    def with_record(self, record: Record) -> Self:
        """Return the same explanation with one more step in its history."""
        return replace(self, history=(*self.history, record))

    @property
    def stamp(self) -> str:
        """What must stand on every picture of it; empty where the model is interpretable."""
        return "" if self.verdict.level is Level.INTERPRETABLE else str(self.verdict.level).upper()

    @property
    def ale(self) -> Numbers | None:
        """(feature, grid) accumulated local effects beside the partial dependences; None in results of earlier versions."""
        return self.extra.get("ale")

    def peak_loss(self, feature: int) -> tuple[float, float]:
        """R2 that the network loses where the feature's whole peak is shuffled, and its standard deviation; NaN where that is not known."""
        values, errors = (self.extra.get(name) for name in ("permutation", "permutation_error"))
        return (float("nan"),) * 2 if values is None or errors is None else (float(values[feature]), float(errors[feature]))

    def sure(self, feature: int) -> NDArray[np.bool_]:
        """(n,) pixels whose slope is beyond two standard deviations and within the cloud of the data."""
        beyond = np.abs(self.slope[feature]) >= 2 * self.slope_error[feature]
        return np.asarray(beyond & ~self.off_cloud[feature])

"""A known law in place of the measured light, on a user's own parameter maps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data.samples import ABSENT_LIMIT, Samples
from napari_wse2xai.errors import DataError

Numbers = NDArray[np.float64]

POSITION, WIDTH, HEIGHT = range(3)
"""Order of the columns of each peak."""
ROLES = {"saturating": HEIGHT, "linear": POSITION, "quadratic": WIDTH, "partner": HEIGHT}
"""What each planted parameter does, and what kind of parameter does it."""
STRENGTHS = {"saturating": 1.6, "linear": 0.5, "quadratic": 0.245, "partner": 0.4}
"""In standard deviations of the parameter: a clear main effect, two weaker ones, and an interaction without a main effect."""
STEEPNESS = 0.9
"""Of the saturating law: at one standard deviation the curve has bent to 72 % of its height, so that the bend can be found."""
VARIATION = 0.2
"""A strength varies by so much from seed to seed."""
TAME = 4.0
"""Standard deviations beyond which a parameter changes nothing more: one odd fit must not make light that outshines the flake."""


@dataclass(frozen=True, eq=False)
class PlantedLaw:
    """``s tanh(0.9 a) + l p + q (w^2 - 1) + i a b`` of four standardised parameters, in the target's unit.

    `a` saturates and carries the interaction, `p` acts linearly, `w` quadratically, `b` only through `a`; all as far as `TAME`.
    """

    columns: dict[str, int]
    """Column of each role."""
    strengths: dict[str, float]
    """Of each role, with sign."""
    centre: Numbers
    scale: Numbers
    """(column,) mean and standard deviation of the table."""
    level: float = 0.0
    unit: float = 1.0
    """Mean and scale of the law in the target's unit."""

    @classmethod
    def drawn(cls, samples: Samples, values: Numbers, rng: np.random.Generator, *, share: float = 1.0, order: Sequence[int] = ()) -> Self:
        """Choose parameters and signs, and scale the law to the target.

        Parameters
        ----------
        samples : the user's own
        values : (n,) the target that the law stands in for
        rng : signs and strengths
        share : of the target's variance that the law gives
        order : columns from the most to the least important; those of the highest peak first where none is given
        """
        table = samples.features
        columns = dict(_roles(samples, order or _by_height(samples)))
        signs = rng.choice([-1.0, 1.0], len(ROLES)) * rng.uniform(1 - VARIATION, 1 + VARIATION, len(ROLES))
        strengths = {role: float(sign * STRENGTHS[role]) for role, sign in zip(ROLES, signs, strict=True)}
        law = cls(columns, strengths, table.mean(axis=0), np.where(np.ptp(table, axis=0) > 0, table.std(axis=0), 1.0))
        raw = law.predict(table)
        unit = float(np.sqrt(share) * np.nanstd(values) / raw.std())
        return replace(law, level=float(np.nanmean(values) - unit * raw.mean()), unit=unit)

    def predict(self, table: Numbers) -> Numbers:
        """Value of the law without noise (n,), for a table (n, column)."""
        standard = ((table[:, k] - self.centre[k]) / self.scale[k] for k in (self.columns[role] for role in ROLES))
        a, p, w, b = (np.clip(z, -TAME, TAME) for z in standard)
        s, line, q, i = (self.strengths[role] for role in ROLES)
        # w^2 - 1 has mean 0 and no straight part for a symmetric w: it is a bend and nothing else.
        return np.asarray(self.level + self.unit * (s * np.tanh(STEEPNESS * a) + line * p + q * (w**2 - 1) + i * a * b))


def _by_height(samples: Samples) -> list[int]:
    """Columns of the strongest peak first."""
    peaks = [group for group in samples.groups if len(group) > HEIGHT]
    strongest = sorted(peaks, key=lambda group: -float(np.median(samples.features[:, group[HEIGHT]])))
    return [group[parameter] for group in strongest for parameter in (POSITION, WIDTH, HEIGHT)]


def _roles(samples: Samples, order: Sequence[int]) -> Iterator[tuple[str, int]]:
    """Column for each role: the first of its kind that is known, varies, and has no role yet."""
    usable = (np.ptp(samples.features, axis=0) > 0) & (samples.filled.mean(axis=0) < ABSENT_LIMIT)
    taken: set[int] = set()
    kind_of = {column: kind for group in samples.groups if len(group) > HEIGHT for kind, column in enumerate(group)}
    for role, kind in ROLES.items():
        free = [column for column in order if kind_of.get(column) == kind and usable[column] and column not in taken]
        if not free:
            raise DataError("A law cannot be planted: it needs two peaks with heights, a position and a width that vary over the flake.")
        taken.add(free[0])
        yield role, free[0]

"""What many flakes gave, a number each: what tables and figures over flakes are made of."""

from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from napari_wse2xai.data.acquisition import NORMALISED, Acquisition, told_by
from napari_wse2xai.data.peak_maps import GOOD, PARAMETERS, PeakMaps, Status

LEFT_OUT = (Status.NOT_ON_FLAKE, Status.NOT_MEASURED)
"""Pixels that no fit was wanted for."""


@dataclass(frozen=True)
class FlakeValue:
    """One parameter of one peak over the well fitted pixels of one flake."""

    modality: str
    peak: str
    parameter: str
    unit: str
    taken: str
    """How long and how strongly the flake was lit, where its values depend on that and are not normalised; in words."""
    pixels: int
    median: float
    low: float
    high: float
    """The middle half of the pixels lies from `low` to `high`."""
    error: float
    """Median of the standard errors of the pixels."""

    @property
    def quantity(self) -> str:
        """Name of what is pooled: ``raman A1' position``."""
        return " ".join(filter(None, (self.modality, self.peak, self.parameter)))

    def as_record(self) -> dict[str, Any]:
        """Plain values for a table or JSON."""
        return asdict(self)

    @classmethod
    def of_peaks(cls, modality: str, peaks: PeakMaps) -> list[Self]:
        """Every parameter of every peak, then the computed maps."""
        lit = _lit(told_by(peaks.metadata, peaks.history)) if NORMALISED not in peaks.intensity_unit else ""
        found = []
        for index, name in enumerate(peaks.names):
            status = peaks.status if peaks.peak_status is None else peaks.peak_status[index]
            for parameter in (*PARAMETERS, "area"):
                values, errors = getattr(peaks, parameter), getattr(peaks, f"{parameter}_error")
                if values is None or errors is None:
                    continue
                unit = f"{peaks.intensity_unit} {peaks.axis.unit}" if parameter == "area" else peaks.unit(parameter)
                taken = lit if parameter in ("height", "area") else ""
                found.append(cls._of((modality, name, parameter, unit, taken), values[index], errors[index], np.isin(status, GOOD)))
        every = np.isin(peaks.status, GOOD)
        computed = [(each.name, each.unit, each.value, each.error) for each in peaks.computed]
        return found + [cls._of((modality, "", name, unit, ""), values, errors, every) for name, unit, values, errors in computed]

    @classmethod
    def _of(cls, what: tuple[str, str, str, str, str], values: Any, errors: Any, good: Any) -> Self:
        there = np.asarray(good) & np.isfinite(values)
        if not there.any():
            return cls(*what, 0, *(float("nan"),) * 4)
        low, middle, high = np.quantile(np.asarray(values)[there].astype(np.float64), [0.25, 0.5, 0.75])
        known = np.asarray(errors)[there]
        known = known[np.isfinite(known)]
        error = float(np.median(known)) if known.size else float("nan")
        return cls(*what, int(there.sum()), float(middle), float(low), float(high), error)


@dataclass(frozen=True)
class OfFlake:
    """A value with the flake that it is of."""

    name: str
    condition: str
    at: float | None
    """Of what a series runs over."""
    value: FlakeValue

    @property
    def error(self) -> float:
        """Standard error of the median: that of the fits, and of many pixels what their spread makes of it."""
        value = self.value
        # Quartiles of normal values lie 1.349 standard deviations apart; pi / 2 is the variance of a median over that of a mean.
        of_spread = (value.high - value.low) / 1.349 * np.sqrt(np.pi / 2 / value.pixels)
        return float(np.hypot(of_spread, value.error / np.sqrt(value.pixels) if np.isfinite(value.error) else 0.0))


@dataclass(frozen=True)
class Pool:
    """One quantity over all flakes that may be compared."""

    flakes: tuple[OfFlake, ...]

    @property
    def first(self) -> FlakeValue:
        """Any of the values: all are of one quantity."""
        return self.flakes[0].value

    @property
    def conditions(self) -> tuple[str, ...]:
        """Each condition once."""
        return tuple(dict.fromkeys(flake.condition for flake in self.flakes))

    def under(self, condition: str) -> list[OfFlake]:
        """Flakes of one condition."""
        return [flake for flake in self.flakes if flake.condition == condition]

    def points(self, condition: str) -> tuple[list[float], list[float], list[float]]:
        """Values of what a series runs over, in rising order, the flakes' medians there, and their standard errors."""
        there = sorted((flake.at, flake.value.median, flake.error) for flake in self.under(condition) if flake.at is not None)
        return [at for at, _, _ in there], [median for _, median, _ in there], [error for _, _, error in there]


def share_ok(peaks: PeakMaps) -> float:
    """Share of the pixels that were to be fitted of which all is well; NaN where there were none."""
    wanted = ~np.isin(peaks.status, LEFT_OUT)
    return float(np.isin(peaks.status[wanted], GOOD).mean()) if wanted.any() else float("nan")


def _lit(taken: Acquisition) -> str:
    known = ((taken.exposure_s, "s"), (taken.accumulations, "times"), (taken.power_mw, "mW"))
    return ", ".join(f"{value:g} {unit}" for value, unit in known if value is not None)

"""What a network learns from: the paired pixels of one or several flakes as a table."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data.acquisition import NORMALISED, Acquisition, told_by
from napari_wse2xai.data.frame import Frame
from napari_wse2xai.data.paired_maps import PairedMaps
from napari_wse2xai.data.peak_maps import PARAMETERS, PeakMaps, Status
from napari_wse2xai.errors import DataError, DataWarning

TARGETS = (*PARAMETERS, "area")
"""PL parameters that can be learnt."""
ABSENT_LIMIT = 0.5
"""Share of pixels without a position or FWHM above which a peak's column tells nothing."""
UNTRUSTED = (Status.NOT_CONVERGED, Status.SPIKE_LEFT, Status.ABNORMAL, Status.SATURATED)
"""What a fit may have come to that keeps its pixel out: the paper's skimming."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """One RS peak, as needed to draw its line again from position, FWHM and height."""

    name: str
    shape: str
    """Name of `numerics.lineshapes.SHAPES`."""
    window: tuple[float, float]
    """Where it was fitted, in the axis unit."""


@dataclass(frozen=True, eq=False)
class Samples:
    """One row per pixel where both RS and PL have a value; flakes follow one another.

    Notes
    -----
    A peak under its noise has a height (with error) but no position and no FWHM: the flake's median stands in for them, and `filled`
    says where.  A pixel that lacks a height, or whose fit is among `UNTRUSTED`, is left out.
    """

    lines: tuple[Line, ...]
    axis_unit: str
    intensity_unit: str
    features: Numbers
    """(n, 3 x line) position, FWHM, height of the first line, then those of the second, ...; in `feature_units`."""
    feature_errors: Numbers
    """(n, 3 x line) one standard error each; NaN where `filled`."""
    filled: NDArray[np.bool_]
    """(n, 3 x line) True where the median of the flake stands in for a missing value."""
    target_names: tuple[str, ...]
    """Some of `TARGETS`."""
    target_units: tuple[str, ...]
    targets: Numbers
    """(n, target); NaN where the pixel has no value of that target."""
    target_errors: Numbers
    """(n, target) one standard error each."""
    pl_peak: str
    """Name of the PL peak whose parameters are the targets."""
    flake: NDArray[np.int64]
    """(n,) which of `frames` the pixel lies on."""
    row: NDArray[np.int64]
    column: NDArray[np.int64]
    frames: tuple[Frame, ...]
    """Grid of each flake's RS scan."""
    names: tuple[str, ...]
    """Name of each flake's RS map."""
    doubts: tuple[str, ...] = ()
    """Why it is not sure that PL and RS of a row are of one place, each a sentence; known while training, not kept in files."""

    @classmethod
    def of(cls, pairs: Sequence[PairedMaps], *, targets: Sequence[str] = ("height",), pl_peak: str = "") -> Self:
        """Collect the paired pixels.

        Parameters
        ----------
        pairs : one per flake, all with the same RS peaks
        targets : some of `TARGETS`
        pl_peak : name of the PL peak; the strongest where none is named

        Raises
        ------
        DataError
            The flakes have different peaks, the PL peak or target is not there, or no pixel has both RS and PL.
        """
        _check(pairs, targets)
        peak = pl_peak or _strongest(pairs[0].pl)
        tables = [_Table.of(pair, index, targets, peak) for index, pair in enumerate(pairs)]
        raman, pl = pairs[0].raman, pairs[0].pl
        units = {**{name: pl.unit(name) for name in PARAMETERS}, "area": f"{pl.intensity_unit} {pl.axis.unit}"}
        lines = tuple(Line(*line) for line in zip(raman.names, raman.shapes, raman.windows, strict=True))
        columns = {name: np.concatenate([getattr(table, name) for table in tables]) for name in _Table.__dataclass_fields__}
        return cls(
            lines,
            raman.axis.unit,
            raman.intensity_unit,
            **columns,
            target_names=tuple(targets),
            target_units=tuple(units[name] for name in targets),
            pl_peak=peak,
            frames=tuple(pair.frame for pair in pairs),
            names=tuple(pair.raman.name for pair in pairs),
            doubts=tuple(f"'{pair.pl.name}' on '{pair.raman.name}': {doubt}" for pair in pairs for doubt in pair.doubts),
        )

    def __len__(self) -> int:
        """Give the number of pixels."""
        return len(self.row)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """``A1'.height`` and so on, one per column of `features`."""
        return tuple(f"{line.name}.{parameter}" for line in self.lines for parameter in PARAMETERS)

    @property
    def feature_units(self) -> tuple[str, ...]:
        """Unit of each column of `features`."""
        return tuple(self.intensity_unit if parameter == "height" else self.axis_unit for _ in self.lines for parameter in PARAMETERS)

    @property
    def coordinates_um(self) -> Numbers:
        """(n, 2) place (y, x) of each pixel in um, in the stage coordinates of its own flake."""
        places = np.empty((len(self), 2))
        for index, frame in enumerate(self.frames):
            here = self.flake == index
            places[here] = np.stack([frame.y_um[self.row[here]], frame.x_um[self.column[here]]], axis=1)
        return places

    def image(self, values: NDArray[np.generic], flake: int = 0) -> NDArray[np.float32]:
        """Spread one value per pixel (n,) over a flake's grid: (ny, nx) float32, NaN where there is no pixel."""
        picture = np.full(self.frames[flake].shape, np.nan, dtype=np.float32)
        here = self.flake == flake
        picture[self.row[here], self.column[here]] = np.asarray(values)[here]
        return picture

    def target(self, name: str) -> int:
        """Column of a target."""
        if name not in self.target_names:
            raise DataError(f"The target '{name}' was not collected; there are {', '.join(self.target_names)}.")
        return self.target_names.index(name)

    def absent(self) -> dict[str, float]:
        """Lines that more than half the pixels do not show, with the share that lacks them."""
        share = self.filled[:, ::3].mean(axis=0) if len(self) else np.zeros(len(self.lines))
        return {line.name: float(s) for line, s in zip(self.lines, share, strict=True) if s > ABSENT_LIMIT}


@dataclass(frozen=True, eq=False)
class _Table:
    """The rows of one flake."""

    features: Numbers
    feature_errors: Numbers
    filled: NDArray[np.bool_]
    targets: Numbers
    target_errors: Numbers
    flake: NDArray[np.int64]
    row: NDArray[np.int64]
    column: NDArray[np.int64]

    @classmethod
    def of(cls, pair: PairedMaps, index: int, targets: Sequence[str], pl_peak: str) -> Self:
        if pl_peak not in pair.pl.names:
            raise DataError(f"'{pair.pl.name}' has no peak '{pl_peak}'; name one of {', '.join(pair.pl.names)}.")
        which = pair.pl.names.index(pl_peak)
        there = np.isfinite(pair.raman.height).all(axis=0) & np.isfinite(pair.pl.height[which])
        there &= ~np.isin(pair.raman.status, UNTRUSTED) & ~np.isin(pair.pl.status, UNTRUSTED)
        there = _without_misfits(there, pair)
        if not there.any():
            raise DataError(f"'{pair.raman.name}' has no pixel with a good fit of both RS and PL; look at the fits and at the pairing.")
        row, column = np.nonzero(there)
        values, errors = (np.stack(list(_columns(pair.raman, there, ending)), axis=1) for ending in ("", "_error"))
        filled = ~np.isfinite(values)
        wanted, spread = (np.stack([_of(pair.pl, name + ending)[which][there] for name in targets], axis=1) for ending in ("", "_error"))
        flake = np.full(len(row), index, dtype=np.int64)
        return cls(_filled(values, pair.raman.windows), np.where(filled, np.nan, errors), filled, wanted, spread, flake, row, column)


def _without_misfits(there: NDArray[np.bool_], pair: PairedMaps) -> NDArray[np.bool_]:
    """Leave out pixels whose model does not fit; where that is most of them, it is the map's fault and not theirs, and they stay."""
    misfit = there & ((pair.raman.status == Status.MISFIT) | (pair.pl.status == Status.MISFIT))
    return there if 2 * misfit.sum() > there.sum() else there & ~misfit


def _columns(peaks: PeakMaps, there: NDArray[np.bool_], ending: str) -> Iterator[Numbers]:
    for index in range(len(peaks.names)):
        for parameter in PARAMETERS:
            yield getattr(peaks, parameter + ending)[index][there].astype(np.float64)


def _filled(values: Numbers, windows: Sequence[tuple[float, float]]) -> Numbers:
    """Fill gaps with the median of their column; where a line shows nowhere, with the middle and a tenth of its window."""
    defaults = np.concatenate([[(low + high) / 2, (high - low) / 10, 0.0] for low, high in windows])
    known = np.isfinite(values).any(axis=0)
    defaults[known] = np.nanmedian(values[:, known], axis=0)
    return np.where(np.isfinite(values), values, defaults)


def _of(peaks: PeakMaps, name: str) -> Numbers:
    maps = getattr(peaks, name)
    if maps is None:
        raise DataError(f"'{peaks.name}' holds no areas; deconvolve it again, or choose another target.")
    return np.asarray(maps, dtype=np.float64)


def _strongest(pl: PeakMaps) -> str:
    medians = [float(np.nanmedian(height)) if np.isfinite(height).any() else -np.inf for height in pl.height]
    return pl.names[int(np.argmax(medians))]


def _check(pairs: Sequence[PairedMaps], targets: Sequence[str]) -> None:
    if not pairs:
        raise DataError("There is no paired flake to learn from; pair RS with PL first.")
    if wrong := [name for name in targets if name not in TARGETS]:
        raise DataError(f"The target '{wrong[0]}' is not known; use {', '.join(TARGETS[:-1])} or {TARGETS[-1]}.")
    if not targets:
        raise DataError(f"No target was chosen; choose among {', '.join(TARGETS)}.")
    for pair in pairs:
        pair.frame.require_places(pair.raman.name, "learnt from")
        _check_alike(pair.raman, pairs[0].raman)
        _check_alike(pair.pl, pairs[0].pl)
    for pair in pairs[1:]:
        if pair.raman.names != pairs[0].raman.names or pair.raman.axis.unit != pairs[0].raman.axis.unit:
            raise DataError(f"'{pair.raman.name}' has other RS peaks or units than '{pairs[0].raman.name}'; deconvolve all flakes alike.")


def _check_alike(peaks: PeakMaps, first: PeakMaps) -> None:
    """Refuse heights in different units; say so where counts of different exposure or power would be pooled."""
    if peaks.intensity_unit != first.intensity_unit:
        raise DataError(
            f"'{peaks.name}' is in {peaks.intensity_unit}, '{first.name}' in {first.intensity_unit}; normalise both to counts/(s mW) first."
        )
    ours, theirs = (_lit(told_by(each.metadata, each.history)) for each in (peaks, first))
    if NORMALISED not in peaks.intensity_unit and ours and theirs and ours != theirs:
        warnings.warn(
            f"'{peaks.name}' was taken with {ours}, '{first.name}' with {theirs}: their heights are not comparable; normalise both first.",
            DataWarning,
            stacklevel=4,
        )


def _lit(taken: Acquisition) -> str:
    """Exposure and power in words, where they are known."""
    known = ((taken.exposure_s, "s"), (taken.power_mw, "mW"))
    return ", ".join(f"{value:g} {unit}" for value, unit in known if value is not None)

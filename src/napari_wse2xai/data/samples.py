"""What a network learns from: the paired pixels of one or several flakes as a table."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data.acquisition import NORMALISED, Acquisition, told_by
from napari_wse2xai.data.computed_map import ComputedMap
from napari_wse2xai.data.declared import PIXEL, Coordinates, Tabled, along, attribute
from napari_wse2xai.data.frame import Frame
from napari_wse2xai.data.line import NUMBER, Line, columns_of
from napari_wse2xai.data.paired_maps import PairedMaps
from napari_wse2xai.data.peak_maps import PARAMETERS, PeakMaps, Status, peaks_there, strongest
from napari_wse2xai.data.quantities import Feature
from napari_wse2xai.errors import DataError, DataWarning

TARGETS = (*PARAMETERS, "area")
"""PL parameters that can be learnt."""
ABSENT_LIMIT = 0.5
"""Share of pixels without a position or FWHM above which a peak's column tells nothing."""
UNTRUSTED = (Status.NOT_CONVERGED, Status.SPIKE_LEFT, Status.ABNORMAL, Status.SATURATED)
"""What a fit may have come to that keeps its pixel out: the paper's skimming."""

Numbers = NDArray[np.float64]
ROW, OF_FEATURE, OF_TARGET = (PIXEL, "feature"), "feature_unit", "target_unit"


@dataclass(frozen=True, eq=False)
class Samples(Tabled):
    """One row per pixel where both RS and PL have a value; flakes follow one another.

    Notes
    -----
    A peak under its noise has a height (with error) but no position and no FWHM: the flake's median stands in for them, and `filled`
    says where.  A pixel that lacks a height, or whose fit is among `UNTRUSTED`, is left out; so is a line that hardly a pixel's fit has
    (an optional peak).
    """

    lines: Annotated[tuple[Line, ...], along("line")]
    axis_unit: Annotated[str, attribute()]
    intensity_unit: Annotated[str, attribute()]
    features: Annotated[Numbers, along(*ROW, unit=OF_FEATURE, column="{label}", says="position, FWHM and height of every RS line")]
    """Of the first line, its form where that varies, then those of the second, ...; then a column for each computed map."""
    feature_errors: Annotated[Numbers, along(*ROW, unit=OF_FEATURE, column="{label}_error", says="one standard error; NaN if filled")]
    filled: Annotated[
        NDArray[np.bool_],
        along(*ROW, column="{label}_filled", says="1 where the median of the flake stands in for a value that is missing"),
    ]
    target_names: Annotated[tuple[str, ...], along("target", stored="target", says="name of the target")]
    """Some of `TARGETS`, or names of computed maps of the PL."""
    target_units: Annotated[tuple[str, ...], along("target", stored="target_unit", says="unit of the target")]
    targets: Annotated[Numbers, along(PIXEL, "target", unit=OF_TARGET, column="PL {label}", says="PL parameters to be predicted")]
    """NaN where the pixel has no value of that target."""
    target_errors: Annotated[Numbers, along(PIXEL, "target", unit=OF_TARGET, column="PL {label}_error", says="one standard error of each")]
    pl_peak: Annotated[str, attribute()]
    """Name of the PL peak whose parameters are the targets."""
    flake: Annotated[NDArray[np.int64], along(PIXEL, says="flake that the pixel lies on, from 0")]
    row: Annotated[NDArray[np.int64], along(PIXEL, says="row of the flake's RS map")]
    column: Annotated[NDArray[np.int64], along(PIXEL, says="column of the flake's RS map")]
    frames: tuple[Frame, ...]
    """Grid of each flake's RS scan."""
    names: Annotated[tuple[str, ...], attribute()]
    """Name of each flake's RS map."""
    computed_units: Mapping[str, str] = field(default_factory=dict)
    """Unit of each computed map among the columns."""
    doubts: tuple[str, ...] = ()
    """Why it is not sure that PL and RS of a row are of one place, each a sentence; known while training, not kept in files."""
    left_out: tuple[str, ...] = ()
    """Lines that hardly a pixel's fit has; known while training, not kept in files."""

    @classmethod
    def of(
        cls, pairs: Sequence[PairedMaps], *, targets: Sequence[str] = ("height",), pl_peak: str = "", features: Sequence[str] = ()
    ) -> Self:
        """Collect the paired pixels.

        Parameters
        ----------
        pairs : one per flake, all with the same RS peaks
        targets : some of `TARGETS`, or names of computed maps of the PL
        features : names of computed maps of RS that are learnt from beside the lines
        pl_peak : name of the PL peak; the strongest where none is named

        Raises
        ------
        DataError
            The flakes have different peaks, the PL peak or target is not there, or no pixel has both RS and PL.
        """
        _check(pairs, targets, features)
        peak = pl_peak or pairs[0].pl.names[strongest(pairs[0].pl.height)]
        lines = _lines(pairs, features)
        tables = [_FlakeRows.of(pair, index, targets, peak, lines) for index, pair in enumerate(pairs)]
        raman, pl = pairs[0].raman, pairs[0].pl
        units = {**{name: pl.unit(name) for name in PARAMETERS}, "area": f"{pl.intensity_unit} {pl.axis.unit}"}
        units |= {each.name: each.unit for each in pl.computed}
        columns = {name: np.concatenate([getattr(table, name) for table in tables]) for name in _FlakeRows.__dataclass_fields__}
        return cls(
            lines,
            raman.axis.unit,
            raman.intensity_unit,
            **columns,
            target_names=tuple(targets),
            target_units=tuple(units[name] for name in targets),
            pl_peak=peak,
            computed_units={each.name: each.unit for each in raman.computed if each.name in features},
            frames=tuple(pair.frame for pair in pairs),
            names=tuple(pair.raman.name for pair in pairs),
            doubts=tuple(f"'{pair.pl.name}' on '{pair.raman.name}': {doubt}" for pair in pairs for doubt in pair.doubts),
            left_out=tuple(name for name in raman.names if name not in {line.name for line in lines}),
        )

    def __len__(self) -> int:
        """Give the number of pixels."""
        return len(self.row)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """``A1'.height`` and so on, one per column of `features`."""
        return tuple(Feature(line.name, parameter).name for line in self.lines for parameter in line.parameters)

    @property
    def feature_units(self) -> tuple[str, ...]:
        """Unit of each column of `features`."""
        units = {"position": self.axis_unit, "fwhm": self.axis_unit, "height": self.intensity_unit, "form": "1"}
        return tuple(
            units.get(parameter) or self.computed_units.get(line.name, "1") for line in self.lines for parameter in line.parameters
        )

    @property
    def groups(self) -> list[list[int]]:
        """Columns of every line."""
        return columns_of(self.lines)

    def columns(self, parameter: str) -> list[int]:
        """Columns that hold one parameter, in the order of the lines that have it."""
        return [k for k, name in enumerate(self.feature_names) if Feature.of(name).parameter == parameter]

    @property
    def coordinates_um(self) -> Numbers:
        """(n, 2) place (y, x) of each pixel along rows and columns of its own flake's scan, um; `places` has those on the stage."""
        places = np.empty((len(self), 2))
        for index, frame in enumerate(self.frames):
            here = self.flake == index
            places[here] = np.stack([frame.y_um[self.row[here]], frame.x_um[self.column[here]]], axis=1)
        return places

    def coordinates(self) -> Coordinates:
        """Names and units of the columns, and where every pixel lies."""
        texts = {"feature": self.feature_names, "feature_unit": self.feature_units}
        return self.places() | {name: (("feature",), np.array(values, dtype=object), "") for name, values in texts.items()}

    def places(self) -> Coordinates:
        """Where every pixel lies."""
        stage = np.empty((len(self), 2))
        for index, frame in enumerate(self.frames):
            here = self.flake == index
            stage[here] = frame.at(self.row[here], self.column[here])
        y_um, x_um = stage.T
        known = {"flake": (self.flake, ""), "row": (self.row, ""), "column": (self.column, ""), "y_um": (y_um, "um"), "x_um": (x_um, "um")}
        return {name: ((PIXEL,), values, unit) for name, (values, unit) in known.items()}

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
        share = self.filled[:, [group[0] for group in self.groups]].mean(axis=0) if len(self) else np.zeros(len(self.lines))
        return {line.name: float(s) for line, s in zip(self.lines, share, strict=True) if s > ABSENT_LIMIT}


@dataclass(frozen=True, eq=False)
class _FlakeRows:
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
    def of(cls, pair: PairedMaps, index: int, targets: Sequence[str], pl_peak: str, lines: Sequence[Line]) -> Self:
        if pl_peak not in pair.pl.names:
            raise DataError(f"'{pair.pl.name}' has no peak '{pl_peak}'; name one of {', '.join(pair.pl.names)}.")
        which = pair.pl.names.index(pl_peak)
        there = np.isfinite(pair.raman.height).all(axis=0) & np.isfinite(pair.pl.height[which])
        there &= ~np.isin(pair.raman.status, UNTRUSTED) & ~np.isin(pair.pl.status, UNTRUSTED)
        there = _without_misfits(there, pair)
        if not there.any():
            raise DataError(f"'{pair.raman.name}' has no pixel with a good fit of both RS and PL; look at the fits and at the pairing.")
        row, column = np.nonzero(there)
        values, errors = (np.stack(list(_columns(pair.raman, lines, there, ending)), axis=1) for ending in ("", "_error"))
        filled = ~np.isfinite(values)
        wanted, spread = (np.stack([_of(pair.pl, name, ending, which)[there] for name in targets], axis=1) for ending in ("", "_error"))
        flake = np.full(len(row), index, dtype=np.int64)
        return cls(_filled(values, lines), np.where(filled, np.nan, errors), filled, wanted, spread, flake, row, column)


def _without_misfits(there: NDArray[np.bool_], pair: PairedMaps) -> NDArray[np.bool_]:
    """Leave out pixels whose model does not fit; where that is most of them, it is the map's fault and not theirs, and they stay."""
    misfit = there & ((pair.raman.status == Status.MISFIT) | (pair.pl.status == Status.MISFIT))
    return there if 2 * misfit.sum() > there.sum() else there & ~misfit


def _lines(pairs: Sequence[PairedMaps], features: Sequence[str]) -> tuple[Line, ...]:
    """Lines of the RS peaks that the fits have, each with its form, and a column for each computed map that is wanted."""
    raman, there = pairs[0].raman, peaks_there([pair.raman for pair in pairs])
    lines = []
    for k, (name, shape, window) in enumerate(zip(raman.names, raman.shapes, raman.windows, strict=True)):
        if not there[k]:
            continue
        forms, errors = (
            np.concatenate([each[k].ravel() for pair in pairs if (each := getattr(pair.raman, field)) is not None] or [np.empty(0)])
            for field in ("form", "form_error")
        )
        form = float(np.nanmedian(forms)) if np.isfinite(forms).any() else None
        lines.append(Line(name, shape, window, form, own_form=bool(np.isfinite(errors).any())))
    low, high = raman.axis.span
    return (*lines, *(Line(name, NUMBER, (low, high)) for name in features))


def _columns(peaks: PeakMaps, lines: Sequence[Line], there: NDArray[np.bool_], ending: str) -> Iterator[Numbers]:
    for line in lines:
        for parameter in line.parameters:
            number = line.shape == NUMBER
            maps = _of(peaks, line.name, ending) if number else getattr(peaks, parameter + ending)[peaks.names.index(line.name)]
            yield maps[there].astype(np.float64)


def _filled(values: Numbers, lines: Sequence[Line]) -> Numbers:
    """Fill gaps with the median of their column; where a line shows nowhere, with the middle and a tenth of its window."""
    usual = {"height": 0.0, "value": 0.0}
    defaults = np.array(
        [
            {**usual, "position": sum(line.window) / 2, "fwhm": (line.window[1] - line.window[0]) / 10, "form": line.form or 0.0}[parameter]
            for line in lines
            for parameter in line.parameters
        ]
    )
    known = np.isfinite(values).any(axis=0)
    defaults[known] = np.nanmedian(values[:, known], axis=0)
    return np.where(np.isfinite(values), values, defaults)


def _of(peaks: PeakMaps, name: str, ending: str, peak: int = 0) -> Numbers:
    """(ny, nx) a parameter of a peak, or a computed map, or the error of either."""
    if name not in TARGETS:
        computed = _computed(peaks, name)
        return np.asarray(computed.error if ending else computed.value, dtype=np.float64)
    maps = getattr(peaks, name + ending)
    if maps is None:
        raise DataError(f"'{peaks.name}' holds no areas; deconvolve it again, or choose another target.")
    return np.asarray(maps[peak], dtype=np.float64)


def _computed(peaks: PeakMaps, name: str) -> ComputedMap:
    found = next((each for each in peaks.computed if each.name == name), None)
    if found is None:
        there = ", ".join(each.name for each in peaks.computed) or "none"
        raise DataError(f"'{peaks.name}' has no computed map '{name}' (there are: {there}); compute it first, or correct the name.")
    return found


def _check(pairs: Sequence[PairedMaps], targets: Sequence[str], features: Sequence[str]) -> None:
    if not pairs:
        raise DataError("There is no paired flake to learn from; pair RS with PL first.")
    _check_names(pairs[0], targets, features)
    for pair in pairs:
        pair.frame.require_places(pair.raman.name, "learnt from")
        _check_alike(pair.raman, pairs[0].raman)
        _check_alike(pair.pl, pairs[0].pl)
    for pair in pairs[1:]:
        if pair.raman.names != pairs[0].raman.names or pair.raman.axis.unit != pairs[0].raman.axis.unit:
            raise DataError(f"'{pair.raman.name}' has other RS peaks or units than '{pairs[0].raman.name}'; deconvolve all flakes alike.")


def _check_names(pair: PairedMaps, targets: Sequence[str], features: Sequence[str]) -> None:
    """Refuse targets and computed maps that are not there."""
    if not targets:
        raise DataError(f"No target was chosen; choose among {', '.join(TARGETS)}.")
    computed = [each.name for each in pair.pl.computed]
    if wrong := [name for name in targets if name not in {*TARGETS, *computed}]:
        there = f"; computed maps of PL: {', '.join(computed) or 'none'}"
        raise DataError(f"The target '{wrong[0]}' is not known; use {', '.join(TARGETS[:-1])} or {TARGETS[-1]}{there}.")
    for name in features:
        _computed(pair.raman, name)


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

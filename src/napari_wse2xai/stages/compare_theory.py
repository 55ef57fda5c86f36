"""Theory beside the data: calculated lines over the flake's mean spectrum, names for its peaks, and what theory says of the finding."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_wse2xai.data import AxisKind, Explanation, PairedMaps, PeakMaps, SpectralMap
from napari_wse2xai.data.axis import HC_EV_NM
from napari_wse2xai.data.history import mark_of
from napari_wse2xai.data.quantities import Feature
from napari_wse2xai.errors import DataError, SettingsError
from napari_wse2xai.progress import Progress, silent
from napari_wse2xai.stages._stage import Step, recorded, setting
from napari_wse2xai.theory.agreement import Agreement, NetworkFinding, pristine_mode, rank_correlation, sentences_of
from napari_wse2xai.theory.beside import REGIONS, TheoryBeside, about
from napari_wse2xai.theory.calculated import Calculated
from napari_wse2xai.theory.evaluation import Conditions, TheoryResult, evaluate
from napari_wse2xai.theory.matching import Match, match
from napari_wse2xai.theory.naming import Assignment, propose
from napari_wse2xai.theory.reference import known

Numbers = NDArray[np.float64]
USUAL_LASER_EV = 2.33
"""The paper's, where neither settings nor map say what the laser is."""


class CompareTheory(Step):
    """Lay calculated lines over the mean spectrum of a flake, propose names for its peaks, and say what theory says of the explanation.

    Called as ``CompareTheory()(raman, peaks, paired=..., explanation=...)``.

    Notes
    -----
    One shift and one scale per engine are fitted to the mean of the flake; bright and dark regions are drawn with the same.  Calculated
    intensities are static: the ratio of a measured A1' to E' in resonance is scored by nothing here.
    """

    key: ClassVar[str] = "theory"
    title: ClassVar[str] = "Theory"
    order: ClassVar[int] = 150
    takes: ClassVar[tuple[type, ...]] = (SpectralMap, PeakMaps)
    gives: ClassVar[type] = TheoryBeside
    kept: ClassVar[str] = "theory"

    material: Literal["WSe2", "WS2", "MoSe2", "MoS2"] = setting(
        "WSe2", title="Material", description="The monolayer; in a recipe, that of the preset where none is given."
    )
    laser_ev: float | None = setting(
        None, gt=0.5, le=10, title="Laser", unit="eV", description="Photon energy; empty: what the map says, else 2.33 eV."
    )
    raman_k: float = setting(300.0, ge=1, le=5000, title="Raman at", unit="K", description="Temperature of the calculated Raman spectrum.")
    motion_k: float = setting(
        273.0, ge=1, le=5000, title="Motion at", unit="K", description="Temperature of the calculated spectral intensity."
    )
    fwhm: float = setting(5.0, ge=0.5, le=100, title="Width", unit="cm-1", description="FWHM of every calculated line.")
    share: float = setting(
        0.33, ge=0.02, le=0.5, title="Bright and dark", unit="share", description="Share of the flake that is called bright, and dark."
    )

    step_fs: float | None = setting(
        None, gt=0, le=1000, title="Time step", unit="fs", description="Time between two frames of dynamics whose file does not say it."
    )
    calculations: tuple[Path, ...] = Field(
        (),
        description="Files of your own calculations (CASTEP, Quantum ESPRESSO, ABINIT, VASP, extended XYZ) in place of the reference.",
    )

    def reference(self, laser_nm: float | None = None, calculated: Calculated | None = None) -> TheoryResult:
        """Calculated spectra for these settings; `calculated` is what the files of `calculations` hold."""
        of_map = USUAL_LASER_EV if laser_nm is None else HC_EV_NM / laser_nm
        laser_ev = of_map if self.laser_ev is None else self.laser_ev
        given = Conditions(fwhm_cm1=self.fwhm, motion_k=self.motion_k, raman_k=self.raman_k, laser_ev=laser_ev)
        return evaluate(self.material, given, calculated)

    def check(self) -> None:
        """Refuse a material that there is no reference for, before any work."""
        if not self.calculations:
            known(self.material)

    def __call__(
        self,
        raman: SpectralMap,
        peaks: PeakMaps,
        *,
        paired: PairedMaps | None = None,
        explanation: Explanation | None = None,
        calculated: Calculated | None = None,
        reference: TheoryResult | None = None,
        progress: Progress = silent,
    ) -> TheoryBeside:
        """Compare; the result carries these settings in its history.

        Parameters
        ----------
        raman, peaks : the map as it was fitted, and its peaks
        paired : where given, bright and dark are told by PL, else by the light of the RS lines
        explanation : of a network that was trained on these peaks
        calculated : what the files of `calculations` hold, see `io.calculations`
        reference : calculated spectra made elsewhere
        """
        _check(raman, peaks)
        if self.calculations and calculated is None and reference is None:
            raise SettingsError("The calculations were named but not read; read them with io.calculations.read_calculated.")

        def compared() -> TheoryBeside:
            progress(0.0, "calculating spectra")
            result = reference or self.reference(raman.axis.laser_nm, calculated)
            progress(0.5, "laying them over the mean spectrum")
            made = self._laid_over(raman, peaks, paired, result)
            return made if explanation is None else _with_evidence(made, explanation)

        return recorded(self, compared, of=tuple(mark_of(one.history) for one in (paired, explanation) if one is not None))

    def on(self, known: Mapping[type, Any], progress: Progress = silent) -> TheoryBeside:
        """Compare the Raman map of a run, with its pair, its explanation and calculations of one's own where there are some."""
        pairs = known.get(PairedMaps)  # one, or the several that are learnt together
        return self(
            known[SpectralMap],
            known[PeakMaps],
            paired=pairs[0] if isinstance(pairs, list) else pairs,
            explanation=known.get(Explanation),
            calculated=known.get(Calculated),
            progress=progress,
        )

    def _laid_over(self, raman: SpectralMap, peaks: PeakMaps, paired: PairedMaps | None, result: TheoryResult) -> TheoryBeside:
        region, light = _regions(raman, peaks, paired, self.share)
        spectra = np.stack([_mean(raman, _pixels(region, name)) for name in REGIONS])
        axis = raman.axis.values
        proposals = propose(peaks.names, *_places(peaks, region > 0), result.places(result.leading))
        return TheoryBeside(
            result,
            raman.frame,
            region,
            light,
            axis,
            spectra,
            raman.intensity_unit,
            {engine: _match(axis, spectra[0], result, engine) for engine in result.engines},
            proposals,
            name=raman.name,
            history=peaks.history,
        )


def _check(raman: SpectralMap, peaks: PeakMaps) -> None:
    if raman.axis.kind is not AxisKind.RAMAN_SHIFT:
        unit = raman.axis.unit
        raise DataError(f"'{raman.name}' has an axis in {unit}; theory is laid beside a Raman shift, so convert the axis to cm-1.")
    if raman.frame.shape != peaks.frame.shape:
        raise DataError(f"The peaks are not of '{raman.name}': their grids differ; give the map that was deconvolved.")
    if not np.isfinite(peaks.height).any():
        raise DataError(f"No peak was found anywhere in '{raman.name}', so there is nothing to compare with theory; look at the fits.")


def _regions(raman: SpectralMap, peaks: PeakMaps, paired: PairedMaps | None, share: float) -> tuple[NDArray[np.uint8], str]:
    """(ny, nx) bright, dark and other pixels of the flake, as `TheoryBeside.region` has them, and what bright means."""
    light, words = (peaks.light, "RS light") if paired is None else (paired.pl.light, "PL")
    flake = np.isfinite(peaks.height).any(axis=0)
    flake = flake if raman.flake is None or not (flake & raman.flake).any() else flake & raman.flake
    told = flake & np.isfinite(light)
    region = np.where(flake, 3, 0).astype(np.uint8)
    if told.sum() >= 2:
        order = np.argsort(light[told], kind="stable")
        count = max(1, int(share * len(order)))
        rows, columns = np.nonzero(told)
        region[rows[order[:count]], columns[order[:count]]] = 2
        region[rows[order[-count:]], columns[order[-count:]]] = 1
    return region, words


def _pixels(region: NDArray[np.uint8], name: str) -> NDArray[np.bool_]:
    return np.asarray(region > 0 if name == "flake" else region == REGIONS.index(name))


def _mean(source: SpectralMap, pixels: NDArray[np.bool_]) -> Numbers:
    """(n,) mean counts of some pixels, taken a row at a time for a map on disk; NaN where no pixel was measured."""
    total, count = np.zeros(len(source.axis)), np.zeros(len(source.axis))
    for row in np.flatnonzero(pixels.any(axis=1)):
        taken = np.asarray(source.counts[row])[pixels[row]]
        total += np.nansum(taken, axis=0, dtype=np.float64)
        count += np.isfinite(taken).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _places(peaks: PeakMaps, pixels: NDArray[np.bool_]) -> tuple[list[float], list[float]]:
    """Median position and FWHM of each peak over some pixels; NaN where it is found in none."""
    return tuple([_median(values[pixels]) for values in maps] for maps in (peaks.position, peaks.fwhm))  # type: ignore[return-value]


def _median(values: NDArray[Any]) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else float("nan")


def _match(axis: Numbers, mean: Numbers, result: TheoryResult, engine: str) -> Match:
    lines = tuple(place for mode, place in result.places(engine).items() if mode in ("A1'", "E'"))
    return match(axis, mean, result.wavenumbers, result.raman[result.engines.index(engine), 0, 0], lines)


def _with_evidence(made: TheoryBeside, explanation: Explanation) -> TheoryBeside:
    """Add what theory says of the parameter that the network relies on most."""
    feature = explanation.features[explanation.ranking[0]]
    peak = Feature.of(feature).line
    relied_on = next((one.mode for one in made.proposals if one.peak == peak), "")
    pristine = _peak_of(made.proposals, pristine_mode(made.result, relied_on), peak)
    agreement = _agreement(explanation, pristine) if pristine else None
    found = NetworkFinding(feature, explanation.target, explanation.stamp, agreement, pristine)
    told = sentences_of(made.result, made.proposals, found)
    return replace(made, explained=about(explanation), evidence=told, agreement=agreement)


def _peak_of(proposals: tuple[Assignment, ...], mode: str, first: str) -> str:
    """Measured peak that is a mode: the one that the network relies on where it is, else the nearest; empty where none is."""
    every = sorted((one for one in proposals if mode and one.mode == mode), key=lambda one: (one.peak != first, abs(one.distance)))
    return every[0].peak if every else ""


def _agreement(explanation: Explanation, pristine: str) -> Agreement | None:
    """Compare the slopes of the first parameter with the height of a peak over the pixels whose step stays within the data."""
    samples, first = explanation.samples, explanation.ranking[0]
    name = Feature(pristine, "height").name
    if name not in samples.feature_names:
        return None
    column = samples.feature_names.index(name)
    used = ~explanation.off_cloud[first] & ~samples.filled[:, column] & np.isfinite(explanation.slope[first])
    places = np.column_stack([samples.coordinates_um, samples.flake])
    return rank_correlation(explanation.slope[first][used], samples.features[used, column], places[used])

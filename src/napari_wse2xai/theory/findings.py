"""What theory says, in sentences with numbers; and where it says nothing."""

from dataclasses import dataclass

import numpy as np

from napari_wse2xai.theory.cell import GAMMA_MODES
from napari_wse2xai.theory.evaluation import LDA, TheoryResult
from napari_wse2xai.theory.reference import PristineModes

NOTHING = "theory says nothing here"


@dataclass(frozen=True)
class Fall:
    """Whether a mode's intensity falls with defects by more than changes without chemistry make it fall, in every engine.

    Attributes
    ----------
    real : True where every defect in every engine lies below every null control of that engine
    least, most : smallest and largest fall over engines and defects, 0 to 1; negative where it rises
    of_nulls : largest fall of a null control
    """

    mode: str
    real: bool
    least: float
    most: float
    of_nulls: float
    sentence: str


def fall_with_defects(result: TheoryResult, mode: str) -> Fall:
    """Compare a mode's height in cells with a defect with the null controls of the same engine."""
    engines = [result.engines.index(engine) for engine in result.supercell_engines]
    index = GAMMA_MODES.index(mode)
    if not engines:
        sentence = f"{mode} of {result.material}: {NOTHING}; the reference has no cells with defects of it."
        return Fall(mode, False, np.nan, np.nan, np.nan, sentence)
    heights = result.relative_height[engines, 1:, index]
    nulls = result.control_height[engines, :, index]
    if not np.isfinite(nulls).any(axis=1).all() or not np.isfinite(heights).any():
        return Fall(mode, False, np.nan, np.nan, np.nan, f"{mode}: {NOTHING}; there are no null controls to hold its height against.")
    heights = np.where(np.isfinite(heights), heights, np.nanmax(heights, axis=1, keepdims=True))  # a defect that was not calculated
    real = bool((heights < nulls.min(axis=1, keepdims=True)).all())
    least, most, of_nulls = (float(1 - value) for value in (heights.max(), heights.min(), nulls.min()))
    sentence = _falls(result, mode, least, most, of_nulls) if real else _says_nothing(result, mode, heights, nulls)
    return Fall(mode, real, least, most, of_nulls, sentence)


def _falls(result: TheoryResult, mode: str, least: float, most: float, of_nulls: float) -> str:
    engines = " and ".join(result.supercell_engines)
    return (
        f"{mode} falls, by {_percent(least)} to {_percent(most)} %, with a missing selenium atom or an oxygen atom in its place, "
        f"below every null control in {engines} (changes without chemistry: at most {_percent(of_nulls)} %)."
    )


def _says_nothing(result: TheoryResult, mode: str, heights: np.ndarray, nulls: np.ndarray) -> str:
    engine, structure = np.unravel_index(int((heights - nulls.min(axis=1, keepdims=True)).argmax()), heights.shape)
    name = result.supercell_engines[engine]
    return (
        f"{mode}: {NOTHING}. With {result.structures[1 + structure]} it falls by {_percent(1 - heights[engine, structure])} % in {name}, "
        f"where changes without chemistry make it fall by up to {_percent(1 - nulls[engine].min())} %."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f}"


def where_it_lies(result: TheoryResult, mode: str) -> str:
    """Say at which wavenumber the pristine crystal has a mode, by each engine."""
    index = GAMMA_MODES.index(mode)
    places = [f"{result.mode_frequency[e, 0, index]:.0f} cm-1 ({_label(engine)})" for e, engine in enumerate(result.engines)]
    return f"{mode} of pristine {result.material} lies at {', '.join(places)}."


def _label(engine: str) -> str:
    return "density-functional theory, LDA" if engine == LDA else engine


def folded_peak(result: TheoryResult) -> str:
    """Say what the peak of the total spectral intensity beside A1' is; empty where no cell was computed."""
    parts = [
        f"{peak.wavenumber:.0f} cm-1 in {engine} ({peak.modes} modes of the zone's edge, {_percent(peak.out_of_plane)} % out of plane, "
        f"falling by {' and '.join(f'{_percent(fall)} % ({name})' for name, fall in peak.falls.items())})"
        for engine, peak in result.folded.items()
        if peak.a1_share < _HARDLY
    ]
    if not parts:
        return ""
    return f"The high peak beyond A1' in the spectral intensity of all atoms is not the Raman line A1': {'; '.join(parts)}."


_HARDLY = 0.05
"""Share of A1' in a peak below which it is said not to be that line."""


def sentences(result: TheoryResult) -> tuple[str, ...]:
    """Return all that is to be said beside the two figures."""
    told = [where_it_lies(result, mode) for mode in ("A1'", "E'")]
    told += [fall_with_defects(result, mode).sentence for mode in ("A1'", "E'")]
    told += [folded_peak(result), _caution(result)]
    return tuple(text for text in told if text)


def _caution(result: TheoryResult) -> str:
    told = [
        "The Raman spectra are static: at 2.33 eV these materials are in resonance, so that a measured ratio of A1' to E' must not be "
        "compared with theirs."
    ]
    if not result.modes.converged:
        told.append(unconverged(result.modes))
    return " ".join(told)


def unconverged(modes: PristineModes) -> str:
    """Say how far Raman tensors are converged where that is not far enough."""
    return f"The Raman tensors of {modes.material} change by more than 10 % from 8 x 8 to 12 x 12 k points."

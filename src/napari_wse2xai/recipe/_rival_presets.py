"""Shipped presets that fit a map better than the list of peaks that it was fitted with: the list may be another material's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind, PeakMaps, SpectralMap
from napari_wse2xai.errors import UserError, counted
from napari_wse2xai.numerics.noise import channel_sigma
from napari_wse2xai.recipe._read import preset, preset_names
from napari_wse2xai.stages import Deconvolve, Peak, Proposal, check_model
from napari_wse2xai.stages._refitted import settings_of

if TYPE_CHECKING:
    from napari_wse2xai.stages._fitting import FitWindow

Values = NDArray[np.float64]
NEAR, WIDTHS = 3.0, 0.6
"""Distance from where it is listed, of Raman lines in cm-1 and of bands of light in the FWHM, within which a line is that of a list."""
SEEN = 8.0
"""Height, in the noise of the mean spectrum, from which a line is there."""
FEW = 0.5
"""Share of its lines that a list lacks, from which it may be another material's."""
LESS, ALIKE = 0.4, 1.3
"""Shares of the squares that a list leaves which a better one leaves at most, and one as good."""
DOUBT = 0.5
"""Share of the pixels that lack a peak from which other lists are tried, whatever else is found."""
WORTH = 20.0
"""Standard deviations of the mean spectrum by which a better list is better."""


@dataclass(frozen=True)
class _Scored:
    """How well a list of peaks explains the mean spectrum."""

    peaks: tuple[Peak, ...]
    there: tuple[bool, ...]
    """Whether each line that is not optional stands where it is listed."""
    inside: NDArray[np.bool_]
    """(n,) channels of its windows."""
    rest: Values
    """(n,) what it leaves there."""

    @property
    def share(self) -> float:
        """Of its lines that are there."""
        return sum(self.there) / max(len(self.there), 1)

    def left(self, channels: NDArray[np.bool_], mean: Values) -> float:
        """Squares that it leaves in some channels (n,); where it has no window a straight line explains what it can."""
        bare = channels & ~self.inside
        edges = np.flatnonzero(np.diff(np.concatenate([[False], bare, [False]]).astype(int)))
        straight = sum(_off_a_line(mean[first:last]) for first, last in edges.reshape(-1, 2))
        return float((self.rest[channels & self.inside] ** 2).sum()) + straight


def proposals(peaks: PeakMaps, source: SpectralMap) -> tuple[Proposal, ...]:
    """What `check_model` finds; before it, where that is something or a peak is hardly anywhere, the presets that fit better."""
    found = check_model(peaks, source)
    absent = np.isnan(peaks.position).mean(axis=(1, 2)) - np.isnan(peaks.height).mean(axis=(1, 2))
    return (*better_presets(peaks, source), *found) if found or (absent > DOUBT).any() else found


def better_presets(peaks: PeakMaps, source: SpectralMap) -> Iterator[Proposal]:
    """The presets that fit the mean of the fitted spectra better, or as well with lines that are all there, as one proposal.

    Scored by the squares that each leaves in the windows of both lists, and by how many of its lines stand where they are listed.
    """
    known = np.isfinite(peaks.height).any(axis=0)
    if not known.any():
        return
    mean = np.nanmean(np.asarray(source.counts, dtype=np.float64)[known], axis=0)
    spectrum = SpectralMap.from_arrays(np.nan_to_num(mean)[None, None].astype(np.float32), source.axis.values, source.axis.kind)
    own, noise = _scored(settings_of(peaks).peaks, spectrum), float(channel_sigma(mean))
    if own is None:
        return
    better: dict[str, tuple[float, float, _Scored]] = {}
    for listed, names in _by_list(source.axis.kind).items():
        rival = _scored(listed, spectrum)
        if rival is None or rival.share < 1:
            continue
        both = own.inside | rival.inside
        mine, theirs = own.left(both, mean), rival.left(both, mean)
        less = theirs < LESS * mine and mine - theirs > (WORTH * noise) ** 2
        if less or (own.share <= FEW and theirs < ALIKE * mine):
            better |= dict.fromkeys(names, (theirs / max(mine, 1e-300), float(np.sqrt(max(mine - theirs, 0.0))) / noise, rival))
    if better:
        yield _proposal(better, own)


def _proposal(better: dict[str, tuple[float, float, _Scored]], own: _Scored) -> Proposal:
    least = min(share for share, _, _ in better.values())
    names = [name for name, (share, _, _) in better.items() if share <= ALIKE * least]
    _, worth, rival = better[names[0]]
    lines = [peak.name for peak in rival.peaks if not peak.optional]
    whole = f"{' and '.join(lines)} {'is' if len(lines) == 1 else 'are all'} where it lists {'it' if len(lines) == 1 else 'them'}"
    seen = f"of the list that was fitted {sum(own.there)} of {counted(len(own.there), 'line')} stand where it has them"
    which = f"The preset {' or '.join(names)} fits better"
    return Proposal("preset", f"{which}: {whole}, {seen}. Is this map of another material than the list?", worth)


def _by_list(kind: AxisKind) -> dict[tuple[Peak, ...], list[str]]:
    """Presets of another material or laser by their list of peaks, which several share.

    Those of another thickness (material-thickness-laser) are too like to be told by this.
    """
    found: dict[tuple[Peak, ...], list[str]] = {}
    for name in preset_names():
        if name.count("-") < 2:
            found.setdefault(_listed(name, kind), []).append(name)
    return found


def _listed(name: str, kind: AxisKind) -> tuple[Peak, ...]:
    wanted = preset(name)
    section = wanted.raman if kind is AxisKind.RAMAN_SHIFT else wanted.pl if kind is AxisKind.ENERGY else None
    return () if section is None or section.deconvolve is None else section.deconvolve.peaks


def _scored(peaks: Sequence[Peak], spectrum: SpectralMap) -> _Scored | None:
    """A list without its optional peaks where these explain hardly more; None where its windows lie beyond the axis."""
    needed = [peak for peak in peaks if not peak.optional]
    full, bare = _of_all(peaks, spectrum), _of_all(needed, spectrum) if len(needed) < len(peaks) else None
    if full is None or bare is None:
        return full
    mean = np.asarray(spectrum.counts[0, 0], dtype=np.float64)
    both = full.inside | bare.inside
    return bare if bare.left(both, mean) < ALIKE * full.left(both, mean) else full


def _of_all(peaks: Sequence[Peak], spectrum: SpectralMap) -> _Scored | None:
    """With every peak of a list."""
    low, high = spectrum.axis.span
    if not peaks or any(peak.window[0] < low or peak.window[1] > high for peak in peaks):
        return None
    stage = Deconvolve(peaks=tuple(peaks), pixels="everywhere", background="linear")
    mean = np.asarray(spectrum.counts[0, 0], dtype=np.float64)
    rest, inside, there = np.zeros(len(mean)), np.zeros(len(mean), dtype=bool), []
    try:
        windows = list(stage._windows(spectrum))
    except UserError:
        return None
    for window in windows:
        left, found = _fitted(window, stage, mean[window.channels])
        rest[window.channels], inside[window.channels] = left, True
        there += [_is_there(peak, values, float(channel_sigma(mean)), spectrum) for peak, values in zip(window.peaks, found, strict=True)]
    ordered = [peak for window in windows for peak in window.peaks]
    needed = tuple(yes for peak, yes in zip(ordered, there, strict=True) if not peak.optional)
    return _Scored(tuple(ordered), needed, inside, rest)


def _fitted(window: "FitWindow", stage: Deconvolve, mean: Values) -> tuple[Values, Values]:
    """What the peaks of a window leave of a spectrum (n,), and their parameters (peak, 4)."""
    from napari_wse2xai.numerics.uncertainty import left_over

    problem, counts = window.begun(mean, None, stage.terms), mean[None].astype(np.float32)
    found = stage.solver.solve(problem, counts, lambda done: None, problem.start[None])
    return left_over(problem, counts, found)[0], found[0]


def _is_there(peak: Peak, found: Values, noise: float, spectrum: SpectralMap) -> bool:
    reach = max(NEAR, 0.5 * WIDTHS * peak.fwhm) if spectrum.axis.kind is AxisKind.RAMAN_SHIFT else WIDTHS * peak.fwhm
    return bool(found[2] > SEEN * noise and abs(found[0] - peak.position) <= reach)


def _off_a_line(part: Values) -> float:
    """Squares that a straight line leaves of some channels."""
    if len(part) < 3:
        return 0.0
    x = np.arange(len(part), dtype=np.float64)
    return float(((part - np.polyval(np.polyfit(x, part, 1), x)) ** 2).sum())

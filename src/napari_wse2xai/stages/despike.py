"""Remove cosmic rays."""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.errors import DataWarning, counted
from napari_wse2xai.numerics import despike
from napari_wse2xai.numerics.all_over import all_over
from napari_wse2xai.numerics.recurrence import recurrent
from napari_wse2xai.numerics.spikes import BANK
from napari_wse2xai.progress import Progress
from napari_wse2xai.stages._bands import Band, bands, let_go, new_counts, over_bands, room_for, rows_of
from napari_wse2xai.stages._screening import bridged, in_order, places, screened
from napari_wse2xai.stages._stage import Settings, Stage, setting
from napari_wse2xai.stages._windows import Window

Counts = NDArray[np.float32]
Places = NDArray[np.int32]
"""(k, 3) row, column and channel of each."""
Filter = Callable[[Counts, slice], tuple[Counts, NDArray[np.bool_]]]
"""Takes counts (ny, nx, n) and the rows that are wanted; gives these repaired, and True where they were replaced."""
LONG = 3
"""Channels side by side without a value, beside which nothing is called a spike."""
FEWEST_ROWS = 8
"""Rows of a map from which is learnt how its spectra differ."""
SAMPLE = 200_000
"""Channels that the noise is read off."""


class Guarded(Settings):
    """Spikes of 1 to 4 channels that stand out of their spectrum and that the neighbouring pixels do not show: spares sharp lines."""

    kind: Literal["guarded"] = "guarded"
    spares_what_recurs: ClassVar[bool] = True
    threshold: float = setting(
        5.0, title="Threshold", unit="σ", description="How far a channel must stand out of the noise.", gt=0, le=1000
    )
    neighbour_factor: float = setting(
        1.1,
        title="Neighbour factor",
        description="How many times the line that the neighbouring pixels lead to expect a spike must reach.",
        ge=0,
        le=100,
    )

    def filter(self, source: SpectralMap) -> Filter:
        """Give what repairs a band of rows."""
        guard = despike.guard_of(_sample(source), threshold=self.threshold, neighbour_factor=self.neighbour_factor)
        guard = despike.with_bank(guard, lambda: list(_blocks(source)))
        return lambda counts, rows: despike.without_guarded_spikes(counts, guard, rows)


class AreaThreshold(Settings):
    """A spectral area with its own threshold."""

    window: Window = setting(title="Area", unit="axis", description="From, to.")
    threshold: float = setting(8.0, title="Threshold", unit="σ", description="Jump that counts as a spike in this area.", gt=0, le=1000)


class FirstDifference(Settings):
    """The paper's filter: jumps of the first-order difference.  It has no guard: too low a threshold eats sharp lines such as A1'."""

    kind: Literal["first difference"] = "first difference"
    spares_what_recurs: ClassVar[bool] = False
    threshold: float = setting(
        8.0, title="Threshold", unit="σ", description="Jump that counts as a spike outside the areas.", gt=0, le=1000
    )
    areas: tuple[AreaThreshold, ...] = setting((), title="Areas", description="Spectral areas with a threshold of their own.")

    def filter(self, source: SpectralMap) -> Filter:
        """Give what repairs a band of rows."""
        threshold = np.full(len(source.axis), self.threshold)
        for area in self.areas:
            threshold[source.axis.between(*area.window)] = area.threshold

        def repair(counts: Counts, rows: slice) -> tuple[Counts, NDArray[np.bool_]]:
            spikes = despike.first_difference_spikes(counts[rows], threshold)
            return despike.interpolate(counts[rows], spikes), spikes

        return repair


Method = Annotated[Guarded | FirstDifference, Field(discriminator="kind")]


class Despike(Stage[SpectralMap, SpectralMap]):
    """Replace channels hit by cosmic rays, and single channels without a value, by what is expected there.

    Notes
    -----
    What is expected: with the guarded method the mean of the neighbouring pixels, scaled to the spectrum beside the spike; else, and
    where there is no neighbour, a straight line between the good channels to either side.
    """

    title: ClassVar[str] = "Remove spikes"
    order: ClassVar[int] = 40
    usual: ClassVar[bool] = True
    shows: ClassVar[tuple[str, ...]] = ("map", "repaired")

    method: Method = setting(Guarded(), title="Method", description="How spikes are told from lines.")

    @classmethod
    def summary(cls, result: Any) -> str:
        """How many channels were replaced."""
        spectra = counted(int((result.repaired > 0).sum()), "spectrum", "spectra")
        return f"{counted(int(result.repaired.sum()), 'channel')} replaced in {spectra}."

    @classmethod
    def facts(cls, result: SpectralMap) -> list[tuple[str, str]]:
        """How many cosmic rays there were."""
        if result.repaired is None:
            return []
        hit = int((result.repaired > 0).sum())
        return [("Cosmic rays", f"{counted(int(result.repaired.sum()), 'channel')} repaired in {counted(int(hit), 'pixel')}")]

    def run(self, source: SpectralMap, progress: Progress) -> SpectralMap:
        """Return the repaired map; `repaired` counts the replaced channels of each pixel, `replaced` lists them."""
        source = screened(source)
        shape, struck, filled = source.counts.shape, [], []
        counts, repaired = room_for(source.counts), np.zeros(shape[:2], dtype=np.uint16)
        later = _Later(source) if counts is source.counts else None
        repair, known = self.method.filter(source), [] if source.bridged is None else [source.bridged]

        def work(band: Band) -> None:
            seen, gaps = bridged(rows_of(source.counts, band.seen), source.bad_channels)
            made, spikes = repair(seen, band.own)
            raw, gaps = seen[band.own], gaps[band.own]
            hit, lost = places(_spared(made, spikes, raw, gaps), 0), places(gaps, 0)
            first = np.array([band.rows.start, 0, 0], dtype=np.int32)
            struck.append((hit + first, raw[tuple(hit.T)]))
            filled.append(lost + first)
            if later is None:
                counts[band.rows] = made
            else:
                later.keep(band, made, np.concatenate([hit, lost]))
            let_go(source.counts, counts)

        over_bands(work, bands(shape, halo=2 if shape[1] > 1 else 4), lambda done: progress(done, "looking for cosmic rays"))
        if later is not None:
            later.write(counts)
        spikes, lost = (np.concatenate(each) for each in zip(*struck, strict=True))
        if self.method.spares_what_recurs:
            spikes = _without_what_recurs(source, counts, spikes, lost)
        replaced = in_order([spikes, *filled])
        np.add.at(repaired, (replaced[:, 0], replaced[:, 1]), 1)
        progress(1.0, f"replaced {counted(len(replaced), 'channel')}")
        return replace(source, counts=counts, repaired=repaired, replaced=replaced, bridged=in_order([*filled, *known]))


class _Later:
    """What a filter changes of counts that are written over: kept until no band needs its neighbours as they were."""

    def __init__(self, source: SpectralMap) -> None:
        none = np.empty(0, dtype=np.int32)
        self._bad = none if source.bad_channels is None else source.bad_channels
        self._columns = new_counts((*source.frame.shape, len(self._bad)))
        self._changed: list[tuple[Places, NDArray[np.float32]]] = []

    def keep(self, band: Band, made: Counts, changed: Places) -> None:
        """Keep what a band was made, where it differs from what it was: (k, 3), rows counted from the band's first."""
        self._columns[band.rows] = made[..., self._bad]
        self._changed.append((changed + np.array([band.rows.start, 0, 0], dtype=np.int32), made[tuple(changed.T)]))

    def write(self, counts: Counts) -> None:
        """Put it where it belongs."""
        for band in bands(counts.shape):
            counts[band.rows, :, self._bad] = self._columns[band.rows]
        for where, values in self._changed:
            counts[tuple(where.T)] = values


def _without_what_recurs(source: SpectralMap, counts: Counts, spikes: Places, lost: NDArray[np.float32]) -> Places:
    """Take back spikes (k, 3) at channels where too many spectra have one: bright spots with a line that their neighbours hardly show.

    `lost` (k,) are the counts that were there.
    """
    often = recurrent(spikes[:, 2], len(source.axis))
    spared = often[spikes[:, 2]]
    if spared.any():
        counts[tuple(spikes[spared].T)] = lost[spared]
        _tell(source, spikes[spared], often)
    return spikes[~spared]


def _tell(source: SpectralMap, spared: Places, often: NDArray[np.bool_]) -> None:
    """Say in one line what was left."""
    spectra = len(np.unique(spared[:, :2], axis=0))
    first, last = (source.axis.values[each] for each in np.flatnonzero(often)[[0, -1]])
    warnings.warn(
        f"{counted(spectra, 'spectrum', 'spectra')} of '{source.name}' {'shows' if spectra == 1 else 'show'} light between {first:.5g} and "
        f"{last:.5g} {source.axis.unit} that the pixels around do not; too often at the same places for cosmic rays; it was left.",
        DataWarning,
        stacklevel=4,
    )


def _spared(counts: Counts, spikes: NDArray[np.bool_], raw: Counts, gaps: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Spikes that lie in no gap, those beside a long one taken back: where a straight line cuts a line's top off, its flanks stand out."""
    if not gaps.any():
        return spikes
    from scipy import ndimage

    shape = np.ones((1, 1, LONG), dtype=bool)
    near = ndimage.binary_dilation(ndimage.binary_opening(gaps, shape), np.ones((1, 1, 2 * LONG + 3), dtype=bool))
    spared = near & spikes
    counts[spared] = raw[spared]
    return np.asarray(spikes & ~spared & ~gaps)


def _whole(source: SpectralMap, rows: slice) -> Counts:
    """Some rows without gaps and bad channels."""
    return bridged(rows_of(source.counts, rows), source.bad_channels)[0]


def _sample(source: SpectralMap) -> Counts:
    """Some rows, or a piece of one column, in which the noise shows."""
    ny, nx, n = source.counts.shape
    if nx == 1:
        first = max(0, ny // 2 - SAMPLE // n)
        return _whole(source, slice(first, first + 2 * SAMPLE // n + 2))
    which = all_over(ny, max(1, SAMPLE // (nx * n)) + 2)
    return np.concatenate([_whole(source, slice(row, row + 1)) for row in which])


def _blocks(source: SpectralMap) -> Iterator[tuple[Counts, slice]]:
    """Some hundred spectra all over a map as rows with their neighbours, and which of these rows are meant."""
    ny, nx = source.frame.shape
    if nx == 1 or ny * nx <= 2 * BANK:
        first = max(0, (ny - 2 * BANK) // 2)
        rows = _whole(source, slice(first, min(first + 2 * BANK, ny)))
        yield rows, slice(0, len(rows))
        return
    for row in all_over(ny, max(FEWEST_ROWS, BANK // nx)):
        first = max(int(row) - 1, 0)
        yield _whole(source, slice(first, int(row) + 2)), slice(int(row) - first, int(row) - first + 1)

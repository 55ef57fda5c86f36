"""What was done by hand to single pixels of a deconvolution: a step like any other, which history, session and recipe hold."""

import re
import warnings
from typing import Annotated, Any, ClassVar, Literal
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, field_validator

from napari_wse2xai.data import PeakMaps, SpectralMap, Status
from napari_wse2xai.errors import DataWarning, SettingsError, counted
from napari_wse2xai.progress import Progress, silent
from napari_wse2xai.stages._by_hand import Bench, Mask, believed, given_up
from napari_wse2xai.stages._fitting import Fit
from napari_wse2xai.stages._refitted import settings_of
from napari_wse2xai.stages._stage import Settings, Step, recorded, setting

Deed = Literal["refit", "refit from neighbours", "accept", "reject"]
DONE: dict[str, str] = {
    "refit": "refitted",
    "refit from neighbours": "refitted from their neighbours",
    "accept": "accepted",
    "reject": "rejected",
}
"""Each deed when it is done."""
_PIXEL = re.compile(r"\d+,\d+")


def as_text(pixels: Any) -> Any:
    """Rows and columns as a recipe has them, ``12,4 12,5``; a text, and what is no pairs of numbers, as it is."""
    if isinstance(pixels, str):
        return pixels
    try:
        return " ".join(f"{int(row)},{int(column)}" for row, column in pixels)
    except (TypeError, ValueError):
        return pixels


class ByHand(Settings):
    """One thing that was done to some pixels."""

    do: Deed = setting(
        title="Do",
        description="Refit tries many starts and keeps the lowest objective; refit from neighbours takes what comes of theirs; accept "
        "believes the values that are there; reject takes them out.",
    )
    pixels: Annotated[str, BeforeValidator(as_text)] = setting(
        title="Pixels", description="Row and column of each, from 0 at the top left: 12,4 12,5."
    )

    @field_validator("pixels")
    @classmethod
    def _are_pixels(cls, text: str) -> str:
        wrong = next((each for each in text.split() if not _PIXEL.fullmatch(each)), None)
        if wrong is not None or not text.split():
            raise ValueError(f"'{wrong or text}' is no pixel; write row and column, 12,4, and a blank between two pixels")
        return " ".join(dict.fromkeys(text.split()))

    @property
    def places(self) -> NDArray[np.intp]:
        """(pixel, 2) rows and columns."""
        return np.array([each.split(",") for each in self.pixels.split()], dtype=np.intp)

    def mask(self, source: SpectralMap | PeakMaps) -> Mask:
        """(ny, nx) True at the pixels; raises SettingsError for one that the map has not."""
        shape, result = source.frame.shape, np.zeros(source.frame.shape, dtype=bool)
        beyond = (self.places >= shape).any(axis=1)
        if beyond.any():
            row, column = self.places[beyond][0]
            raise SettingsError(
                f"review: '{source.name}' has {shape[0]} rows and {shape[1]} columns, so no pixel {row},{column} to {self.do}; "
                "rows and columns count from 0."
            )
        result[tuple(self.places.T)] = True
        return result


class Review(Step):
    """Fit single pixels again from elsewhere, accept or reject them: what was done by hand, in the order in which it was done.

    Called as ``Review(deeds=...)(source, peaks)``, with the map that was deconvolved.

    Notes
    -----
    A refit is judged by the noise of the whole map, so it gives the same numbers whatever else is done.  Not for a model that does not fit:
    what is wrong all over a map is mended in the list of peaks.
    """

    title: ClassVar[str] = "Review"
    order: ClassVar[int] = 85
    takes: ClassVar[tuple[type, ...]] = (SpectralMap, PeakMaps)
    gives: ClassVar[type] = PeakMaps
    effort: ClassVar[float] = 1.0

    deeds: tuple[ByHand, ...] = setting((), title="By hand", description="What was done, one after the other.")

    def __call__(self, source: SpectralMap, peaks: PeakMaps, progress: Progress = silent) -> PeakMaps:
        """Do all of it; the result carries these settings in its history, behind that of the peaks."""
        return recorded(self, lambda: self._done(source, peaks, progress))

    def on(self, known: Any, progress: Progress = silent) -> PeakMaps:
        """Review the peaks of a chain on the map that they were found in."""
        return self(known[SpectralMap], known[PeakMaps], progress)

    def _done(self, source: SpectralMap, peaks: PeakMaps, progress: Progress) -> PeakMaps:
        shape = peaks.frame.shape
        again, good, bad = (np.zeros(shape, dtype=bool) for _ in range(3))
        for deed in self.deeds:
            pixels = deed.mask(peaks)
            _warn_of_nothing(deed, pixels, peaks)
            for mask, is_it in ((good, deed.do == "accept"), (bad, deed.do == "reject")):
                mask[pixels] = is_it
            if deed.do.startswith("refit"):
                again |= pixels
        if again.any():
            bench = _bench_of(peaks, source, progress)
            fits = bench.done(self.deeds, progress)
            peaks = bench.bench.on_map(fits, peaks, again)
        return given_up(believed(peaks, good), bad)

    @classmethod
    def summary(cls, result: PeakMaps) -> str:
        """What was done to how many pixels."""
        return f"{'; '.join(words_of(result)) or 'Nothing'}."

    @classmethod
    def facts(cls, result: Any) -> list[tuple[str, str]]:
        """Which pixels were not left to the fit: for the report."""
        words = words_of(result)
        return [("By hand", "; ".join(words))] if words else []


def words_of(peaks: PeakMaps) -> list[str]:
    """What was done by hand to some peaks, in words: ``3 pixels refitted``."""
    record = next((each for each in reversed(peaks.history) if each.step == Review.__name__), None)
    return [] if record is None else told(Review.model_validate(dict(record.settings)).deeds)


def told(deeds: tuple[ByHand, ...]) -> list[str]:
    """Number of pixels of each deed."""
    counts = {do: len({pixel for deed in deeds if deed.do == do for pixel in deed.pixels.split()}) for do in DONE}
    return [f"{counted(count, 'pixel')} {DONE[do]}" for do, count in counts.items() if count]


def _warn_of_nothing(deed: ByHand, pixels: Mask, peaks: PeakMaps) -> None:
    """Say which pixels have no fit that anything could be done to."""
    lost = pixels & np.isin(peaks.status, (Status.NOT_ON_FLAKE, Status.NOT_MEASURED, Status.TOO_FEW_CHANNELS))
    if lost.any():
        row, column = np.argwhere(lost)[0]
        warnings.warn(
            f"{counted(int(lost.sum()), 'pixel')} of '{peaks.name}' to {deed.do} by hand, such as row {row}, column {column}, "
            f"{'has' if lost.sum() == 1 else 'have'} no fit ({Status(int(peaks.status[row, column])).meaning}); left as it is.",
            DataWarning,
            stacklevel=2,
        )


class _Desk:
    """A bench, and what was done on it last: one deed more need not do those before it again."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self._deeds: tuple[ByHand, ...] = ()
        self._fits: list[Fit] = list(bench.fits)

    def done(self, deeds: tuple[ByHand, ...], progress: Progress) -> list[Fit]:
        """Fits after all refits among some deeds."""
        if deeds[: len(self._deeds)] != self._deeds:
            self._deeds, self._fits = (), list(self.bench.fits)
        fits, left = self._fits, deeds[len(self._deeds) :]
        for number, deed in enumerate(left):
            progress(0.5 + 0.4 * number / len(left), f"{deed.do}: {counted(len(deed.places), 'pixel')}")
            if deed.do.startswith("refit"):
                pixels = deed.mask(self.bench.source)
                fits = self.bench.refit(fits, pixels, from_neighbours=deed.do == "refit from neighbours")
        self._deeds, self._fits = deeds, fits
        progress(0.9, "putting the pixels on the map")
        return fits


_desks: WeakKeyDictionary[PeakMaps, _Desk] = WeakKeyDictionary()
"""Of the peaks that were reviewed last, as long as anybody has them: what was built of them is not built again for each pixel."""


def _bench_of(peaks: PeakMaps, source: SpectralMap, progress: Progress) -> _Desk:
    desk = _desks.get(peaks)
    if desk is None or desk.bench.given is not source.counts:
        progress(0.0, "looking at the fits of the map")
        desk = _Desk(Bench(settings_of(peaks), peaks, source))
        _desks.clear()
        _desks[peaks] = desk
    return desk

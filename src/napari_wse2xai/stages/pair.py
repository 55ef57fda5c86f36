"""Bring the peaks of the PL map onto the grid of the RS map."""

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_wse2xai.data import PARAMETERS, ComputedMap, Frame, Pairable, PairedMaps, PeakMaps, Status, Transform
from napari_wse2xai.data.history import mark_of
from napari_wse2xai.data.transform import pixel_coordinates, pixels_um
from napari_wse2xai.errors import DataError, DataWarning
from napari_wse2xai.progress import Progress
from napari_wse2xai.stages import _placing
from napari_wse2xai.stages._stage import Settings, Stage, setting

Place = tuple[float, float]
LEAST_OVERLAP = 0.7
"""Flakes that overlap less, where both were scanned, are hardly the same."""


class _Refinable(Settings):
    """What methods with a given start have in common."""

    refine: bool = setting(False, title="Refine", description="Then bring the outlines of the two flakes together.")


class StageCoordinates(_Refinable):
    """Both maps were taken in one stay on the stage: their coordinates agree."""

    kind: Literal["stage coordinates"] = "stage coordinates"

    def start(self) -> Transform:
        """Transform from PL to RS coordinates."""
        return Transform.identity()


class Landmarks(_Refinable):
    """Three places or more that were recognised on both maps."""

    kind: Literal["landmarks"] = "landmarks"
    pl_um: tuple[Place, ...] = setting(title="On PL", unit="um", description="Places (y, x) on the PL map.", min_length=3)
    raman_um: tuple[Place, ...] = setting(title="On RS", unit="um", description="The same places (y, x) on the RS map.", min_length=3)

    def start(self) -> Transform:
        """Transform from PL to RS coordinates."""
        return Transform.from_landmarks(self.pl_um, self.raman_um)


class GivenTransform(_Refinable):
    """A transform set by hand: matrix times (y, x) plus offset leads from PL to RS coordinates."""

    kind: Literal["given transform"] = "given transform"
    matrix: tuple[Place, Place] = setting(((1.0, 0.0), (0.0, 1.0)), title="Matrix", description="Rows of the matrix.")
    offset_um: Place = setting((0.0, 0.0), title="Offset", unit="um", description="Shift (y, x) after the matrix.")

    @classmethod
    def of(cls, transform: Transform, *, refine: bool = False) -> Self:
        """Take over a transform."""
        (a, b), (c, d) = transform.matrix.tolist()
        y, x = transform.offset.tolist()
        return cls(matrix=((a, b), (c, d)), offset_um=(y, x), refine=refine)

    def start(self) -> Transform:
        """Transform from PL to RS coordinates."""
        return Transform(np.array(self.matrix), np.array(self.offset_um))


class _Searching(Settings):
    """What is free where the transform is looked for."""

    mirror: bool = setting(True, title="Mirror", description="Whether PL may be mirrored, where nothing else fits.")
    max_rotation: float = setting(180.0, title="Largest rotation", unit="°", description="Largest turn that is allowed.", ge=0, le=180)
    max_shift: float | None = setting(
        None, title="Largest shift", unit="um", description="Largest distance of the scans' middles; empty for any.", gt=0
    )
    scale: bool = setting(False, title="Scale", description="Look for the scale too, where a step is not known to a percent.")
    candidate: int = setting(
        0,
        title="Candidate",
        ge=0,
        le=99,
        description="Number of the placing to take where several fit; 0: the only one that fits.",
    )


class AutomaticPlacing(_Searching):
    """Believe the stage's coordinates where the outlines of the two flakes agree there; else find the transform from the outlines."""

    kind: Literal["automatic"] = "automatic"


class Register(_Searching):
    """Find the transform from the outlines of the two flakes, whatever the stage says."""

    kind: Literal["register"] = "register"


Method = Annotated[AutomaticPlacing | StageCoordinates | Register | Landmarks | GivenTransform, Field(discriminator="kind")]


class Pair(Stage[Pairable, PairedMaps]):
    """Bring the peaks of the PL map onto the RS grid: parameters are resampled, never spectra, each with its standard error.

    Notes
    -----
    Called with ``Pairable(raman, pl)``.  Values are weighted means of the nearest PL pixels; where PL was not measured there are none;
    PL that was taken at the very places of RS stays as it is, to the bit.
    How far PL may lie from where it belongs is judged from the outlines of the two flakes, whichever way the transform was found.
    The light of the maps is never asked: a placing chosen for the likeness of RS and PL would flatter every later test of it.
    """

    title: ClassVar[str] = "Pair RS and PL"
    order: ClassVar[int] = 110
    takes: ClassVar[tuple[type, ...]] = (Pairable,)
    gives: ClassVar[type] = PairedMaps
    effort: ClassVar[float] = 3.0
    kept: ClassVar[str] = "paired"

    method: Method = setting(AutomaticPlacing(), title="Method", description="How it is found where the PL map lies on the RS map.")

    @classmethod
    def facts(cls, result: PairedMaps) -> list[tuple[str, str]]:
        """How PL lies on RS, and how sure that is."""
        turn = result.transform
        compared = [("Placings that were compared", "; ".join(one.words for one in result.candidates))] if result.candidates else []
        return [
            ("Found by", result.found_by),
            ("PL to RS", f"turned by {turn.rotation_deg:.2f}°, scaled by {turn.scale:.4f}, {'' if turn.mirrored else 'not '}mirrored"),
            ("Misalignment", result.misalignment_text.removeprefix("misalignment ")),
            ("Sure", "yes" if not result.doubts else f"no. {' '.join(result.doubts)}"),
            *compared,
            ("Flakes, intersection over union", f"{result.overlap:.3f}"),
            ("Pairs", f"{int(result.paired.sum())} pixels"),
        ]

    def taken(self, source: Pairable) -> tuple[str, ...]:
        """Marks of the peaks of RS and of PL."""
        return mark_of(source.raman.history), mark_of(source.pl.history)

    def run(self, source: Pairable, progress: Progress) -> PairedMaps:
        """Find the transform, resample, judge."""
        _refuse(source)
        placed = self._placed(source, _rising(progress))
        if not _placing.overlapping(source, placed.transform):
            raise DataError(
                f"{_placing.named(source)}: the two scans do not overlap where PL was placed by {placed.found_by}; {_remedy(self.method)}."
            )
        placed = self._certain(source, placed)
        paired = PairedMaps(
            source.raman,
            source.pl if _as_it_is(source, placed.transform) else on_grid(source.pl, source.raman.frame, placed.transform),
            pl_frame=source.pl.frame,
            transform=placed.transform,
            misalignment_um=placed.misalignment_um,
            misalignment_error_um=placed.error_um,
            overlap=placed.overlap,
            found_by=placed.found_by,
            candidates=placed.candidates,
            doubts=placed.doubts,
        )
        _warn(paired)
        return paired

    def _placed(self, source: Pairable, tell: _placing.Tell) -> _placing.Placed:
        """Find the transform, and how well it fits."""
        method = self.method
        if not isinstance(method, _Searching):
            return _by_hand(method, source, tell)
        touching = _placing.on_one_stage(source) and _placing.overlapping(source, Transform.identity())
        if touching and (_placing.of_one_scan(source) or not _placing.has_outlines(source)):
            return _placing.by_stage(source, tell, corrected=False)
        if not _placing.has_outlines(source):
            raise DataError(
                f"{_placing.named(source)}: {_apart(source)}, and they show no outline of a flake to go by; "
                "place PL by landmarks or a given transform."
            )
        if isinstance(method, AutomaticPlacing) and not method.candidate and touching and _placing.believable(source):
            placed = _placing.by_stage(source, tell, corrected=True)
            if not placed.misalignment_um > _placing.FARTHEST_STEPS * _step_um(source.raman.frame):
                return placed
        from napari_wse2xai.numerics.coarse_search import Freedom

        freedom = Freedom(method.mirror, method.max_rotation, method.max_shift, method.scale)
        return _placing.by_search(source, freedom, method.candidate or None, method.kind, tell)

    def _certain(self, source: Pairable, placed: _placing.Placed) -> _placing.Placed:
        """Refuse what misses by far; add why it is not sure."""
        step, known = _step_um(source.raman.frame), np.isfinite(placed.misalignment_um)
        if _placing.of_one_scan(source) and isinstance(self.method, _Searching | StageCoordinates):
            return placed
        if known and placed.misalignment_um > _placing.FARTHEST_STEPS * step:
            raise DataError(
                f"{_placing.named(source)}: PL may miss its place by {placed.misalignment_um:.2g} µm, {placed.misalignment_um / step:.1f} "
                f"steps, where {placed.found_by} puts it; {_remedy(self.method)}."
            )
        return placed.doubting(*_doubts(source, placed, step))


def _rising(progress: Progress) -> _placing.Tell:
    """Tell how far the placing is; where the stage is not believed in the end, the search goes on from there."""
    farthest = 0.0

    def tell(done: float) -> None:
        nonlocal farthest
        farthest = max(farthest, 0.9 * done)
        progress(farthest, "placing the PL scan")

    return tell


def _doubts(source: Pairable, placed: _placing.Placed, step: float) -> Iterator[str]:
    """Why it is not sure that PL lies where it belongs."""
    off = placed.misalignment_um
    if not _placing.on_one_grid(source):
        if not np.isfinite(off):
            yield "How well the maps lie on one another cannot be judged: the two scans share no outline of the flake."
        elif words := _placing.left_open(source, placed.transform):
            yield words
    if off > step:
        yield f"PL may miss its place by {off:.2g} µm, {off / step:.1f} steps."
    if placed.overlap < LEAST_OVERLAP:
        yield f"The flakes agree on {placed.overlap:.0%} of their area only."


def _by_hand(method: StageCoordinates | Landmarks | GivenTransform, source: Pairable, tell: _placing.Tell) -> _placing.Placed:
    """Take a given start, brought to where the outlines agree where that is wanted."""
    from napari_wse2xai.numerics import registration
    from napari_wse2xai.numerics.outline import Placing

    if isinstance(method, StageCoordinates) and not _placing.on_one_stage(source):
        raise DataError(f"{_placing.named(source)}: {_apart(source)}; use the method 'automatic' or 'register', or place PL by landmarks.")
    if isinstance(method, StageCoordinates) and not method.refine:
        return _placing.by_stage(source, tell, corrected=False)
    start = method.start()
    raman, pl = _placing.scan_of(source.raman), _placing.scan_of(source.pl)
    found = registration.settle(raman, pl, Placing(start.matrix, start.offset), free=registration.TURN, progress=tell)
    if not method.refine or found is None:
        return _placing.Placed.judged(start, method.kind, found, source.pl.frame)
    refined = Transform(found.placing.matrix, found.placing.offset)
    return _placing.Placed.judged(refined, f"{method.kind}, refined", found, source.pl.frame)


def _apart(source: Pairable) -> str:
    """Why the coordinates of the stage do not lead from one scan to the other."""
    if _placing.on_one_stage(source):
        return "the scans do not overlap where the stage has them"
    ways = (" and ".join(direction.name for direction in peaks.frame.directions) for peaks in (source.raman, source.pl))
    return "RS runs along {} and PL along {}, so the stage's coordinates do not lead from one scan to the other".format(*ways)


def _remedy(method: Any) -> str:
    """What to do about a placing that cannot be right."""
    if isinstance(method, _Searching):
        return _placing.MEND
    if isinstance(method, StageCoordinates):
        return f"use the method 'automatic' or 'register', or {_placing.MEND}"
    return f"correct the {'landmarks' if isinstance(method, Landmarks) else 'transform'}, or {_placing.MEND}"


def _as_it_is(source: Pairable, transform: Transform) -> bool:
    """Whether every PL pixel lies on the RS pixel of the same row and column."""
    unmoved = np.array_equal(transform.matrix, np.eye(2)) and not transform.offset.any()
    return unmoved and _placing.on_one_grid(source)


def _step_um(frame: Frame) -> float:
    return float(np.sqrt(abs(np.prod(frame.step_um))))


def on_grid(peaks: PeakMaps, frame: Frame, transform: Transform) -> PeakMaps:
    """Peaks on another grid, interpolated between the nearest pixels; NaN where nothing was measured.

    Parameters
    ----------
    frame : the grid
    transform : from the peaks' stage coordinates to those of the grid
    """
    from napari_wse2xai.numerics.resampling import nearest

    pixels = pixel_coordinates(peaks.frame, transform.inverse.apply(pixels_um(frame)))
    whole = np.rint(pixels)
    pixels = np.where(np.abs(pixels - whole) < 1e-6, whole, pixels)  # a grid that falls on the other's pixels gives their very values
    fields: dict[str, Any] = {"frame": frame, "background": None, "substrate": None, "substrate_share": None}
    for name in (*PARAMETERS, "form", "area"):
        fields |= _resampled(peaks, name, f"{name}_error", pixels)
    for name in ("reduced_chi2", "r2"):
        fields |= _resampled(peaks, name, "", pixels)
    fields["computed"] = tuple(_computed_on_grid(each, pixels) for each in peaks.computed)
    fields["status"] = nearest(peaks.status, pixels, outside=Status.NOT_MEASURED)
    if peaks.at_bound is not None:
        fields["at_bound"] = np.stack([nearest(flags, pixels, outside=0) for flags in peaks.at_bound])
    if peaks.peak_status is not None:
        fields["peak_status"] = np.stack([nearest(each, pixels, outside=Status.NOT_MEASURED) for each in peaks.peak_status])
    return replace(peaks, **fields)


def _resampled(peaks: PeakMaps, name: str, error: str, pixels: NDArray[np.float64]) -> dict[str, NDArray[np.float32]]:
    """One field of peaks, and that of its errors where it has one, at fractional pixels; nothing where the peaks have no such field."""
    from napari_wse2xai.numerics.resampling import bilinear

    values = getattr(peaks, name)
    if values is None:
        return {}
    errors = getattr(peaks, error) if error else np.zeros_like(values)
    found, spread = bilinear(values.reshape(-1, *peaks.frame.shape), errors.reshape(-1, *peaks.frame.shape), pixels)
    shape = (*values.shape[:-2], *pixels.shape[:-1])
    return {name: found.reshape(shape), error: spread.reshape(shape)} if error else {name: found.reshape(shape)}


def _computed_on_grid(computed: ComputedMap, pixels: NDArray[np.float64]) -> ComputedMap:
    from napari_wse2xai.numerics.resampling import bilinear

    found, spread = bilinear(computed.value[None], computed.error[None], pixels)
    return replace(computed, value=found[0], error=spread[0])


def _refuse(source: Pairable) -> None:
    """Refuse maps of two flakes, and series that are no maps of places."""
    for peaks in (source.raman, source.pl):
        peaks.frame.require_places(peaks.name, "paired")
    names = {source.raman.frame.sample, source.pl.frame.sample} - {""}
    if len(names) > 1:
        raise DataError(
            f"'{source.raman.name}' and '{source.pl.name}' show different flakes ({' and '.join(sorted(names))}); pair one flake."
        )


def _warn(paired: PairedMaps) -> None:
    """Say so where the pairing is not to be trusted."""
    doubts = list(paired.doubts)
    if not doubts and np.isfinite(paired.misalignment_um) and paired.misalignment_um > 0.5 * paired.step_um:
        doubts = [f"{paired.misalignment_text[0].upper()}{paired.misalignment_text[1:]}, more than half a step."]
    if doubts:
        words = f"'{paired.pl.name}' on '{paired.raman.name}' ({paired.found_by})"
        warnings.warn(f"{words}: {' '.join(doubts)}", DataWarning, stacklevel=4)

"""Where PL lies on RS: the stage's coordinates believed first, a search with its rivals, a transform by hand; and how sure that is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Candidate, Frame, Pairable, PeakMaps, Status, Transform
from napari_wse2xai.data.transform import corners_um, pixel_coordinates, pixels_um
from napari_wse2xai.errors import AmbiguousPairing, DataError, SettingsError

if TYPE_CHECKING:
    from napari_wse2xai.numerics.coarse_search import Freedom
    from napari_wse2xai.numerics.outline import Placing, Scan
    from napari_wse2xai.numerics.registration import Found
    from napari_wse2xai.numerics.rivals import PlacingFit

Tell = Callable[[float], None]
AGREE = 0.5
"""Share of the outlines that must lie within a step of one another for the stage's coordinates to be believed without a search."""
FARTHEST_REFINED = 1.5
"""Largest shift, in steps of the coarser scan, by which outlines may correct the stage's coordinates."""
WORTH_REFINING = 0.5
"""Shifts of fewer steps are left alone, and turns that move the rim by fewer."""
SURE = 3.0
"""Turns of fewer standard errors are none."""
LEAST_DETERMINED = 1.5
"""Pieces of the outlines, of four steps each, that must resist a shift; fewer leave it open: along a straight edge."""
FARTHEST_STEPS = 2.0
"""A placing that misses by more RS steps is refused."""
SPECK_PX, SPECK_SHARE = 4, 0.02
"""Holes and islands of a mask of so many pixels, or of this share of the flake, are left out of its outline."""
AT_AN_ANGLE = {"XA", "YA"}
"""Directions of a scan that is turned by an angle that its file does not say."""
LISTED = 12
"""Most candidates that are named."""


@dataclass(frozen=True, eq=False)
class Placed:
    """A transform, how it was found, how far it may be off, and what else fits."""

    transform: Transform
    found_by: str
    misalignment_um: float = np.nan
    error_um: float = np.nan
    overlap: float = np.nan
    candidates: tuple[Candidate, ...] = ()
    doubts: tuple[str, ...] = ()

    @classmethod
    def judged(cls, transform: Transform, found_by: str, found: "Found | None", pl: Frame) -> Self:
        """Judge a transform by the registration that it leads to, where there is one."""
        if found is None:
            return cls(transform, found_by)
        corners = corners_um(pl)
        off = _rms(transform.apply(corners) - found.placing(corners))
        error = _rms(found.error_um(corners))
        return cls(transform, found_by, float(np.hypot(off, error)), error, found.overlap)

    def doubting(self, *doubts: str) -> Self:
        """The same with more doubts."""
        return replace(self, doubts=(*self.doubts, *doubts))


def by_stage(source: Pairable, tell: Tell, *, corrected: bool) -> Placed:
    """PL where the stage says; `corrected`: shifted a little where the outlines want it, but never on the grid of RS."""
    from napari_wse2xai.numerics import registration
    from napari_wse2xai.numerics.outline import STAY

    raman, pl = scan_of(source.raman), scan_of(source.pl)
    found = registration.settle(raman, pl, STAY, free=registration.SHIFT, progress=lambda done: tell(0.5 * done))
    if found is None:
        return Placed(Transform.identity(), "stage coordinates")
    placed = _shifted(source, found, corrected=corrected)
    turn = _turn(raman, pl, found, lambda done: tell(0.5 + 0.5 * done))
    if not turn:
        return placed
    corners = corners_um(source.pl.frame)
    off = _rms(turn.placing(corners) - placed.transform.apply(corners))
    angle, error = (np.rad2deg(each / raman.pivot.radius) for each in turn.turn_um)
    return replace(placed, misalignment_um=max(off, placed.misalignment_um)).doubting(TURNED.format(angle, error))


def _shifted(source: Pairable, found: "Found", *, corrected: bool) -> Placed:
    """PL where the stage says, or shifted from there as the outlines want it."""
    ways = _determined(source, found.placing)
    shift = ways @ (ways.T @ found.placing.offset)
    error = np.sqrt(np.einsum("ik,ij,jk->k", ways, found.covariance[:2, :2], ways))
    far, error_um, step = float(np.linalg.norm(shift)), float(np.linalg.norm(error)), _coarser_um(source)
    wanted = max(WORTH_REFINING * step, 2 * error_um) < far <= FARTHEST_REFINED * step
    if corrected and wanted and not on_one_grid(source):
        words = f"stage coordinates, shifted by (y, x) ({shift[0]:.2f}, {shift[1]:.2f}) µm to bring the outlines together"
        return Placed(Transform(np.eye(2), shift), words, error_um, error_um, found.overlap)
    return Placed(Transform.identity(), "stage coordinates", float(np.hypot(far, error_um)), error_um, found.overlap)


def _turn(raman: "Scan", pl: "Scan", shifted: "Found", tell: Tell) -> "Found | None":
    """How PL lies where the outlines want it turned from how the stage has it, beyond doubt and by what matters; else None."""
    from napari_wse2xai.numerics import registration

    far = WORTH_REFINING * max(raman.pitch, pl.pitch)
    fixed, moving = registration.with_common_blur(raman, pl)
    found = registration.refine(fixed, moving, shifted.placing, free=registration.TURN)
    if found is None or abs(found.nudge_from(shifted.placing, raman.pivot)[2]) < far:
        return None
    turned = registration.settle(raman, pl, shifted.placing, free=registration.TURN, progress=tell)
    if turned is None or turned.residual_um > far:  # a mask that lost a part is no better met, wherever it is turned to
        return None
    return turned if abs(turned.turn_um[0]) > max(far, SURE * turned.turn_um[1]) else None


def _determined(source: Pairable, placing: "Placing") -> NDArray[np.float64]:
    """Ways (2, k) along which the outlines tell where PL lies: not along an edge that is all there is."""
    from napari_wse2xai.numerics.rivals import resistance

    pieces, ways = resistance(scan_of(source.raman), scan_of(source.pl), placing)
    return np.asarray(ways[:, pieces >= LEAST_DETERMINED])


def left_open(source: Pairable, transform: Transform) -> str:
    """What the outlines cannot tell about a placing, a sentence; empty where they tell both directions."""
    from napari_wse2xai.numerics.outline import Placing

    ways = _determined(source, Placing(transform.matrix, transform.offset))
    if not ways.size:
        return "The outlines that both scans see are too short to tell where PL lies."
    across_y, across_x = ways[:, 0].tolist()
    # An edge has a way, but no direction.
    edge = np.rad2deg(np.arctan2(across_y, -across_x)) % 180
    return (
        ""
        if ways.shape[1] > 1
        else f"Both scans see but one edge of the flake, at {edge:.0f}° from y: how PL lies along it the outlines cannot tell."
    )


def believable(source: Pairable) -> bool:
    """Whether nothing contradicts the stage's coordinates, at first sight."""
    from napari_wse2xai.numerics.outline import STAY
    from napari_wse2xai.numerics.rivals import agrees

    return agrees(scan_of(source.raman), scan_of(source.pl), STAY, AGREE)


def has_outlines(source: Pairable) -> bool:
    """Whether both scans show an outline of the flake."""
    return all(len(scan_of(peaks).outline) for peaks in (source.raman, source.pl))


def on_one_grid(source: Pairable) -> bool:
    """Whether RS and PL were taken at the very same places."""
    return source.raman.frame.shape == source.pl.frame.shape and bool(
        np.allclose(pixel_coordinates(source.raman.frame, corners_um(source.pl.frame)), _corner_pixels(source.raman.frame), atol=1e-3)
    )


def _corner_pixels(frame: Frame) -> NDArray[np.float64]:
    (ny, nx) = frame.shape
    return np.array([(row, column) for row in (0, ny - 1) for column in (0, nx - 1)], dtype=np.float64)


def on_one_stage(source: Pairable) -> bool:
    """Whether the coordinates of both scans run along the same directions, at an angle that is known or is the same grid's."""
    (rows, columns), (pl_rows, pl_columns) = (_named_directions(peaks.frame) for peaks in (source.raman, source.pl))
    alike = all(ours == theirs or "" in (ours, theirs) for ours, theirs in ((rows, pl_rows), (columns, pl_columns)))
    return alike and (not {rows, columns, pl_rows, pl_columns} & AT_AN_ANGLE or on_one_grid(source))


def _named_directions(frame: Frame) -> tuple[str, str]:
    """Names of what rows and columns run along; empty for a lone row or column."""
    first, second = (direction.name if size > 1 else "" for direction, size in zip(frame.directions, frame.shape, strict=True))
    return first, second


def of_one_scan(source: Pairable) -> bool:
    """Whether RS and PL are parts of the spectra of one scan."""
    files = [_file(peaks) for peaks in (source.raman, source.pl)]
    return bool(files[0]) and files[0] == files[1] and on_one_grid(source)


def _file(peaks: PeakMaps) -> str:
    """SHA-256 of the file that peaks come from; empty where it is not known."""
    return next((str(record.settings.get("sha256", "")) for record in peaks.history if record.step == "read"), "")


def by_search(source: Pairable, freedom: "Freedom", chosen: int | None, kind: str, tell: Tell) -> Placed:
    """PL where the outlines fit best; refused where something else fits as well and nothing was chosen."""
    from napari_wse2xai.numerics import rivals
    from napari_wse2xai.numerics.outline import STAY

    raman, pl = scan_of(source.raman), scan_of(source.pl)
    fits = rivals.search(raman, pl, freedom, lambda done: tell(0.5 * done), (STAY,))
    if not fits:
        raise DataError(f"{named(source)}: no placing that is free brings the two flakes together; {MEND}.")
    if kind == "automatic" and chosen is None and on_one_stage(source) and rivals.agrees_too(raman, pl, STAY, fits[0].placing):
        stage = by_stage(source, tell, corrected=False)
        if not stage.doubts:
            return stage.doubting(DISAGREE)
    every = _listed(fits, source)
    number = _number(fits, every, chosen, kind, source)
    placed = _settled(source, freedom, fits[number].placing, tell, chosen=chosen is not None)
    words = kind if chosen is None else f"{kind}, candidate {chosen} of {len(every)}"
    placed = replace(placed, candidates=every, found_by=words)
    return placed if chosen is not None else placed.doubting(*_of_rivals(fits))


def _of_rivals(fits: "list[PlacingFit]") -> Iterator[str]:
    """Why the best placing of a search is not sure, though nothing that is free equals it."""
    from napari_wse2xai.numerics import rivals

    if not fits[0].mirrored and any(fit.mirrored for fit in rivals.as_good(fits)):
        yield MIRRORED_TOO
    if rivals.nearly_as_good(fits):
        yield LOST_SIDE


def _settled(source: Pairable, freedom: "Freedom", placing: "Placing", tell: Tell, *, chosen: bool) -> Placed:
    """Judge a placing, brought to its best first where the user did not choose it and that best is allowed."""
    from napari_wse2xai.numerics import registration

    raman, pl, free = scan_of(source.raman), scan_of(source.pl), registration.SCALE if freedom.scale else registration.TURN
    found = registration.settle(raman, pl, placing, free=free, progress=lambda done: tell(0.5 + 0.5 * done))
    allowed = found is not None and not chosen and freedom.held(raman, pl, found.placing) is found.placing
    best = found.placing if found is not None and allowed else placing
    return Placed.judged(Transform(best.matrix, best.offset), "", found, source.pl.frame)


def _number(fits: "list[PlacingFit]", every: tuple[Candidate, ...], chosen: int | None, kind: str, source: Pairable) -> int:
    """Index of the fit to take."""
    from napari_wse2xai.numerics.rivals import as_good

    if chosen is not None:
        if chosen > len(every):
            raise SettingsError(f"There is no candidate {chosen} for {named(source)}; there are {len(every)}: {_list(every)}.")
        return chosen - 1
    others = [fit for fit in as_good(fits)[1:] if fits[0].mirrored or not fit.mirrored]
    if others:
        raise AmbiguousPairing(
            f"{named(source)}: PL fits in {sum(one.as_good for one in every)} ways, and the outline cannot tell which is right: "
            f"{_list(every)}; choose one with pair: {{method: {{kind: {kind}, candidate: 1}}}}, or place PL by landmarks.",
            every,
        )
    return 0


def _listed(fits: "list[PlacingFit]", source: Pairable) -> tuple[Candidate, ...]:
    from napari_wse2xai.numerics.rivals import as_good

    good = as_good(fits)
    raman, pl = (corners_um(peaks.frame).mean(axis=0) for peaks in (source.raman, source.pl))
    found = []
    for fit in fits[:LISTED]:
        y, x = (fit.placing(pl) - raman).tolist()
        transform = Transform(fit.placing.matrix, fit.placing.offset)
        found.append(Candidate(transform, (y, x), fit.agreement, fit.evidence, any(fit is one for one in good)))
    return tuple(found)


def _list(candidates: tuple[Candidate, ...]) -> str:
    return "; ".join(f"{number}: {one.words}" for number, one in enumerate(candidates, 1) if one.as_good)


def named(source: Pairable) -> str:
    """Both maps by name."""
    return f"'{source.pl.name}' on '{source.raman.name}'"


MEND = "look whether each map's flake is found right (find_flake) and whether the two scans overlap on the flake"
DISAGREE = "The outlines of the two flakes disagree where the stage has them, but nowhere do they agree clearly better: look at both masks."
TURNED = (
    "The outlines agree better with PL turned by {:.1f}° ± {:.1f}°: "
    "if the sample was laid in anew between the scans, use the method 'register'."
)
LOST_SIDE = "If one of the masks has lost a side of the flake, PL may lie otherwise: look at both masks."
MIRRORED_TOO = (
    "A mirrored placing of PL fits as well; it was not taken, for scans of one instrument are not mirrored: compare the maps by eye."
)


def _coarser_um(source: Pairable) -> float:
    """Step of the coarser scan."""
    return max(scan_of(peaks).pitch for peaks in (source.raman, source.pl))


def _rms(vectors: NDArray[np.float64]) -> float:
    """Root mean square length of vectors (n, 2)."""
    return float(np.sqrt((vectors**2).sum(axis=1).mean()))


def flake_of(peaks: PeakMaps) -> NDArray[np.bool_]:
    """(ny, nx) flake as the fits show it; where every pixel was fitted, those with a signal."""
    off = [Status.NOT_ON_FLAKE] if (peaks.status == Status.NOT_ON_FLAKE).any() else [Status.BELOW_NOISE]
    return np.asarray(~np.isin(_filled(peaks.status), off))


def without_specks(flake: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(ny, nx) flake without holes and islands of a few pixels: what noise makes of a mask is no outline."""
    from scipy import ndimage

    largest = max(SPECK_PX, SPECK_SHARE * int(flake.sum()))
    whole = flake.copy()
    for wanted in (False, True):
        parts, count = ndimage.label(whole == wanted)
        if count > 1:
            small = np.bincount(parts.ravel()) <= largest
            whole ^= small[parts] & (whole == wanted)
    return whole


def _filled(status: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Status of the nearest measured pixel where one was not measured."""
    from scipy.ndimage import distance_transform_edt

    missing = status == Status.NOT_MEASURED
    if missing.all() or not missing.any():
        return status
    nearest = distance_transform_edt(missing, return_distances=False, return_indices=True)
    return np.asarray(status[tuple(nearest)])


def scan_of(peaks: PeakMaps) -> "Scan":
    """What registration sees of a map: the flake, never its light."""
    from napari_wse2xai.numerics.outline import Scan

    frame = peaks.frame
    return Scan(without_specks(flake_of(peaks)), np.array(frame.step_um), np.array(frame.origin_um), frame.turn)


def overlapping(source: Pairable, transform: Transform) -> bool:
    """Whether any RS pixel lies on the PL scan."""
    pixels = pixel_coordinates(source.pl.frame, transform.inverse.apply(pixels_um(source.raman.frame)))
    return bool(((pixels >= -0.5) & (pixels <= np.array(source.pl.frame.shape) - 0.5)).all(axis=-1).any())

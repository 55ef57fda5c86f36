"""Bring the peaks of the PL map onto the grid of the RS map."""

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_wse2xai.data import PARAMETERS, Frame, Pairable, PairedMaps, PeakMaps, Status, Transform
from napari_wse2xai.data.transform import corners_um, pixel_coordinates, pixels_um
from napari_wse2xai.errors import DataError, DataWarning
from napari_wse2xai.progress import Progress
from napari_wse2xai.stages._stage import Settings, Stage, setting

if TYPE_CHECKING:
    from napari_wse2xai.numerics.outline import Scan
    from napari_wse2xai.numerics.registration import Found

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


class Register(Settings):
    """Find the transform without help, from the outlines of the two flakes; where these fit twice, their light decides."""

    kind: Literal["register"] = "register"
    mirror: bool = setting(True, title="Mirror", description="Whether one of the maps may be mirrored.")
    max_rotation: float = setting(30.0, title="Largest rotation", unit="°", description="Largest turn that is tried.", ge=0, le=180)
    max_shift: float | None = setting(
        None, title="Largest shift", unit="um", description="Largest distance of the scans' middles; empty for any.", gt=0
    )
    scale: bool = setting(False, title="Scale", description="Look for the scale too, where a step is not known to a percent.")


Method = Annotated[Register | StageCoordinates | Landmarks | GivenTransform, Field(discriminator="kind")]


class Pair(Stage[Pairable, PairedMaps]):
    """Bring the peaks of the PL map onto the RS grid: parameters are resampled, never spectra, each with its standard error.

    Notes
    -----
    Called with ``Pairable(raman, pl)``.  Values are weighted means of the nearest PL pixels; where PL was not measured there are none.
    How far PL may lie from where it belongs is judged from the outlines of the two flakes, whichever way the transform was found.
    """

    title: ClassVar[str] = "Pair"

    method: Method = setting(Register(), title="Method", description="How it is found where the PL map lies on the RS map.")

    def run(self, source: Pairable, progress: Progress) -> PairedMaps:
        """Find the transform, resample, judge."""
        for peaks in (source.raman, source.pl):
            peaks.frame.require_places(peaks.name, "paired")
        _refuse_other_flake(source)
        raman, pl = _scan(source.raman), _scan(source.pl)
        judged = self._judged(raman, pl, source, progress)
        if not _overlapping(source, judged.transform):
            raise DataError(
                f"'{source.pl.name}' and '{source.raman.name}' do not overlap where they were placed; choose the method 'register', "
                "or correct the landmarks or the transform."
            )
        carried = on_grid(source.pl, source.raman.frame, judged.transform)
        found_by = self.method.kind + (", refined" if getattr(self.method, "refine", False) else "")
        paired = PairedMaps(
            source.raman,
            carried,
            pl_frame=source.pl.frame,
            transform=judged.transform,
            misalignment_um=judged.misalignment_um,
            misalignment_error_um=judged.error_um,
            overlap=judged.overlap,
            found_by=found_by,
        )
        _warn(paired)
        return paired

    def _judged(self, raman: "Scan", pl: "Scan", source: Pairable, progress: Progress) -> "_Judged":
        """Find the transform, and how well it fits."""
        from napari_wse2xai.numerics import registration
        from napari_wse2xai.numerics.coarse_search import Freedom
        from napari_wse2xai.numerics.outline import Placing

        def tell(done: float) -> None:
            progress(0.9 * done, "placing the PL scan")

        if isinstance(self.method, Register):
            freedom = Freedom(self.method.mirror, self.method.max_rotation, self.method.max_shift, self.method.scale)
            return _Judged.registered(registration.register(raman, pl, freedom, tell), source)
        start = self.method.start()
        placing = Placing(start.matrix, start.offset)
        found = registration.settle(raman, pl, placing, scale=False, progress=tell)
        return _Judged.registered(found, source) if self.method.refine else _Judged.given(start, found, source)


@dataclass(frozen=True, eq=False)
class _Judged:
    """A transform, and how far it may be off."""

    transform: Transform
    misalignment_um: float
    error_um: float
    overlap: float

    @classmethod
    def registered(cls, found: "Found | None", source: Pairable) -> Self:
        """Take what registration found."""
        if found is None:
            raise DataError(
                f"'{source.pl.name}' cannot be registered to '{source.raman.name}': there is no outline of a flake that both show; "
                "use stage coordinates, landmarks or a given transform, without refining."
            )
        return cls.given(Transform(found.placing.matrix, found.placing.offset), found, source)

    @classmethod
    def given(cls, transform: Transform, found: "Found | None", source: Pairable) -> Self:
        """Judge a transform by the registration that it leads to, where there is one."""
        if found is None:
            return cls(transform, np.nan, np.nan, np.nan)
        corners = corners_um(source.pl.frame)
        off = _rms(transform.apply(corners) - found.placing(corners))
        error = _rms(found.error_um(corners))
        return cls(transform, float(np.hypot(off, error)), error, found.overlap)


def _rms(vectors: NDArray[np.float64]) -> float:
    """Root mean square length of vectors (n, 2)."""
    return float(np.sqrt((vectors**2).sum(axis=1).mean()))


def on_grid(peaks: PeakMaps, frame: Frame, transform: Transform) -> PeakMaps:
    """Peaks on another grid, interpolated between the nearest pixels; NaN where nothing was measured.

    Parameters
    ----------
    frame : the grid
    transform : from the peaks' stage coordinates to those of the grid
    """
    from napari_wse2xai.numerics.resampling import nearest

    pixels = pixel_coordinates(peaks.frame, transform.inverse.apply(pixels_um(frame)))
    fields: dict[str, Any] = {"frame": frame, "background": None}
    for name in (*PARAMETERS, "form", "area"):
        fields |= _resampled(peaks, name, f"{name}_error", pixels)
    for name in ("reduced_chi2", "r2"):
        fields |= _resampled(peaks, name, "", pixels)
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


def flake_of(peaks: PeakMaps) -> NDArray[np.bool_]:
    """(ny, nx) flake as the fits show it; where every pixel was fitted, those with a signal."""
    off = [Status.NOT_ON_FLAKE] if (peaks.status == Status.NOT_ON_FLAKE).any() else [Status.BELOW_NOISE]
    return np.asarray(~np.isin(_filled(peaks.status), off))


def _filled(status: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Status of the nearest measured pixel where one was not measured."""
    from scipy.ndimage import distance_transform_edt

    missing = status == Status.NOT_MEASURED
    if missing.all() or not missing.any():
        return status
    nearest = distance_transform_edt(missing, return_distances=False, return_indices=True)
    return np.asarray(status[tuple(nearest)])


def _scan(peaks: PeakMaps) -> "Scan":
    """What registration sees of a map: the flake, and the sum of its peaks' heights."""
    from napari_wse2xai.numerics.outline import Scan

    return Scan(flake_of(peaks), peaks.light.astype(np.float64), np.array(peaks.frame.step_um), np.array(peaks.frame.origin_um))


def _refuse_other_flake(source: Pairable) -> None:
    names = {source.raman.frame.sample, source.pl.frame.sample} - {""}
    if len(names) > 1:
        raise DataError(
            f"'{source.raman.name}' and '{source.pl.name}' show different flakes ({' and '.join(sorted(names))}); pair one flake."
        )


def _overlapping(source: Pairable, transform: Transform) -> bool:
    """Whether any RS pixel lies on the PL scan."""
    pixels = pixel_coordinates(source.pl.frame, transform.inverse.apply(pixels_um(source.raman.frame)))
    return bool(((pixels >= -0.5) & (pixels <= np.array(source.pl.frame.shape) - 0.5)).all(axis=-1).any())


def _warn(paired: PairedMaps) -> None:
    """Say so where the pairing is not to be trusted."""
    words = f"'{paired.pl.name}' on '{paired.raman.name}'"
    if not np.isfinite(paired.misalignment_um):
        text = f"{words}: how well the maps lie on one another cannot be judged, the two flakes share no outline; compare them by eye."
    elif paired.misalignment_um > 0.5 * paired.step_um:
        text = f"{words}: {paired.misalignment_text}, more than half a step; register or refine, or correct the landmarks."
    elif paired.overlap < LEAST_OVERLAP:
        text = f"{words}: the flakes agree on {paired.overlap:.0%} of their area only; look at the overlay before you trust the pairs."
    else:
        return
    warnings.warn(text, DataWarning, stacklevel=4)

"""Measure the PL of a flake on a grid of its own: another step, shifted, turned, mirrored."""

from dataclasses import asdict, dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Frame, SpectralMap, Transform
from napari_wse2xai.data.transform import Points, pixel_coordinates, pixels_um
from napari_wse2xai.errors import SettingsError
from napari_wse2xai.synthetic.flake import Dice, Lit, light_up, make_flake, measure, pl_truth, with_scatter
from napari_wse2xai.synthetic.growth import SMALLEST_SCAN_PX, Field, contains, outline_of
from napari_wse2xai.synthetic.instrument import Instrument
from napari_wse2xai.synthetic.truth import ModalityTruth, Truth


@dataclass(frozen=True)
class Placement:
    """How the PL scan lies to the RS scan; its field has the same size."""

    step_ratio: float = 1.0
    """Step of the PL scan over that of the RS scan."""
    shift: tuple[float, float] = (0.0, 0.0)
    """(y, x) by which the middle of the PL scan lies off that of the RS scan, as fractions of the field."""
    rotation_deg: float = 0.0
    """Turn of the PL scan about its middle."""
    mirrored: bool = False
    """Whether the x of the PL scan runs backwards."""

    @classmethod
    def at_random(cls, seed: int) -> Self:
        """Another step by 0.7 to 1.6, shifted up to 20 % of the field, turned up to 15 degrees, every other one mirrored."""
        rng = np.random.default_rng(seed)
        shift = (float(rng.uniform(-0.2, 0.2)), float(rng.uniform(-0.2, 0.2)))
        return cls(float(rng.uniform(0.7, 1.6)), shift, float(rng.uniform(-15.0, 15.0)), bool(rng.integers(2)))

    def frame(self, raman: Frame) -> Frame:
        """Grid of the PL scan, in stage coordinates of its own that begin at zero."""
        ny, nx = (round(n / self.step_ratio) for n in raman.shape)
        if min(ny, nx) < SMALLEST_SCAN_PX:
            raise SettingsError(f"A PL scan of {ny} x {nx} pixels cannot hold a flake; lower step_ratio to have {SMALLEST_SCAN_PX} a side.")
        dy, dx = raman.step_um
        return Frame((ny, nx), (dy * self.step_ratio, dx * self.step_ratio), sample=raman.sample)

    def transform(self, raman: Frame) -> Transform:
        """Way from the PL map's stage coordinates to those of the RS map."""
        middle, field_um = _middle(self.frame(raman)), np.array(raman.shape) * raman.step_um
        shift = _middle(raman) + field_um * self.shift - middle
        return Transform.similarity(rotation_deg=self.rotation_deg, mirrored=self.mirrored, shift_um=shift, centre_um=middle)


SAMPLE_PLACEMENT = Placement(1.3, (0.08, -0.12), 9.0, mirrored=True)
"""Of the PL map in napari's sample data."""


@dataclass(frozen=True, eq=False)
class SyntheticPair:
    """RS and PL of one flake on grids of their own, and what was put into them."""

    raman: SpectralMap
    pl: SpectralMap
    truth: Truth
    """On the RS grid."""
    pl_flake: NDArray[np.bool_]
    """(ny, nx) of the PL grid, True where the pixel's centre lies on the crystal."""
    pl_truth: ModalityTruth
    """On the PL grid."""
    transform: Transform
    """From the PL map's stage coordinates to those of the RS map."""


def make_pair(
    shape: str = "triangle",
    placement: Placement | None = None,
    *,
    shape_px: tuple[int, int] = (48, 56),
    seed: int = 0,
    step_um: float = 0.5,
    instrument: Instrument | None = None,
    law: str = "known",
    law_noise: float = 0.05,
) -> SyntheticPair:
    """Grow a flake as `make_flake` does, which has the other parameters explained, and scan its PL another day.

    The part of the PL scan that lies beyond the RS scan is bare silicon.

    Raises
    ------
    SettingsError
        Too few pixels are left for the PL scan, or `make_flake` refuses.
    """
    flake = make_flake(shape, shape_px=shape_px, seed=seed, step_um=step_um, instrument=instrument, law=law, law_noise=law_noise)
    device, dice, placing = instrument or Instrument(), Dice(shape, seed), placement or Placement()
    frame, transform = placing.frame(flake.raman.frame), placing.transform(flake.raman.frame)
    places = pixel_coordinates(flake.raman.frame, transform.apply(pixels_um(frame)))
    fractions = (places + 0.5) / shape_px
    on_flake = contains(outline_of(shape), fractions[..., 0], fractions[..., 1])
    lit = _resampled(light_up(shape, shape_px, device, dice, law), places)
    maps = with_scatter(lit[:3], on_flake, dice("PL pair law noise"), law_noise)
    truth = pl_truth(maps, on_flake, lit[3], device, Dice(f"{shape} PL pair", seed))
    told = {**flake.pl.history[0].settings, "placement": asdict(placing)}
    pl = measure(truth, frame, told, flake.pl.name, device, dice("PL pair noise"))
    return SyntheticPair(flake.raman, pl, flake.truth, on_flake, truth, transform)


def _middle(frame: Frame) -> Points:
    return np.array([frame.y_um[[0, -1]].mean(), frame.x_um[[0, -1]].mean()])


def _resampled(lit: Lit, places: Points) -> Field:
    """Position, FWHM, law's height and focus at fractional RS pixels, (4, ny, nx): cubic splines through the smooth fields."""
    from scipy.ndimage import map_coordinates

    fields = [*lit.exciton, lit.focus]
    return np.stack([map_coordinates(field, np.moveaxis(places, -1, 0), order=3, mode="nearest") for field in fields])

"""What the spectrometer adds to the light: gratings, uneven focus, background, shot and read noise, cosmic rays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind, SpectralAxis
from napari_wse2xai.data.axis import HC_EV_NM, convert_values
from napari_wse2xai.numerics.lineshapes import lorentzian
from napari_wse2xai.synthetic.growth import Field, smooth_field
from napari_wse2xai.synthetic.truth import Spikes

LASER_NM = 532.0
RAMAN_CHANNELS = 1024
RAMAN_SPAN = (100.0, 560.0)
RAMAN_SPANS = {"graphene": (1150.0, 2860.0), "hBN": (1200.0, 1620.0)}
"""Where a crystal has its lines that has none below silicon's, cm-1; graphene's are spread over a coarser grating."""
PL_CHANNELS = 512
PL_SPAN_EV = (1.50, 1.80)
PL_SPANS_EV = {"WS2": (1.86, 2.18), "MoS2": (1.66, 2.16), "MoSe2": (1.42, 1.72), "MoTe2": (0.98, 1.22)}
"""Where a material other than WSe2 shines; all end below silicon's line, 0.065 eV below the laser."""
Cube = NDArray[np.float32]
"""(ny, nx, n) counts."""

SPIKE_PROFILES = np.array([[1.0, 0.0, 0.0, 0.0], [1.0, 0.6, 0.0, 0.0], [0.35, 1.0, 0.5, 0.0], [0.3, 0.9, 1.0, 0.35]])
"""Share of a cosmic ray's amplitude per channel, one row per width of 1 to 4 channels."""
SPIKE_WIDTH_ODDS = (0.4, 0.3, 0.2, 0.1)
SPIKE_COUNTS = (400.0, 30000.0)
"""Smallest and largest amplitude, drawn evenly in the logarithm."""


@dataclass(frozen=True)
class Instrument:
    """Settings of the measurement; the defaults are those of a good confocal microscope at one second a pixel."""

    gain: float = 1.2
    """Counts per photo-electron."""
    read_noise: float = 8.0
    """Standard deviation of the read noise in counts."""
    offset: float = 300.0
    """Counts of an unlit channel; carries no shot noise."""
    spikes_per_pixel: float = 0.15
    """Mean number of cosmic rays in one spectrum."""
    focus_variation: float = 0.12
    """Largest relative loss or gain of signal over the scan by uneven focus; RS and PL share it."""
    intensity: float = 1.0
    """Scale of all signal: 0.1 is a tenth of the exposure."""

    def detect(self, light: Cube, rng: np.random.Generator) -> Cube:
        """Counts that the camera reads for the given noise-free light (counts, without the offset)."""
        # Shot noise is of electrons: counts have the gain times their mean as variance.
        electrons = rng.poisson(light / self.gain).astype(np.float32)
        read = rng.standard_normal(light.shape, dtype=np.float32)
        return np.asarray(self.offset + self.gain * electrons + self.read_noise * read, dtype=np.float32)


def raman_axis(channels: int = RAMAN_CHANNELS, span: tuple[float, float] = RAMAN_SPAN) -> SpectralAxis:
    """Axis from one shift to another as a grating gives it (the usual one: 1800 gr/mm): nearly even in nm, so not in cm-1."""
    ends = convert_values(list(span), AxisKind.RAMAN_SHIFT, AxisKind.WAVELENGTH, LASER_NM)
    t = np.linspace(0.0, 1.0, channels)
    # A grating's sine condition bends the scale by about a percent from end to end.
    nm = ends[0] + (ends[1] - ends[0]) * (t + 0.012 * t * (1.0 - t))
    return SpectralAxis(convert_values(nm, AxisKind.WAVELENGTH, AxisKind.RAMAN_SHIFT, LASER_NM), AxisKind.RAMAN_SHIFT, LASER_NM)


def pl_axis(span_ev: tuple[float, float] = PL_SPAN_EV) -> SpectralAxis:
    """Axis of 0.3 eV or so as a 150 gr/mm grating gives it: even in nm."""
    nm = np.linspace(HC_EV_NM / span_ev[0], HC_EV_NM / span_ev[1], PL_CHANNELS)
    return SpectralAxis(HC_EV_NM / nm, AxisKind.ENERGY, LASER_NM)


def focus_map(rng: np.random.Generator, shape_px: tuple[int, int], variation: float) -> Field:
    """Relative collection efficiency (ny, nx) around 1: a tilted sample and a little drift."""
    ny, nx = shape_px
    tilt = np.linspace(-1.0, 1.0, ny)[:, None] * 0.5 - np.linspace(-1.0, 1.0, nx)[None, :]
    # A sample lies tilted, and the stage drifts: both scans share it, which is what a network may take for a law.
    uneven = tilt + smooth_field(rng, shape_px, 0.15)
    return np.asarray(1.0 + variation * uneven / np.abs(uneven).max())


def raman_background(axis: SpectralAxis, flake: NDArray[np.bool_], focus: Field, rng: np.random.Generator) -> Cube:
    """All light of the RS spectra that is not the flake's phonons: luminescence, the laser's wing, silicon under everything."""
    x = axis.values.astype(np.float32)
    low, high = (round(end, 3) for end in axis.span)
    t = (x - low) / (high - low)
    level, slope = (_per_pixel(rng, flake.shape, relative) for relative in (0.05, 0.10))
    luminescence = level * (60.0 + 80.0 * slope * t + 90.0 * t * (1.0 - t))
    wing = 90.0 * level * np.exp(-(x - 100.0) / 28.0)
    haze = _column(np.where(flake, focus, 0.0)) * (18.0 + 60.0 * np.exp(-(((t - 0.45) / 0.35) ** 2)))
    silicon = _column(np.where(flake, 0.55, 1.0) * focus) * silicon_lines(x)
    return np.asarray(luminescence + wing + haze + silicon, dtype=np.float32)


def silicon_lines(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bare silicon in counts: the optical phonon at 520.7 cm-1 and the weak second-order (2TA) feature near 303 cm-1."""
    return np.asarray(lorentzian(x, 520.7, 4.4, 5200.0) + lorentzian(x, 303.0, 9.0, 70.0), dtype=np.float32)


def pl_background(axis: SpectralAxis, flake: NDArray[np.bool_], focus: Field, rng: np.random.Generator) -> Cube:
    """Light of the PL spectra that is not the exciton: luminescence of substrate and optics, and a haze of the flake."""
    low, high = (round(end, 3) for end in axis.span)
    t = ((axis.values - low) / round(high - low, 3)).astype(np.float32)
    level, slope = (_per_pixel(rng, flake.shape, relative) for relative in (0.05, 0.10))
    haze = _column(np.where(flake, focus, 0.0)) * 40.0 * (1.0 - 0.6 * t)
    return np.asarray(level * (90.0 + 70.0 * slope * t + 50.0 * t * t) + haze, dtype=np.float32)


def cosmic_rays(rng: np.random.Generator, shape: tuple[int, ...], per_pixel: float) -> Spikes:
    """Hits at random places of a cube (ny, nx, n): 1 to 4 channels wide, from moderate to huge."""
    ny, nx, n = shape
    hits = int(rng.poisson(per_pixel * ny * nx))
    width = rng.choice(np.arange(1, 5), size=hits, p=SPIKE_WIDTH_ODDS)
    lowest, highest = np.log(SPIKE_COUNTS)
    amplitude = np.exp(rng.uniform(lowest, highest, size=hits))
    # Three channels off the end, that the widest hit lies within the spectrum.
    row, column, channel = rng.integers(ny, size=hits), rng.integers(nx, size=hits), rng.integers(n - 3, size=hits)
    return Spikes((ny, nx, n), row, column, channel, width, amplitude)


def _per_pixel(rng: np.random.Generator, shape: tuple[int, ...], relative: float) -> Cube:
    """Factor (ny, nx, 1) around 1: smooth over the scan, with a little of its own at every pixel."""
    own = 0.5 * relative * rng.standard_normal(shape)
    return _column(1.0 + relative * smooth_field(rng, (shape[0], shape[1]), 0.2) + own)


def _column(field: Field) -> Cube:
    """Map (ny, nx) ready to multiply spectra: (ny, nx, 1)."""
    return np.asarray(field[:, :, None], dtype=np.float32)

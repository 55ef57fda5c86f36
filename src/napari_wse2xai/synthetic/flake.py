"""Grow a flake, measure it, keep the truth."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai._version import __version__
from napari_wse2xai.data import Frame, Record, SpectralMap
from napari_wse2xai.errors import SettingsError
from napari_wse2xai.synthetic.growth import Crystal, Field, grow, smooth_field
from napari_wse2xai.synthetic.instrument import (
    LASER_NM,
    PL_SPAN_EV,
    PL_SPANS_EV,
    RAMAN_CHANNELS,
    RAMAN_SPAN,
    RAMAN_SPANS,
    SPIKE_PROFILES,
    Instrument,
    cosmic_rays,
    focus_map,
    pl_axis,
    pl_background,
    raman_axis,
    raman_background,
)
from napari_wse2xai.synthetic.material import LINE_SETS, PL_HEIGHT, CrystalLine, exciton_maps, governing, phonon_maps, pl_law
from napari_wse2xai.synthetic.truth import ModalityTruth, Truth

LAWS = ("known", "independent", "hidden")
"""How PL height comes about: `pl_law`; a smooth map that knows nothing of RS; `pl_law` times a smooth map that RS cannot see."""


@dataclass(frozen=True, eq=False)
class SyntheticFlake:
    """Two maps of one flake in one frame, and what was put into them."""

    raman: SpectralMap
    pl: SpectralMap
    truth: Truth


class Dice:
    """A random generator of its own for every purpose, so that changing one thing leaves all others as they were."""

    def __init__(self, shape: str, seed: int) -> None:
        self._seeds = (seed, crc32(shape.encode()))

    def __call__(self, purpose: str) -> np.random.Generator:
        """Generator for one purpose, always in its first state."""
        return np.random.default_rng([*self._seeds, crc32(purpose.encode())])


def make_flake(
    shape: str = "triangle",
    *,
    shape_px: tuple[int, int] = (48, 56),
    seed: int = 0,
    step_um: float = 0.5,
    instrument: Instrument | None = None,
    law: str = "known",
    law_noise: float = 0.05,
    lines: str = "usual",
) -> SyntheticFlake:
    """Grow and measure a flake of WSe2 or another material on silicon; everything about it is made up.

    Parameters
    ----------
    shape : one of `FLAKE_SHAPES`
    shape_px : pixels of the scan (ny, nx)
    seed : everything random follows from it; another instrument or law leaves the crystal as it is
    step_um : distance from pixel to pixel in um
    instrument : noise, focus and cosmic rays; the default is a good confocal microscope
    law : one of `LAWS`
    law_noise : standard deviation of the PL height around its law, as a fraction of the law's own spread on the flake
    lines : "usual", the eight of the preset; "high resolution", as narrow as real ones, averaged over channels of 0.5 cm-1; or those of
        another crystal at 532 nm: "bilayer WSe2", "WS2", "MoS2", "bulk MoS2", "MoSe2", "MoTe2", "bilayer MoTe2", "graphene", "hBN"

    Raises
    ------
    SettingsError
        The shape, law or set of lines is not known, the scan is too small, or the seed is negative.
    """
    if law not in LAWS:
        raise SettingsError(f"The PL law '{law}' is not known; use {', '.join(LAWS[:-1])} or {LAWS[-1]}.")
    if lines not in LINE_SETS:
        raise SettingsError(f"The lines '{lines}' are not known; use {', '.join(list(LINE_SETS)[:-1])} or {list(LINE_SETS)[-1]}.")
    if seed < 0:
        raise SettingsError(f"The seed {seed} is negative; use 0 or a whole number above it.")
    device = instrument or Instrument()
    truth = _grow_and_light(shape, shape_px, device, Dice(shape, seed), law, law_noise, lines)
    options = {"shape": shape, "shape_px": list(shape_px), "seed": seed, "step_um": step_um, "law": law, "law_noise": law_noise}
    options |= {} if lines == "usual" else {"lines": lines}
    told = {**options, "instrument": asdict(device)}
    made_of = shape if lines in ("usual", "high resolution") else f"{lines} {shape}"
    frame = Frame(shape_px, (step_um, step_um), sample=f"{made_of} (synthetic)")
    raman, pl = (
        measure(part, frame, told, f"{made_of} {label}", device, Dice(shape, seed)(f"{label} noise"))
        for part, label in ((truth.raman, "RS"), (truth.pl, "PL"))
    )
    return SyntheticFlake(raman, pl, truth)


def _grow_and_light(shape: str, shape_px: tuple[int, int], device: Instrument, dice: Dice, law: str, law_noise: float, lines: str) -> Truth:
    """Everything about the flake up to the noise-free light."""
    lit = light_up(shape, shape_px, device, dice, law, lines)
    crystal, focus = lit.crystal, lit.focus
    exciton = with_scatter(lit.exciton, crystal.flake, dice("law noise"), law_noise)
    raman = _raman_truth(lit.phonons, crystal, focus, device, dice, lines)
    pl = pl_truth(exciton, crystal.flake, focus, device, dice, lines)
    fields = {name: np.where(crystal.flake, values, np.nan) for name, values in _fields(crystal, lit.exciton[2]).items()}
    return Truth(crystal.flake, raman, pl, focus=focus, **fields, gain=device.gain, read_noise=device.read_noise, offset=device.offset)


@dataclass(frozen=True, eq=False)
class Lit:
    """A crystal in the light, before any noise; every field is defined beside the flake too."""

    crystal: Crystal
    focus: Field
    phonons: Field
    """(3, peak, ny, nx) position, FWHM and height of every phonon line."""
    exciton: Field
    """(3, ny, nx) position, FWHM and height by the law."""


def light_up(shape: str, shape_px: tuple[int, int], device: Instrument, dice: Dice, law: str, lines: str = "usual") -> Lit:
    """Grow a crystal and shine on it."""
    crystal = grow(shape, shape_px, dice("crystal"))
    focus = focus_map(dice("focus"), shape_px, device.focus_variation)
    phonons = phonon_maps(crystal, dice("phonons"), LINE_SETS[lines])
    collected = focus * device.intensity
    law_height = PL_HEIGHT * collected * _relative_pl(law, crystal, phonons, dice, LINE_SETS[lines])
    phonons[2] *= collected
    return Lit(crystal, focus, phonons, np.stack([*exciton_maps(crystal, dice("exciton"), lines), law_height]))


def with_scatter(exciton: Field, flake: NDArray[np.bool_], rng: np.random.Generator, law_noise: float) -> Field:
    """Position, FWHM and height (3, 1, ny, nx) of the exciton, the height scattered around its law."""
    scatter = law_noise * exciton[2][flake].std() * rng.standard_normal(flake.shape)
    return np.stack([*exciton[:2], np.maximum(exciton[2] + scatter, 0.0)])[:, None]


def _fields(crystal: Crystal, law_height: Field) -> dict[str, Field]:
    """Maps that exist on the flake only."""
    return {"vacancy": crystal.vacancy, "oxygen": crystal.oxygen, "strain": crystal.strain, "law_height": law_height}


def _relative_pl(law: str, crystal: Crystal, phonons: Field, dice: Dice, lines: tuple[CrystalLine, ...]) -> Field:
    """PL height relative to pristine crystal in focus, (ny, nx)."""
    chief = governing(lines)
    known = pl_law(phonons[2, chief] / lines[chief].height, crystal.vacancy, crystal.oxygen)
    if law == "known":
        return known
    unseen = smooth_field(dice("unseen"), crystal.flake.shape, 0.12)
    # Hidden: the law times a smooth map that RS does not show, as large as the law itself; else nothing of the law at all.
    return known * np.exp(0.9 * unseen) if law == "hidden" else np.asarray(0.75 + 0.5 * unseen)


def _raman_truth(maps: Field, crystal: Crystal, focus: Field, device: Instrument, dice: Dice, lines: str) -> ModalityTruth:
    """Truth of the RS cube."""
    narrow = lines == "high resolution"
    axis = raman_axis(920 if narrow else RAMAN_CHANNELS, RAMAN_SPANS.get(lines, RAMAN_SPAN))
    light = raman_background(axis, crystal.flake, focus, dice("RS background"))
    spikes = cosmic_rays(dice("RS spikes"), light.shape, device.spikes_per_pixel)
    names, shapes = zip(*((line.name, line.shape) for line in LINE_SETS[lines]), strict=True)
    lit = np.asarray(device.offset + device.intensity * light, dtype=np.float32)
    position, fwhm, height = _on_flake(maps, crystal.flake)
    return ModalityTruth(axis, names, shapes, position, fwhm, height, lit, spikes, narrow)


def pl_truth(maps: Field, flake: NDArray[np.bool_], focus: Field, device: Instrument, dice: Dice, lines: str = "usual") -> ModalityTruth:
    """Truth of the PL cube."""
    axis = pl_axis(PL_SPANS_EV.get(lines, PL_SPAN_EV))
    light = pl_background(axis, flake, focus, dice("PL background"))
    spikes = cosmic_rays(dice("PL spikes"), light.shape, device.spikes_per_pixel)
    lit = np.asarray(device.offset + device.intensity * light, dtype=np.float32)
    position, fwhm, height = _on_flake(maps, flake)
    return ModalityTruth(axis, ("A exciton",), ("gaussian",), position, fwhm, height, lit, spikes)


def _on_flake(maps: Field, flake: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Position, FWHM and height (3, peak, ny, nx) as float32, NaN off the flake."""
    return np.where(flake, maps, np.nan).astype(np.float32)


def measure(
    part: ModalityTruth, frame: Frame, told: Mapping[str, object], name: str, device: Instrument, rng: np.random.Generator
) -> SpectralMap:
    """Add what chance adds: shot noise, read noise and cosmic rays; the history says of which of the flake's two maps it is."""
    record = Record("synthetic", {**told, "map": part.axis.kind.modality}, __version__)
    # The offset is added by the detector: without light there is no shot noise in it.
    counts = device.detect(part.clean() - device.offset, rng) + part.spikes.added(SPIKE_PROFILES)
    metadata = {"Laser (nm)": f"{LASER_NM:g}", "Remark": "synthetic: no measurement"}
    return SpectralMap(frame, part.axis, counts, name, metadata=metadata, history=(record,))

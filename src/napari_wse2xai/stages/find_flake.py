"""Find the pixels that lie on the crystal."""

import warnings
from dataclasses import replace
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.errors import DataError, DataWarning, counted
from napari_wse2xai.numerics import masking
from napari_wse2xai.progress import Progress
from napari_wse2xai.stages._flake_light import Scene
from napari_wse2xai.stages._screening import screened
from napari_wse2xai.stages._stage import Stage, setting
from napari_wse2xai.stages._windows import Window, channels

FEWEST = 4
"""Pixels that a map must have for its flake to be looked for."""
COVERED = (
    "The darkest pixels of '{}' show the lines too, so the whole scan is taken as flake; if it is, say find_flake: false, and if "
    "not, name a corner that lies beside the flake."
)
FLUORESCENCE = (
    "No line tells the flake of '{}' from the rest, only light as smooth as fluorescence, which may be anything's: compare the "
    "flake with what you know of the sample, choose a window round a line, or say find_flake: false."
)
BRIGHT_CORNER = "The {1} of '{0}' is brighter than much of the scan, so it may lie on the flake; choose another one."


class FindFlake(Stage[SpectralMap, SpectralMap]):
    """Pixels whose light exceeds that of a corner beside the flake by k standard deviations (Yoo et al. 2023, section 4.3).

    Notes
    -----
    The light is that of the lines, above a local baseline: of what bright spectra have more of than dark ones.  Where the dark ones show
    it too, the flake covers the whole scan.  The paper takes mean counts, and prints "variance" for the spread; a threshold in counts needs
    the standard deviation, which is used here.
    """

    title: ClassVar[str] = "Find flake"
    order: ClassVar[int] = 30
    usual: ClassVar[bool] = True
    shows: ClassVar[tuple[str, ...]] = ("flake",)

    corner: Literal["darkest", "top left", "top right", "bottom left", "bottom right"] = setting(
        "darkest",
        title="Corner",
        description="Corner of the scan that lies beside the flake; 'darkest' takes the one with the lowest signal.",
    )
    corner_size: int = setting(6, title="Corner size", unit="px", description="Side of the corner's square.", ge=1, le=200)
    k: float = setting(5.0, title="Threshold k", unit="σ", description="How far above the corner a pixel counts as flake.", gt=0, le=1000)
    k_edge: float = setting(
        2.5,
        title="Threshold at its edge",
        unit="σ",
        description="How far above the corner a pixel counts that hangs together with the flake; as much as k is the paper's rule.",
        gt=0,
        le=1000,
    )
    edge_fraction: float = setting(
        0.15,
        title="Edge",
        description="Share of the flake's typical signal that a pixel must reach, so that a blurred edge stays off; 0 is the paper's rule.",
        ge=0,
        lt=1,
    )
    window: Window | None = setting(
        None, title="Window", unit="axis", description="Spectral range of the mean signal, in the axis unit; empty for the whole axis."
    )
    signal: Literal["lines", "mean"] = setting(
        "lines",
        title="Signal",
        description="Light of the lines above a local baseline, or the paper's mean counts, which follow fluorescence and substrate too.",
    )
    min_pixels: int = setting(
        6, title="Smallest group", unit="px", description="Groups and holes of fewer pixels are removed or filled.", ge=1, le=10_000
    )
    fill_holes: bool = setting(True, title="Fill holes", description="Fill holes smaller than the smallest group.")

    @classmethod
    def summary(cls, result: Any) -> str:
        """How large the flake is."""
        found, every = int(result.flake.sum()), result.frame.n_pixels
        return f"The flake has {found} of {every} pixels; mend its Labels layer by hand where it is wrong."

    @classmethod
    def facts(cls, result: SpectralMap) -> list[tuple[str, str]]:
        """Size of the flake, and what was left out of it."""
        if result.flake is None:
            return []
        frame, count = result.frame, int(result.flake.sum())
        area = count * abs(frame.step_um[0] * frame.step_um[1])
        extent = "" if 1 in frame.shape or not frame.has_places else f", {area:.4g} µm²"
        left_out = result.metadata.get("flake", "").partition(", ")[2]
        told = [("Left out of it, or filled", left_out)] if left_out else []
        return [("Flake", f"{count} of {result.flake.size} pixels{extent}"), *told]

    def run(self, source: SpectralMap, progress: Progress) -> SpectralMap:
        """Return the map with its `flake`."""
        source.frame.require_places(source.name, "searched for a flake (leave this step out: find_flake: false)")
        if source.frame.n_pixels < FEWEST:
            raise DataError(
                f"'{source.name}' has {source.frame.n_pixels} pixels, too few to tell flake from background; leave this step out."
            )
        scene = self._scene(source, progress)
        if scene.covered and self.corner == "darkest":
            _warn(COVERED.format(source.name))
            return _told(source, np.isfinite(scene.light), np.zeros(source.frame.shape, dtype=bool))
        dark = scene.dark(self.corner, self.corner_size)
        # Without the share of its light that an edge pixel must have: the difference is told as left out.
        lit = masking.above(scene.light, dark, self.k, 0.0, scene.noise, self.k_edge)
        above = masking.above(scene.light, dark, self.k, self.edge_fraction, scene.noise, self.k_edge)
        flake = masking.tidy(above, self._smallest(scene.light), self.fill_holes)
        if not flake.any():
            raise DataError(self._nothing_found(source, dark, int(above.sum())))
        rest = scene.light[~flake & np.isfinite(scene.light)]
        if self.corner != "darkest" and len(rest) > 10 and float(np.mean(rest < dark.mean - 3 * dark.sigma)) > 0.2:
            _warn(BRIGHT_CORNER.format(source.name, dark.corner))
        if scene.follows_fluorescence:
            _warn(FLUORESCENCE.format(source.name))
        return _told(source, flake, above, int((lit & ~above).sum()))

    def _nothing_found(self, source: SpectralMap, dark: masking.Background, bright: int) -> str:
        """What to do where no pixel is flake, or too few are together."""
        level = f"{self.k:g} sigma above the {dark.corner} ({dark.mean:.4g} ± {dark.sigma:.2g} {source.intensity_unit})"
        if bright:
            return (
                f"No flake was found in '{source.name}': {counted(bright, 'pixel')} {'is' if bright == 1 else 'are'} {level}, but not "
                f"{self.min_pixels} of them together; lower min_pixels, or, if the flake covers the whole scan, leave this step out "
                "(find_flake: false)."
            )
        return (
            f"No flake was found in '{source.name}': no pixel is {level}; lower k, choose another corner or window, or, if the flake "
            "covers the whole scan, leave this step out (find_flake: false)."
        )

    def _scene(self, source: SpectralMap, progress: Progress) -> Scene:
        """The light in the window."""
        inside = channels(source, self.window, "the flake's window")
        known = screened(source) if self.signal == "lines" else source
        make = Scene.of_lines if self.signal == "lines" else Scene.of_means
        return make(known, inside, lambda done: progress(0.9 * done, "measuring the signal"))

    def _smallest(self, signal: NDArray[np.float64]) -> int:
        """On a line scan or a tiny map a group of few pixels may be the flake itself."""
        return self.min_pixels if min(signal.shape) > 3 else 1


def _warn(words: str) -> None:
    warnings.warn(words, DataWarning, stacklevel=4)


def _told(source: SpectralMap, flake: NDArray[np.bool_], above: NDArray[np.bool_], dim: int = 0) -> SpectralMap:
    """The map with its flake, and what became of its pixels in one line."""
    parts = [f"{int(flake.sum())} of {counted(flake.size, 'pixel')} are flake"]
    dropped, filled = int((above & ~flake).sum()), int((flake & ~above).sum()) if above.any() else 0
    parts += [f"{counted(dim, 'pixel')} with less than a share of its light (edge_fraction) left out"] if dim else []
    parts += [f"{counted(dropped, 'bright pixel')} in small groups left out"] if dropped else []
    parts += [f"{counted(filled, 'pixel')} in small holes filled"] if filled else []
    return replace(source, flake=flake, metadata={**source.metadata, "flake": ", ".join(parts)})

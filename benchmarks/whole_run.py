"""CPU time of ``napari-wse2xai run --no-figures`` up to deconvolution on 16,384 pixels, beyond that of importing torch and matplotlib.

Both are programs of their own, started in turns; what counts is the median, as seconds and in units of the imports.
"""

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from napari_wse2xai import io
from napari_wse2xai.data import AxisKind, Frame, SpectralMap

SHAPE, CHANNELS, ROUNDS = (128, 128), 304, 3
RECIPE = """
raman:
  file: map.nc
  find_flake: false
  peaks: [{name: A, position: 250, fwhm: 6, window: [225, 275]}]
  deconvolve: {pixels: everywhere}
"""


def made() -> SpectralMap:
    """One Lorentzian per pixel, of varying place and height, with shot noise."""
    rng = np.random.default_rng(0)
    axis = np.linspace(100.0, 400.0, CHANNELS)
    place, height = 250 + rng.normal(0, 0.3, (*SHAPE, 1)), rng.uniform(500, 1500, (*SHAPE, 1))
    clean = height / (1 + (2 * (axis - place) / 6.0) ** 2) + 100
    return SpectralMap.from_arrays(rng.poisson(clean).astype(np.float32), axis, AxisKind.RAMAN_SHIFT, frame=Frame(SHAPE, (0.5, 0.5)))


def cpu(*arguments: str) -> float:
    """Seconds of CPU of a program, all its threads."""
    before = os.times()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    """Measure in turns and print."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        io.write_map(made(), place / "map.nc")
        (place / "recipe.yaml").write_text(RECIPE, encoding="utf-8")
        run = ("-m", "napari_wse2xai", "run", str(place / "recipe.yaml"), "--output", str(place / "out"))
        jobs = {"imports": ("-c", "import torch, matplotlib.figure"), "run": (*run, "--no-figures"), "run with figures": run}
        seconds: dict[str, list[float]] = {name: [] for name in jobs}
        for _ in range(ROUNDS):
            for name, arguments in jobs.items():
                seconds[name].append(cpu(*arguments))
    unit = statistics.median(seconds["imports"])
    for name in jobs:
        median = statistics.median(seconds[name])
        print(f"{name:17s} {median:6.2f} s of CPU, {median - unit:5.2f} s beyond the imports, {median / unit:4.1f} x the imports")


if __name__ == "__main__":
    main()

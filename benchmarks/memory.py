"""Peak memory of every stage on a large map that lies on disk: by default 256 x 256 x 1,600 channels, 420 MB.

``python benchmarks/memory.py [--side 512]``.  Makes the map in a temporary folder (the same noise in every row, shifted by a pixel, which
costs no stage less memory), then runs the whole chain once; after each step it prints the peak of resident memory, which counts
mapped pages of files too.
"""

import argparse
import resource
import tempfile
import warnings
from pathlib import Path

import h5py
import numpy as np

from napari_wse2xai.data import AxisKind, Frame, SpectralAxis, SpectralMap
from napari_wse2xai.io import read, write_map
from napari_wse2xai.stages import Baseline, Deconvolve, Despike, FindFlake, Peak
from napari_wse2xai.stages.baseline import PiecewiseLinear

CHANNELS = 1600


def peak_gb() -> float:
    """Highest resident memory of this process so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def make(path: Path, side: int) -> None:
    """Write a map row by row: a square flake with one line on shot noise."""
    axis = SpectralAxis(np.linspace(100, 900, CHANNELS), AxisKind.RAMAN_SHIFT, 532.0)
    rng = np.random.default_rng(0)
    line = 2000 / (1 + (2 * (axis.values - 250) / 4) ** 2) + 300 / (1 + (2 * (axis.values - 260) / 8) ** 2)
    background, flake = (rng.poisson(400 + signal, (side, CHANNELS)).astype(np.float32) for signal in (0 * line, line))
    write_map(SpectralMap(Frame((1, side)), axis, background[None]), path)
    columns = slice(side // 8, -side // 8)
    with h5py.File(path, "a") as file:
        del file["counts"], file["y"]
        counts = file.create_dataset("counts", (side, side, CHANNELS), dtype="<f4")
        for row in range(side):
            counts[row] = np.roll(background, row, axis=0)
            if side // 8 <= row < side - side // 8:
                counts[row, columns] = np.roll(flake, row, axis=0)[columns]


def main() -> None:
    """Run the chain and print peaks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=256)
    given = parser.parse_args()
    peaks = tuple(Peak(name=name, position=at, fwhm=width, window=(235, 275)) for name, at, width in (("A1'", 250, 4), ("2LA", 260, 8)))
    chain = (FindFlake(), Despike(), Baseline(method=PiecewiseLinear(areas=((150, 450),), margin=10)), Deconvolve(peaks=peaks))
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.nc"
        make(path, given.side)
        print(f"{path.stat().st_size / 1e9:.2f} GB on disk; before reading: peak {peak_gb():.2f} GB")
        result = read(path)
        print(f"  {'read':<12s} peak {peak_gb():.2f} GB")
        for stage in chain:
            result = stage(result)
            print(f"  {type(stage).__name__:<12s} peak {peak_gb():.2f} GB   {result.history[-1].seconds:.1f} s")


if __name__ == "__main__":
    main()

"""The whole chain on the reference map, 10,000 spectra of 1,600 channels, as multiples of the two-window fit alone.

``python benchmarks/chain.py [--rounds 5]``.  "Fit alone" is moment LM on spectra cut out before; the chain reads a NetCDF file, finds the
flake, despikes, subtracts the baseline and fits with errors.
"""

import argparse
import tempfile
import warnings
from pathlib import Path

import numpy as np
import reference_map
from rounds import median_seconds, print_ratios

from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.io import read, write_map
from napari_wse2xai.numerics import moments
from napari_wse2xai.stages import Baseline, Deconvolve, Despike, FindFlake, Peak
from napari_wse2xai.stages._pixels import Pixels
from napari_wse2xai.stages._plan import Plan
from napari_wse2xai.stages.baseline import PiecewiseLinear


def main() -> None:
    """Time every step and the whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    counts = reference_map.make()["full"].reshape(100, 100, -1).astype(np.float32) + np.float32(400)
    raw = SpectralMap.from_arrays(counts, reference_map.X, AxisKind.RAMAN_SHIFT)
    peaks = tuple(
        Peak(name=f"{window}.{k}", position=float(start[0]), fwhm=float(start[1]), window=reference_map.WINDOWS[window])
        for window in (0, 1)
        for k, start in enumerate(reference_map.INIT[window])
    )
    # All pixels of this map lie on the flake, so every one is fitted, whatever FindFlake makes of it.
    find, despike, fit = FindFlake(k=0.01, edge_fraction=0), Despike(), Deconvolve(peaks=peaks, pixels="everywhere")
    subtract = Baseline(method=PiecewiseLinear(areas=((150, 310), (310, 450)), margin=10))
    above = subtract(raw)
    windows = list(fit._windows(above))
    spectra = Pixels(above, np.ones((100, 100), dtype=bool), windows)
    tasks = [(Plan.of(window, spectra, fit.terms).problem, spectra.of(window, slice(0, len(spectra)))) for window in windows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "reference.nc"
        write_map(raw, path)
        rivals = {
            "fit alone": lambda: [moments.fit(problem, some, moments.MomentTolerance()) for problem, some in tasks],
            "read": lambda: read(path),
            "find flake": lambda: find(raw),
            "find flake in a window of the fit": lambda: find.model_copy(update={"window": reference_map.WINDOWS[0]})(raw),
            "despike": lambda: despike(raw),
            "baseline": lambda: subtract(raw),
            "fit with errors, status and second look": lambda: fit(above),
            "whole chain": lambda: fit(subtract(despike(find(read(path))))),
        }
        print_ratios(median_seconds(rivals, given.rounds), to="fit alone")


if __name__ == "__main__":
    main()

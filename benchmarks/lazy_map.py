"""The whole chain on a large map that is made lazily, block by block: by default 2,048 x 2,048 x 512 channels, 8.6 GB.

``python benchmarks/lazy_map.py [--rows 2048] [--columns 2048]``.  A Dask array of shot noise with two lines on a square flake; its blocks
are drawn when they are asked for, and counted.  Each stage in turn, as a run has them: seconds, seconds of the processor, how often the
source was computed, the highest memory of the process so far, beyond what it held before and beyond the arrays of the results, and what
went to temporary files so far.
"""

import argparse
import resource
import time
import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.stages import Baseline, Deconvolve, Despike, FindFlake, Peak
from napari_wse2xai.stages._bands import spending
from napari_wse2xai.stages.baseline import PiecewiseLinear

CHANNELS, ROWS = 512, 16
AXIS = np.linspace(150.0, 405.0, CHANNELS)
PEAKS = tuple(Peak(name=name, position=at, fwhm=width, window=(235, 275)) for name, at, width in (("A1'", 250, 4), ("2LA", 260, 8)))
CHAIN = (FindFlake(), Despike(), Baseline(method=PiecewiseLinear(areas=((170, 390),), margin=10)), Deconvolve(peaks=PEAKS))


class Source:
    """Makes blocks of a map, and counts the rows that it made."""

    def __init__(self, rows: int, columns: int) -> None:
        self.rows, self.columns, self.made = rows, columns, 0
        lines = 2000 / (1 + (2 * (AXIS - 250) / 4) ** 2) + 300 / (1 + (2 * (AXIS - 260) / 8) ** 2)
        self.levels = np.stack([np.full(CHANNELS, 400.0), 400 + lines]).astype(np.float32)

    def counts(self) -> Any:
        """Lazy array of the whole."""
        return da.map_blocks(self._block, dtype=np.float32, chunks=((ROWS,) * (self.rows // ROWS), (self.columns,), (CHANNELS,)))

    def _block(self, block_info: Any = None) -> NDArray[np.float32]:
        (first, last), *_ = block_info[None]["array-location"]
        self.made += last - first
        rows, columns = np.arange(first, last)[:, None], np.arange(self.columns)
        inside = (abs(rows - self.rows / 2) < 0.375 * self.rows) & (abs(columns - self.columns / 2) < 0.375 * self.columns)
        level = self.levels[inside.astype(int)]
        noise = np.random.default_rng(first).standard_normal(level.shape, dtype=np.float32)
        return level + np.sqrt(level) * noise


def peak_gb() -> float:
    """Highest resident memory of this process so far, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def written_gb() -> float:
    """What this process gave its files so far, in GB."""
    told = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(told["write_bytes"]) / 1e9


def results_gb(made: Any) -> float:
    """Bytes of the arrays of a result that are kept in memory, its counts apart."""
    values = [getattr(made, each.name) for each in fields(made) if each.name != "counts"]
    return sum(value.nbytes for value in values if isinstance(value, np.ndarray)) / 1e9


def main() -> None:
    """Run the chain and print what each stage took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2048)
    parser.add_argument("--columns", type=int, default=2048)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    source = Source(given.rows, given.columns)
    wall, processor = time.perf_counter(), time.process_time()
    for first in range(0, given.rows, ROWS):
        source.counts()[first : first + ROWS].compute()
    once, lone = time.perf_counter() - wall, time.process_time() - processor
    made: Any = SpectralMap.from_arrays(source.counts(), AXIS, AxisKind.RAMAN_SHIFT)
    before, written, source.made, seconds, results = peak_gb(), written_gb(), 0, [], 0.0
    print(f"{made.counts.nbytes / 1e9:.2f} GB; made once: {once:.1f} s, {lone:.1f} s of processor; memory {before:.2f} GB", flush=True)
    for number, stage in enumerate(CHAIN):
        wall, processor = time.perf_counter(), time.process_time()
        with spending(made.counts if number else None):
            made = stage(made)
        seconds.append(time.process_time() - processor)
        results += results_gb(made)
        print(
            f"  {type(stage).__name__:<10s} {time.perf_counter() - wall:7.1f} s {seconds[-1]:7.1f} s of processor, source made "
            f"{source.made / given.rows:.2f} times, peak {peak_gb() - before:.2f} GB beyond, results {results:.2f} GB, "
            f"written {written_gb() - written:.2f} GB",
            flush=True,
        )
    print(f"all of it over twice the source and the deconvolution: {sum(seconds) / (2 * lone + seconds[-1]):.2f} of processor")


if __name__ == "__main__":
    main()

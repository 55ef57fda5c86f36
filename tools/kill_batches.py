"""Kill a batch at random moments and finish it with the same command; compare with one that ran through.

    python tools/kill_batches.py --times 50

With ``--warm`` each run is a fork of this process, which has loaded everything: no time goes into starting Python, and all moments
lie within the work.  Makes six small maps, runs them once, then as often as asked: kills the run (SIGKILL) somewhere between its start
and its end, once or several times, runs the same command to its end, and compares every array, every file's name, and that nothing
temporary is left.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import yaml

import napari_wse2xai.stages._fitting  # noqa: F401 - loads what fits
from napari_wse2xai import batch, io
from napari_wse2xai.data import AxisKind, SpectralMap

FLAKES, SHAPE = 6, (3, 4)
FIELDS = ("position", "fwhm", "height", "status", "reduced_chi2")
RECIPE = {
    "flakes": {"files": {"raman": "*_rs.nc"}},
    "raman": {"find_flake": False, "despike": False, "peaks": [{"name": "A", "position": 250, "fwhm": 8, "window": [220, 280]}]},
    "stop_after": "deconvolve",
    "figures": False,
}


def make(folder: Path) -> None:
    """Maps with a line of known height, and a recipe."""
    x = np.linspace(210, 290, 60)
    for seed in range(FLAKES):
        counts = np.random.default_rng(seed).normal(500 * 16 / ((x - 250) ** 2 + 16) + 20, 2.0, size=(*SHAPE, 60)).astype(np.float32)
        io.write_map(SpectralMap.from_arrays(counts, x, AxisKind.RAMAN_SHIFT), folder / f"f{seed}_rs.nc")
    (folder / "series.yaml").write_text(yaml.safe_dump(RECIPE), encoding="utf-8")


def begin(folder: Path, output: Path, jobs: int) -> "subprocess.Popen[bytes]":
    """Start the command."""
    command = [sys.executable, "-m", "napari_wse2xai", "run", str(folder / "series.yaml"), "--output", str(output), "--jobs", str(jobs)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Fork:
    """The same run in a fork of this process, with what of `subprocess.Popen` is used here."""

    def __init__(self, folder: Path, output: Path) -> None:
        self._process = os.fork()
        if self._process == 0:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                batch.run_batch(folder / "series.yaml", output)
            os._exit(0)

    def kill(self) -> None:
        """Kill it."""
        os.kill(self._process, signal.SIGKILL)

    def wait(self) -> None:
        """Wait for its end."""
        os.waitpid(self._process, 0)


def state(folder: Path) -> dict[str, bytes]:
    """Names of all files, and the bytes of all arrays."""
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        found[name] = b""
        if path.name == "results.nc":
            peaks = io.read_results(path).peaks["raman"]
            found |= {
                f"{name} {field}": getattr(peaks, field).tobytes() for field in ("position", "fwhm", "height", "status", "reduced_chi2")
            }
    return found


def main() -> int:
    """Kill and compare; 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--warm", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    moments, wrong = random.Random(options.seed), 0

    def started_in(output: Path) -> "Fork | subprocess.Popen[bytes]":
        return Fork(folder, output) if options.warm else begin(folder, output, options.jobs)

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make(folder)
        started = time.monotonic()
        started_in(folder / "whole").wait()
        took, expected = time.monotonic() - started, state(folder / "whole")
        for number in range(options.times):
            output = folder / f"killed_{number}"
            for _ in range(moments.choice((1, 1, 2))):
                process = started_in(output)
                moment = moments.uniform(0.0 if options.warm else 0.3, 1.0) * took
                time.sleep(moment)
                process.kill()
                process.wait()
            started_in(output).wait()
            same = state(output) == expected
            wrong += not same
            print(f"{number + 1:3d}: killed after {moment:5.2f} of {took:.2f} s: {'the same' if same else 'DIFFERENT'}", flush=True)
    print(f"{options.times - wrong} of {options.times} the same")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())

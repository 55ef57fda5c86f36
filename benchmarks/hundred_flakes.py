"""A hundred flakes to deconvolution, five of them broken: one process, two, and a Dask scheduler with two workers.

    python benchmarks/hundred_flakes.py [--flakes 100] [--preset] [--figures]

Flakes of 48 x 56 pixels, each with a seed of its own, two lines of RS (``--preset``: RS and PL with all lines of the preset); the command
line runs the same series in turns.  Tells seconds on the wall and of the processor (all processes together), what all flakes took, when
the first result lay there, and whether every array of every result is the same.  Other work on the machine spoils time on the wall.  The
processor's time says what two processes cost beyond one: free cores would do it in half of that, and what cannot be shared.
"""

import argparse
import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from napari_wse2xai import io
from napari_wse2xai.data import SpectralMap
from napari_wse2xai.synthetic import FLAKE_SHAPES, make_flake

PRESET = """
flakes: {files: {raman: "*_rs.nc", pl: "*_pl.nc"}}
stop_after: deconvolve
"""
TWO_LINES = """
flakes: {files: {raman: "*_rs.nc"}}
raman:
  peaks:
    - {name: "A1'", position: 249.8, fwhm: 4, window: [225, 275]}
    - {name: "2LA", position: 260, fwhm: 10, window: [225, 275]}
stop_after: deconvolve
"""
BROKEN = 5
_PR_SET_CHILD_SUBREAPER = 36


def make(folder: Path, count: int, recipe: str) -> None:
    """Write the flakes and break five of them, each in another way."""
    shapes = sorted(FLAKE_SHAPES)
    for seed in range(count):
        flake = make_flake(shapes[seed % len(shapes)], seed=seed)
        for source, kind in ((flake.raman, "rs"), (flake.pl, "pl")):
            io.write_map(source, folder / f"f{seed:03d}_{kind}.nc")
    whole = [folder / f"f{seed:03d}_rs.nc" for seed in range(1, count, count // BROKEN)][:BROKEN]
    cut, empty, text, other, bare = whole
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 3])
    empty.write_bytes(b"")
    text.write_text("not a map\n", encoding="utf-8")
    shutil.copy(other.with_name(other.name.replace("_rs", "_pl")), other)
    io.write_map(_without_flake(io.read(bare)), bare)
    (folder / "series.yaml").write_text(recipe, encoding="utf-8")


def _without_flake(source: SpectralMap) -> SpectralMap:
    """Bare substrate: the corner's spectra everywhere, in another order."""
    corner = np.asarray(source.counts)[:6, :6].reshape(-1, source.counts.shape[-1])
    drawn = np.random.default_rng(0).integers(0, len(corner), source.counts.shape[:2])
    return SpectralMap(source.frame, source.axis, corner[drawn])


@dataclass(frozen=True)
class Took:
    """What a run of the series cost."""

    wall: float
    processor: float
    first: float
    """Seconds until the first flake was delivered."""
    flakes: float
    """What all flakes took, files and figures included, each in its process."""


def run(folder: Path, output: Path, *more: str) -> Took:
    """Run the command and measure it."""
    command = [sys.executable, "-m", "napari_wse2xai", "run", str(folder / "series.yaml"), "--output", str(output), *more]
    before, begun, at = os.times(), time.perf_counter(), time.time()
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - begun
    if "--scheduler" not in more:  # whose workers are this process's own, and go on
        _wait_for_all()
    after = os.times()
    if ended.returncode != 1:  # for the broken ones
        raise SystemExit(f"{' '.join(more)}: exit status {ended.returncode}\n{ended.stderr[-2000:]}")
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    pages = [page.stat().st_mtime for page in output.glob("*/report.html")]
    summary = pd.read_csv(output / "summary.csv")
    assert (summary["state"] == "failed").sum() == BROKEN, summary
    return Took(wall, processor, min(pages) - at, float(summary["seconds"].sum()))


def _wait_for_all() -> None:
    """Wait for processes that outlived the one that began them, so that their time is counted."""
    try:
        while True:
            os.wait()
    except ChildProcessError:
        return


def arrays(output: Path) -> dict[str, bytes]:
    """Every array of every result, and the names of all files."""
    found = {path.relative_to(output).as_posix(): b"" for path in output.rglob("*")}
    for path in output.glob("*/results.nc"):
        name = path.relative_to(output).as_posix()
        with h5py.File(path) as file:
            file.visititems(lambda key, item, name=name: found.update(_bytes(f"{name} {key}", item)))
    return found


def _bytes(name: str, item: h5py.Dataset | h5py.Group) -> dict[str, bytes]:
    return {name: np.asarray(item[()]).tobytes()} if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiu" else {}


@contextmanager
def scheduler() -> Iterator[str]:
    """Address of a scheduler with two workers."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", host="127.0.0.1") as cluster:
        yield cluster.scheduler_address


def main() -> int:
    """Run in turns and compare; 1 where any array differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--flakes", type=int, default=100)
    parser.add_argument("--preset", action="store_true", help="RS and PL with all lines of the preset")
    parser.add_argument("--figures", action="store_true", help="draw the figures of every flake, too")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--without-cluster", action="store_true")
    given = parser.parse_args()
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    more = () if given.figures else ("--no-figures",)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make(folder, given.flakes, PRESET if given.preset else TWO_LINES)
        for number in range(given.rounds):
            in_turns(folder, f"out_{number}", more)
        same = [_same(folder, "out_0_1", "out_0_2")]
        if not given.without_cluster:
            with scheduler() as address:
                print(f"scheduler with two workers: {tell(run(folder, folder / 'out_s', '--scheduler', address, *more))}")
            same.append(_same(folder, "out_0_1", "out_s"))
    return int(not all(same))


def in_turns(folder: Path, name: str, more: tuple[str, ...]) -> None:
    """One process and two, and what they took."""
    one, two = (run(folder, folder / f"{name}_{jobs}", "--jobs", str(jobs), *more) for jobs in (1, 2))
    print(f"--jobs 1: {tell(one)}\n--jobs 2: {tell(two)}")
    print(f"one process over two: {one.wall / two.wall:.2f} on the wall, {one.processor / two.processor:.2f} of processor", flush=True)


def tell(took: Took) -> str:
    """In words."""
    cost = f"{took.wall:.1f} s, {took.processor:.1f} s of processor, flakes {took.flakes:.1f} s"
    return f"{cost}, the first after {took.first:.1f} s (load {os.getloadavg()[0]:.1f})"


def _same(folder: Path, one: str, other: str) -> bool:
    expected, found = arrays(folder / one), arrays(folder / other)
    print(f"{one} and {other}: {len(expected)} files and arrays, {'all the same' if found == expected else 'DIFFERENT'}", flush=True)
    return found == expected


if __name__ == "__main__":
    sys.exit(main())

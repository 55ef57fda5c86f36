"""Time and memory of converting a map to NetCDF, against bare libraries: ``python benchmarks/convert.py [--counts 1e8] [--cold]``.

The files are written here: WITec, Renishaw and NetCDF of noise, LabSpec text of a tenth of the counts.  The bare read is what a library
does at least: witio gives the spectra of a project, renishawWiRE (where it is installed; else NumPy) those of a WiRE file, h5py the
array, pandas the table.  The second rival hands that to h5py to write, without waiting for the disk, which ours does.
With ``--cold`` no file is in memory before it is read.  Memory is the peak above the interpreter with its libraries, mapped pages of
files included, in a process of its own (Linux).
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from rounds import median_seconds, print_ratios

from napari_wse2xai.data import AxisKind, Frame, SpectralMap
from napari_wse2xai.io import convert, read, write_map, write_map_table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "io"))
from wdf_file import origins, plan, wdf_bytes
from wit_file import graph, project, space

CHANNELS = 1536
MEASURE = """
import re, warnings
import h5netcdf, h5py, numpy, pandas, witio
from napari_wse2xai.io import convert, list_items, read
warnings.simplefilter("ignore")
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) * 1024
before = peak()
{action}
print(peak() - before)
"""


def noise(n_counts: float) -> SpectralMap:
    """About so many counts as a map on a nearly square grid."""
    side = max(2, round((n_counts / CHANNELS) ** 0.5))
    counts = np.random.default_rng(0).normal(500, 20, (side, side, CHANNELS)).astype(np.float32).round()
    axis = np.linspace(100.0, 560.0, CHANNELS, dtype=np.float32)
    return SpectralMap.from_arrays(counts, axis, AxisKind.RAMAN_SHIFT, frame=Frame((side, side), (0.5, 0.5)))


def as_renishaw(source: SpectralMap) -> bytes:
    """Renishaw file: from the highest shift down, as WiRE writes."""
    y, x = (grid.ravel() for grid in np.meshgrid(source.frame.y_um, source.frame.x_um, indexing="ij"))
    spectra = source.counts.reshape(len(y), CHANNELS)[:, ::-1]
    return wdf_bytes(spectra, source.axis.values[::-1], origins(y, x, len(y)), plan(source.frame.shape, (0.5, 0.5)))


def as_witec(source: SpectralMap, kind: str) -> bytes:
    """WITec project with numbers of one kind."""
    return project(space((0.0, 0.0, 0.0), (0.5, -0.5, 1.0)), graph("Map", source.counts, 1, kind=kind))


def written_by_h5py(read_barely: Callable[[], Any], path: Path) -> None:
    """Write what a library read, the plainest way."""
    import h5py

    with h5py.File(path.with_name("bare.h5"), "w") as file:
        file.create_dataset("counts", data=np.asarray(read_barely(), dtype=np.float32))


def settled(path: Path, *, cold: bool) -> None:
    """Let the disk finish what the rival before wrote; and forget the file, where it shall be read from the disk."""
    os.sync()
    if cold:
        handle = os.open(path, os.O_RDONLY)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def peak_bytes(action: str) -> int:
    """Memory that an action takes at its peak, in a fresh interpreter."""
    script = MEASURE.format(action=action)
    return int(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout)


def report(title: str, path: Path, bare: str, given: argparse.Namespace, n_bytes: int) -> None:
    """Print times in turns, and memory over the array's own."""
    print(f"{title}, {path.stat().st_size / 1e6:.0f} MB, array of {n_bytes / 1e6:.0f} MB", flush=True)
    names = {"np": np, "path": path}
    exec(f"import h5py, witio, pandas as pd\ndef bare(): return {bare}", names)
    rivals: dict[str, Callable[[], Any]] = {
        "bare read": names["bare"],
        "bare read, written by h5py": partial(written_by_h5py, names["bare"], path),
        "read": partial(read, path),
        "convert": partial(convert, path, path.with_name("converted.nc")),
    }
    seconds = median_seconds(rivals, given.rounds, before=partial(settled, path, cold=given.cold))
    print_ratios(seconds, to="bare read")
    print(f"  {'convert, over bare read written by h5py':<44s} {seconds['convert'] / seconds['bare read, written by h5py']:8.2f} x")
    for name, action in (("read", "read(PATH)"), ("convert", "convert(PATH, PATH + '.nc')")):
        taken = peak_bytes(action.replace("PATH", repr(str(path))))
        print(f"  {name:<44s} {taken / n_bytes:8.2f} x the array's memory", flush=True)
        path.with_name(path.name + ".nc").unlink(missing_ok=True)


def report_text(title: str, path: Path, source: SpectralMap, given: argparse.Namespace) -> None:
    """The same for a table."""
    write_map_table(source, path)
    with path.open("rb") as stream:
        header = sum(stream.readline().startswith(b"#") for _ in range(100))
    report(title, path, f"pd.read_csv(path, sep='\\t', skiprows={header}, header=None, encoding='latin-1')", given, source.counts.nbytes)


def renishaw_read(n_counts: int) -> str:
    """How a library reads the spectra; without one, the numbers as they lie there, turned, since the axis of WiRE falls."""
    if find_spec("renishawWiRE"):
        return "__import__('renishawWiRE').WDFReader(str(path)).spectra"
    return f"np.fromfile(path, '<f4', {n_counts}, offset=528)[::-1].copy()"


def main() -> None:
    """Write the maps one after the other, convert them, print ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=float, default=1e8)
    parser.add_argument("--text-counts", type=float, default=1e7)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cold", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        source = noise(given.counts)
        n_bytes = source.counts.nbytes
        for title, kind in (("WITec, 16 bits", "<u2"), ("WITec, single precision", "<f4")):
            (path / "map.wip").write_bytes(as_witec(source, kind))
            report(title, path / "map.wip", "witio.read(path).find(class_name='TDGraph')[0].array()", given, n_bytes)
            (path / "map.wip").unlink()
        (path / "map.wdf").write_bytes(as_renishaw(source))
        report("Renishaw", path / "map.wdf", renishaw_read(n_bytes // 4), given, n_bytes)
        write_map(source, path / "map.nc")
        report("NetCDF", path / "map.nc", "h5py.File(path)['counts'][()]", given, n_bytes)
        del source
        report_text("LabSpec text", path / "map.txt", noise(given.text_counts), given)


if __name__ == "__main__":
    main()

"""Time and memory of converting a map to NetCDF, against the bare read: ``python benchmarks/convert.py [--counts 1e8] [--rounds 3]``.

The files are written here: Renishaw and NetCDF of noise, LabSpec text of a tenth of the counts.  The bare read is the least that a
library does: NumPy takes the file's numbers in their order (turned, for WiRE's falls), h5py the array, pandas the table.  Memory is the
peak above the interpreter with its libraries, in a process of its own (Linux).
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from rounds import median_seconds, print_ratios

from napari_wse2xai.data import AxisKind, Frame, SpectralMap
from napari_wse2xai.io import read, write_map, write_map_table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "io"))
from wdf_file import origins, plan, wdf_bytes

CHANNELS = 1536
MEASURE = """
import re, warnings
import h5netcdf, h5py, numpy, pandas
from napari_wse2xai.io import list_items, read, write_map
warnings.simplefilter("ignore")
peak = lambda: int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]) * 1024
before = peak()
{action}
print(peak() - before)
"""


def noise(n_counts: float) -> tuple[SpectralMap, bytes]:
    """About so many counts as a map on a nearly square grid, and the same as a Renishaw file."""
    side = max(2, round((n_counts / CHANNELS) ** 0.5))
    counts = np.random.default_rng(0).normal(500, 20, (side, side, CHANNELS)).astype(np.float32).round()
    axis = np.linspace(100.0, 560.0, CHANNELS, dtype=np.float32)
    source = SpectralMap.from_arrays(counts, axis, AxisKind.RAMAN_SHIFT, frame=Frame((side, side), (0.5, 0.5)))
    y, x = (grid.ravel() for grid in np.meshgrid(source.frame.y_um, source.frame.x_um, indexing="ij"))
    spectra = counts.reshape(side * side, CHANNELS)[:, ::-1]  # as WiRE does, from the highest shift down
    return source, wdf_bytes(spectra, axis[::-1], origins(y, x, len(y)), plan((side, side), (0.5, 0.5)))


def convert(path: Path) -> None:
    """Do what ``napari-wse2xai convert`` does."""
    write_map(read(path), path.with_name("converted.nc"))


def peak_bytes(action: str) -> int:
    """Memory that an action takes at its peak, in a fresh interpreter."""
    script = MEASURE.format(action=action)
    return int(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout)


def report(title: str, path: Path, bare: str, given: argparse.Namespace, n_bytes: int) -> None:
    """Print times in turns, and memory over the array's own."""
    print(f"{title}, {path.stat().st_size / 1e6:.0f} MB, array of {n_bytes / 1e6:.0f} MB")
    names = {"np": np, "path": path}
    exec("import h5py, pandas as pd", names)
    rivals = {"bare read": lambda: exec(bare, names), "read": lambda: read(path), "read and write as NetCDF": lambda: convert(path)}
    print_ratios(median_seconds(rivals, given.rounds), to="bare read")
    for name, action in (("read", "read(PATH)"), ("read and write", "write_map(read(PATH), PATH + '.nc')")):
        taken = peak_bytes(action.replace("PATH", repr(str(path))))
        print(f"  {name:<44s} {taken / n_bytes:8.2f} x the array's memory")


def main() -> None:
    """Write the maps, convert them, print ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--counts", type=float, default=1e8)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        wdf, netcdf, text = (Path(folder) / name for name in ("map.wdf", "map.nc", "map.txt"))
        source, content = noise(given.counts)
        wdf.write_bytes(content)
        write_map(source, netcdf)
        small, _ = noise(given.counts / 10)
        write_map_table(small, text)
        sizes = source.counts.nbytes, small.counts.nbytes
        del source, small, content
        report("Renishaw", wdf, f"np.fromfile(path, '<f4', {sizes[0] // 4}, offset=528)[::-1].copy()", given, sizes[0])
        report("NetCDF", netcdf, "h5py.File(path)['counts'][()]", given, sizes[0])
        header = sum(line.startswith(b"#") for line in text.read_bytes().splitlines()[:100])
        report("LabSpec text", text, f"pd.read_csv(path, sep='\\t', skiprows={header}, header=None, encoding='latin-1')", given, sizes[1])


if __name__ == "__main__":
    main()

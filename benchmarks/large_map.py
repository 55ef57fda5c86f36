"""A map of 20 GB in napari: how long it takes to open, the memory it takes, and the spectrum under the mouse.

    xvfb-run -a -s "-screen 0 1600x1200x24" python benchmarks/large_map.py FILE [--make]

1,536 x 1,536 pixels of 2,048 channels in chunks of 32 x 32 pixels, of which only those of a flake are written (some 400 MB on the disk):
``--make`` writes it, as Zarr or, for a name that ends in ``.nc``, as gzipped NetCDF.  Chunks that are not there are read as a constant.
Spectra are asked for all over the flake, nearly every one in another chunk.
"""

import argparse
import os
import resource
import time
from pathlib import Path
from typing import Any

import h5netcdf
import napari
import numpy as np
import zarr
from qtpy.QtWidgets import QApplication
from window import settle, wait

from napari_wse2xai.gui import window
from napari_wse2xai.gui.contributions import read_for_napari
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.session.arrivals import planes_of
from napari_wse2xai.layers import to_layers
from napari_wse2xai.synthetic import make_flake

SIDE, CHANNELS, CHUNK, FLAKE = 1536, 2048, 32, range(20, 28)
AXIS = np.linspace(100.0, 600.0, CHANNELS)


def make(path: Path) -> None:
    """Write the map."""
    lines = 300 + 2000 / (1 + ((AXIS - 250) / 3) ** 2)
    block = (lines + np.random.default_rng(0).normal(0, 17, (CHUNK, CHUNK, CHANNELS))).astype(np.float32)
    shape, chunks = (SIDE, SIDE, CHANNELS), (CHUNK, CHUNK, CHANNELS)
    if path.suffix == ".nc":
        file: Any = h5netcdf.File(path, "w")
        file.dimensions = dict(zip(("y", "x", "spectral"), shape, strict=True))
        counts = file.create_variable("counts", ("y", "x", "spectral"), "f4", chunks=chunks, compression="gzip", shuffle=True)
        file.create_variable("spectral", ("spectral",), data=AXIS).attrs["units"] = "cm-1"
    else:
        file = zarr.create_group(path)
        named = {"dimension_names": ("y", "x", "spectral")}
        counts = file.create_array("counts", shape=shape, chunks=chunks, dtype="f4", fill_value=300.0, **named)
        file.create_array("spectral", data=AXIS, dimension_names=("spectral",)).attrs["units"] = "cm-1"
    for row in FLAKE:
        for column in FLAKE:
            counts[CHUNK * row : CHUNK * (row + 1), CHUNK * column : CHUNK * (column + 1)] = block
    if path.suffix == ".nc":
        file.close()


def timed(what: str, work: Any) -> Any:
    """Do something; print how long it took, and the memory then."""
    wall, own, whole = time.perf_counter(), time.thread_time(), time.process_time()
    made = work()
    QApplication.processEvents()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    took, of_thread, of_all = time.perf_counter() - wall, time.thread_time() - own, time.process_time() - whole
    memory = f"{pages * 4096 / 2**20:.0f} MB"
    print(f"  {what:<28s} {took:6.2f} s, {of_thread:.2f} s of its thread, {of_all:.2f} s of all; {memory}", flush=True)
    return made


def spectra(view: Any, what: str) -> None:
    """Show spectra all over the flake; print how long each took."""
    random, took = np.random.default_rng(1), []
    for _ in range(40):
        row, column = random.integers(CHUNK * FLAKE.start, CHUNK * FLAKE.stop, 2).tolist()
        wall, whole = time.perf_counter(), time.process_time()
        view.show_pixel((row, column))
        took.append((time.perf_counter() - wall, time.process_time() - whole))
        QApplication.processEvents()
    wall, whole = (1e3 * np.array(each) for each in zip(*took, strict=True))
    print(f"  spectrum, {what}: {np.median(wall):.0f} ms, at most {wall.max():.0f}; {np.median(whole):.0f} ms of all threads", flush=True)


def main() -> None:
    """Open the sample, then the map, and look at it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--make", action="store_true")
    given = parser.parse_args()
    if given.make:
        make(given.file)
    viewer = napari.Viewer()
    viewer.window._qt_window.resize(1600, 1000)
    _, view = window.furnish(viewer)
    wait(3.0)
    print(f"load {os.getloadavg()[0]:.0f}")
    timed("the sample is shown", lambda: contents.add(viewer, to_layers(make_flake("triangle").raman)))
    viewer.layers.clear()
    wait(1.0)
    layers = timed("the map is read", lambda: read_for_napari(str(given.file)))
    (layer,) = timed("the map is shown", lambda: contents.add(viewer, layers))
    planes = planes_of(layer)
    assert planes is not None
    spectra(view, "while a channel is read")
    wait(0.5)
    timed("the channel is read", lambda: settle(lambda: not planes.is_reading))
    spectra(view, "then")
    print(f"  highest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    viewer.close()


if __name__ == "__main__":
    main()

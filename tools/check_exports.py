"""Write one of each file that goes to other programs, and open it with them: ``python tools/check_exports.py [--programs BIN]``.

xarray, pandas, tifffile and zarr are always asked; ``h5dump`` where it is installed; ``compliance-checker`` (CF), ``ome-types``,
``ome-zarr-models``, HyperSpy and ``validate_nexus`` (pynxtools) where they are, in folders of programs that ``--programs`` names: they are
large, some under the GPL, and have environments of their own, so that none of them is needed here.  Exit status 1 where one objects.

CF knows no groups in its checker: each group is laid into a file of its own first, with the coordinates of those above it, and labels (the
names of peaks and features) as the auxiliary coordinates that they are.  A network's weights keep the names that torch gives them.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import h5netcdf
import numpy as np
import pandas as pd
import tifffile
import xarray as xr
import zarr

from napari_wse2xai import synthetic
from napari_wse2xai.data import AxisKind, Frame, PeakMaps, Results, SpectralMap
from napari_wse2xai.io.exporters import EXPORTS, export
from napari_wse2xai.stages import Deconvolve, Peak

FRAME = Frame((5, 7), (0.5, 0.4), (10.0, 20.0), "flake 1")
LINE = Deconvolve(peaks=(Peak(name="A1'", position=250, fwhm=5, window=(210, 290)),), pixels="everywhere")
_QUIET = ("has no documentation", "deprecated")


def made() -> dict[type, Any]:
    """A map and its peaks, and what the tests say was learnt from such, small enough to write in no time."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    from learned import make_explanation, make_model, make_recovery

    rng = np.random.default_rng(0)
    axis, heights = np.linspace(200, 300, 81), rng.uniform(500, 900, (*FRAME.shape, 1))
    counts = heights / (1 + (2 * (axis - 250) / 5) ** 2) + 30 + rng.normal(0, 3, (*FRAME.shape, len(axis)))
    source = SpectralMap.from_arrays(counts, axis, AxisKind.RAMAN_SHIFT, frame=FRAME, laser_nm=532.0, name="RS map")
    peaks = LINE(source)
    light = synthetic.make_flake("triangle", shape_px=(20, 22), seed=3).pl
    model = make_model()
    explanation = replace(make_explanation(model.samples), recovery=make_recovery())
    whole = Results({"raman": source, "pl": light}, {"raman": peaks}, model=model, explanation=explanation)
    return {SpectralMap: source, PeakMaps: peaks, Results: whole}


def main() -> int:
    """Write, open, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=Path, nargs="*", default=[], metavar="BIN", help="further folders with programs")
    options = parser.parse_args()
    failed = 0
    with TemporaryDirectory() as home:
        for path, artefact in written(Path(home)):
            for who, check in checks(path, artefact, options.programs):
                objection = told(check)
                failed += bool(objection)
                sys.stdout.write(f"{'FAILED' if objection else 'ok':7}{path.name:22}{who}{f': {objection}' if objection else ''}\n")
    return 1 if failed else 0


def written(folder: Path) -> Iterator[tuple[Path, Any]]:
    """One of each file."""
    for kind, artefact in made().items():
        for way in (each for each in EXPORTS if kind in each.takes):
            path = folder / f"{kind.__name__}{way.endings[0]}"
            export(artefact, path)
            yield path, artefact


def told(check: Callable[[], object]) -> str:
    """What a check objects to, in a line; empty where it does not."""
    try:
        check()
    except (AssertionError, KeyError, OSError, ValueError, TypeError, subprocess.CalledProcessError) as error:
        output = (getattr(error, "stdout", "") or "") + (getattr(error, "stderr", "") or "")
        return " / ".join(line.strip() for line in (output or f"{type(error).__name__}: {error}").splitlines() if line.strip())[:1500]
    return ""


def checks(path: Path, artefact: Any, programs: list[Path]) -> Iterator[tuple[str, Callable[[], object]]]:
    """Who opens a file, and how."""
    for ending, who, of, check in OPENERS:
        program = of(programs) if of is not None else Path()
        if path.name.endswith(ending) and program is not None:
            yield who, lambda check=check, program=program: check(path, artefact, program)  # type: ignore[misc]


def found(program: str, programs: list[Path]) -> Path | None:
    """Where a program is."""
    place = shutil.which(program) or next((str(folder / program) for folder in programs if (folder / program).exists()), None)
    return Path(place) if place else None


def with_module(module: str, programs: list[Path]) -> Path | None:
    """A Python that has a module."""
    for python in (Path(sys.executable), *(folder / "python" for folder in programs)):
        if subprocess.run([python, "-c", f"import {module}"], capture_output=True, check=False).returncode == 0:
            return python
    return None


def run(program: Path, *arguments: object) -> str:
    """Run a program; one that ends with another status than 0 objects."""
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=True).stdout


def by_xarray(path: Path, artefact: Any, program: Path) -> None:
    """Every group opens, and no number is lost."""
    with xr.open_datatree(path, engine="h5netcdf") as tree:
        sizes = [variable.size for node in tree.subtree for variable in node.variables.values()]
    assert sum(sizes) > 100, "nothing is in it"


def by_pandas(path: Path, artefact: Any, program: Path) -> None:
    """A line per pixel, columns of numbers, read without arguments."""
    table = pd.read_csv(path)
    assert len(table) == artefact.frame.n_pixels, f"{len(table)} lines"
    assert table.select_dtypes("number").shape[1] > 6, "too few columns of numbers"


def by_tifffile(path: Path, artefact: Any, program: Path) -> None:
    """Its size in micrometres is the map's."""
    with tifffile.TiffFile(path) as file:
        pixels = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]["Pixels"]
        assert file.asarray().shape[1:] == artefact.frame.shape
    assert np.allclose((pixels["PhysicalSizeY"], pixels["PhysicalSizeX"]), np.abs(artefact.frame.step_um))


def by_nexus(path: Path, artefact: Any, program: Path) -> None:
    """Every entry is valid by its definition."""
    output = subprocess.run([program, path], capture_output=True, text=True, check=False)
    lines = [line for line in (output.stdout + output.stderr).splitlines() if "Invalid" in line or "NOT valid" in line or "WARNING" in line]
    assert not [line for line in lines if not any(word in line for word in _QUIET)], " / ".join(lines)
    assert "is valid according to" in output.stdout + output.stderr, "it did not say"


def by_hyperspy(path: Path, artefact: Any, program: Path) -> None:
    """The signal has the map's numbers and axes."""
    code = (
        "import sys, json; sys.path.insert(0, sys.argv[2]); import h5py, numpy as np\n"
        "from napari_wse2xai.data import SpectralMap, AxisKind, Frame\n"
        "f = h5py.File(sys.argv[1]); a = f.attrs\n"
        "frame = Frame(f['counts'].shape[:2], tuple(a['step_um']), tuple(a['origin_um']))\n"
        "m = SpectralMap.from_arrays(f['counts'][()], f['spectral'][()], AxisKind.RAMAN_SHIFT, frame=frame)\n"
        "s = m.to_hyperspy()\n"
        "print(json.dumps([[x.scale, x.offset, x.units] for x in s.axes_manager.navigation_axes] + s.inav[2, 1].data.tolist()))\n"
    )
    source = Path(__file__).resolve().parents[1] / "src"
    x, y, *spectrum = json.loads(run(program, "-c", code, path, source).splitlines()[-1])
    assert np.allclose((x[0], y[0], x[1], y[1]), (0.4, 0.5, 20.0, 10.0)), f"axes {x}, {y}"
    assert np.allclose(spectrum, artefact.counts[1, 2])


def by_cf(path: Path, artefact: Any, program: Path) -> None:
    """Every group, laid into a file of its own, has nothing that CF objects to."""
    with TemporaryDirectory() as home, h5netcdf.File(path) as file:
        for number, group in enumerate(each for each in _groups(file) if each.variables and "/weights/" not in each.name):
            flat = Path(home) / f"group_{number}.nc"
            _flatten(group, flat)
            output = run(program, "--test=cf:1.11", "--criteria=strict", flat)
            assert "All tests passed" in output, f"{group.name}: {output[output.find('Corrective Actions') :]}"


def _groups(group: Any) -> Iterator[Any]:
    yield group
    for inner in group.groups.values():
        yield from _groups(inner)


def _flatten(group: Any, path: Path) -> None:
    """One group in a file, with the coordinates of those above it, and labels under names of their own."""
    above = [group]
    while above[-1].name != "/":
        above.append(above[-1].parent)
    needed = {dim for variable in group.variables.values() for dim in variable.dimensions}
    with h5netcdf.File(path, "w") as flat:
        told = {key: group.attrs[key] for key in ("history",) if group.attrs.get(key)}
        flat.attrs.update({"Conventions": "CF-1.11", "title": group.name, **told})
        for home in reversed(above):
            for name, variable in home.variables.items():
                if (home is group or name in needed) and set(variable.dimensions) <= needed:
                    _copy(flat, f"{name}_label" if variable.dtype.kind == "O" and name in needed else name, variable)


def _copy(flat: Any, name: str, variable: Any) -> None:
    for dim, size in zip(variable.dimensions, variable.shape, strict=True):
        if dim not in flat.dimensions:
            flat.dimensions[dim] = size
    if name not in flat.variables:
        made_ = flat.create_variable(name, variable.dimensions, dtype=variable.dtype)
        made_[...] = variable[...]
        made_.attrs.update({key: value for key, value in variable.attrs.items() if not key.startswith("_")})


def by_h5dump(path: Path, artefact: Any, program: Path) -> None:
    """The whole structure can be listed."""
    assert "GROUP" in run(program, "-H", path)


def by_zarr(path: Path, artefact: Any, program: Path) -> None:
    """The array has the map's grid."""
    assert zarr.open_group(path, mode="r")["0"].shape[-2:] == artefact.frame.shape


def by_ome_types(path: Path, artefact: Any, program: Path) -> None:
    """The metadata are valid OME-XML."""
    run(program, "-c", "import sys, ome_types; ome_types.from_tiff(sys.argv[1])", path)


def by_ome_zarr(path: Path, artefact: Any, program: Path) -> None:
    """The folder is a valid image."""
    run(program, "validate", path)


OPENERS: tuple[tuple[str, str, Callable[[list[Path]], Path | None] | None, Callable[[Path, Any, Path], None]], ...] = (
    (".nc", "h5dump", partial(found, "h5dump"), by_h5dump),
    (".nxs", "h5dump", partial(found, "h5dump"), by_h5dump),
    (".nc", "xarray", None, by_xarray),
    (".nc", "compliance-checker, CF 1.11", partial(found, "compliance-checker"), by_cf),
    ("SpectralMap.nc", "HyperSpy", partial(with_module, "hyperspy"), by_hyperspy),
    (".csv", "pandas", None, by_pandas),
    (".ome.tif", "tifffile", None, by_tifffile),
    (".ome.tif", "ome-types", partial(with_module, "ome_types"), by_ome_types),
    (".ome.zarr", "zarr", None, by_zarr),
    (".ome.zarr", "ome-zarr-models", partial(found, "ome-zarr-models"), by_ome_zarr),
    (".nxs", "validate_nexus", partial(found, "validate_nexus"), by_nexus),
)
"""Ending of the files, who opens them, where that is, and what it must find."""


if __name__ == "__main__":
    sys.exit(main())

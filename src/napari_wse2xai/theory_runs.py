"""Whole calculations without a window: settings in; NetCDF, tables and pictures out."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from time import perf_counter
from typing import TypeVar

import numpy as np

from napari_wse2xai import report
from napari_wse2xai._version import __version__
from napari_wse2xai.data import History, Record
from napari_wse2xai.engines import MolecularDynamics, Phonons, Raman, Relax, forces_of, run_nve
from napari_wse2xai.engines.external import require_installed, run_tasks, write_files
from napari_wse2xai.engines.forces import calculator_of
from napari_wse2xai.engines.inputs import Inputs
from napari_wse2xai.errors import SettingsError
from napari_wse2xai.io import delivered, require_room
from napari_wse2xai.io.calculated_here import history_of, read_atoms, read_run, write_lines, write_relaxed, write_run, write_vibrations
from napari_wse2xai.progress import Progress, part, silent
from napari_wse2xai.theory.cell import Array, HarmonicCell
from napari_wse2xai.theory.dynamics import Averaged
from napari_wse2xai.theory.layer_raman import LayerRaman
from napari_wse2xai.theory.relaxed import Relaxed
from napari_wse2xai.theory.runs import Run, narrowest_cm1, spectrum_of_runs
from napari_wse2xai.theory.spectra import GEOMETRIES

Settings = Relax | Phonons | Raman | MolecularDynamics
Found = TypeVar("Found")
_LIBRARIES = ("ase", "diep", "phonopy", "tblite")
_FREE = ("length_ps", "seed", "seeds")
"""Settings of dynamics that may differ from those of the runs that a folder holds."""
_TOTAL = "total"
_PROJECTIONS = (_TOTAL, "A1'", "E'")
_FROM_CM1, _TO_CM1, _STEP_CM1, _FWHM_CM1 = 50.0, 620.0, 0.5, 5.0


def relax(settings: Relax, output: str | Path, progress: Progress = silent) -> Relaxed:
    """Write ``relaxed.nc``, and ``relaxed.xyz`` for other programs."""
    folder = _room(output, ["relaxed.nc", "relaxed.xyz"])
    found, history = _timed(settings, lambda: settings(progress))
    with delivered(folder, first="relaxed.nc", last="relaxed.nc", replaced=["relaxed.xyz"]) as staged:
        write_relaxed(found, staged / "relaxed.nc", history)
        (staged / "relaxed.xyz").write_text(_xyz(found.cell), encoding="utf-8")
    return found


def phonons(settings: Phonons, output: str | Path, progress: Progress = silent) -> HarmonicCell:
    """Write ``phonons.nc``, which can take the reference's place beside data."""
    folder = _room(output, ["phonons.nc"])
    found, history = _timed(settings, lambda: settings(progress))
    with delivered(folder, first="phonons.nc", last="phonons.nc", replaced=[]) as staged:
        write_vibrations(found, staged / "phonons.nc", history)
    return found


def raman(settings: Raman, output: str | Path, progress: Progress = silent) -> LayerRaman:
    """Write ``raman.nc``, ``.csv``, ``.png`` and ``.svg``, and the vibrations of both layers: ``pristine.nc``, ``layer.nc``."""
    files = ["raman.csv", "raman.png", "raman.svg", "pristine.nc", "layer.nc"]
    folder = _room(output, ["raman.nc", *files])
    found, history = _timed(settings, lambda: settings(progress))
    from napari_wse2xai.plots.theory_runs import layer_raman_figure

    with delivered(folder, first="raman.nc", last="raman.nc", replaced=files) as staged:
        for name, cell in found.cells.items():
            write_vibrations(cell, staged / ("pristine.nc" if name == "pristine" else "layer.nc"), history)
        lines = {f"{name} {kind}": row for name, rows in found.spectra.items() for kind, row in zip(GEOMETRIES, rows, strict=True)}
        _write_curves(staged, "raman", {"wavenumber": found.wavenumbers} | lines, "arbitrary", history)
        _write_images(staged, report.saved(layer_raman_figure(found), "raman"))
    return found


def inputs(
    settings: Inputs, output: str | Path, *, relaxed: str | Path | None = None, run: Sequence[str] = (), progress: Progress = silent
) -> tuple[str, ...]:
    """Write the inputs of a first-principles program, and run some of its tasks where it is installed.

    Parameters
    ----------
    relaxed : a ``relaxed.nc`` to begin with, of the same layer
    run : tasks to run here, in this order

    Returns
    -------
    places of the files in the folder
    """
    cell = None if relaxed is None else _of_layer(read_atoms(relaxed), settings, Path(relaxed))
    files = settings(cell)
    folder = _room(output, list(files))
    if run:
        require_installed(settings, run)
    with delivered(folder, first="README.txt", last="README.txt", replaced=[]) as staged:
        write_files(files, staged)
    if run:
        run_tasks(settings, folder, run, cell, progress)
    return tuple(files)


def _of_layer(cell: HarmonicCell, settings: Inputs, path: Path) -> HarmonicCell:
    asked = settings.layer.build()
    if sorted(cell.symbols) != sorted(asked.symbols):
        raise SettingsError(
            f"'{path.name}' holds other atoms than {settings.layer.material} {settings.layer.name}; ask for the layer that it is of."
        )
    return cell


def dynamics(settings: MolecularDynamics, output: str | Path, progress: Progress = silent) -> tuple[Run, ...]:
    """Write a file per seed, ``seed_0.nc``..., and ``spectral_intensity.nc``, ``.csv``, ``.png`` and ``.svg`` of all of them.

    What the folder holds of these runs is gone on with: seeds that are there are not run again, one that was stopped goes on where it stood
    (``seed_0.unfinished.nc``), and a greater length makes all of them longer.

    Raises
    ------
    SettingsError
        The folder holds runs with other settings.
    """
    names = [f"seed_{settings.dynamics.seed + number}" for number in range(settings.seeds)]
    pictures = [f"spectral_intensity.{kind}" for kind in ("csv", "png", "svg")]
    folder = _room(output, [*(f"{name}.nc" for name in names), "spectral_intensity.nc", *pictures])
    runs = _Seeds(settings, folder, names).run(progress)
    from napari_wse2xai.plots.theory_runs import dynamics_figure

    x, curves = curves_of(runs)
    history = _history(settings, 0.0)
    with delivered(folder, first="spectral_intensity.nc", last="spectral_intensity.nc", replaced=pictures) as staged:
        columns = {f"{name}{kind}": row for name, curve in curves.items() for kind, row in (("", curve.mean), (" error", curve.error))}
        _write_curves(staged, "spectral_intensity", {"wavenumber": x} | columns, "meV cm", history)
        figure = dynamics_figure(x, curves, title_of(settings, runs))
        _write_images(staged, report.saved(figure, "spectral_intensity"))
    return runs


def title_of(settings: MolecularDynamics, runs: Sequence[Run]) -> str:
    """What is above the figure of runs."""
    return f"{settings.relax.layer.material}, {settings.relax.layer.name}: {runs[0].temperature_k:g} K\n{_errors_of(runs)}"


def _errors_of(runs: Sequence[Run]) -> str:
    told = f"{len(runs)} seeds (error: bootstrap over seeds)" if len(runs) > 1 else "one seed (error: its four quarters)"
    return f"{told}\nlines {narrowest_cm1(runs):.0f} cm-1 wide or more"


class _Seeds:
    """The runs of a folder."""

    def __init__(self, settings: MolecularDynamics, folder: Path, names: Sequence[str]) -> None:
        self._settings, self._folder, self._names = settings, folder, names
        self._kept = {name: run for name in names if (run := self._kept_of(name)) is not None}

    def run(self, progress: Progress) -> tuple[Run, ...]:
        """Go on with every seed until it is long enough."""
        settings = self._settings
        if self._kept:
            cell = next(iter(self._kept.values())).cell
            missing = [name for name in self._names if not self._long_enough(name)]
            calculator = calculator_of(settings.relax.engine) if missing else None
        else:
            relaxed = settings.relax(part(progress, 0.0, settings.share(0)[0]))
            cell, calculator = relaxed.cell, relaxed.calculator
        return tuple(self._seed(number, cell, calculator, part(progress, *settings.share(number))) for number in range(settings.seeds))

    def _long_enough(self, name: str) -> bool:
        run = self._kept.get(name)
        return run is not None and run.done >= run.before + self._settings.dynamics.steps

    def _seed(self, number: int, cell: HarmonicCell, calculator: object, progress: Progress) -> Run:
        name, settings = self._names[number], self._settings
        if self._long_enough(name):
            return self._kept[name]
        run = self._kept.get(name) or settings.start(cell, number)
        unfinished = self._folder / f"{name}.unfinished.nc"
        history = _history(settings, 0.0)
        forces = forces_of(settings.relax.engine, cell, calculator)
        length = settings.dynamics.length_ps
        done = run_nve(run, forces, length, keep=lambda now: write_run(now, unfinished, history), progress=progress)
        write_run(done, self._folder / f"{name}.nc", history)
        unfinished.unlink(missing_ok=True)
        return done

    def _kept_of(self, name: str) -> Run | None:
        """What there is of a seed, the longer one of two."""
        places = [place for end in ("", ".unfinished") if (place := self._folder / f"{name}{end}.nc").is_file()]
        for place in places:
            self._require_same(place)
        return max((read_run(place) for place in places), key=lambda run: run.done, default=None)

    def _require_same(self, place: Path) -> None:
        before = next((dict(one.settings) for one in history_of(place) if one.step == type(self._settings).__name__), {})
        old, new = (_flat(values) for values in (before, self._settings.model_dump(mode="json")))
        differing = sorted(key for key in old | new if old.get(key) != new.get(key) and key.rpartition(".")[2] not in _FREE)
        if differing:
            told = ", ".join(f"{key} {json.dumps(old.get(key))}, now {json.dumps(new.get(key))}" for key in differing)
            raise SettingsError(f"'{place}' is a run with other settings ({told}); choose another output folder, or ask for these.")


def _flat(values: Mapping[str, object], before: str = "") -> dict[str, object]:
    """Values of nested settings by their place, as ``dynamics.step_fs``."""
    found: dict[str, object] = {}
    for key, value in values.items():
        found |= _flat(value, f"{before}{key}.") if isinstance(value, Mapping) else {f"{before}{key}": value}
    return found


def curves_of(runs: Sequence[Run]) -> tuple[Array, dict[str, Averaged]]:
    """Wavenumbers, and the spectral intensity of all atoms and of each projection."""
    x = np.arange(_FROM_CM1, _TO_CM1 + _STEP_CM1 / 2, _STEP_CM1)
    modes = {name: None if name == _TOTAL else name for name in _PROJECTIONS}
    return x, {name: spectrum_of_runs(runs, x, mode, fwhm_cm1=_FWHM_CM1) for name, mode in modes.items()}


def _room(output: str | Path, files: Sequence[str]) -> Path:
    folder = Path(output).expanduser()
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    if not (nearest.is_dir() and os.access(nearest, os.W_OK)):
        why = "you may not write there" if nearest.is_dir() else "it is a file"
        raise SettingsError(f"Nothing can be written to '{folder}' ('{nearest}': {why}); choose another output folder.")
    require_room(folder, files)
    return folder


def _timed(settings: Settings, work: Callable[[], Found]) -> tuple[Found, History]:
    started = perf_counter()
    found = work()
    return found, _history(settings, round(perf_counter() - started, 3))


def _history(settings: Settings, seconds: float) -> History:
    """What was asked for, and which libraries did it."""
    libraries = {name: found for name in _LIBRARIES if (found := _version_of(name))}
    return (
        Record("libraries", libraries, __version__),
        Record(type(settings).__name__, settings.model_dump(mode="json"), __version__, seconds),
    )


def _version_of(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _write_curves(folder: Path, name: str, columns: Mapping[str, Array], unit: str, history: History) -> None:
    import pandas as pd

    write_lines(columns, {"wavenumber": "cm-1", "": unit}, folder / f"{name}.nc", history)
    named = {f"{key} ({'cm-1' if key == 'wavenumber' else unit})": values for key, values in columns.items()}
    pd.DataFrame(named).to_csv(folder / f"{name}.csv", index=False, float_format="%.6g")


def _write_images(folder: Path, images: report.Images) -> None:
    for file, content in images.items():
        (folder / file).write_bytes(content)


def _xyz(cell: HarmonicCell) -> str:
    """Extended XYZ."""
    lattice = " ".join(f"{value:.8f}" for value in cell.lattice.ravel())
    head = [str(len(cell.symbols)), f'Lattice="{lattice}" Properties=species:S:1:pos:R:3 pbc="T T T"']
    rows = (f"{symbol} {x:.8f} {y:.8f} {z:.8f}" for symbol, (x, y, z) in zip(cell.symbols, cell.positions, strict=True))
    return "\n".join([*head, *rows]) + "\n"

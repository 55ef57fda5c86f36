"""The parts of the command ``theory`` that calculate: arguments to settings, results to sentences.  Light to import."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from napari_wse2xai.errors import SettingsError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from napari_wse2xai.progress import Progress
    from napari_wse2xai.theory.cell import HarmonicCell
    from napari_wse2xai.theory.layer_raman import LayerRaman
    from napari_wse2xai.theory.runs import Run

    Model = TypeVar("Model", bound=BaseModel)

Lines = Iterator[str]


def add_parts(parts: "argparse._SubParsersAction[argparse.ArgumentParser]") -> list[argparse.ArgumentParser]:
    """Add what needs the extra ``theory``; each has `lines`, which works and gives the sentences to say."""
    relax = _part(parts, "relax", "let a layer find its size, and its atoms their places: relaxed.nc, relaxed.xyz", _relax)
    phonons = _part(parts, "phonons", "vibrations at Gamma of a layer, with or without defects: phonons.nc", _phonons)
    raman = _part(parts, "raman", "Raman spectrum of a layer with defects beside the pristine one: raman.nc, .csv, .png, .svg", _raman)
    md = _part(
        parts, "md", "atoms followed in time, and the spectrum of their velocities with its error; goes on where it was stopped", _md
    )
    for each in (phonons, raman):
        _numbers(each, {"--displacement": ("A", 0.02, "by how much atoms are displaced")})
    _numbers(
        raman,
        {"--laser": ("EV", 2.33, "photon energy in eV"), "--temperature": ("K", 300.0, "in K"), "--width": ("CM-1", 5.0, "of every line")},
    )
    timing = {
        "--temperature": ("K", 273.0, "in K"),
        "--step-fs": ("FS", 5.0, "time step"),
        "--length": ("PS", 5.0, "time that is evaluated"),
    }
    _numbers(md, timing | {"--thermalise": ("PS", 1.0, "time with friction and noise before")})
    md.add_argument(
        "--seeds", type=int, default=1, metavar="N", help="number of runs; ten or more before structures are ranked (default: 1)"
    )
    md.add_argument("--seed", type=int, default=0, metavar="N", help="first seed (default: 0)")
    return [relax, phonons, raman, md, _inputs_part(parts)]


def _inputs_part(parts: "argparse._SubParsersAction[argparse.ArgumentParser]") -> argparse.ArgumentParser:
    text = (
        "complete inputs of a first-principles program (relax, phonons, raman, md); runs Quantum ESPRESSO and ABINIT where they are there"
    )
    part = parts.add_parser("inputs", help=text, description=text)
    part.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for the inputs; made where it is missing")
    part.add_argument("--program", required=True, metavar="P", help="castep, qe, abinit or vasp")
    add_layer(part)
    part.add_argument("--relaxed", type=Path, metavar="FILE", help="relaxed.nc of 'theory relax' to begin with")
    part.add_argument("--a", type=float, metavar="A", help="lattice constant of the unit cell (default: about the measured one)")
    sizes = {"--cutoff": ("EV", 816.0, "of the plane waves, in eV"), "--vacuum": ("A", 20.0, "empty room above the layer")}
    timing = {
        "--temperature": ("K", 273.0, "of the dynamics, in K"),
        "--step-fs": ("FS", 10.0, "time step"),
        "--length": ("PS", 5.0, "its length"),
    }
    _numbers(part, sizes | timing)
    part.add_argument("--seed", type=int, default=0, metavar="N", help="of the velocities (default: 0)")
    part.add_argument("--k-points", type=int, default=12, metavar="N", help="along each direction of the unit cell (default: %(default)s)")
    part.add_argument("--pseudo", action="append", default=[], metavar="W=FILE", help="pseudopotential of an element; again for each")
    part.add_argument("--pseudo-dir", default="../pseudo", metavar="DIR", help="their folder, as seen from a task's (default: %(default)s)")
    part.add_argument(
        "--run", action="append", default=[], metavar="TASK", help="run it here too: relax, phonons, raman or md; again for several"
    )
    part.set_defaults(lines=_inputs)
    return part


def _part(
    parts: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    text: str,
    lines: "Callable[[argparse.Namespace, Progress], Lines]",
) -> argparse.ArgumentParser:
    part = parts.add_parser(name, help=text, description=text)
    part.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for the files; made where it is missing")
    add_layer(part)
    part.add_argument("--engine", default="diep", help="diep, or, for WSe2 alone and slower, GFN1-xTB (default: diep)")
    part.add_argument("--fmax", type=float, default=0.003, metavar="EV/A", help="largest force that may be left (default: %(default)s)")
    part.add_argument("--steps", type=int, default=1000, metavar="N", help="most steps of a relaxation (default: %(default)s)")
    part.set_defaults(lines=lines)
    return part


def add_layer(part: argparse.ArgumentParser) -> None:
    """Add what says which layer."""
    part.add_argument("--material", default="WSe2", help="monolayer (default: %(default)s)")
    part.add_argument("--repeat", default="1x1", metavar="NxM", help="unit cells along both directions, as 4x4 (default: %(default)s)")
    part.add_argument(
        "--defect",
        action="append",
        default=[],
        metavar="D",
        help="V_Se: an atom missing; O_Se: another in its place; again for a pair; @5 for the sixth such site",
    )


def _numbers(part: argparse.ArgumentParser, options: Mapping[str, tuple[str, float, str]]) -> None:
    for name, (metavar, default, text) in options.items():
        part.add_argument(name, type=float, default=default, metavar=metavar, help=f"{text} (default: %(default)s)")


def layer_of(options: argparse.Namespace) -> dict[str, Any]:
    """Give the settings of the layer."""
    numbers = options.repeat.lower().split("x")
    if len(numbers) != 2 or not all(number.isdecimal() for number in numbers):
        raise SettingsError(f"--repeat '{options.repeat}' is no size; write it as 4x4.")
    return {"material": options.material, "repeat": tuple(map(int, numbers)), "defects": tuple(options.defect)}


def settled(kind: "type[Model]", values: Mapping[str, Any]) -> "Model":
    """Make settings; what is wrong with them is one sentence."""
    from pydantic import ValidationError

    from napari_wse2xai.stages._stage import first_problem

    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        place, words, given = first_problem(error)
        raise SettingsError(f"{place}: {words.rstrip('.')}{'' if given is None else f' (given: {given})'}.") from error


def _relax_settings(options: argparse.Namespace) -> dict[str, Any]:
    return {"engine": options.engine, "fmax": options.fmax, "steps": options.steps, "layer": layer_of(options)}


def _inputs(options: argparse.Namespace, progress: "Progress") -> Lines:
    from napari_wse2xai import theory_runs
    from napari_wse2xai.engines.inputs import Inputs

    timing = {"temperature_k": options.temperature, "step_fs": options.step_fs, "length_ps": options.length, "thermalise_ps": 0.0}
    given = {
        "program": options.program,
        "layer": layer_of(options),
        "a": options.a,
        "vacuum": options.vacuum,
        "cutoff_ev": options.cutoff,
        "k_points": options.k_points,
        "dynamics": timing | {"seed": options.seed},
        "pseudopotentials": tuple(options.pseudo),
        "pseudo_dir": options.pseudo_dir,
    }
    written = theory_runs.inputs(settled(Inputs, given), options.output, relaxed=options.relaxed, run=options.run, progress=progress)
    yield f"{len(written)} files; what to do with them: {options.output / 'README.txt'}"
    for task in options.run:
        yield f"{task:11s} {options.output / task}"


def _relax(options: argparse.Namespace, progress: "Progress") -> Lines:
    from napari_wse2xai import theory_runs
    from napari_wse2xai.engines import Relax

    found = theory_runs.relax(settled(Relax, _relax_settings(options)), options.output, progress)
    yield f"a = {found.a:.4f} A, chalcogens {found.height:.4f} A above the metal; {found.largest_force:.4f} eV/A left, {found.steps} steps"
    yield f"atoms       {options.output / 'relaxed.nc'}"


def _phonons(options: argparse.Namespace, progress: "Progress") -> Lines:
    from napari_wse2xai import theory_runs
    from napari_wse2xai.engines import Phonons

    settings = settled(Phonons, {"relax": _relax_settings(options), "displacement": options.displacement})
    yield from _places(theory_runs.phonons(settings, options.output, progress))
    yield f"vibrations  {options.output / 'phonons.nc'}"


def _places(cell: "HarmonicCell") -> Lines:
    from napari_wse2xai.theory import GAMMA_MODES

    for mode in GAMMA_MODES:
        shares = (cell.overlaps(mode) ** 2).sum(axis=0)
        best = int(shares.argmax())
        yield f"{mode:4s} {cell.wavenumbers[best]:7.1f} cm-1"


def _raman(options: argparse.Namespace, progress: "Progress") -> Lines:
    from napari_wse2xai import theory_runs
    from napari_wse2xai.engines import Raman
    from napari_wse2xai.theory import pristine_modes
    from napari_wse2xai.theory.findings import unconverged

    phonons = {"relax": _relax_settings(options), "displacement": options.displacement}
    given = {"phonons": phonons, "laser_ev": options.laser, "temperature_k": options.temperature, "fwhm_cm1": options.width}
    found = theory_runs.raman(settled(Raman, given), options.output, progress)
    name = list(found.cells)[-1]
    yield from _places(found.cells[name])
    if len(found.cells) > 1:
        yield from (_height(found, name, mode) for mode in ("A1'", "E'"))
    modes = pristine_modes(found.material)
    if not modes.converged:
        yield unconverged(modes)
    yield f"spectra     {options.output / 'raman.nc'}"


def _height(found: "LayerRaman", name: str, mode: str) -> str:
    """How high a line still is, and whether changes without chemistry do the same."""
    height, null = found.height(name, mode), found.null_height(mode)
    said = f"{name} against pristine: the projected line {mode} is {height:.2f} times as high"
    if null is None:
        return f"{said}; the layer is too small for null controls, so that theory says nothing of it (3 x 3 unit cells or more)"
    verdict = "lower than every null control" if height < null else "no lower than null controls: theory says nothing of it"
    return f"{said}, {verdict} ({null:.2f})"


def _md(options: argparse.Namespace, progress: "Progress") -> Lines:
    from napari_wse2xai import theory_runs
    from napari_wse2xai.engines import MolecularDynamics
    from napari_wse2xai.theory.runs import narrowest_cm1

    timing = {"temperature_k": options.temperature, "step_fs": options.step_fs, "thermalise_ps": options.thermalise}
    given = {"dynamics": timing | {"length_ps": options.length, "seed": options.seed}, "seeds": options.seeds}
    runs = theory_runs.dynamics(settled(MolecularDynamics, given | {"relax": _relax_settings(options)}), options.output, progress)
    for run in runs:
        yield _told(run)
    yield f"Runs of this length draw no line narrower than {narrowest_cm1(runs):.0f} cm-1: compare heights of runs of one length only."
    if len(runs) < theory_runs.FEWEST_SEEDS:
        yield f"These are {len(runs)} of the {theory_runs.FEWEST_SEEDS} seeds from which on structures may be ranked by dynamics (--seeds)."
    yield f"spectra     {options.output / 'spectral_intensity.nc'}"


def _told(run: "Run") -> str:
    return (
        f"seed {run.seed}: {len(run.kept) * run.step_fs * 1e-3:.2f} ps at {run.temperatures.mean():.0f} +- {run.temperature_error:.0f} K, "
        f"energy drift {run.drift:+.4f} meV per atom and ps"
    )

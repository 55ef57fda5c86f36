"""The parts of the command ``theory`` that calculate: arguments to settings, results to sentences.  Light to import."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from napari_wse2xai.errors import SettingsError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from napari_wse2xai.progress import Progress

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


def settled(kind: "type[Model]", values: Mapping[str, object]) -> "Model":
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
    from napari_wse2xai.theory import words

    found = theory_runs.relax(settled(Relax, _relax_settings(options)), options.output, progress)
    yield from words.of_relaxed(found)
    yield f"atoms       {options.output / 'relaxed.nc'}"


def _phonons(options: argparse.Namespace, progress: "Progress") -> Lines:
    from napari_wse2xai import theory_runs
    from napari_wse2xai.engines import Phonons
    from napari_wse2xai.theory import words

    settings = settled(Phonons, {"relax": _relax_settings(options), "displacement": options.displacement})
    yield from words.of_vibrations(theory_runs.phonons(settings, options.output, progress))
    yield f"vibrations  {options.output / 'phonons.nc'}"


def _raman(options: argparse.Namespace, progress: "Progress") -> Lines:
    from napari_wse2xai import theory_runs
    from napari_wse2xai.engines import Raman
    from napari_wse2xai.theory import words

    phonons = {"relax": _relax_settings(options), "displacement": options.displacement}
    given = {"phonons": phonons, "laser_ev": options.laser, "temperature_k": options.temperature, "fwhm_cm1": options.width}
    found = theory_runs.raman(settled(Raman, given), options.output, progress)
    yield from words.of_raman(found)
    yield f"spectra     {options.output / 'raman.nc'}"


def _md(options: argparse.Namespace, progress: "Progress") -> Lines:
    from napari_wse2xai import theory_runs
    from napari_wse2xai.engines import MolecularDynamics
    from napari_wse2xai.theory import words

    timing = {"temperature_k": options.temperature, "step_fs": options.step_fs, "thermalise_ps": options.thermalise}
    given = {"dynamics": timing | {"length_ps": options.length, "seed": options.seed}, "seeds": options.seeds}
    runs = theory_runs.dynamics(settled(MolecularDynamics, given | {"relax": _relax_settings(options)}), options.output, progress)
    yield from words.of_runs(runs)
    yield f"spectra     {options.output / 'spectral_intensity.nc'}"

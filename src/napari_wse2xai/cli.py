"""The command line.  Light to import: every command loads what it needs when it runs."""

import argparse
import os
import shlex
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_wse2xai import processes, theory_commands
from napari_wse2xai._version import __version__
from napari_wse2xai.completion import add_completion
from napari_wse2xai.console import add_loudness, plain_warnings, say, speaking, tell
from napari_wse2xai.console import progress as _progress
from napari_wse2xai.errors import Cancelled, DataWarning, UserError, counted

if TYPE_CHECKING:
    from napari_wse2xai.batch import Batch
    from napari_wse2xai.data import Results
    from napari_wse2xai.theory.calculated import Calculated

PROGRAM = "napari-wse2xai"
TOOLKITS = ("PySide6", "PyQt6", "PyQt5", "PySide2")
NO_TOOLKIT = 'napari has no window toolkit here; pip install "napari-wse2xai[all]" brings one.'
DONE, SOME_FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; exit status 0 when done, 1 when some of several flakes failed, 2 when input or recipe are bad, 130 if interrupted."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    options = _parser().parse_args(given)
    command: Callable[[argparse.Namespace], int | None] = options.command
    with speaking(options, shlex.join([PROGRAM, *map(str, given)])), plain_warnings():
        try:
            return command(options) or DONE
        except UserError as error:
            tell(f"{PROGRAM}: {error}")
            return BAD_INPUT
        except (KeyboardInterrupt, Cancelled):
            tell(f"{PROGRAM}: stopped before the end; what was not finished was not written.")
            return INTERRUPTED


class _Parser(argparse.ArgumentParser):
    """Parser of a command; that of a run names the steps of a recipe below its options, asked for when its help is."""

    def format_help(self) -> str:
        """Help with the steps where the command runs them."""
        if self.prog.endswith(" run"):
            from napari_wse2xai.stages import TABLE

            self.formatter_class = argparse.RawDescriptionHelpFormatter
            self.epilog = "\n".join(["steps of a recipe, in their order:", *(f"  {step.key:<17} {step.what()}" for step in TABLE)])
        return super().format_help()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Raman and photoluminescence maps of 2D-material flakes.")
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands: Any = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", parser_class=_Parser)
    for add in (_add_demo, _add_run, _add_rerun, _add_recipe, _add_convert, _add_view, _add_theory):
        add(commands)
    add_completion(commands, parser)
    return parser


def _add_demo(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "the whole pipeline on a synthetic sample flake; then opens napari with the result"
    command = commands.add_parser("demo", help=text, description=text)
    command.add_argument(
        "--output", type=Path, default=Path("napari-wse2xai-demo"), metavar="DIR", help="folder for results (default: %(default)s)"
    )
    command.add_argument("--no-window", action="store_true", help="open no window; write a screenshot instead, where there is a display")
    add_loudness(command)
    command.set_defaults(command=_demo, keeps_log=True)


def _add_run(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "the pipeline on files: writes DIR/results.nc, DIR/figures/ and DIR/report.html"
    command = commands.add_parser("run", help=text, description=text)
    command.add_argument("recipe", type=Path, metavar="RECIPE.yaml", help="what to do with which files")
    command.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for results; made where it is missing")
    command.add_argument(
        "--no-figures",
        action="store_true",
        help="draw neither figures nor card: a small run takes a fraction of the time",
    )
    command.add_argument(
        "--jobs",
        type=_count,
        metavar="N",
        help="processes for a recipe of several flakes (default: one per core); results do not depend on it",
    )
    command.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help='Dask scheduler whose workers do the flakes of such a recipe, such as tcp://10.0.0.5:8786; needs the extra "cluster"',
    )
    command.add_argument("--anew", action="store_true", help="of several flakes do also those whose results lie in DIR already")
    add_loudness(command)
    command.set_defaults(command=_run, keeps_log=True)


def _add_rerun(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "the same run again, from the results.nc that it wrote; its files must be the same, settings may differ"
    command = commands.add_parser("rerun", help=text, description=text)
    command.add_argument("results", type=Path, metavar="results.nc", help="what a run, or the window, wrote")
    command.add_argument("--output", type=Path, metavar="DIR", help="folder for results (default: 'rerun' beside the file)")
    command.add_argument(
        "--set",
        action="append",
        default=[],
        dest="settings",
        metavar="KEY=VALUE",
        help="a setting that is to differ, such as deconvolve.detection=8 or raman.despike=false; may be given several times",
    )
    command.add_argument("--no-figures", action="store_true", help="draw neither figures nor card")
    add_loudness(command)
    command.set_defaults(command=_rerun, keeps_log=True)


def _add_recipe(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "what a recipe may hold: every setting with its usual value, unit and meaning, or a preset to begin with"
    command = commands.add_parser("recipe", help=text, description=text)
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument("--explain", nargs="*", metavar="STEP", help="every setting, or those of some steps (despike, deconvolve, train...)")
    what.add_argument("--preset", metavar="NAME", help="a whole preset as YAML; 'list' for their names")
    what.add_argument("--schema", action="store_true", help="the JSON schema, by which editors complete the keys of a recipe")
    command.set_defaults(command=_recipe)


def _count(text: str) -> int:
    """Whole number of one or more."""
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def _add_convert(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "any readable map, or a part of a run's results, into a file for other programs"
    command = commands.add_parser("convert", help=text, description=text)
    command.add_argument("source", type=Path, metavar="IN", help="file with a map")
    command.add_argument(
        "target", type=Path, metavar="OUT", nargs="?", help="file to write, whose ending says how (.nc, .csv, .nxs, .ome.tif...)"
    )
    command.add_argument("--list", action="store_true", help="show what is in a file with several maps, and write nothing")
    command.add_argument("--item", metavar="NAME", help="which one, in a file with several maps")
    command.add_argument(
        "--unit",
        choices=("cm-1", "abs. cm-1", "nm", "eV"),
        help="unit of the spectral axis, where the file does not say it or says it wrong",
    )
    command.add_argument(
        "--overlap",
        choices=("blend", "scale", "offset"),
        help="join the pieces of a stitched spectrum: as measured, or each scaled or shifted to agree with the one before",
    )
    command.add_argument(
        "--laser", type=float, metavar="NM", help="wavelength of the laser, which NeXus files want, where the file lacks it"
    )
    command.add_argument("--swap-xy", action="store_true", help="exchange x and y, where they were taken for one another")
    command.set_defaults(command=_convert)


def _add_view(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "opens napari with files: maps, or the results.nc of a run"
    command = commands.add_parser("view", help=text, description=text)
    command.add_argument("files", type=Path, nargs="+", metavar="FILE", help="files to open")
    command.set_defaults(command=_view)


def _add_theory(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "calculated spectra to lay beside the data: from the reference that comes with the plugin, or calculated here"
    parts = commands.add_parser("theory", help=text, description=text).add_subparsers(title="parts", required=True, metavar="PART")
    text = "spectral intensity and Raman of the pristine monolayer and of defects: figures, tables, theory.nc"
    figures = parts.add_parser("figures", help=text, description=text)
    figures.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for the files; made where it is missing")
    figures.add_argument("--material", default="WSe2", help="WSe2, WS2, MoSe2 or MoS2 (default: %(default)s, the one with defects)")
    figures.add_argument("--laser", type=float, default=2.33, metavar="EV", help="photon energy in eV (default: %(default)s)")
    figures.add_argument("--temperature", type=float, default=300.0, metavar="K", help="of the Raman spectrum, in K (default: %(default)s)")
    figures.add_argument("--motion", type=float, default=273.0, metavar="K", help="of the spectral intensity, in K (default: %(default)s)")
    figures.add_argument("--width", type=float, default=5.0, metavar="CM-1", help="width of every line in cm-1 (default: %(default)s)")
    figures.add_argument(
        "--calculation",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="your own calculation in place of the reference; one for each structure, the pristine one among them "
        "(CASTEP .phonon .castep .md, Quantum ESPRESSO, ABINIT, VASP, extended XYZ)",
    )
    figures.add_argument("--step-fs", type=float, metavar="FS", help="time between frames of dynamics whose file does not say it")
    figures.set_defaults(command=_theory_figures)
    for part in theory_commands.add_parts(parts):
        part.set_defaults(command=_theory_part)


def _demo(options: argparse.Namespace) -> None:
    from napari_wse2xai import batch

    with _progress() as progress:
        batch.demo(options.output, progress)
    _name_outputs(options.output)
    if not _has_display():
        tell("There is no screenshot: it needs a display (without a screen: xvfb-run -a -s '-screen 0 1600x1200x24' before the command).")
        return
    if not _has_toolkit():
        tell(f"There is no screenshot and no window: {NO_TOOLKIT}")
        return
    from napari_wse2xai.gui import window

    if options.no_window:
        window.screenshot([options.output / "results.nc"], options.output / "screenshot.png")
        say(f"screenshot  {options.output / 'screenshot.png'}")
    else:
        window.show([options.output / "results.nc"])


def _run(options: argparse.Namespace) -> int:
    from napari_wse2xai.ordinary import require_recipe

    require_recipe(options.recipe)
    if options.scheduler is None and (options.jobs or os.cpu_count() or 1) > 1:
        processes.load_ahead(options.recipe, figures=not options.no_figures)
    with processes.no_searches():
        from napari_wse2xai import batch

    how = {"figures": not options.no_figures, "jobs": options.jobs, "scheduler": options.scheduler, "anew": options.anew}
    with _progress() as progress:
        made = batch.run(options.recipe, options.output, progress, **how)
    if isinstance(made, batch.Batch):
        return _told_of_batch(made)
    _count_pixels(made)
    _name_outputs(options.output)
    _tell_simulations({"": made})
    return DONE


def _rerun(options: argparse.Namespace) -> None:
    from napari_wse2xai import batch

    output = options.output = options.output or options.results.parent / "rerun"
    with _progress() as progress:
        made = batch.rerun(options.results, output, progress, settings=options.settings, figures=not options.no_figures)
    _count_pixels(made)
    _name_outputs(output)


def _recipe(options: argparse.Namespace) -> None:
    from napari_wse2xai import recipe

    if options.schema:
        import json

        say(json.dumps(recipe.recipe_schema(), ensure_ascii=False, indent=1))
    elif options.preset is None:
        say("\n".join(recipe.explained(options.explain)))
    elif options.preset == "list":
        say("\n".join(recipe.preset_names()))
    else:
        say(recipe.to_yaml(recipe.preset(options.preset)))


def _told_of_batch(made: "Batch") -> int:
    """Say what became of many flakes; the exit status is 1 where some failed."""
    say(f"flakes      {len(made.rows) - len(made.failed)} of {len(made.rows)} done")
    for row in made.failed:
        say(f"failed      {row.folder}: {row.reason}")
    say(f"summary     {made.folder / 'summary.csv'}")
    _name_outputs(made.folder, tuple(made.places))
    _tell_simulations(made.places)
    return SOME_FAILED if made.failed or made.lost else DONE


def _tell_simulations(made: "Mapping[str, Results]") -> None:
    for place, results in made.items():
        if results.explanation is not None and results.explanation.recovery is not None:
            say(f"simulation  {place}{': ' if place else ''}{results.explanation.recovery.summary}")


def _convert(options: argparse.Namespace) -> None:
    from napari_wse2xai import io

    if options.list:
        for item in io.list_items(options.source):
            say(str(item))
        _list_parts(options.source)
        return
    if options.target is None:
        raise UserError("The file to write is missing; name it after the input, as in 'convert IN OUT.nc', or ask for --list.")
    told = {"unit": options.unit, "overlap": options.overlap, "swap_xy": options.swap_xy, "laser_nm": options.laser}
    made = io.convert(options.source, options.target, options.item, **told)
    say(f"{options.target}: {_size_of(made)}")


def _list_parts(source: Path) -> None:
    """Say what a run's results hold beside maps."""
    from napari_wse2xai import io
    from napari_wse2xai.io.exporters import WORDS, endings_for

    if io.is_results(source):
        for name, part in io.parts_of(io.read_results(source)).items():
            say(f"{name}: {WORDS[type(part)]}, to {', '.join(endings_for(type(part)))}")


def _size_of(made: object) -> str:
    """What was written, in words."""
    from napari_wse2xai.data import SpectralMap
    from napari_wse2xai.io.exporters import WORDS

    if not isinstance(made, SpectralMap):
        return WORDS[type(made)]
    ny, nx = made.frame.shape
    low, high = made.axis.span
    size = f"{ny} x {nx} {'pixel' if ny * nx == 1 else 'pixels'}, {counted(len(made.axis), 'channel')}"
    return f"{size} from {low:.5g} to {high:.5g} {made.axis.unit}"


def _view(options: argparse.Namespace) -> None:
    if not _has_display():
        raise UserError(
            "There is no display to open a window on; on a machine without a screen use 'run', which writes figures and a report."
        )
    if not _has_toolkit():
        raise UserError(f"No window can be opened: {NO_TOOLKIT}")
    from napari_wse2xai import io

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # the window shows them
        for file in options.files:
            io.list_items(file)  # says what is wrong here and now, where a window would open empty
    from napari_wse2xai.gui import window

    window.show(options.files)


def _theory_figures(options: argparse.Namespace) -> None:
    from napari_wse2xai.theory.evaluation import Conditions
    from napari_wse2xai.theory.findings import sentences
    from napari_wse2xai.theory_figures import write_theory_figures

    given = Conditions(fwhm_cm1=options.width, motion_k=options.motion, raman_k=options.temperature, laser_ev=options.laser)
    calculated = _calculated(options.calculation, options.step_fs)
    for sentence in sentences(write_theory_figures(options.output, options.material, given, calculated)):
        say(sentence)
    say(f"spectra     {options.output / 'theory.nc'}")


def _theory_part(options: argparse.Namespace) -> None:
    with _progress() as progress:
        lines = list(options.lines(options, progress))
    for line in lines:
        say(line)


def _count_pixels(made: "Results") -> None:
    """Say of every map how many of its pixels are flake, what was left out or filled, and how many fits are ok."""
    from napari_wse2xai.stages import Deconvolve

    for name, source in made.maps.items():
        if "flake" in source.metadata:
            say(f"flake       {name}: {source.metadata['flake']}")
    for name, peaks in made.peaks.items():
        say(f"fits        {name}: {Deconvolve.summary(peaks)}")


def _calculated(files: Sequence[Path], step_fs: float | None) -> "Calculated | None":
    from napari_wse2xai.io.calculations import read_calculated

    return read_calculated(files, step_fs) if files else None


def _name_outputs(folder: Path, places: tuple[str, ...] = ("",)) -> None:
    """Say where results lie, `places` within the folder, where figures, and where the report."""
    for place in places:
        say(f"results     {folder / place / 'results.nc'}")
    if any((folder / "figures").glob("*.svg")) or any(place and any((folder / place / "figures").glob("*.svg")) for place in places):
        say(f"figures     {folder / 'figures'}")
    say(f"report      {folder / 'report.html'}")


def _has_display() -> bool:
    """Tell whether a window can be opened; only systems with X11 or Wayland can lack a display."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _has_toolkit() -> bool:
    """Tell whether napari has what it draws windows with; ``pip install napari-wse2xai`` alone brings none."""
    from importlib.util import find_spec

    return any(find_spec(name) is not None for name in TOOLKITS)

"""Quantum ESPRESSO and ABINIT as programs of their own, where they are installed."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from napari_wse2xai.engines.inputs import Inputs
from napari_wse2xai.engines.inputs.settings import PROGRAMS
from napari_wse2xai.errors import DataError, SettingsError
from napari_wse2xai.progress import Progress, part, silent
from napari_wse2xai.theory.cell import HarmonicCell

_POLL_S = 0.2
_PATIENCE_S = 5.0
CALLED = ("Quantum ESPRESSO", "ABINIT")


def require_installed(settings: Inputs, tasks: Sequence[str]) -> None:
    """Refuse before any work what cannot be run here."""
    if settings.program not in CALLED:
        raise SettingsError(
            f"{settings.program} is not run from here, {' and '.join(CALLED)} are; take the inputs to where it is installed."
        )
    steps = PROGRAMS[settings.program].STEPS
    for task in tasks:
        if task not in steps:
            raise SettingsError(f"'{task}' is no task; use {', '.join(steps)}.")
        for program, _ in steps[task]:
            if shutil.which(program) is None:
                raise SettingsError(f"{program} of {settings.program} is not installed here; install it, or run the inputs elsewhere.")


def run_tasks(settings: Inputs, folder: Path, tasks: Sequence[str], cell: HarmonicCell | None = None, progress: Progress = silent) -> None:
    """Write the inputs, and run tasks one after the other; after ``relax`` the others are written again with its atoms.

    Parameters
    ----------
    folder : where the inputs come to lie
    progress : may raise `Cancelled`, which ends the program

    Raises
    ------
    DataError
        A program did not come to its end; its output stays where it is.
    """
    require_installed(settings, tasks)
    kind = PROGRAMS[settings.program]
    write_files(settings(cell), folder)
    for number, task in enumerate(tasks):
        shown = part(progress, number / len(tasks), (number + 1) / len(tasks), task)
        for step, (program, name) in enumerate(kind.STEPS[task]):
            _call(kind, program, name, folder / task, part(shown, step / len(kind.STEPS[task]), (step + 1) / len(kind.STEPS[task])))
        if task == "relax":
            write_files(
                {place: text for place, text in settings(_relaxed(settings, kind, folder, cell)).items() if "relax/" not in place}, folder
            )


def write_files(files: dict[str, str], folder: Path) -> None:
    """Write inputs."""
    for place, text in files.items():
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text(text, encoding="utf-8")


def _relaxed(settings: Inputs, kind: ModuleType, folder: Path, cell: HarmonicCell | None) -> HarmonicCell:
    job = settings.job(cell)
    path = folder / "relax" / f"{kind.STEPS['relax'][0][1]}{kind.OUTPUT}"
    found = kind.relaxed(path.read_text(encoding="utf-8", errors="replace"), len(job.cell.symbols))
    if found is None:
        raise DataError(f"'{path}' holds no relaxed atoms; look at its end, and allow more steps.")
    return replace(job.cell, positions=found)


def _call(kind: ModuleType, program: str, name: str, folder: Path, progress: Progress) -> None:
    out = folder / f"{name}{kind.OUTPUT}"
    with out.open("wb") as stream:
        options = {"cwd": folder, "stdin": subprocess.DEVNULL, "stdout": stream, "stderr": subprocess.STDOUT}
        process = subprocess.Popen([program, *kind.arguments(name)], **options)  # type: ignore[call-overload]
        try:
            _wait(process, program, progress)
        finally:
            _end(process)
    text = out.read_text(encoding="utf-8", errors="replace")
    reason = kind.reason(text)
    if reason or not any(sign in text for sign in kind.DONE):
        raise DataError(f"{program} did not come to its end in '{folder}': {_sentence(reason)} See '{out.name}' there.")


def _wait(process: "subprocess.Popen[bytes]", program: str, progress: Progress) -> None:
    """Wait, telling every now and then that it still runs; how far it is, these programs do not say."""
    while True:
        progress(0.0, f"{program} runs")
        try:
            process.wait(_POLL_S)
        except subprocess.TimeoutExpired:
            continue
        return


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _sentence(lines: Sequence[str]) -> str:
    words = " ".join(filter(None, (line.strip(" |%") for line in lines)))
    return f"{words[:200].rstrip('.')}." if words else "it gives no reason."

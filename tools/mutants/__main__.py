"""Plant faults, see which are caught: ``python tools/mutants`` or ``make mutants``.

What lives points at a promise that no test guards, or at code that makes no difference.  The package's files are left as they are.
Each fault is planted in a fork of its own: first of a process that has run every test once, where those that ran the line are run again;
what lives there, or cannot be planted there, is tried afresh in a fork of one that has loaded the libraries alone.
"""

import argparse
import importlib.machinery
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "napari_wse2xai"
ROOMS = ("learning", "explaining", "layers", "plots", "report")
TESTS = [
    "tests/learning", "tests/explaining", "tests/plots", "tests/report", "tests/data", "tests/test_layers.py", "tests/test_slider.py",
    "tests/test_arriving.py",
    "tests/test_learnt_forms.py", "tests/test_learnt_layers.py", "tests/test_theory_figures.py", "tests/test_theory_runs.py",
    "tests/stages/test_train.py", "tests/stages/test_explain.py", "tests/stages/test_simulate.py", "tests/stages/test_cross_checks.py",
    "tests/stages/test_compare_theory.py", "tests/stages/test_unfinished.py", "tests/test_borders.py",
    "tests/architecture/test_constants.py",
]  # fmt: skip
HEAVY = (
    "numpy scipy.optimize scipy.stats sklearn.ensemble sklearn.gaussian_process torch pandas xarray h5netcdf matplotlib.figure jinja2 "
    "skimage.measure hypothesis pydantic pybaselines _pytest.python pytestqt.plugin napari.utils.theme"
)
WANTED = 0.9
CAUGHT = ("caught", "endless")
"""What becomes of a fault that is noticed: a test fails, or goes on for far longer than without it."""
PATIENCE = 20
"""Seconds of the clock for a second of a processor, before a fault is given up."""


def main() -> None:
    """Read the command line, plant, and tell."""
    asked = arguments()
    rooms = [PACKAGE / room if (PACKAGE / room).exists() else PACKAGE / f"{room}.py" for room in asked.rooms]
    load_libraries()
    chance = random.Random(asked.seed)
    every = [fault for room in rooms for path in sorted(room.rglob("*.py") if room.is_dir() else [room]) for fault in faults_in(path)]
    chosen = chance.sample(every, min(asked.count, len(every)))
    begun = time.monotonic()
    left = untried(chosen, asked.results)
    print(f"{len(chosen)} of {len(every)} faults, {len(left)} of them not tried before", flush=True)
    known = learned(rooms, left, asked)
    left = untried(chosen, asked.results)
    print(f"{len(left)} to try afresh ({spent(begun)})", flush=True)
    for fault, became in afresh(left, known, asked):
        note(fault, became, asked.results)
    print(spent(begun), flush=True)
    sys.exit(tell(chosen, noted(asked.results)) < WANTED)


def spent(begun: float) -> str:
    """Time by the clock, which a busy machine stretches, and of a processor, with all forks that have ended."""
    return f"{time.monotonic() - begun:.0f} s, {sum(os.times()[:4]):.0f} s of a processor"


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="faults to plant")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rooms", nargs="+", default=ROOMS, help="parts of the package")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="tests to look for those that run a line in")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--seconds", type=float, default=20.0, help="of tests, at most, per fault: the nearest that run its line, then others"
    )
    parser.add_argument("--results", type=Path, help="file to which what becomes of a fault is added; what stands there is not tried again")
    asked = parser.parse_args()
    asked.results = asked.results or Path(tempfile.mkstemp(prefix="mutants")[1])
    return asked


def note(fault: "Fault", how: str, results: Path) -> None:
    """Add what became of a fault to the file of results, and tell it."""
    with results.open("a") as file:
        file.write(f"{how}\t{fault.start}\t{fault.told(ROOT)}\n")
    print(f"{how}: {fault.told(ROOT)}", flush=True)


def noted(results: Path) -> dict[tuple[str, str], str]:
    """What became of faults, by their places and words; of one tried again what became of it last."""
    lines = results.read_text().splitlines() if results.exists() else []
    return {(start, told): how for how, start, told in (line.split("\t", 2) for line in lines)}


def untried(faults: list["Fault"], results: Path) -> list["Fault"]:
    """Faults of which nothing stands in the file of results."""
    there = noted(results)
    return [fault for fault in faults if key(fault) not in there]


def key(fault: "Fault") -> tuple[str, str]:
    """By what the file of results knows a fault."""
    return str(fault.start), fault.told(ROOT)


def load_libraries() -> None:
    """What every test loads, once; nothing of the package."""
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    for name in HEAVY.split():
        importlib.import_module(name)
    assert not any(name.startswith("napari_wse2xai") for name in sys.modules)


def learned(rooms: list[Path], left: list["Fault"], asked: argparse.Namespace) -> "Known":
    """Which tests run which line, found in a process of its own, where faults are noted that tests catch which can be run again."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as out, os.fdopen(os.dup(1), "w", buffering=1) as heard:  # pytest takes the usual one

            def then(known: "Known", items: dict[str, Any]) -> None:
                sys.stdout = heard
                print(f"{len(items)} tests have run ({sum(os.times()[:4]):.0f} s of a processor)")
                for fault, how in again(left, known, items, asked):
                    note(fault, how, asked.results)
                out.write(known.to_json())

            watching = Watching(rooms, then)
            watching.begin()
            pytest.main(["-q", "-n", "0", "-p", "no:cacheprovider", *asked.tests], plugins=[watching])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as given:
        text = given.read()
    os.waitpid(child, 0)
    if not text:
        sys.exit("The tests must pass before faults are planted.")
    return Known.from_json(text)


def again(left: list["Fault"], known: "Known", items: dict[str, Any], asked: argparse.Namespace) -> Iterator[tuple["Fault", str]]:
    """Faults that are caught by tests run again, each in a fork of this process, and how."""

    def begin(fault: "Fault") -> tuple[int, float] | None:
        tests = enough(known.repeated(fault), known.again, asked.seconds)
        if not tests:
            return None
        seconds = 30 + 20 * sum(known.again[test] for test in tests)
        return warm.in_a_fork(lambda: warm.lives(fault, [items[test] for test in tests]), int(seconds)), seconds

    return ((fault, how) for fault, how in in_turns(left, begin, asked.jobs) if how in CAUGHT)


def afresh(left: list["Fault"], known: "Known", asked: argparse.Namespace) -> Iterator[tuple["Fault", str]]:
    """What becomes of faults where everything is loaded anew."""

    def begin(fault: "Fault") -> tuple[int, float] | None:
        tests = enough(known.of_fault(fault), known.seconds, asked.seconds)
        seconds = 90 + 10 * sum(known.seconds[test] for test in tests)
        return (warm.in_a_fork(lambda: passed(fault, tests), int(seconds)), seconds) if tests else None

    return in_turns(left, begin, asked.jobs)


def in_turns(faults: list["Fault"], begin: Callable[["Fault"], tuple[int, float] | None], jobs: int) -> Iterator[tuple["Fault", str]]:
    """Every fault and what became of it, as they come; some at once.

    What uses up its time of a processor, ten times what its tests take at least, goes round in a circle and is caught.  What stands still
    instead, had too small a share of a busy machine, or too little memory is not.
    """
    waiting, running = list(reversed(faults)), dict[int, tuple["Fault", float]]()
    while waiting or running:
        while waiting and len(running) < jobs:
            fault = waiting.pop()
            process = begin(fault)
            if process is None:
                yield fault, "no test"
            else:
                running[process[0]] = fault, time.monotonic() + PATIENCE * process[1]
        for child, (fault, until) in list(running.items()):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                del running[child]
                yield fault, outcome(status)
            elif time.monotonic() > until:
                os.kill(child, signal.SIGTERM)
        time.sleep(0.02)


def outcome(status: int) -> str:
    """What the end of a process says of its fault."""
    by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    return (
        "lives" if not status else {signal.SIGXCPU: "endless", signal.SIGTERM: "stands still", signal.SIGKILL: "killed"}.get(by, "caught")
    )


def enough(tests: list[str], takes: dict[str, float], seconds: float) -> list[str]:
    """The first tests that fit into some seconds together; one at least."""
    taken, total = [], 0.0
    for test in tests:
        if not taken or total + takes[test] <= seconds:
            taken.append(test)
            total += takes[test]
    return taken


def passed(fault: "Fault", tests: list[str]) -> bool:
    """Whether tests pass with a fault, where nothing of the package is loaded yet."""
    silence = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silence, stream)
    plant(fault)
    return not pytest.main(["-x", "-q", "-n", "0", "-p", "no:cacheprovider", *tests])


def plant(fault: "Fault") -> None:
    """Let the file be imported as if the fault stood in it."""
    usual = importlib.machinery.SourceFileLoader.get_code

    def get_code(self: importlib.machinery.SourceFileLoader, fullname: str) -> CodeType | None:
        if Path(self.path) == fault.path:
            return compile(fault.source, self.path, "exec", dont_inherit=True)
        return usual(self, fullname)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[method-assign]


def tell(chosen: list["Fault"], became: dict[tuple[str, str], str]) -> float:
    """What became of those of each room; the share of all that was caught."""
    how = [(fault.path.relative_to(PACKAGE).parts[0], became[key(fault)]) for fault in chosen]
    for room in (*sorted({room for room, _ in how}), "all"):
        counts = Counter(became for where, became in how if room in (where, "all"))
        caught, many = sum(counts[each] for each in CAUGHT), counts.total()
        print(f"{room:12} {caught:4} of {many:4} caught ({100 * caught / many:.1f} %): {dict(counts)}")
    return caught / many


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    import pytest
    import warm
    from cover import Known, Watching
    from faults import Fault, faults_in

    os.chdir(ROOT)
    main()

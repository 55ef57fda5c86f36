"""Plant faults, see which are caught: ``python tools/mutants`` or ``make mutants``.

What lives points at a promise that no test guards, or at code that makes no difference.  The package's files are left as they are.
Each fault is planted in a fork of its own: first of a process that has run every test once, where those that ran the line are run again;
what lives there, or cannot be planted there, is tried afresh in a fork of one that has loaded the libraries alone.
"""

import argparse
import importlib.machinery
import json
import os
import random
import signal
import sys
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
    "tests/test_learnt_forms.py", "tests/test_learnt_layers.py", "tests/test_theory_figures.py", "tests/test_theory_runs.py",
    "tests/stages/test_train.py", "tests/stages/test_explain.py", "tests/stages/test_simulate.py", "tests/stages/test_cross_checks.py",
    "tests/stages/test_compare_theory.py",
]  # fmt: skip
HEAVY = (
    "numpy scipy.optimize scipy.stats sklearn.ensemble sklearn.gaussian_process torch pandas xarray h5netcdf matplotlib.figure jinja2 "
    "skimage.measure hypothesis pydantic pybaselines _pytest.python pytestqt.plugin napari.utils.theme"
)
WANTED = 0.9


def main() -> None:
    """Read the command line, plant, and tell."""
    asked = arguments()
    rooms = [PACKAGE / room if (PACKAGE / room).exists() else PACKAGE / f"{room}.py" for room in asked.rooms]
    load_libraries()
    chance = random.Random(asked.seed)
    every = [fault for room in rooms for path in sorted(room.rglob("*.py") if room.is_dir() else [room]) for fault in faults_in(path)]
    chosen = chance.sample(every, min(asked.count, len(every)))
    begun = time.monotonic()
    print(f"{len(chosen)} of {len(every)} faults", flush=True)
    known, caught = learned(rooms, chosen, asked)
    left = [fault for number, fault in enumerate(chosen) if number not in caught]
    print(f"{len(caught)} caught by tests run again; {len(left)} afresh ({time.monotonic() - begun:.0f} s)", flush=True)
    lived = list(afresh(left, known, asked))
    tell(chosen, lived)
    print(f"{time.monotonic() - begun:.0f} s", flush=True)
    sys.exit(len(lived) > (1 - WANTED) * len(chosen))


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="faults to plant")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rooms", nargs="+", default=ROOMS, help="parts of the package")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="tests to look for those that run a line in")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seconds", type=float, default=20.0, help="of tests, at most, per fault: the quickest that run its line")
    return parser.parse_args()


def load_libraries() -> None:
    """What every test loads, once; nothing of the package."""
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    for name in HEAVY.split():
        importlib.import_module(name)
    assert not any(name.startswith("napari_wse2xai") for name in sys.modules)


def learned(rooms: list[Path], chosen: list["Fault"], asked: argparse.Namespace) -> tuple["Known", set[int]]:
    """Which tests run which line, and which faults those catch that can be run again, found in a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as out, os.fdopen(os.dup(1), "w", buffering=1) as heard:  # pytest takes the usual one

            def then(known: "Known", items: dict[str, Any]) -> None:
                heard.write(f"{len(known.again)} of {len(items)} tests can be run again\n")
                caught = []
                for fault in again(chosen, known, items, asked):
                    caught.append(chosen.index(fault))
                    heard.write(f"caught: {fault.told(ROOT)}\n")
                out.write(json.dumps([known.to_json(), caught]))

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
    known, caught = json.loads(text)
    return Known.from_json(known), set(caught)


def again(chosen: list["Fault"], known: "Known", items: dict[str, Any], asked: argparse.Namespace) -> Iterator["Fault"]:
    """Faults that are caught by tests run again, each in a fork of this process."""

    def begin(fault: "Fault") -> tuple[int, float] | None:
        tests = enough(known.repeated(fault.path, fault.line), known.again, asked.seconds)
        if not tests:
            return None
        child = warm.in_a_fork(lambda: not warm.plant(fault) or all(warm.passes(items[test]) for test in tests))
        return child, 30 + 20 * sum(known.again[test] for test in tests)

    return (fault for fault, caught in in_turns(chosen, begin, asked.jobs) if caught)


def afresh(chosen: list["Fault"], known: "Known", asked: argparse.Namespace) -> Iterator["Fault"]:
    """Faults that live where everything is loaded anew, told at once."""

    def begin(fault: "Fault") -> tuple[int, float] | None:
        tests = enough(known.of_line(fault.path, fault.line), known.seconds, asked.seconds)
        return (begun(fault, tests), 90 + 10 * sum(known.seconds[test] for test in tests)) if tests else None

    for fault, caught in in_turns(chosen, begin, asked.jobs):
        if not caught:
            print(f"lives: {fault.told(ROOT)}", flush=True)
            yield fault


def in_turns(faults: list["Fault"], begin: Callable[["Fault"], tuple[int, float] | None], jobs: int) -> Iterator[tuple["Fault", bool]]:
    """Every fault, and whether its process ended badly or not in time, as they come; some at once.  One with no process is not caught."""
    waiting, running = list(reversed(faults)), dict[int, tuple["Fault", float]]()
    while waiting or running:
        while waiting and len(running) < jobs:
            fault = waiting.pop()
            process = begin(fault)
            if process is None:
                yield fault, False
            else:
                running[process[0]] = fault, time.monotonic() + process[1]
        for child, (fault, until) in list(running.items()):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                del running[child]
                yield fault, status != 0
            elif time.monotonic() > until:
                os.kill(child, signal.SIGKILL)
        time.sleep(0.02)


def enough(tests: list[str], takes: dict[str, float], seconds: float) -> list[str]:
    """The first tests, for some seconds; one at least."""
    taken, total = [], 0.0
    for test in tests:
        total += takes[test]
        if taken and total > seconds:
            break
        taken.append(test)
    return taken


def begun(fault: "Fault", tests: list[str]) -> int:
    """Process that runs tests with a fault, and ends with 0 where all of them pass."""
    child = os.fork()
    if child:
        return child
    silence = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(silence, stream)
    plant(fault)
    os._exit(int(pytest.main(["-x", "-q", "-n", "0", "-p", "no:cacheprovider", *tests])))


def plant(fault: "Fault") -> None:
    """Let the file be imported as if the fault stood in it."""
    usual = importlib.machinery.SourceFileLoader.get_code

    def get_code(self: importlib.machinery.SourceFileLoader, fullname: str) -> CodeType | None:
        if Path(self.path) == fault.path:
            return compile(fault.source, self.path, "exec", dont_inherit=True)
        return usual(self, fullname)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[method-assign]


def tell(chosen: list["Fault"], lived: list["Fault"]) -> None:
    """How many of each room were caught."""
    rooms = Counter(fault.path.relative_to(PACKAGE).parts[0] for fault in chosen)
    alive = Counter(fault.path.relative_to(PACKAGE).parts[0] for fault in lived)
    for room, count in sorted(rooms.items()):
        print(f"{room:12} {count - alive[room]:4} of {count:4} caught")
    print(f"{'all':12} {len(chosen) - len(lived):4} of {len(chosen):4} caught ({100 * (1 - len(lived) / max(len(chosen), 1)):.0f} %)")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    import pytest
    import warm
    from cover import Known, Watching
    from faults import Fault, faults_in

    os.chdir(ROOT)
    main()

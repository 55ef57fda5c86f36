"""Plant faults, see which are caught: ``python tools/mutants`` or ``make mutants``.

What lives points at a promise that no test guards, or at code that makes no difference.  The package's files are left as they are: each
fault is compiled in a process of its own, forked from one that has loaded the libraries already.
"""

import argparse
import importlib.machinery
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "napari_wse2xai"
ROOMS = ("learning", "explaining", "layers", "plots", "report")
TESTS = [
    "tests/learning", "tests/explaining", "tests/plots", "tests/report", "tests/data", "tests/test_layers.py", "tests/test_slider.py",
    "tests/test_learnt_forms.py", "tests/test_theory_figures.py", "tests/stages/test_train.py", "tests/stages/test_explain.py",
    "tests/stages/test_simulate.py", "tests/stages/test_cross_checks.py", "tests/stages/test_compare_theory.py",
]  # fmt: skip
HEAVY = (
    "numpy scipy.optimize scipy.stats sklearn.ensemble sklearn.gaussian_process torch pandas xarray h5netcdf matplotlib.figure jinja2 "
    "skimage.measure hypothesis pydantic pybaselines _pytest.python pytestqt.plugin napari.utils.theme"
)
WANTED = 0.9


@dataclass
class Tried:
    """A fault that is being tried in a process."""

    fault: "Fault"
    until: float


def main() -> None:
    """Read the command line, plant, and tell."""
    asked = arguments()
    rooms = [PACKAGE / room if (PACKAGE / room).exists() else PACKAGE / f"{room}.py" for room in asked.rooms]
    load_libraries()
    known = Known.from_json(asked.known.read_text()) if asked.known and asked.known.exists() else learned(rooms, asked)
    chance = random.Random(asked.seed)
    every = [fault for room in rooms for path in sorted(room.rglob("*.py")) for fault in faults_in(path)]
    chosen = chance.sample(every, min(asked.count, len(every)))
    print(f"{len(chosen)} of {len(every)} faults", flush=True)
    lived = [fault for fault, caught in outcomes(chosen, known, asked) if not caught]
    tell(chosen, lived)
    sys.exit(len(lived) > (1 - WANTED) * len(chosen))


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="faults to plant")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rooms", nargs="+", default=ROOMS, help="parts of the package")
    parser.add_argument("--tests", nargs="+", default=TESTS, help="tests to look for those that run a line in")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seconds", type=float, default=40.0, help="of tests, at most, per fault: the quickest that run its line")
    parser.add_argument("--known", type=Path, help="file that keeps which tests run which line, so that the next run begins at once")
    return parser.parse_args()


def load_libraries() -> None:
    """What every test loads, once; nothing of the package."""
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"))
    for name in HEAVY.split():
        importlib.import_module(name)
    assert not any(name.startswith("napari_wse2xai") for name in sys.modules)


def learned(rooms: list[Path], asked: argparse.Namespace) -> "Known":
    """Which tests run which line, found in a process of its own."""
    target = asked.known or Path(os.devnull)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as out:
            out.write(learn(rooms, asked.tests).to_json())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as given:
        text = given.read()
    os.waitpid(child, 0)
    if not text:
        sys.exit("The tests must pass before faults are planted.")
    target.write_text(text)
    return Known.from_json(text)


def outcomes(chosen: list["Fault"], known: "Known", asked: argparse.Namespace) -> Iterator[tuple["Fault", bool]]:
    """Every fault, and whether it was caught, as they come."""
    waiting, running = list(reversed(chosen)), dict[int, Tried]()
    while waiting or running:
        while waiting and len(running) < asked.jobs:
            fault = waiting.pop()
            tests = enough(known, fault, asked.seconds)
            if tests:
                running[begun(fault, [test for test, _ in tests])] = Tried(fault, time.monotonic() + 90 + 10 * sum(s for _, s in tests))
            else:
                yield said(fault, False, "no test runs it")
        for child in list(running):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                yield said(running.pop(child).fault, status != 0)
            elif time.monotonic() > running[child].until:
                os.kill(child, signal.SIGKILL)
        time.sleep(0.05)


def said(fault: "Fault", caught: bool, why: str = "") -> tuple["Fault", bool]:
    """Tell at once what lives."""
    if not caught:
        print(f"lives: {fault.told(ROOT)} {why}", flush=True)
    return fault, caught


def enough(known: "Known", fault: "Fault", seconds: float) -> list[tuple[str, float]]:
    """The quickest tests of a line, for some seconds."""
    taken, total = [], 0.0
    for test in known.of_line(fault.path, fault.line):
        total += known.seconds[test]
        if taken and total > seconds:
            break
        taken.append((test, known.seconds[test]))
    return taken


def begun(fault: "Fault", tests: list[str]) -> int:
    """Process that runs tests with a fault, and ends with 0 where all of them pass."""
    child = os.fork()
    if child:
        return child
    import pytest

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
    from cover import Known, learn
    from faults import Fault, faults_in

    os.chdir(ROOT)
    main()

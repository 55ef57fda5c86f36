"""Which tests run which lines: what a fixture of a module or session does counts for every test that asks for it."""

import json
import os
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import warm
from faults import Fault

IMPORTED = ""
READS_MODULES = "tests/architecture/test_constants.py"
"""Looks at what every module holds once it is loaded: no line of it is run by that."""


@cache
def words(path: str) -> frozenset[str]:
    """Words of a file of tests."""
    return frozenset(re.findall(r"\w+", Path(path).read_text(encoding="utf-8")))


def in_turn(tests: Iterable[str], fault: Fault, takes: dict[str, float]) -> list[str]:
    """Tests whose file names what the fault stands in first, then those that name its module; of either the quickest first.

    Those that look at every module come before all: they take no time.
    """
    within = fault.within

    def turn(test: str) -> tuple[int, float]:
        said = words(test.split("::")[0])
        return 0 if test.startswith(READS_MODULES) else 1 if within & said else 2 if fault.path.stem in said else 3, takes[test]

    return sorted(tests, key=turn)


@dataclass
class Known:
    """Tests of every line, and seconds of every test; tests that run a line themselves, and seconds without what they share."""

    tests: dict[str, dict[int, list[str]]] = field(default_factory=dict)
    themselves: dict[str, dict[int, list[str]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    again: dict[str, float] = field(default_factory=dict)

    def of_fault(self, fault: Fault) -> list[str]:
        """Tests that run a line, in turn; for what is run on import, all that look at the module, name it or run its file.

        A class of settings is asked for its usual values without any line of its file being run.
        """
        lines = self.tests.get(str(fault.path), {})
        found = set(lines.get(fault.line, ()))
        if not found:
            within = fault.within
            looking = {test for test in self.seconds if test.startswith(READS_MODULES) or within & words(test.split("::")[0])}
            found = looking | {test for tests in lines.values() for test in tests}
        return in_turn(found, fault, self.seconds)

    def repeated(self, fault: Fault) -> list[str]:
        """Tests that run a line themselves, in turn, in the process that ran them."""
        return in_turn(self.themselves.get(str(fault.path), {}).get(fault.line, ()), fault, self.again)

    def to_json(self) -> str:
        """For a file."""
        return json.dumps({"tests": self.tests, "seconds": self.seconds})

    @classmethod
    def from_json(cls, text: str) -> "Known":
        """Back from a file, without what only the process that ran the tests knows."""
        read = json.loads(text)
        return cls({path: {int(n): tests for n, tests in lines.items()} for path, lines in read["tests"].items()}, seconds=read["seconds"])


class Watching:
    """A pytest plugin that notes for each test, and each longer-lived fixture, the lines that it runs, and then hands all over."""

    def __init__(self, rooms: list[Path], then: Callable[[Known, dict[str, pytest.Item]], None]) -> None:
        import coverage

        self._coverage = coverage.Coverage(
            data_file=None, include=[f"{room}/*" if room.is_dir() else str(room) for room in rooms], config_file=False
        )
        self._asked: dict[str, list[str]] = {}
        self._cost: dict[str, float] = {}
        self._stack: list[str] = [IMPORTED]
        self._then = then
        self.known = Known()

    def begin(self) -> None:
        """Before the package is imported."""
        self._coverage.start()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run every test, and leave everything as it then is."""
        if session.testsfailed:
            return True
        warm.keep_fixtures(session.items)
        failed = [item.nodeid for item in session.items if not self._passes(item)]
        session.testsfailed += len(failed)
        for name in failed:
            print(f"fails without any fault: {name}", flush=True)
        self._end()
        session.config.get_terminal_writer()._file = open(os.devnull, "w")  # noqa: SIM115 - of what runs from here on the end alone counts
        if not failed:
            self._then(self.known, {item.nodeid: item for item in session.items})
        return True

    def _passes(self, item: pytest.Item) -> bool:
        self._asked[item.nodeid] = list(item.fixturenames)  # type: ignore[attr-defined]
        begun, before = time.process_time(), sum(self._cost.values())
        self._go_to(item.nodeid)
        passed = warm.passes(item)
        self._back()
        self.known.seconds[item.nodeid] = time.process_time() - begun - (sum(self._cost.values()) - before)
        return passed

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        """Count what follows for a fixture that several tests share."""
        if fixturedef.scope == "function":
            return (yield)
        name = f"fixture {fixturedef.argname}"
        begun, before = time.process_time(), sum(self._cost.values())
        self._go_to(name)
        try:
            return (yield)
        finally:
            self._back()
            self._cost[name] = self._cost.get(name, 0.0) + time.process_time() - begun - (sum(self._cost.values()) - before)

    def _go_to(self, context: str) -> None:
        self._stack.append(context)
        self._coverage.switch_context(context)

    def _back(self) -> None:
        self._stack.pop()
        self._coverage.switch_context(self._stack[-1])

    def _end(self) -> None:
        self._coverage.stop()
        self.known.again = dict(self.known.seconds)  # fixtures are there, and cost nothing again
        data = self._coverage.get_data()
        users = defaultdict(list)
        for test, names in self._asked.items():
            for name in names:
                users[f"fixture {name}"].append(test)
            self.known.seconds[test] += sum(self._cost.get(f"fixture {name}", 0.0) for name in names)
        for path in data.measured_files():
            lines = data.contexts_by_lineno(path).items()
            self.known.tests[path] = {line: sorted({test for one in ran if one for test in users.get(one, [one])}) for line, ran in lines}
            self.known.themselves[path] = {line: sorted(one for one in ran if one in self._asked) for line, ran in lines}

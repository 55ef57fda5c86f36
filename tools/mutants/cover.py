"""Which tests run which lines: what a fixture of a module or session does counts for every test that asks for it."""

import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

IMPORTED = ""


@dataclass
class Known:
    """Tests of every line, seconds of every test."""

    tests: dict[str, dict[int, list[str]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def of_line(self, path: Path, line: int) -> list[str]:
        """Tests that run a line, the quickest first; for what is run on import, all that run anything of the file."""
        lines = self.tests.get(str(path), {})
        found = set(lines.get(line, ())) or {test for tests in lines.values() for test in tests}
        return sorted(found, key=lambda test: self.seconds.get(test, 0.0))

    def to_json(self) -> str:
        """For a file."""
        return json.dumps({"tests": self.tests, "seconds": self.seconds})

    @classmethod
    def from_json(cls, text: str) -> "Known":
        """Back from a file."""
        read = json.loads(text)
        return cls({path: {int(n): tests for n, tests in lines.items()} for path, lines in read["tests"].items()}, read["seconds"])


class Watching:
    """A pytest plugin that notes for each test, and each longer-lived fixture, the lines that it runs."""

    def __init__(self, rooms: list[Path]) -> None:
        import coverage

        self._coverage = coverage.Coverage(data_file=None, include=[f"{room}/*" for room in rooms], config_file=False)
        self._asked: dict[str, list[str]] = {}
        self._stack: list[str] = [IMPORTED]
        self.known = Known()

    def begin(self) -> None:
        """Before the package is imported."""
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        """Count what follows for a test."""
        self._asked[item.nodeid] = list(item.fixturenames)
        begun = time.process_time()
        self._go_to(item.nodeid)
        result = yield
        self._back()
        self.known.seconds[item.nodeid] = time.process_time() - begun
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        """Count what follows for a fixture that several tests share."""
        if fixturedef.scope == "function":
            return (yield)
        self._go_to(f"fixture {fixturedef.argname}")
        try:
            return (yield)
        finally:
            self._back()

    def _go_to(self, context: str) -> None:
        self._stack.append(context)
        self._coverage.switch_context(context)

    def _back(self) -> None:
        self._stack.pop()
        self._coverage.switch_context(self._stack[-1])

    def end(self) -> Known:
        """What was seen."""
        self._coverage.stop()
        data = self._coverage.get_data()
        users = defaultdict(list)
        for test, names in self._asked.items():
            for name in names:
                users[f"fixture {name}"].append(test)
        for path in data.measured_files():
            lines = data.contexts_by_lineno(path).items()
            self.known.tests[path] = {line: sorted({test for one in ran if one for test in users.get(one, [one])}) for line, ran in lines}
        return self.known


def learn(rooms: list[Path], tests: list[str]) -> Known:
    """Run tests and note what they run."""
    watching = Watching(rooms)
    watching.begin()
    if pytest.main(["-q", "-n", "0", "-p", "no:cacheprovider", *tests], plugins=[watching]) != 0:
        sys.exit("The tests fail without any fault planted.")
    return watching.end()

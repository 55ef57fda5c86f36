"""Faults planted in functions that are loaded already, where every test has run once: neither imports nor fixtures are paid again.

What was kept from before a fault (a fixture, a cached value) does not have it, so that what lives here has still to be tried afresh.
"""

import gc
import inspect
import os
import resource
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from types import CodeType, FunctionType
from typing import Any

import pytest
from _pytest.scope import Scope
from faults import Fault


def keep_fixtures(items: Sequence[pytest.Item]) -> None:
    """Let what the fixtures of a file made live as long as the session; those that undo something at their end stay as they are."""
    for item in items:
        for each in chain.from_iterable(item._fixtureinfo.name2fixturedefs.values()):  # type: ignore[attr-defined]
            if each.scope not in ("function", "session") and not inspect.isgeneratorfunction(each.func):
                each._scope = Scope.Session


def passes(item: pytest.Item) -> bool:
    """Run a test, once more where it has run before; what it shares with others stays."""
    parent, before = item.parent, item.session.testsfailed
    item.session._setupstate.teardown_exact(parent)  # type: ignore[arg-type]
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=parent)
    return item.session.testsfailed == before


def in_a_fork(work: Callable[[], bool], seconds: int | None = None) -> int:
    """Process that ends with 0 where some work gives True, and by SIGXCPU where that takes more seconds of a processor."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if seconds:
                resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 10))
            code = 0 if work() else 1
        finally:
            os._exit(code)
    return child


def lives(fault: Fault, items: Sequence[pytest.Item]) -> bool:
    """Whether no test fails because of a fault: one that fails without it too cannot be run again, and says nothing."""
    functions = plant(fault)
    for item in items if functions else ():
        if not passes(item):
            exchange(functions)
            if passes(item):
                return False
            exchange(functions)
    return True


def exchange(functions: list[list[Any]]) -> None:
    """Let every function have its other code."""
    for pair in functions:
        function, other = pair
        pair[1], function.__code__ = function.__code__, other


def plant(fault: Fault) -> list[list[Any]]:
    """Functions that a fault changes, which then have it, each with its code of before; none where it is in no function's body."""
    path = str(fault.path)
    old, new = (list(_codes(compile(source, path, "exec", dont_inherit=True))) for source in (fault.path.read_bytes(), fault.source))
    if len(old) != len(new):
        return []
    changed = [(a, b) for a, b in zip(old, new, strict=True) if a != b]
    own = [a for a, b in changed if _without_inner(a) != _without_inner(b)]
    if not own or not all(code.co_flags & 0x2 for code in own):  # CO_NEWLOCALS: a function, not the body of a class or file
        return []
    gc.unfreeze()  # what was frozen is not listed
    there = [each for each in gc.get_objects() if type(each) is FunctionType and each.__code__.co_filename == path]
    planted = []
    for function in there:
        for a, b in changed:
            if _place(function.__code__) == _place(a) and len(a.co_freevars) == len(b.co_freevars):
                planted.append([function, b])
                break
    exchange(planted)
    return planted


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _codes(const)


def _place(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno  # what has run is no longer equal to what was compiled anew


def _without_inner(code: CodeType) -> Any:
    consts = tuple(repr(const) for const in code.co_consts if not isinstance(const, CodeType))
    return code.co_code, consts, code.co_names, code.co_varnames, code.co_freevars

"""Every step of a run, as the files of this folder declare them: to add a stage is to add its file."""

from collections.abc import Iterator
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from napari_wse2xai.data import Components, PeakMaps, SpectralMap
from napari_wse2xai.stages._stage import Stage, Step


def steps_in(folder: list[str], package: str) -> tuple[type[Step], ...]:
    """Steps that the modules of a package declare, in their order."""
    modules = (import_module(f"{package}.{found.name}") for found in iter_modules(folder) if not found.name.startswith("_"))
    every = (each for module in modules for each in vars(module).values() if _is_step(each, module.__name__))
    return tuple(sorted(every, key=lambda step: step.order))


def _is_step(each: object, module: str) -> bool:
    return isinstance(each, type) and issubclass(each, Step) and each.__module__ == module and "order" in vars(each)


def on_one_map(steps: tuple[type[Step], ...]) -> Iterator[type[Stage[SpectralMap, Any]]]:
    """Those that are called with a map alone, as each modality has one."""
    return (step for step in steps if issubclass(step, Stage) and step.takes == (SpectralMap,))


def on_one_side(steps: tuple[type[Step], ...]) -> Iterator[type[Step]]:
    """Those that take a map, or a map and its peaks, and give another: what a recipe says of each modality."""
    return (step for step in steps if {SpectralMap, PeakMaps}.issuperset(step.takes) and step.gives in (SpectralMap, PeakMaps, Components))

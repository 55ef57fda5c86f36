"""Files for other programs: a module for each way out, found in this folder; window, command line and docs read what it declares.

A module declares an `Export`; the libraries behind it are imported when a file is written.
"""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.io.exporters._export import WORDS, Export

_MODULES = (import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__) if not found.name.startswith("_"))
EXPORTS: tuple[Export, ...] = tuple(each for module in _MODULES for each in vars(module).values() if isinstance(each, Export))
"""Every way out, by the names of their modules."""

__all__ = ["EXPORTS", "WORDS", "Export", "endings_for", "export", "required", "way_out"]


def endings_for(*kinds: type) -> tuple[str, ...]:
    """Endings of the files that one of some kinds can be written to."""
    return tuple(dict.fromkeys(ending for each in EXPORTS if set(kinds) & set(each.takes) for ending in each.endings))


def way_out(path: str | Path, kind: type) -> Export | None:
    """How something is written to a file of that name; None where it cannot be."""
    name = Path(path).name.lower()
    found = [(len(ending), each) for each in EXPORTS if kind in each.takes for ending in each.endings if name.endswith(ending)]
    return max(found, key=lambda one: one[0], default=(0, None))[1]


def required(path: str | Path, kind: type) -> Export:
    """How something is written to a file of that name.

    Raises
    ------
    SettingsError
        It cannot be written so; the sentence names the endings that it can have.
    """
    found = way_out(path, kind)
    if found is None:
        known = ", ".join(endings_for(kind))
        raise SettingsError(f"'{Path(path).name}': {WORDS[kind]} can be written to files that end in {known}; choose one of these.")
    return found


def export(artefact: object, path: str | Path) -> None:
    """Write something for other programs; the ending of the name says how, see `required`."""
    required(path, type(artefact)).write(artefact, Path(path).expanduser())

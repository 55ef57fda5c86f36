"""Processes that begin with all that a flake's job needs: a server loads it once, and they are copies of it."""

import gc
import importlib
import multiprocessing
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

NEEDED = (
    "napari_wse2xai.batch",
    "napari_wse2xai.numerics.blends",
    "napari_wse2xai.numerics.curvature",
    "napari_wse2xai.numerics.empty",
    "napari_wse2xai.numerics.moments",
    "napari_wse2xai.numerics.remedies",
    "napari_wse2xai.numerics.structure",
    "napari_wse2xai.numerics.threads",
    "napari_wse2xai.numerics.uncertainty",
    "napari_wse2xai.numerics.weak_lines",
    "napari_wse2xai.report._page",
    "napari_wse2xai.stages._fitting",
    "h5netcdf",
    "jinja2",
    "scipy.linalg",
    "scipy.ndimage",
    "scipy.sparse.linalg",
    "scipy.special",
    "threadpoolctl",
)
"""Modules that every job needs: to load them takes as long as some small flakes."""
FOR_FIGURES = ("napari_wse2xai.report._figures",)
"""And where figures are drawn."""
PRELOADED = "napari_wse2xai.preloaded"
"""Module that loads what every job needs: a server imports, and calls nothing."""
_LOOKED_AT = 2**16
"""Bytes of a recipe."""
_SEVERAL = re.compile(rb"^flakes\s*:", re.MULTILINE)


def server_context(*, figures: bool) -> Any:
    """How processes begin: from a server, where the system has such."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload([PRELOADED, *FOR_FIGURES * figures])
    return found


def load_needed() -> None:
    """Load what every job needs, and leave it alone: copies of this process share it, and look for garbage among their own objects."""
    with no_searches():
        for name in NEEDED:
            importlib.import_module(name)
    gc.freeze()


@contextmanager
def no_searches() -> Iterator[None]:
    """Load modules without Python's looking for garbage among them: that takes a quarter of the time to load torch."""
    searched = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searched:
            gc.enable()


def load_ahead(recipe: Path, *, figures: bool) -> None:
    """Let the server load while this process does, where a recipe seems to be of several flakes; else it begins when it is needed."""
    if server_context(figures=figures).get_start_method() != "forkserver" or not _is_of_several(recipe):
        return
    from multiprocessing import forkserver

    forkserver.ensure_running()


def _is_of_several(recipe: Path) -> bool:
    """Whether its beginning says so; what cannot be read is told by who reads it."""
    with suppress(OSError), recipe.open("rb") as file:
        return _SEVERAL.search(file.read(_LOOKED_AT)) is not None
    return False

"""What training needs is loaded in the background while its settings are still being chosen.

PyTorch and scikit-learn take seconds to load, and some of it holds up the window: better while nobody waits for anything.
"""

import gc
import importlib
import threading
from contextlib import suppress
from typing import Any
from weakref import WeakSet

from napari_wse2xai.gui.parts.two_llvms import keep_triton_out
from napari_wse2xai.progress import Progress

LOADING = "Loading PyTorch and scikit-learn…"
POLL_S = 0.1
_loading: list[threading.Thread] = []
_left_alone: WeakSet[Any] = WeakSet()
"""Layers among the objects in which no garbage is looked for."""


def begin() -> None:
    """Begin to load, once in a session; gives back at once."""
    if not _loading:
        thread = threading.Thread(target=_load_without_pauses, name="loading PyTorch and scikit-learn")
        _loading.append(thread)
        thread.start()


def begin_layers() -> None:
    """Begin to load what napari loads when it makes its first layer, while nobody waits for one."""
    threading.Thread(target=_load_for_layers, name="loading what layers need", daemon=True).start()


def _load_for_layers() -> None:
    for module in ("xarray", "skimage.color.colorconv"):
        with suppress(ImportError):
            importlib.import_module(module)
    with suppress(ImportError):
        importlib.import_module("vispy.visuals.line.dash_atlas").DashAtlas()  # dashes of lines, reckoned once: the first labels have one


def wait(progress: Progress) -> None:
    """Wait for what is being loaded: two threads that load the same modules in another order can meet half of one."""
    for thread in _loading:
        while thread.is_alive():
            progress(0.0, LOADING)
            thread.join(POLL_S)


def load() -> None:
    """Load all that a training loads, that which its parts load when they are first made included."""
    import torch

    keep_triton_out()
    torch.optim.AdamW([torch.zeros(1, requires_grad=True)])
    from napari_wse2xai.learning import reference_models
    from napari_wse2xai.learning.null_test import fast_model

    importlib.import_module("napari_wse2xai.learning.evaluation")
    reference_models()
    fast_model(1, 1)


def _load_without_pauses() -> None:
    """Load while Python looks for no garbage: among so many new objects every search would stop the window for a tenth of a second.

    What has been loaded stays, and is not looked through again: of 700,000 objects a search takes half a second.
    """
    searched = gc.isenabled()
    gc.disable()
    try:
        load()
    finally:
        if searched:
            _leave_alone()
            gc.enable()


def _leave_alone() -> None:
    """Have no garbage looked for among all that there is now, and know which layers are among it."""
    from napari import Viewer

    _left_alone.update(layer for viewer in list(Viewer._instances) for layer in viewer.layers)
    gc.freeze()


def let_go_of(layer: Any) -> None:
    """Let a layer that is gone be found by the next search, with all that it holds: it may be among what is left alone."""
    if layer in _left_alone:
        _left_alone.clear()
        gc.unfreeze()

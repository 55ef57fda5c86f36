"""What training needs is loaded in the background while its settings are still being chosen.

PyTorch and scikit-learn take seconds to load, and some of it holds up the window: better while nobody waits for anything.
"""

import gc
import importlib
import threading

from napari_wse2xai.gui.parts.two_llvms import keep_triton_out
from napari_wse2xai.progress import Progress

LOADING = "Loading PyTorch and scikit-learn…"
POLL_S = 0.1
_loading: list[threading.Thread] = []


def begin() -> None:
    """Begin to load, once in a session; gives back at once."""
    if not _loading:
        thread = threading.Thread(target=_load_without_pauses, name="loading PyTorch and scikit-learn")
        _loading.append(thread)
        thread.start()


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
    """Load while Python looks for no garbage: among so many new objects every search would stop the window for a tenth of a second."""
    searched = gc.isenabled()
    gc.disable()
    try:
        load()
    finally:
        if searched:
            gc.enable()

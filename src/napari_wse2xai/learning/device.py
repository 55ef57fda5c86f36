"""Where a network is trained, and how a run is made to repeat."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from threading import RLock

import torch

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.numerics.threads import single_thread

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose(name: str = "auto") -> torch.device:
    """Device of that name; ``auto`` takes a CUDA card, else Apple's GPU, else the processor.

    Raises
    ------
    SettingsError
        This machine, or this build of torch, has no such device.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        return torch.device(next(kind for kind, here in there.items() if here))
    if name.partition(":")[0] not in there:
        raise SettingsError(f"The device '{name}' is not known; use {', '.join(DEVICES[:-1])} or {DEVICES[-1]}.")
    if not there[name.partition(":")[0]]:
        raise SettingsError(f"There is no '{name}' device that torch can use on this machine; use device 'auto' or 'cpu'.")
    return torch.device(name)


_DRAWING = RLock()
"""Torch has one stream of random numbers for all threads."""


@contextmanager
def seeded(device: torch.device, seed: int) -> Iterator[None]:
    """Start torch's random numbers from `seed`, and give the caller's own back afterwards; one thread at a time."""
    cards = [device] if device.type == "cuda" else []
    with _DRAWING, torch.random.fork_rng(devices=cards):
        torch.manual_seed(seed)
        yield


@contextmanager
def alike(device: torch.device) -> Iterator[None]:
    """Work on one thread where the processor does it: as fast for tensors this small, and sums come out the same every time."""
    with single_thread() if device.type == "cpu" else nullcontext():
        yield

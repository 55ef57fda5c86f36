"""Raman and photoluminescence maps of 2D-material flakes: read, find the flake, deconvolve, pair, train, explain.

Everything public can be had from here; nothing is imported before it is asked for.

>>> import napari_wse2xai as w
>>> flake = w.make_flake("triangle")
>>> w.Despike()(flake.raman).repaired.sum() > 0
np.True_
"""

from importlib import import_module
from typing import Any

from napari_wse2xai._version import __version__

_HOME = {
    "napari_wse2xai.data": (
        "AxisKind",
        "Explanation",
        "Frame",
        "Level",
        "Medium",
        "Pairable",
        "PairedMaps",
        "PeakMaps",
        "Recovery",
        "Results",
        "Samples",
        "SpectralAxis",
        "SpectralMap",
        "Status",
        "TrainedModel",
        "Transform",
        "Verdict",
    ),
    "napari_wse2xai.engines": ("Dynamics", "Inputs", "Layer", "MolecularDynamics", "Phonons", "Raman", "Relax"),
    "napari_wse2xai.errors": (
        "Cancelled",
        "DataError",
        "DataWarning",
        "ReaderError",
        "SettingsError",
        "StopTraining",
        "UserError",
    ),
    "napari_wse2xai.io": ("list_items", "read", "read_flakes", "read_results", "write_map", "write_results"),
    "napari_wse2xai.session": ("Session",),
    "napari_wse2xai.stages": (
        "Baseline",
        "Calibrate",
        "Computed",
        "ConvertAxis",
        "CorrectResponse",
        "Decompose",
        "Deconvolve",
        "Despike",
        "Explain",
        "FindFlake",
        "Normalise",
        "Pair",
        "Peak",
        "Separate",
        "Simulate",
        "Train",
        "check_model",
        "compute",
    ),
    "napari_wse2xai.synthetic": ("make_flake", "make_pair"),
}
_WHERE = {name: home for home, names in _HOME.items() for name in names}

__all__ = ["__version__", *_WHERE]


def __getattr__(name: str) -> Any:
    """Import a public name where it lives, when it is first asked for (PEP 562)."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)

"""The libraries of the extra ``theory``, asked for by name so that their absence is one sentence."""

from importlib import import_module
from typing import Any

from napari_wse2xai.errors import ReaderError


def library(module: str, what: str) -> Any:
    """Import a module; where it is missing, say how to get it."""
    try:
        return import_module(module)
    except ImportError as error:
        package = module.partition(".")[0].replace("_", "-")
        raise ReaderError(f"{what} needs the package {package}: pip install 'napari-wse2xai[theory]'.") from error

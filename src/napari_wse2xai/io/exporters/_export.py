"""What a way out for other programs says of itself."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_wse2xai.data import Components, Explanation, PairedMaps, PeakMaps, Results, SpectralMap, TrainedModel
from napari_wse2xai.io.images import PlainImage

WORDS: dict[type, str] = {
    SpectralMap: "a map",
    PeakMaps: "peak maps",
    Components: "components",
    PairedMaps: "a pair",
    TrainedModel: "a trained model",
    Explanation: "an explanation",
    Results: "all results of a flake",
    PlainImage: "a picture",
}
"""Kinds of things that can be written, in the order in which they are listed."""


@dataclass(frozen=True)
class Export:
    """One kind of file: what it is called, what can be written so, and what does it."""

    name: str
    endings: tuple[str, ...]
    """Of file names, in small letters; the first is the usual one."""
    takes: tuple[type, ...]
    """Kinds that it writes, of `WORDS`."""
    write: Callable[[Any, Path], None]
    """Takes one of these and a path; the file appears complete or not at all."""
    holds: str
    """What lies in the file, for the docs."""
    opens: str
    """What opens it, for the docs."""
    as_seen: bool = False
    """Whether it is a picture: of a layer what is seen of it, not all that belongs to it."""
    is_folder: bool = False

"""What a table of a map has no column for: one header line of JSON, by which the table reads back the same."""

import base64
import json
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.data import history as histories
from napari_wse2xai.data.axis import Medium
from napari_wse2xai.errors import DataError, DataWarning
from napari_wse2xai.io.damage import PARSER_ERRORS

KEPT_KEY = "Map (napari-wse2xai)"
"""Header line with all of that."""


def kept_of(spectral_map: SpectralMap) -> str:
    """Name, air or vacuum, error of the axis, flake, repaired channels and history, as JSON."""
    axis, flake, repaired = spectral_map.axis, spectral_map.flake, spectral_map.repaired
    kept = {
        "name": spectral_map.name,
        "wavelengths_in": None if axis.medium is None else axis.medium.value,
        "axis_error": None if axis.error is None else axis.error.tolist(),
        "flake": None if flake is None else _text_of(np.packbits(flake)),
        "repaired": None if repaired is None else _text_of(repaired.astype("<u2")),
        "history": json.loads(histories.to_json(spectral_map.history)),
    }
    return json.dumps({key: value for key, value in kept.items() if value is not None})


def restored(found: SpectralMap, text: str) -> SpectralMap:
    """Map with what `kept_of` kept of it; as it is, with a warning, where that is damaged, or from another map."""
    try:
        kept: dict[str, Any] = json.loads(text)
        shape, error = found.frame.shape, kept.get("axis_error")
        medium = Medium(kept["wavelengths_in"]) if "wavelengths_in" in kept else None
        flake, repaired = (None if name not in kept else base64.b64decode(kept[name]) for name in ("flake", "repaired"))
        return replace(
            found,
            axis=replace(found.axis, medium=medium, error=None if error is None else np.array(error, dtype=np.float64)),
            name=str(kept["name"]),
            flake=None if flake is None else _bits(flake, shape),
            repaired=None if repaired is None else np.frombuffer(repaired, "<u2").astype(np.uint16).reshape(shape),
            history=histories.from_json(json.dumps(kept["history"])),
        )
    except (*PARSER_ERRORS, DataError):
        text = f"'{found.name}': the header line with its flake and history is damaged, or of another map; it is left out."
        warnings.warn(text, DataWarning, stacklevel=2)
        return found


def _text_of(values: NDArray[Any]) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")


def _bits(packed: bytes, shape: tuple[int, int]) -> NDArray[np.bool_]:
    return np.unpackbits(np.frombuffer(packed, np.uint8))[: shape[0] * shape[1]].astype(bool).reshape(shape)

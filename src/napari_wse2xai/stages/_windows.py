"""Spectral windows as settings."""

from typing import Annotated

from pydantic import AfterValidator

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.errors import DataError


def _ordered(window: tuple[float, float]) -> tuple[float, float]:
    if window[0] >= window[1]:
        raise ValueError(f"a window goes from low to high, not from {window[0]:g} to {window[1]:g}")
    return window


Window = Annotated[tuple[float, float], AfterValidator(_ordered)]
"""(low, high) in the axis unit."""


def channels(source: SpectralMap, window: tuple[float, float] | None, what: str) -> slice:
    """Channels of a window, or all of them; refuse a window that holds none."""
    if window is None:
        return slice(None)
    chosen = source.axis.between(*window)
    if chosen.stop <= chosen.start:
        low, high = source.axis.span
        raise DataError(
            f"'{source.name}' was measured from {low:.5g} to {high:.5g} {source.axis.unit}, so {what} "
            f"{window[0]:g} to {window[1]:g} holds no channel; choose a window inside the measured range."
        )
    return chosen

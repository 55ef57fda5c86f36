"""Maps as signals of HyperSpy, which is under the GPL: nothing here needs it but a call."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data.frame import Frame
from napari_wse2xai.errors import UserError

if TYPE_CHECKING:
    from napari_wse2xai.data.peak_maps import PeakMaps
    from napari_wse2xai.data.spectral_map import SpectralMap

_EVEN = 1e-6
"""Part of a step by which an axis may leave even steps and still count as even."""


def signal_of_map(source: "SpectralMap") -> Any:
    """``Signal1D`` with the places of the pixels as navigation axes and the spectral axis as signal axis, in their units."""
    axes = [*_places(source.frame), _axis("spectral", source.axis.values, source.axis.unit)]
    signal = _library().signals.Signal1D(np.asarray(source.counts), axes=axes)
    return _told(signal, source, "intensity", source.intensity_unit, laser_nm=source.axis.laser_nm)


def signal_of_peaks(peaks: "PeakMaps", parameter: str) -> Any:
    """``Signal2D`` with a picture of one parameter for each peak."""
    values = getattr(peaks, parameter)
    axes = [{"name": "peak", "size": len(values)}, *_places(peaks.frame)]
    signal = _library().signals.Signal2D(values, axes=axes)
    return _told(signal, peaks, parameter, peaks.unit(parameter), peaks=list(peaks.names))


def _library() -> Any:
    try:
        import hyperspy.api  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise UserError(
            "HyperSpy is not installed; run 'pip install hyperspy' (it is under the GPL, so it does not come with us)."
        ) from error
    return hyperspy.api


def _places(frame: Frame) -> list[dict[str, Any]]:
    along = zip(frame.directions, (frame.y_um, frame.x_um), strict=True)
    return [_axis(direction.name, values, direction.unit) for direction, values in along]


def _axis(name: str, values: NDArray[np.float64], unit: str) -> dict[str, Any]:
    """Axis as HyperSpy describes it: even where it is, else with all its values."""
    step = float(values[-1] - values[0]) / (len(values) - 1) if len(values) > 1 else 1.0
    even = values[0] + step * np.arange(len(values))
    if np.abs(values - even).max() <= _EVEN * abs(step):
        return {"name": name, "units": unit, "size": len(values), "offset": float(values[0]), "scale": step}
    return {"name": name, "units": unit, "axis": values}


def _told(signal: Any, artefact: Any, quantity: str, unit: str, **further: Any) -> Any:
    """Signal with its title, its quantity with unit, and what is known beside."""
    signal.metadata.General.title = artefact.name
    signal.metadata.set_item("Signal.quantity", f"{quantity} ({unit})")
    signal.original_metadata.add_dictionary({"metadata": dict(artefact.metadata), **further})
    return signal

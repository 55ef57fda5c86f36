"""What the Correlate panel works out, outside the GUI thread: correlations in words, and profiles."""

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Frame, PairedMaps, PeakMaps
from napari_wse2xai.data.map_values import MapValues, flags_of, values_of
from napari_wse2xai.errors import DataError, SettingsError, counted, sentence
from napari_wse2xai.numerics.conditions import Condition
from napari_wse2xai.numerics.correlation import Correlation, correlate
from napari_wse2xai.numerics.expressions import ExpressionError
from napari_wse2xai.numerics.outline import Scan
from napari_wse2xai.numerics.profiles import Profile, along_line, profile

Found = PeakMaps | PairedMaps
Pixels = NDArray[np.bool_]
Array = NDArray[np.float64]
LINE_SCAN = "A line scan does not tell how near the flake's edge lies beside it; draw a line along it instead."
NO_EDGE = "The flake has no edge within this scan, so that there is no distance from it; draw a line instead."


def holds(found: Found, text: str) -> Pixels:
    """Pixels (ny, nx) for which a condition holds; all of them where it is empty."""
    values, flags = values_of(found), flags_of(found)
    if not text.strip():
        return np.ones(found.frame.shape, dtype=bool)
    try:
        condition = Condition.of(
            text, list(values), list(flags), words=f"the quantities of the lists above ({next(iter(values))}, ...), ok, flake"
        )
    except ExpressionError as error:
        raise SettingsError(sentence(str(error)).rstrip(".") + ".") from None
    return condition.holds({name: each.values for name, each in values.items()}, flags)


def correlation_words(one: MapValues, other: MapValues, within: Pixels, frame: Frame) -> str:
    """Say how two quantities go together, by values and by ranks, and how sure that is."""
    x, y = (np.where(within, each.values, np.nan) for each in (one, other))
    found = correlate(x, y, frame.step_um)
    if not np.isfinite(found.r):
        return f"{counted(found.pixels, 'pixel')}: too few, or all alike; there is no correlation to speak of."
    by_rank = correlate(x, y, frame.step_um, ranks=True)
    return (
        f"r = {_number(found)}, 95 %: {found.low:.2f} to {found.high:.2f}, p {_p(found.p)}; "
        f"by ranks {_number(by_rank)}, p {_p(by_rank.p)}. "
        f"{found.pixels} pixels say as much as {found.independent:.0f} independent ones, for neighbours are alike."
    )


def _number(found: Correlation) -> str:
    return f"{found.r:.2f} ± {found.error:.2f}"


def _p(value: float) -> str:
    return "< 0.0001" if value < 1e-4 else f"= {value:.2g}"


def place_of(found: Found, line: Array | None, half_width_um: float) -> Array:
    """(ny, nx) um along a drawn line (corner, 2) in rows and columns, or from the flake's edge inwards where there is none."""
    frame = found.frame
    frame.require_places(found.name, "laid along a line")
    step = np.abs(frame.step_um)
    if line is not None:
        places = np.moveaxis(np.indices(frame.shape, dtype=np.float64), 0, -1) * step
        return along_line(places, line * step, half_width_um)
    if min(frame.shape) < 2:
        raise DataError(LINE_SCAN)
    flake = flags_of(found)["flake"]
    scan = Scan(flake, step, np.zeros(2), blur_um=0.5 * float(np.sqrt(np.prod(step))))
    if flake.all() or not flake.any() or not len(scan.outline):
        raise DataError(NO_EDGE)
    return np.asarray(scan.distance(scan.places))


def profiles_of(
    found: Found, what: list[MapValues], within: Pixels, line: Array | None, half_width_um: float, width_um: float
) -> list[tuple[MapValues, Profile]]:
    """Profiles of some quantities over pixels, by their place along a line or by their distance from the edge."""
    place = np.where(within, place_of(found, line, half_width_um), np.nan)
    return [(each, profile(each.values.astype(np.float64), place, width_um, found.frame.step_um, each.errors)) for each in what]

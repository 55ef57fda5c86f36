"""What the title of a column says: a unit of light, a coordinate, an intensity, or an error of one."""

import re
import warnings
from collections.abc import Iterable
from dataclasses import dataclass

from napari_wse2xai.data import Direction
from napari_wse2xai.data.axis import spectral_unit
from napari_wse2xai.data.frame import PLACE_UNIT
from napari_wse2xai.errors import DataError, DataWarning

_UNIT_OF_NAME = {
    "raman": "cm-1",
    "shift": "cm-1",
    "wavenumber": "cm-1",
    "wavenumbers": "cm-1",
    "wavelength": "nm",
    "wavelengths": "nm",
    "lambda": "nm",
    "λ": "nm",
    "energy": "eV",
}
_SPECTRAL_NAMES = frozenset({*_UNIT_OF_NAME, "wave", "spectral", "spectr"})
_INTENSITY_NAMES = frozenset(
    ["intensity", "intensities", "int", "counts", "count", "cts", "cnt", "ccd", "signal", "cps", "pl", "photons", "value", "amplitude"]
)
_ERROR_NAMES = frozenset(["error", "errors", "err", "sigma", "std", "stdev", "sd", "uncertainty", "uncertainties", "yerr", "dy"])
_UM_PER = {"um": 1.0, "µm": 1.0, "μm": 1.0, "micron": 1.0, "microns": 1.0, "mm": 1e3, "nm": 1e-3, "cm": 1e4, "m": 1e6}
_PLACES = {"x": "x", "y": "y", "z": "z", "depth": "z", "col": "x", "column": "x", "row": "y"}
_SERIES = {
    "time": ("time", "s"),
    "t": ("time", "s"),
    "elapsed": ("time", "s"),
    "temperature": ("temperature", "K"),
    "temp": ("temperature", "K"),
    "power": ("power", "mW"),
    "voltage": ("voltage", "V"),
    "point": ("point", ""),
    "spectrum": ("point", ""),
    "index": ("point", ""),
}
_OF_PLACES = frozenset(
    [
        "pos",
        "position",
        "positions",
        "map",
        "stage",
        "coord",
        "coords",
        "coordinate",
        "coordinates",
        "axis",
        "loc",
        "location",
        "scan",
        "sample",
    ]
)
_RATES = frozenset(["cps", "counts/s", "count/s", "cts/s", "cnt/s", "cnt/sec", "counts/sec", "counts per second", "1/s"])
_ARBITRARY = frozenset(["a.u.", "a.u", "au", "arb. units", "arb. u.", "arb.units", "arbitrary units", "normalized", "normalised"])
_NO_UNITS = frozenset(["counts", "cts", "cnt", "count", "int", "intensity", "x", "y", "z"])
_SQUARE = re.compile(r"^(?P<name>.*?)\s*[\[(/]\s*(?P<unit>[^\])]*?)\s*[\])]?\s*$")


@dataclass(frozen=True)
class Coordinate:
    """What a column of coordinates holds."""

    direction: Direction
    um_per_unit: float = 1.0
    """By which its values are multiplied to come out in the unit of the direction."""


def um_per(unit: str) -> float | None:
    """Micrometres per unit of length; None where it is none."""
    return _UM_PER.get(unit.strip().strip("()[]").lower())


def name_and_unit(title: str) -> tuple[str, str]:
    """Parts of a title: ``x (um)``, ``x [µm]``, ``Time / s``, ``x_um``; the unit may be empty."""
    plain = title.strip().strip("\"'#% ").strip()
    found = _SQUARE.match(plain)
    if found:
        return found["name"], found["unit"]
    stem, _, last = plain.rpartition("_")
    return (stem, last) if stem and last.lower() in _UM_PER else (plain, "")


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", re.sub(r"\bwave (?=number|length)", "wave", text.lower()))


def coordinate_of(title: str, unit: str = "") -> Coordinate | None:
    """Coordinate that a column's title names, with the unit of another line where the title has none; None where it names none."""
    name, own_unit = name_and_unit(title)
    words = _words(name)
    places = [word for word in words if word in _PLACES]
    if len(places) == 1 and all(word in _OF_PLACES for word in words if word not in places):
        if own_unit and um_per(own_unit) is None:
            return None
        return Coordinate(Direction(_PLACES[places[0]], PLACE_UNIT), um_per(own_unit or unit) or 1.0)
    if len(words) == 1 and words[0] in _SERIES:
        kind, usual = _SERIES[words[0]]
        return Coordinate(Direction(kind, own_unit or usual))
    return None


def unit_of_light(titles: Iterable[str]) -> str | None:
    """Unit of a spectral axis that the cells above a column tell, by a unit or by the name of the quantity; None where none does."""
    cells = [cell for cell in titles if cell.strip() and coordinate_of(cell) is None]
    for cell in cells:
        try:
            spectral_unit(cell)
        except DataError:
            continue
        return cell
    found = (_UNIT_OF_NAME[word] for cell in cells for word in _words(cell) if word in _UNIT_OF_NAME)
    return next(found, None)


def is_spectral(titles: Iterable[str]) -> bool:
    """Whether the cells above a column say that it is a spectral axis."""
    cells = [cell for cell in titles if not is_intensity([cell])]
    return unit_of_light(cells) is not None or any(word in _SPECTRAL_NAMES for cell in cells for word in _words(cell))


def is_intensity(titles: Iterable[str]) -> bool:
    """Whether the cells above a column say that it is an intensity."""
    return any(word in _INTENSITY_NAMES for cell in titles for word in _words(cell))


def is_error(titles: Iterable[str]) -> bool:
    """Whether the cells above a column say that it is an error."""
    return any(word in _ERROR_NAMES for cell in titles for word in _words(cell))


def unit_by_size(unit: str | None, largest: float, name: str) -> str | None:
    """Unit as told, or one with a prefix where a bare name (``Energy``, ``Wavelength``) cannot mean the usual one; a warning says so."""
    # No photon of a laboratory's laser has 20 eV, and no spectrum is taken up to 20 nm.
    by_size = {"eV": ("meV", largest > 20), "nm": ("um", largest < 20)}
    other, fits = by_size.get(unit or "", ("", False))
    if not fits:
        return unit
    warnings.warn(
        f"'{name}': its axis goes up to {largest:g}, which is taken as {other}: if that is wrong, give the unit when you load it.",
        DataWarning,
        stacklevel=2,
    )
    return other


def counts_unit(titles: Iterable[str]) -> str:
    """Unit of an intensity from the cells above its column: ``counts`` unless one tells another."""
    for title in titles:
        name, unit = name_and_unit(title)
        if not {title.strip().lower(), unit.lower()}.isdisjoint(_RATES):
            return "counts/s"
        if (unit or name).strip().lower() in _ARBITRARY:
            return "a.u."
        if any(map(str.isalpha, unit)) and unit.lower().strip(".") not in _NO_UNITS:
            return unit
    return "counts"

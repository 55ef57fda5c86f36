"""How long and how strongly a sample was lit, as files say it, and what intensities are counted per."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from napari_wse2xai.data.history import History

_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0, "min": 60.0, "h": 3600.0}
_MILLIWATTS = {"nw": 1e-6, "uw": 1e-3, "mw": 1.0, "w": 1e3}
_EXPOSURE = (  # one exposure is preferred to the sum of several
    r"exposure per frame",
    r"exposure( time)?",
    r"acq(uisition|\.)? ?time",
    r"(single )?(integration|accumulation) time( per frame)?",
    r"count(ing)? time",
)
_ACCUMULATIONS = (r"(number|no\.?) ?of accumulations?", r"accumulations?( number| count)?", r"(number of )?frames", r"n ?accum(ulations)?")
_POWER = (r"(laser|excitation|sample) ?power( (on|at) (the )?sample)?", r"power( (on|at) (the )?sample)?")
_FILTER = (r"nd ?filter", r"nd ?transmission", r"(filter )?optical density", r"(laser )?attenuat(or|ion)", r"laser power")
_GRATING = (r"grating", r"(grating )?groove density", r"grooves?( density)?")
_OBJECTIVE = (r"objective( name| lens)?", r"objective magnification", r"objective lens name")
_UNIT = re.compile(r"[(\[]\s*([^)\]]*?)\s*[)\]]\s*$")
_NUMBER = re.compile(r"^\s*[+]?(\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?|[.,]\d+)\s*(\S*)\s*$")


@dataclass(frozen=True)
class Acquisition:
    """How spectra were taken; None or empty where nobody says."""

    exposure_s: float | None = None
    """Of one accumulation."""
    accumulations: int | None = None
    power_mw: float | None = None
    """Of the laser; where on its way to the sample, the file's own words tell."""
    attenuation: str = ""
    """Filter in the laser's way, in the file's own words."""
    grating: str = ""
    objective: str = ""

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, str]) -> "Acquisition":
        """Read it from a file's own words, those of LabSpec, WITec, WiRE, SPC, HyperSpy, JASCO and their like.

        Units are read where they stand, in the key or behind the number; seconds and milliwatts where none does.
        """
        said = {_plain(key): (key, str(value).strip()) for key, value in metadata.items() if str(value).strip()}
        accumulations = _quantity(_found(said, _ACCUMULATIONS), {"": 1.0, "frames": 1.0, "times": 1.0}, "")
        power = _quantity(_found(said, _POWER), _MILLIWATTS, "mw")
        return cls(
            _quantity(_found(said, _EXPOSURE), _SECONDS, "s"),
            None if accumulations is None or accumulations < 1 else round(accumulations),
            power,
            _with_own_unit(_found(said, _FILTER if power is None else _FILTER[:-1])),
            _with_unit(_found(said, _GRATING), "gr/mm"),
            _with_unit(_found(said, _OBJECTIVE), "x"),
        )

    def facts(self) -> list[tuple[str, str]]:
        """What is known, in words with their titles."""
        exposure = "" if self.exposure_s is None else f"{self.exposure_s:g} s"
        if self.accumulations is not None:
            exposure = f"{exposure or '?'} × {self.accumulations}"
        return [
            (title, value)
            for title, value in (
                ("Exposure", exposure),
                ("Laser power", "" if self.power_mw is None else f"{self.power_mw:g} mW"),
                ("Laser filter", self.attenuation),
                ("Grating", self.grating),
                ("Objective", self.objective),
            )
            if value
        ]


def _plain(key: str) -> str:
    """Key without its unit and the groups that it lies in: ``Acquisition_instrument.Detector.exposure_time`` is ``exposure time``."""
    last = _UNIT.sub("", key).strip().rsplit(".", 1)
    name = last[-1] if len(last) > 1 and last[-1].strip() and " " not in last[-1] else _UNIT.sub("", key)
    owner = "laser " if len(last) > 1 and name == "power" and last[0].lower().endswith("laser") else ""
    return owner + re.sub(r"[_\s]+", " ", name).strip(" :=").lower()


def _found(said: Mapping[str, tuple[str, str]], words: tuple[str, ...]) -> tuple[str, str]:
    """Key and value of the first entry that one of some patterns names, the first pattern preferred."""
    entries = (entry for word in words for key, entry in said.items() if re.fullmatch(word, key))
    return next(entries, ("", ""))


def _quantity(entry: tuple[str, str], units: Mapping[str, float], usual: str) -> float | None:
    """Number in the unit that stands behind it, else in its key; None for no number above zero and for an unknown unit, such as percent."""
    number, in_key = _NUMBER.match(entry[1]), _UNIT.search(entry[0])
    if number is None:
        return None
    unit = number[2].strip("()[]") or (in_key[1] if in_key else usual)
    factor = units.get(unit.replace("µ", "u").replace("μ", "u").lower())
    value = float(number[1].replace(",", "."))
    return value * factor if factor is not None and value > 0 else None


def _with_unit(entry: tuple[str, str], unit: str) -> str:
    """Value as written, with a unit where it is a mere number."""
    value = entry[1]
    return f"{float(value):g} {unit}".replace(" x", "x") if re.fullmatch(r"\d+(\.\d+)?", value) else value


def _with_own_unit(entry: tuple[str, str]) -> str:
    """Value as written, with the unit of its key where it is a mere number."""
    unit = _UNIT.search(entry[0])
    return _with_unit(entry, unit[1]) if unit else entry[1]


_COUNTED = re.compile(r"\b(counts?|cnts?|cts)\b", re.IGNORECASE)
_RATE = re.compile(r"\b(cps|hz)\b|(/|\bper )\s*\(?\s*s(ec(onds?)?)?\b|\bs(ec)?\s*(\^|\*\*)?\(?-1", re.IGNORECASE)
COUNTS, RATE, NORMALISED = "counts", "counts/s", "counts/(s mW)"


def intensity_unit(text: str) -> str:
    """Write a unit of intensity in one way: ``Cnt``, ``CCD cts`` are counts, ``Cnt/sec``, ``cps``, ``Counts per second`` counts/s.

    What is neither, arbitrary units or a density per eV, comes back as it is.
    """
    plain = text.strip().replace("⁻¹", "-1").replace("−", "-")
    if "mw" in plain.lower() or re.search(r"\b(ev|nm|cm)\b", plain, re.IGNORECASE):
        return text
    if _RATE.search(plain):
        return RATE if _COUNTED.search(plain) or plain.lower().strip("()") == "cps" else text
    return COUNTS if _COUNTED.search(plain) else text


def is_rate(unit: str) -> bool:
    """Whether a unit is per second already."""
    return bool(_RATE.search(unit)) or NORMALISED in unit


def told_by(metadata: Mapping[str, str], history: History) -> Acquisition:
    """How a map was taken: what its file says, and over that what the user said to `Normalise`."""
    found = Acquisition.from_metadata(metadata)
    for record in history:
        if record.step == "Normalise":
            given: dict[str, Any] = {key: record.settings.get(key) for key in ("exposure_s", "power_mw")}
            found = replace(found, **{key: value for key, value in given.items() if value is not None})
    return found

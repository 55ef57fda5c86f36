"""The wavelength of the laser, from where the software of instruments writes it."""

import re
from collections.abc import Mapping

_WORDS = re.compile(r"laser|excit|^ex\.? ?wavelength", re.IGNORECASE)
_OTHERS = re.compile(r"power|mode|time|intens|attenu|pol|spot|temp|serial|energy|offset|width", re.IGNORECASE)
"""Of what else a laser has; a key with one of these words may still say the wavelength in so many words."""
_SAYS_WAVELENGTH = re.compile(r"wave ?_?length|wavel|\bline|_line|\bnm\b|_nm|\(nm\)", re.IGNORECASE)
_IN_NM = re.compile(r"(?<![\d.,])(\d+(?:[.,]\d+)?)\s*_?nm(?![a-z])", re.IGNORECASE)
_BARE = re.compile(r"\s*(\d+(?:[.,]\d+)?)\s*")
_BARE_KEYS = ("laser", "excitation")
_SHORTEST, _LONGEST = 150.0, 2500.0
"""nm: no laser for spectra of light lies beyond."""


def laser_in(texts: Mapping[str, str]) -> float | None:
    """Wavelength in nm that a file's own lines ``key: value`` name, such as ``EXCIT_LINE: 532.43`` or ``Laser: 532nm_Edge``."""
    named = {key: value for key, value in texts.items() if _WORDS.search(key)}
    with_unit = [_IN_NM.search(value) for key, value in named.items() if not _OTHERS.search(key) or _SAYS_WAVELENGTH.search(key)]
    bare = [_BARE.fullmatch(value) for key, value in named.items() if _SAYS_WAVELENGTH.search(key) or key.strip().lower() in _BARE_KEYS]
    numbers = (float(found[1].replace(",", ".")) for found in (*with_unit, *bare) if found)
    return next((number for number in numbers if _SHORTEST < number < _LONGEST), None)

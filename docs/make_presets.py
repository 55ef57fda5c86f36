"""Write the tables of peaks into docs/presets.md from the presets themselves: ``python docs/make_presets.py``.

A table goes between ``<!-- peaks: ws2-532 -->`` and ``<!-- end -->``, the list of all between ``<!-- presets -->`` and ``<!-- end -->``.
"""

import re
from pathlib import Path

from napari_wse2xai.recipe import Section, preset, preset_names
from napari_wse2xai.stages import Peak

PAGE = Path(__file__).with_name("presets.md")
_LIST = re.compile(r"(<!-- presets -->\n).*?(<!-- end -->)", re.DOTALL)
_PEAKS = re.compile(r"(<!-- peaks: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_UNITS = {"raman": "cm-1", "pl": "eV"}
WORDS = ("read", "second hand", "measured", "computed", "no source read")
_TOLD = rf"((?:{'|'.join(WORDS)})(?:[ ,;].+)?)"
_SOURCES = re.compile(rf"Position: {_TOLD}\. FWHM: {_TOLD}\.")


def filled(text: str) -> str:
    """Page with every table as the presets now are."""
    listed = _LIST.sub(lambda place: f"{place[1]}\n{_overview()}\n{place[2]}", text)
    return _PEAKS.sub(lambda place: f"{place[1]}\n{_table(place[2])}\n{place[3]}", listed)


def _overview() -> str:
    rows = [f"| `{name}` | {_names(preset(name).raman)} | {_names(preset(name).pl)} |" for name in preset_names()]
    return "\n".join(["| preset | Raman peaks | PL peaks |", "|---|---|---|", *rows, ""])


def _names(section: Section | None) -> str:
    if section is None or section.deconvolve is None:
        return "none"
    return ", ".join(f"({peak.name})" if peak.optional else peak.name for peak in section.deconvolve.peaks)


def _table(name: str) -> str:
    rows = [
        _row(peak, _UNITS[kind])
        for kind, section in preset(name).sections().items()
        if section.deconvolve is not None
        for peak in section.deconvolve.peaks
    ]
    return "\n".join(["| name | position | its source | FWHM | its source | window |", "|---|---|---|---|---|---|", *rows, ""])


def _row(peak: Peak, unit: str) -> str:
    shown = f"({peak.name})" if peak.optional else peak.name
    position, fwhm = sources(peak)
    return f"| {shown} | {peak.position:g} {unit} | {position} | {peak.fwhm:g} | {fwhm} | {peak.window[0]:g} to {peak.window[1]:g} |"


def sources(peak: Peak) -> tuple[str, str]:
    """Where position and FWHM of a preset's peak come from: each begins with one of ``WORDS``."""
    told = _SOURCES.fullmatch(peak.source)
    if told is None:
        raise ValueError(f"{peak.name}: '{peak.source}' does not tell of position and FWHM")
    return told[1], told[2]


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

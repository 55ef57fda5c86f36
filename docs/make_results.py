"""Write the tables of what results.nc holds into docs/results.md from the artefacts' declarations: ``python docs/make_results.py``.

A table goes between ``<!-- fields: PeakMaps -->`` and ``<!-- end -->``.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from napari_wse2xai.data import Components, Explanation, NullTest, PeakMaps, Recovery, Samples, SpectralMap, TrainedModel
from napari_wse2xai.data.declared import PIXEL, Declared, declared
from napari_wse2xai.theory.beside import TheoryBeside
from napari_wse2xai.theory.evaluation import TheoryResult

PAGE = Path(__file__).with_name("results.md")
_EVERY = (SpectralMap, Components, PeakMaps, Samples, TrainedModel, NullTest, Explanation, Recovery, TheoryResult, TheoryBeside)
KINDS = {kind.__name__: kind for kind in _EVERY}
_PLACE = re.compile(r"(<!-- fields: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_UNITS = {
    "{0.axis.unit}": "that of the axis",
    "{0.axis_unit}": "that of the axis",
    "{0.intensity_unit}": "that of the intensity",
    "{0.samples.axis_unit}": "that of the axis",
    "{0.samples.intensity_unit}": "that of the intensity",
    "{0.target_unit} per {0.samples.axis_unit}": "the target's per that of the axis",
    "{0.intensity_unit} {0.axis.unit}": "intensity times axis",
    "{0.target_unit}": "the target's",
    "{0.target_unit} per feature_unit": "the target's per the feature's",
    "feature_unit": "the feature's",
    "target_unit": "the target's",
    "": "",
}


def filled(text: str) -> str:
    """Page with every table as the artefacts now are."""
    return _PLACE.sub(lambda place: f"{place[1]}\n{_table(KINDS[place[2]])}\n{place[3]}", text)


def _table(kind: type) -> str:
    return "\n".join(["| variable | dimensions | unit | what it is |", "|---|---|---|---|", *_rows(kind), ""])


def _rows(kind: type) -> Iterator[str]:
    for each in declared(kind):
        if each.about.dims is None:
            continue
        for part in declared(each.record) if each.record else (each,):
            dims = (*each.about.dims, *(part.about.dims or ())) if each.record else each.about.dims
            yield _row(part, dims, each.about.group)


def _row(each: Declared, dims: tuple[str, ...], group: str) -> str:
    about = each.about
    shown = ", ".join(dims).replace(PIXEL, "y, x") if about.empty is not None else ", ".join(dims)
    told = [about.says] if about.says else []
    told += ["; ".join(f"{value} {word}" for value, word in {**about.flags, **about.masks}.items())] if about.flags or about.masks else []
    return f"| `{group}{'/' if group else ''}{each.name}` | {shown} | {_UNITS.get(about.unit, about.unit)} | {': '.join(told)} |"


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

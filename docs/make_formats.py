"""Write what readers and ways out declare to where it is looked up: ``python docs/make_formats.py``.

That is the index of readers (`io/readers/_index.py`, so that no reader is imported before a file of its format is opened), the patterns and
endings in the manifest (`napari.yaml`), and the tables of docs/formats.md.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from napari_wse2xai.io import exporters, readers
from napari_wse2xai.io.exporters import EXPORTS, WORDS
from napari_wse2xai.io.formats import TABLES, Format
from napari_wse2xai.io.images import PlainImage
from napari_wse2xai.io.readers import LABSPEC_BINARY

PACKAGE = Path(readers.__file__).parents[2]
INDEX, MANIFEST, PAGE = Path(readers.__file__).with_name("_index.py"), PACKAGE / "napari.yaml", Path(__file__).with_name("formats.md")
_WIDTH = 130
_INDEX_HEAD = '''"""Formats in the order in which they are tried, from what the files here declare (docs/make_formats.py).

Of those that share a suffix all must recognise their files, but a last one that says itself what is wrong with a file that it cannot read.
"""
'''


def formats() -> tuple[Format, ...]:
    """Every format that a module of the folder declares, in the order in which they are tried."""
    names = [found.name for found in iter_modules(readers.__path__) if not found.name.startswith("_")]
    modules = {name: import_module(f"{readers.__name__}.{name}") for name in names}
    every = [replace(each, module=name) for name, module in modules.items() for each in module.FORMATS]
    return tuple(sorted(every, key=lambda each: each.order))


def index() -> str:
    """Text of the index."""
    rows = "".join(f"    {_row(each)},\n" for each in formats())
    return f"{_INDEX_HEAD}\nfrom napari_wse2xai.io.formats import TABLES, Format\n\nFORMATS = (\n{rows})\n"


def _row(each: Format) -> str:
    patterns = "TABLES" if each.patterns == TABLES else f"({', '.join(map(_quoted, each.patterns))}{',' * (len(each.patterns) == 1)})"
    folder = ", is_folder=True" if each.is_folder else ""
    return f"Format({_quoted(each.name)}, {patterns}{folder}, module={_quoted(each.module)})"


def _quoted(text: str) -> str:
    return f'"{text}"'


def manifest(text: str) -> str:
    """Manifest with the patterns of all readers, and the endings of what a layer can be written to."""
    patterns = dict.fromkeys([*LABSPEC_BINARY, *(pattern for each in formats() for pattern in each.patterns)])
    listed = re.sub(r"filename_patterns: \[.*?\]", f"filename_patterns: [\n{_wrapped(list(patterns))}\n      ]", text, flags=re.DOTALL)
    images = [ending for each in EXPORTS for ending in each.endings]
    labels = [ending for each in EXPORTS if PlainImage in each.takes for ending in each.endings]
    for kind, endings in (("image", images), ("labels", labels)):
        place = re.compile(rf'(layer_types: \["{kind}"\]\n\s+filename_extensions: )\[[^\]]*\]')
        listed = place.sub(rf"\g<1>[{', '.join(map(_quoted, endings))}]", listed)
    return listed


def _wrapped(patterns: list[str]) -> str:
    lines = [""]
    for pattern in patterns:
        if len(lines[-1]) > _WIDTH:
            lines.append("")
        lines[-1] += f"{_quoted(pattern)}, "
    return ",\n".join(f"        {line.rstrip(', ')}" for line in lines)


def page(text: str) -> str:
    """Page with the tables of what is read and of what is written."""
    for name, rows in (("formats", _read_rows()), ("exports", _written_rows())):
        lines = "\n".join(rows)
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- end -->)", lambda place, lines=lines: f"{place[1]}\n{lines}\n\n{place[2]}", text, flags=re.DOTALL
        )
    return text


def _read_rows() -> Iterator[str]:
    yield "| format | suffixes | what is read | with | licence of that library |"
    yield "|---|---|---|---|---|"
    for each in formats():
        if each.holds:
            suffixes = ", ".join(f"`{pattern.removeprefix('*')}`" for pattern in each.patterns) + (" (a folder)" if each.is_folder else "")
            suffixes = "those of [text tables](#text-tables)" if each.patterns == TABLES else suffixes
            yield f"| {each.name} | {suffixes} | {each.holds} | {each.needs} | {each.licence} |"


def _written_rows() -> Iterator[str]:
    yield "| way out | endings | of what | what lies in it | what opens it |"
    yield "|---|---|---|---|---|"
    for each in exporters.EXPORTS:
        kinds = ", ".join(words for kind, words in WORDS.items() if kind in each.takes)
        yield f"| {each.name} | {', '.join(f'`{ending}`' for ending in each.endings)} | {kinds} | {each.holds} | {each.opens} |"


if __name__ == "__main__":
    INDEX.write_text(index(), encoding="utf-8")
    MANIFEST.write_text(manifest(MANIFEST.read_text(encoding="utf-8")), encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")

"""Figures, layers and pages as lines of text, beside files that a person has read: colours, words, limits and numbers of what is shown.

After a wanted change: ``LOOK_ANEW=1 make test PYTEST_ARGS=tests/report/test_read_report.py`` writes the files anew; read what git shows
of them, then commit them.
"""

import os
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import Collection, PathCollection
from matplotlib.colors import PowerNorm, to_hex
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

READ = Path(__file__).parent / "read"


def require_as_read(name: str, text: str) -> None:
    """Compare with the file of that name."""
    path = READ / f"{name}.txt"
    if os.environ.get("LOOK_ANEW"):
        path.write_text(text, encoding="utf-8")
    assert text.splitlines() == path.read_text(encoding="utf-8").splitlines()


def numbers(values: Any) -> str:
    """An array in short: its shape and how many are known; lowest, mean, highest; the first and the last, which tell its direction."""
    array = np.ma.filled(np.ma.asarray(values).astype(np.float64), np.nan)
    known = array[np.isfinite(array)]
    shape = "×".join(map(str, array.shape))
    if not known.size:
        return f"[{shape} none]"
    count = "" if known.size == array.size else f" ({known.size} known)"
    return f"[{shape}{count} {' '.join(map(short, (known.min(), known.mean(), known.max(), known[0], known[-1])))}]"


def short(value: Any) -> str:
    """Number to three digits; what is next to nothing is nothing."""
    return f"{0.0 if abs(value) < 1e-9 else float(value):.3g}"


def figure_text(figure: Figure) -> str:
    """What is seen of a figure."""
    lines = [f"figure {' × '.join(map(short, figure.bbox.size / figure.dpi))} {figure.get_suptitle()}"]
    for axes in figure.findobj(Axes):
        lines += [f"  {line}" for line in (_of_bar(axes) if hasattr(axes, "_colorbar") else _of_axes(axes))]
    for area in (figure, *figure.subfigs):
        lines += [f"  {_of_artist(each)}" for each in (*area.legends, *area.texts) if each is not figure._suptitle]
    return "\n".join(lines) + "\n"


def _of_bar(axes: Axes) -> Iterator[str]:
    bar = axes._colorbar  # type: ignore[attr-defined]
    yield f"colour bar {axes.get_ylabel() or axes.get_xlabel()} extend {bar.extend} {bar.orientation}{_offset(bar.long_axis)}"


def _of_axes(axes: Axes) -> Iterator[str]:
    titles = " | ".join(repr(axes.get_title(place)) for place in ("left", "center", "right") if axes.get_title(place))
    ratio = "" if axes.get_aspect() == "auto" else f" aspect {short(axes.get_aspect())}"
    place = "" if axes.get_figure(root=True).get_layout_engine() else f" at {' '.join(map(short, axes.get_position().bounds))}"
    yield f"axes{'' if axes.axison else ' off'} {titles}{ratio}{place} {to_hex(axes.get_facecolor())}"
    for name in "xy":
        axis = getattr(axes, f"{name}axis")
        span = " to ".join(map(short, getattr(axes, f"get_{name}lim")()))
        side = axis.get_label_position() if axis.get_label_text() else ""
        ticks = _ticks(axis) if _is_named(axis) else "" if len(axis.get_majorticklocs()) else "no ticks"
        yield f"  {name} {axis.get_label_text()!r} {side} {axis.get_scale()} {span} {ticks or ''}{_coloured(axis)}{_offset(axis)}"
    seen = [line for each in axes.get_children() if each.get_visible() and (line := _of_artist(each, axes))]
    for line, same in groupby(seen):
        many = len(list(same))
        yield f"  {f'{many} times ' if many > 1 else ''}{line}"
    yield from _of_patches([each for each in axes.patches if each.get_visible()])


def _ticks(axis: Any) -> list[str]:
    """Words at ticks that are seen; how many there are beyond either end depends on matplotlib's version."""
    low, high = sorted(axis.get_view_interval())
    labels = zip(axis.get_majorticklocs(), axis.get_majorticklabels(), strict=True)
    return [label.get_text() for place, label in labels if low <= place <= high and label.get_text()]


def _is_named(axis: Any) -> bool:
    return type(axis.get_major_formatter()).__name__ in ("FixedFormatter", "FuncFormatter", "NullFormatter")


def _offset(axis: Any) -> str:
    """Whether an offset would be written in a corner."""
    return "" if getattr(axis.get_major_formatter(), "get_useOffset", lambda: True)() else ", in full"


def _coloured(axis: Any) -> str:
    """Colour of the numbers, where it is not that of all."""
    colours = {to_hex(label.get_color()) for label in axis.get_majorticklabels()} - {"#000000"}
    return " ".join(["", *sorted(colours)])


def _of_patches(patches: list[Patch]) -> Iterator[str]:
    """Patches of one look together: where all of them lie."""

    def look(patch: Patch) -> str:
        colours = f"{_colour(patch.get_facecolor())} edge {_colour(patch.get_edgecolor())}"
        return f"{type(patch).__name__} {_name(patch)} {colours} {patch.get_hatch() or ''}"

    for words, same in groupby(patches, look):
        boxes = [each.get_path().transformed(each.get_patch_transform()).get_extents().extents for each in same]
        sides = " ".join(numbers(side) if len(boxes) > 1 else short(side[0]) for side in np.transpose(boxes))
        yield f"  {len(boxes)} {words} {sides}"


def _of_artist(artist: Any, axes: Axes | None = None) -> str:
    if isinstance(artist, Line2D):
        return _of_line(artist)
    if isinstance(artist, AxesImage):
        return _of_image(artist)
    if isinstance(artist, Collection) and axes is not None:
        where = artist.get_offsets().T if isinstance(artist, PathCollection) else _corners(artist).T
        faces, edges = ("".join(_colour(colour) for colour in found[:1]) for found in (artist.get_facecolor(), artist.get_edgecolor()))
        return f"{type(artist).__name__} {_name(artist)} {faces} edge {edges} {' '.join(map(numbers, where))}"
    if isinstance(artist, Legend):
        words = [text.get_text() for text in artist.get_texts()]
        return f"legend {artist._loc} {artist.get_title().get_text()} frame {artist.get_frame_on()}: {' | '.join(words)}"
    is_title = axes is not None and artist in (axes.title, axes._left_title, axes._right_title)
    return _of_text(artist) if isinstance(artist, Text) and artist.get_text() and not is_title else ""


def _corners(artist: Collection) -> Any:
    """(2, 2) lowest and highest place of what is drawn, in data."""
    boxes = [path.get_extents().extents for path in artist.get_paths() if len(path.vertices)]
    return np.concatenate([np.nanmin(boxes, axis=0)[:2], np.nanmax(boxes, axis=0)[2:]]).reshape(2, 2) if boxes else np.full((2, 2), np.nan)


def _of_image(image: AxesImage) -> str:
    values, colours = image.get_array(), image.get_cmap()
    alpha = "" if image.get_alpha() is None else f" alpha {image.get_alpha()}"
    name = "listed" if colours.name in ("unnamed", "from_list") else colours.name  # as matplotlib's versions call the nameless
    looks = f"{name} {to_hex(colours(0.0))}…{to_hex(colours(1.0))} {' to '.join(map(short, image.get_clim()))}"
    looks += f" to the power {image.norm.gamma}" if isinstance(image.norm, PowerNorm) else ""
    return (
        f"image {looks if values.ndim == 2 else ''} at {' '.join(map(short, image.get_extent()))} {image.origin} {numbers(values)}{alpha}"
    )


def _of_line(line: Line2D) -> str:
    marker = "" if line.get_marker() == "None" else f" marker {line.get_marker()}"
    alpha = "" if line.get_alpha() is None else f" alpha {line.get_alpha()}"
    dashes = f"{line.get_linestyle()} {line._unscaled_dash_pattern[1] or ''}".strip()
    x, y = line.get_data()
    return f"line {_name(line)} {to_hex(line.get_color())} {dashes}{marker}{alpha} {numbers(x)} {numbers(y)} {line.get_gid() or ''}"


def _of_text(text: Text) -> str:
    patch = text.get_bbox_patch()
    behind = "" if patch is None else f" on {_colour(patch.get_facecolor())}"
    place = " ".join(map(short, text.get_position()))
    return f"text {text.get_text()!r} at {place} {_colour(text.get_color())} {text.get_ha()} {text.get_va()}{behind} {text.get_gid() or ''}"


def _name(artist: Any) -> str:
    return "" if str(artist.get_label()).startswith("_") else repr(artist.get_label())


def _colour(colour: Any) -> str:
    return to_hex(colour, keep_alpha=True)


def layer_text(layer: tuple[Any, Mapping[str, Any], str]) -> str:
    """A layer tuple: what it is, its numbers, and every keyword."""
    data, keywords, kind = layer
    return "\n".join([f"{kind} {numbers(data)}", *(f"  {name}: {_of_value(keywords[name])}" for name in sorted(keywords))]) + "\n"


def _of_value(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return numbers(value) if value.size > 9 else str(np.vectorize(short)(value).tolist())
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_of_value(each)}" for key, each in value.items()) + "}"
    if isinstance(value, tuple | list):
        return f"({', '.join(map(_of_value, value))})"
    if hasattr(value, "part") and hasattr(value, "artefact"):
        return f"{type(value.artefact).__name__} {value.part!r} {value.flake}"
    return short(value) if isinstance(value, float) else str(value)

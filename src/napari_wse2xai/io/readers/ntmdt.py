"""NT-MDT files (``.mdt``): maps of spectra and single spectra; scans are pictures.

Row 0 is the top row as NT-MDT draws it, with the largest y.  Curves that are not spectra of light, such as I(V), are listed only.
"""

import warnings
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Frame, Picture, SpectralMap
from napari_wse2xai.errors import DataWarning
from napari_wse2xai.io import grid
from napari_wse2xai.io.axis_guess import settle_axis
from napari_wse2xai.io.damage import readable_as, warn_of_holes
from napari_wse2xai.io.formats import Format
from napari_wse2xai.io.items import Item, axis_text, choose, first_of
from napari_wse2xai.io.mdt import Content, Image, Other, Spectra, contents_of
from napari_wse2xai.io.told import Told, made_map

FORMATS = (
    Format(
        "NT-MDT",
        ("*.mdt",),
        order=50,
        holds="spectra on a grid, scans as pictures; other frames are named and left alone",
        needs="own parser",
    ),
)

_readable = partial(readable_as, "NT-MDT")


def items(path: Path) -> tuple[Item, ...]:
    """List all frames, those included that are no spectra."""
    with _readable(path):
        return tuple(_item(content) for content in contents_of(path))


def read(path: Path, item: str | None, told: Told) -> SpectralMap:
    """Read one frame of spectra."""
    with _readable(path):
        contents = contents_of(path)
        _warn_of_unknown(contents, path)
        chosen = choose([_item(content) for content in contents], item, path).name
        content = next(content for content in contents if content.about.name == chosen)
        assert isinstance(content, Spectra)
        result = _as_map(content, told)
    warn_of_holes(result.counts, result.name)
    return result


def pictures(path: Path) -> tuple[Picture, ...]:
    """Read all scans."""
    with _readable(path):
        contents = contents_of(path)
        _warn_of_unknown(contents, path)
        return tuple(_as_picture(content) for content in contents if isinstance(content, Image))


def _warn_of_unknown(contents: list[Content], path: Path) -> None:
    unknown = [f"'{content.about.name}' ({content.what})" for content in contents if isinstance(content, Other) and not content.is_known]
    if unknown:
        warnings.warn(f"'{path.name}': {len(unknown)} frames were skipped: {', '.join(unknown[:6])}.", DataWarning, stacklevel=2)


def _item(content: Content) -> Item:
    about = content.about
    known = partial(Item, about.name, laser_nm=about.laser_nm, date=about.date, objective=first_of(about.metadata, ("objective",)))
    if isinstance(content, Image):
        return known((*content.frame.shape, 1), "", what=f"picture ({content.unit or 'no unit'})", step_um=_step(content.frame))
    if isinstance(content, Other):
        return known(content.shape, "", what=content.what)
    shape = content.frame.shape if content.frame is not None else _shape_of(content)
    axis = axis_text(float(content.axis.min()), float(content.axis.max()), content.kind.code)
    step = _step(content.frame) if content.frame is not None else None
    return known((*shape, len(content.axis)), axis, is_map=content.n_spectra > 1, step_um=step)


def _step(frame: Frame) -> tuple[float, float]:
    return abs(frame.step_um[0]), abs(frame.step_um[1])


def _shape_of(content: Spectra) -> tuple[int, int]:
    """Rows and columns of spectra at points, found as for reading."""
    lines = None if content.yx_um is None else [grid.find_lines(values) for values in content.yx_um.T]
    if lines is None or lines[0] is None or lines[1] is None or lines[0].count * lines[1].count > 2 * content.n_spectra:
        return content.n_spectra, 1
    return lines[0].count, lines[1].count


def _as_map(content: Spectra, told: Told) -> SpectralMap:
    cube, frame = _placed(content)
    return made_map(
        cube,
        *settle_axis(content.axis, content.kind.code, given=told.unit, name=content.about.name),
        told,
        frame=frame,
        laser_nm=content.about.laser_nm,
        name=content.about.name,
        intensity_unit=content.intensity_unit,
        metadata={"Date": content.about.date, **content.about.metadata},
    )


def _placed(content: Spectra) -> tuple[NDArray[np.float32], Frame]:
    """Cube and frame, the row of largest y first."""
    values, name = content.load(), content.about.name
    if content.frame is not None:
        return values, content.frame
    if content.n_spectra == 1:
        y, x = content.yx_um[0] if content.yx_um is not None else (0.0, 0.0)
        return values[:, None, :], Frame((1, 1), (-1.0, 1.0), (float(y), float(x)))
    if content.yx_um is None:
        return grid.as_list(values, f"'{name}' has no positions")
    cube, frame = grid.place(values, content.yx_um[:, 0], content.yx_um[:, 1], name)
    (dy, dx), (y0, x0) = frame.step_um, frame.origin_um
    return np.ascontiguousarray(cube[::-1]), Frame(frame.shape, (-dy, dx), (y0 + dy * (frame.shape[0] - 1), x0))


def _as_picture(content: Image) -> Picture:
    about = content.about
    return Picture(content.frame, content.load(), about.name, content.unit, {"Date": about.date, **about.metadata})

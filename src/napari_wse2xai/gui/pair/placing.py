"""Where a layer was put on the canvas, as a transform of stage coordinates, and the other way round.

A frame whose stage coordinate falls along the rows is drawn with its sign turned, the user may have dragged, turned, mirrored or
stretched either layer, and layers may have sliders: all of it is in napari's own way from pixels to the canvas, and only that is used.
Matrices here are (3, 3), homogeneous, on (y, x, 1).
"""

import numpy as np
from napari import Viewer
from napari.layers import Layer
from numpy.typing import NDArray

from napari_wse2xai.data import Frame, Pairable, PairedMaps, PeakMaps, SpectralMap, Transform
from napari_wse2xai.data.transform import corners_um
from napari_wse2xai.gui.session import contents

Matrix = NDArray[np.float64]
EVEN = 1e-3
"""Stretch beyond which a transform is no mere shift, turn and mirror."""


def to_canvas(layer: Layer) -> Matrix:
    """Way from a layer's pixels (row, column) to the canvas, whatever was done to it there."""
    start = np.zeros(layer.ndim)
    zero = np.array(layer.data_to_world(start))[-2:]
    units = [np.array(layer.data_to_world(start + unit))[-2:] - zero for unit in np.eye(layer.ndim)[-2:]]
    return _homogeneous(np.stack(units, axis=1), zero)


def to_stage(frame: Frame) -> Matrix:
    """Way from the pixels of a frame to its stage coordinates in um."""
    return _homogeneous(frame.turn @ np.diag(frame.step_um), np.array(frame.origin_um))


def placed(layer: Layer, frame: Frame, fixed: Layer, fixed_frame: Frame) -> Transform:
    """Transform from the stage coordinates of a layer to those of a fixed one that makes them lie as they do on the canvas."""
    way = to_stage(fixed_frame) @ np.linalg.inv(to_canvas(fixed)) @ to_canvas(layer) @ np.linalg.inv(to_stage(frame))
    return Transform(way[:2, :2], way[:2, 2])


def place(layer: Layer, frame: Frame, fixed: Layer, fixed_frame: Frame, transform: Transform) -> None:
    """Put a layer where `placed` gives a transform."""
    way = _homogeneous(transform.matrix, transform.offset)
    put(layer, to_canvas(fixed) @ np.linalg.inv(to_stage(fixed_frame)) @ way @ to_stage(frame))


def put(layer: Layer, wanted: Matrix) -> None:
    """Give a layer another way from its pixels to the canvas, by the same means as dragging it: its affine transform."""
    whole = np.array(layer.affine.affine_matrix, dtype=np.float64)
    own = np.linalg.inv(whole[-3:, -3:]) @ to_canvas(layer)
    whole[-3:, -3:] = wanted @ np.linalg.inv(own)
    layer.affine = whole


def mirror(layer: Layer, frame: Frame) -> None:
    """Turn left and right of a layer round, about its middle."""
    flip = _homogeneous(np.diag([1.0, -1.0]), np.array([0.0, frame.shape[1] - 1.0]))
    put(layer, to_canvas(layer) @ flip)


def unmove(layer: Layer) -> None:
    """Put a layer back where it was scanned."""
    layer.affine = np.eye(layer.ndim + 1)


def moved(layer: Layer) -> bool:
    """Whether a layer was dragged or turned on the canvas."""
    return not np.allclose(layer.affine.affine_matrix, np.eye(layer.ndim + 1), atol=1e-9)


def by_hand(viewer: Viewer, source: Pairable) -> Transform | None:
    """Where the PL map lies on the canvas; the selected layer counts, also one of a former pair of the same maps."""
    fixed, active = layer_of(viewer, source.raman), viewer.layers.selection.active
    if fixed is None:
        return None
    shown = None if active is None else contents.shown(active)
    if (
        active is not None
        and shown is not None
        and isinstance(shown.artefact, PairedMaps)
        and shown.artefact.raman is source.raman
        and shown.part != "RS"
    ):
        return placed(active, shown.artefact.frame, fixed, source.raman.frame).after(shown.artefact.transform)
    moving = layer_of(viewer, source.pl)
    return None if moving is None else placed(moving, source.pl.frame, fixed, source.raman.frame)


def rounded(transform: Transform) -> Transform:
    """Without digits that no stage has."""
    return Transform(transform.matrix.round(9), transform.offset.round(6))


def layer_of(viewer: Viewer, peaks: PeakMaps) -> Layer | None:
    """Layer that says where peaks lie: the selected one of them, else one that was moved, else any."""
    ours = [layer for layer in viewer.layers if _shows(layer, peaks)]
    active = [layer for layer in ours if layer is viewer.layers.selection.active]
    return next(iter([*active, *filter(moved, ours), *ours]), None)


def _shows(layer: Layer, peaks: PeakMaps) -> bool:
    """Whether a layer shows peaks, or the map that they were fitted to."""
    shown = contents.shown(layer)
    if shown is None or not isinstance(shown.artefact, PeakMaps | SpectralMap):
        return False
    return shown.artefact is peaks or (isinstance(shown.artefact, SpectralMap) and _same_scan(shown.artefact, peaks))


def _same_scan(source: SpectralMap, peaks: PeakMaps) -> bool:
    return source.frame == peaks.frame and source.name == peaks.name and source.axis.kind is peaks.axis.kind


def beginning(raman: Frame, pl: Frame) -> Transform:
    """Where to begin by hand: at the stage's coordinates where the scans then touch, else with one middle on the other."""
    ours, others = corners_um(raman), corners_um(pl)
    apart = (ours.min(axis=0) > others.max(axis=0)) | (others.min(axis=0) > ours.max(axis=0))
    return Transform(np.eye(2), ours.mean(axis=0) - others.mean(axis=0)) if apart.any() else Transform.identity()


def words(transform: Transform) -> str:
    """Say what a transform does to the PL map."""
    said = [f"turned {transform.rotation_deg:.1f}°"]
    if transform.mirrored:
        said.append("mirrored")
    first, second = np.linalg.svd(transform.matrix, compute_uv=False)
    if first - second > EVEN:
        said.append(f"stretched unevenly by {first:.3f} and {second:.3f}")
    elif abs(transform.scale - 1) > EVEN:
        said.append(f"scaled by {transform.scale:.3f}")
    return ", ".join(said)


def _homogeneous(matrix: Matrix, offset: Matrix) -> Matrix:
    whole = np.eye(3)
    whole[:2, :2], whole[:2, 2] = matrix, offset
    return whole

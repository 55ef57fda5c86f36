"""Landmarks by mouse: RS and PL side by side, places clicked on one and on the other in turns."""

import numpy as np
from napari import Viewer
from napari.layers import Layer, Points
from numpy.typing import NDArray
from qtpy.QtCore import QObject, QTimer, Signal

from napari_wse2xai.data import Pairable, PeakMaps
from napari_wse2xai.data.transform import pixel_coordinates
from napari_wse2xai.errors import SettingsError
from napari_wse2xai.gui.pair.placing import put, to_canvas, to_stage, unmove
from napari_wse2xai.gui.parts.message_label import BAD, NOTE
from napari_wse2xai.stages.pair import Landmarks

NAMES = ("landmarks RS", "landmarks PL")
FEWEST = 3
GAP = 0.08
"""Between the two maps, in parts of the RS map's width."""
DIGITS = 4
"""Of a place in um: a click is not surer than that."""


class LandmarkClicks(QObject):
    """Says where to click next, and what the clicks give; the rest of the layers is left to the panel."""

    told = Signal(str, str)
    """What to do next, and the severity to say it in."""
    given = Signal(object)
    """`Landmarks`, whenever there are enough."""

    def __init__(self, viewer: Viewer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self._maps: tuple[Layer, ...] = ()
        self._peaks: tuple[PeakMaps, ...] = ()
        self._points: tuple[Points, ...] = ()
        self._soon = QTimer(self)  # the next layer is selected when the mouse's click is done with
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self.go_on)

    @property
    def going_on(self) -> bool:
        """Whether places are being clicked."""
        return bool(self._points) and all(points in self.viewer.layers for points in self._points)

    @property
    def counts(self) -> tuple[int, ...]:
        """Clicks on RS and on PL."""
        return tuple(len(points.data) for points in self._points)

    def begin(self, layers: tuple[Layer, Layer], source: Pairable) -> None:
        """Put the PL layer beside the RS layer, and wait for the first click."""
        self.end()
        self._maps, self._peaks = layers, (source.raman, source.pl)
        self._put_beside()
        self._points = tuple(self._new_points(name) for name in NAMES)
        self.viewer.reset_view()
        self.go_on()

    def _put_beside(self) -> None:
        """Shift the PL layer, upright, to the right of the RS layer, middles at one height."""
        moving = self._maps[1]
        unmove(moving)
        ours, others = (_canvas_corners(layer, peaks) for layer, peaks in zip(self._maps, self._peaks, strict=True))
        right = ours[:, 1].max() + GAP * np.ptp(ours[:, 1]) - others[:, 1].min()
        down = ours[:, 0].mean() - others[:, 0].mean()
        shifted = to_canvas(moving)
        shifted[:2, 2] += (down, right)
        put(moving, shifted)

    def _new_points(self, name: str) -> Points:
        size = 0.03 * float(np.ptp(_canvas_corners(self._maps[0], self._peaks[0]), axis=0).max())
        points: Points = Points(
            np.empty((0, 2)),
            name=name,
            size=size,
            face_color="transparent",
            border_color="yellow",
            border_width=0.15,
            symbol="disc",
            features={"number": np.empty(0, int)},
            text={"string": "{number}", "color": "yellow", "size": 14, "anchor": "upper_left"},
            units=("um", "um"),
            axis_labels=("y", "x"),
        )
        self.viewer.add_layer(points)
        points.events.data.connect(lambda _: self._soon.start(0))
        return points

    def take_back(self) -> None:
        """Forget the last click."""
        if not self.going_on or not any(self.counts):
            return
        raman, pl = self._points
        last = pl if self.counts[0] == self.counts[1] else raman
        last.data = last.data[:-1]

    def go_on(self) -> None:
        """Number the places, select the layer that is to be clicked next, and say so."""
        if not self.going_on:
            return
        for index, points in enumerate(self._points):
            if not (on_map := self._on_map(index)).all():  # a click on the other map, or beside both
                points.data = points.data[on_map]
            points.features = {"number": np.arange(1, len(points.data) + 1)}
        turn = 0 if self.counts[0] <= self.counts[1] else 1
        for points in self._points:
            points.mode = "pan_zoom"
        self.viewer.layers.selection.active = self._points[turn]
        self._points[turn].mode = "add"
        self._tell(turn)

    def _tell(self, turn: int) -> None:
        number = self.counts[turn] + 1
        where = f"Click place {number} on RS (magenta, left)." if turn == 0 else f"Click the same place, {number}, on PL (green, right)."
        if min(self.counts) < FEWEST:
            self.told.emit(where, NOTE)
            return
        found = self.landmarks()
        try:
            spread = misfit_um(found)
        except SettingsError as error:
            self.told.emit(f"{error} {where}", BAD)
            return
        self.given.emit(found)
        agree = f"The {len(found.pl_um)} pairs agree within {spread:.2f} µm."
        self.told.emit(f"{agree} Press Run, or go on: {where}" if turn == 0 else f"{agree} {where}", NOTE)

    def landmarks(self) -> Landmarks:
        """Pairs clicked so far, in stage coordinates."""
        whole = min(self.counts)
        raman, pl = (self._places(index)[:whole] for index in (0, 1))
        return Landmarks(pl_um=_tuples(pl), raman_um=_tuples(raman))

    def _places(self, index: int) -> NDArray[np.float64]:
        """Stage coordinates (n, 2) of what was clicked on one map."""
        points, layer, frame = self._points[index], self._maps[index], self._peaks[index].frame
        canvas = np.array([points.data_to_world(place)[-2:] for place in points.data]).reshape(-1, 2)
        way = to_stage(frame) @ np.linalg.inv(to_canvas(layer))
        return np.asarray(canvas @ way[:2, :2].T + way[:2, 2])

    def _on_map(self, index: int) -> NDArray[np.bool_]:
        """Which of the places (n,) lie on the map that they were clicked for."""
        frame = self._peaks[index].frame
        pixels = pixel_coordinates(frame, self._places(index))
        return np.asarray(((pixels >= -0.5) & (pixels <= np.array(frame.shape) - 0.5)).all(axis=-1))

    def end(self) -> None:
        """Take the points off; where the PL layer lies is left to the panel."""
        for points in self._points:
            if points in self.viewer.layers:
                self.viewer.layers.remove(points)
        self._points = ()


def misfit_um(landmarks: Landmarks) -> float:
    """Root mean square distance at which the landmarks miss one another; three leave one number of six to tell."""
    off = landmarks.start().apply(landmarks.pl_um) - np.array(landmarks.raman_um)
    return float(np.sqrt((off**2).sum(axis=1).mean()))


def _canvas_corners(layer: Layer, peaks: PeakMaps) -> NDArray[np.float64]:
    """Where the corner pixels (4, 2) lie on the canvas."""
    rows, columns = peaks.frame.shape
    pixels = np.array([(row, column) for row in (0, rows - 1) for column in (0, columns - 1)], dtype=np.float64)
    way = to_canvas(layer)
    return np.asarray(pixels @ way[:2, :2].T + way[:2, 2])


def _tuples(places: NDArray[np.float64]) -> tuple[tuple[float, float], ...]:
    return tuple((round(float(y), DIGITS), round(float(x), DIGITS)) for y, x in places)

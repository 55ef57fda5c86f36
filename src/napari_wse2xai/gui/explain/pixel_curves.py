"""From a place on the flake to a pixel of the samples, and to its ICE curve."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QObject

from napari_wse2xai.data import NETWORK, Explanation, TrainedModel
from napari_wse2xai.gui.parts.run import Runner

if TYPE_CHECKING:
    from napari_wse2xai.explaining import Subject

Numbers = NDArray[np.float64]


class PixelCurves(QObject):
    """Curves of all pixels: asked of the explained model where it is in the window, else that of the nearest pixel whose curve was kept."""

    def __init__(self, explanation: Explanation, model: TrainedModel | None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        from scipy.spatial import cKDTree

        self.explanation, self.model = explanation, model
        samples = explanation.samples
        apart = 1e6 * samples.flake[:, None]  # um: no pixel is nearer on another flake
        self._places = np.hstack([samples.coordinates_um, apart])
        self._kept = cKDTree(self._places[explanation.pixels])
        self._rows = [np.full(frame.shape, -1, dtype=np.int64) for frame in samples.frames]
        for row, (flake, y, x) in enumerate(zip(samples.flake, samples.row, samples.column, strict=True)):
            self._rows[flake][y, x] = row
        self._explained: Any = None
        self._subject: Subject | None = None
        self.loader = Runner(self)
        if self.answers:
            self.loader.finished.connect(self._take)
            self.loader.start(lambda progress: self.explained(), f"loading the {explanation.model_words}")

    def _take(self, fitted: object) -> None:
        self._explained = fitted

    @property
    def answers(self) -> bool:
        """Whether the model that was explained is in the window, so that it can be asked more."""
        return self.model is not None and self.explanation.target in self.model.weights

    def explained(self) -> Any:
        """Return the explained model, loaded where it is not yet (takes seconds the first time: not for the window's own thread)."""
        if self._explained is None and self.model is not None:
            return _fitted(self.model, self.explanation.target, self.explanation.model)
        return self._explained

    def subject(self) -> "Subject":
        """The model that was explained with the pixels of the samples, for questions; made once, not in the window's own thread."""
        from napari_wse2xai.explaining import Subject

        if self._subject is None:
            self._subject = Subject.of(self.explained(), self.explanation.samples.features)
        return self._subject

    def network(self) -> "Subject":
        """The network with the pixels of the samples, whichever model was explained: it alone looks at wavenumbers."""
        from napari_wse2xai.explaining import Subject

        assert self.model is not None
        if self.explanation.model == NETWORK:
            return self.subject()
        return Subject.of(_fitted(self.model, self.explanation.target, NETWORK), self.explanation.samples.features)

    @property
    def exact(self) -> bool:
        """Whether every pixel has a curve of its own."""
        return self._explained is not None

    def row(self, flake: int, pixel: tuple[int, int]) -> int | None:
        """Row of the samples of a pixel on the grid; None where nothing was learnt."""
        found = int(self._rows[flake][pixel])
        return None if found < 0 else found

    def curve(self, row: int, feature: int) -> tuple[Numbers, float]:
        """ICE curve (grid,) of a pixel, and the pixel's own value of the parameter."""
        explanation = self.explanation
        samples = explanation.samples
        column = samples.feature_names.index(explanation.features[feature])
        if self._explained is None:
            nearest = int(self._kept.query(self._places[row])[1])
            row = int(explanation.pixels[nearest])
            return explanation.ice[feature, nearest], float(samples.features[row, column])
        table = np.repeat(samples.features[row][None], explanation.pdp_grid.shape[1], axis=0)
        table[:, column] = explanation.pdp_grid[feature]
        return np.asarray(self._explained.predict(table), dtype=np.float64), float(samples.features[row, column])

    def spread(self, chosen: NDArray[np.bool_], flake: int) -> NDArray[np.uint8]:
        """Labels on a flake's grid: 1 at the pixels of the chosen curves (curve,), and at those that they stand for, 0 elsewhere."""
        nearest = self._kept.query(self._places)[1]
        rows = self._rows[flake]
        return np.where(rows >= 0, chosen[nearest][rows], False).astype(np.uint8)

    def within(self, regions: list[NDArray[np.generic]]) -> NDArray[np.bool_]:
        """Which curves (curve,) belong to pixels in regions: one (ny, nx) for each flake, not 0 where chosen."""
        samples, pixels = self.explanation.samples, self.explanation.pixels
        found = [bool(regions[f][y, x]) for f, y, x in zip(samples.flake[pixels], samples.row[pixels], samples.column[pixels], strict=True)]
        return np.array(found, dtype=bool)


def _fitted(model: TrainedModel, target: str, name: str) -> Any:
    from napari_wse2xai.learning.explainable import model_of

    fitted = model_of(model, target, name)
    fitted.predict(model.samples.features[:2])  # the first call costs most
    return fitted

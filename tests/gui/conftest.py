"""A small map that is quick to work on, and a way to let Qt work until something holds."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QEvent

from napari_wse2xai.data import AxisKind, Frame, PeakMaps, SpectralMap
from napari_wse2xai.gui.main_widget import MainWidget
from napari_wse2xai.gui.parts.docked import Docked
from napari_wse2xai.gui.session import kept_trainings
from napari_wse2xai.numerics.lineshapes import lorentzian
from napari_wse2xai.stages import Deconvolve, Peak

SHAPE = (12, 16)
FRAME = Frame(SHAPE, (0.5, 0.25), (10.0, 20.0), "flake")


def make_small(kind: AxisKind = AxisKind.RAMAN_SHIFT, name: str = "small") -> SpectralMap:
    """One line on a flake of 8 x 10 pixels; every pixel's height is its own."""
    axis = np.linspace(200.0, 300.0, 101) if kind is AxisKind.RAMAN_SHIFT else np.linspace(1.5, 1.8, 61)
    middle, width = (250.0, 6.0) if kind is AxisKind.RAMAN_SHIFT else (1.65, 0.05)
    flake = np.zeros(SHAPE, bool)
    flake[2:10, 3:13] = True
    heights = np.where(flake, 1000.0 + np.arange(flake.size).reshape(SHAPE), 0.0)
    noise = np.random.default_rng(1).normal(0, 3, (*SHAPE, len(axis)))
    counts = lorentzian(axis, middle, width, heights[..., None]) + 20 + noise
    return SpectralMap.from_arrays(counts, axis, kind, frame=FRAME, name=name, laser_nm=532.0)


@pytest.fixture(autouse=True)
def nothing_left(qapp) -> Iterator[None]:
    """End every widget of a test before the next begins: one that is left meets events of windows that it knows nothing of."""
    yield
    for widget in qapp.topLevelWidgets():
        if isinstance(widget, Docked):
            widget.set_listening(False)
            widget.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qapp.processEvents()


@pytest.fixture(autouse=True)
def unfinished(monkeypatch, tmp_path) -> Path:
    """Folder that interrupted trainings are kept in, instead of the user's own."""
    monkeypatch.setattr(kept_trainings, "shelf", lambda: tmp_path / "unfinished")
    return tmp_path / "unfinished"


@pytest.fixture
def small() -> SpectralMap:
    """Raman map."""
    return make_small()


@pytest.fixture
def light() -> SpectralMap:
    """PL map on the same place."""
    return make_small(AxisKind.ENERGY, "light")


@pytest.fixture(scope="session")
def one_line() -> Deconvolve:
    return Deconvolve(peaks=(Peak(name="A1'", position=249.5, fwhm=5, window=(210, 290)),))


@pytest.fixture(scope="session")
def small_peaks(one_line: Deconvolve) -> PeakMaps:
    """Peak maps of the small map, fitted at every pixel so that no flake is needed."""
    return one_line(make_small())


@pytest.fixture
def settle(qtbot) -> Callable[..., None]:
    """Let Qt work until a condition holds."""

    def wait(condition: Callable[[], object] = lambda: True, timeout: int = 20_000) -> None:
        qtbot.wait(20)
        qtbot.waitUntil(lambda: bool(condition()), timeout=timeout)
        qtbot.wait(20)

    return wait


@pytest.fixture
def panels(make_napari_viewer) -> Iterator[MainWidget]:
    """The dock in a window of its own."""
    viewer = make_napari_viewer()
    widget = MainWidget(viewer)
    viewer.window.add_dock_widget(widget)
    yield widget
    widget.close()

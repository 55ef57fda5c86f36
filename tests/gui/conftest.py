"""A small map that is quick to work on, a window to work in, and a way to let Qt work until something holds."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from weakref import WeakKeyDictionary

import numpy as np
import pytest
from napari import Viewer
from napari._qt.layer_controls import qt_layer_controls_container
from napari._qt.qt_viewer import QtViewer
from napari._vispy import canvas
from napari.utils.events import EventEmitter
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QFrame

from napari_wse2xai.data import AxisKind, Frame, PeakMaps, SpectralMap
from napari_wse2xai.gui.main_widget import MainWidget
from napari_wse2xai.gui.parts import preloading
from napari_wse2xai.gui.parts.docked import Docked
from napari_wse2xai.gui.parts.turns import all_idle
from napari_wse2xai.gui.session import kept_trainings
from napari_wse2xai.gui.session import layers as session_layers
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


def end_docks(qapp) -> None:
    """End every widget of ours."""
    for widget in qapp.topLevelWidgets():
        if isinstance(widget, Docked):
            widget.set_listening(False)
            widget.deleteLater()
    qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qapp.processEvents()


@pytest.fixture(autouse=True)
def nothing_left(qapp) -> Iterator[None]:
    """End every widget of a test before the next begins: one that is left meets events of windows that it knows nothing of."""
    yield
    end_docks(qapp)


@pytest.fixture(scope="session", autouse=True)
def no_collecting() -> Iterator[None]:
    """Keep napari from calling the garbage collector for every layer that goes, to free a graphics card that is not there; and keep what a
    test has made from being left alone by it for ever."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preloading, "gc", SimpleNamespace(isenabled=lambda: False, disable=lambda: None))
        patch.setattr(canvas, "gc", SimpleNamespace(collect=lambda: 0))
        yield


@pytest.fixture(scope="session", autouse=True)
def remembered_signatures() -> Iterator[None]:
    """Ask once what each method takes: napari looks anew whenever a layer is connected and disconnected, a third of what a layer costs."""
    asked, known = EventEmitter._check_signature, WeakKeyDictionary[Callable[..., object], bool]()

    def takes_event(callback: Callable[..., object]) -> bool:
        method = getattr(callback, "__func__", None)
        if method is None:
            return asked(callback)
        if method not in known:
            known[method] = asked(callback)
        return known[method]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EventEmitter, "_check_signature", staticmethod(takes_event))
        yield


@pytest.fixture(autouse=True)
def no_layer_controls(request, monkeypatch) -> None:
    """Leave out napari's own controls of a layer, half of what one costs: no test asks them; windows of its own have them."""
    if not request.node.get_closest_marker("own_window"):
        monkeypatch.setattr(qt_layer_controls_container, "create_qt_layer_controls", lambda layer: QFrame())


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
        qtbot.waitUntil(lambda: bool(condition()) and all_idle(), timeout=timeout)
        qtbot.wait(20)

    return wait


def listening(viewer: Viewer) -> list[str]:
    """What hears of something in a window beside napari itself."""
    groups = (viewer.layers.events, viewer.dims.events, viewer.scene.camera.events, viewer.events)
    hear = [each for group in groups for emitter in group.emitters.values() for each in emitter.callbacks]
    mouse = (viewer.mouse_move_callbacks, viewer.mouse_drag_callbacks, viewer.mouse_wheel_callbacks, viewer.mouse_double_click_callbacks)
    hear += [each for callbacks in mouse for each in callbacks]
    owners = [type(each[0]()) if isinstance(each, tuple) else each for each in hear]
    return [str(owner) for owner in owners if owner.__module__.split(".")[0] not in ("napari", "vispy", "builtins")]


def state(viewer: Viewer) -> dict[str, str]:
    """What else a test may leave in a window for the next."""
    passing = {"layers", "status", "help", "cursor", "mouse_over_canvas"}
    return {name: repr(value) for name, value in viewer.model_dump(exclude=passing).items()}


def empty(viewer: Viewer) -> None:
    """Take out of a window what a test has put there."""
    viewer.window.remove_dock_widget("all")
    viewer.layers.clear()
    known = session_layers._KNOWN.pop(viewer, None)
    if known is not None:
        known.let_go()
    viewer.window._qt_window.hide()
    viewer.scene.reset()
    viewer.canvas.overlays.scale_bar.visible = False
    brush = viewer.canvas.overlays["_brush_circle"]  # as large as the brush that was last in use
    brush.size = type(brush)().size
    viewer.dims.ndisplay, viewer.dims.axis_labels, viewer.theme = 2, ("-2", "-1"), "dark"


@pytest.fixture(scope="session")
def common_window(qapp) -> Iterator[tuple[Viewer, dict[str, str]]]:
    """One window for all tests that need none of their own, and how it was: napari takes half a second to make one, a quarter to end it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("napari._qt.threads.status_checker.StatusChecker.start", lambda self: None)
        viewer = Viewer(show=False, show_welcome_screen=False)
        QtViewer._instances.clear()  # napari's own fixture takes for a leak what it did not make
        yield viewer, state(viewer)
        viewer.close()


@pytest.fixture
def viewer(request, qapp, common_window) -> Iterator[Viewer]:
    """An empty window; for a test marked `own_window` a new one, of which napari sees to it that nothing holds it when it is closed."""
    if request.node.get_closest_marker("own_window"):
        yield request.getfixturevalue("make_napari_viewer")()
        return
    viewer, was = common_window
    yield viewer
    end_docks(qapp)
    empty(viewer)
    qapp.processEvents()
    assert listening(viewer) == [], "something still listens to the window"
    assert state(viewer) == was, "the window is not as it was found"


@pytest.fixture
def panels(viewer) -> Iterator[MainWidget]:
    """The dock's content; in a dock it would work alike, and Qt would take half a second to lay napari's style on its thousand parts."""
    widget = MainWidget(viewer)
    yield widget
    widget.close()

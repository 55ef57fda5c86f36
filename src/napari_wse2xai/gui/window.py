"""A napari window with everything in its place: for the command line, the docs' pictures and the tests."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from napari import Viewer

from napari_wse2xai.gui.contributions import read_layers


def show(files: Iterable[Path]) -> None:
    """Open a window with files and stay until it is closed."""
    import napari

    open_window(files)
    napari.run()


def screenshot(files: Iterable[Path], target: Path) -> None:
    """Write a picture of the whole window with files."""
    from qtpy.QtCore import QThreadPool

    viewer = open_window(files)
    save_picture(viewer, target)
    viewer.close()
    QThreadPool.globalInstance().waitForDone()  # what still runs in a thread would report to a window that is no more


def open_window(files: Iterable[Path]) -> Any:
    """Open a window with files, the panels at the right and the spectrum below; returns the viewer.

    What was explained is shown as the Explain panel shows it; a session as it was left.
    """
    import napari

    from napari_wse2xai.gui.session import contents
    from napari_wse2xai.session.files import is_session

    viewer, paths = napari.Viewer(title="napari-wse2xai"), list(files)
    bench, _ = furnish(viewer)
    for path in paths:
        contents.add(viewer, read_layers(str(path)))
    viewer.reset_view()
    bench.refresh()
    if not any(map(is_session, paths)) and bench.explaining.show_newest():
        bench.open_section(type(bench.explaining))
    return viewer


def furnish(viewer: Viewer) -> tuple[Any, Any]:
    """Dock the workbench; returns its panels and the spectrum."""
    from napari_wse2xai.gui.workbench import Workbench

    bench = Workbench(viewer)
    viewer.window.add_dock_widget(bench, name="Workbench", area="right")
    return bench, bench.furnish()


def save_picture(viewer: Viewer, target: Path) -> None:
    """Write a picture of the whole window."""
    from PIL import Image
    from qtpy.QtWidgets import QApplication

    from napari_wse2xai.gui.parts.turns import until_idle

    viewer.window.resize(1500, 1000)
    until_idle()
    viewer.reset_view()
    for _ in range(20):
        QApplication.processEvents()
    Image.fromarray(viewer.screenshot(canvas_only=False, flash=False)).save(target)

"""Make docs/images/window.png: the real window after the whole chain on the sample triangle.

xvfb-run -a -s "-screen 0 1600x1200x24" python docs/make_screenshot.py
"""

import time
from pathlib import Path

import napari
from qtpy.QtWidgets import QApplication

from napari_wse2xai.gui import window
from napari_wse2xai.gui.parts.turns import all_idle
from napari_wse2xai.stages import Baseline, Deconvolve, Despike, FindFlake

TARGET = Path(__file__).parent / "images" / "window.png"


def main() -> None:
    """Click through the chain and write the picture."""
    viewer = napari.Viewer()
    panels, _ = window.furnish(viewer)
    viewer.open_sample("napari-wse2xai", "triangle-raman")
    settle(0.5)
    for stage in (FindFlake, Despike, Baseline, Deconvolve):
        panels.panels[stage].work.begin_button.click()
        while panels.panels[stage].work.runner.busy or not all_idle():
            settle(0.05)
        settle(0.3)
    window.save_picture(viewer, TARGET)
    viewer.close()


def settle(seconds: float) -> None:
    """Let the window work."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        QApplication.processEvents()
        time.sleep(0.01)


if __name__ == "__main__":
    main()

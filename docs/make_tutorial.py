"""Make the pictures of docs/tutorials/first_result.md: the real window after each of its steps on the sample triangle.

xvfb-run -a -s "-screen 0 1600x1200x24" python docs/make_tutorial.py
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari
from make_screenshot import settle
from PIL import Image

from napari_wse2xai.gui import window
from napari_wse2xai.gui.maps.peak_chooser import PeakChooser
from napari_wse2xai.gui.pair.panel import PairPanel
from napari_wse2xai.gui.parts.turns import all_idle
from napari_wse2xai.gui.train.panel import TrainPanel
from napari_wse2xai.learning.null_test import FEWEST_SURROGATES
from napari_wse2xai.stages import Baseline, Deconvolve, Despike, FindFlake, Train

IMAGES = Path(__file__).parent / "images"
COLOURS = 96
"""Of a picture of the window: enough for its maps, a third of the bytes."""
LONGEST = 3000.0


def main() -> None:
    """Click through the tutorial."""
    viewer = napari.Viewer()
    panels, _ = window.furnish(viewer)
    take = Pictures(viewer)
    viewer.open_sample("napari-wse2xai", "triangle-raman")
    take("opened")
    run(panels.panels[FindFlake])
    take("flake")
    for stage in (Despike, Baseline, Deconvolve):
        run(panels.panels[stage])
    take("peaks")
    viewer.open_sample("napari-wse2xai", "triangle-pl")
    settle(1.0)
    for stage in (FindFlake, Despike, Baseline, Deconvolve):
        run(panels.panels[stage])
    panels.open_section(PairPanel)
    run(panels.pairing)
    take("paired")
    panels.open_section(TrainPanel)
    panels.training.form.put(Train(target="height", surrogates=FEWEST_SURROGATES))
    run(panels.training)
    take("trained")
    panels.open_section(type(panels.explaining))
    run(panels.explaining)
    take("explained")
    panels.open_section(PeakChooser)
    viewer.close()


class Pictures:
    """Takes a picture after each step: ``first_1_opened.png``."""

    def __init__(self, viewer: Any) -> None:
        self._viewer, self._number = viewer, 0

    def __call__(self, name: str) -> None:
        """Write the window as it is, in few colours."""
        self._number += 1
        settle(1.0)
        target = IMAGES / f"first_{self._number}_{name}.png"
        window.save_picture(self._viewer, target)
        Image.open(target).convert("RGB").quantize(COLOURS).save(target, optimize=True)


def run(panel: Any) -> None:
    """Press a panel's button and wait for what it does."""
    panel.work.begin_button.click()
    wait(lambda: not panel.work.runner.busy and all_idle())
    settle(0.5)


def wait(done: Callable[[], bool]) -> None:
    """Let the window work until something is done."""
    waited = 0.0
    while not done():
        settle(0.1)
        waited += 0.1
        if waited > LONGEST:
            raise TimeoutError("a step of the tutorial takes too long")


if __name__ == "__main__":
    main()

"""How long the stages hold the window up: on the sample (48 x 56 pixels), and on 256 x 256 pixels of 1,600 channels.

    xvfb-run -a -s "-screen 0 1600x1200x24" python benchmarks/stage_blocks.py [--large]

All panels of the maps are pressed Run one after the other, as by hand, and the layers of each result are waited for.  A timer of the window
beats every 5 ms; between two beats nothing else answers.  The longest gap counts as processor time of the window's own thread, which other
work on the machine does not change, and on the wall, which it spoils.
"""

import argparse
import os
import time
import warnings

import napari
import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication
from window import BEAT_MS, large, settle, wait

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.gui import window
from napari_wse2xai.gui.session import contents
from napari_wse2xai.layers import to_layers
from napari_wse2xai.stages import Baseline, Deconvolve, Despike, FindFlake, Peak
from napari_wse2xai.synthetic import make_flake

STAGES = (FindFlake, Despike, Baseline, Deconvolve)
PEAKS = tuple(Peak(name=name, position=at, fwhm=width, window=(225, 275)) for name, at, width in (("A1'", 249.8, 4), ("2LA", 260, 10)))


class Beats:
    """Gaps between beats of the window's timer, since the last time that they were asked for."""

    def __init__(self) -> None:
        self._marks = [self._now()]
        self._timer = QTimer()
        self._timer.timeout.connect(lambda: self._marks.append(self._now()))
        self._timer.start(BEAT_MS)

    @staticmethod
    def _now() -> tuple[float, float]:
        return time.thread_time(), time.perf_counter()

    def told(self, what: str) -> None:
        """Print the longest gaps."""
        own, wall = (1e3 * np.sort(np.diff(each)) for each in zip(*self._marks, self._now(), strict=True))
        self._marks[:] = [self._now()]
        longest = ", ".join(f"{gap:.0f}" for gap in own[-3:])
        print(f"  {what:<24s} longest {longest} ms of its thread; {wall[-1]:.0f} ms on the wall, {len(own)} beats", flush=True)


def main() -> None:
    """Open a map and run its stages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="256 x 256 pixels of 1,600 channels in place of the sample")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    source: SpectralMap = large()[0] if given.large else make_flake("triangle").raman
    viewer = napari.Viewer()
    viewer.window._qt_window.resize(1600, 1000)
    bench, _ = window.furnish(viewer)
    wait(3.0)
    print(f"{source.counts.shape}, load {os.getloadavg()[0]:.0f}")
    beats = Beats()
    layers = to_layers(source)
    contents.add(viewer, layers)
    wait(2.0)
    beats.told("the map is shown")
    bench.panels[Deconvolve].form.put(Deconvolve(peaks=PEAKS, pixels="everywhere" if given.large else "flake"))
    wait(1.0)
    beats.told("peaks are put in")
    for stage in STAGES[given.large :]:  # the large map is flake all over
        work = bench.panels[stage].work
        work.begin_button.click()
        settle(lambda work=work: not work.runner.busy)
        wait(3.0)
        beats.told(stage.title)
    QApplication.processEvents()
    viewer.close()


if __name__ == "__main__":
    main()

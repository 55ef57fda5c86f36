"""How the window answers while a network is trained, while an explanation is played with, and while the mouse goes over a large map.

xvfb-run -a -s "-screen 0 1600x1200x24" python benchmarks/window.py
"""

import time
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import napari
import numpy as np
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication

from napari_wse2xai import batch, recipe
from napari_wse2xai.data import Explanation, Frame, Pairable, PeakMaps, SpectralMap
from napari_wse2xai.gui import window
from napari_wse2xai.gui.explain.panel import ExplainDock, ExplainPanel
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.train.panel import TrainDock
from napari_wse2xai.layers import to_layers
from napari_wse2xai.stages import Explain, Pair, Train
from napari_wse2xai.stages.pair import StageCoordinates
from napari_wse2xai.stages.train import OneCycle
from napari_wse2xai.synthetic import make_flake

BEAT_MS = 5
CURVES, MAPS = 0, 2
"""Tabs of the Explain panel."""


def main() -> None:
    """Train and explain the sample flake in the window."""
    flake = make_flake("triangle")
    results = batch.run_chains(recipe.preset(), {"raman": flake.raman, "pl": flake.pl})
    viewer = napari.Viewer()
    train, explain = TrainDock(viewer), ExplainDock(viewer)
    viewer.window.add_dock_widget(train, area="right")
    viewer.window.add_dock_widget(explain, area="right", tabify=True)
    pair = Pair(method=StageCoordinates())(Pairable(results.peaks["raman"], results.peaks["pl"]))
    contents.add(viewer, to_layers(pair))
    settle(train.panel.work.begin_button.isEnabled)
    told("the Train panel has just been opened", beats(lambda: wait(15)))
    told("nothing is done", beats(lambda: wait(10)))
    train.panel.form.put(Train(recipe=OneCycle(epochs=20), network_on_blocks=False, surrogates=39))
    for when in ("the first time", "the second time"):
        train.panel.work.begin_button.click()
        told(f"a network is trained, {when}", beats(lambda: settle(lambda: not train.panel.work.runner.busy, closed=True)))
    play(viewer, explain.panel)
    viewer.close()
    follow_the_mouse()


def follow_the_mouse() -> None:
    """Move over 256 x 256 pixels of 1,600 channels with the preset's fit drawn: own work, without what Qt takes to compose the window."""
    source, peaks = large()
    viewer = napari.Viewer()
    viewer.window._qt_window.resize(1280, 720)
    _, view = window.furnish(viewer)
    contents.add(viewer, to_layers(source))
    wait(1.0)
    view.peaks = peaks
    for when in ("the first time", "the second time"):
        took, whole = [], []
        view.canvas.mpl_connect("draw_event", whole.append)
        for k in range(200):
            began = time.process_time()
            view.show_pixel((128 + int(20 * np.sin(k / 7)), 20 + k))
            if view.canvas._background is None:
                view.canvas.draw()
            took.append(1e3 * (time.process_time() - began))
            QApplication.processEvents()
        mean, (median, high) = np.mean(took), np.percentile(took, [50, 90])
        print(f"follow the mouse, {when}: mean {mean:.1f}, median {median:.1f}, 90 % below {high:.1f} ms; all drawn {len(whole)} times")
    viewer.close()


def large() -> tuple[SpectralMap, PeakMaps]:
    """A small flake on many channels and its fit, laid side by side 16 x 16 times."""
    flake = make_flake("triangle", shape_px=(16, 16), seed=1).raman
    x = np.linspace(*flake.axis.span, 1600)
    noise = np.random.default_rng(0).normal(0, 3, (16, 16, len(x)))
    counts = np.apply_along_axis(lambda spectrum: np.interp(x, flake.axis.values, spectrum), -1, flake.counts) + noise
    small, big = (
        SpectralMap.from_arrays(
            np.tile(counts.astype(np.float32), (n, n, 1)), x, flake.axis.kind, frame=Frame((16 * n, 16 * n), (0.5, 0.5))
        )
        for n in (1, 16)
    )
    fit = recipe.preset().raman.deconvolve.model_copy(update={"pixels": "everywhere"})
    peaks = fit(small)
    maps = {name: value for name, value in vars(peaks).items() if isinstance(value, np.ndarray) and value.shape[-2:] == (16, 16)}
    return big, replace(peaks, frame=big.frame, **{name: np.tile(value, (16, 16)) for name, value in maps.items()})


def told(when: str, gaps: np.ndarray) -> None:
    """Print how the gaps between beats are spread."""
    longest = ", ".join(f"{gap:.0f}" for gap in np.sort(gaps)[-4:])
    print(
        f"{when}: 99 % below {np.percentile(gaps, 99):.0f} ms, {(gaps > 50).sum()} of {len(gaps)} over 50, longest {longest} ms", flush=True
    )


def play(viewer: napari.Viewer, panel: ExplainPanel) -> None:
    """Hover, lasso and click; processor time, so that other work on the machine does not count."""
    panel.form.put(Explain(target="height", refits=4))
    panel.work.begin_button.click()
    settle(lambda: not panel.work.runner.busy and panel.pixels is not None and panel.pixels.exact)
    explanation, layer, ice = panel.result.explanation, viewer.layers.selection.active, panel.result.ice
    samples, x = explanation.samples, explanation.pdp_grid[panel.result.feature]
    places = [layer.data_to_world((samples.row[k], samples.column[k])) for k in range(0, len(samples), 20)]
    low, high = np.percentile(explanation.ice[panel.result.feature], [60, 100])
    loop = [(x[-9], low), (x[-1], low), (x[-1], high), (x[-9], high)]
    report("hover a pixel", [lambda p=place: panel.follow(viewer, SimpleNamespace(position=p)) for place in places])
    report("lasso", [lambda: ice._on_lasso(loop)] * 10)
    for tab in (CURVES, MAPS):
        panel.result.tabs.setCurrentIndex(tab)
        wait(0.5)
        clicks = [lambda r=row: panel.result.table.setCurrentCell(r, 0) for row in (*range(1, 12), 0)]
        report(f"click a parameter, tab {panel.result.shown}", clicks * 3)
    assert explanation is not None
    for _ in range(2):
        told("an explanation comes", beats(lambda: come(panel, replace(explanation))))


def come(panel: ExplainPanel, explanation: Explanation) -> None:
    """Let the layers of an explanation come, as at the end of a run."""
    there: list[Explanation] = []
    panel.ran.connect(there.append)
    panel._on_explained(explanation)
    settle(lambda: explanation in there)


def report(what: str, acts: list[Callable[[], object]]) -> None:
    """Processor time of some acts until all is drawn."""
    took = []
    for act in acts:
        began = time.process_time()
        act()
        for _ in range(3):
            QApplication.processEvents()
        took.append(1e3 * (time.process_time() - began))
    print(f"{what}: median {np.median(took):.0f} ms of processor time, longest {max(took):.0f} ms")


def beats(during: Callable[[], None]) -> np.ndarray:
    """Gaps between the beats of a timer of the window, ms."""
    times: list[float] = []
    timer = QTimer()
    timer.timeout.connect(lambda: times.append(time.perf_counter()))
    timer.start(BEAT_MS)
    during()
    timer.stop()
    return 1e3 * np.diff(times)


def settle(done: Callable[[], bool], *, closed: bool = False) -> None:
    """Let the window work until something holds; `closed`: and no longer, so that the end of the work does not count."""
    while not done():
        QApplication.processEvents()
        time.sleep(0.001)
    if not closed:
        wait(0.3)


def wait(seconds: float) -> None:
    """Let the window work."""
    until = time.monotonic() + seconds
    settle(lambda: time.monotonic() > until, closed=True)


if __name__ == "__main__":
    main()

"""Train and Explain with default settings on 3,085 pixels: seconds of CPU in all, of the thread that was called, and on the wall.

``python benchmarks/train_explain.py [--rounds 1] [--against SRC]``.  Every run is a process of its own (imports count); with
``--against``, the ``src`` of another checkout, both run in turns.  Two free cores need at least the larger of the calling thread's seconds
and half of all.
"""

import argparse
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

SHAPE = (80, 90)
SRC = Path(__file__).resolve().parents[1] / "src"
PARTS = ("Train", "Explain")


def make(place: Path) -> None:
    """Pair a triangle's maps, through the whole chain."""
    from napari_wse2xai import batch, recipe
    from napari_wse2xai.data import Pairable
    from napari_wse2xai.stages import Pair
    from napari_wse2xai.stages.pair import StageCoordinates
    from napari_wse2xai.synthetic import make_flake

    flake = make_flake("triangle", seed=0, shape_px=SHAPE)
    peaks = batch.run_chains(recipe.preset(), {"raman": flake.raman, "pl": flake.pl}).peaks
    place.write_bytes(pickle.dumps(Pair(method=StageCoordinates())(Pairable(peaks["raman"], peaks["pl"]))))


def timed(work: Callable[[], Any]) -> tuple[Any, str]:
    """Outcome, and seconds of CPU of all threads and of this one, and on the wall."""
    every, own, wall = time.process_time(), time.thread_time(), time.perf_counter()
    outcome = work()
    return outcome, f"{time.process_time() - every} {time.thread_time() - own} {time.perf_counter() - wall}"


def run(place: Path) -> None:
    """Train and explain, and print what they took."""
    from napari_wse2xai.stages import Explain, Train

    pair = pickle.loads(place.read_bytes())
    model, training = timed(lambda: Train(device="cpu")([pair]))
    explanation, explaining = timed(lambda: Explain()(model))
    scores = [f"{score.r2:.4f}" for score in model.scores if score.part == "validation"]
    sys.stderr.write(f"{model.verdicts[0].level}, {explanation.model}: {' '.join(scores)}\n")
    sys.stdout.write(f"{training} {explaining}\n")


def child(place: Path, src: Path) -> list[float]:
    """Seconds of one run with the package in a folder."""
    command = [sys.executable, __file__, "--run", str(place)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(src)})
    return [float(word) for word in done.stdout.split()]


def main() -> None:
    """Measure in turns and print."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--rounds", type=int, default=1)
    given.add_argument("--against", type=Path)
    given.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    asked = given.parse_args()
    warnings.simplefilter("ignore")
    if asked.run:
        run(asked.run)
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "pair"
        make(place)
        sources = {"here": SRC, **({"against": asked.against.resolve()} if asked.against else {})}
        found = {name: list[list[float]]() for name in sources}
        for _ in range(asked.rounds):
            for name, src in sources.items():
                found[name].append(child(place, src))
    for name, runs in found.items():
        seconds = [statistics.median(each) for each in zip(*runs, strict=True)]
        told = [
            f"{part} {every:.0f} s of CPU, {own:.0f} s of the calling thread, {wall:.0f} s on the wall"
            for part, every, own, wall in zip(PARTS, seconds[::3], seconds[1::3], seconds[2::3], strict=True)
        ]
        sys.stdout.write(f"{name}: {'; '.join(told)}\n")


if __name__ == "__main__":
    main()

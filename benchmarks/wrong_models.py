"""How often a pixel of a wrong model says ok: ``python benchmarks/wrong_models.py [--seeds 3] [--write docs/wrong_models.md]``.

The maps are those of ``tests/planted_maps.py``: a formula, noise, and a list of peaks that is right or wrong.  A number is wrong where it
is more than five of its own errors off the truth.
"""

import argparse
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import numpy as np

from planted_maps import CASES, Planted

HEAD = "| map | ok, % | ok and wrong, % | of the numbers that are ok: within one error, % |\n|---|---|---|---|"
BEGIN, END = "<!-- table: benchmarks/wrong_models.py -->", "<!-- end -->"


def row(make: Callable[[int], Planted], seeds: int) -> tuple[float, float, float]:
    """Shares of the pixels that are ok, and ok and wrong; and of their numbers that lie within one error."""
    good, wrong, inside = [], [], []
    for seed in range(seeds):
        planted = make(seed)
        peaks = planted.fitted()
        off, fine = planted.off(peaks), peaks.status == 0
        good.append(fine.mean())
        wrong.append((fine & (np.nan_to_num(off).max(axis=(0, 1)) > 5)).mean())
        inside.append(off[:, :, fine][np.isfinite(off[:, :, fine])] < 1)
    together = np.concatenate(inside)
    return float(np.mean(good)), float(np.mean(wrong)), float(together.mean()) if together.size else np.nan


def main() -> None:
    """Print the table; put it into the page where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    lines = [HEAD]
    for name, make in CASES.items():
        good, wrong, within = row(make, options.seeds)
        share = "" if np.isnan(within) else f"{100 * within:.0f}"
        lines.append(f"| {name} | {100 * good:.1f} | {100 * wrong:.2f} | {share} |")
        print(lines[-1], flush=True)
    if options.write:
        page = options.write.read_text(encoding="utf-8")
        before, after = page.split(BEGIN)[0], page.split(END)[1]
        options.write.write_text(f"{before}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()

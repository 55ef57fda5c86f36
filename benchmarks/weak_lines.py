"""Pulls of weak lines: ``python benchmarks/weak_lines.py [--maps 3] [--without] [--only 4 6]``.

One line on a level, Lorentzian or Gaussian, 3 to 16 channels wide, of a height that is drawn anew for every pixel; noise is white.  A
pull is estimate minus truth over the stated error: its standard deviation should be 1 however weak the line.  With ``--only`` all lines
of a map are about that many errors high.
"""

import argparse

import numpy as np

from napari_wse2xai.data import AxisKind, SpectralMap, Status
from napari_wse2xai.numerics import weak_lines
from napari_wse2xai.stages import Deconvolve, Peak

STEP, NOISE, SIDE = 0.6, 10.0, 40
X = 200 + STEP * np.arange(120)
STRENGTHS = ((4, 5), (5, 6), (6, 7), (7, 8.5), (8.5, 11), (11, 15))
SHAPES = {"lorentzian": lambda u: 1 / (1 + 4 * u**2), "gaussian": lambda u: np.exp(-4 * np.log(2) * u**2)}


def pulls(shape: str, channels: float, seed: int, high: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """(3, m) pulls of position, FWHM and height of the pixels that are ok, and (m,) height over its error."""
    rng = np.random.default_rng(seed)
    height = NOISE * np.sqrt(2 / channels) * 10 ** rng.uniform(*np.log10(high), (SIDE, SIDE))
    position, fwhm = X.mean() + rng.uniform(-1, 1, (SIDE, SIDE)) * STEP, channels * STEP
    across = (np.arange(9) - 4) / 9 * STEP
    line = np.mean([SHAPES[shape]((X + each - position[..., None]) / fwhm) for each in across], axis=0)
    counts = 100 + height[..., None] * line + NOISE * rng.normal(size=(SIDE, SIDE, len(X)))
    peak = Peak(name="A", shape=shape, position=float(X.mean()), fwhm=fwhm, window=(200, 272))
    made = SpectralMap.from_arrays(counts.astype(np.float32), X, AxisKind.RAMAN_SHIFT)
    found = Deconvolve(peaks=(peak,), pixels="everywhere")(made)
    truth = {"position": position, "fwhm": fwhm, "height": height}
    off = np.stack([(getattr(found, name)[0] - value) / getattr(found, f"{name}_error")[0] for name, value in truth.items()])
    ok = found.status == Status.OK
    return off[:, ok], (found.height[0] / found.height_error[0])[ok]


def main() -> None:
    """Print a row for each strength."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--maps", type=int, default=3)
    parser.add_argument("--without", action="store_true", help="without what is added to the errors of weak lines")
    parser.add_argument("--only", type=float, nargs=2, default=(10**0.1, 10**1.2), metavar=("FROM", "TO"), help="errors")
    options = parser.parse_args()
    if options.without:
        weak_lines.MORE[:], weak_lines.AWAY[:] = 0.0, 0.0
    every = [pulls(shape, channels, seed, options.only) for shape in SHAPES for channels in (3, 8, 16) for seed in range(options.maps)]
    off, strength = np.concatenate([each[0] for each in every], axis=1), np.concatenate([each[1] for each in every])
    head = (
        "height over its error",
        "pixels",
        "sd of the pulls: position, FWHM, height",
        "mean: FWHM, height",
        "beyond 5: position, FWHM, %",
    )
    print(f"| {' | '.join(head)} |\n{'|---' * len(head)}|")
    for low, high in STRENGTHS:
        some = off[:, (strength >= low) & (strength < high)]
        if not some.size:
            continue
        width, mean, far = some.std(axis=1), some.mean(axis=1), 100 * (np.abs(some) > 5).mean(axis=1)
        widths = f"{width[0]:.2f}, {width[1]:.2f}, {width[2]:.2f} | {mean[1]:+.2f}, {mean[2]:+.2f}"
        print(f"| {low} to {high} | {some.shape[1]} | {widths} | {far[0]:.2f}, {far[1]:.2f} |")


if __name__ == "__main__":
    main()

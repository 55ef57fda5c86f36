"""Errors of two lines on one another: ``python benchmarks/blends.py [--maps 60] [--without]``.

Every map has two lines, Gaussian or Lorentzian, 0.5 to 1.8 of their mean FWHM apart, 8 to 25 channels wide, 8 to 100 noise deviations
high, the second 0.15 to 1 times as high, with smooth fields of position, width and height; noise is white.  The fit starts up to a fifth of
a FWHM beside.  A pull is estimate minus truth over the stated error.
"""

import argparse

import numpy as np
from scipy.ndimage import gaussian_filter

from napari_wse2xai.data import AxisKind, SpectralMap, Status
from napari_wse2xai.numerics import blends
from napari_wse2xai.stages import Deconvolve, Peak

SHAPE = (12, 15)
SHAPES = {"lorentzian": lambda u: 1 / (1 + 4 * u**2), "gaussian": lambda u: np.exp(-4 * np.log(2) * u**2)}
QUANTITIES = ("position", "fwhm", "height")
APART = ((0.5, 0.7), (0.7, 0.9), (0.9, 1.3), (1.3, 1.8))


def field(dice: np.random.Generator, low: float, high: float) -> np.ndarray:
    """(ny, nx) smooth, from low to high."""
    smooth = gaussian_filter(dice.normal(size=SHAPE), 3, mode="wrap")
    return low + (high - low) * (smooth - smooth.min()) / np.ptp(smooth)


def pulls(seed: int) -> tuple[float, int, np.ndarray]:
    """Distance of the lines in FWHM, number of pixels, and pulls (peak, quantity, pixel) of those that are ok."""
    dice = np.random.default_rng(seed)
    shape, channels, ratio = dice.choice(list(SHAPES)), dice.uniform(8, 25), dice.uniform(0.7, 1.5)
    widths, apart = np.array([channels, channels * ratio]), dice.uniform(0.5, 1.8)
    places, heights = 200 + np.array([0, apart * widths.mean()]), 10 ** dice.uniform(0.9, 2) * np.array([1, dice.uniform(0.15, 1)])
    x = np.arange(200 - 3 * channels, places[1] + 3 * channels)
    lines = [
        (place + field(dice, -0.1, 0.1) * width, width * field(dice, 0.93, 1.07), height * field(dice, 0.7, 1.3))
        for place, width, height in zip(places, widths, heights, strict=True)
    ]
    drawn = sum(h[..., None] * SHAPES[shape]((x - p[..., None]) / w[..., None]) for p, w, h in lines)
    peaks = [
        Peak(
            name=f"line {k}",
            shape=shape,
            position=place + dice.uniform(-0.2, 0.2) * width,
            fwhm=width * dice.uniform(0.8, 1.3),
            window=x[[0, -1]],
        )
        for k, (place, width) in enumerate(zip(places, widths, strict=True))
    ]
    counts = (100 + drawn + dice.normal(size=drawn.shape)).astype(np.float32)
    found = Deconvolve(peaks=peaks, pixels="everywhere")(SpectralMap.from_arrays(counts, x, AxisKind.RAMAN_SHIFT))
    value, error = (np.stack([getattr(found, f"{name}{end}") for name in QUANTITIES], axis=1) for end in ("", "_error"))
    return apart, counts[..., 0].size, ((value - np.array(lines)) / error)[:, :, found.status == Status.OK]


def main() -> None:
    """Print a row for each distance."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--maps", type=int, default=60, help="made-up maps")
    parser.add_argument("--without", action="store_true", help="errors to first order only")
    given = parser.parse_args()
    if given.without:
        blends.ALIKE = 1.0
    found = [pulls(seed) for seed in range(given.maps)]
    print("| FWHM apart | maps | ok (%) | width of the pulls: median, largest | ok and beyond 5 errors (%) | maps with more than 0.5 % |")
    print("|---|---|---|---|---|---|")
    for low, high in APART:
        some = [(many, off) for apart, many, off in found if low <= apart < high]
        ok = 100 * sum(off.shape[2] for _, off in some) / sum(many for many, _ in some)
        wide = [float(np.nanstd(off)) for _, off in some if off.shape[2] > 20]
        beyond = [(np.nan_to_num(np.abs(off)) > 5).any(axis=(0, 1)) for _, off in some]
        single, share = sum(float(each.mean()) > 0.005 for each in beyond if each.size), 100 * np.concatenate(beyond).mean()
        print(f"| {low} to {high} | {len(some)} | {ok:.0f} | {np.median(wide):.2f}, {max(wide):.2f} | {share:.2f} | {single} |")


if __name__ == "__main__":
    main()

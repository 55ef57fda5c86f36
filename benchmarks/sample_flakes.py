"""What the pages say of fits and filters on made-up flakes, whose truth is known: ``python benchmarks/sample_flakes.py [--flakes 5]``.

1. the sample flakes, triangle and star in turn, through the preset's chain: strength of the lines, bias of heights, width of the pulls;
2. cosmic rays on them: how many go, and what the filter does to A1' where there is none;
3. heights on the sample triangle by where its baseline is anchored, with and without a background under the peaks;
4. the flake with lines as narrow as real ones, and the maps of ``tests/narrow_lines.py`` for the spike filter, with and without appeal;
5. what stated errors are worth for Gaussians about one channel wide.
"""

import argparse
import os
import sys
import warnings
from pathlib import Path
from unittest import mock

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from napari_wse2xai import recipe
from napari_wse2xai.data import AxisKind, PeakMaps, SpectralMap, Status
from napari_wse2xai.numerics import despike, spikes
from napari_wse2xai.stages import Baseline, Deconvolve, Despike, Peak
from napari_wse2xai.stages.baseline import PiecewiseLinear
from napari_wse2xai.synthetic import Instrument, SyntheticFlake, make_flake
from narrow_lines import NarrowFlake, hit, narrow_flake

SECTION = recipe.preset("wse2-532").raman
NARROW = tuple((seed, spread) for seed in (11, 12, 13, 14) for spread in (0.3, 0.4, 0.5))
"""Seeds and how much heights differ from pixel to pixel, of maps without spikes."""
PARAMETERS = ("position", "fwhm", "height")


def spread(values: NDArray[np.floating]) -> float:
    """Standard deviation, odd values left out."""
    return float(1.4826 * np.nanmedian(np.abs(values - np.nanmedian(values))))


def against_truth(flake: SyntheticFlake, peaks: PeakMaps, name: str) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """(3, m) estimate minus truth of position, FWHM and height on the flake, over the error and over the truth."""
    ours, theirs, on = peaks.names.index(name), flake.truth.raman.names.index(name), flake.truth.flake
    true = np.stack([getattr(flake.truth.raman, each)[theirs][on] for each in PARAMETERS])
    off = np.stack([getattr(peaks, each)[ours][on] for each in PARAMETERS]) - true
    return off / np.stack([getattr(peaks, f"{each}_error")[ours][on] for each in PARAMETERS]), off / true


def fits(made: list[SyntheticFlake], title: str) -> None:
    """Print how the numbers of a preset scatter about the truth."""
    found = [SECTION.chain().run(flake.raman).peaks for flake in made]
    pairs = [(flake, peaks) for flake, peaks in zip(made, found, strict=True) if peaks is not None]
    ok = np.mean([(peaks.status == Status.OK)[flake.truth.flake].mean() for flake, peaks in pairs])
    print(f"\n{title}: {ok:.1%} of the flake is ok\nline    height over its error   height off, %   pulls: position, FWHM, height")
    for name in made[0].truth.raman.names:
        both = [against_truth(flake, peaks, name) for flake, peaks in pairs if name in peaks.names]
        if not both:
            continue
        pull, share = (np.concatenate(each, axis=1) for each in zip(*both, strict=True))
        widths = ", ".join(f"{spread(each):.2f}" for each in pull)
        print(f"{name:8s} {np.nanmedian((1 + share[2]) / share[2] * pull[2]):20.0f} {100 * np.nanmedian(share[2]):+15.2f}   {widths}")


def strengths(made: list[SyntheticFlake]) -> None:
    """Print how high the lines of the samples stand above the noise of their channel."""
    print("\nline    height, counts (median)   over the noise of its channel (least and most of the flakes)")
    for k, name in enumerate(made[0].truth.raman.names):
        each = []
        for flake in made:
            on, truth = flake.truth.flake, flake.truth.raman
            channel = np.abs(truth.axis.values - truth.position[k][on][:, None]).argmin(axis=1)
            light = np.take_along_axis(truth.clean()[on], channel[:, None], axis=1)[:, 0] - flake.truth.offset
            noise = np.sqrt(flake.truth.gain * light + flake.truth.read_noise**2)
            each.append((np.median(truth.height[k][on]), np.median(truth.height[k][on] / noise)))
        counts, over = np.array(each).T
        print(f"{name:8s} {np.median(counts):20.0f} {over.min():15.1f} to {over.max():.1f}")


def cosmic_rays(made: list[SyntheticFlake]) -> None:
    """Print how many cosmic rays of the samples go, and what the filter changes at the top of A1' where there is none."""
    gone = []
    for flake in made:
        clean, hits = flake.truth.raman.clean(), flake.truth.raman.spikes
        noise = np.sqrt(flake.truth.gain * (clean - flake.truth.offset) + flake.truth.read_noise**2)
        left = np.abs(np.asarray(Despike()(flake.raman).counts) - clean) / noise
        for row, column, at, width in zip(hits.row, hits.column, hits.channel, hits.width, strict=True):
            gone.append(left[row, column, at : at + width].max() < 5)
    print(f"\ncosmic rays gone (to five deviations of the noise): {np.mean(gone):.1%} of {len(gone)}")
    bare = make_flake("triangle", seed=0, instrument=Instrument(spikes_per_pixel=0))
    heights = [SECTION.model_copy(update={"despike": stage}).chain().run(bare.raman).peaks for stage in (None, Despike())]
    a1 = [peaks.height[peaks.names.index("A1'")][bare.truth.flake] for peaks in heights if peaks is not None]
    error = heights[0].height_error[heights[0].names.index("A1'")][bare.truth.flake] if heights[0] else 1.0
    print(f"height of A1' without cosmic rays, filtered less unfiltered, in errors: mean {np.nanmean((a1[1] - a1[0]) / error):+.5f}")


def anchors() -> None:
    """Print the bias of heights on the sample triangle by anchors of the baseline and background under the peaks."""
    flake, method = make_flake("triangle", seed=0), SECTION.baseline.method if SECTION.baseline else None
    at_ends = PiecewiseLinear(areas=((183, 300), (314, 410)), margin=10)
    print("\nheight off, % (median of the sample triangle)   " + "  ".join(flake.truth.raman.names))
    for where, background, chosen in [(w, b, m) for w, m in (("beside", method), ("at the ends", at_ends)) for b in ("none", "automatic")]:
        assert SECTION.deconvolve and chosen
        fit = SECTION.deconvolve.model_copy(update={"background": background})
        peaks = SECTION.model_copy(update={"baseline": Baseline(method=chosen), "deconvolve": fit}).chain().run(flake.raman).peaks
        assert peaks is not None
        off = [100 * np.nanmedian(against_truth(flake, peaks, name)[1][2]) for name in flake.truth.raman.names]
        print(f"anchors {where}, background {background}: ".ljust(48) + "  ".join(f"{each:+.1f}" for each in off))


def without_spikes(counts: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Counts without cosmic rays, and what was replaced."""
    whole = slice(0, len(counts))
    guard = despike.with_bank(despike.guard_of(counts, threshold=5, neighbour_factor=1.1), lambda: [(counts, whole)])
    return despike.without_guarded_spikes(counts, guard, whole)


def _cut(flake: NarrowFlake) -> tuple[int, int]:
    near = flake.top()[..., None] + np.arange(-3, 4)
    marks = np.take_along_axis(without_spikes(flake.counts)[1], near, axis=2).any(axis=2)
    return int(marks[flake.flake].sum()), int(flake.flake.sum())


def _gone(how: str) -> list[bool]:
    result = []
    for seed, (number, jumps) in enumerate(((3, 0.3), (4, 0.45))):
        flake = narrow_flake((40, 56), seed=number, spread=jumps)
        counts, hits = hit(flake, np.random.default_rng(seed), how)
        left = without_spikes(counts)[0] - flake.counts
        for row, column, first, width in hits:
            at = (row, column, slice(first, first + width))
            result.append(left[at].max() < max(0.2 * (counts - flake.counts)[at].max(), 4 * flake.sigma[at].max()))
    return result


def narrow() -> None:
    """Print what the spike filter does to lines 2.7 channels wide, and to spikes beside and on them."""
    maps = [narrow_flake((52, 76), seed=seed, spread=jumps) for seed, jumps in NARROW]
    with mock.patch.object(spikes.Judge, "appeal", lambda self, row, column, channel, doubtful, bank: self.judge(row, column, channel)):
        first = [_cut(flake) for flake in maps[::4]]
    for words, each in (("", [_cut(flake) for flake in maps]), (", first instance alone", first)):
        cut, total = np.sum(each, axis=0)
        print(f"tops cut where there is no spike{words}: {cut} of {total} ({cut / total:.1%})")
    for how in ("anywhere", "on top", "two neighbours"):
        gone = _gone(how)
        print(f"spikes gone, {how}: {np.mean(gone):.1%} of {len(gone)}")


def narrowest() -> None:
    """Print errors over the scatter about the truth of Gaussians about one channel wide, 10,000 counts high, averaged over channels."""
    print("\nGaussian, channels wide   share ok   stated error over scatter: position, FWHM, height")
    x, edges = np.arange(100.0, 160.0), np.arange(99.5, 160.0)
    for fwhm in (0.8, 0.9, 1.0, 1.05, 1.1, 1.3):
        rng, sigma = np.random.default_rng(3), fwhm / np.sqrt(8 * np.log(2))
        position = 130 + rng.uniform(-0.5, 0.5, (30, 40, 1))
        light = 100 + 10_000 * sigma * np.sqrt(2 * np.pi) * np.diff(norm.cdf(edges, position, sigma), axis=-1)
        source = SpectralMap.from_arrays(rng.poisson(light).astype(np.float32), x, AxisKind.RAMAN_SHIFT)
        peak = Peak(name="A", shape="gaussian", position=130, fwhm=fwhm, window=(100, 160))
        found = Deconvolve(peaks=(peak,), pixels="everywhere")(source)
        ok, truth = found.status == Status.OK, (position[..., 0], fwhm, 10_000.0)
        each = zip(PARAMETERS, truth, strict=True)
        off = [(getattr(found, name)[0] - true)[ok] / getattr(found, f"{name}_error")[0][ok] for name, true in each]
        print(f"{fwhm:15.2f} {ok.mean():17.0%}   " + ", ".join(f"{1 / spread(pull):.2f}" for pull in off))


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flakes", type=int, default=5)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    made = [make_flake(("triangle", "star")[seed % 2], seed=seed) for seed in range(given.flakes)]
    fits(made, f"{given.flakes} sample flakes")
    strengths(made)
    cosmic_rays(made)
    anchors()
    fits([make_flake("triangle", seed=0, lines="high resolution")], "the flake with lines as narrow as real ones")
    narrow()
    narrowest()


if __name__ == "__main__":
    main()

"""What a table of pixels must have before anything learns from it, and what the user should know of it then, in sentences."""

import warnings
from collections.abc import Iterator, Sequence

import numpy as np

from napari_wse2xai.data import PairedMaps, Samples
from napari_wse2xai.errors import DataError, DataWarning

FEWEST_PIXELS = 40
"""Below this no network can be told from chance."""
FEW, MOST = 0.005, 0.5
"""Where so small a share of the pixels holds more than so much of the variance, every score is theirs."""
BETWEEN = 0.5
"""Share of the variance between flakes above which that is said: other light does it, too."""
LEFT_OUT = 0.1
"""Share of the pixels with PL that may be left out without a word because a line has no fit there."""


def check_learnable(samples: Samples, source: Sequence[PairedMaps]) -> None:
    """Refuse what no network can learn from; say what is missing, and what is odd."""
    if len(samples) < FEWEST_PIXELS:
        raise DataError(
            f"{len(samples)} pixels have both RS and PL, too few to train on and to test on ({FEWEST_PIXELS} at least); "
            "map a larger flake, or load several."
        )
    if not np.ptp(samples.features, axis=0).any():
        raise DataError("RS is the same in all pixels, so nothing can be learnt from it; look at the fits of its lines.")
    for name, values in zip(samples.target_names, samples.targets.T, strict=True):
        known = np.isfinite(values)
        if known.sum() < FEWEST_PIXELS or np.ptp(values[known]) == 0:
            raise DataError(f"PL {name} has a value in {known.sum()} pixels and does not vary enough to be learnt; choose another target.")
    _check_heights(samples)
    for said in (*_absent(samples), *_odd(samples), *_between(samples), *_left_out(samples, source)):
        warnings.warn(said, DataWarning, stacklevel=3)


def tell_skimmed(collected: Samples, kept: Samples) -> None:
    """Say of which pixels odd values of a target are not learnt from."""
    for name, values, learnt in zip(kept.target_names, collected.targets.T, kept.targets.T, strict=True):
        odd = np.flatnonzero(np.isfinite(values) & ~np.isfinite(learnt))
        if odd.size:
            farthest = int(odd[np.argmax(np.abs(values[odd] - np.nanmedian(values)))])
            warnings.warn(
                f"{odd.size} of {len(values)} pixels are not learnt from: their PL {name} is far from their neighbours' (the farthest "
                f"off: {_place(kept, farthest)}), as dirt, holes and failed fits leave it; look at them, or switch 'Without odd PL' off.",
                DataWarning,
                stacklevel=3,
            )


def _place(samples: Samples, pixel: int) -> str:
    return f"row {samples.row[pixel]}, column {samples.column[pixel]} of '{samples.names[samples.flake[pixel]]}'"


def _check_heights(samples: Samples) -> None:
    """Refuse at once what `common_mode` would refuse at the end of a training."""
    from napari_wse2xai.learning.common_mode import common_factor, is_intensity

    if any(is_intensity(*each) for each in zip(samples.target_names, samples.target_units, strict=True)):
        common_factor(samples.features[:, samples.columns("height")])


def _absent(samples: Samples) -> Iterator[str]:
    if absent := samples.absent():
        lines = ", ".join(f"{name} ({share:.0%})" for name, share in absent.items())
        yield f"These lines lie under the noise in most pixels, so that their position and FWHM tell nothing: {lines}."


def _odd(samples: Samples) -> Iterator[str]:
    """Targets of which a few pixels decide all."""
    for name, values in zip(samples.target_names, samples.targets.T, strict=True):
        off = np.nan_to_num((values - np.nanmedian(values)) ** 2)
        few = np.argsort(off)[::-1][: max(1, int(FEW * len(off)))]
        if (share := float(off[few].sum() / off.sum())) > MOST:
            yield (
                f"{len(few)} of {len(values)} pixels hold {share:.0%} of the variance of PL {name} (the farthest off: "
                f"{_place(samples, few[0])}), so that all scores are theirs; look at their fits, or take them off the flake."
            )


def _between(samples: Samples) -> Iterator[str]:
    """Targets that differ more between the flakes than on them."""
    for name, values in zip(samples.target_names, samples.targets.T, strict=True):
        known = np.isfinite(values)
        flake, there = samples.flake[known], values[known]
        means = np.bincount(flake, there) / np.maximum(np.bincount(flake), 1)
        if (share := float(means[flake].var() / there.var())) > BETWEEN:
            levels = ", ".join(f"{mean:.3g}" for mean in means)
            yield (
                f"{share:.0%} of the variance of PL {name} lies between the flakes, not on them (means {levels}): if they "
                "were not measured alike, normalise the maps, or learn them apart (learn: apart)."
            )


def _left_out(samples: Samples, source: Sequence[PairedMaps]) -> Iterator[str]:
    """The line whose gaps cost most pixels, where they are many."""
    names = [name for name in source[0].raman.names if name not in samples.left_out]
    there = [(np.isfinite(pair.pl.height).any(axis=0) & np.isfinite(pair.raman.height).any(axis=0)) for pair in source]
    lacks = {
        name: sum(
            int((mask & ~np.isfinite(pair.raman.height[pair.raman.names.index(name)])).sum())
            for mask, pair in zip(there, source, strict=True)
        )
        for name in names
    }
    count, worst = sum(int(mask.sum()) for mask in there), max(lacks, key=lambda name: lacks[name])
    if lacks[worst] > LEFT_OUT * count:
        yield (
            f"{lacks[worst]} of {count} pixels are left out because {worst} has no fit there; fit it there too, or deconvolve without it, "
            "to learn from all."
        )

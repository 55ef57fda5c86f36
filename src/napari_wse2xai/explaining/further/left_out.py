"""What is lost where a peak was never there: the fast model fitted without it, and tried where neither has been."""

import numpy as np

from napari_wse2xai.data.quantities import Feature
from napari_wse2xai.explaining.further._question import Asking, Found, Numbers, Question
from napari_wse2xai.learning.fast_model import folds_of, held_out_r2
from napari_wse2xai.progress import Progress

SEEDS = 3
"""Ways of laying folds: they tell how far a number can be believed."""


def ask(asking: Asking, progress: Progress) -> Found:
    """Leave out every peak in turn.

    Notes
    -----
    Shuffling a peak asks what this model makes of it; leaving it out asks what the data know without it.  Where two peaks tell the same,
    the first is large for both and the second nothing for either (Lei et al. 2018, LOCO).
    """
    known = np.isfinite(asking.values)
    table, target = asking.subject.table[known], asking.values[known, None]
    without = [None, *asking.groups]
    found = np.empty((SEEDS, len(without)))
    for draw in range(SEEDS):
        folds = folds_of(target, asking.places[known], asking.flake[known], asking.seed + draw, quiet=False)
        name = "blocks" if "blocks" in folds else "random"
        for number, group in enumerate(without):
            progress((draw * len(without) + number) / (SEEDS * len(without)), "Leaving out peaks")
            kept = table if group is None else np.delete(table, list(group), axis=1)
            found[draw, number] = held_out_r2(kept, target, {name: folds[name]}, seed=asking.seed)[name][0]
    lost = found[:, :1] - found[:, 1:]
    of_feature = [number for number, group in enumerate(asking.groups) for _ in group]
    mean, error = lost.mean(axis=0), lost.std(axis=0, ddof=1) / np.sqrt(SEEDS)
    return mean[of_feature], error[of_feature], _sentence(asking, float(found[:, 0].mean()), mean, error)


def _sentence(asking: Asking, whole: float, lost: Numbers, error: Numbers) -> str:
    peaks = [Feature.of(asking.names[group[0]]).line for group in asking.groups]
    first = int(np.argmax(lost))
    # As good as nothing: within two errors of it, or a hundredth of R2.
    spare = [peak for peak, value, doubt in zip(peaks, lost, error, strict=True) if value <= max(2 * doubt, 0.01)]
    said = f"Without {peaks[first]} a model predicts held-out pixels with R2 {whole - lost[first]:.2f} instead of {whole:.2f}."
    if not spare:
        return f"{said} No peak can be done without."
    named = ", ".join(spare[:4]) + (f" and {len(spare) - 4} more" if len(spare) > 4 else "")
    return f"{said} Without {named}, one at a time, as well as with: what they tell, others tell too."


QUESTION = Question(
    title="R² lost (left out)",
    says="held-out R2 that is lost where the feature's peak is left out and the fast model fitted anew: what only this peak tells",
    ask=ask,
)

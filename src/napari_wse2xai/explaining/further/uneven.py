"""Whether one number can stand for what a parameter does: how much of its effect differs from place to place."""

import numpy as np

from napari_wse2xai.data.quantities import feature_words
from napari_wse2xai.explaining.further._question import Asking, Found, Numbers, Question
from napari_wse2xai.explaining.slopes import ice_slope
from napari_wse2xai.numerics.standard import or_one
from napari_wse2xai.progress import Progress

PARTS = 4
"""Along each side of a flake, for the error: neighbours are no new evidence."""
HALF = 0.5
"""Above it the mean slope tells less than what is left."""


def ask(asking: Asking, progress: Progress) -> Found:
    """Compare the square of the mean slope with the mean of its square; errors by leaving out one part of the flakes after another.

    Notes
    -----
    With a slope ``s`` of each pixel's ICE curve the share is ``1 - mean(s)**2 / mean(s**2)``: 0 where the parameter acts alike everywhere,
    0.5 where its effect differs as much as it is large, 1 where it raises the light here as much as it lowers it there.
    """
    slope = ice_slope(asking.subject, progress=progress).slope
    part = _parts(asking)
    kept = [_share(slope[:, part != each]) for each in np.unique(part)]
    error = np.sqrt((len(kept) - 1) * np.var(kept, axis=0)) if len(kept) > 1 else np.full(len(slope), np.nan)
    share = _share(slope)
    return share, error, _sentence(asking, share, np.asarray(error))


def _share(slope: Numbers) -> Numbers:
    return np.asarray(slope.var(axis=1) / or_one((slope**2).mean(axis=1)))


def _parts(asking: Asking) -> Numbers:
    """Number of the part of its flake that each pixel lies in."""
    number = asking.flake.astype(np.float64)
    for along in asking.places.T:
        reach = np.ptp(along) or 1.0
        number = PARTS * number + np.minimum((PARTS * (along - along.min()) / reach).astype(int), PARTS - 1)
    return number


def _sentence(asking: Asking, share: Numbers, error: Numbers) -> str:
    names = [feature_words(asking.names[k]) for k in np.argsort(-share) if share[k] - np.nan_to_num(error[k]) > HALF]
    if not names:
        return "Of every parameter the mean slope stands for most of the flake."
    named = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    return f"The mean slope does not stand for the flake of {named}: look at the slope map, for the effect turns or comes and goes."


QUESTION = Question(
    title="Uneven (share)",
    says="share of the parameter's effect that differs from pixel to pixel: 0 the same everywhere, 1 rises here as much as it falls there",
    ask=ask,
)

"""Lines that single pixels cannot tell apart, but that a map can whose pixels share their widths."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from napari_wse2xai.numerics.all_over import all_over
from napari_wse2xai.stages._fitting import Fit, FitWindow
from napari_wse2xai.stages._pixels import Pixels
from napari_wse2xai.stages._plan import Plan
from napari_wse2xai.stages._terms import Terms
from napari_wse2xai.stages._unresolved import unresolved
from napari_wse2xai.stages.peaks import Peak

if TYPE_CHECKING:
    from napari_wse2xai.numerics.problem import Problem

ASKED = 100
"""Spectra that are fitted with shared widths."""
MOST, LESS = 0.5, 0.5
"""Share of the pixels with light there in which peaks are merged, to be told; and the part of it that sharing must leave at most."""


@dataclass(frozen=True)
class Merged:
    """Peaks of a window that most of its pixels cannot tell apart."""

    peaks: tuple[Peak, ...]
    share: float
    """Of the pixels."""
    shared: float | None
    """The same where their widths are the same in all pixels; None where that helps little, or they are held already."""


def merged(window: FitWindow, problem: "Problem", fit: Fit, spectra: Pixels, terms: Terms) -> Merged | None:
    """Peaks that lie too near in most pixels, and whether sharing their widths would tell them apart; None where there are none."""
    rows = all_over(len(spectra), ASKED)
    some = spectra.only(rows)
    alike = unresolved(window, problem, fit.only(rows), some, terms.detection)
    often = np.flatnonzero(alike.mean(axis=0) > MOST)
    if not len(often):
        return None
    peaks, share = tuple(window.peaks[k] for k in often), float(alike.any(axis=1).mean())
    if not any(peak.may_share_its_width for peak in peaks):
        return Merged(peaks, share, None)
    sharing = replace(window, peaks=tuple(peak.sharing_its_width() if peak in peaks else peak for peak in window.peaks))
    plan = Plan.of(sharing, some, terms)
    still = unresolved(sharing, plan.problem, plan.fit(some.of(sharing, slice(None))), some, terms.detection)
    left = float(still.any(axis=1).mean())
    return Merged(peaks, share, left if left < LESS * share else None)

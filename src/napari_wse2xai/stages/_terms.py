"""What all windows of a deconvolution have in common: how they are fitted and judged."""

from dataclasses import dataclass

from napari_wse2xai.stages.solvers import Solver


@dataclass(frozen=True)
class Terms:
    """Settings of `Deconvolve` that a fit needs, whatever the peaks and the map."""

    solver: Solver
    width_range: tuple[float, float]
    position_penalty: float
    detection: float
    weighted: bool
    """Whether channels count by the shot noise that the data show."""

"""How the parameters of a deconvolution are found: all solvers minimise the same objective inside the same bounds."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_wse2xai.stages._stage import Settings, setting

if TYPE_CHECKING:
    from napari_wse2xai.numerics.problem import Problem

Spectra = NDArray[np.float32]
Parameters = NDArray[np.float64]
Done = Callable[[float], None]
HASTY = 15
"""Steps after which a start that was only tried is given up."""


class _Solver(Settings):
    """What solvers have in common."""

    refits: ClassVar[bool] = False
    """Whether spectra that are not at their minimum are fitted again on the channels."""

    def solve(self, problem: "Problem", counts: Spectra, progress: Done, start: Parameters | None = None) -> Parameters:
        """(pixel, peak, 4) parameters, from the problem's start or from each spectrum's own."""
        raise NotImplementedError


class ChannelLM(_Solver):
    """Levenberg-Marquardt on the channels: any line shape."""

    kind: Literal["channel LM"] = "channel LM"
    tolerance: float = setting(
        1e-7, title="Tolerance", description="Stop when the sum of squares falls by less than this share.", gt=0, le=0.1
    )
    iterations: int = setting(100, title="Iterations", description="At most this many steps.", ge=1, le=10_000)

    def solve(self, problem: "Problem", counts: Spectra, progress: Done, start: Parameters | None = None) -> Parameters:
        """(pixel, peak, 4) parameters."""
        from napari_wse2xai.numerics import least_squares

        tolerance = least_squares.Tolerance(self.tolerance, self.iterations)
        return least_squares.fit(problem, counts, tolerance, start=start, progress=progress)


class MomentLM(_Solver):
    """Levenberg-Marquardt on moments of the spectra: Lorentzians only, several times as fast as on the channels, at the same minimum.

    Spectra whose lines lie too far from the start for it, or whose minimum needs more digits, are fitted again on the channels.
    """

    refits: ClassVar[bool] = True
    kind: Literal["moment LM"] = "moment LM"
    tolerance: float = setting(
        1e-5, title="Tolerance", description="Stop when one more step would lower the sum of squares by less than this share.", gt=0, le=0.1
    )
    iterations: int = setting(40, title="Iterations", description="At most this many steps.", ge=1, le=10_000)

    def solve(self, problem: "Problem", counts: Spectra, progress: Done, start: Parameters | None = None) -> Parameters:
        """(pixel, peak, 4) parameters."""
        from napari_wse2xai.numerics import least_squares, moments

        retry = start is not None  # from elsewhere: what comes out better is finished by who asked
        on_channels = least_squares.Tolerance(1e-5, HASTY) if retry else least_squares.Tolerance()
        if len(counts) <= moments.FEW:
            return least_squares.fit(problem, counts, on_channels, start=start, progress=progress)
        tolerance = moments.MomentTolerance(self.tolerance, min(self.iterations, HASTY) if retry else self.iterations)
        found, again = moments.fit(problem, counts, tolerance, start=start, progress=lambda done: progress(0.8 * done))
        if again.any():
            own, enough = None if start is None else start[again], replace(on_channels, relative=max(on_channels.relative, self.tolerance))
            found[again] = least_squares.fit(problem, counts[again], enough, start=own, progress=lambda d: progress(0.8 + 0.2 * d))
        return np.clip(found, problem.lower, problem.upper)


class RAdam(_Solver):
    """The paper's solver: gradient descent with rectified Adam on the mean squared error, slower by a factor of hundreds."""

    kind: Literal["radam"] = "radam"
    steps: int = setting(1000, title="Steps", description="Number of iterations.", ge=1, le=1_000_000)
    learning_rate: float = setting(
        0.05, title="Learning rate", description="First step, as a share of a peak's width and height; falls to zero.", gt=0, le=10
    )

    def solve(self, problem: "Problem", counts: Spectra, progress: Done, start: Parameters | None = None) -> Parameters:
        """(pixel, peak, 4) parameters."""
        from napari_wse2xai.numerics import gradient_descent

        schedule = gradient_descent.Schedule(self.steps, self.learning_rate)
        return gradient_descent.fit(problem, counts, schedule, progress=progress)


class AutomaticSolver(_Solver):
    """Moment LM where all peaks of a window are Lorentzians, else channel LM; peaks of which only heights are fitted slow nothing."""

    refits: ClassVar[bool] = True
    kind: Literal["automatic"] = "automatic"

    def solve(self, problem: "Problem", counts: Spectra, progress: Done, start: Parameters | None = None) -> Parameters:
        """(pixel, peak, 4) parameters."""
        from napari_wse2xai.numerics import moments

        if moments.applies(problem):
            return MomentLM().solve(problem, counts, progress, start)
        linear = [k for k in problem.of_height_alone if problem.shapes[k] != "lorentzian"]
        if linear and moments.applies(problem.without_shapes(linear)):
            return _with_linear(problem, linear, counts, progress, start)
        return ChannelLM().solve(problem, counts, progress, start)


def _with_linear(problem: "Problem", linear: list[int], counts: Spectra, progress: Done, start: Parameters | None) -> Parameters:
    """Moment LM where some peaks of any shape have nothing but a height: these are solved for with the background.

    Where one would be negative the spectrum is fitted without them.
    """
    rest = [k for k in range(len(problem.shapes)) if k not in linear]
    found = np.repeat(problem.start[None], len(counts), axis=0)
    found[:, rest] = MomentLM().solve(problem.without_shapes(linear), counts, progress, None if start is None else start[:, rest])
    heights = problem.heights(counts, found, linear)
    found[:, linear, 2] = np.maximum(heights, 0.0)
    below = np.flatnonzero((heights < 0).any(axis=1))
    if len(below):
        alone = MomentLM().solve(problem.of_peaks(rest), counts[below], progress, None if start is None else start[below][:, rest])
        found[below[:, None], rest] = alone
        found[below[:, None], linear, 2] = 0.0
    return found


Solver = Annotated[AutomaticSolver | MomentLM | ChannelLM | RAdam, Field(discriminator="kind")]

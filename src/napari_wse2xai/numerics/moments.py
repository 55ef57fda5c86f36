"""Deconvolution into Lorentzians without touching the channels in each iteration: "moment" Levenberg-Marquardt.

With ``z = p + i w/2``, ``g(x) = 1 / (x - z)`` and ``a = h w/2`` a Lorentzian is ``a Im g``, and its derivatives by a, p and w/2 are
``Im g``, ``a Im g^2`` and ``a Re g^2``.  So the data enter a least-squares fit only through ``Y(z) = sum y / (x - z)`` and its derivative,
and the normal matrix only through ``G(z) = sum 1 / (x - z)`` and its first three: partial fractions turn every product of two
such columns into differences of G.  Both are power series about each peak's start, whose coefficients are one matrix product per
map.  `docs/method.md` derives every formula used here.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from napari_wse2xai.numerics.learned_start import LearnedStart, enough
from napari_wse2xai.numerics.moment_descent import FEW, LAST, Descent, DescentState, MomentTolerance
from napari_wse2xai.numerics.problem import HEIGHT, POSITION, Problem, Tie
from napari_wse2xai.numerics.threads import single_thread

__all__ = ["FEW", "MomentTolerance", "applies", "fit"]

SAFE_RADIUS = 0.7
"""Largest ``|w|`` at which the series is trusted."""
CHUNK, USUAL = 2500, 4
"""Spectra of so many peaks worked on at once, more of fewer peaks; no power of two, at which all rows would fall on the same lines of the
cache."""
WORTH = 14_000
"""Spectra times the squared number of peaks from which starts are learned: fewer are fitted from the common start meanwhile."""


def applies(problem: Problem) -> bool:
    """Whether the problem is of the kind solved here: Lorentzians with heights of their own."""
    heights = {(k, HEIGHT) for k in range(len(problem.shapes))}
    tied = {tie.follower for tie in problem.ties} | problem.fixed | problem.bounded
    one_each = len({tie.follower for tie in problem.ties}) == len(problem.ties)
    alike = one_each and all(tie.follower[1] == tie.leader[1] and _plain(tie) for tie in problem.ties)
    return set(problem.shapes) == {"lorentzian"} and not heights & tied and alike


def _plain(tie: Tie) -> bool:
    """Whether a position keeps its distance, or a FWHM its proportion."""
    return tie.ratio == 1.0 if tie.follower[1] == POSITION else tie.offset == 0.0 and tie.ratio > 0


def fit(
    problem: Problem,
    counts: NDArray[np.float32],
    tolerance: MomentTolerance,
    *,
    start: NDArray[np.float64] | None = None,
    device: str = "cpu",
    progress: Callable[[float], None] = lambda done: None,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Minimise the objective of `Problem` for every spectrum.

    Parameters
    ----------
    problem : see `Problem`; of the kind that `applies`
    counts : (pixel, n) float32, counts
    start : (pixel, peak, 4) where each spectrum starts; None for the problem's own start
    progress : called with the share done after every chunk; may raise

    Returns
    -------
    (pixel, peak, 4) float64; position and FWHM in the axis unit, height in counts, and a zero for the form
    (pixel,) True where a line wandered so far that the series cannot be trusted, and for a last few that took longer than all others

    Notes
    -----
    The minimum is that of `least_squares.fit` to a few thousandths of a standard error.  Where there are many spectra some are fitted
    first; the series are then taken about their median, and from these fits the rest learn where to start.
    """
    with single_thread():
        return _MomentFit(problem, counts, tolerance, device, start).run(progress)


class _MomentFit:
    """All spectra of one problem: a sample first, then all in two steps each, and the stragglers together."""

    def __init__(
        self, problem: Problem, counts: NDArray[np.float32], tolerance: MomentTolerance, device: str, start: NDArray[np.float64] | None
    ) -> None:
        self.counts, self.tolerance, self.start = counts, tolerance, start
        self.descent = Descent(problem, problem.start, device)
        self.chunk = CHUNK * max(1, USUAL // len(problem.shapes))
        self.found = np.zeros((len(counts), *problem.start.shape))
        self.far = np.zeros(len(counts), dtype=bool)

    @torch.inference_mode()
    def run(self, progress: Callable[[float], None]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Fit all."""
        progress(0.0)
        learned = self._learn()
        left: list[DescentState] = []
        for first in range(0, len(self.counts), self.chunk):
            left.append(self._take(first, learned))
            if sum(len(state.rows) for state in left) >= self.chunk:
                self._finish(left)
                left = []
            progress(min((first + self.chunk) / len(self.counts), 1.0))
        if left:
            self._finish(left)
        return self.found, self.far

    def _learn(self) -> LearnedStart | None:
        """Fit some spectra evenly taken from all, and expand about their median; too few to learn from are just fitted."""
        problem, device = self.descent.problem, self.descent.device
        some = enough(3 * len(problem.shapes))
        if len(self.counts) < max(4 * some, WORTH // len(problem.shapes) ** 2) or self.start is not None:
            return None
        rows = np.linspace(0, len(self.counts) - 1, some).astype(np.intp)
        state = self.descent.begin(self.counts[rows], rows)
        # Roughly, for what is learned from these fits is where to start, not where to end.
        state.now, unsettled = self.descent.run(state, MomentTolerance(1e-3, 5))
        settled = ~unsettled.cpu().numpy()
        if settled.sum() < some / 2:
            return None
        found, rows = self.descent.found(state)[settled], rows[settled]
        # About the median the series needs the fewest terms for most spectra.
        self.descent = Descent(problem, np.median(found, axis=0), device)
        state = self.descent.begin(self.counts[rows], rows)
        return LearnedStart(_features(state), self.descent.tensor(self.descent.internal(found, state)))

    def _take(self, first: int, learned: LearnedStart | None) -> DescentState:
        """Fit a chunk; return the spectra that are not done."""
        end = min(first + self.chunk, len(self.counts))
        parts = [np.arange(at, min(at + CHUNK, end)) for at in range(first, end, CHUNK)]
        state = DescentState.joined([self.descent.begin(self.counts[rows[0] : rows[-1] + 1], rows) for rows in parts])
        if self.start is not None:
            state.now = self.descent.tensor(self.descent.internal(self.start[first:end], state))
        if learned is None:
            return state
        start = learned.predict(_features(state))
        start[0] = torch.maximum(start[0], 0.02 * state.now[0])
        going = self.descent.dash(state, start, self.tolerance)
        self._put(state)
        return state.keep(going)

    def _finish(self, left: list[DescentState]) -> None:
        """Fit to the end."""
        state = DescentState.joined(left)
        state.now, unsettled = self.descent.run(state, self.tolerance)
        self._put(state)
        if 0 < int(unsettled.sum()) <= LAST:
            self.far[state.rows[unsettled].cpu().numpy()] = True

    def _put(self, state: DescentState) -> None:
        rows = state.rows.cpu().numpy()
        self.found[rows] = self.descent.found(state)
        self.far[rows] = ~(self.descent.radius(state).cpu().numpy() <= SAFE_RADIUS)  # so that what is no number counts as far


def _features(state: DescentState) -> torch.Tensor:
    """(3 peak, pixel) what the spectrum has of each peak's profile and of its derivatives at the start: first moments."""
    slope = torch.view_as_real(state.of_value[:, 1])
    return torch.cat([state.of_value[:, 0].imag, slope[..., 0], slope[..., 1]])

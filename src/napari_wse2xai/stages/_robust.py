"""A loss that lone channels do not rule: what lies far off the model counts as if it lay no farther than noise does."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.stages._fitting import Done, Fit, FitWindow, Spectra
from napari_wse2xai.stages._pixels import Pixels

if TYPE_CHECKING:
    from napari_wse2xai.numerics.problem import Problem

FAR = 2.5
"""Standard deviations of the noise from which a channel is drawn in: of Gaussian noise 1.2 % lie farther."""
ROUNDS = 8
"""Times that a fit is repeated on what was drawn in; most spectra need two or three."""
SETTLED = 0.02
"""Change of a spectrum, in standard deviations of the noise, at which it is done."""


def with_robust_loss(window: FitWindow, problem: "Problem", fit: Fit, spectra: Pixels, progress: Done = lambda done: None) -> Fit:
    """Fit again with Huber's loss: squares near the model, straight lines beyond `FAR`.

    Notes
    -----
    Huber 1981: the minimum is that of a least-squares fit to "pseudo-values", the model plus each residual cut at `FAR`; cut and fit in
    turns.  Errors are those of that fit over the share of channels that were not cut.  Spectra with gaps keep their fit by squares.
    """
    skipped, changed, drawn = spectra.gaps(window)[0], [], []
    for chunk in spectra.chunks():
        rows = np.setdiff1d(np.arange(chunk.start, chunk.stop), skipped)
        counts = spectra.of(window, rows)
        pseudo, _ = _drawn_in(problem, counts, counts, fit, rows)
        far = np.flatnonzero((pseudo != counts).any(axis=1))
        if len(far):
            fit, pseudo = _settled(window, problem, fit, rows[far], counts[far], progress)
            changed.append(rows[far])
            drawn.append(pseudo)
    if changed:
        spectra.draw(window, np.concatenate(changed), np.concatenate(drawn))
    return fit


def _settled(
    window: FitWindow, problem: "Problem", fit: Fit, rows: NDArray[np.intp], counts: Spectra, progress: Done
) -> tuple[Fit, Spectra]:
    """Cut and fit some spectra in turns."""
    from napari_wse2xai.numerics import least_squares
    from napari_wse2xai.numerics.residual_noise import Noise

    pseudo, active = counts.copy(), np.arange(len(rows))
    for _ in range(ROUNDS):
        now, sigma = _drawn_in(problem, counts[active], pseudo[active], fit, rows[active])
        moved = np.abs(now - pseudo[active]).max(axis=1) > SETTLED * sigma.mean(axis=1)
        pseudo[active] = now
        active = active[moved]
        if not len(active):
            break
        begin = fit.found[rows[active]]
        found = least_squares.fit(problem, pseudo[active], least_squares.Tolerance(), start=begin, progress=progress)
        fit = fit.merged(rows[active], window.judge(problem, pseudo[active], found, fit.noise))
        # What lone channels did to the fit by squares is taken for noise that neighbours share, until it is undone.
        fit = replace(fit, noise=Noise.of(problem, pseudo, fit.found[rows]))
    fit = fit.merged(rows, window.judge(problem, pseudo, fit.found[rows], fit.noise))
    kept = np.maximum((pseudo == counts).mean(axis=1), 0.5)
    error, covariance = fit.quality.error.copy(), fit.quality.covariance.copy()
    error[rows] /= kept[:, None, None]
    covariance[rows] /= kept[:, None, None, None] ** 2
    return replace(fit, quality=replace(fit.quality, error=error, covariance=covariance)), pseudo


def _drawn_in(
    problem: "Problem", counts: Spectra, pseudo: Spectra, fit: Fit, rows: NDArray[np.intp]
) -> tuple[Spectra, NDArray[np.float32]]:
    """Spectra with what lies far off the model drawn in, and the noise of every channel; the background is that of the pseudo-values."""
    from napari_wse2xai.numerics.slopes import model

    peaks = model(problem.x, problem.shapes, fit.found[rows], problem.width)
    rest = pseudo - peaks
    left = problem.without_background(rest * problem.root) / problem.root
    fitted = peaks + (rest - left)
    sigma = np.sqrt(fit.noise.variance(left.astype(np.float32), peaks.astype(np.float32)))
    away = counts - fitted
    near = np.abs(away) <= FAR * sigma
    return np.where(near, counts, fitted + np.sign(away) * FAR * sigma).astype(np.float32), sigma

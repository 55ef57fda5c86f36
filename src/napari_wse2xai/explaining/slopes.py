"""Slope of each pixel's ICE curve: which way, and how strongly, the model's prediction answers to each parameter at each place."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.explaining.bunch import Bunch
from napari_wse2xai.explaining.model import Numbers
from napari_wse2xai.explaining.subject import Subject
from napari_wse2xai.progress import Progress, silent

SCHEMES = ("central", "forward", "backward", "autograd", "paper-literal")


def ice_slope(
    estimator: object,
    X: Numbers | None = None,  # noqa: N803 - scikit-learn's name
    features: Sequence[int] | None = None,
    *,
    step: str | float | Sequence[float] = "sd",
    scheme: str = "central",
    progress: Progress = silent,
) -> Bunch:
    """Average slope of every pixel's ICE curve over one step to either side, the "ICE pixel" of Yoo et al. 2023.

    Parameters
    ----------
    estimator : whatever `as_model` takes, or a `Subject`, which has a table of its own
    X : (n, column) raw units
    features : columns to explain; all where none are named
    step : ``sd``: one standard deviation of the column over the data; or a step in the column's unit, one for all or one for each
    scheme : ``central`` ``[f(x+s) - f(x-s)] / 2s``; ``forward`` ``[f(x+s) - f(x)] / s``; ``backward`` ``[f(x) - f(x-s)] / s``;
        ``autograd`` the derivative at the pixel, all parameters in one go; ``paper-literal`` the printed formula ``[f(x+s) + f(x-s) - 2
        f(x)] / 2s``, which is no slope

    Returns
    -------
    Bunch with ``slope`` (feature, n) in the prediction's unit per the parameter's; ``step`` (feature,); ``off_cloud`` (feature, n) True
    where a step leaves the cloud of the data; for the schemes that look to both sides also ``nonlinearity`` (feature, n), 0 where the
    three points lie on one line, 1/2 where one side is flat, 1 where the slopes to either side cancel, and ``curvature`` (feature, n),
    the second difference in the prediction's unit per the parameter's squared.

    Notes
    -----
    Equation (3) of Yoo et al. prints a sum over both sides, ``[ICE(+s) + ICE(-s)] / 2s = (s/2) f'' + O(s^3)``.  That is a curvature: it
    is zero for a linear model whatever its coefficient, and does not change sign with the parameter's.  An average slope is the mean of
    the secants ``ICE(+s)/(+s)`` and ``ICE(-s)/(-s)``, the central difference; the printed sum is right if ICE(x, -s) is read as a
    backward difference.  Likewise equation (2) prints the second term of the ICE with the perturbation of the first, which would make it
    zero; here ``ICE(x, e) = f(x + e) - f(x)`` (Goldstein et al. 2015). ``curvature`` is twice the printed formula over the step.

    The steps are divided by what they are once rounded to the model's precision, so that a linear model gives its coefficient.
    """
    subject = Subject.of(estimator, X)
    columns = subject.columns(features)
    if scheme not in SCHEMES:
        raise SettingsError(f"The scheme '{scheme}' is not known; use {', '.join(SCHEMES[:-1])} or {SCHEMES[-1]}.")
    steps = _steps(subject.table[:, columns], step)
    result = Bunch(step=steps, off_cloud=subject.cloud.leaving(columns, steps))
    if scheme == "autograd":
        result.update(slope=subject.model.gradient(subject.table, progress)[:, columns].T)
        return result
    secants = _Secants.of(subject, columns, steps, scheme, progress)
    result.update(secants.measures(scheme, steps))
    return result


def derivatives(estimator: object, X: Numbers | None = None, *, progress: Progress = silent) -> Numbers:  # noqa: N803 - scikit-learn's name
    """Derivative (feature, n) of the prediction by every parameter at every pixel, by automatic differentiation: one pass for all maps."""
    subject = Subject.of(estimator, X)
    return np.ascontiguousarray(subject.model.gradient(subject.table, progress).T)


class _Secants:
    """Predictions one step below, at, and one step above every pixel."""

    def __init__(self, rises: Numbers, runs: Numbers) -> None:
        self.rises = rises
        """(2, feature, n) what the prediction gains over the step down and over the step up."""
        self.runs = runs
        """(2, feature, n) length of the two steps, as the model sees them; 0 where there is none."""

    @classmethod
    def of(cls, subject: Subject, columns: NDArray[np.int64], steps: Numbers, scheme: str, progress: Progress) -> "_Secants":
        """Evaluate the model where the scheme looks."""
        sides = {"forward": (1.0,), "backward": (-1.0,)}.get(scheme, (-1.0, 1.0))
        model, here = subject.model, subject.table[:, columns].T
        there = np.stack([here + side * steps[:, None] for side in sides])
        # Steps as long as the model sees them: in single precision 250 cm-1 + 0.1 is not a step of 0.1.
        seen, runs = model.seen(here), np.zeros((2, *here.shape))
        rises = np.zeros_like(runs)
        values = subject.moved(columns, there, progress, "Slopes")
        for side, place, value in zip(sides, model.seen(there), values, strict=True):
            index = int(side > 0)
            runs[index], rises[index] = side * (place - seen), side * (value - subject.predicted)
        return cls(rises, runs)

    def measures(self, scheme: str, steps: Numbers) -> dict[str, Numbers]:
        """Slope, and what else the two sides tell."""
        slope = _ratio(self.rises.sum(axis=0), self.runs.sum(axis=0))
        if scheme in ("forward", "backward"):
            return {"slope": slope}
        down, up = _ratio(self.rises, self.runs)
        bend = np.abs(up - down) / 2
        curvature = _ratio(up - down, self.runs.mean(axis=0))
        # [f(x + s) - 2 f(x) + f(x - s)] / 2s, as equation (3) is printed.
        printed = curvature * steps[:, None] / 2
        nonlinearity = _ratio(bend, bend + np.abs(slope))
        return {"slope": printed if scheme == "paper-literal" else slope, "nonlinearity": nonlinearity, "curvature": curvature}


def _steps(table: Numbers, step: str | float | Sequence[float]) -> Numbers:
    """(feature,) step of each column."""
    if isinstance(step, str):
        if step != "sd":
            raise SettingsError(f"The step '{step}' is not known; use 'sd', or give numbers.")
        return np.asarray(table.std(axis=0))
    steps = np.broadcast_to(np.asarray(step, dtype=np.float64), table.shape[1:]).copy()
    if (steps <= 0).any():
        raise SettingsError("A step must be above zero.")
    return steps


def _ratio(above: Numbers, below: Numbers) -> Numbers:
    """Quotient; 0 where the denominator is 0 (a column without spread)."""
    return np.divide(above, below, out=np.zeros_like(above), where=below != 0)

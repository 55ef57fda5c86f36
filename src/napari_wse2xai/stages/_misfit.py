"""Where the model does not fit: structure in a pixel's own residual, and what all residuals of a map miss alike."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import AxisKind
from napari_wse2xai.numerics.all_over import all_over
from napari_wse2xai.numerics.noise import median, robust_sigma
from napari_wse2xai.numerics.problem import LONGEST
from napari_wse2xai.stages._bending import with_more_bends
from napari_wse2xai.stages._fitting import Done, Fit, FitWindow, Misfit
from napari_wse2xai.stages._held import with_held
from napari_wse2xai.stages._pixels import Pixels
from napari_wse2xai.stages._unresolved import unresolved

if TYPE_CHECKING:
    from napari_wse2xai.numerics.problem import Problem
    from napari_wse2xai.numerics.remedies import Remedy, Stack

STACKED = 1000
"""Spectra that the stacked residual is taken from."""
AT_ONCE = 1024
"""Spectra worked on together where all are: these stay in the cache."""
SURE = 6.0
"""Standard deviations from which the stacked residual shows a misfit."""
FAINT = 0.1
"""Least light of a typical spectrum, over that of the mean: of another material's lines most pixels may have none."""
BENT, AT_MOST = 60, 1.5
"""Pixels that say what a right model leaves, and by how much of that, at most, the stack is corrected: it is known to second order."""
CUT = 10.0
"""Spreads of all pixels' residuals at a channel at which one is cut off in the stack, so that no spike is taken for a line."""
ALLOWED = 2.0
"""Standard deviations by which a pixel may seem to have less of a common misfit than it has."""
BEYOND = 1.5
"""By how much a pixel's structure must exceed that which the map's residuals share, to be the pixel's own."""
FEW = 0.5
"""Share of the pixels that show a misfit of their own, below which the others are asked for what they share without them."""
HIDDEN = 25.0
"""What a remedy may move a parameter by, in its errors, over what it is worth in the residual, to be believed."""
UNKNOWN = 4.0
"""Standard deviations that no remedy explains, from which a pixel is not believed."""
UNEXPLAINED = 5.0
"""By how much, at most, a shift is raised for what the best remedy does not explain."""
Values = NDArray[np.float64]


def with_misfits(
    windows: Sequence[FitWindow],
    problems: Sequence["Problem"],
    fits: Sequence[Fit],
    spectra: Pixels,
    detection: float,
    progress: Done = lambda done: None,
) -> list[Fit]:
    """Fits that know what their model misses in every pixel."""
    from napari_wse2xai.numerics.structure import threshold

    result = []
    for window, problem, fit in zip(windows, problems, fits, strict=True):
        common, chance = Common(window, problem, fit, spectra), threshold(len(window.x) * len(windows), fit.noise.freedom * len(window.x))
        remedy = common.remedy()
        own, bias = common.judged(remedy, chance)
        alone = common.alone(remedy, chance)
        if remedy is not None and 0 < alone.mean() < FEW:  # what few pixels show by themselves is no fault of the others
            others = Common(window, problem, fit, spectra, alone)
            own_of_others, bias_of_others = others.judged(others.remedy(), chance)
            own, bias = np.where(alone, own, own_of_others), np.where(alone[:, None, None], bias, bias_of_others)
        quiet = (own == 0) & ~(bias > fit.quality.error).any(axis=(1, 2))
        bias = np.maximum(bias, with_more_bends(window, problem, fit, spectra, quiet, progress))
        alike = unresolved(window, problem, fit, spectra, detection, progress)
        result.append(with_held(window, problem, replace(fit, misfit=Misfit(own, bias, remedy, alike)), spectra))
    return result


class Common:
    """What the residuals of a window share all over a map, in proportion to a pixel's light over its noise."""

    def __init__(self, window: FitWindow, problem: "Problem", fit: Fit, spectra: Pixels, left_out: NDArray[np.bool_] | None = None) -> None:
        self.window, self.problem, self.fit, self.spectra = window, problem, fit, spectra
        # A wrong model misses in proportion to the light, and shows in proportion to light over noise: so pixels are weighed.
        self.light = np.maximum(fit.found[..., 2].sum(axis=1), 0.0) / fit.quality.noise
        pixels = np.arange(len(self.light)) if left_out is None else np.flatnonzero(~left_out)
        self.rows = pixels[all_over(len(pixels), STACKED)]
        self.weight = max(float(np.linalg.norm(self.light[self.rows])), 1e-300)
        each = self._raw(self.rows)
        self.middle = median(each, axis=0)
        self.reach = (CUT * np.maximum(robust_sigma(each - self.middle, axis=0), 1.0)).astype(np.float32)
        sum_of_all = self.light[self.rows] @ self._cut(each) / (self.weight * self._of_substrate())
        self.stack: Values = self._without_curvature(sum_of_all)
        """(n,) sum of the residuals over their noise, weighted with their light: of standard deviation 1 if the model is right."""

    def _of_substrate(self) -> float:
        """By how much the noise of the substrate's spectrum, which all pixels share, raises that of the stack."""
        substrate = self.window.substrate
        if substrate is None:
            return 1.0
        shares = self.fit.background[self.rows, -1]
        return float(np.hypot(1.0, self.light[self.rows] @ shares / self.weight / np.sqrt(substrate.pixels)))

    @cached_property
    def shared(self) -> float:
        """What the most significant structure of the stack is worth, in standard deviations."""
        return self._shown(self.stack)

    def _shown(self, stack: Values) -> float:
        """The same of any stack."""
        from napari_wse2xai.numerics.structure import largest

        return float(largest(stack[None], self.fit.noise.memory)[0])

    def _without_curvature(self, stack: Values) -> Values:
        """A stack that shows something, without as much as it may show of what right models leave."""
        from napari_wse2xai.numerics.curvature import expected_residual

        if self._shown(stack) < SURE:
            return stack
        some = self.rows[:: -(-len(self.rows) // BENT)]
        counts, found, free = self.spectra.of(self.window, some), self.fit.found[some].astype(np.float64), self.fit.free[some]
        each = np.nan_to_num(expected_residual(self.problem, counts, found, free, self.fit.noise))
        pattern = self.light[some] @ each
        # By least squares, as much of the pattern as the stack has.
        share = float(pattern @ stack) / max(float(pattern @ pattern), 1e-300)
        all_of_it = len(self.rows) / len(some) / self.weight
        return np.asarray(stack - float(np.clip(share, 0.0, AT_MOST * all_of_it)) * pattern)

    def _raw(self, which: slice | NDArray[np.intp]) -> NDArray[np.float32]:
        """Residuals of some pixels over their noise."""
        from napari_wse2xai.numerics.uncertainty import standardised

        counts = self.spectra.of(self.window, which)
        return standardised(self.problem, counts, self.fit.found[which], self.fit.noise)

    def _cut(self, standard: NDArray[np.float32]) -> NDArray[np.float32]:
        """Without what stands out of the other pixels' residuals at the channel, and of none: spikes."""
        return np.clip(standard, np.minimum(self.middle, 0) - self.reach, np.maximum(self.middle, 0) + self.reach)

    def typical(self) -> "Stack":
        """A typical spectrum with the noise of all together."""
        from napari_wse2xai.numerics.remedies import Stack
        from napari_wse2xai.numerics.slopes import model
        from napari_wse2xai.numerics.structure import raised

        bright = self.fit.found[self.rows][self.light[self.rows] >= np.median(self.light[self.rows])]
        parameters = np.median(bright, axis=0)
        fitted = model(self.problem.x, self.problem.shapes, parameters[None], self.problem.width)
        noise = float(np.median(self.fit.quality.noise[self.rows]))
        shape = np.sqrt(self.fit.noise.usual_variance(fitted.astype(np.float32)))[0]
        share = max(float(parameters[:, 2].sum()) / noise / self.weight, FAINT / np.sqrt(len(self.rows)))
        sigma = share * noise * shape / max(float(np.sqrt((shape**2).mean())), 1e-300)
        return Stack(self.problem, parameters, self.stack * sigma, sigma * np.sqrt(raised(8, self.fit.noise.memory)))

    def alone(self, remedy: "Remedy | None", chance: float) -> NDArray[np.bool_]:
        """(pixel,) True where structure is the pixel's own: no chance, nor shared by the map's residuals, which the bias holds."""
        held = 0.0 if remedy is None else BEYOND * self.shared * self.light / self.weight
        return np.asarray(self.fit.quality.structure > chance + held)

    def judged(self, remedy: "Remedy | None", chance: float) -> tuple[Values, NDArray[np.float32]]:
        """(pixel,) structure of a pixel that is its own, 0 where it may be chance, and (pixel, peak, 4) what the common misfit moves."""
        bias = np.zeros(self.fit.found.shape, dtype=np.float32) if remedy is None else self.bias(remedy)
        unlike = self.alone(remedy, chance) | (self.unexplained(remedy) > UNKNOWN)
        return np.where(unlike, self.fit.quality.structure, 0.0), bias

    def remedy(self) -> "Remedy | None":
        """What would explain the misfit best; None where there is none."""
        from napari_wse2xai.numerics import remedies

        if self.shared < SURE:
            return None
        return remedies.best(self.typical(), self._plausible)

    def unexplained(self, remedy: "Remedy | None") -> Values:
        """(pixel,) what of the common misfit no remedy explains, in standard deviations of the pixel: what it moves nobody knows."""
        if remedy is None:
            return np.zeros(len(self.light))
        return np.asarray(self.had * self.expected * np.sqrt(1.0 - min(self.typical().share(remedy), 1.0)))

    def _plausible(self, remedy: "Remedy") -> bool:
        """Whether a remedy does not move parameters by far more than the misfit shows in the residual, nor is a filter the wrong way round.

        The filter before a Raman detector holds back the laser: with growing shift it only lets more through.  Spectra that step down have
        lines or bands below, which end there.
        """
        if remedy.kind == "edge" and remedy.height < 0 and self.spectra.kind is AxisKind.RAMAN_SHIFT:
            return False
        each = self.fit.quality.error[self.rows][..., :3]
        error = np.median(np.where(np.isfinite(each), each, np.inf), axis=0)
        seen = float(np.median(self.light[self.rows])) * self._size / self.weight
        return bool((np.abs(remedy.shift[:, :3]) / error).max() < HIDDEN * seen)

    @property
    def _size(self) -> float:
        """Worth of all that the stack shows, in standard deviations."""
        # A stack of n channels of noise alone has the square n, on average.
        return float(np.sqrt(max(float(self.stack @ self.stack) - len(self.stack), 1.0)))

    @property
    def expected(self) -> Values:
        """(pixel,) what the common misfit is worth in each, by its light, in standard deviations."""
        return np.asarray(self.light * self._size / self.weight)

    @cached_property
    def had(self) -> Values:
        """(pixel,) how much of that a pixel may have, 0 to 1: of less than its light lets expect, by more than noise allows, no more."""
        pattern = (self.stack / max(float(np.linalg.norm(self.stack)), 1e-300)).astype(np.float32)
        pieces = (slice(first, first + AT_ONCE) for first in range(0, len(self.light), AT_ONCE))
        seen = np.concatenate([self._cut(self._raw(some)) @ pattern for some in pieces])
        return np.asarray(np.clip((seen + ALLOWED) / np.maximum(self.expected, 1e-300), 0.0, 1.0))

    def bias(self, remedy: "Remedy") -> NDArray[np.float32]:
        """(pixel, peak, 4) by how much the misfit moves the parameters of every pixel, as far as the pixel has it."""
        typical = self.typical()
        # A remedy that explains half of the misfit moves parameters by what the other half might, too.
        share = self.had * float(np.clip(self._size / max(remedy.worth, 1e-300), 1.0, UNEXPLAINED))
        light = share * (self.fit.found[..., 2].sum(axis=1) / max(float(typical.parameters[:, 2].sum()), 1e-300))
        moved, bias = np.abs(remedy.shift), np.empty(self.fit.found.shape, dtype=np.float32)
        for kind, by in enumerate((share, share, light, share)):
            bias[..., kind] = np.minimum(by[:, None] * moved[:, kind], LONGEST)
        return bias

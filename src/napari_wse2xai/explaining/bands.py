"""How sure partial dependences and slopes are: refits on resampled blocks of the flake, and reference models."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.errors import DataError
from napari_wse2xai.explaining.bunch import Bunch
from napari_wse2xai.explaining.curves import NODES, ice_curves, refined
from napari_wse2xai.explaining.model import Numbers, as_model
from napari_wse2xai.explaining.ranking import pdp_spread
from napari_wse2xai.explaining.slopes import ice_slope
from napari_wse2xai.explaining.subject import checked_columns, checked_table
from napari_wse2xai.learning.gaussian_process import MOST_PIXELS, Kernel, Processes
from napari_wse2xai.learning.posterior import Posterior
from napari_wse2xai.numerics.library_threads import single_threaded
from napari_wse2xai.numerics.standard import or_one
from napari_wse2xai.progress import Progress, silent

REFITS = 16
"""On resampled blocks; the standard deviation of so many is known to 18 %."""
BLOCKS = 50
"""Into so many blocks a flake is cut where no size is given."""
ROWS = 512
"""Pixels whose slopes are worked out at once."""
KERNELS = 4
"""So many kernels are found, each on other pixels: one kernel for all would not know how unsure it is itself."""
FEWEST_PIXELS = 30
"""With a value of the target, that error bands are drawn from."""
SMOOTHED_AWAY = 1.4
"""Errors of slopes over the spread of refits, which all smooth the same away: found on flakes of two makers (docs/explaining.md)."""
TWO_SIDED = 1.96
"""Standard deviations on either side that hold 95 %."""
Factory = Callable[[], Any]


def bands(  # noqa: PLR0913 - what is to be explained, the data, and how to refit
    partial: Bunch,
    slopes: Bunch,
    X: Numbers,  # noqa: N803 - scikit-learn's name
    y: Numbers,
    coordinates: Numbers | None = None,
    *,
    features: Sequence[int] | None = None,
    references: Sequence[object] = (),
    refits: int = REFITS,
    block_size: float | None = None,
    factory: Factory | None = None,
    random_state: int = 0,
    progress: Progress = silent,
) -> Bunch:
    """Errors of what `partial_dependence` and `ice_slope` gave, from refits on spatial-block bootstraps and from reference models.

    Parameters
    ----------
    partial : of `partial_dependence`, with the average
    slopes : of `ice_slope`
    X, y : (n, column) and (n,) what the model was trained on; pixels without y are left out of the refits
    coordinates : (n, 2) place of each pixel; a third column tells flakes apart.  Without it blocks are runs of neighbouring rows
    features : the columns that were explained; all where none are named
    references : other fitted estimators that predict about as well as the one explained
    refits : number of bootstraps
    block_size : side of a block, in the unit of the coordinates; by default the data are cut into about 50.  Not less than the range of
        the residuals' correlation
    factory : gives an unfitted estimator to refit instead of Gaussian processes (slower: fitted `refits` times)
    random_state : seed of the bootstraps
    progress : called between steps

    Returns
    -------
    Bunch with ``low`` and ``high`` (feature, grid): 95 % band of the partial dependence; ``slope_error`` (feature, n), one standard
    deviation; ``slope_spread`` (feature, n), the part of it that is the refits'; ``mean_slope_error`` (feature,), that of the slope's mean
    over the pixels; ``importance_error`` (feature,), one standard deviation of the PDP's spread; ``refits`` (refit, feature, grid) their
    partial dependences; ``references`` (reference model, feature, grid) those of the reference models; ``block_size``.

    Notes
    -----
    The refits are Gaussian processes (`learning.GaussianProcess`): they cost a few seconds, and on known laws they come closer to
    the truth than the network.  The band reaches from the lowest to the highest of the curve explained, the refits' 95 % interval
    (Student's t, Molnar et al. 2023) and the reference models' curves, since an ensemble of one kind of model does not know its own bias;
    likewise ``slope_error`` is that of the refits (widened for their number, and for what all of them smooth away alike) and the distance
    to their mean over 1.96.  Resampling blocks
    rather than pixels keeps neighbours together, whose errors go together (Roberts et al. 2017).  Where there are few pixels all refits
    fall back on the same prior and agree: so the process's own posterior error is added to their spread in squares, in bands and slopes.
    """
    table = checked_table(X)
    known = _known(y)
    rng = np.random.default_rng(random_state)
    blocks, side = spatial_blocks(None if coordinates is None else coordinates[known], int(known.sum()), block_size)
    counts = bootstraps(blocks, refits, rng)
    job = _Job(table, checked_columns(table, features), partial, slopes)
    fitted = _Factory(factory, job) if factory else _Smooth(job)
    moments = fitted.refit(table[known], np.asarray(y, dtype=np.float64)[known], counts, rng, progress)
    return job.bands(moments, [job.curves_of(model) for model in references], block_size=side)


def _known(y: Numbers) -> NDArray[np.bool_]:
    """Pixels with a value of the target, (n,)."""
    known = np.isfinite(y)
    if known.sum() < FEWEST_PIXELS:
        raise DataError(f"Error bands need at least {FEWEST_PIXELS} pixels with a value of the target, not {int(known.sum())}.")
    return known


def spatial_blocks(coordinates: Numbers | None, count: int, side: float | None = None) -> tuple[NDArray[np.int64], float]:
    """Number of the square block that each pixel lies in, (n,), and the side of a block."""
    if coordinates is None:
        return np.arange(count) * BLOCKS // count, count / BLOCKS
    places = np.asarray(coordinates, dtype=np.float64)
    size = side or _side(places[:, :2])
    cells = np.floor((places[:, :2] - places[:, :2].min(axis=0)) / size + 1e-9)
    _, blocks = np.unique(np.column_stack([cells, places[:, 2:]]), axis=0, return_inverse=True)
    return blocks.reshape(-1), size


def bootstraps(blocks: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """How often each pixel is taken, (bootstrap, n): blocks are drawn with replacement."""
    number = int(blocks.max()) + 1
    return np.stack([np.bincount(rng.integers(number, size=number), minlength=number)[blocks] for _ in range(count)])


def _side(places: Numbers) -> float:
    """Side with which the pixels fall into about `BLOCKS` blocks."""
    extent = np.ptp(places, axis=0)
    step = np.sqrt(np.prod(np.maximum(extent, extent.max() / len(places))) / len(places))
    return float(max(step * np.sqrt(len(places) / BLOCKS), step, 1e-12))


@dataclass(frozen=True, eq=False)
class Refit:
    """What came of all refits."""

    curves: Numbers
    """(refit, feature, grid) partial dependences."""
    mean: Numbers
    spread: Numbers
    """(feature, n) mean and standard deviation of the slopes over refits."""
    over_pixels: Numbers
    """(refit, feature) mean slope over the pixels."""
    unknown_curve: Numbers | float = 0.0
    unknown_slope: Numbers | float = 0.0
    """(feature, grid) and (feature, n) posterior standard deviations: what no resampling shows where all refits know as little."""


@dataclass(frozen=True, eq=False)
class _Job:
    """What was explained, and on which pixels."""

    table: Numbers
    columns: NDArray[np.int64]
    partial: Bunch
    slopes: Bunch

    def curves_of(self, estimator: object) -> Numbers:
        """Partial dependence (feature, grid) of another model, on the same pixels and grid."""
        grid = self.partial.grid_values
        coarse = np.linspace(grid[:, 0], grid[:, -1], NODES, axis=1)
        curves = ice_curves(as_model(estimator), self.table[self.partial.pixels], self.columns, coarse)
        return refined(np.einsum("fpg,p->fg", curves, self.partial.weights), grid.shape[1])

    def bands(self, refit: Refit, references: list[Numbers], **also: Any) -> Bunch:
        """Put together what the refits and the reference models tell."""
        from scipy.stats import t as student

        curves, slopes = refit.curves, self.slopes.slope
        # A spread of few refits is itself uncertain: Student's t in place of 1.96.
        few = float(student.ppf(0.975, len(curves) - 1)) / TWO_SIDED
        # All refits smooth alike: what that takes away their spread does not show, so it is raised by what known laws showed.
        raised, mean_spread = (SMOOTHED_AWAY * few * part for part in (refit.spread, refit.over_pixels.std(axis=0, ddof=1)))
        spread: Numbers = np.hypot(raised, refit.unknown_slope)
        centre: Numbers = curves.mean(axis=0)
        drawn: Numbers = np.hypot(few * curves.std(axis=0, ddof=1), refit.unknown_curve)
        half: Numbers = TWO_SIDED * np.hypot(drawn, self.sampling_error())
        every = np.stack([self.partial.average, centre - half, centre + half, *references])
        return Bunch(
            low=every.min(axis=0),
            high=every.max(axis=0),
            slope_spread=spread,
            # How far the model lies from the mean of the refits is bias, which their spread does not hold: it counts as 1.96 errors.
            slope_error=spread + np.abs(slopes - refit.mean) / TWO_SIDED,
            mean_slope_error=mean_spread + np.abs(slopes.mean(axis=1) - refit.over_pixels.mean(axis=0)) / TWO_SIDED,
            importance_error=self.importance_error(curves),
            refits=curves,
            references=np.array(references).reshape(-1, *centre.shape),
            **also,
        )

    def sampling_error(self) -> Numbers:
        """Standard error (feature, grid) of averaging over a few pixels; an upper limit, for the weights are calibrated."""
        few, every = len(self.partial.pixels), len(self.table)
        # Drawn without replacement, hence the finite population's factor: all pixels have no such error.
        return np.asarray(self.partial.std * np.sqrt((1 - few / every) / few))

    def importance_error(self, curves: Numbers) -> Numbers:
        """Spread over refits of the PDP's spread over the data, and the distance to what was explained over 1.96."""
        values, grid = self.table[:, self.columns], self.partial.grid_values
        spreads = np.stack([pdp_spread(values, grid, curve) for curve in curves])
        off = pdp_spread(values, grid, self.partial.average) - spreads.mean(axis=0)
        return np.asarray(spreads.std(axis=0, ddof=1) + np.abs(off) / TWO_SIDED)


@dataclass(frozen=True, eq=False)
class _Smooth:
    """Refits of Gaussian processes that share a kernel."""

    job: _Job

    def refit(self, table: Numbers, y: Numbers, counts: NDArray[np.int64], rng: np.random.Generator, progress: Progress) -> Refit:
        job = self.job
        centre: Numbers = table.mean(axis=0)
        scale, level, unit = or_one(table.std(axis=0)), float(y.mean()), or_one(y.std())
        few = np.sort(rng.permutation(len(table))[:MOST_PIXELS])
        z, targets = (table[few] - centre) / scale, (y[few] - level) / unit
        every, steps = (job.table - centre) / scale, job.slopes.step / scale[job.columns]
        grid = (job.partial.grid_values - centre[job.columns, None]) / scale[job.columns, None]
        with single_threaded():  # the refits run side by side already
            processes = _conditioned(z, targets, counts[:, few], rng, progress)
            drawn = [each.curves(every[job.partial.pixels], job.partial.weights, job.columns, grid) for each in processes]
            mean, spread, over_pixels = _moments(processes, every, job.columns, or_one(steps), progress)
            known = Posterior.of(processes[0].kernel, z)
            unknown = known.curves(every[job.partial.pixels], job.partial.weights, job.columns, grid)
            unknown_slope = known.slopes(every, job.columns, or_one(steps))
        per_unit = unit / scale[job.columns, None]
        curves = level + unit * np.concatenate(drawn)
        moments = mean * per_unit, spread * per_unit, over_pixels * per_unit[:, 0]
        return Refit(curves, *moments, unit * unknown, unknown_slope * per_unit)


@dataclass(frozen=True, eq=False)
class _Factory:
    """Refits of a given kind of estimator."""

    factory: Factory
    job: _Job

    def refit(self, table: Numbers, y: Numbers, counts: NDArray[np.int64], rng: np.random.Generator, progress: Progress) -> Refit:
        curves, slopes = [], []
        for done, count in enumerate(counts):
            progress(done / len(counts), f"Refits: {done} of {len(counts)}")
            # Estimators that know no weights get a pixel as often as the bootstrap took it.
            rows = np.repeat(np.arange(len(table)), count)
            fitted = self.factory().fit(table[rows], y[rows])
            curves.append(self.job.curves_of(fitted))
            slopes.append(ice_slope(fitted, self.job.table, self.job.columns.tolist(), step=or_one(self.job.slopes.step).tolist()).slope)
        return Refit(np.stack(curves), np.mean(slopes, axis=0), np.std(slopes, axis=0, ddof=1), np.mean(slopes, axis=2))


def _conditioned(z: Numbers, y: Numbers, counts: NDArray[np.int64], rng: np.random.Generator, progress: Progress) -> list[Processes]:
    """Refit to every bootstrap; a few share the kernel that is found on the pixels of the first of them."""
    from napari_wse2xai.numerics.threads import in_threads

    shares = np.array_split(counts, min(KERNELS, len(counts)))
    progress(0.0, "Refits: finding kernels")
    jobs = list(zip([np.flatnonzero(share[0]) for share in shares], rng.spawn(len(shares)), strict=True))
    found, processes = [], []
    with closing(in_threads(lambda job: Kernel.likeliest(z[job[0]], y[job[0]], job[1]), jobs)) as kernels:
        for kernel in kernels:
            found.append(kernel)
            progress(0.3 * len(found) / len(shares), "Refits: finding kernels")
    for kernel, share in zip(found, shares, strict=True):
        processes.append(Processes.conditioned(kernel, z, y, share))
        progress(0.3 + 0.5 * len(processes) / len(shares), f"Refits: {len(processes)} of {len(shares)} shares of {len(counts)} bootstraps")
    return processes


def _moments(
    processes: Sequence[Processes], z: Numbers, columns: NDArray[np.int64], steps: Numbers, progress: Progress
) -> tuple[Numbers, Numbers, Numbers]:
    """Mean and standard deviation over processes of the slopes, (feature, n) each, and the mean over rows (process, feature)."""
    from napari_wse2xai.numerics.threads import in_threads

    mean, spread = np.empty((2, len(columns), len(z)))
    total = np.zeros((sum(each.alpha.shape[1] for each in processes), len(columns)))

    def work(start: int) -> Numbers:
        return np.concatenate([each.slopes(z[start : start + ROWS], columns, steps) for each in processes])

    starts = range(0, len(z), ROWS)
    with closing(in_threads(work, starts)) as results:
        for start, slopes in zip(starts, results, strict=True):
            mean[:, start : start + ROWS], spread[:, start : start + ROWS] = slopes.mean(axis=0), slopes.std(axis=0, ddof=1)
            total += slopes.sum(axis=2)
            progress(0.8 + 0.2 * min(start + ROWS, len(z)) / len(z), "Refits: slopes")
    return mean, spread, total / len(z)

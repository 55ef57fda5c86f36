"""Deconvolution into Lorentzians without touching the channels in each iteration: "moment" Levenberg-Marquardt.

With ``z = p + i w/2``, ``g(x) = 1 / (x - z)`` and ``a = h w/2`` a Lorentzian is ``a Im g``, and its derivatives by a, p and w/2 are
``Im g``, ``a Im g^2`` and ``a Re g^2``.  So the data enter a least-squares fit only through ``Y(z) = sum y / (x - z)`` and its derivative,
and the normal matrix only through ``G(z) = sum 1 / (x - z)`` and its first three: partial fractions turn every product of two
such columns into differences of G.  Both are power series about each peak's start, whose coefficients are one matrix product per
map.  `docs/method.md` derives every formula used here.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from napari_wse2xai.numerics.problem import FWHM, HEIGHT, PER_PEAK, POSITION, Problem
from napari_wse2xai.numerics.threads import single_thread

ORDER = 16
"""Terms of the power series; the remainder is of the size of the noise times ``|w|^ORDER``."""
SAFE_RADIUS = 0.7
"""Largest ``|w|`` at which the series is trusted."""
CHUNK = 4096
"""Spectra worked on at once."""


@dataclass(frozen=True)
class Tolerance:
    """When to stop."""

    relative: float = 1e-5
    """Stop a spectrum when the step promises to lower its sum of squares by less than this share."""
    iterations: int = 40


def far(problem: Problem, found: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(pixel,) True where a line wandered so far from its start that the series cannot be trusted; found is (pixel, peak, 4)."""
    z0 = problem.start[:, 0] + 0.5j * problem.start[:, 1]
    z = found[..., 0] + 0.5j * found[..., 1]
    radius = np.abs((z - z0) / (z - z0.conj()))
    return np.asarray(~(radius < SAFE_RADIUS).all(axis=1))


def applies(problem: Problem) -> bool:
    """Whether the problem is of the kind solved here: Lorentzians with heights of their own, on no more than a straight background."""
    heights = {(k, HEIGHT) for k in range(len(problem.shapes))}
    tied = {tie.follower for tie in problem.ties} | problem.fixed
    return set(problem.shapes) == {"lorentzian"} and (problem.degree or 0) <= 1 and not heights & tied


class Series:
    """Power series of ``sum f(x) / (x - z)`` about the peaks' starts, for f = 1 (G) and for spectra (Y).

    With ``w = (z - z0) / (z - conj z0)``, which maps the upper half plane into the unit disc, ``1 / (x - z)`` is
    ``1 / (x - z0) + 2 i gamma0 / |x - z0|^2 * sum_{n>0} w^n e^{i n theta}``, ``e^{i theta} = (x - conj z0) / (x - z0)``.
    """

    def __init__(self, x: NDArray[np.float64], z0: NDArray[np.complex128], root: NDArray[np.float64], device: str) -> None:
        self.z0 = torch.as_tensor(z0, dtype=torch.complex64, device=device)[:, None]
        away = x - z0[:, None]
        turn = away.conj() / away
        width = 2j * z0.imag[:, None] / np.abs(away) ** 2
        terms = np.stack([1 / away, *(width * turn**n for n in range(1, ORDER))])
        weighted = (terms * root).reshape(-1, len(x))
        self.kernel = torch.as_tensor(np.concatenate([weighted.real, weighted.imag]), dtype=torch.float32, device=device)
        self.ones = torch.as_tensor(terms @ root**2, dtype=torch.complex64, device=device)[..., None]

    def of(self, y: torch.Tensor) -> torch.Tensor:
        """Coefficients of Y, (ORDER, peak, pixel) complex, of weighted spectra (pixel, n): the one matrix product per map."""
        real, imaginary = (self.kernel @ y.T).reshape(2, ORDER, len(self.z0), len(y))
        return torch.complex(real, imaginary)

    def disc(self, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Give w, and ``e = 1 / (z - conj z0)`` from which its derivatives follow."""
        e = (z - self.z0.conj()).reciprocal()
        return (z - self.z0) * e, e


def horner(coefficients: torch.Tensor, w: torch.Tensor, derivatives: int) -> list[torch.Tensor]:
    """Value of a power series and its Taylor coefficients ``f^(m) / m!`` up to m = derivatives."""
    values = [coefficients[-1].expand_as(w)] + [torch.zeros_like(w)] * derivatives
    for term in reversed(coefficients[:-1].unbind(0)):
        for m in range(derivatives, 0, -1):
            values[m] = torch.addcmul(values[m - 1], values[m], w)
        values[0] = torch.addcmul(term, values[0], w)
    return values


@dataclass
class State:
    """Spectra on their way to the minimum; pixels are the last axis everywhere."""

    rows: torch.Tensor
    """(pixel,) place of each spectrum in the chunk."""
    now: torch.Tensor
    """(peak, 3, pixel) parameters a, p, gamma; a over the spectrum's highest count."""
    moments: torch.Tensor
    """(ORDER, peak, pixel) coefficients of Y."""
    power: torch.Tensor
    """(pixel,) sum of the squared spectrum, its background taken off."""
    pull: torch.Tensor
    """(peak, pixel) weight of the position penalty."""
    damping: torch.Tensor
    normal: torch.Tensor
    """(3 peak, 3 peak, pixel) half the Hessian."""
    downhill: torch.Tensor
    """(3 peak, pixel) minus half the gradient."""
    cost: torch.Tensor

    def accept(self, better: torch.Tensor, now: torch.Tensor, normal: torch.Tensor, downhill: torch.Tensor, cost: torch.Tensor) -> None:
        """Take over what lowered the objective; where all did, without copying."""
        whole = bool(better.all())
        for name, new in (("now", now), ("normal", normal), ("downhill", downhill), ("cost", cost)):
            setattr(self, name, new if whole else torch.where(better, new, getattr(self, name)))

    def keep(self, still: torch.Tensor) -> "State":
        """Only the spectra that are still on their way."""
        return State(*(value[..., still] for value in vars(self).values()))


class Descent:
    """Levenberg-Marquardt on one chunk of spectra."""

    def __init__(self, problem: Problem, series: Series, device: str) -> None:
        def tensor(values: NDArray[np.floating]) -> torch.Tensor:
            return torch.as_tensor(values, dtype=torch.float32, device=device)

        self.series = series
        centre = centre_of(problem)
        self.weight, self.degrees = float((problem.root**2).sum()), problem.background.shape[1]
        self.spread = float(np.linalg.norm((problem.x - centre) * problem.root))
        self.links = None if problem.plain and len(problem.rows) == 3 * len(problem.shapes) else tensor(_links(problem))
        self.anchor = tensor(problem.anchor - centre)[:, None]
        self.lower, self.upper = (tensor(_bound(bound, centre))[..., None] for bound in (problem.lower, problem.upper))
        self.later, self.earlier = torch.tril_indices(len(self.anchor), len(self.anchor), -1, device=device)

    def run(self, state: State, tolerance: Tolerance) -> torch.Tensor:
        """Iterate until every spectrum is done; return (peak, 3, pixel) in the order of the chunk."""
        found = state.now.clone()
        state.normal, state.downhill, state.cost = self.linearise(state, state.now)
        for _ in range(tolerance.iterations):
            step, promise = self.step(state)
            trial = state.now + step
            normal, downhill, cost = self.linearise(state, trial)
            better = cost <= state.cost * (1 + 2e-6)  # the rounding of float32
            gain = (state.cost - cost) / promise.clamp_min(1e-30)
            done = (promise >= 0) & (promise <= tolerance.relative * state.cost) & (state.damping < 1e2) | (state.damping > 1e8)
            state.damping = state.damping * torch.where(better, torch.where(gain > 0.75, 0.1, torch.where(gain < 0.25, 2.0, 0.5)), 4.0)
            state.accept(better, trial, normal, downhill, cost)
            finished = int(done.sum())
            if finished == len(done):
                break
            if finished > 0.2 * len(done):
                found[..., state.rows[done]] = state.now[..., done]
                state = state.keep(~done)
        found[..., state.rows] = state.now
        return found

    def linearise(self, state: State, now: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Half the Hessian (Gauss-Newton), half the downhill gradient, and the objective, from the moments alone."""
        a, p, gamma = now.unbind(1)
        z = torch.complex(p, gamma)
        w, e = self.series.disc(z)
        e2 = e * e
        w1 = (2j * self.series.z0.imag) * e2
        y, y1 = horner(state.moments, w, 1)
        data = _columns(a, y, y1 * w1)
        f, f1, f2, f3 = horner(self.series.ones, w, 3)
        w2, w3 = -w1 * e, w1 * e2
        g = (f, f1 * w1, f1 * w2 + f2 * w1 * w1, f1 * w3 + 2 * f2 * w1 * w2 + f3 * w1 * w1 * w1)
        normal = self._normal(a, z, g)
        for shadow in self._shadows(a, z, g):
            flat = shadow.flatten(0, 1)
            normal.addcmul_(flat[:, None], flat[None], value=-1)
        drawn = (normal[:, 0::3] * a).sum(1)
        away = p - self.anchor
        downhill = data.flatten(0, 1) - drawn
        downhill[1::3] -= state.pull * away
        normal.diagonal().T[1::3].add_(state.pull)
        cost = state.power - 2 * (a * data[:, 0]).sum(0) + (a * drawn[0::3]).sum(0) + (state.pull * away * away).sum(0)
        return normal, downhill, cost

    def _normal(self, a: torch.Tensor, z: torch.Tensor, g: tuple[torch.Tensor, ...]) -> torch.Tensor:
        """Inner products of all columns, by partial fractions of their products."""
        j, k = self.later, self.earlier
        g0, g1, g2, g3 = g
        diagonal = torch.arange(len(a), device=a.device)
        all_j, all_k = torch.cat([j, diagonal]), torch.cat([k, diagonal])
        u = [
            torch.cat(parts)
            for parts in zip(_fractions(_apart(z[j], z[k]), z[k], g0[j], g0[k], g1[j], g1[k]), (g1, g2, g2, g3), strict=True)
        ]
        zk, gk, g1k = (value.conj().resolve_conj()[all_k] for value in (z, g0, g1))
        v = _fractions(z[all_j], zk, g0[all_j], gk, g1[all_j], g1k)
        blocks = _blocks(u, v, a[all_j], a[all_k])
        normal = a.new_empty(len(a), len(a), 3, 3, a.shape[-1])
        normal[all_k, all_j] = blocks.transpose(1, 2)
        normal[all_j, all_k] = blocks
        return normal.transpose(1, 2).reshape(3 * len(a), 3 * len(a), -1)

    def _shadows(self, a: torch.Tensor, z: torch.Tensor, g: tuple[torch.Tensor, ...]) -> list[torch.Tensor]:
        """Inner products of the columns with each orthonormal polynomial of the background, (peak, 3, pixel)."""
        shadows = []
        if self.degrees > 0:
            shadows.append(_columns(a, g[0], g[1]) / self.weight**0.5)
        if self.degrees > 1:
            shadows.append(_columns(a, self.weight + z * g[0], g[0] + z * g[1]) / self.spread)
        return shadows

    def step(self, state: State) -> tuple[torch.Tensor, torch.Tensor]:
        """Damped step inside the bounds, (peak, 3, pixel), and by how much it promises to lower the objective."""
        now, lower, upper = (value.flatten(0, 1) for value in (state.now, self.lower, self.upper))
        normal, downhill = state.normal, state.downhill
        if self.links is not None:
            leading = self.links.argmax(0)
            now, lower, upper = now[leading], lower[leading], upper[leading]
            normal = torch.einsum("pi,pqb,qj->ijb", self.links, normal, self.links)
            downhill = self.links.T @ downhill
        diagonal = normal.diagonal().T
        held = (now <= lower) & (downhill < 0) | (now >= upper) & (downhill > 0) | (diagonal <= 1e-12 * diagonal.amax(0))
        scale = torch.where(held, 0.0, diagonal.clamp_min(1e-30).rsqrt())
        system = normal * scale[:, None]
        system *= scale
        system.diagonal().T.copy_((1.0 + state.damping).expand_as(scale))
        step = torch.clamp(now + scale * solve_in_place(system, scale * downhill), lower, upper) - now
        promise = 2 * (downhill * step).sum(0) - ((normal * step).sum(1) * step).sum(0)
        return (step if self.links is None else self.links @ step).view_as(state.now), promise


def centre_of(problem: Problem) -> float:
    """Weighted mean of the axis: positions are counted from it, and a straight background is level about it."""
    return float(np.average(problem.x, weights=problem.root**2))


def _links(problem: Problem) -> NDArray[np.float64]:
    """(3 peak, m) what a step of the fitted parameters does to a, p and gamma; the leader of each column has its largest entry, 1.

    A tie of positions or widths is as linear in p and gamma as it is in position and FWHM, and a fixed one takes no step.
    """
    place = {POSITION: 1, FWHM: 2, HEIGHT: 0}
    links = np.zeros((3 * len(problem.shapes), len(problem.leaders)))
    for row, entries in zip(problem.rows, problem.links, strict=True):
        links[3 * (row // PER_PEAK) + place[int(row % PER_PEAK)]] = entries
    return links


def _bound(bound: NDArray[np.float64], centre: float) -> NDArray[np.float64]:
    """Bounds of a, p and gamma from those of position, FWHM and height; a's only bound is that heights are positive."""
    amplitude = np.where(bound[:, 2] > 0, np.inf, 0.0)
    return np.stack([amplitude, bound[:, 0] - centre, bound[:, 1] / 2], axis=1)


def _columns(a: torch.Tensor, value: torch.Tensor, slope: torch.Tensor) -> torch.Tensor:
    """Inner products with the three columns of each peak, from those with g and g^2: (peak, 3, pixel)."""
    return torch.stack([value.imag, a * slope.imag, a * slope.real], 1)


def _fractions(
    zj: torch.Tensor, zk: torch.Tensor, gj: torch.Tensor, gk: torch.Tensor, g1j: torch.Tensor, g1k: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Sums over the channels of ``g_j g_k``, ``g_j^2 g_k``, ``g_j g_k^2`` and ``g_j^2 g_k^2``."""
    over = (zj - zk).reciprocal()
    u11 = (gj - gk) * over
    u21 = (g1j - u11) * over
    u12 = (u11 - g1k) * over
    return u11, u21, u12, (u21 - u12) * over


def _apart(zj: torch.Tensor, zk: torch.Tensor) -> torch.Tensor:
    """First of two poles, moved a hair where both coincide: their divided differences would lose all digits."""
    gap = zj - zk
    near = gap.real.square() + gap.imag.square() < 1e-4
    return torch.where(near, zk + 1e-2, zj)


def _blocks(u: list[torch.Tensor], v: tuple[torch.Tensor, ...], aj: torch.Tensor, ak: torch.Tensor) -> torch.Tensor:
    """Inner products of the columns of pairs of peaks, (pair, 3, 3, pixel): ``Im A Im B = Re(A conj B - A B) / 2`` and its kin."""
    aj = 0.5 * aj
    both = aj * ak
    minus11 = 0.5 * (v[0].real - u[0].real)
    plus12, minus12 = v[2] + u[2], v[2] - u[2]
    minus21 = v[1] - u[1]
    plus22, minus22 = v[3] + u[3], v[3] - u[3]
    half = 0.5 * ak
    entries = [
        minus11, half * minus12.real, half * plus12.imag,
        aj * minus21.real, both * minus22.real, both * plus22.imag,
        -aj * minus21.imag, -both * minus22.imag, both * plus22.real,
    ]  # fmt: skip
    return torch.stack(entries, 1).reshape(len(aj), 3, 3, -1)


def solve_in_place(system: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    """Solution of symmetric positive systems (m, m, pixel), which are overwritten: elimination over all pixels at once."""
    m = len(system)
    for k in range(m - 1):
        factor = system[k + 1 :, k] / system[k, k].clamp_min(1e-9)
        system[k + 1 :, k + 1 :].addcmul_(factor[:, None], system[k, None, k + 1 :], value=-1)
        right[k + 1 :].addcmul_(factor, right[k, None], value=-1)
    for k in range(m - 1, -1, -1):
        right[k] /= system[k, k].clamp_min(1e-9)
        if k:
            right[:k].addcmul_(system[:k, k], right[k, None], value=-1)
    return right


def fit(
    problem: Problem,
    counts: NDArray[np.float32],
    tolerance: Tolerance,
    *,
    device: str = "cpu",
    progress: Callable[[float], None] = lambda done: None,
) -> NDArray[np.float64]:
    """Minimise the objective of `Problem` for every spectrum.

    Parameters
    ----------
    problem : see `Problem`; of the kind that `applies`
    counts : (pixel, n) float32, counts
    progress : called with the share done after every chunk; may raise

    Returns
    -------
    (pixel, peak, 4) float64; position and FWHM in the axis unit, height in counts, and a zero for the form

    Notes
    -----
    The minimum is that of `least_squares.fit` to a few thousandths of a standard error.  Not for lines that wander farther than about
    twice their width from the start: the series no longer holds there (`far` finds such spectra).
    """
    centre = centre_of(problem)
    z0 = problem.start[:, POSITION] - centre + 0.5j * problem.start[:, FWHM]
    series = Series(problem.x - centre, z0, problem.root, device)
    descent = Descent(problem, series, device)
    result = np.zeros((len(counts), *problem.start.shape))
    for first in range(0, len(counts), CHUNK):
        progress(first / len(counts))
        part = slice(first, first + CHUNK)
        with single_thread():
            result[part, :, :3] = _fit_chunk(problem, counts[part], descent, series, tolerance, device)
    result[..., 0] += centre
    return result


def _fit_chunk(
    problem: Problem, counts: NDArray[np.float32], descent: Descent, series: Series, tolerance: Tolerance, device: str
) -> NDArray[np.float64]:
    def tensor(values: NDArray[np.floating]) -> torch.Tensor:
        return torch.as_tensor(values, dtype=torch.float32, device=device)

    scale = np.maximum(counts.max(axis=1), 1e-12)
    y, under = tensor(counts / scale[:, None]) * tensor(problem.root), tensor(problem.background)
    y = y - (y @ under) @ under.T
    start = np.stack([problem.start[:, 2] * problem.start[:, 1] / 2, problem.start[:, 0] - centre_of(problem), problem.start[:, 1] / 2], 1)
    start[:, 0] /= max(float(problem.start[:, 2].max()), 1e-12)
    nothing = torch.empty(0, device=device)
    state = State(
        rows=torch.arange(len(y), device=device),
        now=tensor(start)[..., None].expand(-1, -1, len(y)).contiguous(),
        moments=series.of(y),
        power=y.square().sum(1),
        pull=tensor((problem.pull(counts) / scale[:, None] ** 2).T),
        damping=torch.full((len(y),), 0.3, device=device),
        normal=nothing,
        downhill=nothing,
        cost=nothing,
    )
    a, p, gamma = descent.run(state, tolerance).double().cpu().numpy().transpose(1, 2, 0)
    return np.stack([p, 2 * gamma, a / gamma * scale[:, None]], axis=-1)

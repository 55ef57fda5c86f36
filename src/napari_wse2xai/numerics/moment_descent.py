"""Levenberg-Marquardt steps on the moments of many spectra at once: objective, normal matrix, and where a step leads.

Parameters are a, p and gamma of each peak (see `moments`), (3, peak, pixel): pixels are the last axis everywhere.  The columns of p
and gamma are kept without their factor a, and the normal matrix doubled, for neither is then ever multiplied out.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from napari_wse2xai.numerics.elimination import Factor
from napari_wse2xai.numerics.moment_parameters import bound_of, internal_of, leaders_of, links_of, snapped
from napari_wse2xai.numerics.partial_fractions import Products
from napari_wse2xai.numerics.poles import Poles
from napari_wse2xai.numerics.power_series import Places, PowerSeries
from napari_wse2xai.numerics.problem import Problem

SLIGHT = 1e-6
"""Amplitude, in heights of the spectrum times the axis unit, below which a peak has no position to fit."""
ROUNDING = 3e-7
"""Rounding of an objective in single precision, as a share of the squared spectrum, off which it is taken."""
SLANT, LONGEST = 0.2, 5.0
"""Lean from which the length of the next step is put right, and the longest that it may become."""
FEW, LAST, PATIENCE = 64, 16, 10
"""Spectra up to which the channels are quicker than moments, which take the same trouble for one as for hundreds; and up to which that is
so for the last ones of many, after so many steps."""
QUICKEST, DAMPING = 0.1, 0.03
"""Share of one step's promise that the next one's is at least taken to be; and damping of the first step: spectra begin near enough."""


@dataclass(frozen=True)
class MomentTolerance:
    """When to stop."""

    relative: float = 1e-5
    """Stop a spectrum when the step after the next would lower its sum of squares by less than this share."""
    iterations: int = 40


@dataclass
class DescentState:
    """Spectra on their way to the minimum."""

    rows: torch.Tensor
    """(pixel,) which they are."""
    scale: torch.Tensor
    """(pixel,) counts that count as 1 here."""
    now: torch.Tensor
    """(3, peak, pixel)."""
    of_value: torch.Tensor
    of_slope: torch.Tensor
    """(peak, ORDER or one less, pixel) power series of the spectrum, see `PowerSeries.of`."""
    power: torch.Tensor
    """(pixel,) sum of the squared spectrum, its background taken off."""
    pull: torch.Tensor
    """(peak, pixel) weight of the position penalty."""
    damping: torch.Tensor
    promised: torch.Tensor
    """(pixel,) by how much the last step promised to lower the objective; 0 before the first and after a step that failed."""
    lean: torch.Tensor
    """(pixel,) downhill slope along the last step after it, over that before it: 0 where the Hessian was right along it."""
    stretch: torch.Tensor
    """(pixel,) how many times its own length the last step went."""

    def keep(self, some: torch.Tensor | slice) -> "DescentState":
        """Only some of the spectra."""
        return DescentState(*(value[..., some] for value in vars(self).values()))

    @classmethod
    def joined(cls, states: "list[DescentState]") -> "DescentState":
        """All spectra of several states."""
        return cls(*(torch.cat(parts, -1) for parts in zip(*(vars(state).values() for state in states), strict=True)))

    def judge(self, step: "DescentStep", cost: torch.Tensor, reached: torch.Tensor) -> torch.Tensor:
        """(pixel,) whether a step lowered the objective; adapts the damping to how well it kept its promise."""
        better = reached <= cost + ROUNDING * self.power
        gain = (cost - reached) / step.promise.clamp_min(1e-30)
        self.damping = self.damping * torch.where(better, torch.where(gain > 0.75, 0.1, torch.where(gain < 0.25, 2.0, 0.5)), 4.0)
        self.promised = torch.where(better, step.promise, 0.0)
        self.stretch = step.stretch
        return better

    def next_stretch(self, promise: torch.Tensor) -> torch.Tensor:
        """(pixel,) how far to go along a step that goes on in the last one's direction: there the Hessian is known by now.

        Along a direction in which the true second derivative is kappa times that of Gauss and Newton, a step of t times its length
        leaves ``lean = 1 - kappa t`` of the slope, and the next promise is lean^2 times the last.  Where it is, 1 / kappa is the length.
        """
        expected = self.lean.square() * self.promised
        # Only where this promise is nearly what the last step foretold: elsewhere the objective is no parabola along the step.
        onward = (self.lean.abs() > SLANT) & (promise < 2.5 * expected) & (promise > 0.4 * expected)
        return torch.where(onward, (self.stretch / (1 - self.lean).clamp_min(1e-3)).clamp(0.5, LONGEST), 1.0)


@dataclass
class Slope:
    """The objective about some parameters."""

    cost: torch.Tensor
    """(pixel,)."""
    downhill: torch.Tensor
    """(3, peak, pixel) minus half the gradient."""
    products: Products
    with_profiles: torch.Tensor
    """(3, peak, peak, pixel) see `Products.with_profiles`."""
    shadows: list[torch.Tensor]
    """(3, peak, pixel) inner products of the columns with each orthonormal polynomial of the background."""


@dataclass
class DescentStep:
    """Where to go from some parameters."""

    to: torch.Tensor
    """(3, peak, pixel) parameters after the step, inside the bounds."""
    promise: torch.Tensor
    """(pixel,) by how much the objective should fall."""
    whole: torch.Tensor
    """(pixel,) False where a bound cut the step short."""
    stretch: torch.Tensor
    """(pixel,) see `DescentState`."""
    fitted: torch.Tensor
    """(m, pixel) the step in what is fitted, of its own length."""
    slope: torch.Tensor
    """(pixel,) downhill slope along it."""

    def keep(self, some: torch.Tensor) -> "DescentStep":
        """Only some of the spectra."""
        return DescentStep(*(value[..., some] for value in vars(self).values()))

    def settles(self, state: DescentState, cost: torch.Tensor, tolerance: MomentTolerance) -> torch.Tensor:
        """(pixel,) whether no more than this step is needed: the next one's promise is to this one's as this one's to the last one's."""
        ratio = (self.promise / state.promised.clamp_min(1e-30)).clamp(QUICKEST, 1.0)
        small = (self.promise >= 0) & (self.promise * ratio <= tolerance.relative * cost) & (self.promise <= 0.01 * cost)
        return small & self.whole & (state.damping < 1)


class Local:
    """The normal equations about some parameters, solved as often as one likes."""

    def __init__(self, descent: "Descent", state: DescentState, slope: Slope, system: torch.Tensor) -> None:
        """Take the Hessian, which is overwritten."""
        self.descent, self.state, self.slope = descent, state, slope
        self.free = descent.free(state.now, slope.downhill)
        diagonal = system.diagonal().T
        self.extra = diagonal * state.damping
        if not bool(self.free.all()):
            mask = self.free.to(system.dtype)
            system.mul_(mask[:, None]).mul_(mask)
            self.extra *= mask
            diagonal.add_(1 - mask)
        diagonal.add_(self.extra)
        self.factor = Factor(system)

    def step(self, now: torch.Tensor, slope: Slope) -> DescentStep:
        """Step from parameters at or near those of the normal equations, with the gradient there."""
        descent = self.descent
        right = descent.gradient(now, slope.downhill) * self.free
        solution = self.factor.solve(2 * right)
        slant = (solution * right).sum(0)
        promise = slant.add((self.extra * solution).mul_(solution).sum(0), alpha=0.5)
        stretch = self.state.next_stretch(promise)
        to = now + descent.unfold(now, solution * stretch)
        inside = descent.inside(to)
        same = slope is self.slope or (descent.free(now, slope.downhill) == self.free).all(0)
        return DescentStep(inside, promise, (inside == to).all(0).all(0) & same, stretch, solution, slant)


class Descent:
    """What is common to all spectra of a problem."""

    def __init__(self, problem: Problem, start: NDArray[np.float64], device: str) -> None:
        """Expand about a start, (peak, 4), which need not be the problem's."""
        self.problem, self.device = problem, device
        self.centre = float(np.average(problem.x, weights=problem.root**2))
        """Positions are counted from here, and a straight background is level about it."""
        self.begun = internal_of(start, self.centre)
        self.degrees = 0 if problem.degree is None else min(problem.degree, 1) + 1
        self.poles = Poles(problem.width, len(problem.shapes), device)
        self.series = PowerSeries(
            problem.x - self.centre,
            self.begun[1] + 1j * self.begun[2],
            problem.root,
            self.poles,
            problem.background[:, self.degrees :],
            device,
        )
        self.weight = float((problem.root**2).sum())
        self.spread = float(np.linalg.norm((problem.x - self.centre) * problem.root))
        self.links = None if problem.plain and len(problem.rows) == 3 * len(problem.shapes) else self.tensor(links_of(problem))
        self.leaders = torch.as_tensor(leaders_of(problem), device=device)
        self.anchor = self.tensor(problem.anchor - self.centre)[:, None]
        self.lower, self.upper = (self.tensor(bound_of(bound, self.centre))[..., None] for bound in (problem.lower, problem.upper))
        profile = (
            self.begun[0] * ((problem.x[:, None] - self.centre - self.begun[1]) ** 2 + self.begun[2] ** 2) ** -1 * self.begun[2]
        ).sum(1)
        alone = problem.without_background(profile * problem.root)
        self.under = self.tensor(np.concatenate([problem.background, (alone / (alone @ alone))[:, None]], axis=1))
        """(n, d + 1) what lies under the peaks, and the peaks as they start, of which a spectrum's scalar product is how much it has."""

    def tensor(self, values: NDArray[np.floating]) -> torch.Tensor:
        """Put numbers on the device, in single precision."""
        return torch.as_tensor(values, dtype=torch.float32, device=self.device)

    def begin(self, counts: NDArray[np.float32], rows: NDArray[np.intp]) -> DescentState:
        """Put spectra (pixel, n) at the problem's start, scaled so that its peaks explain most of them; `rows` names them."""
        problem, y = self.problem, torch.as_tensor(counts, device=self.device)
        if problem.weights is not None:
            y = y * self.tensor(problem.root)
        highest, shadow = counts.max(axis=1), y @ self.under
        scale = torch.maximum(shadow[:, -1], self.tensor(np.maximum(0.05 * highest, 1e-12)))
        if self.under.shape[1] > 1:
            y = torch.addmm(y, shadow[:, :-1], self.under[:, :-1].T, alpha=-1)
        return DescentState(
            torch.as_tensor(rows, device=self.device),
            scale,
            self.tensor(self.begun)[..., None].expand(-1, -1, len(y)).contiguous(),
            *self.series.of(y, scale),
            (torch.linalg.vector_norm(y, dim=1) / scale).square(),
            self.tensor(problem.pull(counts).T) / scale.square(),
            y.new_full((len(y),), DAMPING),
            y.new_zeros(len(y)),
            y.new_zeros(len(y)),
            y.new_ones(len(y)),
        )

    def found(self, state: DescentState) -> NDArray[np.float64]:
        """Position, FWHM, height and form of spectra, (pixel, peak, 4)."""
        a, p, gamma = state.now.double().cpu().numpy()
        with np.errstate(divide="ignore", invalid="ignore"):  # a line that shrank to nothing has no height, and is far
            found = np.stack([p + self.centre, 2 * gamma, a / gamma * state.scale.double().cpu().numpy(), np.zeros_like(a)], axis=-1)
        return found.swapaxes(0, 1)

    def radius(self, state: DescentState) -> torch.Tensor:
        """(pixel,) largest ``|w|`` of a spectrum's peaks."""
        z = torch.complex(state.now[1], state.now[2])
        return ((z - self.series.z0) / (z - self.series.mirrored)).abs().amax(0)

    def internal(self, found: NDArray[np.float64], state: DescentState) -> NDArray[np.float64]:
        """The other way: (3, peak, pixel) of (pixel, peak, 4)."""
        p, width, height, _ = found.transpose(2, 1, 0)
        return np.stack([height / state.scale.double().cpu().numpy() * width / 2, p - self.centre, width / 2])

    def look(self, state: DescentState, now: torch.Tensor) -> Slope:
        """Objective and gradient at some parameters, from the moments alone."""
        a, p, gamma = now.unbind()
        at = self.series.at(torch.complex(p, gamma))
        (real, imaginary), of_ones = self.series.moments(at, state.of_value, state.of_slope), self.series.of_ones(at)
        places = self.poles.places(p), self.poles.each(gamma)
        products = Products(*places, *of_ones)
        with_profiles = self.poles.summed_pairs(products.with_profiles())
        drawn = (with_profiles * (0.5 * a)).sum(2)
        shadows = [self.poles.summed(shadow) for shadow in (*self._shadows(*places, *of_ones), *self._on_templates(at))]
        for shadow in shadows:
            drawn.addcmul_(shadow, (shadow[0] * a).sum(0), value=-1)
        downhill = torch.stack([imaginary[0], imaginary[1], real[1]])
        cost = state.power + (a * (drawn[0] - 2 * downhill[0])).sum(0)
        downhill -= drawn
        if self.problem.penalty:
            away = p - self.anchor
            cost += (state.pull * away * away).sum(0)
            downhill[1] -= state.pull * away / a.clamp_min(SLIGHT)
        return Slope(cost, downhill, products, with_profiles, shadows)

    def _on_templates(self, at: Places) -> list[torch.Tensor]:
        """The same of the templates."""
        return [torch.stack([imaginary[0], imaginary[1], real[1]]) for real, imaginary in self.series.of_templates(at)]

    def _shadows(self, p: torch.Tensor, gamma: torch.Tensor, real: torch.Tensor, imaginary: torch.Tensor) -> list[torch.Tensor]:
        """Of the constant: Im G, Im G', Re G'; of the straight line, since ``sum x g = n + z G``, those of z G and its derivative."""
        shadows = []
        if self.degrees > 0:
            shadows.append(torch.stack([imaginary[0], imaginary[1], real[1]]) / self.weight**0.5)
        if self.degrees > 1:
            level = gamma * real[0] + p * imaginary[0]
            turned = imaginary[0] + p * imaginary[1] + gamma * real[1]
            slope = real[0] + p * real[1] - gamma * imaginary[1]
            shadows.append(torch.stack([level, turned, slope]) / self.spread)
        return shadows

    def normal(self, state: DescentState, slope: Slope) -> torch.Tensor:
        """The Hessian (Gauss-Newton), (m, m, pixel), of which only the lower triangle is of use."""
        a = state.now[0]
        k = len(a)
        normal = a.new_empty(3, k, 3, k, len(state.rows))
        normal[:, :, 0] = slope.with_profiles
        normal[1, :, 1], normal[2, :, 1], normal[2, :, 2] = map(self.poles.summed_pairs, slope.products.with_slopes())
        for shadow in slope.shadows:
            for column in range(3):
                normal[column:, :, column].addcmul_(shadow[column:, :, None], shadow[column], value=-2)
        if self.problem.penalty:
            normal[1, :, 1].diagonal().T.add_(2 * state.pull / a.clamp_min(SLIGHT).square())
        normal = normal.view(3 * k, 3 * k, -1)
        return normal if self.links is None else self._linked(normal, a)

    def _linked(self, normal: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
        columns = torch.cat([torch.ones_like(a), a, a])
        lower = torch.ones(normal.shape[:2], dtype=torch.bool, device=a.device).tril(-1)[..., None]
        below = torch.where(lower, normal, 0.0)  # not a product: the upper triangle was never written, and may hold NaN
        whole = (below + below.transpose(0, 1) + torch.diag_embed(normal.diagonal()).movedim(0, -1)) * columns[:, None] * columns
        return torch.einsum("pi,pqb,qj->ijb", self.links, whole, self.links)

    def gradient(self, now: torch.Tensor, downhill: torch.Tensor) -> torch.Tensor:
        """Downhill (m, pixel) in what is fitted, of that of a, p and gamma without the latters' factor a."""
        if self.links is None:
            return downhill.flatten(0, 1)
        return self.links.T @ torch.cat([downhill[0], downhill[1] * now[0], downhill[2] * now[0]])

    def unfold(self, now: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
        """Step of a, p and gamma, (3, peak, pixel), of one in what is fitted, (m, pixel)."""
        if self.links is not None:
            return (self.links @ step).view_as(now)
        step = step.view_as(now)
        step[1:] /= now[0].clamp_min(SLIGHT)
        return step

    def free(self, now: torch.Tensor, downhill: torch.Tensor) -> torch.Tensor:
        """(m, pixel) False where a fitted parameter lies at a bound and would leave it, or has no say, being that of an absent peak."""
        held = (now <= self.lower) & (downhill < 0) | (now >= self.upper) & (downhill > 0)
        held[1:] |= now[0] <= SLIGHT
        held = held.flatten(0, 1)
        return ~(held if self.links is None else held[self.leaders])

    def inside(self, now: torch.Tensor) -> torch.Tensor:
        """Nearest parameters within the bounds; those that are tied follow."""
        clamped = torch.minimum(torch.maximum(now, self.lower), self.upper)
        if self.links is None:
            return clamped
        moved = (clamped - now).flatten(0, 1)[self.leaders]
        return now + (self.links @ moved).view_as(now)

    def run(self, state: DescentState, tolerance: MomentTolerance) -> tuple[torch.Tensor, torch.Tensor]:
        """Iterate until every spectrum is done; return their parameters, and (pixel,) who is not."""
        found, unsettled = state.now.clone(), torch.ones_like(state.rows, dtype=torch.bool)
        places = torch.arange(len(state.rows), device=self.device)
        slope = self.look(state, state.now)
        normal = self.normal(state, slope)
        for count in range(tolerance.iterations):
            cost, step = slope.cost, Local(self, state, slope, normal).step(state.now, slope)
            settled = step.settles(state, cost, tolerance) | (state.damping > 1e8)
            found[..., places] = torch.where(settled, step.to, state.now)
            unsettled[places] = ~settled
            if int((~settled).sum()) <= (LAST if count >= PATIENCE else 0):
                break
            if int(settled.sum()) > 0.2 * len(settled):
                state, step, cost, places = state.keep(~settled), step.keep(~settled), cost[~settled], places[~settled]
            slope, normal = self._advance(state, step, cost)
        else:
            found[..., places] = state.now
        return found, unsettled

    def _advance(self, state: DescentState, step: "DescentStep", cost: torch.Tensor) -> tuple[Slope, torch.Tensor]:
        """Go where that lowers the objective; slope and Hessian at the new parameters."""
        before, slope = state.now, self.look(state, step.to)
        worse = ~self._judge(state, step, cost, slope)
        state.now = step.to
        normal = self.normal(state, slope)
        if bool(worse.any()):
            state.now = torch.where(worse, before, step.to)
            some = state.keep(worse)
            again = self.look(some, some.now)
            slope.cost[worse], slope.downhill[..., worse] = again.cost, again.downhill
            normal[..., worse] = self.normal(some, again)
        return slope, normal

    def _judge(self, state: DescentState, step: "DescentStep", cost: torch.Tensor, ahead: Slope) -> torch.Tensor:
        """(pixel,) whether a step lowered the objective; the state learns from how it came out."""
        better = state.judge(step, cost, ahead.cost)
        lean = (step.fitted * self.gradient(step.to, ahead.downhill)).sum(0) / step.slope.clamp_min(1e-30)
        state.lean = torch.where(better & step.whole, lean, 0.0)
        return better

    def dash(self, state: DescentState, start: torch.Tensor, tolerance: MomentTolerance) -> torch.Tensor:
        """Two steps from a good start, with the normal matrix of the first: return (pixel,) who needs more than that."""
        begun, state.now = state.now, self.inside(start if self.links is not None else snapped(start, self.lower, self.upper))
        slope = self.look(state, state.now)
        astray = ~(slope.cost < self._cost_at_start(state))
        state.damping = torch.full_like(state.damping, 1e-3)
        local = Local(self, state, slope, self.normal(state, slope))
        step = local.step(state.now, slope)
        ahead = self.look(state, step.to)
        better = self._judge(state, step, slope.cost, ahead) & ~astray
        last = local.step(step.to, ahead)
        settled = better & last.settles(state, ahead.cost, tolerance)
        state.now = torch.where(settled, last.to, torch.where(better, step.to, begun))
        state.damping = torch.where(better, state.damping, 0.3)
        state.promised = torch.where(better, state.promised, 0.0)
        state.lean = torch.where(better, state.lean, 0.0)
        return ~settled

    def _cost_at_start(self, state: DescentState) -> torch.Tensor:
        """(pixel,) objective at the problem's own start, which is a sum that all spectra share and one with Y there."""
        one = state.keep(torch.zeros(1, dtype=torch.long, device=self.device))
        begun = self.tensor(self.begun)[..., None]
        for values in (one.of_value, one.of_slope, one.power, one.pull):
            values.zero_()
        pulled = (state.pull * (begun[1] - self.anchor) ** 2).sum(0)
        return state.power - 2 * (begun[0] * state.of_value[:, 0].imag).sum(0) + self.look(one, begun).cost + pulled

"""What every solver is asked: a sum of peaks on one window, with where it starts, how far it may go, and what hangs together."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.numerics.lineshapes import SHAPES

PER_PEAK = 4
"""Parameters kept per peak: position, FWHM, height, form; a shape without a form keeps a zero there."""
POSITION, FWHM, HEIGHT, FORM = range(PER_PEAK)
LONGEST = 1e15
"""Shift, counts or axis unit: of what the data say nothing of it may be anything, and single precision overflows."""
SPANNED = 1e-5
"""Part of a column that must lie outside of those before it to be one more."""
BROAD = 25.0
"""Channels of a line's FWHM above which it makes no difference what a channel shows of it."""
END = 16
"""Part of the channels, at either end, whose mean is the level that the lines stand on."""
NARROW = 4.0
"""Channels of a line's FWHM below which it is averaged over each of them: its top would be 2 % too high there."""


@dataclass(frozen=True)
class Tie:
    """One parameter that follows another: ``follower = ratio * leader + offset``; of several ties of one follower the sum."""

    follower: tuple[int, int]
    """(peak, parameter)."""
    leader: tuple[int, int]
    ratio: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True)
class Problem:
    """Peaks that are fitted together.

    The objective of a spectrum y is ``mean(v (y - model)^2) / s^2 + penalty * sum(((p - anchor) / w)^2)`` with v the channels' weights, s
    the spectrum's highest count, above its lower end where a background is fitted, and w the FWHM of the start: the paper's mean squared
    error (v = 1) with its pull of the positions towards the initial ones.  The model may contain a polynomial background; being linear it
    is solved for exactly, by projecting it out of residual and derivatives (variable projection: Golub and Pereyra 1973).
    """

    x: NDArray[np.float64]
    """(n,) axis values."""
    shapes: tuple[str, ...]
    start: NDArray[np.float64]
    """(peak, 4) position, FWHM (axis unit), height (counts) and form to start from."""
    anchor: NDArray[np.float64]
    """(peak,) positions towards which the penalty pulls: the initial ones."""
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    """(peak, 4) bounds of each parameter."""
    degree: int | None
    """Degree of the polynomial under the peaks; None for none."""
    penalty: float
    """Weight of a squared shift of one FWHM from `anchor`, against a mean squared error of the spectrum's highest count squared."""
    fixed: frozenset[tuple[int, int]] = frozenset()
    """(peak, parameter) that keep their start."""
    ties: tuple[Tie, ...] = ()
    bounded: frozenset[tuple[int, int]] = frozenset()
    """(peak, parameter) whose bounds a user set: they are no guess to be widened."""
    weights: NDArray[np.float64] | None = None
    """(n,) weight of each channel, of mean 1; None for equal ones."""
    width: NDArray[np.float64] | None = None
    """(peak,) width of the channels about each line, over which it is averaged; 0 for one so wide that its value in the middle serves, None
    where all are."""
    templates: NDArray[np.float64] | None = None
    """(n, t) curves of any height under the peaks, solved for with the polynomial; None for none."""
    root: NDArray[np.float64] = field(init=False, repr=False)
    """(n,) square root of the weights: residual and derivatives are multiplied by it."""
    background: NDArray[np.float64] = field(init=False, repr=False)
    """(n, d) orthonormal polynomials times `root`, then what templates add to them, whose best combination lies under the peaks of every
    spectrum; d = 0 for none."""
    under: NDArray[np.float64] = field(init=False, repr=False)
    """(n, d) what lies under the peaks, column by column: polynomials, then templates, times `root`."""
    unmixed: NDArray[np.float64] = field(init=False, repr=False)
    """(column, d) how much of every column of `under` makes up each of `background`."""
    leaders: NDArray[np.intp] = field(init=False, repr=False)
    """(m,) flat places, in (peak, 4), of the parameters that are fitted."""
    rows: NDArray[np.intp] = field(init=False, repr=False)
    """(q,) flat places of all that vary: leaders and followers."""
    links: NDArray[np.float64] = field(init=False, repr=False)
    """(q, m): ``all[rows] = links @ all[leaders] + offsets``."""
    offsets: NDArray[np.float64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Work out what follows from the settings."""
        root = np.ones(len(self.x)) if self.weights is None else np.sqrt(self.weights)
        object.__setattr__(self, "root", root)
        templates = None if self.templates is None else np.ascontiguousarray(self.templates, dtype=np.float64).tobytes()
        beneath = _beneath(self.x.tobytes(), self.degree, root.tobytes(), templates)
        for name, column in zip(("under", "background", "unmixed"), beneath, strict=True):
            object.__setattr__(self, name, column)
        for name, value in zip(("leaders", "rows", "links", "offsets"), self._linked(), strict=True):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "start", self._led_by_what_stays())
        object.__setattr__(self, "start", self.complete(self.start.ravel()[self.leaders][None])[0])
        for name, value in zip(("lower", "upper"), self._without_bounds_of_followers(), strict=True):
            object.__setattr__(self, name, value)

    def _led_by_what_stays(self) -> NDArray[np.float64]:
        """The start, with what follows nothing that is fitted where that stays."""
        start, varying = self.start.copy(), {divmod(int(place), PER_PEAK) for place in self.rows}
        for follower in {tie.follower for tie in self.ties} - varying:
            led = [tie for tie in self.ties if tie.follower == follower]
            start[follower] = sum(tie.ratio * self.start[tie.leader] + tie.offset for tie in led)
        return start

    def _without_bounds_of_followers(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Bounds of what is fitted; what follows goes wherever it is led, or it would no longer follow."""
        lower, upper = self.lower.copy(), self.upper.copy()
        for tie in self.ties:
            lower[tie.follower], upper[tie.follower] = -np.inf, np.inf
        return lower, upper

    def _linked(self) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
        def flat(place: tuple[int, int]) -> int:
            return place[0] * PER_PEAK + place[1]

        formless = {flat((k, FORM)) for k, shape in enumerate(self.shapes) if SHAPES[shape].form is None}
        followers: dict[int, list[Tie]] = {}
        for tie in self.ties:
            followers.setdefault(flat(tie.follower), []).append(tie)
        still = formless | {flat(place) for place in self.fixed}
        varying = [place for place in range(PER_PEAK * len(self.shapes)) if place not in still]
        leaders = [place for place in varying if place not in followers]
        rows = [place for place in varying if place not in followers or any(flat(tie.leader) in leaders for tie in followers[place])]
        links, offsets = np.zeros((len(rows), len(leaders))), np.zeros(len(rows))
        for row, place in enumerate(rows):
            for tie in followers.get(place, [Tie((0, 0), (place // PER_PEAK, place % PER_PEAK))]):
                if flat(tie.leader) in leaders:
                    links[row, leaders.index(flat(tie.leader))] = tie.ratio
                else:
                    offsets[row] += tie.ratio * self.start[tie.leader]
                offsets[row] += tie.offset
        return np.array(leaders, dtype=np.intp), np.array(rows, dtype=np.intp), links, offsets

    @property
    def straight(self) -> bool:
        """Whether no more than a straight line lies under the peaks."""
        return self.templates is None and (self.degree or 0) <= 1

    def across(self, peak: int) -> float | None:
        """Width of the channels that a peak is averaged over; None where its value in their middle serves."""
        return None if self.width is None or not self.width[peak] else float(self.width[peak])

    @property
    def plain(self) -> bool:
        """Whether every parameter that varies is fitted by itself."""
        return len(self.rows) == len(self.leaders)

    def complete(self, fitted: NDArray[np.float64]) -> NDArray[np.float64]:
        """All parameters, (pixel, peak, 4), from the fitted ones (pixel, m); what is fixed keeps its start."""
        everything = np.repeat(self.start.reshape(1, -1), len(fitted), axis=0)
        everything[:, self.rows] = fitted @ self.links.T + self.offsets
        return everything.reshape(len(fitted), len(self.shapes), PER_PEAK)

    def fitted(self, everything: NDArray[np.float64]) -> NDArray[np.float64]:
        """The fitted parameters, (..., m), out of all, (..., peak, 4)."""
        return everything.reshape(*everything.shape[:-2], -1)[..., self.leaders]

    def without_background(self, residual: NDArray[np.floating]) -> NDArray[np.float64]:
        """(..., n) weighted residuals after the best background is taken off."""
        return np.asarray(residual - (residual @ self.background) @ self.background.T)

    def restarted(self, found: NDArray[np.float64]) -> "Problem":
        """Start from parameters found before, (peak, 4); a peak that was not seen starts where it did, at 2 % of the highest.

        Where it was not seen it may have come to lie on another peak, and two peaks on one place have no heights of their own.
        """
        start = np.clip(found, self.lower, self.upper)
        free_height = np.array([(k, HEIGHT) not in self.fixed for k in range(len(start))])
        least = 0.02 * max(float(start[:, HEIGHT].max()), 1e-12)
        unseen = start[:, HEIGHT] < least
        start[unseen] = np.where(np.arange(PER_PEAK) == HEIGHT, start[unseen], self.start[unseen])
        start[free_height, HEIGHT] = np.clip(start[free_height, HEIGHT], least, self.upper[free_height, HEIGHT])
        return replace(self, start=start)

    @property
    def _guessed_widths(self) -> NDArray[np.bool_]:
        """(peak,) whose FWHM has bounds that were guessed from the expected one."""
        told = self.bounded | {tie.follower for tie in self.ties}
        return np.array([(k, FWHM) not in told for k in range(len(self.start))])

    def opened(self) -> "Problem":
        """Let lines be as narrow as a channel: for a spectrum that tells widths by itself."""
        lower = self.lower.copy()
        guessed = self._guessed_widths
        lower[guessed, FWHM] = np.minimum(lower[guessed, FWHM], float(np.abs(np.gradient(self.x)).mean()))
        return replace(self, lower=lower)

    def fitted_out(self, found: NDArray[np.float64], narrowest: float) -> "Problem":
        """Learn from a fit of the brightest light, (peak, 4): how narrow lines may be, and whether they are narrow against the channels.

        Parameters
        ----------
        narrowest : least FWHM of a spectrum, as a multiple of that found, where this is less than the bound; never less than a channel
        """
        channel = channel_widths(self.x)
        lower = self.lower.copy()
        guessed = self._guessed_widths
        least = np.minimum(channel.mean(), lower[guessed, FWHM].min(initial=np.inf))
        lower[guessed, FWHM] = np.clip(narrowest * found[guessed, FWHM], least, lower[guessed, FWHM])
        about = np.interp(found[:, POSITION], self.x, channel)
        narrow = found[:, FWHM] < NARROW * about
        return replace(self, lower=lower, width=np.where(narrow, about, 0.0) if narrow.any() else None)

    def seen_otherwise(self, found: NDArray[np.float64]) -> "Problem | None":
        """Lines averaged over channels where they are not, (peak, 4) as they were found, and not where they are; None where that is one."""
        if self.width is not None and self.width.any():
            return replace(self, width=None)
        about = np.interp(found[:, POSITION], self.x, channel_widths(self.x))
        narrow = found[:, FWHM] < BROAD * about
        return replace(self, width=np.where(narrow, about, 0.0)) if narrow.any() else None

    @property
    def held(self) -> list[tuple[int, int]]:
        """(peak, parameter) that keep their start or follow others."""
        places = self.fixed | {tie.follower for tie in self.ties}
        return sorted((k, kind) for k, kind in places if kind != FORM or SHAPES[self.shapes[k]].form is not None)

    def freed(self, places: Collection[tuple[int, int]]) -> "Problem":
        """The problem with some of what is held fitted like the rest; who holds a parameter says nothing of how far it may go."""
        lower, upper, span = self.lower.copy(), self.upper.copy(), float(np.ptp(self.x))
        for k, kind in places:
            form = SHAPES[self.shapes[k]].form or (0.0, 0.0, 1.0)
            room = {POSITION: (self.x[0], self.x[-1]), FWHM: (0.1 * span / len(self.x), span), HEIGHT: (0.0, np.inf), FORM: form[::2]}[kind]
            lower[k, kind], upper[k, kind] = min(room[0], self.start[k, kind]), max(room[1], self.start[k, kind])
        ties = tuple(tie for tie in self.ties if tie.follower not in places)
        return replace(self, fixed=self.fixed - set(places), ties=ties, lower=lower, upper=upper)

    def of_peaks(self, kept: Sequence[int]) -> "Problem":
        """The problem of some of the peaks; what is tied to one that went keeps its start."""
        place = {old: new for new, old in enumerate(kept)}
        lost = {tie.follower for tie in self.ties if tie.leader[0] not in place}
        stay = [tie for tie in self.ties if tie.follower[0] in place and tie.follower not in lost]
        ties = [replace(t, follower=(place[t.follower[0]], t.follower[1]), leader=(place[t.leader[0]], t.leader[1])) for t in stay]
        which = list(kept)
        return replace(
            self,
            shapes=tuple(self.shapes[k] for k in which),
            start=self.start[which],
            anchor=self.anchor[which],
            lower=self.lower[which],
            upper=self.upper[which],
            fixed=frozenset((place[k], kind) for k, kind in self.fixed | lost if k in place),
            ties=tuple(ties),
            bounded=frozenset((place[k], kind) for k, kind in self.bounded if k in place),
            width=None if self.width is None else self.width[which],
        )

    @property
    def of_height_alone(self) -> list[int]:
        """Peaks of which nothing but a height of their own is fitted: what they add to a spectrum is as linear as a background."""
        tied = {place for tie in self.ties for place in (tie.follower, tie.leader)}
        fitted = {(int(place // PER_PEAK), int(place % PER_PEAK)) for place in self.leaders} - tied
        mine = {k: {kind for peak, kind in fitted if peak == k} for k in range(len(self.shapes))}
        return [k for k, kinds in mine.items() if kinds == {HEIGHT}]

    def profiles(self, peaks: Sequence[int]) -> NDArray[np.float64]:
        """(n, m) some peaks as they start, of height 1."""
        each = [SHAPES[self.shapes[k]](self.x, *self.start[k, :HEIGHT], 1.0, self.start[k, FORM], width=self.across(k)) for k in peaks]
        return np.stack(each, axis=1)

    def without_shapes(self, peaks: Sequence[int]) -> "Problem":
        """The problem with some peaks `of_height_alone` as templates in place of peaks."""
        rest = self.of_peaks([k for k in range(len(self.shapes)) if k not in peaks])
        profiles = self.profiles(peaks)
        return replace(rest, templates=profiles if self.templates is None else np.concatenate([self.templates, profiles], axis=1))

    def heights(self, counts: NDArray[np.floating], found: NDArray[np.float64], peaks: Sequence[int]) -> NDArray[np.float64]:
        """(pixel, m) best heights of some peaks `of_height_alone`, beside the others as they were found, (pixel, peak, 4)."""
        under = np.concatenate([self.under, self.profiles(peaks) * self.root[:, None]], axis=1)
        rest = np.asarray(counts, dtype=np.float64)
        for k in (k for k in range(len(self.shapes)) if k not in peaks):
            own = found[:, k, :, None].swapaxes(0, 1)
            rest = rest - SHAPES[self.shapes[k]](self.x, *own, width=self.across(k))
        return np.asarray(((rest * self.root) @ np.linalg.pinv(under).T)[:, -len(peaks) :])

    def scaled_start(self, counts: NDArray[np.floating]) -> NDArray[np.float64]:
        """Start of every spectrum, (pixel, peak, 4): heights in proportion to the spectrum's own highest count."""
        highest = np.maximum(counts.max(axis=1), 1e-12).astype(np.float64)
        start = np.repeat(self.start[None], len(counts), axis=0)
        start[..., HEIGHT] *= (highest / max(float(self.start[:, HEIGHT].max()), 1e-12))[:, None]
        return start

    def moved(self, parameters: NDArray[np.float64], by: NDArray[np.float64]) -> NDArray[np.float64]:
        """Parameters (pixel, peak, 4) so much farther on, of what varies: (pixel, q); no form beyond its ends, where there is no line."""
        there = parameters.astype(np.float64)
        there.reshape(len(there), -1)[:, self.rows] += by
        there[..., FORM] = np.clip(there[..., FORM], self.lower[:, FORM], self.upper[:, FORM])
        return there

    def pull(self, counts: NDArray[np.floating]) -> NDArray[np.float64]:
        """Weight of a squared shift from `anchor` in the sum of squares of each spectrum.

        Parameters
        ----------
        counts : (pixel, n) counts

        Returns
        -------
        (pixel, peak) counts^2 per squared axis unit
        """
        highest = counts.max(axis=1)
        if self.degree is not None:  # the detector's dark level under the lines is none of their light
            few = max(len(self.x) // END, 1)
            highest -= np.maximum(np.minimum(counts[:, :few].mean(axis=1), counts[:, -few:].mean(axis=1)), 0.0)
        highest = np.maximum(highest, 0.0)[:, None]
        return np.asarray(self.penalty * len(self.x) * (highest / self.start[:, FWHM]) ** 2)


def channel_widths(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n,) width of each channel, axis unit; where channels are left out, those beside them are as wide as their other neighbours say."""
    step = np.abs(np.diff(x))
    # A grating, or the change from wavelength to wavenumber, widens channels by less over a window; one left out doubles a step.
    if step.max() > 1.4 * step.min():
        usual = np.array([np.median(step[max(k - 3, 0) : k + 4]) for k in range(len(step))])
        step = np.where(step > 1.4 * usual, usual, step)
    return np.concatenate([step[:1], 0.5 * (step[1:] + step[:-1]), step[-1:]])


def polynomials(x: NDArray[np.float64], degree: int | None, root: NDArray[np.float64]) -> NDArray[np.float64]:
    """Polynomials up to a degree times the root of the weights, orthonormal on the given channels: (n, degree + 1); (n, 0) for None.

    The first of them is level, the second straight.
    """
    if degree is None:
        return np.empty((len(x), 0))
    return np.linalg.qr(_powers(x, x, degree) * root[:, None])[0]


def polynomials_at(places: NDArray[np.float64], x: NDArray[np.float64], degree: int, root: NDArray[np.float64]) -> NDArray[np.float64]:
    """The same polynomials at other places, (place, degree + 1), without weights."""
    triangle = np.linalg.qr(_powers(x, x, degree) * root[:, None])[1]
    return np.asarray(np.linalg.solve(triangle.T, _powers(places, x, degree).T).T)


def _powers(places: NDArray[np.float64], x: NDArray[np.float64], degree: int) -> NDArray[np.float64]:
    """(place, degree + 1) powers from 0 on, of places counted from the middle of an axis in halves of its span."""
    return np.vander(2 * (places - x.mean()) / max(float(np.ptp(x)), 1e-300), degree + 1, increasing=True)


@lru_cache(maxsize=16)
def _beneath(
    x: bytes, degree: int | None, root: bytes, templates: bytes | None
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """`Problem.under`, `background` and `unmixed`, by the bytes of arrays of double precision: of one map many problems share them."""
    places, weights = np.frombuffer(x), np.frombuffer(root)
    columns = polynomials(places, degree, weights)
    if templates is not None:
        columns = np.concatenate([columns, np.frombuffer(templates).reshape(len(places), -1) * weights[:, None]], axis=1)
    basis = _basis(columns)
    return columns, basis, np.linalg.pinv(columns) @ basis


def _basis(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal columns that span the same; what adds nothing is left out: a level template beside a polynomial."""
    if not columns.shape[1]:
        return columns
    unit = columns / np.maximum(np.linalg.norm(columns, axis=0), 1e-300)
    basis, rest = np.linalg.qr(unit)
    return np.asarray(basis[:, np.abs(np.diag(rest)) > SPANNED])

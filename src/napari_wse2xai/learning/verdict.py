"""May an explanation be believed?  A judgement from numbers, with its reasons as sentences."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from napari_wse2xai.data import NETWORK, Level, NullTest, Score, Verdict
from napari_wse2xai.data.trained_model import Beyond
from napari_wse2xai.data.verdict import p_in_words
from napari_wse2xai.learning.common_mode import CommonMode
from napari_wse2xai.learning.power import Power
from napari_wse2xai.learning.unexplained import Shares

FAST = "fast model"

CONFOUNDERS = {
    "edge": ("Among pixels equally far from edge and middle", "these distances may have shaped both, as growth does", Level.LOCAL_ONLY),
    "scan": ("Within scan lines, each levelled", "a drift during the scan may have shaped both", Level.DO_NOT_INTERPRET),
    "layers": ("Within each of two layers (their RS falls into two groups)", "the step between them may be all there is", Level.LOCAL_ONLY),
}
"""Words for what may have shaped RS and PL alike, and what is allowed where nothing else is seen."""
ORDER = (Level.DO_NOT_INTERPRET, Level.LOCAL_ONLY, Level.INTERPRETABLE)
"""The worst first."""


@dataclass(frozen=True)
class Limits:
    """Thresholds of the judgement; docs/verdict.md tells how they were chosen."""

    p: float = 0.05
    """Largest p value that counts as better than chance."""
    margin: float = 0.01
    """By how much R2 between neighbours must beat 95 % of the surrogates: where these come near 1, p hangs on a trace of roughness."""
    p_together: float = 0.025
    """Largest p value without the heights' common factor, where all heights move together and the focus is under suspicion."""
    pixels: int = 150
    """Fewest pixels that are judged."""
    alone: float = 0.85
    """A confounder that settles less than this share of what RS settles in blocks cannot be all there is."""
    remains: float = 0.25
    """Least share of what RS tells beyond the neighbours that must be told among pixels with the same confounder, too."""
    turned: float = 2.0
    """By so many standard errors of a correlation a mirrored or turned PL may follow RS better than PL as it is drawn."""
    r2_random: float = 0.25
    """Least R2 of the best model between neighbours."""
    r2_blocks: float = 0.25
    """Least R2 in spatial blocks: less is not worth an explanation."""
    ceiling: float = 0.5
    """A ceiling below this is told."""
    kept: float = 0.92
    """Least share of the random split's R2 that the fast model of the null test must keep in spatial blocks."""
    kept_best: float = 0.95
    """Where it does not: least share that the best of all models must keep in blocks of what any finds between neighbours."""
    by_place: float = 0.75
    """Largest R2 in blocks of 95 % of the surrogates, with which what is kept in blocks still shows something."""
    behind: float = 0.1
    """By how much R2 the best model that can be explained may stay behind the fast model."""


@dataclass(frozen=True)
class Evidence:
    """All that is known about the prediction of one target."""

    target: str
    pixels: int
    scores: Sequence[Score]
    """Of the network and the reference models; those of other targets are not looked at."""
    null_test: NullTest | None = None
    ceiling: float = float("nan")
    """Largest R2 that the errors of the target allow (`scores.noise_ceiling`)."""
    absent: Mapping[str, float] = field(default_factory=dict)
    """Lines that most pixels do not show, with the share that lacks them (`Samples.absent`)."""
    common_mode: CommonMode | None = None
    """Whether the focus alone could have done it; for PL height and area."""
    shares: Shares | None = None
    """Where the variance of PL goes: RS, noise, what RS does not show."""
    power: Power | None = None
    """What could have been found at all, where the verdict is not the best."""
    doubts: Sequence[str] = ()
    """Why it is not sure that PL and RS of a pixel are of one place (`PairedMaps.doubts`)."""

    def r2(self, validation: str, model: str = NETWORK) -> float:
        """R2 of a model on held-out pixels; NaN where it was not measured."""
        return next((s.r2 for s in self._held_out(validation) if s.model == model), float("nan"))

    def fast_r2(self, validation: str) -> float:
        """R2 of the fast model of the null test, the only one that is compared with surrogates; NaN where there is none."""
        return float("nan") if self.null_test is None else self.null_test.r2.get(validation, float("nan"))

    def best_reference(self, validation: str) -> tuple[str, float]:
        """Best other model on held-out pixels, and its R2; NaN where there is none."""
        references = [(s.model, s.r2) for s in self._held_out(validation) if s.model != NETWORK and np.isfinite(s.r2)]
        return max(references, key=lambda scored: scored[1], default=("", float("nan")))

    def best(self, validation: str) -> tuple[str, float]:
        """Best of all models on held-out pixels, the fast one among them, and its R2."""
        every = (("network", self.r2(validation)), self.best_reference(validation), (FAST, self.fast_r2(validation)))
        return max(every, key=lambda scored: np.nan_to_num(scored[1], nan=-np.inf))

    def p_value(self, validation: str) -> float:
        """P value of the null test; NaN where there is none."""
        return float("nan") if self.null_test is None else self.null_test.p_value.get(validation, float("nan"))

    def _held_out(self, validation: str) -> Iterator[Score]:
        return (s for s in self.scores if (s.target, s.validation, s.part) == (self.target, validation, "validation"))


@dataclass(frozen=True)
class Finding:
    """What one number allows, and why."""

    allows: Level
    reason: str


def judge(evidence: Evidence, *, limits: Limits | None = None) -> Verdict:
    """Judge one target: the worst of what each number allows, with all reasons, the weightiest first."""
    given = limits or Limits()
    checks = (
        _pixels,
        _paired,
        _chance,
        _confounded,
        _orientation,
        _focus,
        _strength,
        _across,
        _explainable,
        _hidden,
        _power,
        _ceiling,
        _absent,
    )
    findings = [finding for check in checks for finding in check(evidence, given)]
    findings.sort(key=lambda finding: ORDER.index(finding.allows))
    return Verdict(evidence.target, findings[0].allows, tuple(finding.reason for finding in findings), _numbers(evidence))


def _pixels(evidence: Evidence, limits: Limits) -> Iterator[Finding]:
    if evidence.pixels < limits.pixels:
        yield Finding(Level.DO_NOT_INTERPRET, f"{evidence.pixels} pixels are too few to judge; at least {limits.pixels} are needed.")


def _paired(evidence: Evidence, _limits: Limits) -> Iterator[Finding]:
    """Whether RS and PL of a pixel are surely of one place: a smooth target is predicted from a neighbour's RS nearly as well."""
    for doubt in evidence.doubts:
        yield Finding(Level.LOCAL_ONLY, f"The pairing is not sure. {doubt}")


def _chance(evidence: Evidence, limits: Limits) -> Iterator[Finding]:
    """Whether RS predicts the target better than maps that owe nothing to RS, between neighbours and across blocks."""
    test = evidence.null_test
    if test is None or test.refused:
        yield Finding(Level.DO_NOT_INTERPRET, "No null test was made." if test is None else test.refused)
        return
    found = {name: evidence.p_value(name) for name in ("random", "blocks") if np.isfinite(evidence.p_value(name))}
    across = (
        bool(test.beyond) and found.get("blocks", 1.0) <= limits.p
    )  # who tells more than neighbours do across blocks need not between them
    for validation, p in found.items():
        crowded = validation == "random" and not test.beyond and _lead(test, validation) < limits.margin
        worst = Level.LOCAL_ONLY if validation == "blocks" else Level.INTERPRETABLE if across else Level.DO_NOT_INTERPRET
        yield _against_surrogates(test, validation, p, Level.INTERPRETABLE if p <= limits.p and not crowded else worst)


def _lead(test: NullTest, validation: str) -> float:
    """By how much R2 beats 95 % of the surrogates."""
    return test.r2[validation] - float(np.quantile(test.surrogate_r2[validation], 0.95))


def _against_surrogates(test: NullTest, validation: str, p: float, allows: Level) -> Finding:
    null = test.surrogate_r2[validation]
    split, chance = "pixels at random" if validation == "random" else "spatial blocks", p_in_words(p, len(null))
    others = f"95 % of {len(null)} maps that owe nothing to RS but are as smooth below {np.quantile(null, 0.95):.2f}"
    beyond = test.told_beyond(validation=validation)
    more = "" if beyond is None else f"; beyond what a pixel's neighbours tell, correlation {_correlations(beyond)}"
    return Finding(allows, f"With {split} held out, {chance}: R2 {test.r2[validation]:.2f} ({others}){more}.")


def _correlations(told: Beyond) -> str:
    """What is told of the target and of surrogates."""
    return f"{told.correlation:.2f} (95 % of such maps below {np.quantile(told.surrogate_correlation, 0.95):.2f})"


def _confounded(evidence: Evidence, limits: Limits) -> Iterator[Finding]:
    """Whether the edge, the order of the scan or two layers may have shaped RS and PL, and nothing else."""
    if (test := evidence.null_test) is None or test.refused:
        return
    for told in test.beyond:
        if not told.confounder:
            continue
        where, culprit, worst = CONFOUNDERS[told.confounder]
        numbers = f"{p_in_words(told.p_value, len(told.surrogate_correlation))}; correlation {_correlations(told)}"
        settled = evidence.fast_r2(told.validation)
        plainly = test.told_beyond(validation=told.validation)
        traces = told.correlation < limits.remains * (0.0 if plainly is None else plainly.correlation)
        if told.p_value <= limits.p and not traces:
            yield Finding(Level.INTERPRETABLE, f"{where}, RS still tells what neighbours do not ({numbers}).")
        elif told.alone < limits.alone * settled:
            shares = f"by itself it settles {max(told.alone, 0.0):.0%} of PL where RS settles {settled:.0%}, so it cannot be all"
            yield Finding(Level.INTERPRETABLE, f"{where}, RS tells {_little(told, limits)} ({numbers}); {shares}.")
        else:
            yield Finding(worst, f"{where}, RS tells {_little(told, limits)} ({numbers}): {culprit}.")


def _little(told: Beyond, limits: Limits) -> str:
    """How little RS tells with a confounder taken off."""
    if told.p_value <= limits.p:
        return "but traces of PL"
    return "no more of PL than of maps with the same profile"


def _orientation(evidence: Evidence, limits: Limits) -> Iterator[Finding]:
    """Whether PL mirrored or turned follows RS better than PL as it is drawn."""
    test = evidence.null_test
    own = None if test is None else test.told_beyond()
    if test is None or own is None or not test.turned:
        return
    how, best = max(test.turned.items(), key=lambda told: told[1])
    # The best of seven follows RS a little by chance: where none owes anything to RS, maps that owe nothing do as well.
    chance = own.surrogate_correlation.max()
    if best > max(own.correlation + limits.turned / np.sqrt(evidence.pixels), chance):
        yield Finding(
            Level.DO_NOT_INTERPRET,
            f"PL {how} follows RS better than PL as it is drawn (correlation {best:.2f} against {own.correlation:.2f} beyond what "
            "neighbours tell): one of the two maps is drawn the wrong way round; compare both with the instrument's own pictures.",
        )


def _focus(evidence: Evidence, limits: Limits) -> Iterator[Finding]:
    """Whether anything but the brightness of RS as a whole predicts PL."""
    found = evidence.common_mode
    if found is None:
        return
    largest = limits.p_together if found.moving else limits.p
    asked = {"random": Level.DO_NOT_INTERPRET, "blocks": Level.LOCAL_ONLY}
    # A focus that made PL would move all heights, and by itself settle what RS does: where neither is so, blocks are enough (`_chance`).
    if not found.moving and found.correlation**2 < limits.alone * evidence.fast_r2("blocks"):
        del asked["random"]
    for validation, worst in asked.items():
        if found.p_normalised.get(validation, 0.0) > largest:
            lost = "nothing but the brightness of RS as a whole predicts PL better than chance, and a drifting focus would do the same"
            where = "between neighbours" if validation == "random" else "in spatial blocks"
            p = p_in_words(found.p_normalised[validation], found.surrogates)
            yield Finding(worst, f"{where.capitalize()}, {lost} ({p} without it). {found.text}")
            return
    yield Finding(Level.INTERPRETABLE, found.text)


def _strength(evidence: Evidence, limits: Limits) -> Iterator[Finding]:
    model, best = evidence.best("random")
    if best < limits.r2_random:
        yield Finding(
            Level.DO_NOT_INTERPRET, f"The {model} explains little of the target even between neighbours: R2 {best:.2f} on held-out pixels."
        )


def _across(evidence: Evidence, limits: Limits) -> Iterator[Finding]:
    """Whether what holds between neighbours holds across the flake: asked of the fast model, whose limits are calibrated."""
    by_place = _surrogates_95(evidence, "blocks")
    if by_place > limits.by_place:
        yield Finding(
            Level.LOCAL_ONLY,
            "RS tells where on the flake a pixel lies: even maps that owe nothing to RS are predicted in blocks with "
            f"R2 up to {by_place:.2f}, so that to keep it there shows little.",
        )
    random, blocks = evidence.fast_r2("random"), evidence.fast_r2("blocks")
    if not np.isfinite(blocks):
        yield Finding(Level.LOCAL_ONLY, "Spatial blocks were not tested, so nothing is known about places away from known neighbours.")
        return
    needed = max(limits.r2_blocks, limits.kept * random)
    held = f"The {FAST} reaches R2 {blocks:.2f} in blocks whose surroundings it never saw, and {random:.2f} between neighbours"
    if blocks >= needed:
        yield Finding(Level.INTERPRETABLE, f"{held}.")
    elif (carried := _carried(evidence, limits))[2]:
        model, shares, _ = carried
        yield Finding(Level.INTERPRETABLE, f"{held}; the {model} keeps in blocks what any model finds between neighbours, {shares}.")
    else:
        missing = f"at least {needed:.2f} would show that RS alone settles PL; something that RS does not show has a part in it"
        yield Finding(Level.LOCAL_ONLY, f"{held}; {missing}.")


def _carried(evidence: Evidence, limits: Limits) -> tuple[str, str, bool]:
    """Model that predicts blocks best, its R2 there beside the best between neighbours, and whether it keeps enough of that.

    The fast model cannot carry every law over the flake.  On a logarithmic scale its R2 is no other model's.
    """
    (_, near), (model, far) = evidence.best("random"), evidence.best("blocks")
    other_scale = evidence.null_test is not None and bool(evidence.null_test.scale)
    return model, f"{far:.2f} of {near:.2f}", not other_scale and far >= max(limits.r2_blocks, limits.kept_best * near)


def _explainable(evidence: Evidence, limits: Limits) -> Iterator[Finding]:
    """Whether a model that can be explained has learnt what the fast one finds, which one that is, and how the next stands beside it."""
    for validation, place in (("random", "between neighbours"), ("blocks", "in spatial blocks")):
        own, (reference, rival) = evidence.r2(validation), evidence.best_reference(validation)
        explained, best = max((("network", own), (reference, rival)), key=lambda scored: np.nan_to_num(scored[1], nan=-np.inf))
        fast = evidence.fast_r2(validation)
        if not (evidence.null_test and evidence.null_test.scale) and fast - best > limits.behind:
            yield Finding(
                Level.LOCAL_ONLY, f"The {explained} (R2 {best:.2f}) misses what the {FAST} finds {place} (R2 {fast:.2f}); train it longer."
            )
        elif np.isfinite(own):
            other = ("network", own) if explained == reference else (reference, rival)
            beside = f"; the {other[0]} reaches {other[1]:.2f}" if reference else ""
            yield Finding(Level.INTERPRETABLE, f"The {explained} predicts best {place}, R2 {best:.2f}{beside}.")


def _hidden(evidence: Evidence, _limits: Limits) -> Iterator[Finding]:
    if evidence.shares is not None:
        yield Finding(Level.INTERPRETABLE, evidence.shares.text)


def _power(evidence: Evidence, _limits: Limits) -> Iterator[Finding]:
    if evidence.power is not None:
        yield Finding(Level.INTERPRETABLE, evidence.power.text)


def _ceiling(evidence: Evidence, limits: Limits) -> Iterator[Finding]:
    if evidence.ceiling < limits.ceiling:
        yield Finding(Level.INTERPRETABLE, f"The errors of the target itself leave at most R2 {evidence.ceiling:.2f} to any model.")


def _absent(evidence: Evidence, _limits: Limits) -> Iterator[Finding]:
    if evidence.absent:
        lines = ", ".join(f"{name} ({share:.0%} lack it)" for name, share in evidence.absent.items())
        yield Finding(
            Level.INTERPRETABLE, f"Most pixels do not show {lines}: do not read what the explanation says of position and FWHM there."
        )


def _surrogates_95(evidence: Evidence, validation: str) -> float:
    """R2 that 95 % of the surrogates stay below; NaN where none were asked."""
    reached = None if evidence.null_test is None else evidence.null_test.surrogate_r2.get(validation)
    return float("nan") if reached is None or not len(reached) else float(np.quantile(reached, 0.95))


def _numbers(evidence: Evidence) -> dict[str, float]:
    """Numbers behind the reasons, by name; what was not measured is left out."""
    found = {"pixels": float(evidence.pixels), "r2_ceiling": evidence.ceiling}
    for name in ("random", "blocks"):
        found |= {f"r2_{name}": evidence.fast_r2(name), f"p_{name}": evidence.p_value(name)}
        found |= {f"r2_network_{name}": evidence.r2(name), f"r2_rival_{name}": evidence.best_reference(name)[1]}
        found[f"surrogate_r2_95_{name}"] = _surrogates_95(evidence, name)
        if evidence.common_mode is not None:
            found[f"r2_normalised_{name}"] = evidence.common_mode.r2_normalised.get(name, float("nan"))
            found[f"p_normalised_{name}"] = evidence.common_mode.p_normalised.get(name, float("nan"))
    if evidence.shares is not None:
        found |= {"settled": evidence.shares.settled, "settled_error": evidence.shares.error, "hidden": evidence.shares.hidden}
        found["noise"] = evidence.shares.noise
    if evidence.power is not None:
        found |= {"least_share": evidence.power.least, "pixels_needed": evidence.power.needed}
    found["kept"] = found["r2_blocks"] / found["r2_random"] if found["r2_random"] > 0 else float("nan")
    return {name: float(value) for name, value in found.items() if np.isfinite(value)}

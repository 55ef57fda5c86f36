"""What a recipe asks for, done: the chain of each map, then the steps that need more than one, as `stages.TABLE` declares them."""

import warnings
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

from napari_wse2xai import io, recipe
from napari_wse2xai.data import Explanation, Pairable, PairedMaps, PeakMaps, Results, SpectralMap, TrainedModel
from napari_wse2xai.errors import DataError, DataWarning
from napari_wse2xai.io.calculations import read_named
from napari_wse2xai.progress import Progress, part, silent
from napari_wse2xai.recipe import Recipe
from napari_wse2xai.stages import Step, resuming
from napari_wse2xai.theory.calculated import Calculated

READING, REPORTING = 4.0, 13.0
"""Efforts of what is no stage, in the measure of `stages.Step.effort`."""


def effort_of(wanted: Recipe) -> float:
    """Effort of all stages of a recipe."""
    return sum(chain.effort for chain in wanted.chains().values()) + sum(step.effort for step in wanted.late_steps)


def read_sources(wanted: Recipe, progress: Progress) -> dict[str, SpectralMap]:
    """Maps that a recipe names, checked against it."""
    sources = {}
    for name, section in wanted.sections().items():
        assert section.file is not None  # `recipe.load` sees to it
        progress(0.0, f"{name}: reading {section.file.name}")
        sources[name] = recipe.with_laser(io.read(section.file, section.item, **section.told()), section)
    recipe.check(wanted, sources)
    return sources


def run_chains(
    wanted: Recipe,
    sources: Mapping[str, SpectralMap],
    progress: Progress = silent,
    *,
    keep_in: Path | None = None,
    calculated: Calculated | None = None,
) -> Results:
    """Run the chain of each modality on its map, and what a recipe asks for behind them.

    Parameters
    ----------
    sources : maps by modality, as read
    keep_in : folder in which a training is kept so that it can be resumed
    calculated : what the files hold that the recipe names under theory; read where it is not given
    """
    chains = {name: chain for name, chain in wanted.chains().items() if name in sources}
    ends = [0.0, *accumulate([*(chain.effort for chain in chains.values()), sum(step.effort for step in wanted.late_steps)])]
    shares = [(start / ends[-1], end / ends[-1]) for start, end in pairwise(ends)] if ends[-1] else [(0.0, 1.0)] * len(ends)
    results = Results({}, recipe=recipe.to_yaml(wanted))
    for (name, chain), share in zip(chains.items(), shares, strict=False):
        outcome = chain.run(sources[name], part(progress, *share, name))
        results = _with_outcome(results, name, outcome)
    own = calculated or read_named(wanted.theory)
    return with_steps(results, wanted.late_steps, part(progress, *shares[-1]), keep_in=keep_in, calculated=own)


def _with_outcome(results: Results, name: str, outcome: recipe.Outcome) -> Results:
    """Add what the chain of one map gave; warn of what its list of peaks misses all over the map."""
    made = {"maps": outcome.map, "peaks": outcome.peaks, "components": outcome.components}
    for place, value in made.items():
        if value is not None:
            results = results.keeping({**getattr(results, place), name: value}, place)
    if (peaks := outcome.peaks) is not None:
        for proposal in recipe.proposals(peaks, outcome.map):
            warnings.warn(f"{name}: {proposal.words}{recipe.hint(proposal, peaks)}", DataWarning, stacklevel=2)
    return results


def with_steps(
    results: Results,
    steps: Sequence[Step],
    progress: Progress = silent,
    *,
    pairs: Sequence[PairedMaps] = (),
    keep_in: Path | None = None,
    calculated: Calculated | None = None,
) -> Results:
    """Run steps one after the other on what there is; those whose inputs are not there are left out.

    Parameters
    ----------
    pairs : of several flakes that are learnt together
    """
    ends = [0.0, *accumulate(step.effort for step in steps)]
    for step, (start, end) in zip(steps, pairwise(ends), strict=True):
        known = _known(results, pairs, calculated)
        if all(kind in known for kind in step.takes):
            made = _made(step, known, part(progress, start / ends[-1], end / ends[-1], step.key), keep_in)
            results = results if made is None else results.keeping(made, step.kept)
    return results


def _known(results: Results, pairs: Sequence[PairedMaps], calculated: Calculated | None) -> dict[type, Any]:
    """What there is by its kind, as `stages.Step.on` takes it; of two maps the Raman map is the one that is meant."""
    peaks = results.peaks
    found: dict[type, Any] = {
        SpectralMap: results.maps.get("raman") if "raman" in peaks else None,
        PeakMaps: peaks.get("raman"),
        Pairable: Pairable(peaks["raman"], peaks["pl"]) if {"raman", "pl"} <= set(peaks) else None,
        PairedMaps: list(pairs) or results.paired,
        TrainedModel: results.model,
        Explanation: results.explanation,
        Calculated: calculated,
    }
    return {kind: value for kind, value in found.items() if value is not None}


def _made(step: Step, known: Mapping[type, Any], progress: Progress, keep_in: Path | None) -> Any:
    """What a step gives; None for one that the data do not allow and that a run can do without."""
    if step.series:
        learner: Any = step
        (pairs,) = step.given(known)
        return resuming.trained(learner, pairs, keep_in, progress)
    try:
        return step.on(known, progress)
    except DataError as error:
        if not step.optional:
            raise
        warnings.warn(f"{step.without}{error}", DataWarning, stacklevel=2)
        return None

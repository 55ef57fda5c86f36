"""What a session holds as the results of one flake after the other, as files and reports take them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, count
from typing import TypeVar

import numpy as np

from napari_wse2xai.data import Components, Explanation, PairedMaps, PeakMaps, Results, SpectralMap, TrainedModel
from napari_wse2xai.session.lineage import Artefact, Lineage, among, of_one_measurement
from napari_wse2xai.theory.beside import TheoryBeside

Kind = TypeVar("Kind", bound=Artefact)
FURTHEST_FIRST = (Explanation, TrainedModel, PairedMaps, TheoryBeside, PeakMaps, SpectralMap)
RAMAN, PL = "raman", "pl"


def named_results(session: Lineage) -> dict[str, Results]:
    """Results of every flake by its name, what went furthest first: each with what it was made of, and nothing of another.

    What a later run of the same step replaced, and nothing was made of, is left out; a map stands with the first that was made of it.
    """
    lines = _together(list(_lines(session)))
    named: dict[str, Results] = {}
    written: list[SpectralMap] = []
    for results in lines:
        maps = {modality: source for modality, source in results.maps.items() if not among(source, written)}
        written += maps.values()
        named[_free(_name(results), named)] = replace(results, maps=maps)
    return named


def results_of(session: Lineage, artefact: Artefact) -> Results:
    """Results of one artefact with what it was made of, and nothing else."""
    return _of(session, [artefact, *session.ancestors(artefact)])


def _lines(session: Lineage) -> Iterator[Results]:
    """Results of everything that nothing further was made of."""
    told: list[Artefact] = []
    for kind in FURTHEST_FIRST:
        for tip in reversed(session.of_kind(kind)):
            if not among(tip, told) and not session.replaced(tip):
                line = [tip, *session.ancestors(tip)]
                results = _of(session, line)
                told += [*line, *([results.theory] if results.theory is not None else [])]
                yield results


def _of(session: Lineage, line: Sequence[Artefact]) -> Results:
    """Results that one line of descent makes, the furthest first in it."""
    paired, peaks = _first(line, PairedMaps), [each for each in line if isinstance(each, PeakMaps)]
    found = {each.axis.kind.modality: each for each in reversed(peaks)}
    if paired is not None:
        found |= {RAMAN: paired.raman} | {each.axis.kind.modality: each for each in session.peaks_in(paired)}
    maps = {modality: source for modality, each in found.items() if (source := session.source_of(each)) is not None}
    if not found and (source := _first(line, SpectralMap)) is not None:
        maps = {source.axis.kind.modality: source}
    explanation, model = _first(line, Explanation), _first(line, TrainedModel)
    theory = session.theory_of(explanation) if explanation is not None else _first(line, TheoryBeside)
    components = {key: each for key, source in maps.items() if (each := _components_of(session, source)) is not None}
    known = dict(sorted(found.items(), reverse=True))
    return Results(maps, known, paired=paired, model=model, explanation=explanation, theory=theory, components=components)


def _components_of(session: Lineage, source: SpectralMap) -> Components | None:
    """Newest components of the spectra of a map's measurement, on its axis."""
    every = (each for each in reversed(session.of_kind(Components)) if each.frame == source.frame and of_one_measurement(each, source))
    return next((each for each in every if np.array_equal(each.axis.values, source.axis.values)), None)


def _together(lines: list[Results]) -> list[Results]:
    """Put RS and PL that nobody has paired into one, where they are of one sample or the only ones."""
    alone = {modality: [one for one in lines if one.paired is None and _modalities(one) == {modality}] for modality in (RAMAN, PL)}
    for raman in alone[RAMAN]:
        only = len(alone[RAMAN]) == len(alone[PL]) == 1
        pl = next((one for one in alone[PL] if one in lines and (only or _sample(one) == _sample(raman) != "")), None)
        if pl is not None:
            at = lines.index(raman)
            lines[at] = replace(raman, maps={**raman.maps, **pl.maps}, peaks={**raman.peaks, **pl.peaks})
            lines.remove(pl)
    return lines


def _first(line: Sequence[Artefact], kind: type[Kind]) -> Kind | None:
    return next((each for each in line if isinstance(each, kind)), None)


def _modalities(results: Results) -> set[str]:
    return {*results.maps, *results.peaks}


def _parts(results: Results) -> list[SpectralMap | PeakMaps]:
    return [*results.maps.values(), *results.peaks.values()]


def _sample(results: Results) -> str:
    return next((part.frame.sample for part in _parts(results) if part.frame.sample), "")


def _name(results: Results) -> str:
    """Name of a flake: its sample's, else that of its first map."""
    found = _parts(results)
    return _sample(results) or (found[0].name if found else "results")


def _free(name: str, taken: dict[str, Results]) -> str:
    """The name, numbered where it is taken; a slash would make groups of it."""
    plain = name.replace("/", "-") or "results"
    names = chain((plain,), (f"{plain} {number}" for number in count(2)))
    return next(each for each in names if each not in taken)

"""A session in one NetCDF file: every result, every step; spectra by their own files where those can give them again, to the bit.

A group ``/nodes/ID`` for each result.  Peaks, pairs, networks, explanations and comparisons lie in it as in the results of a run.  A map
lies in it as its history (with the path and the SHA-256 of its file), its flake and a fingerprint, and is made again from these when the
session is opened; its counts are written only where that could not be.
"""

import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai import io
from napari_wse2xai.data import Explanation, PairedMaps, Record, SpectralMap
from napari_wse2xai.data import history as histories
from napari_wse2xai.data.history import ABOUT_THE_FLAKE, History, mark_of
from napari_wse2xai.errors import DataError, DataWarning, ReaderError, UserError
from napari_wse2xai.io import netcdf
from napari_wse2xai.io.artefacts import KINDS, read_artefact, write_artefact
from napari_wse2xai.io.checksum import sha256
from napari_wse2xai.io.codec import put
from napari_wse2xai.io.hdf5 import numbers_of, texts_of
from napari_wse2xai.io.hdf_node import HdfNode
from napari_wse2xai.io.readers.netcdf import open_netcdf
from napari_wse2xai.ordinary import require_ordinary, shown
from napari_wse2xai.progress import Progress, part, silent
from napari_wse2xai.session.lineage import Artefact, mark_in
from napari_wse2xai.session.moments import Held
from napari_wse2xai.session.node import PREFIXES, Missing, Node
from napari_wse2xai.session.rerun import BY_NAME
from napari_wse2xai.session.session import Session
from napari_wse2xai.session.sources import is_readable, measured_by, read_again
from napari_wse2xai.stages import as_kept

NODES, MARK, VIEW = "nodes", "session", "view"
LAYOUT = 1
"""Version of the layout of the file."""
WHOLE, STEPS, NOTHING = "whole", "steps", "nothing"
"""What a group holds of its result: all of it; how its spectra are made again; only why it failed."""


def write_session(session: Session, path: str | Path, *, spectra: bool = False, view: Sequence[Mapping[str, Any]] = ()) -> None:
    """Write a session; the file appears complete or not at all.  See `Session.save`."""
    import h5netcdf

    whole = {id(each) for each in session.of_kind(SpectralMap) if spectra or not _can_be_made_again(each, session)}
    size = sum(_size_of(each, whole) for each in session) + netcdf.OVERHEAD
    with io.new_file(path, expected_bytes=size) as temporary, h5netcdf.File(temporary, "w") as file:
        file.attrs.update({"Conventions": netcdf.CONVENTIONS, "title": "Session of Raman and PL maps", MARK: LAYOUT})
        if view:
            put(file, VIEW, ("layer",), [json.dumps(dict(each), ensure_ascii=False) for each in view])
        for order, node in enumerate(session.nodes):
            _write_node(file.create_group(f"{NODES}/{node.id}"), node, session, order, whole)


def _size_of(artefact: Artefact, whole: set[int]) -> int:
    """About how many bytes a result takes."""
    if isinstance(artefact, SpectralMap) and id(artefact) not in whole:
        return netcdf.OVERHEAD
    return sum(int(getattr(value, "nbytes", 0)) for value in vars(artefact).values()) + netcdf.OVERHEAD


def _write_node(group: HdfNode, node: Node, session: Session, order: int, whole: set[int]) -> None:
    held = session.held(node.id)
    group.attrs["modality"] = node.modality
    told = {"order": order, "kind": PREFIXES[node.kind], "parents": json.dumps(node.parents), "state": str(node.state), "why": node.why}
    if isinstance(held, Missing):
        group.attrs["holds"] = NOTHING
        _write_missing(group, held)
    elif isinstance(held, SpectralMap):
        group.attrs["holds"] = WHOLE if id(held) in whole else STEPS
        _write_map(group, held, whole=id(held) in whole)
    else:
        group.attrs["holds"] = WHOLE
        _write_made(group, held, session)
    group.attrs.update(told)
    group.attrs.update({"title": held.name, "history": histories.to_json(held.history)})


def _write_missing(group: HdfNode, missing: Missing) -> None:
    group.attrs["fingerprint"] = missing.fingerprint
    if missing.flake is not None:
        group.dimensions["y"], group.dimensions["x"] = missing.flake.shape
        netcdf.write_flake(group, missing.flake)


def _write_map(group: HdfNode, source: SpectralMap, *, whole: bool) -> None:
    if whole:
        write_artefact(group, source)
    else:
        netcdf.write_frame(group, source.frame)
        netcdf.write_axis(group, source.axis)
        netcdf.write_texts(group, source)
    group.attrs["fingerprint"] = source.fingerprint
    if source.flake is not None:
        netcdf.write_flake(group, source.flake)


def _write_made(group: HdfNode, artefact: Artefact, session: Session) -> None:
    """Write what was fitted, paired, learnt or compared, and the ids of what it shares with others."""
    model = session.model_of(artefact) if isinstance(artefact, Explanation) else None
    raman = artefact.raman if isinstance(artefact, PairedMaps) else None
    inside = raman is not None and not any(raman is each for each in session)
    if model is not None:
        group.attrs["model"] = session.node(model).id
    if raman is not None and not inside:
        group.attrs["raman"] = session.node(raman).id
    write_artefact(group, artefact, known=None if model is None else model.samples, with_raman=inside)


def _can_be_made_again(source: SpectralMap, session: Session) -> bool:
    """Whether opening the session can give a map's spectra from its file or from a map that the session holds, to the bit."""
    marks = {mark_in(each) for each in session.of_kind(SpectralMap) if each is not source}
    *before, last = source.history or (None,)
    if last is None:
        return False
    if is_readable(last) and not before:
        return _is_there(last)
    known = last.step in (*BY_NAME, *ABOUT_THE_FLAKE, "load")
    return known and _is_given(tuple(before), last, marks)


def _is_given(history: History, after: Record, marks: set[str]) -> bool:
    """Whether the map of a history can be had when the session is opened; `after` is the step behind it."""
    if (mark_of(history) if history else next(iter(after.of), "")) in marks:
        return True
    if not history:
        return False
    *before, last = history
    if is_readable(last) and not before:
        return _is_there(last)
    return last.step in (*BY_NAME, "load") and _is_given(tuple(before), last, marks)


def _is_there(read: Record) -> bool:
    """Whether the very file that a map was read from still lies where it lay."""
    place = Path(str(read.settings.get("folder", ""))) / str(read.settings["file"])
    return place.exists() and sha256(place) == str(read.settings.get("sha256"))


def is_session(path: str | Path) -> bool:
    """Whether a file is one that `write_session` wrote."""
    import h5py

    source = Path(path).expanduser()
    if source.suffix.lower() != ".nc" or require_ordinary(source) is None or not h5py.is_hdf5(source):
        return False
    with open_netcdf(source) as file:
        return MARK in file.attrs and NODES in file


def view_in(path: str | Path) -> list[dict[str, Any]]:
    """What a window showed of a session when it was saved; empty where the file does not say."""
    source = Path(path).expanduser()
    with open_netcdf(source) as file:
        return [dict(json.loads(text)) for text in texts_of(file[VIEW])] if VIEW in file else []


def read_held(path: str | Path, progress: Progress = silent) -> dict[str, Held]:
    """Results in a file of a session, or of a run, by their ids."""
    source = Path(path).expanduser()
    if require_ordinary(source) is None or not source.is_file():
        raise ReaderError(f"'{shown(source)}' does not exist; give the file of a session, or the results.nc of a run.")
    if not is_session(source):
        return Session.of(*io.read_flakes(source).values()).all_held
    with open_netcdf(source) as file:
        _require_known(file, source)
        groups = sorted(file[NODES].items(), key=lambda item: _number(item[1], "order"))
        found: dict[str, Any] = {}
        for name, group in groups:
            found[name] = _read_node(group, found)
    return _with_spectra(found, source.parent, progress)


def _require_known(file: HdfNode, source: Path) -> None:
    if _number(file, MARK) > LAYOUT:
        raise ReaderError(f"'{source.name}' was written by a later version of napari-wse2xai; open it with that.")


def _number(group: HdfNode, name: str) -> int:
    return int(np.asarray(group.attrs[name]).reshape(-1)[0])


@dataclass(frozen=True, eq=False)
class _Steps:
    """A map that is to be made again."""

    name: str
    history: History
    flake: NDArray[np.bool_] | None
    fingerprint: str
    parents: tuple[str, ...]
    modality: str


def _read_node(group: HdfNode, found: Mapping[str, object]) -> Any:
    kind, holds = KINDS[netcdf.text_of(group.attrs, "kind")], netcdf.text_of(group.attrs, "holds")
    if holds == WHOLE:
        near: dict[str, Any] = {key: found.get(netcdf.text_of(group.attrs, key)) for key in ("raman", "model")}
        return read_artefact(group, kind, **near)
    told = {key: netcdf.text_of(group.attrs, key) for key in ("title", "fingerprint", "why", "modality")}
    history = histories.from_json(netcdf.text_of(group.attrs, "history"))
    parents = tuple(str(each) for each in json.loads(netcdf.text_of(group.attrs, "parents")))
    flake = numbers_of(group["flake"]).astype(bool) if "flake" in group else None
    if holds == STEPS:
        return _Steps(told["title"], history, flake, told["fingerprint"], parents, told["modality"])
    return Missing(told["title"], told["why"], history, parents, kind, flake, told["fingerprint"], told["modality"])


def _with_spectra(found: Mapping[str, Any], beside: Path, progress: Progress) -> dict[str, Held]:
    """All results, the maps that lie in the file as steps made again; one that cannot be had is missing, and says why."""
    held: dict[str, Held] = {}
    again = _Again({mark_in(each): each for each in found.values() if isinstance(each, SpectralMap)}, beside)
    count = sum(_is_wanted(each) for each in found.values())
    done = 0
    for name, each in found.items():
        if not _is_wanted(each):
            held[name] = each
            continue
        again.progress = part(progress, done / count, (done + 1) / count, each.name)
        held[name] = again.made(each)
        done += 1
    return held


def _is_wanted(held: object) -> bool:
    """Whether a result is to be made from its steps; one whose file was away may be back."""
    return isinstance(held, _Steps) or (isinstance(held, Missing) and bool(held.fingerprint))


class _Again:
    """Maps made again from their files and steps, each once."""

    def __init__(self, known: dict[str, SpectralMap], beside: Path) -> None:
        self._known, self._beside = known, beside
        self.progress: Progress = silent

    def made(self, wanted: _Steps | Missing) -> Held:
        """Map of a result, with the flake that it had; what is missing says why."""
        try:
            found = self._map(wanted.history, wanted.name, has_flake=wanted.flake is not None)
        except UserError as error:
            told = (wanted.flake, wanted.fingerprint, wanted.modality)
            return Missing(wanted.name, str(error), wanted.history, wanted.parents, SpectralMap, *told)
        found = replace(found, flake=wanted.flake, history=wanted.history)
        if found.fingerprint != wanted.fingerprint:
            version = wanted.history[-1].version
            words = f"'{wanted.name}': its spectra, made again from its file, are not quite those that version {version} made"
            warnings.warn(f"{words}; what was fitted to them stays as it was.", DataWarning, stacklevel=2)
        self._known[mark_of(wanted.history)] = found
        return found

    def _map(self, history: History, name: str, *, after: Record | None = None, has_flake: bool = False) -> SpectralMap:
        mark = mark_of(history) if history else next(iter(after.of if after is not None else ()), "")
        if mark in self._known:
            return self._known[mark]
        if not history:
            raise DataError(f"The map that '{name}' was made of is not in the file of the session; open it by hand.")
        *before, last = history
        if is_readable(last) and not before:
            return read_again(last, name, self._beside)
        below = self._map(tuple(before), name, after=last)
        if last.step in ABOUT_THE_FLAKE and has_flake:
            return below
        made = self._step(below, last)
        return replace(made, history=history)

    def _step(self, below: SpectralMap, record: Record) -> SpectralMap:
        if record.step not in BY_NAME:
            return measured_by(record, below)
        stage: Any = as_kept(BY_NAME[record.step], record)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)  # it was told when the step was done
            made: SpectralMap = stage(below, self.progress)
        return made

"""A map read again from the file that a history names, and only from that very file."""

from pathlib import Path

from napari_wse2xai.data import Record, SpectralMap
from napari_wse2xai.errors import DataError, ReaderError
from napari_wse2xai.io import read

_TOLD = ("unit", "overlap", "swap_xy")


def read_again(record: Record, name: str, *, beside: Path | None = None) -> SpectralMap:
    """Read what a record of ``read`` tells of; its history is that record, as if it had been read then.

    Parameters
    ----------
    name : of what needs it, for the sentence
    beside : a further folder to look in, after the one that the record names

    Raises
    ------
    ReaderError
        There is no such file, or it is another one now.
    """
    place = _place(record, beside)
    if place is None:
        folder = record.settings.get("folder", "")
        raise ReaderError(f"'{name}' needs '{record.settings['file']}', which is not in '{folder}' any more; put the file back there.")
    found = read(place, record.settings.get("item"), **{key: record.settings[key] for key in _TOLD if record.settings.get(key)})
    if found.history[-1].settings["sha256"] != record.settings.get("sha256"):
        raise ReaderError(
            f"'{name}' was made from '{place.name}', but '{place}' is another file now (its SHA-256 differs); put back the first."
        )
    return with_history(found, (record,))


def _place(record: Record, beside: Path | None) -> Path | None:
    file = str(record.settings.get("file", ""))
    folders = [Path(str(record.settings.get("folder", ""))), *([beside] if beside is not None else [])]
    return next((folder / file for folder in folders if file and (folder / file).exists()), None)


def is_readable(record: Record) -> bool:
    """Whether a record tells of a file."""
    return record.step == "read" and bool(record.settings.get("file"))


def with_history(source: SpectralMap, history: tuple[Record, ...]) -> SpectralMap:
    """The same map with another history."""
    from dataclasses import replace

    return replace(source, history=history)


def measured_by(record: Record, source: SpectralMap) -> SpectralMap:
    """Map as the user said of it when it was loaded: its laser."""
    from dataclasses import replace

    laser = record.settings.get("laser_nm")
    axis = source.axis if laser is None else replace(source.axis, laser_nm=float(laser))
    if record.step != "load":
        raise DataError(f"'{source.name}': the step '{record.step}' cannot be done again; run it by hand.")
    return replace(source, axis=axis).with_record(record)

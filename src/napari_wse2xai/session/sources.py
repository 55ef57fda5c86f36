"""A map read again from the file that a history names, and only from that very file."""

from dataclasses import replace
from pathlib import Path

from napari_wse2xai.data import Record, SpectralMap
from napari_wse2xai.data.history import SAID
from napari_wse2xai.errors import DataError, ReaderError
from napari_wse2xai.io import read, sha256


def read_again(record: Record, name: str, *beside: Path) -> SpectralMap:
    """Read what a record of ``read`` tells of; its history is that record, as if it had been read then.  See `file_of`."""
    told = {key: record.settings[key] for key in SAID if record.settings.get(key)}
    return replace(read(file_of(record, name, *beside), record.settings.get("item"), **told), history=(record,))


def file_of(record: Record, name: str, *beside: Path, first: Path | None = None) -> Path:
    """Place of the very file that a record of ``read`` tells of.

    Parameters
    ----------
    name : of what needs it, for the sentence
    beside : further folders to look in, after the one that the record names
    first : file to look at before all

    Raises
    ------
    ReaderError
        There is no such file, or it is another one now.
    """
    folders, file = (Path(str(record.settings.get("folder", ""))), *beside), str(record.settings["file"])
    places = [*([first] if first is not None else []), *(folder / file for folder in folders)]
    place = next((each for each in places if each.exists()), None)
    if place is None:
        raise ReaderError(f"'{name}' needs '{file}', which is not in '{folders[0]}' any more; put it back.")
    if sha256(place) != record.settings.get("sha256"):
        raise ReaderError(f"'{name}' was made from '{file}', but '{place}' is another file now (its SHA-256 differs); put back the first.")
    return place


def is_readable(record: Record) -> bool:
    """Whether a record tells of a file."""
    return record.step == "read" and bool(record.settings.get("file"))


def measured_by(record: Record, source: SpectralMap) -> SpectralMap:
    """Map as the user said of it when it was loaded: its laser."""
    laser = record.settings.get("laser_nm")
    axis = source.axis if laser is None else replace(source.axis, laser_nm=float(laser))
    if record.step != "load":
        raise DataError(f"'{source.name}': the step '{record.step}' cannot be done again; run it by hand.")
    return replace(source, axis=axis).with_record(record)

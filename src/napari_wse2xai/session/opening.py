"""Opening files: one way for the Load maps panel, drag-and-drop and the command line."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from napari_wse2xai._version import __version__
from napari_wse2xai.data import AxisKind, Medium, PeakMaps, Picture, Record, Results, SpectralMap
from napari_wse2xai.errors import DataError, DataWarning, ReaderError, UserError
from napari_wse2xai.io import FORMATS, Item, is_peaks_csv, is_results, list_items, pictures, read, read_flakes, read_peaks_csv
from napari_wse2xai.numerics.seams import Overlap
from napari_wse2xai.progress import Progress, silent
from napari_wse2xai.stages import ConvertAxis
from napari_wse2xai.stages.correct_response import Spectrum

RAMAN, PL = "RS", "PL"
_TEXTS = (".txt", ".csv", ".tsv", ".gz")
Opened = SpectralMap | Picture | Results | PeakMaps


@dataclass(frozen=True)
class ItemChoice:
    """One item of a file, and what the user says of it; None leaves it to the file."""

    path: Path
    item: Item
    measures: str | None = None
    """`RAMAN` or `PL`."""
    laser_nm: float | None = None
    unit: str | None = None
    """Unit of the spectral axis."""
    with_pictures: bool = True
    medium: Medium | None = None
    """Where wavelengths are measured, the laser's too."""
    overlap: Overlap | None = None
    """How the pieces of a stitched spectrum are joined."""
    swap_xy: bool = False


@dataclass(frozen=True)
class Listing:
    """What is in a file, or why it cannot be read."""

    path: Path
    items: tuple[Item, ...] = ()
    problem: str = ""


def listing_of(paths: Iterable[Path], progress: Progress = silent) -> list[Listing]:
    """List what is in some files; one that cannot be read keeps no other from being listed."""
    found, wanted = [], list(paths)
    for number, path in enumerate(wanted):
        progress(number / len(wanted), f"Looking into {path.name}")
        try:
            found.append(Listing(path, list_items(path)))
        except UserError as error:
            found.append(Listing(path, problem=str(error)))
    return found


def opened(choice: ItemChoice, progress: Progress = silent) -> list[Opened]:
    """Read a choice: its map, or its picture; the file's other pictures come first, so that they lie below."""
    progress(0.0, f"Reading {choice.path.name}")
    if is_peaks_csv(choice.path):
        return [read_peaks_csv(choice.path)]
    if not choice.item.is_spectra:
        return [_picture(choice)]
    source = read(choice.path, choice.item.name, unit=choice.unit, overlap=choice.overlap, swap_xy=choice.swap_xy)
    progress(0.7, "Reading pictures")
    below = _pictures_beside(choice.path) if choice.with_pictures else ()
    progress(0.9, "Converting the axis")
    return [*below, as_measured(source, choice.measures, choice.laser_nm, choice.medium)]


def _picture(choice: ItemChoice) -> Picture:
    found = {picture.name: picture for picture in pictures(choice.path)}
    if choice.item.name not in found:
        raise ReaderError(f"'{choice.item.name}' in '{choice.path.name}' cannot be shown: {choice.item.what}; choose another item.")
    return found[choice.item.name]


def as_measured(source: SpectralMap, measures: str | None, laser_nm: float | None, medium: Medium | None = None) -> SpectralMap:
    """Map with laser and medium as the user states, on an axis that suits what was measured: a shift, or wavelengths or energies."""
    told = {name: value for name, value in (("measures", measures), ("laser_nm", laser_nm)) if value is not None}
    if laser_nm is not None and laser_nm != source.axis.laser_nm:
        source = replace(source, axis=replace(source.axis, laser_nm=laser_nm))
    if told:
        source = source.with_record(Record("load", told, __version__))
    is_shift, unit = source.axis.kind is AxisKind.RAMAN_SHIFT, source.axis.kind.code
    if measures == PL and is_shift and source.axis.laser_nm is None:
        raise DataError(
            f"'{source.name}' is on a Raman shift and its file does not say the laser: enter the laser's wavelength, so that the axis can "
            "become an energy; or choose the axis unit, where it is no Raman shift."
        )
    target = "cm-1" if measures == RAMAN and not is_shift else "eV" if measures == PL and is_shift else unit
    if target == unit and medium in (None, source.axis.medium):
        return source
    return ConvertAxis(to=target, medium="as read" if medium is None else medium.value)(source)


def all_of(path: Path) -> list[Opened]:
    """Read a file that was dropped: the results of a run, peak maps, or its largest map with its pictures, or its pictures alone."""
    if is_results(path):
        return list(read_flakes(path).values())
    if is_peaks_csv(path):
        return [read_peaks_csv(path)]
    try:
        source = read(path)
    except UserError as error:
        below = _pictures_beside(path, told=False)
        if not below:
            raise
        warnings.warn(str(error), DataWarning, stacklevel=2)
        return [*below]
    return [*_pictures_beside(path), source]


def spectrum_in(path: str | Path) -> Spectrum:
    """Spectrum to correct a map with: two columns of text, or the mean of a measurement in any format that can be read.

    Raises
    ------
    ValueError
        With a sentence, where the file holds no spectrum.
    """
    place = Path(path)
    if place.suffix.lower() in _TEXTS or not any(known.matches(place) for known in FORMATS):
        return Spectrum.load(place)
    try:
        return Spectrum.from_map(read(place), str(place))
    except UserError as error:
        raise ValueError(str(error).rstrip(".")) from None


def _pictures_beside(path: Path, *, told: bool = True) -> tuple[Picture, ...]:
    """Pictures in the file of a map; a damaged one keeps no map from being opened."""
    try:
        return pictures(path)
    except UserError as error:
        if told:
            warnings.warn(str(error), DataWarning, stacklevel=2)
        return ()

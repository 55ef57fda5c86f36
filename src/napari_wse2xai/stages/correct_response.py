"""Take off the dark spectrum and divide by the instrument's response."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import AllowInfNan, BeforeValidator, Field, ValidationError, ValidationInfo, model_validator

from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.data.axis import convert_values
from napari_wse2xai.errors import DataError, UserError
from napari_wse2xai.ordinary import require_ordinary
from napari_wse2xai.progress import Progress
from napari_wse2xai.stages._bands import pixel_by_pixel
from napari_wse2xai.stages._screening import screened
from napari_wse2xai.stages._stage import KEPT, Settings, Stage, setting

_LARGEST_TEXT = 1 << 26
"""Bytes of a text with one spectrum, at most."""


class Spectrum(Settings):
    """A spectrum that belongs to the settings, so that recipe and history hold it whole; from a text file with two columns."""

    axis: tuple[Annotated[float, AllowInfNan()], ...] = Field(description="Axis values, rising.")
    values: tuple[Annotated[float, AllowInfNan()], ...] = Field(description="Values on the axis.")  # refused below, in words
    file: str = Field("", description="Where it was read from.")
    unit: Literal["", "nm", "cm-1", "eV"] = Field("", description="Unit of the axis, where the file says it.")

    @model_validator(mode="after")
    def _drawable(self) -> Self:
        if len(self.axis) != len(self.values) or len(self.axis) < 2:
            raise ValueError("a spectrum takes as many values as axis values, and at least two")
        if not np.isfinite([*self.values, *self.axis]).all() or not (np.diff(self.axis) > 0).all():
            raise ValueError("a spectrum takes finite values on a rising axis")
        return self

    @classmethod
    def load(cls, path: str | Path) -> "Spectrum":
        """Read the first two columns of a text file; lines that do not begin with two numbers are headings.

        Raises
        ------
        ValueError
            With a sentence, where the file holds no spectrum.
        """
        place = Path(path).expanduser()
        lines = _lines(place)
        rows = np.array([row for line in lines if (row := _two_numbers(line)) is not None]).reshape(-1, 2)
        if len(rows) < 2:
            raise ValueError(f"{place} holds no spectrum; give a text file with two columns, axis and value")
        axis, first = np.unique(rows[:, 0], return_index=True)
        try:
            return cls(axis=tuple(axis.tolist()), values=tuple(rows[first, 1].tolist()), file=str(place))
        except ValidationError as error:
            raise ValueError(f"{place}: {error.errors()[0]['msg'].removeprefix('Value error, ')}") from None

    @classmethod
    def from_map(cls, measured: SpectralMap, file: str = "") -> "Spectrum":
        """Mean spectrum of a measurement of any format that can be read, such as a white lamp's; a Raman shift becomes nm, if it can."""
        axis, kind = measured.axis, measured.axis.kind
        if kind is AxisKind.RAMAN_SHIFT and axis.laser_nm is not None:
            kind = AxisKind.WAVELENGTH
        values = convert_values(axis.values, axis.kind, kind, axis.laser_nm, axis.medium)
        mean = np.asarray(measured.counts[measured.measured].mean(axis=0), dtype=np.float64)
        order = np.argsort(values)
        return cls(axis=tuple(values[order].tolist()), values=tuple(mean[order].tolist()), file=file, unit=kind.unit)


def _lines(place: Path) -> list[str]:
    try:
        found = require_ordinary(place)
        if found is not None and found.st_size > _LARGEST_TEXT:
            raise ValueError(f"{place} is too large for a spectrum; give a text file with two columns, axis and value")
        return place.read_text(encoding="utf-8", errors="replace").splitlines()
    except UserError as error:
        raise ValueError(str(error).removesuffix(".")) from None
    except OSError as error:
        raise ValueError(f"the spectrum {place} cannot be read ({error.strerror}); correct the path") from None


def _two_numbers(line: str) -> tuple[float, float] | None:
    words = line.replace(";", " ").replace("\t", " ")
    fields = (words.replace(",", " ") if "." in words or ", " in words else words.replace(",", ".")).split()
    try:
        return float(fields[0]), float(fields[1])
    except (ValueError, IndexError):
        return None


def _loaded(value: Any, info: ValidationInfo) -> Any:
    """Spectrum from a file that the user names; a history holds its spectra whole, and opens no file."""
    if info.context == KEPT and isinstance(value, str | Path):
        raise ValueError("a history holds its spectra themselves, never the name of a file")
    return Spectrum.load(value) if isinstance(value, str | Path) else value


FromFile = Annotated[Spectrum, BeforeValidator(_loaded)]
"""A spectrum, or the path of a file that holds one."""


class CorrectResponse(Stage[SpectralMap, SpectralMap]):
    """Counts minus the dark spectrum, over the instrument's response with its mean set to 1.

    Notes
    -----
    The dark spectrum needs the map's exposure time.  The response is what the instrument makes of light that is equally bright at every
    channel: the spectrum of a white lamp, without its dark spectrum, over the light that the lamp gives.  A certificate in watts per
    nm wants a factor of the wavelength, since detectors count photons.  No spectrum is extrapolated.  Their noise is common to all pixels,
    so that averaging over pixels does not remove it: measure both long.  The noise of the map is divided with the counts.
    """

    title: ClassVar[str] = "Correct response"
    order: ClassVar[int] = 10

    dark: FromFile | None = setting(
        None, title="Dark spectrum", description="Text file with two columns, axis and counts without light; empty for none."
    )
    response: FromFile | None = setting(
        None,
        title="Response",
        description="Text file with two columns, axis and relative response or counts of a white lamp; empty for none.",
    )
    response_dark: FromFile | None = setting(
        None,
        title="Dark of the response",
        description="Dark spectrum of the white lamp's exposure time, taken off the response; empty for none.",
    )
    lamp: FromFile | None = setting(
        None,
        title="Light of the lamp",
        description="Certified spectrum of the lamp, photons per nm, where the response is the lamp as measured; empty for an even one.",
    )
    unit: Literal["as the map", "nm", "cm-1", "eV"] = setting(
        "as the map", title="Unit", description="Unit of the axis in the files, where it is another than the map's."
    )

    def run(self, source: SpectralMap, progress: Progress) -> SpectralMap:
        """Return the corrected map."""
        words = "correcting the response"
        progress(0.0, words)
        source = screened(source)
        if self.dark is None and self.response is None:
            raise DataError("There is neither a dark spectrum nor a response to correct with; give the file of one, or leave it out.")
        if self.response is None and (self.response_dark or self.lamp):
            raise DataError("There is a lamp, or its dark spectrum, but no response; give the file of the lamp as you measured it.")
        dark = np.float32(0) if self.dark is None else self._on_axis(self.dark, source, "dark spectrum").astype(np.float32)
        response = np.float32(1) if self.response is None else self._response(self.response, source)
        counts = pixel_by_pixel(source.counts, lambda some: (some - dark) / response, lambda done: progress(done, words))
        return replace(source, counts=counts)

    def _response(self, given: Spectrum, source: SpectralMap) -> NDArray[np.float32]:
        """(n,) response of mean 1."""
        values = self._on_axis(given, source, "response")
        if self.response_dark is not None:
            values = values - self._on_axis(self.response_dark, source, "dark spectrum of the response")
        _require_light(values, source, "response")
        if self.lamp is not None:
            light = self._on_axis(self.lamp, source, "lamp's spectrum")
            _require_light(light, source, "lamp's spectrum")
            values = values / light
        return np.asarray(values / values.mean(), dtype=np.float32)

    def _on_axis(self, given: Spectrum, source: SpectralMap, what: str) -> NDArray[np.float64]:
        return on_axis(given, source, given.unit or self.unit, what)


def on_axis(given: Spectrum, source: SpectralMap, unit: str, what: str) -> NDArray[np.float64]:
    """(n,) values of a spectrum at the channels of a map, by straight lines; it must cover them all but for half a channel."""
    axis = source.axis
    kind = axis.kind if unit == "as the map" else AxisKind.from_unit(unit)
    wanted = convert_values(axis.values, axis.kind, kind, axis.laser_nm, axis.medium)
    slack = 0.5 * float(np.median(np.abs(np.diff(wanted)))) if len(axis) > 1 else 0.0
    low, high = float(wanted.min()), float(wanted.max())
    if given.axis[0] > low + slack or given.axis[-1] < high - slack:
        raise DataError(
            f"The {what} covers {given.axis[0]:.5g} to {given.axis[-1]:.5g} {kind.unit}, but '{source.name}' was measured from "
            f"{low:.5g} to {high:.5g}; give one that covers the whole map, or correct its unit."
        )
    return np.asarray(np.interp(wanted, given.axis, given.values))


def _require_light(values: NDArray[np.float64], source: SpectralMap, what: str) -> None:
    """Refuse a spectrum to divide by that is dark somewhere."""
    if (values <= 0).any():
        where = source.axis.values[values <= 0][0]
        raise DataError(
            f"The {what} is not above zero at {where:.6g} {source.axis.unit}, so the light there is unknown; "
            "measure it again, or cut the map to where it is."
        )

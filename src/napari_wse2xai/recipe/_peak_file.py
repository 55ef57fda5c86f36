"""A list of peaks as a file of its own, to be kept and used in other recipes."""

from collections.abc import Sequence
from pathlib import Path

import yaml
from pydantic import ValidationError

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.recipe._messages import sentence
from napari_wse2xai.recipe._yaml import mapping_of, text_of
from napari_wse2xai.stages import Deconvolve, Peak

_HEAD = "# Peaks for napari-wse2xai: name this file as 'peaks:' in a recipe, or open it in the panel Deconvolve.\n"


def write_peaks(peaks: Sequence[Peak], path: str | Path) -> None:
    """Write peaks as YAML, what is usual left out; the file appears complete or not at all."""
    rows = [peak.model_dump(mode="json", exclude_defaults=True) for peak in peaks]
    text = yaml.safe_dump({"peaks": rows}, sort_keys=False, allow_unicode=True, width=1000, default_flow_style=None)
    place = Path(path).expanduser()
    part = place.with_name(f"{place.name}.part")
    try:
        part.write_text(_HEAD + text, encoding="utf-8")
        part.replace(place)
    except OSError as error:
        raise SettingsError(f"The peaks cannot be written to '{place}' ({error.strerror}); choose another place.") from error


def read_peaks(path: str | Path) -> tuple[Peak, ...]:
    """Read what `write_peaks` wrote, or the ``peaks:`` of any YAML that holds nothing else.

    Raises
    ------
    SettingsError
        With one sentence, where the file is none, or a peak in it is not valid.
    """
    place = Path(path).expanduser()
    data = mapping_of(text_of(place), place.name)
    if set(data) != {"peaks"} or not isinstance(data["peaks"], list):
        raise SettingsError(f"{place.name} is no list of peaks; it should hold the key 'peaks' with a list below, and nothing else.")
    try:
        return Deconvolve.model_validate({"peaks": data["peaks"]}).peaks
    except ValidationError as error:
        raise SettingsError(sentence(error, Deconvolve, place.name)) from error

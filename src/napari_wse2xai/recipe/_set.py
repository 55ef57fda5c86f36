"""Single settings of a recipe given as ``KEY=VALUE``."""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import yaml

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.recipe._model import MODALITIES, STEPS


def with_settings(data: dict[str, Any], given: Iterable[str]) -> dict[str, Any]:
    """Lay settings over what a recipe's YAML holds.

    Parameters
    ----------
    given : such as ``deconvolve.detection=8``, which holds for both maps, ``raman.despike=false``, ``train.seed=3``,
        ``raman.deconvolve.peaks.A1'.position=250``; values as in YAML
    """
    changed = deepcopy(data)
    for text in given:
        key, sign, value = text.partition("=")
        if not sign or not key.strip():
            raise SettingsError(f"'{text}' is no setting; write it as KEY=VALUE, such as deconvolve.detection=8.")
        parts = key.strip().split(".")
        places = [name for name in MODALITIES if isinstance(changed.get(name), dict)] if parts[0] in STEPS else [""]
        for modality in places:
            _lay(changed, [*filter(None, [modality]), *parts], _value(value, text), text)
    return changed


def _value(text: str, whole: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        raise SettingsError(f"'{whole}': what stands behind the sign is no value; put a text in quotes.") from None


def _lay(data: object, path: list[str], value: object, text: str) -> None:
    *before, last = path
    for name in before:
        data = _inside(data, name, text)
    if not isinstance(data, dict):
        raise SettingsError(f"'{text}': {'.'.join(before)} holds no settings; give a key that a recipe has.")
    if last == "kind" and data.get("kind") != value:
        data.clear()  # settings of another method are none of this one's
    data[last] = value


def _inside(data: object, name: str, text: str) -> Any:
    """What lies under a key; in a list under a number, or the name of its entry."""
    if isinstance(data, list):
        found = [each for index, each in enumerate(data) if name == str(index) or (isinstance(each, dict) and each.get("name") == name)]
        if not found:
            raise SettingsError(f"'{text}': there is no '{name}' in the list; give a name that is there, or its number from 0.")
        return found[0]
    if not isinstance(data, dict):
        raise SettingsError(f"'{text}': '{name}' lies in no settings; give a key that a recipe has.")
    if not isinstance(data.get(name), dict | list):
        data[name] = {}
    return data[name]

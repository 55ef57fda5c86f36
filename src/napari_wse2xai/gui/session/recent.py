"""Files that were opened lately, by whatever window."""

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import platformdirs

MOST = 8


def shelf() -> Path:
    """File that holds their names."""
    return platformdirs.user_state_path("napari-wse2xai", appauthor=False) / "recent.json"


def recent() -> list[Path]:
    """Files that were opened lately and are there, the last one first."""
    try:
        names = json.loads(shelf().read_text(encoding="utf-8"))
    except (OSError, ValueError):  # none was, or the file is not ours
        return []
    return [Path(name) for name in names if isinstance(name, str) and Path(name).exists()] if isinstance(names, list) else []


def note(paths: Iterable[Path]) -> None:
    """Remember files; where nothing may be written there, nothing is."""
    names = [str(path) for path in dict.fromkeys([*(path.resolve() for path in paths), *recent()])][:MOST]
    with suppress(OSError):
        shelf().parent.mkdir(parents=True, exist_ok=True)
        shelf().write_text(json.dumps(names), encoding="utf-8")

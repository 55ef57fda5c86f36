"""Only ordinary files are opened: a pipe would be waited for without end, a device is no measurement."""

import os
import stat
from pathlib import Path

from napari_wse2xai.errors import ReaderError, SettingsError, UserError

_OTHER_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_SHOWN = 80
"""Characters of a name that fit into a sentence."""


def shown(path: str | Path) -> str:
    """Name for a sentence: its beginning and end, where it is too long for one, and nothing that a terminal would obey."""
    text = "".join(sign if sign.isprintable() else "?" for sign in str(path))
    return text if len(text) <= 3 * _SHOWN else f"{text[:_SHOWN]}...{text[-_SHOWN:]} ({len(text):,} characters)"


def require_ordinary(path: Path, error: type[UserError] = ReaderError) -> os.stat_result | None:
    """Refuse what is neither a file nor a folder, and names that none can have, before it is opened.

    Parameters
    ----------
    error : class of the sentence

    Returns
    -------
    What the system knows of it; None where there is nothing of that name.
    """
    try:
        found = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValueError:
        raise error(f"'{shown(path)}' is no name of a file: it holds a character that none can have; correct it.") from None
    except OSError as problem:
        raise error(f"'{shown(path)}' cannot be looked at ({problem.strerror}); correct the name, or choose another file.") from problem
    kind = _OTHER_KINDS.get(stat.S_IFMT(found.st_mode))
    if kind is not None:
        raise error(f"'{shown(path)}' is {kind}, not a file; copy what it gives into a file, and choose that.")
    return found


def require_recipe(path: Path) -> os.stat_result:
    """Refuse a recipe that is not there: told before what runs it is loaded."""
    found = require_ordinary(path, SettingsError)
    if found is None:
        raise SettingsError(f"The recipe {shown(path)} does not exist; check its name and folder.")
    return found

"""What a run warns of: told to the user and kept for the report."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from napari_wse2xai.errors import DataWarning


@contextmanager
def noting_warnings(*, told: bool = True) -> Iterator[list[str]]:
    """Collect what the user is told about the data, for the report.

    Parameters
    ----------
    told : also tell it here and now, as ever
    """
    noted: list[str] = []
    with warnings.catch_warnings():
        show = warnings.showwarning
        if not told:
            warnings.simplefilter("always", DataWarning)

        def note(
            message: Warning | str, category: type[Warning], filename: str, lineno: int, file: TextIO | None = None, line: str | None = None
        ) -> None:
            about_data = issubclass(category, DataWarning)
            if about_data:
                noted.append(str(message))
            if told or not about_data:
                show(message, category, filename, lineno, file, line)

        warnings.showwarning = note
        yield noted

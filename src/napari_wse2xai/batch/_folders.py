"""Folders that results are written to: looked at before any work, and taken away where nothing came to lie in them."""

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from napari_wse2xai import io, report
from napari_wse2xai.errors import UserError

RESULTS, REPORT = "results.nc", "report.html"
TABLES_AND_CARD = ("paired.csv", "scores.csv", "ranking.csv", "pdp.csv", "slopes.csv", "card.html", "card.pdf")
OF_EARLIER = (*TABLES_AND_CARD, *(f"figures/{part}_*.{kind}" for part in report.PARTS for kind in ("png", "svg")))
"""What an earlier run may have left in the folder and this one not made: its card and figures beside other results would mislead."""
PRODUCTS = (RESULTS, REPORT, *TABLES_AND_CARD, io.UNFINISHED)
"""Files that may come to lie in an output folder, beside figures."""


def home_of(*parts: str) -> str:
    """Folder of one of several within that of the series."""
    return "/".join(re.sub(r"[^\w.+-]+", "_", part).strip("._") or "_" for part in parts)


@contextmanager
def writable(folder: Path, homes: Sequence[str] = ()) -> Iterator[None]:
    """Make sure of the output folder, and those in it, before any computing; take it away again where nothing came to lie in it."""
    for home in ("", *homes):
        drawn = [place for place in folder.glob(f"{home or '.'}/figures/*") if place.suffix in (".png", ".svg")]
        io.require_room(folder / home, [*PRODUCTS, *(f"figures/{place.name}" for place in drawn)], ["figures"])
    io.require_room(folder, [], homes)
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(f"The output folder '{folder}' cannot be written ({error.strerror}); choose another one.") from error
    try:
        yield
    finally:
        with suppress(OSError):  # not empty: something was delivered
            for place in missing:
                place.rmdir()

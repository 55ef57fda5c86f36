"""Save finding card: the page that a run writes about an explanation, from the window."""

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_wse2xai import io
from napari_wse2xai.data import Explanation, TrainedModel
from napari_wse2xai.errors import DataError

TITLE, NAME, PATTERN = "Save finding card…", "card.pdf", "Finding card (*.pdf *.html)"
"""Words of the button, and what the dialog offers."""
TIP = "Verdict, ranking with errors, curves, maps, what a simulation found, settings and seeds on one page, as PDF or HTML."


def write_card(explanation: Explanation, model: TrainedModel | None, path: Path, *, theory: Sequence[str] = ()) -> None:
    """Write the finding card as PDF or HTML, as the path ends; the file appears complete or not at all."""
    from napari_wse2xai import report

    if model is None:
        raise DataError(
            "A finding card needs the trained model too, and it is not in the window; open the results.nc that holds both, or train again."
        )
    QApplication.setOverrideCursor(Qt.CursorShape.WaitCursor)
    try:
        with io.new_file(path) as place:
            place.write_bytes(report.card_as(path.suffix, model, explanation, title=", ".join(model.samples.names), theory=theory))
    finally:
        QApplication.restoreOverrideCursor()

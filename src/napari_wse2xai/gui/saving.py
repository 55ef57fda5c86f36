"""Save what lies in the window: an afternoon of work must not be lost."""

from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_wse2xai import io
from napari_wse2xai.data import AxisKind, PeakMaps, Results, SpectralMap
from napari_wse2xai.gui import stock
from napari_wse2xai.gui.run import Runner
from napari_wse2xai.gui.voice import BAD, Voice


class SaveButtons(QWidget):
    """Two buttons: all results as one NetCDF file, and the peaks as a table for a spreadsheet."""

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.runner = Runner(self)
        self._note = ""  # what a user should know of what was saved
        self.results_button, self.table_button = QPushButton("Save results…"), QPushButton("Save peaks as CSV…")
        self.message = Voice(viewer)
        self.results_button.setToolTip("Maps, flakes and peaks in one NetCDF file, which opens here again and in Python, MATLAB or Origin.")
        self.table_button.setToolTip("One line per pixel: its place, and each peak's position, FWHM and height with their errors.")
        buttons = QHBoxLayout()
        for button in (self.results_button, self.table_button):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 0, 6, 6)
        layout.addLayout(buttons)
        layout.addWidget(self.message)
        self.results_button.clicked.connect(lambda: self._ask("results.nc", "NetCDF (*.nc)", self.save_results))
        self.table_button.clicked.connect(lambda: self._ask("peaks.csv", "Table (*.csv)", self.save_table))
        self.runner.finished.connect(lambda path: self.message.say(f"Saved {path}.{self._note}"))
        self.runner.failed.connect(lambda text: self.message.say(text, BAD))

    def _ask(self, name: str, pattern: str, save: Any) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save", name, pattern)
        if path:
            save(Path(path))

    def save_results(self, path: Path) -> None:
        """Write the newest peaks of each modality with their maps and the pair of them; without peaks, the newest maps."""
        results = results_in(self.viewer)
        outdated = results.paired is None and bool(stock.paired_maps(self.viewer))
        self._note = " The pair is of older RS peaks and was left out; pair again to save it." if outdated else ""
        self._run(results.maps or results.peaks or results.model, path, lambda: io.write_results(results, path))

    def save_table(self, path: Path) -> None:
        """Write the newest peaks as a table; those of a second modality beside them, its name appended."""
        peaks = results_in(self.viewer).peaks
        self._note = ""

        def write() -> None:
            for index, (modality, maps) in enumerate(peaks.items()):
                io.write_peaks_csv(maps, path if index == 0 else path.with_stem(f"{path.stem}_{modality}"))

        self._run(peaks, path, write)

    def _run(self, anything: Any, path: Path, write: Any) -> None:
        if not anything:
            self.message.say("There is nothing to save yet; open a map or run the deconvolution first.")
            return

        def work(progress: Any) -> Path:
            write()
            return path

        self.runner.start(work, f"saving {path.name}")


def results_in(viewer: Any) -> Results:
    """Newest peaks of each modality in a window with the maps that they were fitted to, or the newest maps; the pair of these RS peaks.

    Also the newest model, explanation and comparison with theory.
    """
    maps: dict[str, SpectralMap] = {}
    peaks: dict[str, PeakMaps] = {}
    for source in (stock.map_of(layer) for layer in stock.map_layers(viewer)):
        maps[_modality(source)] = stock.with_edited_flake(viewer, source)
    for found in stock.all_peaks(viewer):
        peaks[_modality(found)] = found
    fitting = [paired for paired in stock.paired_maps(viewer) if paired.raman is peaks.get("raman")]
    model, explanation = (_newest(learnt(viewer)) for learnt in (stock.models, stock.explanations))
    theory = _newest(stock.theories(viewer))
    return Results(maps, peaks, paired=_newest(fitting), model=model, explanation=explanation, theory=theory)


def _newest(artefacts: list[Any]) -> Any | None:
    return artefacts[-1] if artefacts else None


def _modality(artefact: SpectralMap | PeakMaps) -> str:
    return "raman" if artefact.axis.kind is AxisKind.RAMAN_SHIFT else "pl"

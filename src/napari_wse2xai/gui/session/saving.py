"""Save what lies in the window: an afternoon of work must not be lost."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from napari import Viewer
from qtpy.QtWidgets import QFileDialog, QGridLayout, QPushButton, QVBoxLayout, QWidget

from napari_wse2xai import io
from napari_wse2xai.data import PeakMaps, Results
from napari_wse2xai.errors import UserError, counted
from napari_wse2xai.gui.parts.asking import ask_where
from napari_wse2xai.gui.parts.export import ExportButton
from napari_wse2xai.gui.parts.message_label import BAD, MessageLabel
from napari_wse2xai.gui.parts.run import Runner
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.session.layer_picture import LayerPicture
from napari_wse2xai.progress import Progress, part
from napari_wse2xai.recipe import recipe_of, schema_line
from napari_wse2xai.session import named_results


class SaveButtons(QWidget):
    """Two buttons: all results as one NetCDF file, and the peaks as a table for a spreadsheet."""

    def __init__(self, viewer: Viewer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.runner = Runner(self)
        self._note = ""  # what a user should know of what was saved
        self.results_button, self.table_button = QPushButton("Save results…"), QPushButton("Save peaks as CSV…")
        self.recipe_button, self.report_button = QPushButton("Save recipe…"), QPushButton("Save report…")
        self.layer_button = ExportButton(LayerPicture(viewer), words="Save layer as…")
        self.message = MessageLabel(viewer)
        self._tell()
        self._arrange()
        self.results_button.clicked.connect(lambda: ask_where(self, "results.nc", "NetCDF (*.nc)", self.save_results))
        self.table_button.clicked.connect(lambda: ask_where(self, "peaks.csv", "Table (*.csv)", self.save_table))
        self.recipe_button.clicked.connect(lambda: ask_where(self, "recipe.yaml", "Recipe (*.yaml)", self.save_recipe))
        self.report_button.clicked.connect(self._ask_folder)
        self.runner.finished.connect(lambda path: self.message.say(f"Saved {path}.{self._note}"))
        self.runner.failed.connect(lambda text: self.message.say(text, BAD))

    def _tell(self) -> None:
        self.results_button.setToolTip("Maps, flakes and peaks in one NetCDF file, which opens here again and in Python, MATLAB or Origin.")
        self.table_button.setToolTip("One line per pixel: its place, and each peak's position, FWHM and height with their errors.")
        self.recipe_button.setToolTip("What was done, as a recipe that runs without a window: napari-wse2xai run recipe.yaml --output DIR.")
        self.report_button.setToolTip(
            "Report with figures, tables, results, and the finding card of an explanation: a folder as a run leaves it."
        )
        self.layer_button.setToolTip(
            "The layer selected in napari's list, with axes in µm and colour bar: SVG, PDF, PNG with 300 dpi, CSV."
        )

    def _arrange(self) -> None:
        self.layer_button.setSizePolicy(self.results_button.sizePolicy())
        buttons = QGridLayout()
        for place, button in enumerate((self.results_button, self.recipe_button, self.table_button, self.report_button, self.layer_button)):
            buttons.addWidget(button, place // 2, place % 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 0, 6, 6)
        layout.addLayout(buttons)
        layout.addWidget(self.message)

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder for the report")
        if folder:
            self.save_report(Path(folder))

    def save_report(self, folder: Path) -> None:
        """Write what a run would leave of each flake: the first into the folder, the others into folders of their names there."""
        flakes = results_in(self.viewer)
        self._note = " Open report.html in a browser."

        def write(progress: Progress) -> None:
            from napari_wse2xai.batch import Story, deliver

            for number, (name, each) in enumerate(flakes.items()):
                place = folder / safe(name) if number else folder
                deliver(each, place, Story(name), part(progress, number / len(flakes), (number + 1) / len(flakes), name))

        self._run(flakes, folder, write)

    def save_results(self, path: Path) -> None:
        """Write what there is of every flake: what went furthest as the results of a run, the others beside it in the same file."""
        flakes = results_in(self.viewer)
        self._note = saved_words(self.viewer, flakes)
        self._run(flakes, path, lambda _: write_flakes(flakes, path))

    def save_table(self, path: Path) -> None:
        """Write all peaks as tables: the first under the name, the others beside it, flake and modality appended."""
        flakes = results_in(self.viewer)
        tables = dict(_tables(flakes, path))
        self._note = f" {len(tables)} tables, one for each deconvolution." if len(tables) > 1 else ""

        def write(progress: Progress) -> None:
            for place, peaks in tables.items():
                io.write_peaks_csv(peaks, place)

        self._run(tables, path, write)

    def save_recipe(self, path: Path) -> None:
        """Write the recipe of each flake: the first under the name, the others beside it, the flake appended."""
        flakes = results_in(self.viewer)
        self._note = ""

        def write(progress: Progress) -> None:
            texts = {_beside(path, name if number else ""): recipe_of(each) for number, (name, each) in enumerate(flakes.items())}
            for place, text in texts.items():
                with io.new_file(place) as temporary:
                    temporary.write_text(schema_line() + text, encoding="utf-8")

        self._run(flakes, path, write)

    def _run(self, anything: object, path: Path, write: Callable[[Progress], object]) -> None:
        if not anything:
            self.message.say("There is nothing to save yet; open a map or run the deconvolution first.")
            return

        def work(progress: Progress) -> Path:
            write(progress)
            return path

        self.runner.start(work, f"saving {path.name}")


def write_flakes(flakes: Mapping[str, Results], path: Path) -> None:
    """Write the results of some flakes into one file, the first as those of a run."""
    first, *others = flakes
    io.write_results(flakes[first], path, {name: flakes[name] for name in others})


def _tables(flakes: Mapping[str, Results], path: Path) -> Iterator[tuple[Path, PeakMaps]]:
    """Where the peaks of each flake and modality go."""
    for number, (name, results) in enumerate(flakes.items()):
        for index, (modality, peaks) in enumerate(results.peaks.items()):
            yield _beside(path, name if number else "", modality if index else ""), peaks


def _beside(path: Path, *further: str) -> Path:
    """A path with words appended to its name, those that are not empty."""
    return path.with_stem("_".join([path.stem, *(safe(words) for words in further if words)]))


def safe(name: str) -> str:
    """Name in letters that files may have."""
    return re.sub(r"[^\w.-]+", "_", name)


def results_in(viewer: Viewer) -> dict[str, Results]:
    """Results of every flake in a window by its name, what went furthest first, with the flakes as they are drawn now."""
    named = named_results(contents.session(viewer))
    maps = {name: {key: contents.with_edited_flake(viewer, source) for key, source in each.maps.items()} for name, each in named.items()}
    return {name: replace(each, maps=maps[name], recipe=_recipe(each)) for name, each in named.items()}


def _recipe(results: Results) -> str:
    """Recipe of results, to lie in their file; empty where there can be none."""
    with suppress(UserError):
        return recipe_of(results)
    return ""


def saved_words(viewer: Viewer, flakes: Mapping[str, Results]) -> str:
    """What lies in a file of results beside one flake, and what was left out, in words; empty for one flake that is kept whole."""
    kept = {id(peaks) for each in flakes.values() for peaks in each.peaks.values()}
    replaced = sum(id(peaks) not in kept for peaks in contents.all_peaks(viewer))
    several = f" {len(flakes)} flakes: {', '.join(flakes)}." if len(flakes) > 1 else ""
    return several + (f" Left out: {counted(replaced, 'deconvolution')} that a later run took the place of." if replaced else "")

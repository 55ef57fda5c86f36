"""The Explain panel: what the network makes of each RS parameter, as curves and as maps that know of each other."""

from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from napari import Viewer
from qtpy.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from napari_wse2xai import io
from napari_wse2xai.data import Explanation, Recovery, Results, TrainedModel
from napari_wse2xai.errors import SettingsError
from napari_wse2xai.gui.explain import finding_card
from napari_wse2xai.gui.explain.canvas import ExplainCanvas
from napari_wse2xai.gui.explain.pixel_curves import PixelCurves
from napari_wse2xai.gui.explain.recovery import RecoveryTest
from napari_wse2xai.gui.explain.regions import RegionsView
from napari_wse2xai.gui.explain.result import ExplainResult
from napari_wse2xai.gui.explain.two_parameters import TwoParameterView
from napari_wse2xai.gui.explain.wavenumbers import WavenumberView
from napari_wse2xai.gui.parts.asking import save_where_asked
from napari_wse2xai.gui.parts.call_queue import CallQueue
from napari_wse2xai.gui.parts.docked import Scrolled, plain
from napari_wse2xai.gui.parts.form import Form
from napari_wse2xai.gui.parts.guarded import ComboBox
from napari_wse2xai.gui.parts.message_label import BAD, QUIET, MessageLabel
from napari_wse2xai.gui.session import contents
from napari_wse2xai.gui.session.follows_session import FollowsSession
from napari_wse2xai.gui.session.outdated import Outdated
from napari_wse2xai.gui.session.step_row import StepRow
from napari_wse2xai.io.learnt_csv import write_pdp_csv, write_slopes_csv
from napari_wse2xai.layers import beside_layers, to_layers
from napari_wse2xai.progress import Progress
from napari_wse2xai.session import among
from napari_wse2xai.stages import Explain

MISSING = "Train a network first; every model in the window is listed here."
_PICTURES = "Picture (*.png *.svg *.pdf)"
_SAVES = {
    "plot": ("Save plot…", "explanation.png", _PICTURES),
    "netcdf": ("Save as NetCDF…", "explanation.nc", "NetCDF (*.nc)"),
    "curves": ("Save curves as CSV…", "curves.csv", "Table (*.csv)"),
    "slopes": ("Save slopes as CSV…", "slopes.csv", "Table (*.csv)"),
    "card": (finding_card.TITLE, finding_card.NAME, finding_card.PATTERN),
}
_TIPS = {
    "plot": "All that is seen in the chosen tab, as PNG, SVG or PDF.",
    "netcdf": "Model and explanation in one file, which opens here again.",
    "curves": "Mean curves of every parameter, in its unit and that of the target.",
    "slopes": "Slope of every parameter at every pixel, with its place in µm.",
}


class ExplainPanel(FollowsSession):
    """Explain a model; hover the flake, pick curves, paint a region, click a parameter: each shows the other."""

    def __init__(self, napari_viewer: Viewer, parent: QWidget | None = None) -> None:
        napari_viewer = plain(napari_viewer)
        super().__init__(napari_viewer, parent)
        self.models, self.form = ComboBox(), Form(Explain)
        self.work = StepRow(napari_viewer, "Explain")
        self.warning, self.anyway_button = MessageLabel(napari_viewer), QPushButton("Explain anyway, with a stamp on everything")
        self.which, self.result = ComboBox(), ExplainResult()
        self.only_sure, self.beside = QCheckBox("only where sure"), QCheckBox("RS and PL beside it")
        self.paint_button, self.clear_button = QPushButton("Paint a region"), QPushButton("Clear")
        self.draw_button = QPushButton("Draw a region")
        self.save_buttons = {key: QPushButton(title) for key, (title, _, _) in _SAVES.items()}
        self.saved, self.outdated = MessageLabel(napari_viewer), Outdated(napari_viewer)
        self.canvas, self.recovery_test = ExplainCanvas(napari_viewer, self), RecoveryTest(napari_viewer)
        self.pairs = TwoParameterView(napari_viewer, self.result.ice)
        self.regions = RegionsView(napari_viewer, self.result.ice, self.canvas)
        self.wavenumbers = WavenumberView(napari_viewer)
        self.pixels: PixelCurves | None = None
        self.queue, self.below = CallQueue(self), QWidget()
        self._prepare()
        self._arrange()
        self._connect()
        self.set_listening(True)
        self.refresh()

    def _prepare(self) -> None:
        for box in (self.models, self.which):
            box.setSizeAdjustPolicy(ComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.models.setToolTip("Model that is explained")
        self.which.setToolTip("Which explanation in the window")
        self.only_sure.setChecked(True)
        self.only_sure.setToolTip("Leave out where the slope is within two standard deviations of zero, or leaves the data.")
        self.beside.setChecked(True)
        self.beside.setToolTip("The paper's Figure 3: RS image, slope image, PL image.")
        self.paint_button.setToolTip("Paint with the brush on the flake: the curves of those pixels stand out.")
        self.draw_button.setToolTip(
            "Draw round pixels on any flake, as often as you like, with any tool for shapes: their curves stand out."
        )
        self.anyway_button.setVisible(False)
        self.warning.setVisible(False)
        for key, tip in (_TIPS | {"card": finding_card.TIP}).items():
            self.save_buttons[key].setToolTip(tip)
        self.clear_button.setToolTip("Forget the region and the picked curves.")
        self.anyway_button.setToolTip("The verdict says: do not interpret. Every picture of it will say so.")

    def _arrange(self) -> None:
        shown, region, saving = QHBoxLayout(), QHBoxLayout(), QGridLayout()
        for tick in (self.only_sure, self.beside):
            shown.addWidget(tick)
        for button in (self.paint_button, self.draw_button, self.clear_button):
            region.addWidget(button)
        for index, button in enumerate(self.save_buttons.values()):
            saving.addWidget(button, index // 2, index % 2)
        saving.addWidget(self.saved, saving.rowCount(), 0, 1, 2)
        below = QVBoxLayout(self.below)
        below.setContentsMargins(0, 0, 0, 0)
        for row in (shown, region, saving):
            below.addLayout(row)
        below.addWidget(self.recovery_test)
        for part in (self.pairs, self.regions, self.wavenumbers):
            self.result.add_below_curves(part)
        self._stack()

    def _stack(self) -> None:
        """Put what chooses and explains above what is shown."""
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 2, 6, 8)
        for part in (
            self.models,
            self.form,
            self.work,
            self.warning,
            self.anyway_button,
            self.which,
            self.outdated,
            self.result,
            self.below,
        ):
            column.addWidget(part)
        column.addStretch()

    def _connect(self) -> None:
        self.models.currentIndexChanged.connect(lambda _: self._on_model())
        self.form.changed.connect(self._check)
        self.work.begin_button.clicked.connect(self.explain)
        self.anyway_button.clicked.connect(self.explain_anyway)
        self.work.gave.connect(self._on_explained)
        self.work.told.connect(self.told)
        self.which.currentIndexChanged.connect(lambda _: self._show_chosen())
        self.recovery_test.work.gave.connect(self._keep_scores)
        self.result.chosen.connect(lambda _: self._on_feature())
        for tick in (self.only_sure, self.beside):
            tick.toggled.connect(lambda _: self.show_map())
        self.result.ice.lassoed.connect(self._on_lasso)
        self.canvas.painted.connect(self._on_painted)
        self.paint_button.clicked.connect(self.canvas.begin_region)
        self.draw_button.clicked.connect(self.canvas.begin_shape)
        self.clear_button.clicked.connect(self.clear_region)
        for key, button in self.save_buttons.items():
            button.clicked.connect(partial(self._ask, key))

    def refresh(self) -> None:
        """List the models and explanations in the window, the newest chosen where one came."""
        self.models.put_results(contents.models(self.viewer), lambda model: f"{model.name}: {', '.join(model.samples.target_names)}")
        self.which.put_results(contents.explanations(self.viewer), lambda one: f"{one.name}: PL {one.target}")
        self.which.setVisible(self.which.count() > 1)
        self._show_chosen()
        self._on_model()

    def _on_model(self) -> None:
        """Name a target that the model has learnt."""
        model = self.models.currentData()
        with suppress(ValueError):  # half typed settings stay as they are
            settings = self.form.value()
            if isinstance(model, TrainedModel) and settings.target not in model.samples.target_names:  # type: ignore[attr-defined]
                self.form.put(settings.model_copy(update={"target": model.samples.target_names[0]}))
        self._check()

    def explain(self) -> None:
        """Begin with the settings as shown; under 'do not interpret' ask first."""
        model = self.models.currentData()
        settings = self.form.value()
        if model is None or self.work.runner.busy or not isinstance(settings, Explain):
            return
        refusal = settings.refusal(model)
        self._ask_first(refusal)
        if refusal:
            return

        def work(report: Progress) -> Explanation:
            return settings(model, report)

        self.work.begin_step(settings, [model], work, f"Explain: {model.name}", "Loading PyTorch…")

    def explain_anyway(self) -> None:
        """What the user confirmed: explain, stamped."""
        settings = self.form.value()
        self.form.put(settings.model_copy(update={"anyway": True}))
        self.explain()

    def _ask_first(self, refusal: str) -> None:
        """Ask, in the panel, whether a model that must not be interpreted is to be explained all the same; empty: ask nothing."""
        self.warning.say(refusal, BAD)
        for part in (self.warning, self.anyway_button):
            part.setVisible(bool(refusal))

    def _on_explained(self, explanation: Explanation) -> None:
        """Put slopes, RS and PL on the canvas, alone."""
        contents.session(self.viewer).add(explanation)
        self.queue.do(contents.coming(self.viewer, to_layers(explanation)))
        self._put_on_canvas(explanation)
        self.queue.do([partial(self.ran.emit, explanation)])

    def _put_on_canvas(self, explanation: Explanation) -> None:
        """Of an explanation whose layers are there show slopes, RS and PL, alone."""
        beside = beside_layers(explanation, explanation.ranking[0]) if self.beside.isChecked() else []
        self.queue.do([self.refresh, self.canvas.show_alone])
        self.queue.do(contents.coming(self.viewer, beside))
        self.queue.do([self.show_map, self.viewer.reset_view])

    def show_newest(self) -> bool:
        """Show the newest explanation as after a run; False where there is none in the window."""
        found = contents.explanations(self.viewer)
        if found:
            self._put_on_canvas(found[-1])
        return bool(found)

    def _show_chosen(self) -> None:
        """Show the chosen explanation; of one that is shown, notice that its model has come."""
        explanation = self.which.currentData()
        self.below.setVisible(explanation is not None)
        self.outdated.about(explanation)
        model = None if explanation is None else contents.session(self.viewer).model_of(explanation)
        if explanation is not self.canvas.explanation:
            self.canvas.explanation = explanation
            self.result.show_explanation(explanation)
        elif self.pixels is None or self.pixels.model is not None or model is None:
            return
        self._stand_by(explanation, model)

    def _keep_scores(self, recovery: Recovery) -> None:
        """Let the session hold the explanation with its scores, so that they are saved with it; what is shown of it stays as it is."""
        former = self.recovery_test.tried
        if former is None or not among(former, contents.session(self.viewer).artefacts):
            return
        now = replace(former, recovery=recovery)
        if self.canvas.explanation is former:
            self.canvas.explanation = self.result.explanation = self.recovery_test.explanation = now
        contents.session(self.viewer).exchange([(former, now)], "Simulate my flake")

    def _stand_by(self, explanation: Explanation | None, model: TrainedModel | None) -> None:
        """Let all that asks the network stand by for an explanation, and for its model where that is in the window."""
        if self.pixels is not None:
            self.pixels.loader.cancel()
            self.pixels.deleteLater()
            self.pixels = None  # napari handles events while the new one begins to load
        self.pixels = None if explanation is None else PixelCurves(explanation, model, self)
        self.recovery_test.take(explanation, model)
        for part in (self.pairs, self.regions, self.wavenumbers):
            part.stand_by(self.pixels)
        self._tell_feature()

    def _on_feature(self) -> None:
        self.show_map()
        self._tell_feature()

    def _tell_feature(self) -> None:
        """Let what is shown of one parameter be that of the chosen one."""
        for part in (self.pairs, self.regions):
            part.show_feature(self.result.feature)

    def show_map(self) -> None:
        """Put the slope map of the chosen parameter on the canvas."""
        self.canvas.show_feature(self.result.feature, only_sure=self.only_sure.isChecked(), beside=self.beside.isChecked())

    def follow(self, viewer: Viewer, event: Any) -> None:
        """Let the curve of the pixel under the mouse stand out."""
        place = None if self.pixels is None else self.canvas.pixel_under(event.position)
        row = None if place is None or self.pixels is None else self.pixels.row(*place)
        if row is None or self.pixels is None:
            self.result.ice.hover(None)
        else:
            self.result.ice.hover(*self.pixels.curve(row, self.result.feature))

    def _on_lasso(self, chosen: Any) -> None:
        """Show on the flake where the picked curves are."""
        if self.pixels is not None:
            flakes = range(len(self.pixels.explanation.samples.frames))
            self.canvas.hide_shapes()
            self.canvas.put_regions([self.pixels.spread(chosen, flake) for flake in flakes])

    def _on_painted(self) -> None:
        """Let the curves of the painted region stand out."""
        if self.pixels is not None:
            self.result.ice.pick(self.pixels.within(self.canvas.regions()))

    def clear_region(self) -> None:
        """Forget the region and the picked curves."""
        if self.pixels is not None:
            self.canvas.clear_shapes()
            self.canvas.put_regions([region.astype("uint8") * 0 for region in self.canvas.regions()])
            self._on_painted()

    def _check(self) -> None:
        """Allow Explain where settings and choice are valid; else say why not."""
        self._ask_first("")
        self.work.object_with(self._objection())

    def _objection(self) -> tuple[str, str] | None:
        model = self.models.currentData()
        if not isinstance(model, TrainedModel):
            return MISSING, QUIET
        try:
            settings = self.form.value()
            assert isinstance(settings, Explain)
            settings.named(model)
        except (ValueError, SettingsError) as error:
            return str(error), BAD
        return None

    def _ask(self, key: str) -> None:
        _, name, pattern = _SAVES[key]
        save_where_asked(self, name, pattern, partial(self.save, key), self.saved)

    def save(self, key: str, path: Path) -> None:
        """Write plot, curves, slopes, the finding card, or all as NetCDF."""
        if self.result.explanation is None:
            return
        explanation, model = (
            self.recovery_test.with_scores(self.result.explanation),
            contents.session(self.viewer).model_of(self.result.explanation),
        )
        if key == "plot":
            with io.new_file(path) as temporary:
                self.result.page().savefig(temporary, format=path.suffix.lstrip("."), dpi=200)
        elif key == "netcdf":
            io.write_results(Results({}, model=model, explanation=explanation), path)
        elif key == "card":
            finding_card.write_card(explanation, model, path, theory=contents.evidence_for(self.viewer, self.result.explanation))
        else:
            (write_pdp_csv if key == "curves" else write_slopes_csv)(explanation, path)
        self.saved.say(f"Saved {path}.")

    def listen(self) -> None:
        """Hear of the mouse and of layers that come and go."""
        self.viewer.mouse_move_callbacks.append(self.follow)
        super().listen()

    def let_go(self) -> None:
        """Hear of nothing more, and stop what runs."""
        self.queue.forget()
        self.work.runner.cancel()
        self.recovery_test.work.runner.cancel()
        self.pairs.work.runner.cancel()
        self.regions.work.runner.cancel()
        self.wavenumbers.work.runner.cancel()
        self.viewer.mouse_move_callbacks.remove(self.follow)
        super().let_go()


class ExplainDock(Scrolled):
    """The Explain panel as a dock of its own."""

    def __init__(self, napari_viewer: Viewer, parent: QWidget | None = None) -> None:
        self.panel = ExplainPanel(napari_viewer)
        super().__init__(self.panel, parent)

"""What a map lacks before it is fitted, and the way there: one step after the other, as if each had been clicked."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from qtpy.QtWidgets import QWidget

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.gui.maps.preset_box import PresetBox
from napari_wse2xai.gui.maps.stage_panel import StagePanel
from napari_wse2xai.gui.parts.later import later
from napari_wse2xai.gui.parts.offer import Offer
from napari_wse2xai.gui.session import contents
from napari_wse2xai.recipe import conversion_for
from napari_wse2xai.stages import ConvertAxis, Deconvolve, FindFlake

Panels = Mapping[Any, StagePanel]


class StepsBefore:
    """Offers: to convert a map's axis to that of the peaks, and to run what the preset does before the fit, or before another step."""

    def __init__(self, panels: Panels, preset: PresetBox, parent: QWidget) -> None:
        self._panels, self._preset, self._parent = panels, preset, parent
        self._viewer = panels[Deconvolve].viewer
        self.conversion, self.chain = Offer(self._viewer), Offer(self._viewer)
        self._to: ConvertAxis | None = None
        self._waiting: list[Any] = []
        self.conversion.taken.connect(lambda: self._begin([ConvertAxis]))
        self.chain.taken.connect(self.run_all)
        panels[Deconvolve].form.changed.connect(self.look)
        for stage, panel in panels.items():
            panel.to_here.clicked.connect(partial(self._run_to, stage))
            panel.work.runner.failed.connect(lambda _: self._waiting.clear())
            panel.work.runner.cancelled.connect(self._waiting.clear)

    def look(self) -> None:
        """Say what the current map lacks."""
        source, settings = self._panels[Deconvolve].chosen_map(), valid_settings(self._panels[Deconvolve])
        self._to = conversion_for(settings, source) if source is not None and isinstance(settings, Deconvolve) else None
        lacking = [] if source is None or not isinstance(settings, Deconvolve) else self.lacking(source)
        self._offer_to_here(source)
        if source is None or self._to is None:
            self.conversion.propose("", "")
        else:
            self.conversion.propose(
                f"The peaks are in {self._to.to}, '{source.name}' is in {source.axis.kind.code}.", f"Convert it to {self._to.to}"
            )
        everywhere = isinstance(settings, Deconvolve) and settings.pixels == "everywhere"
        self.chain.propose(_words(source, lacking, everywhere=everywhere) if source is not None else "", "Run these, then Deconvolve")

    def lacking(self, source: SpectralMap) -> list[Any]:
        """Steps that the preset does before the fit, and that were not done on a map."""
        done = {record.step for record in source.history}
        there = [step for step in self._preset.steps(source.axis.kind) if step is not ConvertAxis and step.__name__ not in done]
        if contents.with_edited_flake(self._viewer, source).flake is not None and FindFlake in there:
            there.remove(FindFlake)
        return [*([ConvertAxis] if self._to is not None else []), *there]

    def _offer_to_here(self, source: SpectralMap | None) -> None:
        """Offer at every other step what is lacking before it."""
        lacking = [] if source is None else self.lacking(source)
        for stage, panel in self._panels.items():
            if stage is not Deconvolve:  # it says it in words
                panel.offer_steps([step.title for step in lacking if step.order < stage.order])

    def _run_to(self, stage: Any) -> None:
        """Run what is lacking before a step, then that."""
        source = self._panels[stage].chosen_map()
        if source is not None and not any(panel.work.runner.busy for panel in self._panels.values()):
            self._begin([*(step for step in self.lacking(source) if step.order < stage.order), stage])

    def run_all(self) -> None:
        """Run what is lacking, then the fit."""
        source = self._panels[Deconvolve].chosen_map()
        if source is not None:
            self._begin([*self.lacking(source), Deconvolve])

    def _begin(self, steps: list[Any]) -> None:
        if steps[0] is ConvertAxis and self._to is not None:
            self._panels[ConvertAxis].form.put(self._to)
        self._waiting[:] = steps
        self.go_on()

    def go_on(self) -> None:
        """Run the next step that waits, once the result before it is in the window."""
        if self._waiting:
            later(self._parent, self._run_next)

    def _run_next(self) -> None:
        if not self._waiting:
            return
        panel = self._panels[self._waiting.pop(0)]
        panel.refresh()
        if panel.work.begin_button.isEnabled():
            panel.run()
        else:  # its own line says why
            self._waiting.clear()


def _words(source: SpectralMap, lacking: list[Any], *, everywhere: bool) -> str:
    if not lacking:
        return ""
    said = f"Not done yet on '{source.name}': {', '.join(step.title for step in lacking)}."
    if FindFlake in lacking and not everywhere:
        said += f" Without a flake all {source.frame.n_pixels} spectra are fitted."
    return said


def valid_settings(panel: StagePanel) -> Any:
    """Settings of a panel; None where they are not valid."""
    form: Callable[[], Any] = panel.form.value
    try:
        return form()
    except ValueError:
        return None

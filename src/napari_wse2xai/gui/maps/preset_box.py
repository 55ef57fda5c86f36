"""Choice of a preset, which fills the panels' forms."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from qtpy.QtWidgets import QWidget

from napari_wse2xai.data import AxisKind
from napari_wse2xai.gui.maps.stage_panel import StagePanel
from napari_wse2xai.gui.parts.guarded import ComboBox
from napari_wse2xai.recipe import Recipe, Section, preset, preset_names
from napari_wse2xai.stages import Deconvolve, Settings


class PresetBox(ComboBox):
    """Fills each panel with the settings for Raman or PL, as its map is; what a user set by hand comes back with the kind of map."""

    def __init__(self, panels: Iterable[StagePanel], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panels = tuple(panels)
        self._kinds = dict.fromkeys(self._panels, AxisKind.RAMAN_SHIFT)
        self._kept: dict[tuple[StagePanel, AxisKind], Settings] = {}
        self._warned: set[AxisKind] = set()
        self.addItems(preset_names())
        self.setToolTip("Settings to begin with: those of a material and a laser line. Fills all panels.")
        self.currentTextChanged.connect(lambda _: self.fill_all())
        for panel in self._panels:
            panel.chosen.connect(partial(self._on_chosen, panel))
        self.fill_all()

    def fill_all(self) -> None:
        """Put the preset into every panel."""
        self._kept.clear()
        self._warned.clear()
        for panel in self._panels:
            self._fill(panel)

    def steps(self, kind: AxisKind) -> list[type[Any]]:
        """Steps that the preset does before the fit of a map with such an axis, in their order."""
        section: Section | None = getattr(preset(self.currentText()), kind.modality)
        every = [type(stage) for stage in section.stages()] if section is not None else []
        return every[: every.index(Deconvolve)] if Deconvolve in every else []

    def take(self, recipe: Recipe) -> None:
        """Put the settings of a recipe into the panels, for each kind of map that it speaks of; steps that it leaves out keep theirs."""
        for modality, section in recipe.sections().items():
            stages = {type(stage): stage for stage in section.stages()}
            for panel in self._panels:
                if panel.stage in stages:
                    self._take(panel, modality, stages[panel.stage])

    def _take(self, panel: StagePanel, modality: str, settings: Settings) -> None:
        for kind in (each for each in AxisKind if each.modality == modality):
            self._kept[panel, kind] = settings
        if self._kinds[panel].modality == modality:
            panel.form.put(settings)

    def _on_chosen(self, panel: StagePanel) -> None:
        source = panel.chosen_map()
        if source is None or source.axis.kind is self._kinds[panel]:
            return
        self._keep(panel)
        self._kinds[panel] = source.axis.kind
        kept = self._kept.get((panel, source.axis.kind))
        if kept is not None:
            panel.form.put(kept)
        else:
            self._fill(panel)

    def _keep(self, panel: StagePanel) -> None:
        """Remember the settings for the kind of map that is left."""
        kind = self._kinds[panel]
        try:
            self._kept[panel, kind] = panel.form.value()
        except ValueError:  # half typed: nothing worth keeping
            self._kept.pop((panel, kind), None)

    def _fill(self, panel: StagePanel) -> None:
        kind = self._kinds[panel]
        recipe = preset(self.currentText())
        section: Section | None = getattr(recipe, kind.modality)
        if section is None:
            self._tell_of_no_settings(kind)
            return
        for stage in section.stages():
            if type(stage) is panel.stage:
                panel.form.put(stage)

    def _tell_of_no_settings(self, kind: AxisKind) -> None:
        """Say, once, why the panels still show what they showed."""
        from napari.utils.notifications import show_warning

        if kind not in self._warned:
            self._warned.add(kind)
            name = self.currentText()
            show_warning(f"The preset {name} has no settings for an axis of {kind.value}; the panels keep theirs, choose another preset.")

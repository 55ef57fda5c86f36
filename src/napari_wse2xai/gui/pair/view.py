"""What of a pair is on the canvas: both maps alone to be placed by hand, and the overlay of the result."""

import math

from napari import Viewer
from napari.layers import Layer

from napari_wse2xai.data import Pairable, PairedMaps, PeakMaps
from napari_wse2xai.gui.pair import placing
from napari_wse2xai.gui.session import contents
from napari_wse2xai.layers import KEY, light_layer, overlay_layers, to_layers

TWO_COLOURS, IN_TURNS = "two colours", "checkerboard"
COLOURS = {"RS": "magenta", "PL": "green"}


class PairView:
    """Shows the newest pair of a viewer, one way or the other."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self.paired: PairedMaps | None = None

    def follow(self, there: list[PairedMaps]) -> None:
        """Keep to the shown pair as long as it is there, else to the newest."""
        if not any(self.paired is one for one in there):
            self.paired = there[-1] if there else None

    def last_of(self, source: Pairable) -> PairedMaps | None:
        """Newest pair of the same two maps in the viewer."""
        return next((one for one in reversed(contents.paired_maps(self.viewer)) if _same_maps(one, source.raman, source.pl)), None)

    def only_light(self, source: Pairable) -> tuple[Layer, Layer]:
        """Leave one layer of RS, magenta, and one of PL, green, on the canvas, and give them; RS lies where it was scanned."""
        fixed, moving = self._light(source.raman, COLOURS["RS"]), self._light(source.pl, COLOURS["PL"])
        for layer in self.viewer.layers:
            contents.see(layer, layer is fixed or layer is moving)
        placing.unmove(fixed)
        return fixed, moving

    def _light(self, peaks: PeakMaps, colour: str) -> Layer:
        return self._old_light(peaks) or contents.add(self.viewer, [light_layer(peaks, colour)])[0]

    def _old_light(self, peaks: PeakMaps) -> Layer | None:
        return next((layer for layer, shown in contents.layers_of(self.viewer, peaks) if shown.part == "light"), None)

    def settle(self, source: Pairable, paired: PairedMaps) -> None:
        """Put the layer that was moved by hand, where there is one, to where the pair has it: so that one can go on from there."""
        fixed, moving = self._old_light(source.raman), self._old_light(source.pl)
        if fixed is not None and moving is not None:
            moving.mode = "pan_zoom"
            placing.place(moving, source.pl.frame, fixed, source.raman.frame, paired.transform)

    def show(self, paired: PairedMaps, look: str) -> None:
        """Put a new pair on the canvas, alone; it takes the place of a former one of the same maps."""
        for layer in list(self.viewer.layers):
            shown = contents.shown(layer)
            former = shown is not None and isinstance(shown.artefact, PairedMaps) and _same_maps(shown.artefact, paired.raman, paired.pl)
            if former:
                self.viewer.layers.remove(layer)
            else:
                contents.see(layer, False)
        self.paired = paired
        added = contents.add(self.viewer, to_layers(paired))
        self.look(look)
        self.viewer.layers.selection.active = added[-1]
        self.viewer.reset_view()

    def look(self, look: str) -> None:
        """Show the overlay in two colours, or each map in turns."""
        if self.paired is None:
            return
        new = {keywords["metadata"][KEY].part: data for data, keywords, _ in overlay_layers(self.paired, in_turns=look == IN_TURNS)}
        for layer, shown in contents.layers_of(self.viewer, self.paired):
            if shown.part in new:
                layer.data, layer.visible = new[shown.part], True


def _same_maps(paired: PairedMaps, raman: PeakMaps, pl: PeakMaps) -> bool:
    """Whether a pair is of these maps; PL is known by its name and peaks, since it lies on another grid in the pair."""
    return paired.raman is raman and (paired.pl.name, paired.pl.names) == (pl.name, pl.names)


def summary(paired: PairedMaps, notes: list[str]) -> str:
    """What a run gave: where PL lies, how well (where no note says that), how many pixels are paired."""
    count = f"{int(paired.paired.sum())} pixels with both RS and PL"
    agree = f"; the flakes agree on {paired.overlap:.0%} of their area" if math.isfinite(paired.overlap) else ""
    words = paired.misalignment_text
    how_well = "" if any(words in note for note in notes) else f"{words}{agree}; "
    return f"PL was {placing.words(paired.transform)}: {how_well}{count}."

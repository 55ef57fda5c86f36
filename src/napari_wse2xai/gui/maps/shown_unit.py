"""The unit that a spectrum's axis is labelled in: only what is written changes, never what is drawn."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import AutoLocator, FuncFormatter, Locator, MaxNLocator, ScalarFormatter
from qtpy.QtWidgets import QWidget

from napari_wse2xai.data import AxisKind, SpectralAxis
from napari_wse2xai.data.axis import convert_values
from napari_wse2xai.data.quantities import pretty
from napari_wse2xai.gui.parts.guarded import ComboBox

KINDS = (AxisKind.RAMAN_SHIFT, AxisKind.WAVELENGTH, AxisKind.ENERGY)
TICKS = 6


class _RoundTicks(Locator):
    """Ticks at round numbers of another unit."""

    def __init__(self, axis: SpectralAxis, kind: AxisKind) -> None:
        self._axis, self._kind = axis, kind

    def tick_values(self, vmin: float, vmax: float) -> Any:
        """Places on the axis, in its own unit."""
        low, high = sorted(shown(np.array([vmin, vmax]), self._axis, self._kind))
        round_ones = np.asarray(MaxNLocator(TICKS).tick_values(low, high))
        inside = round_ones[(round_ones >= low) & (round_ones <= high)]
        return np.sort(convert_values(inside, self._kind, self._axis.kind, self._axis.laser_nm, self._axis.medium))

    def __call__(self) -> Any:
        """Places within the view."""
        assert self.axis is not None
        return self.tick_values(*self.axis.get_view_interval())


def shown(values: Any, axis: SpectralAxis, kind: AxisKind) -> Any:
    """Values of an axis in the unit of another kind."""
    return convert_values(values, axis.kind, kind, axis.laser_nm, axis.medium)


def possible(axis: SpectralAxis) -> list[AxisKind]:
    """Kinds that an axis can be labelled in: a Raman shift needs the laser line."""
    alike = [kind for kind in KINDS if axis.laser_nm is not None or AxisKind.RAMAN_SHIFT not in (kind, axis.kind)]
    return [axis.kind, *(kind for kind in alike if kind is not axis.kind)]


class ShownUnit(ComboBox):
    """Choice of the unit, kept per kind of axis."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._axis: SpectralAxis | None = None
        self._chosen: dict[AxisKind, AxisKind] = {}
        self.setToolTip("Unit that the spectrum is labelled in, by the laser line of the map; settings and results stay in the map's own.")
        self.currentIndexChanged.connect(self._on_choice)

    def follow(self, axis: SpectralAxis) -> None:
        """Offer what an axis can be labelled in."""
        if axis is self._axis:
            return
        self._axis = axis
        self.put([(pretty(kind.unit), kind) for kind in possible(axis)], self._chosen.get(axis.kind, axis.kind))

    def _on_choice(self, index: int) -> None:
        if self._axis is not None and index >= 0:
            self._chosen[self._axis.kind] = self.kind

    @property
    def kind(self) -> AxisKind:
        """Kind that the axis is labelled in."""
        return AxisKind(self.currentData())

    def label(self, axes: Axes) -> str:
        """Tick axes in the chosen unit; returns the words below them, empty for the axis's own."""
        axis = self._axis
        if axis is None or self.kind is axis.kind:
            if isinstance(axes.xaxis.get_major_locator(), _RoundTicks):
                axes.xaxis.set_major_locator(AutoLocator())
                axes.xaxis.set_major_formatter(ScalarFormatter())
            return ""
        kind = self.kind
        axes.xaxis.set_major_locator(_RoundTicks(axis, kind))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{float(shown(value, axis, kind)):.6g}"))
        return f"{kind.value} ({pretty(kind.unit)})"

    def words(self, value: float) -> str:
        """A place on the axis in the chosen unit."""
        if self._axis is None:
            return f"{value:.6g}"
        return f"{float(shown(value, self._axis, self.kind)):.6g} {pretty(self.kind.unit)}"

"""Raman spectra of layers whose springs were calculated here."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from napari_wse2xai.theory.cell import Array, HarmonicCell
from napari_wse2xai.theory.controls import FEWEST_CELLS, null_controls
from napari_wse2xai.theory.reference import pristine_modes
from napari_wse2xai.theory.sources import Springs
from napari_wse2xai.theory.spectra import GEOMETRIES, spectral_intensity

PRISTINE = "pristine"
_FROM_CM1, _STEP_CM1, _BEYOND_CM1 = 50.0, 0.5, 60.0
"""Where a spectrum begins, its step, and how far it goes beyond the highest mode."""


@dataclass(frozen=True, eq=False)
class LayerRaman:
    """Spectra of the pristine layer and of one with defects.

    Attributes
    ----------
    cells : by name, with their springs
    wavenumbers : (n,) cm-1
    spectra : by name (geometry, n), arbitrary units per unit cell, one scale
    conditions : what they are drawn for
    """

    material: str
    cells: Mapping[str, HarmonicCell]
    wavenumbers: Array
    spectra: Mapping[str, Array]
    conditions: Mapping[str, float]

    @classmethod
    def of(cls, material: str, cells: Mapping[str, HarmonicCell], conditions: Mapping[str, float]) -> "LayerRaman":
        """Draw the spectra of cells; the tensors are those of the reference's pristine crystal."""
        highest = max(cell.wavenumbers[-1] for cell in cells.values())
        x = np.arange(_FROM_CM1, highest + _BEYOND_CM1, _STEP_CM1)
        tensors = pristine_modes(material).tensors
        sources = {name: Springs(cell) for name, cell in cells.items()}
        spectra = {
            name: np.stack([source.raman(tensors, x, geometry, **conditions) for geometry in GEOMETRIES])
            for name, source in sources.items()
        }
        return cls(material, dict(cells), x, spectra, dict(conditions))

    def height(self, name: str, mode: str) -> float:
        """Height of a mode's projected vibrations in a layer with defects, against the pristine layer's."""
        return self._height(self.cells[name], mode)

    def null_height(self, mode: str) -> float | None:
        """Lowest such height of the null controls, which hold no chemistry; None for a layer too small for them."""
        pristine = self.cells[PRISTINE]
        if pristine.cells < FEWEST_CELLS:
            return None
        return min(self._height(cell, mode) for cell in null_controls(pristine).values())

    def _height(self, cell: HarmonicCell, mode: str) -> float:
        tops = [spectral_intensity(one, self.wavenumbers, mode=mode).max() for one in (cell, self.cells[PRISTINE])]
        return float(tops[0] / tops[1])

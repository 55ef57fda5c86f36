"""Theory beside the data: modes and spectra of MX2 monolayers and of their defects; arrays in, arrays out, numpy only."""

from napari_wse2xai.theory.cell import GAMMA_MODES, HarmonicCell
from napari_wse2xai.theory.controls import null_controls
from napari_wse2xai.theory.reference import ENGINES, STRUCTURES, materials, pristine_modes, provenance, supercell
from napari_wse2xai.theory.spectra import GEOMETRIES, raman, spectral_intensity

__all__ = [
    "ENGINES",
    "GAMMA_MODES",
    "GEOMETRIES",
    "STRUCTURES",
    "HarmonicCell",
    "materials",
    "null_controls",
    "pristine_modes",
    "provenance",
    "raman",
    "spectral_intensity",
    "supercell",
]

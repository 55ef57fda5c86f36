"""Raman spectra of a layer: its own vibrations, with the Raman tensors of the pristine crystal."""

from typing import Any

from napari_wse2xai.engines.relaxation import Relax
from napari_wse2xai.engines.vibrations import Phonons
from napari_wse2xai.progress import Progress, part, silent
from napari_wse2xai.stages._stage import Settings, setting
from napari_wse2xai.theory.layer_raman import PRISTINE, LayerRaman
from napari_wse2xai.theory.reference import known


class Raman(Settings):
    """Vibrations of the pristine layer and of the one with defects, and their Raman spectra side by side."""

    phonons: Phonons = setting(Phonons(), title="Vibrations", description="What is relaxed and displaced before.")
    laser_ev: float = setting(2.33, title="Laser", unit="eV", ge=0.5, le=10, description="Photon energy.")
    temperature_k: float = setting(300.0, title="Temperature", unit="K", ge=1, le=5000, description="Of the occupation of the vibrations.")
    fwhm_cm1: float = setting(5.0, title="Width", unit="cm-1", ge=0.5, le=100, description="Width of every line.")

    def __call__(self, progress: Progress = silent, *, calculator: Any = None) -> LayerRaman:
        """Calculate both.

        Raises
        ------
        SettingsError
            The reference has no Raman tensors of the material, before any work; or see `Relax`.
        """
        layer = self.phonons.relax.layer
        known(layer.material)
        names = dict.fromkeys((PRISTINE, layer.name))
        cells = {}
        for number, name in enumerate(names):
            relax = Relax(**(dict(self.phonons.relax) | {"layer": layer if name == layer.name else layer.pristine()}))
            start, end = number / len(names), (number + 1) / len(names)
            relaxed = relax(part(progress, start, (start + end) / 2, name), calculator=calculator)
            calculator = relaxed.calculator
            cells[name] = self.phonons.model_copy(update={"relax": relax}).of(relaxed, part(progress, (start + end) / 2, end, name))
        options = {"laser_ev": self.laser_ev, "temperature_k": self.temperature_k, "fwhm_cm1": self.fwhm_cm1}
        return LayerRaman.of(layer.material, cells, options)

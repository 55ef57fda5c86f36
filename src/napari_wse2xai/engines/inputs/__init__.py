"""Complete inputs of first-principles programs: relaxation, vibrations, Raman and dynamics of a layer."""

from napari_wse2xai.engines.inputs.settings import PROGRAMS, TASKS, Inputs

__all__ = ["PROGRAMS", "TASKS", "Inputs"]

"""Calculations on this machine: relaxation, vibrations and dynamics of MX2 layers by engines that come without a download.

ASE, phonopy and the engines come with ``pip install napari-wse2xai[theory]`` and are loaded when they are asked for.
"""

from napari_wse2xai.engines.dynamics import Dynamics, MolecularDynamics, run_nve
from napari_wse2xai.engines.forces import ENGINES, EngineForces, Forces, forces_of
from napari_wse2xai.engines.inputs import Inputs
from napari_wse2xai.engines.layer import Layer
from napari_wse2xai.engines.raman import Raman
from napari_wse2xai.engines.relaxation import Relax
from napari_wse2xai.engines.vibrations import Phonons, hessian

__all__ = [
    "ENGINES",
    "Dynamics",
    "EngineForces",
    "Forces",
    "Inputs",
    "Layer",
    "MolecularDynamics",
    "Phonons",
    "Raman",
    "Relax",
    "forces_of",
    "hessian",
    "run_nve",
]

"""Files of first-principles programs: vibrations at Gamma, and molecular dynamics.

Libraries that read them are loaded when one is opened; some come with ``pip install napari-wse2xai[theory]``.
"""

from napari_wse2xai.io.calculations.reading import KINDS, read_calculated, read_calculation, read_named

__all__ = ["KINDS", "read_calculated", "read_calculation", "read_named"]

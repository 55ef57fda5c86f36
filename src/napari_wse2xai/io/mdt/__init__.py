"""NT-MDT files (``.mdt``): a row of frames, each of its own kind; `contents_of` says what each holds.

Written after the format's public descriptions (Gwyddion's notes on the format, Kaitai's table of its fields, nanofinderparser's) and real
files.  Sizes that the file states are checked against what is there before anything is allocated.
"""

from napari_wse2xai.io.mdt.contents import Content, Image, Other, Spectra
from napari_wse2xai.io.mdt.frames import contents_of

__all__ = ["Content", "Image", "Other", "Spectra", "contents_of"]

"""Formats in the order in which they are tried, from what the files here declare (docs/make_formats.py).

Of those that share a suffix all must recognise their files, but a last one that says itself what is wrong with a file that it cannot read.
"""

from napari_wse2xai.io.formats import TABLES, Format

FORMATS = (
    Format("WITec project", ("*.wip", "*.wid"), module="witec_project"),
    Format("WITec MATLAB export", ("*.mat",), module="witec_mat"),
    Format("MATLAB arrays", ("*.mat",), module="mat"),
    Format("Renishaw WiRE", ("*.wdf",), module="renishaw"),
    Format("NT-MDT", ("*.mdt",), module="ntmdt"),
    Format("NetCDF", ("*.nc",), module="netcdf"),
    Format("Zarr", ("*.zarr",), is_folder=True, module="zarr"),
    Format("HyperSpy", ("*.hspy", "*.h5", "*.hdf5"), module="hyperspy"),
    Format("HDF5 and NeXus arrays", ("*.h5", "*.hdf5", "*.nxs"), module="hdf5"),
    Format("HyperSpy in Zarr", ("*.zspy",), is_folder=True, module="hyperspy"),
    Format("Galactic SPC", ("*.spc",), module="spc"),
    Format("NumPy array with its axis", ("*.npy",), module="npy"),
    Format("NumPy archive", ("*.npz",), module="npz"),
    Format("Princeton Instruments", ("*.spe",), module="spe"),
    Format("JCAMP-DX", ("*.jdx", "*.dx", "*.jcm"), module="jcamp"),
    Format("Andor Solis", ("*.sif",), module="andor"),
    Format("Horiba LabSpec XML", ("*.xml",), module="rosetta"),
    Format("Digital Surf", ("*.sur",), module="rosetta"),
    Format("TriVista", ("*.tvf",), module="rosetta"),
    Format("Excel workbook", ("*.xlsx",), module="xlsx"),
    Format("Table of peak maps", ("*.csv",), module="peaks"),
    Format("Table of a map", ("*.csv",), module="map_table"),
    Format("WITec ASCII export with a header", TABLES, module="witec_ascii"),
    Format("WITec TrueMatch", TABLES, module="witec_truematch"),
    Format("JASCO text", TABLES, module="jasco"),
    Format("Long table (WiRE text)", TABLES, module="long_table"),
    Format("Wide table", TABLES, module="wide_table"),
    Format("Spectra in columns (WITec ASCII table, others)", TABLES, module="columns"),
    Format("LabSpec text", TABLES, module="labspec"),
)

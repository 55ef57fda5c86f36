"""Version of the package, alone so that nothing else need be imported for it: what the build wrote down, which has it from git's tag."""

try:
    from napari_wse2xai._built import version as _built
except ImportError:  # a folder of sources that nobody built or installed
    _built = "0.0"

__version__ = _built

"""The window: the only code that knows napari and Qt.  Importing this package loads neither."""

"""Maps as signals of HyperSpy: asked of a stand-in, since HyperSpy (GPL) is no dependency; tools/check_exports.py asks HyperSpy itself."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, Frame, PeakMaps, SpectralAxis, SpectralMap
from napari_wse2xai.errors import UserError

FRAME = Frame((3, 4), (-0.3, 0.7), (1.0, 2.0), "flake 1")
COUNTS = np.arange(240.0, dtype=np.float32).reshape(3, 4, 20)


class Signal:
    """What is asked of a signal when it is made."""

    def __init__(self, data, axes):
        self.data, self.axes, self.original = data, axes, {}
        self.metadata = SimpleNamespace(General=SimpleNamespace(title=""), set_item=lambda key, value: self.original.update({key: value}))
        self.original_metadata = SimpleNamespace(add_dictionary=self.original.update)


@pytest.fixture
def hyperspy(monkeypatch):
    package, api = ModuleType("hyperspy"), ModuleType("hyperspy.api")
    api.signals = SimpleNamespace(Signal1D=Signal, Signal2D=Signal)
    package.api = api
    monkeypatch.setitem(sys.modules, "hyperspy", package)
    monkeypatch.setitem(sys.modules, "hyperspy.api", api)


@pytest.mark.usefixtures("hyperspy")
def test_a_map_has_its_places_and_an_axis_that_is_even_or_not():
    for values, is_even in ((np.linspace(200, 300, 20), True), (np.linspace(10, 20, 20) ** 2, False)):
        signal = SpectralMap.from_arrays(COUNTS, values, AxisKind.RAMAN_SHIFT, frame=FRAME, laser_nm=532.0, name="rs").to_hyperspy()
        y, x, spectral = signal.axes
        assert (y["name"], y["offset"], y["units"]) == ("y", 1.0, "um")
        np.testing.assert_allclose((y["scale"], x["scale"], x["offset"]), (-0.3, 0.7, 2.0))
        assert ("scale" in spectral) is is_even
        channels = spectral["offset"] + spectral["scale"] * np.arange(20) if is_even else spectral["axis"]
        np.testing.assert_allclose(channels, values)
        np.testing.assert_array_equal(signal.data, COUNTS)
        assert (signal.metadata.General.title, signal.original["laser_nm"]) == ("rs", 532.0)
        assert signal.original["Signal.quantity"] == "intensity (counts)"


@pytest.mark.usefixtures("hyperspy")
def test_peaks_are_pictures_of_one_parameter():
    parts = [np.arange(24, dtype=np.float32).reshape(2, 3, 4) + 100 * k for k in range(6)]
    axis, status = SpectralAxis(np.linspace(1.5, 1.8, 30), AxisKind.ENERGY), np.zeros((3, 4), np.uint8)
    found = PeakMaps(FRAME, axis, ("A", "B"), ("gaussian",) * 2, ((1.5, 1.8),) * 2, *parts, status, parts[0][0])
    signal = found.to_hyperspy("position")
    np.testing.assert_array_equal(signal.data, found.position)
    assert [axis["size"] for axis in signal.axes] == [2, 3, 4]
    assert (signal.original["Signal.quantity"], signal.original["peaks"]) == ("position (eV)", ["A", "B"])


def test_where_it_is_not_installed_a_sentence_says_how_to_have_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "hyperspy", None)
    with pytest.raises(UserError, match="pip install hyperspy"):
        SpectralMap.from_arrays(COUNTS, np.linspace(200, 300, 20), AxisKind.RAMAN_SHIFT).to_hyperspy()

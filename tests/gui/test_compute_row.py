"""A map that is typed as a formula: objected to while it is wrong, computed with one click, shown, kept with the deconvolution."""

import numpy as np
import pytest

from napari_wse2xai.data import SpectralMap
from napari_wse2xai.gui.maps.peak_chooser import PeakChooser
from napari_wse2xai.gui.session import contents
from napari_wse2xai.layers import to_layers
from napari_wse2xai.numerics.lineshapes import lorentzian
from napari_wse2xai.stages import Deconvolve, Peak, Separate
from napari_wse2xai.stages.separate import LineShift


@pytest.fixture
def two_lines(small):
    """A map with a second line, and its deconvolution."""
    counts = small.counts + lorentzian(small.axis.values, 225.3, 6.0, 800.0).astype(np.float32)
    source = SpectralMap.from_arrays(counts, small.axis.values, small.axis.kind, frame=small.frame, name="two")
    peaks = (Peak(name="A1'", position=249.5, fwhm=5, window=(210, 290)), Peak(name="E'", position=225, fwhm=5, window=(210, 290)))
    return source, Deconvolve(peaks=peaks, pixels="everywhere")(source)


def test_a_formula_becomes_a_map_with_its_error(panels, settle, small, small_peaks) -> None:
    row, viewer = panels.chooser.computing, panels.viewer
    assert "Deconvolve a map first" in row.work.message.text()
    contents.add(viewer, to_layers(small_peaks))
    settle(lambda: "open it too" in row.work.message.text())
    contents.add(viewer, to_layers(small))
    settle(lambda: "A1'" in row.work.message.text())
    row.formula.setText("A1.height * 2")
    assert "there are the peaks A1'" in row.work.message.text()
    assert not row.work.begin_button.isEnabled()
    row.formula.setText("A1'.height * 2")
    row.name.setText("twice")
    row.work.begin_button.click()
    settle(lambda: any(layer.name == "twice (counts)" for layer in viewer.layers))
    layer = viewer.layers["twice (counts)"]
    assert layer.visible
    np.testing.assert_allclose(layer.data, 2 * small_peaks.height[0], rtol=1e-5)
    (peaks,) = contents.all_peaks(viewer)
    np.testing.assert_allclose(peaks.computed[0].error, 2 * small_peaks.height_error[0], rtol=0.01)
    panels.chooser.errors.setChecked(True)
    item = panels.chooser.table.item(1, 0)
    assert panels.chooser.table.verticalHeaderItem(1).text() == "twice"
    item.setCheckState(item.checkState().__class__.Checked)
    np.testing.assert_array_equal(viewer.layers["twice error (counts)"].data, peaks.computed[0].error)


def test_computed_maps_of_a_result_have_rows_of_their_own(viewer, small, one_line) -> None:
    from napari_wse2xai.stages import Computed

    asked = one_line.model_copy(update={"computed": (Computed(name="light", expression="band(240, 260)"),)})
    contents.add(viewer, to_layers(asked(small)))
    chooser = PeakChooser(viewer)
    chooser.refresh()
    names = [chooser.table.verticalHeaderItem(row).text() for row in range(chooser.table.rowCount())]
    assert names == ["A1'", "light", "fit"]
    assert "cm⁻¹" in chooser.table.item(1, 0).text()


def test_strain_and_charge_are_maps_of_their_own(panels, settle, two_lines) -> None:
    row, viewer = panels.chooser.separating, panels.viewer
    for each in two_lines:
        contents.add(viewer, to_layers(each))
    settle(lambda: "Peaks: A1', E'" in row.work.message.text())
    row.form.put(Separate(lines=[LineShift(name=name, undisturbed=250, per_strain=-2) for name in ("A1'",)]))
    assert row.work.begin_button.isEnabled()
    arms = (("A1'", -2.0, -1.0), ("B", -1.0, -3.0))
    row.form.put(Separate(lines=[LineShift(name=name, undisturbed=250, per_strain=a, per_charge=b) for name, a, b in arms]))
    assert "there are the peaks A1', E'" in row.work.message.text()
    lines = [LineShift(name=name, undisturbed=250, per_strain=a, per_charge=b) for name, a, b in (arms[0], ("E'", -1.0, -3.0))]
    row.form.put(Separate(lines=lines))
    row.work.begin_button.click()
    settle(lambda: any(layer.name == "strain (%)" for layer in viewer.layers))
    settle()
    assert viewer.layers["strain (%)"].visible
    (peaks,) = contents.all_peaks(viewer)
    shifts = peaks.position.reshape(2, -1) - 250.0
    expected = np.linalg.solve([[-2.0, -1.0], [-1.0, -3.0]], shifts).reshape(2, *peaks.position.shape[1:])
    np.testing.assert_allclose(viewer.layers["strain (%)"].data, expected[0], atol=1e-4)
    np.testing.assert_allclose(peaks.computed[1].value, expected[1], atol=1e-4)
    assert [each.name for each in peaks.computed] == ["strain", "electron density"]

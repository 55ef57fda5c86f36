"""A map that is typed as a formula: objected to while it is wrong, computed with one click, shown, kept with the deconvolution."""

import numpy as np

from napari_wse2xai.gui import stock
from napari_wse2xai.gui.peak_chooser import PeakChooser
from napari_wse2xai.layers import to_layers


def test_a_formula_becomes_a_map_with_its_error(panels, settle, small, small_peaks) -> None:
    row, viewer = panels.chooser.computing, panels.viewer
    assert "Deconvolve a map first" in row.work.message.text()
    stock.add(viewer, to_layers(small_peaks))
    settle(lambda: "open it too" in row.work.message.text())
    stock.add(viewer, to_layers(small))
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
    (peaks,) = stock.all_peaks(viewer)
    np.testing.assert_allclose(peaks.computed[0].error, 2 * small_peaks.height_error[0], rtol=0.01)
    panels.chooser.errors.setChecked(True)
    item = panels.chooser.table.item(1, 0)
    assert panels.chooser.table.verticalHeaderItem(1).text() == "twice"
    item.setCheckState(item.checkState().__class__.Checked)
    np.testing.assert_array_equal(viewer.layers["twice error (counts)"].data, peaks.computed[0].error)


def test_computed_maps_of_a_result_have_rows_of_their_own(make_napari_viewer, small, one_line) -> None:
    from napari_wse2xai.stages import Computed

    viewer = make_napari_viewer()
    asked = one_line.model_copy(update={"computed": (Computed(name="light", expression="band(240, 260)"),)})
    stock.add(viewer, to_layers(asked(small)))
    chooser = PeakChooser(viewer)
    chooser.refresh()
    names = [chooser.table.verticalHeaderItem(row).text() for row in range(chooser.table.rowCount())]
    assert names == ["A1'", "light", "fit"]
    assert "cm⁻¹" in chooser.table.item(1, 0).text()

"""One parameter of one line as a noun, and one colour map for window and report."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from napari_wse2xai.data.quantities import Feature, colormap_of, feature_words, in_sentence
from napari_wse2xai.layers import repaired_layer, slope_layer
from napari_wse2xai.plots.maps import draw_values
from napari_wse2xai.plots.side_by_side import SlopePlot


@pytest.mark.parametrize(
    ("name", "line", "parameter", "words"),
    [
        ("A1'.height", "A1'", "height", "A1' height"),
        ("2LA(M).fwhm", "2LA(M)", "fwhm", "2LA(M) FWHM"),
        ("P249.8.position", "P249.8", "position", "P249.8 position"),
        ("A/B.value", "A/B", "value", "A/B"),
    ],
)
def test_a_feature_is_a_line_and_a_parameter_though_the_line_may_hold_dots(name, line, parameter, words):
    found = Feature.of(name)
    assert (found.line, found.parameter, found.words, feature_words(name)) == (line, parameter, words, words)
    assert found.name == name


def test_what_has_no_colours_of_its_own_has_those_of_heights():
    assert colormap_of("area") == colormap_of("height") == "inferno"
    assert colormap_of("position") == "coolwarm"


def test_window_and_report_draw_slopes_and_repaired_channels_in_the_same_colours(triangle, explanation):
    source = triangle.raman
    counted = np.zeros(source.frame.shape, dtype=np.uint16)
    axes = Figure().subplots()
    draw_values(axes, source.frame, counted, title="", unit="", parameter="count")
    assert repaired_layer(replace(source, repaired=counted))[1]["colormap"] == axes.images[0].get_cmap().name == "magma"
    plot = SlopePlot(Figure().subplots(), explanation)
    plot.show(5)
    assert slope_layer(explanation, 5)[1]["colormap"] == plot.map.axes.images[0].get_cmap().name == "RdBu_r"


def test_numbers_in_a_sentence_have_their_unit_as_labels_have_it_and_choices_keep_their_name():
    said = "150 to 405 cm-1 are asked; of 'abs. cm-1' there are 3 cm-1, 0.46 meV; R2 0.94."
    assert in_sentence(said) == "150 to 405 cm⁻¹ are asked; of 'abs. cm-1' there are 3 cm⁻¹, 0.46 meV; R² 0.94."

"""Theory's figures: which curve has which numbers, colour and name, and what stands at the axes; places from the shipped file itself."""

import json
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from matplotlib.figure import Figure

from as_text import figure_text, require_as_read
from napari_wse2xai.data import Frame
from napari_wse2xai.plots.theory import draw_raman, draw_spectral_intensity, raman_figure, spectral_intensity_figure
from napari_wse2xai.plots.theory_beside import beside_figure
from napari_wse2xai.plots.theory_runs import dynamics_figure, layer_raman_figure
from napari_wse2xai.theory.beside import TheoryBeside
from napari_wse2xai.theory.dynamics import Averaged
from napari_wse2xai.theory.evaluation import TheoryResult, evaluate
from napari_wse2xai.theory.layer_raman import LayerRaman
from napari_wse2xai.theory.matching import Match

NAMES = ["pristine", "Se missing (V_Se)", "O on a Se site (O_Se)"]
COLOURS = ["#3d3d3d", "#d1495b", "#2e86ab"]
X = np.linspace(100, 400, 31)


@pytest.fixture(scope="module")
def result() -> TheoryResult:
    return evaluate("WSe2")


@pytest.fixture(scope="module")
def places() -> dict[str, float]:
    """First-principles wavenumbers of WSe2, as they are shipped."""
    text = files("napari_wse2xai.theory").joinpath("mx2_modes.json").read_text(encoding="utf-8")
    return json.loads(text)["materials"]["WSe2"]["frequencies_cm-1"]


def curves_of(axes) -> dict[str, tuple[str, np.ndarray]]:
    """Colour and heights of what is no straight line, by its name."""
    return {line.get_label(): (line.get_color(), line.get_ydata()) for line in axes.lines if len(line.get_xdata()) > 2}


def test_theory_is_as_it_was_read(result):
    spectra = {"pristine": np.stack([X, X + 1, X + 2]), "layer": np.stack([X + 3, X + 4, X + 5])}
    layer = LayerRaman("WSe2", {}, X, spectra, {"laser_ev": 2.33, "temperature_k": 300.0, "fwhm_cm1": 5.0})
    figures = [
        spectral_intensity_figure(result), raman_figure(result), raman_figure(result, only="LDA"), beside_figure(beside(result)),
        layer_raman_figure(layer), dynamics_figure(X, {"total": Averaged(X, X / 10)}, "ten seeds"),
    ]  # fmt: skip
    require_as_read("theory", "\n".join(map(figure_text, figures)))


def titles_of(figure) -> list[str]:
    return [axes.get_title() for axes in figure.axes]


def require_room(figure) -> None:
    """Nothing of a figure lies beyond its edge, or on anything else of it."""
    figure.draw_without_rendering()
    words = [] if figure._suptitle is None else [figure._suptitle]
    whole, boxes = figure.bbox, [each.get_tightbbox() for each in (*figure.axes, *figure.legends, *words)]
    for number, box in enumerate(boxes):
        assert (box.x0, box.y0) >= (whole.x0 - 1, whole.y0 - 1)
        assert (box.x1, box.y1) <= (whole.x1 + 1, whole.y1 + 1)
        assert not any(box.shrunk(0.98, 0.98).overlaps(other.shrunk(0.98, 0.98)) for other in boxes[:number])


def test_nothing_lies_on_anything_else_in_wide_and_narrow_places(result):
    there = beside(result)
    for draw, given in ((spectral_intensity_figure, result), (raman_figure, result), (beside_figure, there)):
        require_room(draw(given))
        require_room(draw(given, only="diep"))


def test_spectral_intensity_has_a_column_for_each_engine_and_a_row_for_each_projection(result):
    figure = spectral_intensity_figure(result)
    parts = ("all atoms", "projected on A1'", "projected on E'")
    assert titles_of(figure) == [f"{engine}: {part}" for part in parts for engine in ("diep", "GFN1-xTB")]
    assert [axes.get_ylabel() for axes in figure.axes] == ["intensity (meV cm)", ""] * 3
    assert [axes.get_xlabel() for axes in figure.axes] == [""] * 4 + ["wavenumber (cm⁻¹)"] * 2
    assert {axes.get_xlim() for axes in figure.axes} == {(120, 340)}
    assert {axes.get_ylim()[0] for axes in figure.axes} == {0}
    for number, axes in enumerate(figure.axes):
        found = curves_of(axes)
        assert [name for name in found if name in NAMES] == NAMES
        for structure, (name, colour) in enumerate(zip(NAMES, COLOURS, strict=True)):
            assert found[name][0] == colour
            np.testing.assert_array_equal(found[name][1], result.spectral_intensity[number % 2, structure, number // 2])
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {*NAMES, "pristine peak after the worst null control"}
    assert figure.get_suptitle() == "WSe2: spectral intensity, 273 K; A1' falls by 28 to 62 % with defects"


def test_a_dashed_line_is_as_high_as_the_pristine_peak_after_the_worst_control(result):
    figure = spectral_intensity_figure(result, only="GFN1-xTB")
    assert [len([line for line in axes.lines if line.get_linestyle() == "--"]) for axes in figure.axes] == [0, 1, 1]
    for mode, axes in enumerate(figure.axes[1:]):
        (dashed,) = [line for line in axes.lines if line.get_linestyle() == "--"]
        highest = max(curves_of(axes)["pristine"][1])
        assert dashed.get_ydata()[0] == pytest.approx(highest * sorted(result.control_height[1, :, mode])[0])
    assert figure.get_suptitle() == ""
    assert figure.get_size_inches().tolist() == [4.2, 7.2]


def test_the_folded_peak_is_pointed_at_where_it_is(result):
    axes = spectral_intensity_figure(result).axes[0]
    (arrow,) = axes.texts
    assert arrow.get_text() == "270: 6 folded modes,\nnot the Raman line A1'"
    near = np.abs(result.wavenumbers - arrow.xy[0]) < 1
    assert arrow.xy[0] == pytest.approx(269.83, abs=0.01)
    assert arrow.xy[1] == pytest.approx(curves_of(axes)["pristine"][1][near].max(), rel=0.05)


def test_raman_shows_backscattering_and_where_first_principles_have_the_lines(result, places):
    figure = raman_figure(result)
    assert titles_of(figure) == ["diep", "GFN1-xTB"]
    assert [axes.get_ylabel() for axes in figure.axes] == ["Raman intensity (arb. units)", ""]
    for engine, axes in enumerate(figure.axes):
        assert axes.get_xlim() == (120, 340)
        found = curves_of(axes)
        assert list(found) == NAMES
        for structure, name in enumerate(NAMES):
            np.testing.assert_array_equal(found[name][1], result.raman[engine, structure, 0])
        lines = {line.get_label(): (line.get_xdata()[0], line.get_linestyle()) for line in axes.lines if len(line.get_xdata()) == 2}
        assert lines == {
            "E' of pristine crystal, LDA (248)": (places["E'"], ":"),
            "A1' of pristine crystal, LDA (250)": (places["A1'"], "--"),
        }
    heading = "WSe2: Raman, 2.33 eV, 300 K, 5 cm⁻¹\nstatic tensors, no resonance: its A1'/E' ratio is not that of a measurement"
    assert figure.get_suptitle() == heading
    legend = figure.axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [*NAMES, *lines]
    assert figure.axes[1].get_legend() is None
    narrow = raman_figure(result, only="LDA")
    assert titles_of(narrow) == ["LDA"]
    assert (narrow.get_suptitle(), len(narrow.legends)) == ("", 1)


def test_a_material_without_supercells_is_shown_about_its_lines():
    (axes,) = raman_figure(evaluate("MoS2")).axes
    assert axes.get_title() == "LDA"
    assert axes.get_xlim() == pytest.approx((387.66 - 60, 409.17 + 60))


def beside(result: TheoryResult) -> TheoryBeside:
    """A measured line at 251.5 in the bright part, half as high in the dark one, on nothing."""
    axis = np.linspace(150, 350, 401)
    line = 100 / (1 + ((axis - 251.5) / 3) ** 2)
    laid = Match(1.5, 0.24, 300.0, 20.0, (210.0, 280.0))
    matches = {"diep": laid, "GFN1-xTB": Match(window=(200.0, 290.0), problem="no line there"), "LDA": laid}
    spectra = np.stack([0.75 * line, line, 0.5 * line])
    return TheoryBeside(result, Frame((2, 5)), np.array([[1, 1, 1, 2, 2]] * 2, dtype=np.uint8), "PL", axis, spectra, "counts", matches, ())


def test_calculated_lines_are_laid_over_bright_and_dark(result, places):
    there = beside(result)
    figure = beside_figure(there)
    shifted = "\nshifted by +1.5 ± 0.2 cm⁻¹"
    told = {"diep": shifted, "GFN1-xTB": "\nnot laid over", "LDA": shifted}
    words = [("brightest 6", "darkest 4")[row] for row in (0, 1)]
    assert titles_of(figure) == [f"{engine}, {part} pixels by PL{end}" for part in words for engine, end in told.items()]
    assert [axes.get_ylabel() for axes in figure.axes] == ["counts", "", ""] * 2
    assert [axes.get_xlabel() for axes in figure.axes] == [""] * 3 + ["Raman shift (cm⁻¹)"] * 3
    for number, axes in enumerate(figure.axes):
        assert axes.get_xlim() == (200 - 12, 290 + 12)
        assert axes.get_ylim() == pytest.approx((0, 1.25 * (100, 50)[number // 3]))
        found = curves_of(axes)
        np.testing.assert_array_equal(found["measured"][1], there.spectra[1 + number // 3])
        assert [name for name in found if name != "measured"] == [NAMES, [], NAMES[:1]][number % 3]
    marks = {line.get_label(): (line.get_xdata()[0], line.get_linestyle()) for line in figure.axes[2].lines if len(line.get_xdata()) == 2}
    assert marks["E' as calculated"] == (pytest.approx(places["E'"], abs=0.5), ":")
    assert marks["A1' as calculated"] == (pytest.approx(places["A1'"], abs=0.5), "--")
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert sorted(names) == sorted({"measured", *NAMES, "E' as calculated", "A1' as calculated"})
    assert len(beside_figure(there, only="diep").axes) == 2
    nothing = beside_figure(replace(there, spectra=0 * there.spectra), only="LDA").axes
    assert {axes.get_ylim() for axes in nothing} == {(0.0, 1.0)}
    below = beside_figure(replace(there, spectra=there.spectra - 30), only="LDA").axes[0]  # with its background taken off
    assert below.get_ylim() == pytest.approx((there.spectra[1, (there.axis >= 188) & (there.axis <= 302)].min() - 30, 1.25 * 70))


def test_a_layer_that_was_calculated_here_stands_beside_the_pristine_one():
    spectra = {"pristine": np.stack([X, X + 1, X + 2]), "layer": np.stack([X + 3, X + 4, X + 5])}
    given = {"laser_ev": 2.33, "temperature_k": 300.0, "fwhm_cm1": 5.0}
    (axes,) = layer_raman_figure(LayerRaman("WSe2", {}, X, spectra, given), "parallel").axes
    found = curves_of(axes)
    assert [(name, found[name][0]) for name in found] == [("pristine", "#3d3d3d"), ("layer", "#d1495b")]
    np.testing.assert_array_equal(found["layer"][1], X + 4)
    assert axes.get_title().splitlines()[1] == "2.33 eV, 300 K, lines of 5 cm⁻¹, parallel"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("wavenumber (cm⁻¹)", "Raman intensity (arb. units)")
    assert axes.get_ylim()[0] == 0
    assert axes.get_xlim() == (100, 400)
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["pristine", "layer"]


def test_dynamics_have_a_band_of_one_error():
    every = {"total": Averaged(X, X / 10), "A1'": Averaged(X + 1, X / 5)}
    figure = dynamics_figure(X, every, "ten seeds")
    assert figure.get_suptitle() == "ten seeds"
    for axes, (name, words) in zip(figure.axes, (("total", "all atoms"), ("A1'", "projected on A1'")), strict=True):
        curve = every[name]
        np.testing.assert_array_equal(curves_of(axes)[words][1], curve.mean)
        corners = axes.collections[0].get_paths()[0].vertices
        at = corners[np.isclose(corners[:, 0], 400)][:, 1]
        assert (at.min(), at.max()) == pytest.approx((curve.mean[-1] - curve.error[-1], curve.mean[-1] + curve.error[-1]))
        assert axes.collections[0].get_label() == "± 1 error"
        assert axes.get_ylabel() == "intensity (meV cm)"
        assert axes.get_ylim()[0] == 0
    assert [axes.get_xlabel() for axes in figure.axes] == ["", "wavenumber (cm⁻¹)"]


def test_where_no_engine_has_a_line_in_sight_all_that_was_measured_is_shown(result):
    there = beside(result)
    nowhere = replace(there, matches={engine: Match(problem="no line there") for engine in there.matches})
    assert {axes.get_xlim() for axes in beside_figure(nowhere).axes} == {(150.0, 350.0)}


@pytest.mark.parametrize(("field", "draw"), [("spectral_intensity", draw_spectral_intensity), ("raman", draw_raman)])
def test_a_spectrum_that_is_not_known_throughout_is_not_drawn(result: TheoryResult, field: str, draw) -> None:
    values = getattr(result, field).copy()
    values[0, 1, 0, :5] = np.nan
    axes = Figure().subplots()
    draw(axes, replace(result, **{field: values}), result.engines[0], "total" if field == "spectral_intensity" else "backscattering")
    assert list(curves_of(axes)) == [NAMES[0], NAMES[2]]

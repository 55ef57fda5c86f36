"""The report says what the results hold."""

import platform
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from napari_wse2xai import report
from napari_wse2xai.data import PARAMETERS, Components, ComputedMap, Frame, Record, Results, SpectralMap
from napari_wse2xai.data.frame import Direction
from napari_wse2xai.plots.plain_text import PlainFigure
from napari_wse2xai.progress import silent
from napari_wse2xai.report import _figures
from napari_wse2xai.report._numbers import with_spread
from napari_wse2xai.report._page import _grid, _origin, _truth
from napari_wse2xai.stages import FindFlake

VOID = {"meta", "img", "br", "link"}


class Balance(HTMLParser):
    """Check that every element is closed, and gather the text."""

    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(html):
    page = Balance()
    page.feed(html)
    assert page.open == []
    return " ".join(" ".join(page.text).split())


@pytest.fixture(scope="module")
def results(clean_raman, raman_peaks):
    origin = (Record("read", {"file": "rs.txt", "item": "Scan <1>", "sha256": "ab12" * 16}, "0.1.0"),)
    source = replace(clean_raman, history=origin + clean_raman.history)
    return Results({"raman": source}, {"raman": replace(raman_peaks, history=origin + raman_peaks.history)}, "preset: wse2-532\n")


@pytest.fixture(scope="module")
def images(results):
    return report.draw_figures(results, silent)


def test_the_page_says_what_was_measured_and_found(results, images, clean_raman):
    text = read(report.page(replace(results, warnings=("The corner is bright.",)), images, title="My <flake>"))
    for part in ("My <flake>", "rs.txt", "Scan <1>", "ab12ab12", "48 × 56 pixels", "The corner is bright.", "preset: wse2-532"):
        assert part in text
    assert f"Flake {int(clean_raman.flake.sum())} of {clean_raman.flake.size} pixels" in text
    assert f"{int(clean_raman.repaired.sum())} channels repaired" in text


def test_every_peak_is_in_the_table_with_its_numbers(results, images, raman_peaks):
    text = read(report.page(results, images, title="t"))
    for index, name in enumerate(raman_peaks.names):
        assert name in text
        assert all(with_spread(getattr(raman_peaks, parameter)[index]) in text for parameter in PARAMETERS)
    assert "counts" in text
    assert "cm⁻¹" in text


def test_every_step_is_listed_with_its_settings(results, images):
    text = read(report.page(results, images, title="t"))
    for part in ("FindFlake", "Despike", "Baseline", "Deconvolve", "corner: darkest", "threshold: 5", "pixels: flake"):
        assert part in text


def test_figures_are_within_the_page_and_as_files(results, images):
    html = report.page(results, images, title="t")
    names = {f"raman_{kind}.{suffix}" for kind in ("flake", "spectra", "height", "position", "fwhm") for suffix in ("png", "svg")}
    assert set(images) == names
    assert html.count("data:image/png;base64,") == 5
    assert all(content.startswith(b"\x89PNG") for name, content in images.items() if name.endswith("png"))
    assert all(b"<svg" in content[:1000] for name, content in images.items() if name.endswith("svg"))
    assert "http" not in html.replace("http-equiv", "")


def test_a_map_without_peaks_has_a_report_too(results):
    early = Results({"raman": results.maps["raman"]})
    early_images = report.draw_figures(early, silent)
    assert set(early_images) == {"raman_flake.png", "raman_flake.svg", "raman_spectra.png", "raman_spectra.svg"}
    assert "Status" not in read(report.page(early, early_images, title="t"))


def test_the_comparison_with_the_truth_is_the_truth(clean_raman, raman_peaks, triangle):
    named = replace(raman_peaks, names=triangle.truth.raman.names)
    found = report.compare(clean_raman, named, triangle.truth, triangle.truth.raman)
    assert 0.97 < found.flake_iou <= 1
    assert found.hit_pixels == np.count_nonzero(triangle.truth.raman.spikes.per_pixel)
    both, either = clean_raman.flake & triangle.truth.flake, clean_raman.flake | triangle.truth.flake
    assert found.flake_iou == pytest.approx(both.sum() / either.sum())
    assert 0.9 * found.hit_pixels < found.repaired_pixels <= found.hit_pixels
    a1 = next(row for row in found.peaks if row.name == "A1'")
    assert a1.position < 0.05
    assert a1.height < 0.02
    text = read(report.page(Results({"raman": clean_raman}), {}, title="t", comparisons={"raman": found}))
    assert f"intersection over union {both.sum() / either.sum():.3f}" in text
    assert f"{found.repaired_pixels} of {found.hit_pixels}" in text
    shown = next(row for row in _truth(found)["peaks"] if row["name"] == "A1'")
    told = [float(shown[key]) for key in ("position", "fwhm", "height")]
    assert told == pytest.approx([a1.position, a1.fwhm, 100 * a1.height], rel=0.05)
    exact = replace(named, **{name: getattr(triangle.truth.raman, name) for name in ("position", "fwhm", "height")})
    assert all(
        row.position == row.fwhm == row.height == 0
        for row in report.compare(clean_raman, exact, triangle.truth, triangle.truth.raman).peaks
    )


def test_pixels_that_were_not_measured_are_counted(results):
    source = results.maps["raman"]
    counts = np.asarray(source.counts).copy()
    assert "Not measured" not in read(report.page(Results({"raman": source}), {}, title="t"))
    counts[0, :3] = np.nan
    assert "Not measured 3 pixels" in read(report.page(Results({"raman": replace(source, counts=counts)}), {}, title="t"))


def test_a_paragraph_of_methods_says_what_the_histories_say(results, images, clean_raman, raman_peaks):
    text = read(report.page(results, images, title="x"))
    methods = text[text.index("For a methods section") :]
    low, high = clean_raman.axis.span
    for part in (
        "Raman spectra were taken at 48 × 56 pixels",
        f"{len(clean_raman.axis)} channels from {low:.5g} to {high:.5g} cm-1",
        f"Pixels that outshine a corner of the scan by {FindFlake().k:g} standard deviations",
        "cosmic rays were removed (guarded); a baseline was subtracted (piecewise linear)",
        f"8 lines were fitted by least squares: {raman_peaks.names[0]} (lorentzian)",
        f"{int((raman_peaks.status == 0).sum())} fits",
        f"(Python {platform.python_version()}, numpy {np.__version__}",
    ):
        assert part in methods
    assert "network" not in methods
    lit = replace(clean_raman, metadata={"Acq. time (s)": "4", "Laser power (mW)": "0.5"})
    assert " (4 s, 0.5 mW), " in read(report.page(Results({"raman": lit}), {}, title="x"))


def test_a_map_that_no_file_gave_comes_from_its_first_step():
    assert _origin((Record("make_flake", {}, "0.1"), Record("FindFlake", {}, "0.1"))) == [("Source", "make_flake")]
    assert _origin(()) == [("Source", "made in Python")]


def test_a_picture_drawn_twice_is_the_same_file(results):
    def drawn() -> dict[str, bytes]:
        figure = PlainFigure(figsize=(2, 2))
        axes = figure.subplots()
        axes.fill_between([0, 1], [1, 2], hatch="//")  # patterns and clips have ids of their own
        axes.plot([0, 1])
        return _figures.saved(figure, "one")

    once = drawn()
    assert once == drawn()
    assert b"Software" not in once["one.png"] and b"<dc:date>" not in once["one.svg"]


def test_the_laser_is_among_the_facts_and_a_picture_does_not_say_which_library_drew_it(results, images):
    source = results.maps["raman"]
    lit = replace(results, maps={"raman": replace(source, axis=replace(source.axis, laser_nm=532.05))})
    assert "Laser 532.05 nm" in read(report.page(lit, {}, title="t"))
    assert all(b"Software" not in content and b"atplotlib" not in content for name, content in images.items() if name.endswith(".png"))


def test_the_grid_is_told_in_what_its_rows_and_columns_are():
    series = Frame((3, 4), (1.0, -0.5), directions=(Direction("time", "s", (0.0, 2.0, 5.0)), Direction("x")))
    assert _grid(series) == ("Series", "3 × 4 pixels (time × x), 2.5 s × 0.5 µm each")
    assert _grid(Frame((1, 4), (7.0, 2.0), directions=(Direction("point", "", (3.0,)), Direction("x"))))[1].endswith(", 7 × 2 µm each")
    assert _grid(Frame((3, 4), (-1.0, 0.5), rotation_deg=12.5)) == (
        "Map",
        "3 × 4 pixels (y × x), 1 × 0.5 µm each, turned by 12.5° to the stage",
    )


@pytest.mark.parametrize(("count", "panels"), [(1, 1), (2, 2), (3, 3), (5, 4)])
def test_of_components_the_four_strongest_have_a_map(clean_raman, count, panels):
    frame, axis = clean_raman.frame, clean_raman.axis
    spectra, share = np.ones((count, len(axis))), np.random.default_rng(0).random((count, *frame.shape)).astype(np.float32)
    made = Components(frame, axis, "NMF", tuple(f"{k}" for k in range(count)), spectra, np.full(count, 1 / count), share, share / 9)
    figure = _figures._components(made)
    assert sum(bool(axes.images) for axes in figure.axes) == panels
    assert sum(not axes.images and not hasattr(axes, "_colorbar") for axes in figure.axes) == 1


def test_computed_maps_are_one_figure_with_a_panel_each(results, raman_peaks):
    computed = tuple(ComputedMap(f"d{k}", "A1'.position", "cm-1", *np.ones((2, *raman_peaks.frame.shape), np.float32)) for k in range(5))
    figure = _figures._computed(results.maps["raman"], replace(raman_peaks, computed=computed))
    panels = [axes for axes in figure.axes if axes.images and not hasattr(axes, "_colorbar")]
    assert len(panels) == 5 and {axes.get_subplotspec().get_gridspec().get_geometry() for axes in panels} == {(2, 4)}


@pytest.mark.parametrize(("count", "geometry", "size"), [(1, (1, 1), (5.0, 2.3)), (2, (1, 2), (8.4, 2.3)), (3, (2, 2), (8.4, 4.6))])
def test_along_a_line_computed_maps_are_curves_two_beside_one_another(clean_raman, raman_peaks, count, geometry, size):
    source = SpectralMap(Frame((1, 6)), clean_raman.axis, clean_raman.counts[:1, :6])
    values = np.arange(12.0, dtype=np.float32).reshape(2, 1, 6)
    computed = tuple(ComputedMap(f"d{k}", "A1'.position", "cm-1", *(k + values)) for k in range(count))
    figure = _figures._computed(source, replace(raman_peaks, frame=source.frame, computed=computed))
    assert tuple(figure.get_size_inches()) == pytest.approx(size)
    assert [axes.get_subplotspec().get_gridspec().get_geometry() for axes in figure.axes] == [geometry] * count
    for number, axes in enumerate(figure.axes):
        assert axes.get_subplotspec().num1 == number
        assert axes.get_title() == f"d{number}"
        (curve,) = [line for line in axes.lines if len(line.get_xdata()) == 6]
        np.testing.assert_array_equal(curve.get_ydata(), number + values[0, 0])


def test_a_peak_that_no_pixel_has_is_compared_with_the_truth_all_the_same(triangle, clean_raman, raman_peaks):
    nowhere = replace(raman_peaks, names=triangle.truth.raman.names[:8], position=np.full_like(raman_peaks.position, np.nan))
    first = report.compare(clean_raman, nowhere, triangle.truth, triangle.truth.raman).peaks[0]
    assert np.isnan(first.position) and np.isfinite(first.fwhm) and first.pixels == 0


@pytest.mark.parametrize(("shape", "height"), [((10, 10), 2.35 + 0.75), ((10, 90), 2.35 * 0.3 + 0.75), ((90, 10), 2.35 * 2.5 + 0.75)])
def test_pictures_have_the_proportions_of_the_map_unless_it_is_a_ribbon(clean_raman, shape, height):
    source = SpectralMap.from_arrays(np.zeros((*shape, 3), np.float32), np.arange(3.0), clean_raman.axis.kind)
    assert _figures._cell(source) == (3.4, pytest.approx(height))

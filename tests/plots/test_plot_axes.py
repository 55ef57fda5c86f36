"""What runs along the axes of a plot: places in micrometres, a turned scan's own axes, times and temperatures in their units."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from test_maps import peak_maps

from napari_wse2xai.data import AxisKind, Direction, Frame, PairedMaps, Samples, SpectralMap, Transform
from napari_wse2xai.data.transform import pixels_um
from napari_wse2xai.errors import DataError
from napari_wse2xai.io import read, write_map, write_peaks_csv
from napari_wse2xai.io.items import item_of
from napari_wse2xai.plots import grid, maps, pairing
from napari_wse2xai.plots.spectra import describe
from napari_wse2xai.report._page import _facts
from napari_wse2xai.stages import FindFlake, Pair
from napari_wse2xai.stages.pair import Pairable

X = Direction("x")
TIMES = Frame((4, 1), (2.5, 1.0), (5.0, 0.0), directions=(Direction("time", "s"), X))
UNEVEN = Frame((3, 5), (1.0, 0.5), (0.0, 7.0), directions=(Direction("temperature", "K", (77.0, 100.0, 300.0)), X))
DEPTH = Frame((3, 5), (-1.0, 0.5), (4.0, 7.0), directions=(Direction("z"), X))
TURNED = Frame((3, 5), (2.0, 0.5), (10.0, -3.0), rotation_deg=30.0)
POINTS = Frame((6, 1), directions=(Direction("point", ""), X))


def of(frame: Frame, kind: AxisKind = AxisKind.RAMAN_SHIFT) -> SpectralMap:
    counts = np.random.default_rng(0).normal(100, 5, (*frame.shape, 20)).astype(np.float32)
    return SpectralMap.from_arrays(counts, np.linspace(200, 300, 20), kind, frame=frame)


def drawn(frame: Frame):
    axes = Figure().subplots()
    maps.draw_values(axes, frame, np.arange(frame.n_pixels, dtype=float).reshape(frame.shape), title="t", unit="counts", flake=None)
    return axes


@pytest.mark.parametrize(
    ("frame", "labels"),
    [
        (TIMES, ("time (s)", "counts")),
        (POINTS, ("point", "counts")),
        (UNEVEN, ("x (µm)", "temperature (K)")),
        (DEPTH, ("x (µm)", "z (µm)")),
        (TURNED, ("x of the scan (µm, turned 30°)", "y of the scan (µm)")),
        (Frame((3, 5), directions=(Direction("YA"), Direction("XA"))), ("XA (µm)", "YA (µm)")),
    ],
)
def test_axes_say_what_runs_along_them(frame: Frame, labels: tuple[str, str]) -> None:
    axes = drawn(frame)
    assert (axes.get_xlabel(), axes.get_ylabel()) == labels
    status = Figure().subplots()
    maps.draw_status(status, peak_maps(frame))
    assert status.get_xlabel() == labels[0]


def test_a_time_series_is_drawn_over_its_times() -> None:
    axes = drawn(TIMES)
    np.testing.assert_allclose(axes.containers[0].lines[0].get_xdata(), [5.0, 7.5, 10.0, 12.5])
    assert axes.get_xlim() == (3.75, 13.75)


def test_uneven_temperatures_are_written_at_their_pixels_and_not_compared_with_lengths() -> None:
    axes = drawn(UNEVEN)
    write = axes.yaxis.get_major_formatter()
    assert [write(row, None) for row in range(4)] == ["77", "100", "300", ""]
    assert axes.get_aspect() == "auto"
    assert drawn(DEPTH).get_aspect() == 1.0
    assert grid.extent_um(UNEVEN) == (6.75, 9.25, 2.5, -0.5)


def test_a_turned_scan_is_drawn_in_its_own_axes_with_its_outline_and_the_other_scan_s_border() -> None:
    assert grid.extent_um(TURNED) == (-0.25, 2.25, 5.0, -1.0)
    flake = np.zeros((3, 5), bool)
    flake[1, 3] = True
    corners = maps.outline_segments(TURNED, flake).reshape(-1, 2)
    np.testing.assert_allclose([corners.min(axis=0), corners.max(axis=0)], [(1.25, 1.0), (1.75, 3.0)])
    raman = peak_maps(TURNED)
    same = PairedMaps(raman, raman, TURNED, Transform.identity(), np.nan, np.nan, np.nan, "given")
    border = pairing.pl_border_um(same)
    np.testing.assert_allclose([border[:, 1].min(), border[:, 1].max(), border[:, 0].max(), border[:, 0].min()], grid.extent_um(TURNED))


def test_words_and_tables_give_the_stage_s_coordinates_of_a_turned_scan(tmp_path) -> None:
    import pandas as pd

    y, x = pixels_um(TURNED)[2, 4]
    assert describe(of(TURNED), 2, 4).endswith(f"x {x:.2f} µm, y {y:.2f} µm")
    write_peaks_csv(peak_maps(TURNED), tmp_path / "peaks.csv")
    table = pd.read_csv(tmp_path / "peaks.csv")
    np.testing.assert_allclose(table[["y (um)", "x (um)"]].to_numpy()[-1], [y, x], rtol=1e-6)


@pytest.mark.parametrize(
    ("frame", "words"),
    [(TIMES, "time 12.5 s"), (UNEVEN, "x 7.00 µm, temperature 300 K"), (POINTS, "point 5"), (DEPTH, "x 7.00 µm, z 2.00 µm")],
)
def test_the_pixel_under_the_mouse_is_at_a_time_or_a_temperature(frame: Frame, words: str) -> None:
    assert describe(of(frame), frame.shape[0] - 1, 0).partition("  ")[2] == words


def test_a_table_of_a_series_has_its_own_columns(tmp_path) -> None:
    write_peaks_csv(peak_maps(UNEVEN), tmp_path / "peaks.csv")
    head = (tmp_path / "peaks.csv").read_text(encoding="utf-8").splitlines()
    assert head[0].startswith("row,column,temperature (K),x (um),status")
    assert head[6].startswith("1,0,100,7,")


def test_nothing_that_needs_places_takes_a_series_for_a_scan() -> None:
    peaks = peak_maps(TIMES)
    with pytest.raises(DataError, match=r"series over time \(s\), not a scan.*cannot be paired"):
        Pair()(Pairable(peaks, peaks))
    with pytest.raises(DataError, match=r"series over temperature \(K\).*find_flake: false"):
        FindFlake()(of(UNEVEN))
    pair = PairedMaps(peaks, peaks, TIMES, Transform.identity(), 0.0, 0.0, 1.0, "given")
    with pytest.raises(DataError, match="cannot be learnt from"):
        Samples.of([pair])


def test_report_and_list_call_a_series_a_series(tmp_path) -> None:
    facts = dict(_facts(replace(of(UNEVEN), flake=np.ones((3, 5), bool))))
    assert facts["Series"] == "3 × 5 pixels (temperature × x), 111.5 K × 0.5 µm each"
    assert "µm²" not in facts["Flake"]
    assert dict(_facts(of(TURNED)))["Map"] == "3 × 5 pixels (y × x), 2 × 0.5 µm each, turned by 30° to the stage"
    write_map(of(TIMES), tmp_path / "times.nc")
    item = item_of(read(tmp_path / "times.nc"))
    assert "(series over time (s))" in str(item)
    assert (item.is_map, item.step_um) == (False, None)

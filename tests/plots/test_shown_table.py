"""Whatever a figure shows comes out as the numbers that were put into it."""

import io

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from napari_wse2xai.errors import UserError
from napari_wse2xai.io.shown import put_columns, write_columns, write_picture
from napari_wse2xai.plots.shown_table import MARK, columns_of


def read(figure: Figure) -> pd.DataFrame:
    """As a user reads it: without any argument."""
    text = io.StringIO()
    put_columns(columns_of(figure), text)
    return pd.read_csv(io.StringIO(text.getvalue()))


def test_curves_with_their_units_and_one_axis_for_those_that_share_it() -> None:
    figure = Figure()
    upper, lower = figure.subplots(2, 1, sharex=True)
    x = np.linspace(200, 300, 7)
    upper.plot(x, x**2, label="measured")
    upper.plot(x, np.where(x > 250, np.nan, 3 * x), label="fit")
    upper.plot([250], [3], "o", gid=MARK)
    upper.axvline(240)
    upper.plot(x, x, visible=False)
    upper.set(ylabel="counts", title="one")
    lower.plot(x, -x)
    lower.set(xlabel="Raman shift (cm⁻¹)", ylabel="residual", title="two")
    table = read(figure)
    assert list(table) == [
        "one: Raman shift (cm-1)",
        "one: measured (counts)",
        "one: fit (counts)",
        "two: Raman shift (cm-1)",
        "two: curve 1 (residual)",
    ]
    assert table["one: measured (counts)"].to_numpy() == pytest.approx(x**2)
    assert table["one: fit (counts)"].isna().tolist() == (x > 250).tolist()


def test_points_with_error_bars_have_a_column_of_errors() -> None:
    figure = Figure()
    axes = figure.subplots()
    x, y, error = np.arange(4.0), np.array([1.0, 4, np.nan, 8]), np.array([0.1, 0.2, np.nan, 0.4])
    axes.errorbar(x, y, yerr=error, label="A1' height")
    axes.set(xlabel="x (µm)", ylabel="A1' height (counts)")
    table = read(figure)
    assert table.iloc[:, 0].name == "x (um)"
    assert table.iloc[:, 1].to_numpy() == pytest.approx(y, nan_ok=True)
    assert table.iloc[:, -1].to_numpy() == pytest.approx(error, nan_ok=True), "what has no error has a line without one"
    assert table.columns[-1].startswith("standard error of")


def test_a_map_is_a_line_per_pixel_in_its_place() -> None:
    figure = Figure()
    axes = figure.subplots()
    values = np.arange(12.0).reshape(3, 4)
    values[1, 2] = np.nan
    image = axes.imshow(values, extent=(10, 18, 7, 1), origin="upper")  # 2 um along x, 2 um down
    figure.colorbar(image, label="counts")
    axes.set(title="A1' height", xlabel="x (µm)", ylabel="y (µm)")
    table = read(figure)
    assert list(table) == ["x (um)", "y (um)", "A1' height (counts)"]
    row = table[(table["x (um)"] == 15) & (table["y (um)"] == 2)]
    assert row["A1' height (counts)"].item() == values[0, 2]
    assert table["A1' height (counts)"].isna().sum() == 1
    assert table.loc[table["y (um)"] == 6, "A1' height (counts)"].tolist() == values[2].tolist()


def test_caps_of_error_bars_are_no_curves_and_what_is_drawn_over_bars_stands_beside_its_own_places() -> None:
    figure = Figure()
    axes = figure.subplots()
    x = np.arange(1.0, 5.0)
    axes.bar(x, 2 * x, label="counted")
    axes.plot(x, 3 * x, label="law")
    axes.errorbar(x, 4 * x, yerr=0.1 * x, xerr=0.2, capsize=4, label="mean")
    axes.plot(x, 5 * x)
    figure.supxlabel("Raman shift (cm⁻¹)")
    along = "Raman shift (cm-1)"
    table = read(figure)
    assert list(table) == [f"{along}, middle", "counted", along, "mean", "standard error of mean", "law", "curve 2"]
    np.testing.assert_allclose(table.to_numpy().T, [x, 2 * x, x, 4 * x, 0.1 * x, 3 * x, 5 * x])


def test_what_runs_along_stands_again_only_where_it_changes() -> None:
    """Values that are not known are the same as such."""
    figure = Figure()
    axes = figure.subplots()
    x = np.array([1.0, np.nan, 3.0])
    axes.plot(x, [1.0, 2.0, 3.0], label="a")
    axes.plot(x, [4.0, 5.0, 6.0], label="b")
    axes.plot(x + 1, [7.0, 8.0, 9.0], label="c")
    axes.set(xlabel="x", ylabel="y")
    assert [name for name, _ in columns_of(figure)] == ["x", "a (y)", "b (y)", "x [2]", "c (y)"]
    nameless = Figure()
    nameless.subplots().plot(x, x)
    assert [name for name, _ in columns_of(nameless)] == ["x", "curve 1"]


def test_a_histogram_gives_its_counts() -> None:
    figure = Figure()
    axes = figure.subplots()
    data = np.random.default_rng(0).normal(size=500)
    axes.hist(data, 10, label="all: 500")
    axes.set(xlabel="position (cm⁻¹)", ylabel="pixels")
    counts, edges = np.histogram(data, 10)
    table = read(figure)
    assert table.iloc[:, 0].to_numpy() == pytest.approx((edges[1:] + edges[:-1]) / 2)
    assert table.iloc[:, 1].tolist() == counts.tolist()


def test_curves_drawn_together_are_curves_and_bars_among_them_are_none() -> None:
    figure = Figure()
    axes = figure.subplots()
    x = np.linspace(1.0, 2.0, 4)
    axes.add_collection(LineCollection([np.column_stack([x, k * x]) for k in (3, 5)] + [[(0.0, 0.0), (1.0, 9.0)]]))
    axes.set(xlabel="e", ylabel="ICE (counts)")
    table = read(figure)
    assert list(table) == ["e", "curve 1: ICE (counts)", "curve 2: ICE (counts)"]
    np.testing.assert_allclose(table.to_numpy(), np.column_stack([x, 3 * x, 5 * x]))


def test_a_map_is_read_as_it_lies_whichever_way_up() -> None:
    figure = Figure()
    axes = figure.subplots()
    axes.imshow(np.arange(6.0).reshape(2, 3), extent=(10, 16, 1, 5), origin="lower")
    axes.scatter([11.0], [2.0])
    axes.set(xlabel="x", ylabel="y")
    table = read(figure)
    assert list(table) == ["x", "y", "value"], "a single point marks a place"
    np.testing.assert_allclose(table.to_numpy(), [[11, 2, 0], [13, 2, 1], [15, 2, 2], [11, 4, 3], [13, 4, 4], [15, 4, 5]])


def test_a_bad_path_is_one_sentence_and_leaves_nothing(tmp_path) -> None:
    figure = Figure()
    figure.subplots().plot([1, 2], [3, 4])
    (tmp_path / "file").write_text("x")
    for name in ("file/plot.svg", "plot.bmp"):
        with pytest.raises(UserError, match=r"plot\.\w+"):
            write_picture(figure, tmp_path / name)
    with pytest.raises(UserError, match="cannot be written"):
        write_columns(columns_of(figure), tmp_path / "file" / "numbers.csv")
    with pytest.raises(UserError, match="no numbers"):
        write_columns([], tmp_path / "none.csv")
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(("name", "begins"), [("a.svg", b"<?xml"), ("a.pdf", b"%PDF"), ("a.png", b"\x89PNG")])
def test_pictures_are_what_their_names_say(tmp_path, name: str, begins: bytes) -> None:
    figure = Figure(figsize=(2, 1), dpi=90)
    figure.subplots().plot([1, 2], [3, 4])
    write_picture(figure, tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(begins)
    assert figure.dpi == 90
    if name.endswith("png"):
        from PIL import Image

        picture = Image.open(tmp_path / name)
        assert picture.size == (600, 300)
        assert picture.info["dpi"][0] == pytest.approx(300, abs=0.1)

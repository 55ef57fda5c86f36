"""WITec's ASCII exports but for the plain table: with a header, in three files, for TrueMatch."""

import numpy as np
import pytest
from made_tables import AXIS, SPECTRA, TRUTH, X_UM, Y_UM, columns_table

from napari_wse2xai.data import AxisKind
from napari_wse2xai.errors import DataWarning, ReaderError
from napari_wse2xai.io import list_items, read

NY, NX, N = TRUTH.shape
HEADER = {
    "FileName": "C:\\data\\flake.wip",
    "GraphName": "Scan 3",
    "SizeX": NX,
    "SizeY": NY,
    "SizeGraph": N,
    "ScanUnit": "µm",
    "ScanWidth": 1.5 * NX,
    "ScanHeight": 2.0 * NY,
    "XAxisUnit": "rel. 1/cm",
    "DataUnit": "CCD cts",
}
NAMES = [f"Scan 3 ({k % NX}/{k // NX})" for k in range(NX * NY)]


def header(**changes):
    lines = [
        "//Exported ASCII-File",
        "[Header]",
        *(f"{key} = {value}" for key, value in {**HEADER, **changes}.items() if value is not None),
    ]
    return "\r\n".join([*lines, ""])


def one_file(*, names=True, spectra=range(NX * NY), separator="\t", **changes):
    heads = [separator.join(["X-Axis", *(NAMES[k] for k in spectra)])] if names else []
    return f"{header(**changes)}\r\n[Data]\r\n" + columns_table(*heads, spectra=spectra, separator=separator)


@pytest.fixture
def write(tmp_path):
    def writer(text, name="scan.txt"):
        (tmp_path / name).write_bytes(text.encode("latin-1"))
        return tmp_path / name

    return writer


@pytest.fixture
def graph(write, tmp_path):
    def writer(*, axis=AXIS, counts=SPECTRA, parts=("Header", "X-Axis", "Y-Axis"), name="flake 1 ({}).txt", **changes):
        texts = [header(**changes), "\n".join(f"{v:.5E}" for v in axis), "\n".join(f"{v:.5E}" for v in np.ravel(counts))]
        for part, text in zip(("Header", "X-Axis", "Y-Axis"), texts, strict=True):
            if part in parts:
                write(text + "\n", name.format(part))
        return lambda part: tmp_path / name.format(part)

    return writer


@pytest.mark.parametrize("names", [True, False])
@pytest.mark.parametrize("separator", ["\t", ",", ";"])
def test_header_and_data_in_one_file(write, names, separator):
    path = write(one_file(names=names, separator=separator))
    found = read(path)
    np.testing.assert_array_equal(found.counts, TRUTH)
    np.testing.assert_allclose(found.axis.values, AXIS)
    assert (found.frame.step_um, found.name, found.axis.kind, found.intensity_unit) == (
        (2.0, 1.5),
        "Scan 3",
        AxisKind.RAMAN_SHIFT,
        "counts",
    )
    assert [item.name for item in list_items(path)] == ["Scan 3"]


def test_names_place_the_spectra_whatever_their_order(write):
    order = np.random.default_rng(0).permutation(NX * NY).tolist()
    np.testing.assert_array_equal(read(write(one_file(spectra=order))).counts, TRUTH)


@pytest.mark.parametrize("names", [True, False])
def test_interrupted_scan_is_filled_up(write, names):
    with pytest.warns(DataWarning, match="3 of 12 pixels"):
        found = read(write(one_file(names=names, spectra=range(9))))
    wanted = TRUTH.copy()
    wanted.reshape(-1, N)[9:] = np.nan
    np.testing.assert_array_equal(found.counts, wanted)


def test_line_and_unknown_distance(write):
    found = read(write(one_file(spectra=range(NX), SizeY=1)))
    np.testing.assert_array_equal(found.counts[:, 0], TRUTH[0])
    assert found.frame.step_um[0] == 1.5
    with pytest.warns(DataWarning, match="taken as 1 µm"):
        assert read(write(one_file(ScanUnit=None))).frame.step_um == (1.0, 1.0)
    with pytest.warns(DataWarning, match="7 x 9 of its header"):
        assert read(write(one_file(names=False, SizeX=7, SizeY=9, spectra=range(3)))).frame.has_places is False


@pytest.mark.parametrize("part", ["Header", "X-Axis", "Y-Axis"])
@pytest.mark.parametrize("name", ["flake 1 ({}).txt", "flake_{}.txt", "flake 1({}).txt"])
def test_three_files_open_by_any_of_them(graph, part, name):
    found = read(graph(name=name)(part))
    np.testing.assert_array_equal(found.counts, TRUTH)
    np.testing.assert_allclose(found.axis.values, AXIS)
    assert found.frame.step_um == (2.0, 1.5)
    np.testing.assert_allclose([np.ptp(found.frame.y_um), np.ptp(found.frame.x_um)], [np.ptp(Y_UM), np.ptp(X_UM)])


def test_what_is_wrong_with_three_files_is_told(graph):
    with pytest.raises(ReaderError, match=r"'flake 1 \(Y-Axis\)\.txt' is missing"):
        read(graph(parts=("Header", "X-Axis"))("X-Axis"))
    with pytest.raises(ReaderError, match="no multiple of the 14 channels"):
        read(graph(counts=np.ravel(SPECTRA)[:-1])("Header"))


def truematch(*spectra, axis=True):
    data = ["[XData]", *map(str, AXIS), ""] if axis else []
    parts = ["[WITEC_TRUEMATCH_ASCII_HEADER]", "Version = 2.0", "", *data]
    for number in spectra:
        title = ["[SpectrumHeader]", f"Title = P{number}", "ExcitationWavelength = 532.2", f"SpectrumSize = {N}", "XDataKind = nm", ""]
        counts = SPECTRA[number] if axis else [f"{a}\t{c}" for a, c in zip(AXIS, SPECTRA[number], strict=True)]
        parts += [*title, "[SampleMetaData]", "double Integration_Time = 0.5", "", "[SpectrumData]", *map(str, counts), ""]
    return "\n".join(parts)


@pytest.mark.parametrize("axis", [True, False])
def test_truematch(write, axis):
    found = read(write(truematch(3, axis=axis)))
    np.testing.assert_array_equal(found.counts[0, 0], SPECTRA[3])
    np.testing.assert_allclose(found.axis.values, AXIS)
    assert (found.axis.kind, found.axis.laser_nm, found.name) == (AxisKind.WAVELENGTH, 532.2, "P3")
    with pytest.warns(DataWarning, match="2 spectra are shown as a list"):
        np.testing.assert_array_equal(read(write(truematch(4, 1, axis=axis))).counts[:, 0], SPECTRA[[4, 1]])


@pytest.mark.parametrize("text", [truematch(3)[:-40], truematch(3).replace("[XData]", "[Else]")])
def test_damaged_truematch(write, text):
    with pytest.raises(ReaderError, match="as many counts as channels"):
        read(write(text))


SERIES = {"SizeX": 12, "SizeY": 1, "ScanUnit": None, "ScanWidth": None, "ScanHeight": None}


def test_a_series_in_a_header_is_no_line(write):
    found = read(write(one_file(names=False, **SERIES, SeriesUnit="s", SeriesOffset=-2.0, SeriesScale=1.5)))
    np.testing.assert_array_equal(found.counts[:, 0], SPECTRA)
    assert (found.frame.directions[0].label, found.frame.has_places) == ("time (s)", False)
    np.testing.assert_allclose(found.frame.y_um, -2.0 + 1.5 * np.arange(12))
    deep = read(write(one_file(names=False, **SERIES, SeriesUnit="nm", SeriesOffset=0, SeriesScale=500)))
    assert (deep.frame.directions[0].label, deep.frame.step_um[0]) == ("z (µm)", 0.5)


def test_a_scan_lies_about_its_origin_as_in_a_project(write):
    """Si-data.WIP: Scan Origin (39.269, -0.093) on a sample at (107.8, 0), 5 x 5 um, has its top left pixel at (145.069, 1.907)."""
    with pytest.warns(DataWarning, match="centre of the scan"):
        found = read(write(one_file(ScanOriginX=39.269 + 107.8, ScanOriginY=-0.093, ScanOriginZ=0, ScanWidth=NX, ScanHeight=NY)))
    assert found.frame.step_um == (-1.0, 1.0)
    np.testing.assert_allclose(found.frame.x_um.mean(), 147.069)
    np.testing.assert_allclose(found.frame.y_um.mean(), -0.093)
    assert found.frame.y_um[0] > found.frame.y_um[-1]
    np.testing.assert_array_equal(found.counts, TRUTH)


@pytest.mark.filterwarnings("ignore::napari_wse2xai.errors.DataWarning")
def test_the_meaning_of_an_origin_is_that_of_real_projects(shared_data):
    """The words of a real project beside the places of its pixels."""
    found = read(shared_data / "witec" / "Si-data.WIP")
    x, y = (float(found.metadata[f"Scan Origin {axis} [µm]"]) + float(found.metadata[f"Position {axis} [µm]"]) for axis in "XY")
    np.testing.assert_allclose([found.frame.x_um.mean(), found.frame.y_um.mean()], [x, y], atol=1e-3)


def test_a_spectrum_lies_where_its_header_says(write):
    one = {"SizeX": 1, "SizeY": 1, "ScanUnit": None, "ScanWidth": None, "ScanHeight": None}
    found = read(write(one_file(names=False, spectra=[3], **one, PositionUnit="µm", PositionX=-76.3, PositionY=36.1)))
    assert found.frame.origin_um == (36.1, -76.3)


def test_the_laser_of_a_header_is_read_as_everywhere(write):
    assert read(write(one_file(ExcitationWavelength="532.1 nm"))).axis.laser_nm == 532.1
    assert read(write(one_file(ExcitationWavelength=0))).axis.laser_nm is None

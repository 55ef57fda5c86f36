"""WITec: project, MATLAB and ASCII exports give the same counts at the same places; damaged ones a sentence."""

import io
import struct
import tracemalloc
import warnings

import numpy as np
import pytest
import witio
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.io import savemat
from wit_file import DATA_TYPES, graph, project, space, tree

from napari_wse2xai.data import AxisKind
from napari_wse2xai.data.transform import pixels_um
from napari_wse2xai.errors import DataWarning, ReaderError, UserError
from napari_wse2xai.io import list_items, pictures, read, stored

NY, NX, N = 3, 4, 6
COUNTS = np.arange(NY * NX * N).reshape(NY, NX, N).astype(np.uint16)
WAVELENGTHS = 540 + 2.0 * np.arange(N)


def map_project(**options):
    return project(space((100.0, 20.0, 0.0), (0.5, -0.25, 1.0)), graph("Map", COUNTS, 1), **options)


@pytest.fixture
def write(tmp_path):
    def writer(content, name="flake.wip"):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return writer


def test_project_map_has_x_fast_and_row_zero_first(write):
    found = read(write(map_project()))
    np.testing.assert_array_equal(found.counts, COUNTS)
    assert found.frame.step_um == (-0.25, 0.5)
    assert found.frame.origin_um == pytest.approx((20 + 0.25, 100 - 0.75))  # centre of 4 x 3 pixels at the world origin
    assert (found.axis.kind, found.axis.laser_nm, found.name) == (AxisKind.RAMAN_SHIFT, 532.0, "Map")
    np.testing.assert_allclose(found.axis.values, 1e7 * (1 / 532 - 1 / WAVELENGTHS))


@pytest.mark.parametrize(
    ("unit_index", "kind", "wanted"),
    [
        (0, AxisKind.WAVELENGTH, WAVELENGTHS),
        (1, AxisKind.WAVELENGTH, WAVELENGTHS),
        (2, AxisKind.WAVENUMBER, 1e7 / WAVELENGTHS[::-1]),  # "1/cm" without "rel."
        (4, AxisKind.ENERGY, 1239.84193 / WAVELENGTHS[::-1]),
    ],
)
def test_units_of_the_project(write, unit_index, kind, wanted):
    found = read(write(map_project(unit_index=unit_index)))
    assert found.axis.kind is kind
    np.testing.assert_allclose(found.axis.values, wanted)
    np.testing.assert_array_equal(found.counts, COUNTS if kind is AxisKind.WAVELENGTH else COUNTS[:, :, ::-1])


def test_line_is_one_column(write):
    line = space((-10.0, 3.0, 0.0), (0.4, 1.0, 1.0), model=(0.0, 0.0, 0.0))
    found = read(write(project(line, graph("Line", COUNTS[:1], 1)), "line.WID"))
    np.testing.assert_array_equal(found.counts[:, 0], COUNTS[0])
    assert found.frame.step_um[0] == pytest.approx(0.4)
    assert found.frame.origin_um == pytest.approx((3.0, -9.8))


@pytest.mark.parametrize("angle", [0.5, -0.5, 1.2, 2.5])
@pytest.mark.parametrize("falls", [1, -1])
def test_a_turned_scan_lies_where_witio_says(write, angle, falls):
    c, s = np.cos(angle), np.sin(angle)
    turned = space((100.0, 20.0, 0.0), (0.5, falls * 0.25, 1.0), rotation=(c, s, 0, -s, c, 0, 0, 0, 1))
    path = write(project(turned, graph("Map", COUNTS, 1)))
    with pytest.warns(DataWarning, match="degrees to the stage; it is drawn turned"):
        found = read(path)
    place = next(iter(witio.read(path).find(class_name="TDSpaceTransformation")))
    for row, column in np.ndindex(NY, NX):
        ((x, y, _),) = place.apply_space_transform(np.array([[column + 0.5, row + 0.5, 0.0]]))[0]
        np.testing.assert_allclose(pixels_um(found.frame)[row, column], (y, x), atol=1e-9)
    np.testing.assert_array_equal(found.counts, COUNTS)


def test_a_section_in_depth_has_z_down_its_rows(write):
    upright = space((100.0, 20.0, 5.0), (0.5, 0.25, 1.0), rotation=(1, 0, 0, 0, 0, 1, 0, 1, 0))
    found = read(write(project(upright, graph("Map", COUNTS, 1))))
    np.testing.assert_array_equal(found.counts, COUNTS)
    assert [direction.label for direction in found.frame.directions] == ["z (µm)", "x (µm)"]
    assert np.abs(found.frame.step_um) == pytest.approx((0.25, 0.5))


def test_points_without_a_way_between_them_are_a_series(write):
    still = space((100.0, 20.0, 5.0), (0.0, 0.0, 0.0), model=(0.0, 0.0, 0.0))
    with pytest.warns(DataWarning, match="no positions"):
        found = read(write(project(still, graph("Series", COUNTS[:1], 1))))
    np.testing.assert_array_equal(found.counts[:, 0], COUNTS[0])
    assert not found.frame.has_places


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("kind", list(DATA_TYPES))
def test_spectra_are_those_that_witio_gives(write, kind, inverted, monkeypatch):
    monkeypatch.setattr(stored, "LARGE", 64)  # single precision is mapped, then
    flags = {"DataFieldInverted": np.array([inverted]), "LineValid": np.array([True, True, False])}
    chosen = graph("Map", COUNTS, 1, kind=kind, **flags)
    path = write(project(space((0.0, 0.0, 0.0), (1.0, -1.0, 1.0)), chosen, graph("Other", COUNTS, 1)))
    wanted = witio.read(path).find(caption="Map")[0].array().transpose(1, 0, 2)
    with pytest.warns(DataWarning, match="24 values in 4 pixels"):
        found = read(path, "Map")
    np.testing.assert_array_equal(found.counts, wanted)


def test_other_maps_of_a_project_take_no_memory(write):
    large = np.zeros((40, 40, 500), np.uint16)
    where = space((0.0, 0.0, 0.0), (1.0, -1.0, 1.0))
    path = write(project(where, *(graph(f"Map {number}", large, 1) for number in range(6))))
    list_items(path)  # imports done
    tracemalloc.start()
    read(path, "Map 3")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * large.size * 4 + 1e6


def test_unfinished_lines_are_not_measured(write):
    valid = np.array([True, False, True])
    content = project(space((0.0, 0.0, 0.0), (1.0, -1.0, 1.0)), graph("Map", COUNTS, 1, LineValid=valid))
    with pytest.warns(DataWarning, match="24 values in 4 pixels"):
        found = read(write(content))
    np.testing.assert_array_equal(found.measured.all(axis=1), valid)


def test_maps_come_before_longer_time_series(write):
    series = np.zeros((1, 50, N), np.uint16)
    path = write(project(space((0.0, 0.0, 0.0), (1.0, -1.0, 1.0)), graph("Map", COUNTS, 1), graph("Series", series, 99)))
    assert [(item.name, item.is_map) for item in list_items(path)] == [("Map", True), ("Series", False)]
    with pytest.warns(DataWarning, match="'Map' was read; also there: 'Series'"):
        assert read(path).name == "Map"
    with pytest.warns(DataWarning, match="no positions"):
        assert read(path, "Series").counts.shape == (50, 1, N)
    with pytest.raises(ReaderError, match=r"did you mean 'Series'.*'Map', 'Series'"):
        read(path, "Serie")


WHOLE = map_project()


@settings(max_examples=400, deadline=2000)
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 7), st.one_of(st.just(len(WHOLE)), st.integers(0, len(WHOLE))))
def test_damage_gives_a_sentence_or_a_map(tmp_path_factory, position, bit, length):
    content = bytearray(WHOLE)
    content[position] ^= 1 << bit
    path = tmp_path_factory.getbasetemp() / "damaged.wip"
    path.write_bytes(content[:length])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        try:
            found = read(path)
        except UserError:
            return
    assert found.counts.size <= COUNTS.size


def test_a_tag_that_points_backwards_does_not_hang(write):
    content = bytearray(WHOLE)
    name = content.index(b"NumberOfData")
    struct.pack_into("<QQ", content, name + len("NumberOfData") + 4, 8, 12)
    with pytest.raises(ReaderError, match="damaged near byte"):
        read(write(bytes(content)))


@pytest.mark.parametrize("part", [0.02, 0.3, 0.7, 0.99])
def test_cut_project(write, part):
    with pytest.raises(ReaderError, match=r"flake\.wip.*incomplete"):
        read(write(WHOLE[: int(len(WHOLE) * part)]))


def test_project_without_spectra(write):
    with pytest.raises(ReaderError, match="no spectra"):
        read(write(project(space((0.0, 0.0, 0.0), (1.0, -1.0, 1.0)))))


def data_set(**fields):
    axes = np.empty((2, 2), object)
    axes[0], axes[1] = ([[]], ""), (WAVELENGTHS[None], "nm")
    image = np.empty((2, 2), object)
    image[0], image[1] = (0.5 * np.arange(NY)[None], "um"), (0.25 * np.arange(NX)[None], "um")
    rows = COUNTS.transpose(1, 0, 2).reshape(-1, N).astype(np.float32)
    return {"name": "Map", "imagesize": [[NY, NX]], "data": rows, "axisscale": axes, "imageaxisscale": image, **fields}


def test_matlab_counts_pixels_down_the_columns(tmp_path):
    savemat(tmp_path / "map.mat", {"Map": data_set()})
    found = read(tmp_path / "map.mat")
    np.testing.assert_array_equal(found.counts, COUNTS)
    assert found.frame.step_um == (0.5, 0.25)
    np.testing.assert_array_equal(found.axis.values, WAVELENGTHS)


def test_bad_matlab_files(tmp_path):
    savemat(tmp_path / "other.mat", {"a": np.ones(3)})
    with pytest.raises(ReaderError, match="no data set"):
        read(tmp_path / "other.mat")
    savemat(tmp_path / "wrong.mat", {"Map": data_set(imagesize=[[7, 9]])})
    with pytest.raises(ReaderError, match="cannot be read as MATLAB"):
        read(tmp_path / "wrong.mat")
    savemat(tmp_path / "cut.mat", {"Map": data_set()})
    (tmp_path / "cut.mat").write_bytes((tmp_path / "cut.mat").read_bytes()[:-300])
    with pytest.raises(ReaderError, match="cannot be read as MATLAB"):
        read(tmp_path / "cut.mat")


def ascii_export(*, names=True, units=True):
    places = [f"Map({i}/{j})" for j in range(NY) for i in range(NX)]
    heads = ["\t".join(["X-Axis", *places]), "\t".join(["rel. 1/cm", *["CCD cts"] * NY * NX])]
    head = [line for line, wanted in zip(heads, (names, units), strict=True) if wanted]
    lines = ["\t".join(f" {value:.5E}" for value in [100.0 + 3 * k, *COUNTS[:, :, k].ravel()]) for k in range(N)]
    return "\n".join([*head, *lines, ""])


def test_ascii_export(write):
    with pytest.warns(DataWarning, match="taken as 1 µm"):
        found = read(write(ascii_export().encode(), "map.txt"))
    np.testing.assert_array_equal(found.counts, COUNTS)
    assert (found.name, found.axis.kind, found.intensity_unit) == ("Map", AxisKind.RAMAN_SHIFT, "counts")


def test_ascii_export_without_names_is_a_list(write):
    lines = ascii_export(names=False, units=False).encode()
    with pytest.warns(DataWarning, match="12 spectra are shown as a list"):
        found = read(write(lines, "map.txt"), unit="cm-1")
    np.testing.assert_array_equal(found.counts[:, 0], COUNTS.reshape(-1, N))


def test_ascii_export_with_names_alone_or_units_alone(write):
    with pytest.warns(DataWarning, match="taken as 1 µm"):
        named = read(write(ascii_export(units=False).encode(), "named.txt"), unit="cm-1")
    np.testing.assert_array_equal(named.counts, COUNTS)
    with pytest.warns(DataWarning, match="12 spectra are shown as a list"):
        bare = read(write(ascii_export(names=False).encode(), "units.txt"))
    np.testing.assert_array_equal(bare.counts[:, 0], COUNTS.reshape(-1, N))
    assert (bare.axis.kind, bare.intensity_unit) == (AxisKind.RAMAN_SHIFT, "counts")


@pytest.mark.parametrize("without", [0, 1], ids=["unit", "label"])
def test_real_export_with_one_of_its_two_headings(shared_data, write, without):
    lines = (shared_data / "witec" / "Witec-Map_full.txt").read_bytes().splitlines(keepends=True)
    del lines[without]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        found, whole = read(write(b"".join(lines), "map.txt")), read(shared_data / "witec" / "Si-data.WIP")
    np.testing.assert_array_equal(found.counts.reshape(5, 5, -1), whole.counts)
    assert found.frame.shape == ((25, 1) if without == 0 else (5, 5))


def test_single_spectrum_in_two_columns(write):
    found = read(write(b"#AxisUnit[1]=\tnm\n500\t7\n501\t8\n502\t9\n503\t5\n", "point.txt"))
    np.testing.assert_array_equal(found.counts, [[[7, 8, 9, 5]]])


@pytest.mark.parametrize(("n_lost", "message"), [(28, "breaks off"), (30, "incomplete")])
def test_cut_ascii_export(write, n_lost, message):
    with pytest.raises(ReaderError, match=message):
        read(write(ascii_export().encode()[:-n_lost], "map.txt"))


def test_real_project_and_exports_agree(shared_data):
    folder = shared_data / "witec"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        project_map, text, bare = (read(folder / name) for name in ("Si-data.WIP", "Witec-Map_full.txt", "Witec-Map_no.txt"))
        matlab = read(folder / "Map.mat")
    assert project_map.counts.shape == (5, 5, 1024)
    for other in (text, matlab):
        np.testing.assert_array_equal(other.counts, project_map.counts)
    np.testing.assert_array_equal(bare.counts.reshape(5, 5, -1), project_map.counts)
    np.testing.assert_allclose(text.axis.values, project_map.axis.values, rtol=1e-5)
    assert (project_map.axis.kind, matlab.axis.kind) == (AxisKind.RAMAN_SHIFT, AxisKind.WAVELENGTH)
    assert project_map.axis.laser_nm == 632.8
    assert project_map.metadata["Configuration"] == "Raman 633"


@pytest.mark.parametrize("line", ["LineX", "LineY"])
def test_real_lines_agree(shared_data, line):
    found = read(shared_data / "witec" / "LineScans.WIP", f"{line}_000_Spec.Data 1")
    matlab = read(shared_data / "witec" / f"{line}.mat")
    assert found.counts.shape == (50, 1, 1024)
    np.testing.assert_array_equal(found.counts, matlab.counts)
    np.testing.assert_allclose(found.axis.values, matlab.axis.values)
    assert found.frame.step_um[0] == pytest.approx(matlab.frame.step_um[0])


@pytest.mark.parametrize("seed", range(20))
def test_damage_in_the_real_project(shared_data, tmp_path, seed):
    rng = np.random.default_rng(seed)
    content = bytearray((shared_data / "witec" / "Si-data.WIP").read_bytes())
    for position in rng.integers(0, 4000, 20):
        content[position] ^= 1 << int(rng.integers(8))
    path = tmp_path / "damaged.wip"
    path.write_bytes(content[: int(rng.choice([len(content), rng.integers(len(content))]))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        try:
            read(path)
        except UserError as error:
            assert "\n" not in str(error)


COLOURS = np.random.default_rng(3).integers(0, 255, (NY, NX, 3), dtype=np.uint8)


def bitmap(space_id, *, version):
    """Video picture as WITec keeps it: a BMP file, or, in later versions, pixels row by row with a fourth byte each."""
    if version > 5:
        stored = np.concatenate([COLOURS, np.full((NY, NX, 1), 255, np.uint8)], axis=-1)
        pixels = np.frombuffer(stored.tobytes(), np.uint8)
        data = tree("BitmapData", DataType=2, Data=pixels)
        return "TDBitmap", "Video", tree("TDBitmap", data, SizeX=NX, SizeY=NY, SpaceTransformationID=space_id)
    stream = io.BytesIO()
    Image.fromarray(COLOURS).save(stream, "BMP")
    own = tree("TDBitmap", SizeX=NX, SizeY=NY, SpaceTransformationID=space_id)
    return "TDBitmap", "Video", (own, tree("TDStream", StreamSize=1, StreamData=np.frombuffer(stream.getvalue(), np.uint8)))


@pytest.mark.parametrize("version", [5, 6])
def test_video_picture_lies_where_the_map_does(write, version):
    where = space((100.0, 20.0, 0.0), (0.5, -0.25, 1.0))
    path = write(project(where, graph("Map", COUNTS, 1), bitmap(1, version=version), bitmap(0, version=version), version=version))
    (picture,) = pictures(path)
    assert (picture.name, picture.is_colour) == ("Video", True)
    assert np.array_equal(picture.values, COLOURS)
    assert picture.frame == read(path).frame


def test_project_items_say_what_is_known(write):
    (item,) = list_items(write(map_project()))
    assert (item.step_um, item.laser_nm) == ((0.25, 0.5), 532.0)


def test_real_items_say_what_is_known(shared_data):
    item, series = list_items(shared_data / "witec" / "Si-data.WIP")
    assert (item.step_um, item.laser_nm, item.date) == (pytest.approx((1.0, 1.0)), 632.8, "Mittwoch, 15. Juli 2015 15:03:08")
    assert not series.is_map
    assert pictures(shared_data / "witec" / "Si-data.WIP") == ()

"""Renishaw files: every spectrum where the stage was, whatever the order of the scan; damaged files a sentence."""

import struct
import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wdf_file import FILE_TIME, KELVIN, NM, UM, block, head, origins, plan, wdf_bytes, white_light

from napari_wse2xai.data import AxisKind, Direction, Frame
from napari_wse2xai.data.transform import pixels_um
from napari_wse2xai.errors import DataWarning, ReaderError, UserError
from napari_wse2xai.io import list_items, read
from napari_wse2xai.io.readers import pictures

NY, NX, N = 3, 4, 6
COUNTS = np.arange(NY * NX * N, dtype=np.float32).reshape(NY, NX, N)
AXIS = 100 + 3.0 * np.arange(N)
Y, X = (grid.ravel() for grid in np.meshgrid(10 + 0.5 * np.arange(NY), -20 + 0.25 * np.arange(NX), indexing="ij"))
FRAME = Frame((NY, NX), (0.5, 0.25), (10.0, -20.0))
PLAN = plan((NY, NX), (0.5, 0.25), (10.0, -20.0))


def scanned(order, *others, n_measured=NY * NX, unit=5, scale=1.0, **options):
    """A map whose pixels, counted row by row, were measured in this order."""
    done = np.asarray(order)[:n_measured]
    places = origins(Y[done] * scale, X[done] * scale, NY * NX, unit)
    return wdf_bytes(COUNTS.reshape(-1, N)[done], AXIS, places, *others, n_planned=NY * NX, **options)


ROWS = np.arange(NY * NX)
COLUMNS = ROWS.reshape(NY, NX).T.ravel()
SNAKE = np.concatenate([row[:: 1 if index % 2 == 0 else -1] for index, row in enumerate(ROWS.reshape(NY, NX))])
WHOLE = scanned(ROWS, PLAN, white_light(8, 16, corner=(-30.0, 5.0), size=(32.0, 16.0)))


@pytest.fixture
def write(tmp_path):
    def writer(content, name="flake.wdf"):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return writer


@pytest.mark.parametrize("order", [ROWS, ROWS[::-1], COLUMNS, SNAKE], ids=["rows", "from the last", "StreamLine", "snake"])
@pytest.mark.parametrize("others", [(PLAN,), ()], ids=["planned", "positions only"])
def test_spectra_lie_where_the_stage_was(write, order, others):
    found = read(write(scanned(order, *others)))
    np.testing.assert_array_equal(found.counts, COUNTS)
    assert found.frame.shape == FRAME.shape
    assert found.frame.step_um == pytest.approx(FRAME.step_um)
    assert found.frame.origin_um == pytest.approx(FRAME.origin_um)
    assert (found.axis.kind, found.axis.laser_nm, found.name, found.intensity_unit) == (AxisKind.RAMAN_SHIFT, 532.0, "flake", "counts")
    assert found.metadata["Title"] == "flake"
    assert found.metadata["Started"].startswith("2022-06-27")


def test_falling_axis_and_wavelengths(write):
    falling = wdf_bytes(COUNTS.reshape(-1, N), AXIS[::-1] + 500, origins(Y, X, NY * NX), PLAN, unit=NM)
    found = read(write(falling))
    assert found.axis.kind is AxisKind.WAVELENGTH
    np.testing.assert_array_equal(found.axis.values, AXIS + 500)
    np.testing.assert_array_equal(found.counts, COUNTS[:, :, ::-1])


def test_positions_in_millimetres(write):
    found = read(write(scanned(ROWS, PLAN, unit=8, scale=1e-3)))
    assert found.frame.origin_um == pytest.approx(FRAME.origin_um)


@pytest.mark.parametrize(("order", "n_measured"), [(ROWS, 7), (COLUMNS, 6), (SNAKE, 5)], ids=["rows", "StreamLine", "snake"])
def test_interrupted_scan_keeps_the_planned_grid(write, order, n_measured):
    path = write(scanned(order, PLAN, n_measured=n_measured))
    with pytest.warns(DataWarning, match=f"{NY * NX - n_measured} of 12 pixels of the 3 x 4 grid are missing"):
        found = read(path)
    measured = np.isin(ROWS, order[:n_measured]).reshape(NY, NX)
    np.testing.assert_array_equal(found.measured, measured)
    np.testing.assert_array_equal(found.counts[measured], COUNTS[measured])
    item = list_items(path)[0]
    assert (item.shape, item.step_um, item.laser_nm) == ((NY, NX, N), (0.5, 0.25), 532.0)


def test_slanting_line_is_one_column(write):
    along = np.arange(5)
    content = wdf_bytes(
        COUNTS[:, 0, :].repeat(2, axis=0)[:5], AXIS, origins(3 + 3 * along, 4 - 4 * along, 5), plan((1, 5), (5, 5), flags=0x80)
    )
    with pytest.warns(DataWarning, match=r"143\.1 degrees"):
        found = read(write(content))
    assert found.frame.shape == (5, 1)
    np.testing.assert_allclose(
        pixels_um(found.frame)[:, 0], np.stack([3 + 3 * along, 4 - 4 * along], axis=-1), atol=1e-9
    )  # (y, x) in the file


@pytest.mark.parametrize("order", [ROWS, COLUMNS, SNAKE], ids=["rows", "StreamLine", "snake"])
def test_a_scan_at_an_angle_lies_where_the_stage_was(write, order):
    angle = np.deg2rad(33.0)
    x, y = 7 + np.cos(angle) * X - np.sin(angle) * Y, -5 + np.sin(angle) * X + np.cos(angle) * Y
    places = origins(y[order], x[order], NY * NX)
    with pytest.warns(DataWarning, match=r"33\.0 degrees"):
        found = read(write(wdf_bytes(COUNTS.reshape(-1, N)[order], AXIS, places, PLAN)))
    which = found.counts[:, :, 0].astype(int) // N
    np.testing.assert_allclose(pixels_um(found.frame), np.stack([y[which], x[which]], axis=-1), atol=1e-9)


START = 133008257038481252
SERIES = {
    "time": ((11, FILE_TIME, "Time", START + np.array([0, 10, 25, 100]) * 10**7), Direction("time", "s", (0.0, 1.0, 2.5, 10.0)), 10 / 3),
    "temperature": ((9, KELVIN, "Temperature", [4.0, 10, 16, 22]), Direction("temperature", "K"), 6.0),
    "focus": ((5, UM, "Z", [-2.0, -1, 0, 1]), Direction("z", "um"), 1.0),
}


@pytest.mark.parametrize(("more", "along", "step"), SERIES.values(), ids=SERIES)
@pytest.mark.parametrize("measurement", [2, 3])
def test_a_series_runs_over_what_the_file_says(write, more, along, step, measurement):
    if along.values:
        more = (*more[:3], START + np.array([0, 1, 2.5, 10]) * 1e7)
    content = wdf_bytes(COUNTS[0], AXIS, origins([2.0] * NX, [3.0] * NX, NX, more=(more,)), n_lists=3, measurement=measurement)
    found = read(write(content))
    np.testing.assert_array_equal(found.counts[:, 0], COUNTS[0])
    assert found.frame.directions[0] == along
    assert found.frame.step_um[0] == pytest.approx(step)
    assert found.frame.has_places is (along.unit == "um")


def test_a_temperature_goes_before_the_clock(write):
    clock = (11, FILE_TIME, "Time", START + np.arange(NX) * 10**7)
    heat = (9, KELVIN, "Temperature", [4.0, 10, 17, 22])
    content = wdf_bytes(COUNTS[0], AXIS, origins([2.0] * NX, [3.0] * NX, NX, more=(clock, heat)), n_lists=4, measurement=2)
    assert read(write(content)).frame.directions[0] == Direction("temperature", "K", (4.0, 10.0, 17.0, 22.0))


@pytest.mark.parametrize("along", ["x", "y", "distance"])
def test_a_section_in_depth_has_z_down_its_rows(write, along):
    x, y = (X, np.full_like(Y, 5.0)) if along == "x" else (np.full_like(X, 5.0), X) if along == "y" else (0.6 * X, 0.8 * X)
    places = origins(y[COLUMNS], x[COLUMNS], NY * NX, more=((5, UM, "Z", Y[COLUMNS]),))
    region = block("WMAP", struct.pack("<II6f4I", 0, 0, *[0.0] * 3, *[1.0] * 3, NX, 1, NY, 0))
    path = write(wdf_bytes(COUNTS.reshape(-1, N)[COLUMNS], AXIS, places, region, n_lists=3))
    found = read(path)
    np.testing.assert_array_equal(found.counts, COUNTS)
    assert found.frame.directions == (Direction("z"), Direction(along))
    np.testing.assert_allclose(found.frame.y_um, np.unique(Y))
    assert list_items(path)[0].shape == COUNTS.shape


def test_a_volume_is_refused_and_a_map_that_follows_the_surface_is_not(write):
    y, x, z = (grid.ravel() for grid in np.meshgrid([0.0, 2], [1.0, 2.5, 4], [0.0, 5], indexing="ij"))
    spectra = COUNTS.reshape(-1, N)
    with pytest.raises(ReaderError, match="volume, 6 places"):
        read(write(wdf_bytes(spectra, AXIS, origins(y, x, 12, more=((5, UM, "Z", z),)), n_lists=3)))
    surface = np.random.default_rng(0).normal(size=12)
    found = read(write(wdf_bytes(spectra, AXIS, origins(Y, X, 12, more=((5, UM, "Z", surface),)), n_lists=3)))
    np.testing.assert_array_equal(found.counts, COUNTS)


@pytest.mark.parametrize(
    ("unit", "kind"), [(1, AxisKind.RAMAN_SHIFT), (2, AxisKind.WAVENUMBER), (4, AxisKind.ENERGY), (3, AxisKind.WAVELENGTH)]
)
def test_kinds_of_axis(write, unit, kind):
    assert read(write(wdf_bytes(COUNTS[0, :1], AXIS, n_lists=0, unit=unit))).axis.kind is kind
    assert read(write(wdf_bytes(COUNTS[0, :1], AXIS, n_lists=0, unit=unit)), unit="abs. cm-1").axis.kind is AxisKind.WAVENUMBER


def test_a_shift_that_no_light_of_this_laser_has_is_told(write):
    path = write(wdf_bytes(COUNTS[0, :1], AXIS + 13000, n_lists=0))
    with pytest.warns(DataWarning, match=r"taken as Raman shift; if it is wavenumber of light, give the unit 'abs\. cm-1'"):
        assert read(path).axis.kind is AxisKind.RAMAN_SHIFT


def test_series_in_time_is_a_list_though_the_stage_was_read(write):
    content = wdf_bytes(COUNTS[0], AXIS, origins(np.full(NX, 2.0), np.full(NX, 3.0), NX))
    with pytest.warns(DataWarning, match="no scan of the stage"):
        found = read(write(content))
    np.testing.assert_array_equal(found.counts[:, 0], COUNTS[0])


def test_single_spectrum(write):
    found = read(write(wdf_bytes(COUNTS[0, :1], AXIS, n_lists=0)))
    np.testing.assert_array_equal(found.counts, COUNTS[:1, :1])


def test_unit_that_is_none_of_light_is_asked_for(write):
    path = write(wdf_bytes(COUNTS[0, :1], AXIS, n_lists=0, unit=16))
    with pytest.warns(DataWarning, match="does not say the unit"):
        read(path)
    assert read(path, unit="nm").axis.kind is AxisKind.WAVELENGTH


def test_picture_lies_where_the_microscope_was(write):
    (found,) = pictures(write(WHOLE))
    assert found.frame == Frame((8, 16), (2.0, 2.0), (6.0, -29.0))  # centre of its first pixel, 2 um wide, at the corner (-30, 5)
    assert found.values[1, 1, 0] > 200 > 50 > found.values[6, 12].max()
    assert not pictures(write(scanned(ROWS, PLAN)))


def test_picture_that_claims_more_than_it_holds(write):
    start = WHOLE.index(b"\xff\xc0")
    content = bytearray(WHOLE)
    content[start + 5 : start + 9] = b"\x20\x00\x20\x00"
    with pytest.raises(ReaderError, match="picture in it is incomplete"):
        pictures(write(bytes(content)))


def test_sizes_that_lie_take_no_memory(write):
    huge = head(1 << 16, 1 << 40, 1 << 40, 2) + block("DATA", bytes(64))
    with pytest.raises(ReaderError, match="fewer spectra"):
        read(write(huge))
    with pytest.raises(ReaderError, match="no complete spectrum"):
        read(write(head(0, 0, 0, 0)))


def test_a_plan_for_more_than_there_is_room_for_is_not_believed(write):
    huge = plan((1000, 1000), (0.5, 0.25), (10.0, -20.0))
    content = bytearray(wdf_bytes(COUNTS.reshape(-1, N), AXIS, origins(Y, X, 10**6), huge))
    struct.pack_into("<Q", content, 16 + 0x30, 10**6)  # planned: a million spectra, as the list of positions and the grid say
    path = write(bytes(content))
    tracemalloc.start()
    found = read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(found.counts, COUNTS)
    assert peak < 1e6


def test_block_of_size_zero_does_not_hang(write):
    with pytest.raises(ReaderError, match="incomplete"):
        read(write(scanned(ROWS, PLAN)[:600].ljust(5000, b"\0")))


def test_a_lost_end_behind_whole_spectra_is_told(write):
    with pytest.warns(DataWarning, match=r"breaks off in its block WHTL: the spectra are whole"):
        found = read(write(WHOLE[:-20]))
    assert found.counts.size == COUNTS.size


@settings(max_examples=200, deadline=2000)
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 7), st.one_of(st.just(len(WHOLE)), st.integers(0, len(WHOLE))))
def test_damage_gives_a_sentence_or_a_map(tmp_path_factory, position, bit, length):
    content = bytearray(WHOLE)
    content[position] ^= 1 << bit
    path = tmp_path_factory.getbasetemp() / "damaged.wdf"
    path.write_bytes(content[:length])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        for action in (read, pictures):
            try:
                found = action(path)
            except UserError as error:
                assert "\n" not in str(error)
                continue
            assert action is pictures or found.counts.size <= 8 * COUNTS.size  # a stage position that is wrong widens the grid


def test_real_map(shared_data):
    path = shared_data / "renishaw" / "renishaw_test_map.wdf"
    found = read(path)
    assert (found.counts.shape, found.frame) == ((3, 3, 47), Frame((3, 3), (100.0, 100.0), (-100.0, -100.0)))
    assert (found.axis.kind, found.axis.laser_nm) == (AxisKind.WAVELENGTH, 325.0003)
    stored = np.fromfile(path, "<f4", 9 * 47, offset=512 + 16).reshape(3, 3, 47)
    np.testing.assert_array_equal(found.counts, stored[:, :, ::-1])
    assert pictures(path)[0].frame.shape == (480, 752)


def test_real_interrupted_map(shared_data):
    path = shared_data / "renishaw" / "interrupted_acquisition.wdf"
    with pytest.warns(DataWarning, match="4 of 16 pixels of the 4 x 4 grid are missing"):
        found = read(path)
    assert found.axis.kind is AxisKind.RAMAN_SHIFT
    np.testing.assert_array_equal(found.measured.sum(axis=1), [4, 4, 4, 0])
    assert found.counts[0, 0, -1] == pytest.approx(73.42675)
    frame, picture = found.frame, pictures(path)[0].frame  # the map lies within its picture
    assert picture.y_um[0] < frame.y_um[0] < frame.y_um[-1] < picture.y_um[-1]
    assert picture.x_um[0] < frame.x_um[0] < frame.x_um[-1] < picture.x_um[-1]


def test_real_line(shared_data):
    with pytest.warns(DataWarning, match=r"45\.0 degrees"):
        found = read(shared_data / "renishaw" / "renishaw_test_linescan.wdf")
    assert found.counts.shape == (5, 1, 40)
    at = -50 + np.sqrt(0.5) * 30 * np.arange(5)  # as the list of coordinates in the file, for x and for y
    np.testing.assert_allclose(pixels_um(found.frame)[:, 0], np.stack([at, at], axis=-1), atol=1e-4)
    assert found.frame.step_um[0] == pytest.approx(30.0)


def number_in(content: bytes, name: bytes) -> int:
    """Whole number of a property by its name, from the bytes: the item that names a key, then the one that has it."""
    at = content.index(struct.pack("<I", len(name)) + name) - 4
    assert content[at : at + 1] == b"k"
    value = content.rindex(b"i\0" + content[at + 2 : at + 4], 0, at) + 4 if b"i\0" + content[at + 2 : at + 4] in content[:at] else None
    value = value or content.index(b"i\0" + content[at + 2 : at + 4], at) + 4
    return struct.unpack_from("<i", content, value)[0]


@pytest.mark.parametrize(
    ("name", "exposure_s", "accumulations", "n_taken", "filter_percent", "grating", "objective"),
    [
        ("renishaw_test_map", 1.0, 2, 4, "100 %", "1200 l/mm (325nm PL / 532nm )", "x15NUV"),
        ("renishaw_test_linescan", 1.0, 1, 1, "100 %", "1200 l/mm (325nm PL / 532nm )", "x15NUV"),
        ("interrupted_acquisition", 0.5, 1, 1, "10 %", "2400 l/mm (vis)", "x100"),
    ],
)
def test_how_the_spectra_were_taken(shared_data, name, exposure_s, accumulations, n_taken, filter_percent, grating, objective):
    """As Renishaw's own library gives it; the duration that the instrument clocked agrees."""
    path = shared_data / "renishaw" / f"{name}.wdf"
    content = path.read_bytes()
    (item,) = list_items(path)
    taken = item.acquisition
    assert (taken.exposure_s, taken.accumulations, taken.power_mw) == (exposure_s, accumulations, None)
    assert (taken.attenuation, taken.grating, taken.objective) == (filter_percent, grating, objective)
    assert number_in(content, b"Exposure Time") == 1000 * exposure_s
    clocked_s = number_in(content, b"ScanDuration(ms)") / 1000
    n_spectra = struct.unpack_from("<Q", content, 16 + 0x38)[0]
    assert n_taken * exposure_s * n_spectra < clocked_s < 2.5 * n_taken * exposure_s * n_spectra + 10


def set_of(*items):
    """Property set of (kind, flags, key, bytes)."""
    content = b"".join(struct.pack("<cBH", kind.encode(), flags, key) + value for kind, flags, key, value in items)
    return b"PSET" + struct.pack("<I", len(content)) + content


def with_properties(tmp_path, content):
    path = tmp_path / "map.wdf"
    spectra = np.arange(60, dtype=np.float32).reshape(6, 10)
    y, x = (grid.ravel().astype(float) for grid in np.meshgrid(np.arange(2), np.arange(3), indexing="ij"))
    path.write_bytes(wdf_bytes(spectra, np.arange(10) + 100.0, origins(y, x, 6), plan((2, 3), (1.0, 1.0)), block("WXIS", content)))
    return path


def text(words):
    return struct.pack("<I", len(words)) + words


def test_properties_that_are_damaged_keep_no_map_from_being_read(tmp_path):
    microscope = set_of(("u", 0, 0x3FF, text(b"x50")))[8:]
    whole = set_of(("k", 0, 0x8001, text(b"Microscope")), ("p", 0, 0x8001, struct.pack("<I", len(microscope)) + microscope))
    assert list_items(with_properties(tmp_path, whole))[0].objective == "x50"
    nested = b""
    for _ in range(2000):
        nested = struct.pack("<cBHI", b"p", 0, 0x8001, len(nested)) + nested
    bad = [
        whole[:-3],
        whole.replace(b"x50", b"\xff\xfe\xfd"),
        b"PSET" + struct.pack("<I", 9),
        set_of(("p", 0, 0x8001, nested)),
        whole[:8] + b"z" * 40,
    ]
    bad += [set_of(("i", 0x80, 0x8001, struct.pack("<I", 2**32 - 1))), set_of(*[("?", 0, 1, b"\0")] * 30_000)]
    for content in bad:
        assert read(with_properties(tmp_path, content)).counts.shape == (2, 3, 10)

"""SPC files: planes and Z put spectra where they belong, in every encoding; damaged files a sentence."""

import struct
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_wse2xai.data import AxisKind, Direction, Frame
from napari_wse2xai.errors import DataError, DataWarning, ReaderError, UserError
from napari_wse2xai.io import list_items, read

NY, NX, N = 3, 4, 6
COUNTS = np.arange(NY * NX * N, dtype=np.float32).reshape(NY, NX, N)
AXIS = 100 + 3.0 * np.arange(N)
MICROMETRES, NANOMETRES, RAMAN, SECONDS = 2, 3, 13, 4
FLOATS, SHORT, MULTI, ORDERED, OWN_X, HAS_X = -128, 1, 4, 16, 64, 128


def header(flags, n_subs, *, exponent=FLOATS, x=AXIS, x_type=RAMAN, place_type=MICROMETRES, planes=0, w_step=0.0, log_at=0, version=0x4B):
    head = bytearray(512)
    struct.pack_into("<BBBbiddi", head, 0, flags, version, 0, exponent, len(x), x[0], x[-1], n_subs)
    struct.pack_into("<BBBBI", head, 28, x_type, 4, place_type, 0, 2022 << 20 | 6 << 16 | 27 << 11 | 17 << 6 | 52)
    head[88:93] = b"flake"
    struct.pack_into("<i", head, 248, log_at)
    struct.pack_into("<fifB", head, 312, 0.0, planes, w_step, place_type)
    return bytes(head)


def sub(number, payload, *, exponent=FLOATS, z=0.0, w=0.0, n=N):
    return struct.pack("<BbhfffiifI", 0, exponent, number, z, z + 0.25, 0.0, n, 1, w, 0) + payload


def places():
    return [(w, z) for w in 10 + 0.5 * np.arange(NY) for z in -20 + 0.25 * np.arange(NX)]


def spc_map(**options):
    flags = options.pop("flags", MULTI | ORDERED)
    subs = [sub(i, spectrum.tobytes(), z=z, w=w) for i, (spectrum, (w, z)) in enumerate(zip(COUNTS.reshape(-1, N), places(), strict=True))]
    return header(flags, NY * NX, planes=NY, **options) + b"".join(subs)


@pytest.fixture
def write(tmp_path):
    def writer(content, name="flake.spc"):
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return writer


@pytest.mark.parametrize("flags", [MULTI, MULTI | ORDERED], ids=["even", "each says"])
@pytest.mark.parametrize("w_step", [0.0, 0.5])
def test_planes_are_rows(write, flags, w_step):
    path = write(spc_map(flags=flags, w_step=w_step))
    found = read(path)
    np.testing.assert_array_equal(found.counts, COUNTS)
    assert found.frame == Frame((NY, NX), pytest.approx((0.5, 0.25)), pytest.approx((10.0, -20.0)))
    np.testing.assert_allclose(found.axis.values, AXIS)
    assert (found.axis.kind, found.metadata["Comment"], found.metadata["Date"]) == (AxisKind.RAMAN_SHIFT, "flake", "2022-06-27 17:52")
    assert list_items(path)[0].shape == (NY, NX, N)


def test_planes_without_a_length(write):
    with pytest.warns(DataWarning, match="taken as µm"):
        found = read(write(spc_map(place_type=0)))
    np.testing.assert_array_equal(found.counts, COUNTS)
    assert (found.frame.step_um, found.frame.origin_um) == (pytest.approx((0.5, 0.25)), pytest.approx((10.0, -20.0)))


@pytest.mark.parametrize("place_type", [0, MICROMETRES])
@pytest.mark.parametrize("flags", [MULTI, MULTI | ORDERED])
def test_planes_are_found_without_their_number(write, flags, place_type, recwarn):
    content = spc_map(flags=flags)[512:]
    found = read(write(header(flags, NY * NX, place_type=place_type) + content))
    np.testing.assert_array_equal(found.counts, COUNTS)
    assert (found.frame.step_um, found.frame.origin_um) == (pytest.approx((0.5, 0.25)), pytest.approx((10.0, -20.0)))
    assert any("taken as µm" in str(each.message) for each in recwarn) == (place_type == 0)


@pytest.mark.parametrize(("code", "name", "unit"), [(SECONDS, "time", "s"), (21, "temperature", "K"), (5, "time", "min")])
def test_planes_in_time_or_temperature_are_no_lengths(write, code, name, unit):
    content = bytearray(spc_map())
    content[324] = code
    found = read(write(bytes(content)))
    np.testing.assert_array_equal(found.counts, COUNTS)
    assert found.frame.directions == (Direction(name, unit), Direction("x"))
    np.testing.assert_allclose(found.frame.y_um, 10 + 0.5 * np.arange(NY))
    assert not found.frame.has_places


@pytest.mark.parametrize(
    ("code", "x", "kind", "is_told"),
    [
        (1, 12900 + 10 * np.arange(N), AxisKind.WAVENUMBER, False),
        (13, 12900 + 10 * np.arange(N), AxisKind.RAMAN_SHIFT, True),  # in the near infrared with any but an ultraviolet laser
        (1, AXIS, AxisKind.RAMAN_SHIFT, True),
        (13, AXIS, AxisKind.RAMAN_SHIFT, False),
        (14, 1.5 + 0.1 * np.arange(N), AxisKind.ENERGY, False),
    ],
)
def test_what_the_axis_is_called_tells_light_from_shift(write, code, x, kind, is_told, recwarn):
    path = write(header(0, 1, x=x, x_type=code) + sub(0, COUNTS[0, 0].tobytes()))
    found = read(path)
    assert found.axis.kind is kind
    np.testing.assert_allclose(found.axis.values, x)
    assert any("is taken as" in str(each.message) for each in recwarn) is is_told
    assert read(path, unit="abs. cm-1").axis.kind is AxisKind.WAVENUMBER


def test_an_axis_that_is_none_of_light_is_asked_for(write):
    path = write(header(0, 1, x=AXIS, x_type=SECONDS) + sub(0, COUNTS[0, 0].tobytes()))
    with pytest.raises(DataError, match="'s' is not known"):
        read(path)
    assert read(path, unit="nm").axis.kind is AxisKind.WAVELENGTH


@pytest.mark.parametrize(
    ("line", "laser"),
    [
        ("EXCIT_LINE = 532.43", 532.43),
        ("LASER (NM) = 632.8", 632.8),
        ("Laser = 532nm_Edge", 532.0),
        ("Excitation wavelength = 488 nm", 488.0),
        ("Laser = 785", 785.0),
        ("LASER MODE = HIGH DENSITY 10", None),
        ("Laser power = 5.0", None),
        ("ACQ. TIME (S) = 532", None),
    ],
)
def test_laser_where_the_log_names_it(write, line, laser):
    spectrum = sub(0, COUNTS[0, 0].tobytes())
    text = f"LASER MODE = HIGH\r\n{line}\r\n\0".encode()
    log = struct.pack("<iiii", 64 + len(text), 0, 64, 0).ljust(64, b"\0") + text
    found = read(write(header(0, 1, log_at=512 + len(spectrum)) + spectrum + log))
    assert found.axis.laser_nm == laser


def test_line_and_time_series(write):
    content = spc_map()[512 : 512 + NX * (32 + 4 * N)]
    line = read(write(header(MULTI | ORDERED, NX) + content))
    np.testing.assert_array_equal(line.counts[:, 0], COUNTS[0])
    assert (line.frame.step_um[0], line.frame.origin_um[0]) == pytest.approx((0.25, -20.0))
    series = read(write(header(MULTI | ORDERED, NX, place_type=SECONDS) + content))
    np.testing.assert_array_equal(series.counts, line.counts)
    assert series.frame.directions[0] == Direction("time", "s")
    assert (series.frame.step_um[0], series.frame.origin_um[0]) == pytest.approx((0.25, -20.0))


def test_uneven_times_are_kept(write):
    times = (0.0, 1.0, 2.5, 10.0)
    subs = b"".join(sub(i, COUNTS[0, i].tobytes(), z=time) for i, time in enumerate(times))
    series = read(write(header(MULTI | ORDERED, NX, place_type=SECONDS) + subs))
    np.testing.assert_array_equal(series.counts[:, 0], COUNTS[0])
    assert series.frame.directions[0] == Direction("time", "s", times)


@pytest.mark.parametrize(("flags", "kind", "bits"), [(0, "<i4", 32), (SHORT, "<i2", 16)])
def test_whole_numbers_with_an_exponent(write, flags, kind, bits):
    stored = (COUNTS[0] * 2 ** (bits - 10)).astype(kind)
    subs = b"".join(sub(i, row.tobytes(), exponent=10, z=float(i)) for i, row in enumerate(stored))
    found = read(write(header(MULTI | ORDERED | flags, NX, exponent=10) + subs))
    np.testing.assert_array_equal(found.counts[:, 0], COUNTS[0])


def test_one_spectrum_among_whole_numbers_may_be_floats(write):
    whole = sub(0, (COUNTS[0, 0] * 2**22).astype("<i4").tobytes(), exponent=10)
    found = read(write(header(MULTI | ORDERED, 2, exponent=10) + whole + sub(1, COUNTS[0, 1].tobytes(), z=1.0)))
    np.testing.assert_array_equal(found.counts[:, 0], COUNTS[0, :2])


def test_axis_in_the_file_falling_in_nm(write):
    values = (AXIS[::-1] ** 1.01 + 400).astype("<f4")
    found = read(write(header(HAS_X, 1, x=values, x_type=NANOMETRES) + values.tobytes() + sub(0, COUNTS[0, 0].tobytes())))
    np.testing.assert_array_equal(found.axis.values, values[::-1])
    np.testing.assert_array_equal(found.counts[0, 0], COUNTS[0, 0, ::-1])


def test_spectra_with_their_own_axes(write):
    def own(*axes):
        subs = [sub(i, axis.astype("<f4").tobytes() + COUNTS[0, i].tobytes(), z=float(i), n=len(axis)) for i, axis in enumerate(axes)]
        return write(header(MULTI | ORDERED | OWN_X | HAS_X, len(axes)) + b"".join(subs))

    found = read(own(AXIS, AXIS))
    np.testing.assert_array_equal(found.counts[:, 0], COUNTS[0, :2])
    with pytest.raises(ReaderError, match="different spectral axes"):
        read(own(AXIS, AXIS + 1))


def test_micrometres_become_nm(write):
    values = (0.5 + AXIS / 1e3).astype("<f4")
    found = read(write(header(HAS_X, 1, x=values, x_type=2) + values.tobytes() + sub(0, COUNTS[0, 0].tobytes())))
    assert found.axis.kind is AxisKind.WAVELENGTH
    np.testing.assert_allclose(found.axis.values, 500 + AXIS, rtol=1e-6)


def test_log_tells_the_laser(write):
    text = b"Laser=532.02 nm\r\nObjective=x100\r\n"
    body = sub(0, COUNTS[0, 0].tobytes())
    log = struct.pack("<iiiii", 64 + len(text), 0, 64, 0, 0).ljust(64, b"\0") + text
    found = read(write(header(0, 1, log_at=512 + len(body)) + body + log))
    assert (found.axis.laser_nm, found.metadata["Objective"]) == (532.02, "x100")


def test_old_files_are_named(write):
    with pytest.raises(ReaderError, match="of an old kind"):
        read(write(spc_map(version=0x4D)))


@pytest.mark.parametrize("n", [2**31 - 1, -1, 0, 10**6])
def test_sizes_that_lie_take_no_memory(write, n):
    content = bytearray(spc_map())
    struct.pack_into("<i", content, 4, n)
    with pytest.raises(ReaderError, match="fewer spectra"):
        read(write(bytes(content)))


WHOLE = spc_map()


@settings(max_examples=200, deadline=2000)
@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 7), st.one_of(st.just(len(WHOLE)), st.integers(0, len(WHOLE))))
def test_damage_gives_a_sentence_or_a_map(tmp_path_factory, position, bit, length):
    content = bytearray(WHOLE)
    content[position] ^= 1 << bit
    path = tmp_path_factory.getbasetemp() / "damaged.spc"
    path.write_bytes(content[:length])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        try:
            found = read(path)
        except UserError as error:
            assert "\n" not in str(error)
            return
    assert found.counts.size <= 8 * COUNTS.size  # pixels that no spectrum belongs to are NaN

"""NT-MDT files: real ones, made ones with every layout, and damaged ones."""

import random
import tracemalloc
import warnings

import mdt_file as mdt
import numpy as np
import pytest

from napari_wse2xai.data import AxisKind
from napari_wse2xai.errors import DataError, DataWarning, ReaderError
from napari_wse2xai.io import list_items, pictures, read

AXIS = np.linspace(540.0, 560.0, 7)
CUBE = np.arange(3 * 4 * 7, dtype=np.float32).reshape(3, 4, 7)
"""Row 0 is the top one, as read."""
PLACES = np.array([(x, y) for x in (10.0, 10.5, 11.0, 11.5) for y in (20.0, 20.25, 20.5)])


@pytest.fixture
def written(tmp_path):
    def write(*frames: bytes):
        path = tmp_path / "made.mdt"
        path.write_bytes(mdt.file_of(*frames))
        return path

    return write


def everything() -> bytes:
    curves = np.arange(12 * 5).reshape(12, 5)
    return mdt.file_of(
        mdt.scan(np.arange(12).reshape(3, 4)),
        mdt.nanofinder(AXIS, AXIS * 10),
        mdt.raman_map(CUBE, AXIS),
        mdt.at_points(PLACES, curves),
        mdt.curves(PLACES, curves, (100.0, 140.0), ("1/cm", "counts")),
    )


def test_real_file_of_nanofinder(shared_data):
    path = shared_data / "ntmdt" / "Spectra.mdt"
    assert [str(item) for item in list_items(path)] == [
        "Spectrum_1: 1 x 1 pixel, 1024 channels, 532–557 nm (not a scan)",
        "Spectrum_2: 1 x 1 pixel, 1024 channels, 505–589 nm (not a scan)",
    ]
    spectrum = read(path, "Spectrum_2")
    assert (spectrum.axis.kind, spectrum.axis.laser_nm) == (AxisKind.WAVELENGTH, 532.0)
    assert np.array_equal(spectrum.counts, spectrum.counts.round())
    assert spectrum.counts[0, 0, :6].tolist() == [503, 503, 502, 504, 506, 501]
    brightest = spectrum.axis.values[spectrum.counts[0, 0].argmax()]
    assert abs(brightest - 532.0) < 0.1, "the laser line is the strongest"


def test_real_file_with_a_map_of_one_value_gives_a_picture_in_its_place(shared_data):
    path = shared_data / "ntmdt" / "Spectra_and_2DMaps.mdt"
    (picture,) = pictures(path)
    assert (picture.name, picture.unit, picture.frame.shape) == ("2D_Map", "counts", (39, 51))
    assert picture.frame.x_um[[0, -1]] == pytest.approx([48.2841, 48.2841 + 50 * 0.1007095], abs=1e-3)
    assert picture.frame.y_um[[0, -1]] == pytest.approx([42.08896 + 38 * 0.1007095, 42.08896], abs=1e-3)
    along, across = (np.abs(np.diff(picture.values, axis=axis)).mean() for axis in (0, 1))
    scrambled = picture.values.reshape(51, 39)
    assert max(along, across) < np.abs(np.diff(scrambled, axis=0)).mean()
    assert [item.what for item in list_items(path)] == ["", "picture (counts)", ""]


def test_real_file_of_curves_that_are_not_light(shared_data):
    path = shared_data / "ntmdt" / "GaAs_map.mdt"
    listed = {item.name: (item.shape, item.what) for item in list_items(path)}
    assert listed["I_(BV)"] == ((5, 5, 587), "not optical: Iprobe (nA) over BVValue (V)")
    assert listed["1F:Iprobe"] == ((256, 256, 1), "picture (nA)")
    assert [(p.name, p.frame.shape) for p in pictures(path)] == [("1F:Iprobe", (256, 256)), ("1B:Iprobe", (256, 256))]
    with pytest.raises(ReaderError, match="no spectra of light"):
        read(path)
    with pytest.raises(ReaderError, match=r"not optical: Iprobe"):
        read(path, "I_(BV)")


def test_trace_and_retrace_of_a_real_scan_show_the_same_place(shared_data):
    there, back = (p.values for p in pictures(shared_data / "ntmdt" / "GaAs_map.mdt"))
    straight = np.corrcoef(there.ravel(), back.ravel())[0, 1]
    assert straight > 3 * abs(np.corrcoef(there.ravel(), back[:, ::-1].ravel())[0, 1])


def test_scan_becomes_a_picture_with_its_largest_y_on_top(written):
    values = np.arange(12).reshape(3, 4)
    (picture,) = pictures(written(mdt.scan(values)))
    assert np.array_equal(picture.values, 100 + 0.5 * values[::-1])
    assert (picture.unit, picture.values.dtype) == ("nA", np.float32)
    assert picture.frame.y_um.tolist() == [20.5, 20.25, 20.0]
    assert picture.frame.x_um.tolist() == [10.0, 10.5, 11.0, 11.5]


SCANNED = {
    "HLT": lambda cube: cube,
    "HLB": lambda cube: cube[::-1],
    "HRT": lambda cube: cube[:, ::-1],
    "HRB": lambda cube: cube[::-1, ::-1],
    "VLT": lambda cube: cube.transpose(1, 0, 2),
    "VLB": lambda cube: cube[::-1].transpose(1, 0, 2),
    "VRT": lambda cube: cube[:, ::-1].transpose(1, 0, 2),
    "VRB": lambda cube: cube[::-1, ::-1].transpose(1, 0, 2),
}


@pytest.mark.parametrize("location", SCANNED)
def test_map_comes_out_the_same_however_it_was_scanned(written, location):
    stored = SCANNED[location](CUBE).reshape(CUBE.shape)
    found = read(written(mdt.raman_map(stored, AXIS, Location=list(SCANNED).index(location))))
    assert np.array_equal(found.counts, CUBE)
    assert found.counts.flags.c_contiguous
    assert (found.axis.kind, found.axis.laser_nm) == (AxisKind.WAVELENGTH, 532.0)
    assert found.axis.values == pytest.approx(AXIS, rel=1e-6)
    assert found.frame.y_um.tolist() == [20.5, 20.25, 20.0]


def test_intensities_in_a_file_of_their_own(written, tmp_path):
    path = written(mdt.raman_map(CUBE, AXIS, is_external=True, ExternalDataFileName="..\\secret\\cube.dat"))
    assert list_items(path)[0].shape == CUBE.shape
    with pytest.raises(ReaderError, match=r"'cube.dat', which is not beside"):
        read(path)
    (tmp_path / "cube.dat").write_bytes(CUBE.tobytes()[:-4])
    with pytest.raises(ReaderError, match="fewer spectra"):
        read(path)
    (tmp_path / "cube.dat").write_bytes(CUBE.tobytes())
    assert np.array_equal(read(path).counts, CUBE)


@pytest.mark.parametrize("kind", ["points", "curves"])
def test_curves_at_points_become_a_map(written, kind):
    values = np.arange(12 * 5).reshape(12, 5)
    if kind == "points":
        path, expected = written(mdt.at_points(PLACES, values)), 5 + 0.5 * values
    else:
        path, expected = written(mdt.curves(PLACES, values, (100.0, 108.0), ("1/cm", "counts"))), values
    found = read(path)
    assert found.axis.values == pytest.approx([100, 102, 104, 106, 108])
    assert found.axis.kind is AxisKind.RAMAN_SHIFT
    assert found.frame.y_um == pytest.approx([20.5, 20.25, 20.0])
    for (x, y), spectrum in zip(PLACES, expected, strict=True):
        row, column = round((20.5 - y) / 0.25), round((x - 10) / 0.5)
        assert np.array_equal(found.counts[row, column], spectrum)


def test_axis_that_falls_is_turned_with_its_counts(written):
    values = np.arange(12 * 5).reshape(12, 5)
    found = read(written(mdt.curves(PLACES, values, (108.0, 100.0), ("1/cm", "counts"))))
    assert found.axis.span == (100.0, 108.0)
    assert found.counts[-1, 0].tolist() == values[0, ::-1].tolist()


@pytest.mark.parametrize(
    "frame",
    [
        mdt.curves(PLACES, np.ones((12, 5)), (-3.0, 3.0), ("V", "nA")),
        mdt.curves(PLACES, np.ones((12, 5)), (0.0, 300.0), ("nm", "nA")),
        mdt.at_points(PLACES, np.ones((12, 5)), unit=2),
        mdt.old(1, ((0, 1, mdt.NM), (0, 1, mdt.NONE), (0, 1, mdt.NANOAMPERE)), 5, 1, bytes(10), "force"),
        mdt.raman_map(CUBE, AXIS, FrameType="HybridForceVolume"),
    ],
    ids=["I(V)", "force over nm", "points over V", "old force curve", "force volume"],
)
def test_curves_that_are_not_light_are_listed_and_never_returned(written, frame):
    path = written(frame)
    (item,) = list_items(path)
    assert item.what.startswith("not optical")
    with pytest.raises(ReaderError, match="not optical"):
        read(path)


def test_unknown_frames_are_listed_skipped_and_told(written):
    path = written(mdt.frame(77, b"anything"), mdt.raman_map(CUBE, AXIS), mdt.frame(107, b"colours"), mdt.frame(3, b"words"))
    assert [item.what for item in list_items(path)] == [
        "frame of unknown type (77), cannot be read",
        "",
        "palette (107), cannot be read",
        "text",
    ]
    with pytest.warns(DataWarning) as caught:
        assert np.array_equal(read(path).counts, CUBE)
    assert "2 frames were skipped: 'Frame 1' (frame of unknown type (77), cannot be read)" in str(caught[0].message)


def test_frames_of_one_title_get_names_of_their_own(written):
    path = written(*[mdt.nanofinder(AXIS, AXIS + number) for number in range(3)])
    assert [item.name for item in list_items(path)] == ["Spectrum", "Spectrum (2)", "Spectrum (3)"]
    assert read(path, "Spectrum (3)").counts[0, 0] == pytest.approx(AXIS + 2)


def outcome(path):
    """Read all that a file says it holds; damage must come as one of our errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        try:
            for item in list_items(path):
                if item.is_spectra:
                    read(path, item.name)
            pictures(path)
        except (ReaderError, DataError) as error:
            assert "\n" not in str(error)


def test_truncated_anywhere(tmp_path):
    content, path = everything(), tmp_path / "cut.mdt"
    for size in range(1, len(content), 23):
        path.write_bytes(content[:size])
        with pytest.raises(ReaderError):
            list_items(path)


def test_flipped_bits_give_an_error_or_a_map(tmp_path):
    content, path = everything(), tmp_path / "flipped.mdt"
    chance = random.Random(0)
    for _ in range(150):
        damaged = bytearray(content)
        for _ in range(chance.choice((1, 1, 3, 20))):
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        outcome(path)


def test_an_index_that_counts_more_channels_than_there_are_makes_no_axis(tmp_path):
    content = mdt.file_of(mdt.curves(PLACES, np.ones((12, 5)), (100.0, 140.0), ("1/cm", "counts")))
    for old, new in (
        ('count="5" start="100.0" stop="140.0"', 'count="999999999" start="1" stop="9"'),
        ('offset="0" count="5"', 'count="999999999"'),
    ):
        assert old.encode() in content
        content = content.replace(old.encode(), new.ljust(len(old)).encode())
    path = tmp_path / "huge.mdt"
    path.write_bytes(content)
    tracemalloc.start()
    with pytest.raises(ReaderError):
        read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


def test_huge_sizes_allocate_nothing(tmp_path):
    content, path = everything(), tmp_path / "huge.mdt"
    chance = random.Random(1)
    for _ in range(60):
        damaged = bytearray(content)
        place = chance.randrange(33, len(content) - 4)
        damaged[place : place + 4] = chance.choice((b"\xff\xff\xff\x7f", b"\xff\xff\xff\xff", b"\0\0\0\x10"))
        path.write_bytes(damaged)
        tracemalloc.start()
        outcome(path)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 2_000_000 + 20 * len(content)

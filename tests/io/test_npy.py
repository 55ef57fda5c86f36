"""NumPy arrays with an axis file beside them."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_wse2xai.data import AxisKind
from napari_wse2xai.errors import DataWarning, ReaderError, UserError
from napari_wse2xai.io import list_items, read

COUNTS = np.arange(3 * 4 * 6).reshape(3, 4, 6)
AXIS = 100 + 3.0 * np.arange(6)


TEXT = "Raman shift (cm-1)\n" + "\n".join(map(str, AXIS))


@pytest.fixture
def save(tmp_path):
    def saver(counts=COUNTS, ending="_axis.txt", axis=TEXT):
        np.save(tmp_path / "flake.npy", counts)
        if isinstance(axis, str):
            (tmp_path / f"flake{ending}").write_text(axis, encoding="utf-8")
        elif axis is not None:
            np.save(tmp_path / f"flake{ending}", axis)
        return tmp_path / "flake.npy"

    return saver


@pytest.mark.parametrize(
    ("ending", "axis", "kind"),
    [
        ("_axis.txt", TEXT, AxisKind.RAMAN_SHIFT),
        ("_axis.csv", "# nm\n" + ",".join(map(str, AXIS)), AxisKind.WAVELENGTH),
        ("_axis.csv", "energy [eV]\r\n" + "\r\n".join(map(str, AXIS)) + "\r\n", AxisKind.ENERGY),
    ],
)
def test_unit_in_the_axis_file(save, ending, axis, kind):
    path = save(ending=ending, axis=axis)
    with pytest.warns(DataWarning, match="taken as 1 µm"):
        found = read(path)
    np.testing.assert_array_equal(found.counts, COUNTS)
    np.testing.assert_array_equal(found.axis.values, AXIS)
    assert found.axis.kind is kind
    assert list_items(path)[0].shape == (3, 4, 6)


@pytest.mark.parametrize(("ending", "axis"), [("_axis.txt", "\n".join(map(str, AXIS))), ("_axis.npy", AXIS)])
def test_axis_without_a_unit_is_guessed_aloud(save, ending, axis):
    with pytest.warns(DataWarning, match=r"taken as (cm-1|1 µm)"):
        assert read(save(ending=ending, axis=axis)).axis.kind is AxisKind.RAMAN_SHIFT
    with pytest.warns(DataWarning, match="taken as 1 µm"):
        assert read(save(ending=ending, axis=axis), unit="nm").axis.kind is AxisKind.WAVELENGTH


def test_list_and_point(save):
    with pytest.warns(DataWarning, match="4 spectra are shown as a list"):
        assert read(save(COUNTS[0])).counts.shape == (4, 1, 6)
    np.testing.assert_array_equal(read(save(COUNTS[0, 0])).counts, COUNTS[:1, :1])


def test_the_name_of_the_axis_file_is_told(save):
    with pytest.raises(ReaderError, match=r"'flake_axis\.npy' or 'flake_axis\.txt' or 'flake_axis\.csv'.* 6 values"):
        read(save(axis=None))
    path = save(ending="_axis.npy", axis=AXIS)
    with pytest.raises(ReaderError, match=r"open 'flake\.npy'"):
        read(path.with_name("flake_axis.npy"))


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        ("1\n2\n3", "3 values, but 'flake.npy' has 6"),
        ("nm\n", "0 values"),
        ("1 2 3 4 5 nan", "not numbers"),
        ("\ufeff", "0 values"),
    ],
)
def test_bad_axis(save, axis, message):
    with pytest.raises(ReaderError, match=message):
        read(save(axis=axis))


@pytest.mark.parametrize("counts", [np.zeros((2, 3, 4, 6)), np.zeros((0, 4, 6)), COUNTS * 1j, np.array("text"), np.array([{}])])
def test_arrays_that_are_no_map(save, counts):
    with pytest.raises(ReaderError):
        read(save(counts))


def test_header_that_lies_takes_no_memory(save):
    path = save()
    content = path.read_bytes().replace(b"(3, 4, 6), }      ", b"(3333, 4444, 6), }", 1)
    assert b"4444" in content
    path.write_bytes(content)
    with pytest.raises(ReaderError, match="cannot be read as a NumPy array"):
        read(path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(ReaderError, match="cannot be read as a NumPy array"):
        read(path)


@settings(max_examples=150, deadline=2000)
@given(st.integers(0, 127), st.integers(0, 7), st.integers(0, 1000))
def test_damage_gives_a_sentence_or_a_map(tmp_path_factory, position, bit, length):
    path = tmp_path_factory.getbasetemp() / "damaged.npy"
    np.save(path, COUNTS)
    content = bytearray(path.read_bytes())
    content[position] ^= 1 << bit
    path.write_bytes(content[: len(content) - max(0, length - 900)])
    path.with_name("damaged_axis.txt").write_text(TEXT, encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = read(path)
        except UserError as error:
            assert "\n" not in str(error)
            return
    assert found.counts.size <= COUNTS.size * 8


@pytest.mark.parametrize("order", [(2, 0, 1), (0, 2, 1), (2, 1, 0)])
@pytest.mark.filterwarnings("ignore:.*does not say:napari_wse2xai.errors.DataWarning")
def test_the_length_of_the_axis_tells_which_dimension_is_spectral(tmp_path, order):
    cube = np.arange(3 * 4 * 7, dtype=np.float32).reshape(3, 4, 7)
    np.save(tmp_path / "flake.npy", cube.transpose(order))
    np.save(tmp_path / "flake_axis.npy", np.arange(100.0, 107.0))
    found = read(tmp_path / "flake.npy")
    rest = [index for index in order if index != 2]
    np.testing.assert_array_equal(found.counts, cube.transpose(*rest, 2))
    assert list_items(tmp_path / "flake.npy")[0].shape == found.counts.shape

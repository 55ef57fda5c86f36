"""Formats that RosettaSciIO reads: upright, in um, in the unit of their axis; a sentence without the library."""

import re
import sys
import warnings

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind
from napari_wse2xai.data.transform import pixels_um
from napari_wse2xai.errors import DataWarning, ReaderError, UserError
from napari_wse2xai.io import list_items, read


@pytest.fixture
def other(shared_data):
    pytest.importorskip("rsciio")
    return shared_data / "other"


@pytest.mark.parametrize("suffix", [".xml", ".sur", ".tvf"])
def test_without_the_library_the_extra_is_named(tmp_path, monkeypatch, suffix):
    for name in [name for name in sys.modules if name.partition(".")[0] == "rsciio"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "rsciio", None)
    (tmp_path / f"flake{suffix}").write_bytes(b"something")
    with pytest.raises(ReaderError, match=r'pip install "napari-wse2xai\[gpl-readers\]"'):
        read(tmp_path / f"flake{suffix}")


def test_labspec_xml_in_the_order_of_the_file(other):
    path = other / "jobinyvon_test_map_x3-y2.xml"
    found = read(path)
    rows = re.findall(r'<LSX_Row Format="6" Index="\d+" Size="34">([^<]*)<', path.read_text(encoding="utf-8"))
    stored = np.array([row.split() for row in rows], dtype=np.float32)
    np.testing.assert_array_equal(found.counts, stored.reshape(2, 3, 34)[:, :, ::-1])
    assert (found.frame.step_um, found.frame.origin_um) == ((2.0, 2.0), (-1.0, -2.0))
    assert (found.axis.kind, found.axis.laser_nm, found.intensity_unit) == (AxisKind.WAVELENGTH, 632.817, "counts/s")
    assert found.axis.span == (720.924, 771.797)


def test_a_turned_labspec_xml_lies_where_its_own_numbers_say(other):
    path = other / "jobinyvon_test_map_x2-y2_rotated.xml"
    with pytest.warns(DataWarning, match=r"-30\.5 degrees to the stage; it is drawn turned"):
        found = read(path)
    text = path.read_text(encoding="utf-8")
    pattern = r'7D6CD4DB" Size="\d">([-\d\s]*)</LSX>\s*<LSX Format="7" ID="0x6D707974">{}<'
    x, y = (np.array(re.search(pattern.format(name), text)[1].split(), float) for name in ("XA", "YA"))
    angle = float(re.search(r'6C676EC6" Size="3">\s*<LSX Format="5" ID="0x0">([^<]*)<', text)[1])
    yy, xx = np.meshgrid(y, x, indexing="ij")
    wanted = np.stack([np.sin(angle) * xx + np.cos(angle) * yy, np.cos(angle) * xx - np.sin(angle) * yy], axis=-1)
    np.testing.assert_allclose(pixels_um(found.frame), wanted, atol=1e-9)
    assert [direction.name for direction in found.frame.directions] == ["YA", "XA"]


def test_digital_surf_in_um_and_nm(other):
    found = read(other / "test_spectral_map.sur")
    assert found.counts.shape == (12, 10, 310)
    assert found.frame.step_um == pytest.approx((0.082522, 0.082522), rel=1e-4)
    assert found.axis.span == pytest.approx((333.2749, 668.2309), rel=1e-6)
    assert (found.axis.kind, found.intensity_unit) == (AxisKind.WAVELENGTH, "a.u.")


def test_trivista_in_the_order_of_the_file(other):
    path = other / "map.tvf"
    found = read(path)
    frames = re.findall(r"<Frame[^>]*>([^<]*)</Frame>", path.read_text(encoding="utf-8-sig"))
    stored = np.array([frame.split(";") for frame in frames], dtype=np.float32)
    np.testing.assert_array_equal(found.counts, stored.reshape(9, 9, 1024))
    assert found.frame.step_um == pytest.approx((0.025, 0.025))
    item = list_items(path)[0]
    assert (item.axis, item.date, item.objective) == ("892–933 nm", "2016-09-29 12:57:45", "100.0")
    assert item.step_um == pytest.approx((0.025, 0.025))


@pytest.mark.parametrize("name", ["jobinyvon_test_map_x3-y2.xml", "test_spectral_map.sur", "map.tvf"])
@pytest.mark.parametrize("seed", range(6))
def test_damage_gives_a_sentence_or_a_map(other, tmp_path, name, seed):
    rng = np.random.default_rng(seed)
    content = bytearray((other / name).read_bytes())
    for position in rng.integers(0, min(len(content), 4000), 5):
        content[position] ^= 1 << int(rng.integers(8))
    path = tmp_path / name
    path.write_bytes(content[: int(rng.choice([len(content), rng.integers(1, len(content))]))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            read(path)
        except UserError as error:
            assert "\n" not in str(error)

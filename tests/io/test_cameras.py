"""Files of cameras: real ones of Princeton Instruments and Andor against their text, their bytes and what was set."""

import re
import struct
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, Direction
from napari_wse2xai.errors import ReaderError, UserError
from napari_wse2xai.io import list_items, read

REAL = Path(__file__).parent / "real"
N, NY, FRAMES = 7, 3, 4
COUNTS = np.arange(FRAMES * NY * N, dtype=np.float32).reshape(FRAMES, NY, N)


def test_andor_as_its_own_text():
    pytest.importorskip("sif_parser")
    found = read(REAL / "raman1.sif")
    text = np.loadtxt((REAL / "raman1.asc").read_text().splitlines()[:1024])
    np.testing.assert_allclose(found.axis.values, text[:, 0], atol=2e-5)
    np.testing.assert_allclose(found.counts[0, 0], text[:, 1], rtol=5e-6)  # Solis writes six digits
    assert found.axis.kind is AxisKind.WAVELENGTH
    assert found.axis.laser_nm is None  # 422 nm stands in the file, which nobody set: the notch is one for 405 nm
    assert found.metadata["Accumulations"] == "500"


def test_andor_over_the_raman_shift(tmp_path):
    pytest.importorskip("sif_parser")
    content = (REAL / "raman1.sif").read_bytes()
    shown = content.replace(b"10\nWavelength", b"11\nRaman shift", 1)
    assert shown != content
    (tmp_path / "shift.sif").write_bytes(shown)
    found, in_nm = read(tmp_path / "shift.sif"), read(REAL / "raman1.sif")
    assert (found.axis.kind, found.axis.laser_nm) == (AxisKind.RAMAN_SHIFT, 422.0)
    np.testing.assert_allclose(found.axis.values, 1e7 * (1 / 422.0 - 1 / in_nm.axis.values))


def test_andor_without_the_library(tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "sif_parser"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "sif_parser", None)
    (tmp_path / "flake.sif").write_bytes(b"something")
    with pytest.raises(ReaderError, match=r'pip install "napari-wse2xai\[andor\]"'):
        read(tmp_path / "flake.sif")


def test_winspec_from_150_to_850_nm_as_it_was_set():
    path = REAL / "step_and_glue_v2_Andor.spe"
    found = read(path)
    np.testing.assert_array_equal(found.counts[0, 0], np.fromfile(path, "<f4", 4711, offset=4100))
    assert found.axis.span == pytest.approx((150.0, 850.0), abs=1e-3)  # 0.15 nm from pixel to pixel: they count from 1


def test_lightfield_by_its_own_numbers():
    path = REAL / "lightfield_step_and_glue.spe"
    found = read(path)
    np.testing.assert_array_equal(found.counts[0, 0], np.fromfile(path, "<u2", 5344, offset=4100))
    text = path.read_bytes().partition(b"<Wavelength>")[2].partition(b"<")[0]
    np.testing.assert_array_equal(found.axis.values, np.array(text.split(b","), dtype=float))


def lightfield(regions=1, laser='laserLine="532"', kind="MonochromeFloating32", count=FRAMES):
    """Frames of `regions` equal regions, 10 bytes of metadata after each frame."""
    size = NY * N * 4
    whole = f'size="{size * regions}" stride="{size * regions + 10}"'
    blocks = f'<DataBlock type="Region" calibrations="3" width="{N}" height="{NY}" size="{size}" stride="{size}"/>' * regions
    waves = ",".join(f"{600 + 0.5 * pixel}" for pixel in range(20))
    text = f"""<SpeFormat version="3.0" xmlns="http://www.princetoninstruments.com/spe/2009"><DataFormat>
      <DataBlock type="Frame" count="{count}" pixelFormat="{kind}" {whole}>{blocks}</DataBlock>
      </DataFormat><Calibrations><WavelengthMapping id="1" {laser}><Wavelength>{waves}</Wavelength></WavelengthMapping>
      <SensorMapping id="3" x="4" y="0" width="14" height="{NY}" xBinning="2" yBinning="1"/></Calibrations></SpeFormat>"""
    frames = b"".join(b"".join(((1 + r) * frame).astype("<f4").tobytes() for r in range(regions)) + bytes(10) for frame in COUNTS)
    head = bytearray(4100)
    struct.pack_into("<f", head, 1992, 3.0)
    struct.pack_into("<Q", head, 678, 4100 + len(frames))
    return bytes(head) + frames + text.encode()


def test_lightfield_frames_tracks_regions_and_binned_pixels(tmp_path):
    path = tmp_path / "flake.spe"
    path.write_bytes(lightfield(regions=2))
    assert [item.name for item in list_items(path)] == ["flake region 1", "flake region 2"]
    found = read(path, "flake region 2")
    np.testing.assert_array_equal(found.counts, 2 * COUNTS)
    assert found.frame.directions == (Direction("frame", ""), Direction("track", ""))
    assert not found.frame.has_places
    np.testing.assert_allclose(found.axis.values, 602.25 + np.arange(N))  # pairs of the pixels from the fourth on
    assert found.axis.laser_nm == 532.0


@pytest.mark.parametrize("change", [{"kind": "Colour"}, {"count": 10**9}, {"regions": 50}])
def test_lightfield_that_lies_is_refused_without_memory(tmp_path, change):
    content = lightfield(**change) if "regions" not in change else lightfield()[:4200] + lightfield()[-1500:]
    (tmp_path / "flake.spe").write_bytes(content)
    with pytest.raises(ReaderError):
        read(tmp_path / "flake.spe")


@pytest.mark.parametrize("name", ["raman1.sif", "step_and_glue_v2_Andor.spe", "made.spe"])
@pytest.mark.parametrize("seed", range(40))
def test_damage_gives_a_sentence_or_a_map(tmp_path, name, seed):
    if name.endswith(".sif"):
        pytest.importorskip("sif_parser")
    rng = np.random.default_rng(seed)
    content = bytearray(lightfield() if name == "made.spe" else (REAL / name).read_bytes())
    for position in rng.integers(0, min(len(content), 5000), 4):
        content[position] ^= 1 << int(rng.integers(8))
    path = tmp_path / name
    path.write_bytes(content[: int(rng.choice([len(content), rng.integers(1, len(content))]))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            read(path)
        except UserError as error:
            assert "\n" not in str(error)


def test_how_the_spectra_were_taken():
    """Against what stands in the files: XML of LightField, and the lines below the numbers of Solis' own text export."""
    content = (REAL / "lightfield_step_and_glue.spe").read_bytes()
    assert b'<Accumulations type="Int64">30<' in content
    assert b">[500nm,600][1][0]<" in content
    (item,) = list_items(REAL / "lightfield_step_and_glue.spe")
    assert (item.acquisition.accumulations, item.acquisition.grating) == (30, "500nm,600")
    pytest.importorskip("sif_parser")
    told = (REAL / "raman1.asc").read_text(encoding="latin-1")
    exposure = float(re.search(r"Exposure Time \(secs\):\s*([\d.]+)", told)[1])
    (item,) = list_items(REAL / "raman1.sif")
    assert item.acquisition.exposure_s == pytest.approx(exposure, rel=1e-4)
    assert item.acquisition.accumulations == int(re.search(r"Number of Accumulations:\s*(\d+)", told)[1])

"""A lamp or dark spectrum for `CorrectResponse` may lie in any file that can be read."""

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, SpectralMap
from napari_wse2xai.io import write_map
from napari_wse2xai.session.opening import spectrum_in


def test_text_is_two_columns_and_other_files_give_their_mean(tmp_path):
    (tmp_path / "lamp.txt").write_text("600 1.5\n700 2.5\n", encoding="utf-8")
    assert spectrum_in(tmp_path / "lamp.txt").values == (1.5, 2.5)
    counts = np.stack([np.arange(1, 6), np.arange(3, 8)])[None]
    write_map(SpectralMap.from_arrays(counts, 600 + np.arange(5.0), AxisKind.WAVELENGTH), tmp_path / "lamp.nc")
    found = spectrum_in(str(tmp_path / "lamp.nc"))
    assert (found.values, found.unit, found.file) == ((2, 3, 4, 5, 6), "nm", str(tmp_path / "lamp.nc"))


def test_a_file_without_a_spectrum_is_told(tmp_path):
    (tmp_path / "lamp.wdf").write_bytes(b"no")
    with pytest.raises(ValueError, match="not a Renishaw file"):
        spectrum_in(tmp_path / "lamp.wdf")
    with pytest.raises(ValueError, match="holds no spectrum"):
        (tmp_path / "lamp.log").write_text("nothing")
        spectrum_in(tmp_path / "lamp.log")


def test_a_real_measurement_serves(shared_data):
    found = spectrum_in(shared_data / "renishaw" / "renishaw_test_map.wdf")
    assert (len(found.values), found.unit) == (47, "nm")

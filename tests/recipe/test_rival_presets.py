"""A map that was fitted with another material's list says so, and whose list fits; a map with the right list is left alone."""

import numpy as np
import pytest

import planted_maps as planted
from napari_wse2xai import recipe
from napari_wse2xai.data import AxisKind, PeakMaps, SpectralMap
from napari_wse2xai.stages import Deconvolve, Peak

LINES = {
    "wse2": ((220, 11), (240, 9), (250, 4), (260.5, 9), (359, 9), (374, 9), (394.5, 9)),
    "mos2": ((384.6, 4.5), (403.8, 6)),
    "mose2": ((240.8, 3), (287, 5)),
    "ws2": ((351.6, 8), (356.3, 4.5), (418, 5)),
}
"""Places and widths of monolayers' Raman lines at 532 nm as measured, cm-1."""
LIGHT = {"wse2": (1.655, 0.05), "mos2": (1.865, 0.065), "mose2": (1.572, 0.045), "ws2": (2.005, 0.04)}
"""Place and width of their excitons, eV."""
SHAPE = (6, 8)


def raman(material: str, seed: int) -> SpectralMap:
    """Lines of random strength, a little off their places."""
    rng = np.random.default_rng([seed, len(material), ord(material[2])])
    x, snr = np.arange(150.0, 500.0), np.exp(rng.uniform(np.log(15), np.log(300)))
    counts = 60 + np.zeros((*SHAPE, len(x)))
    for place, width in LINES[material]:
        height = 6 * snr * rng.uniform(0.5, 1) * rng.uniform(0.7, 1.3, SHAPE)
        counts = counts + planted.lorentzian(x, place + 0.4 * rng.normal(), width * rng.uniform(0.85, 1.2), height)
    return SpectralMap.from_arrays(planted.noisy(rng, counts, 6.0).astype(np.float32), x, AxisKind.RAMAN_SHIFT)


def light(material: str, seed: int) -> SpectralMap:
    rng = np.random.default_rng([seed, len(material), ord(material[2])])
    x, (place, width) = np.arange(1.4, 2.2, 0.002), LIGHT[material]
    counts = 60 + planted.gaussian(x, place + 0.006 * rng.normal(), width, 900 * rng.uniform(0.7, 1.3, SHAPE))
    return SpectralMap.from_arrays(planted.noisy(rng, counts, 6.0).astype(np.float32), x, AxisKind.ENERGY)


def fitted(source: SpectralMap, name: str) -> PeakMaps:
    wanted = recipe.preset(name)
    section = wanted.raman if source.axis.kind is AxisKind.RAMAN_SHIFT else wanted.pl
    return Deconvolve(peaks=section.deconvolve.peaks, pixels="everywhere", refit=False)(source)


def named(source: SpectralMap, name: str) -> str:
    """What is said of other presets."""
    return " ".join(each.words for each in recipe.proposals(fitted(source, name), source) if each.kind == "preset")


@pytest.mark.filterwarnings("ignore:The background under")
@pytest.mark.parametrize("make", [raman, light])
@pytest.mark.parametrize("true", LINES)
def test_the_material_is_named_where_another_ones_list_was_fitted(make, true):
    source, names = make(true, 1), list(LINES)
    for listed in (true, names[names.index(true) - (1 if make is raman else 2)]):
        words = named(source, f"{listed}-532")
        if listed == true:
            assert words == ""
        else:
            assert f"The preset {true}-532 " in words
            assert not any(f"{other}-" in words for other in LINES if other != true)


def test_lines_that_no_preset_lists_name_none():
    rng = np.random.default_rng(3)
    x = np.arange(150.0, 500.0)
    counts = planted.noisy(rng, planted.lorentzian(x, 300.0, 6.0, np.full(SHAPE, 500.0)) + 60, 6.0)
    source = SpectralMap.from_arrays(counts.astype(np.float32), x, AxisKind.RAMAN_SHIFT)
    assert named(source, "mos2-532") == ""
    own = Deconvolve(peaks=(Peak(name="L", position=300, fwhm=6, window=(270, 330)),), pixels="everywhere")(source)
    assert not recipe.proposals(own, source)

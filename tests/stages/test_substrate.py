"""The substrate as a part of the fit: silicon's lines and light of its own stop bending what is weak beside them."""

import numpy as np
import pytest
from scipy.optimize import curve_fit

import planted_maps as planted
from napari_wse2xai import Deconvolve, Peak, check_model
from napari_wse2xai.data import AxisKind, SpectralMap, Status
from napari_wse2xai.errors import DataError
from napari_wse2xai.stages import FindFlake

X = planted.X
SHAPE = (18, 25)
ROW, COLUMN = np.mgrid[: SHAPE[0], : SHAPE[1]]
DISC = (ROW - 9) ** 2 + (COLUMN - 12) ** 2 < 45
RNG = np.random.default_rng(11)
LIT = (1 - 0.35 * DISC) * (1 + 0.03 * RNG.normal(size=SHAPE))
"""How much of the substrate is seen: the flake takes a third of its light."""
HEIGHTS = np.stack([400 * (1 + 0.1 * RNG.normal(size=SHAPE)), 60 * (1 + 0.1 * RNG.normal(size=SHAPE))])
PEAKS = (Peak(name="A", position=250, fwhm=4, window=(235, 312)), Peak(name="P285", position=285, fwhm=9, window=(235, 312)))
SILICON = 300 / (1 + ((X - 302) / 4) ** 2) + 900 / (1 + ((X - 320) / 8) ** 2) + 300 * np.exp(-(((X - 260) / 18) ** 2))


def counts_of(seed=0):
    rng = np.random.default_rng(seed)
    lines = sum(planted.lorentzian(X, p, w, h * DISC) for p, w, h in zip((250.0, 285.0), (4.0, 9.0), HEIGHTS, strict=True))
    return planted.noisy(rng, lines + LIT[..., None] * SILICON + 100, 5.0)


def map_of(counts, flake=DISC):
    from dataclasses import replace

    return replace(SpectralMap.from_arrays(counts.astype(np.float32), X, AxisKind.RAMAN_SHIFT), flake=flake)


def off(peaks):
    """(peak, pixel) errors by which heights on the flake are off."""
    return ((peaks.height - HEIGHTS) / peaks.height_error)[:, DISC]


def test_lines_beside_silicon_come_out_right_with_honest_errors():
    source = map_of(counts_of())
    peaks = Deconvolve(peaks=PEAKS, substrate="off flake")(source)
    without = Deconvolve(peaks=PEAKS)(source)
    assert np.abs(off(peaks).mean(axis=1)).max() < 0.35
    assert (off(peaks).std(axis=1) > 0.85).all()
    assert (off(peaks).std(axis=1) < 1.2).all()
    assert (peaks.status[DISC] == Status.OK).mean() > 0.97
    assert (without.status[DISC] != Status.OK).mean() > 0.9
    assert np.median(np.abs(peaks.substrate_share[0][DISC] - LIT[DISC])) < 0.03
    assert not check_model(peaks, source)


def test_it_is_fitted_as_scipy_fits_it(tmp_path):
    counts = counts_of(3)
    np.savetxt(tmp_path / "bare.txt", np.stack([X, SILICON], axis=1))
    stage = Deconvolve(
        peaks=PEAKS[:1], substrate_file=tmp_path / "bare.txt", position_penalty=0.0, background="linear", pixels="everywhere"
    )
    peaks = stage(map_of(counts))
    inside = peaks.axis.between(235, 312)

    def curve(x, p, w, h, a, b, share):
        return h / (1 + 4 * ((x - p) / w) ** 2) + a + b * (x - 250) + share * SILICON[inside]

    for row, column in ((9, 12), (7, 14)):
        spectrum = counts[row, column, inside].astype(np.float32)
        best, _ = curve_fit(curve, X[inside], spectrum, [250, 4, 400, 100, 0, 1])
        assert peaks.height[0, row, column] == pytest.approx(best[2], rel=1e-3)
        assert peaks.position[0, row, column] == pytest.approx(best[0], abs=1e-3)
        assert peaks.substrate_share[0, row, column] == pytest.approx(best[5], abs=1e-3)
        drawn = peaks.background_at(row, column)[inside]
        assert np.allclose(drawn, curve(X[inside], 0, 1, 0, *best[3:]), atol=0.5)


def test_a_found_flake_serves_and_the_file_keeps_the_substrate(tmp_path):
    from napari_wse2xai import io
    from napari_wse2xai.data import Results

    source = FindFlake(window=(235, 312))(map_of(counts_of(), flake=None))
    peaks = Deconvolve(peaks=PEAKS, substrate="off flake")(source)
    io.write_results(Results({"raman": source}, {"raman": peaks}), tmp_path / "results.nc")
    read = io.read_results(tmp_path / "results.nc").peaks["raman"]
    assert np.allclose(read.background_at(9, 12), peaks.background_at(9, 12), equal_nan=True)
    assert np.allclose(read.mean_background(0, DISC), peaks.mean_background(0, DISC), equal_nan=True)


def test_without_pixels_off_the_flake_one_sentence_says_what_to_do():
    with pytest.raises(DataError, match="substrate_file"):
        Deconvolve(peaks=PEAKS, substrate="off flake")(map_of(counts_of(), flake=np.ones(SHAPE, dtype=bool)))
    with pytest.raises(DataError, match="find the flake first"):
        Deconvolve(peaks=PEAKS, substrate="off flake")(map_of(counts_of(), flake=None))


def test_a_recipe_names_the_file_beside_it(tmp_path):
    from napari_wse2xai import batch, io

    io.write_map(map_of(counts_of(), flake=None), tmp_path / "rs.nc")
    np.savetxt(tmp_path / "bare.txt", np.stack([X, SILICON], axis=1))
    (tmp_path / "recipe.yaml").write_text(
        "raman:\n  file: rs.nc\n  baseline: false\n  peaks:\n"
        "    - {name: A, position: 250, fwhm: 4, window: [235, 312]}\n    - {name: P285, position: 285, fwhm: 9, window: [235, 312]}\n"
        "  deconvolve: {substrate_file: bare.txt}\nstop_after: deconvolve\nfigures: false\n",
        encoding="utf-8",
    )
    results = batch.run_recipe(tmp_path / "recipe.yaml", tmp_path / "out", figures=False)
    assert np.nanmedian(np.abs(results.peaks["raman"].substrate_share[0][DISC] - LIT[DISC])) < 0.1

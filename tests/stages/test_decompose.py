"""A first look without peaks: planted parts come back, in place, whatever the map lacks."""

from dataclasses import replace

import numpy as np
import pytest

from napari_wse2xai.data import AxisKind, Components, SpectralMap
from napari_wse2xai.errors import DataError, DataWarning
from napari_wse2xai.io import read_results, write_results
from napari_wse2xai.layers import shown_in, to_layers
from napari_wse2xai.layers.shown import KEY
from napari_wse2xai.recipe import Chain
from napari_wse2xai.session import Session, named_results
from napari_wse2xai.stages import Decompose, Deconvolve, Peak
from napari_wse2xai.stages.component_peaks import peaks_of

X = np.linspace(150.0, 350.0, 201)
NY, NX = 17, 26
ROW, COLUMN = np.mgrid[:NY, :NX]


def _line(position: float, width: float) -> np.ndarray:
    return 1 / (1 + (2 * (X - position) / width) ** 2)


HALF = (COLUMN < 9).astype(float)
"""Where the line at 205 shines: left of a border that no mirror image has."""
CORNER = np.exp(-((ROW - 3) ** 2 + (COLUMN - 20) ** 2) / 18.0)


@pytest.fixture(scope="module")
def source() -> SpectralMap:
    """A line everywhere, one in the left third, one round a place at the top right."""
    light = 300 + 60 * np.sin(ROW / 4.0)
    cube = light[..., None] * _line(250, 6) + 120 * HALF[..., None] * _line(205, 9) + 150 * CORNER[..., None] * _line(310, 8) + 10
    noise = np.random.default_rng(3).normal(0, 3, cube.shape)
    return SpectralMap.from_arrays((cube + noise).astype(np.float32), X, AxisKind.RAMAN_SHIFT, name="planted")


def test_parts_are_found_where_they_lie(source: SpectralMap) -> None:
    """NMF's shares follow the planted maps, not their mirror images; as many are found as were planted."""
    found = Decompose(method="NMF")(source)
    assert found.above_noise == 3 and len(found.names) == 3 and found.share is not None
    at = [int(np.argmax(found.spectra[:, np.abs(X - place).argmin()])) for place in (250, 205, 310)]
    assert sorted(at) == [0, 1, 2]
    left, corner = found.share[at[1]], found.share[at[2]]
    assert np.corrcoef(left.ravel(), HALF.ravel())[0, 1] > 0.95 > 0.5 > np.corrcoef(left[:, ::-1].ravel(), HALF.ravel())[0, 1]
    assert np.corrcoef(corner.ravel(), CORNER.ravel())[0, 1] > 0.95 > 0.5 > np.corrcoef(corner[::-1].ravel(), CORNER.ravel())[0, 1]


def test_principal_components_and_the_mean_make_up_the_spectra(source: SpectralMap) -> None:
    """What they leave is noise of 3 counts; shares have a root mean square of 1."""
    found = Decompose()(source)
    assert found.share is not None and found.mean is not None and found.share_error is not None
    made = found.mean + np.einsum("kyx,kc->yxc", found.share, found.spectra)
    assert np.std(source.counts - made) == pytest.approx(3.0, rel=0.05)
    assert np.sqrt((found.share**2).mean(axis=(1, 2))) == pytest.approx(np.ones(3), rel=1e-5)
    assert (found.explained[:-1] >= found.explained[1:]).all() and 0.5 < found.explained.sum() < 1.0


def test_groups_are_those_that_were_planted(source: SpectralMap) -> None:
    """Two groups of the left third and the rest, whatever their brightness."""
    plain = replace(source, counts=(source.counts - 150 * CORNER[..., None] * _line(310, 8)).astype(np.float32))
    found = Decompose(method="k-means", number=2, shape_only=True)(plain)
    assert found.group is not None and found.share is None
    left = int(found.group[0, 0])
    assert np.array_equal(found.group == left, HALF > 0)
    assert found.explained[left - 1] == pytest.approx(HALF.mean())
    assert found.spectra[left - 1] == pytest.approx(_shapes(plain)[HALF > 0].mean(axis=0), rel=0.02, abs=0.5)


def _shapes(source: SpectralMap) -> np.ndarray:
    light = source.counts.mean(axis=2, keepdims=True)
    return np.asarray(source.counts / light * light.mean())


def test_gaps_flake_and_dead_channels_are_left_out(source: SpectralMap) -> None:
    """A dead channel is no component, a pixel without values and those off the flake have no share."""
    counts = source.counts.copy()
    counts[..., 40] = 7.0
    counts[2, 5] = np.nan
    flake = ROW > 0
    with pytest.warns(DataWarning, match="channel"):
        found = Decompose()(replace(source, counts=counts, flake=flake))
    assert found.share is not None
    assert np.isnan(found.spectra[:, 40]).all() and np.isfinite(np.delete(found.spectra, 40, axis=1)).all()
    expected = flake.copy()
    expected[2, 5] = False
    assert np.array_equal(np.isfinite(found.share[0]), expected)


def test_too_little_to_compare_is_refused(source: SpectralMap) -> None:
    """A window of three channels."""
    with pytest.raises(DataError, match=r"442 whole spectra of 3 channels.*wider window"):
        Decompose(window=(200.0, 202.5))(source)
    one = SpectralMap.from_arrays(source.counts[1:2, 1:2], source.axis.values, source.axis.kind)
    with pytest.raises(DataError, match=r"1 whole spectrum of \d+ channels"):
        Decompose()(one)


def test_maxima_become_start_peaks(source: SpectralMap) -> None:
    """Of the mean of a group: places and widths of the planted lines, which Deconvolve takes."""
    found = Decompose(method="k-means", number=1)(source)
    peaks = peaks_of(found, 0)
    assert [peak.position for peak in peaks] == pytest.approx([205, 250, 310], abs=1.0)
    assert [peak.fwhm for peak in peaks] == pytest.approx([9, 6, 8], rel=0.35)
    fitted = Deconvolve(peaks=peaks, pixels="everywhere")(source)
    assert np.nanmedian(fitted.position[1]) == pytest.approx(250, abs=0.1)


def test_a_chain_goes_on_past_it(source: SpectralMap) -> None:
    """It hands the map on as it was."""
    peak = Peak(name="A", position=250, fwhm=6, window=(225, 275))
    outcome = Chain((Decompose(), Deconvolve(peaks=(peak,), pixels="everywhere"))).run(source)
    assert outcome.components is not None and outcome.peaks is not None and outcome.map is source


def test_a_session_keeps_it_and_runs_it_again(source: SpectralMap, tmp_path) -> None:
    """Saved, opened, and with another method in its place; the results of the flake hold the newest."""
    session = Session()
    session.add(source)
    session.add(Decompose()(source))
    session.save(tmp_path / "all.nc", spectra=True)
    opened = Session.open(tmp_path / "all.nc")
    (kept,), (known,) = opened.of_kind(Components), session.of_kind(Components)
    assert np.array_equal(kept.share, known.share) and kept.names == known.names and kept.history == known.history
    again = opened.rerun(kept, {"method": "NMF"}).artefacts[0]
    assert isinstance(again, Components) and again.method == "NMF"
    (results,) = named_results(opened).values()
    write_results(results, tmp_path / "results.nc")
    read = read_results(tmp_path / "results.nc").components["raman"]
    assert np.array_equal(read.spectra, again.spectra, equal_nan=True) and np.array_equal(read.share_error, again.share_error)


def test_layers_lie_on_the_map(source: SpectralMap) -> None:
    """One image a component, the first visible; groups are Labels with their words."""
    layers = to_layers(Decompose(number=2)(source))
    assert [layer[1]["visible"] for layer in layers] == [False, True]
    assert all(layer[0].shape == (NY, NX) and shown_in(layer[1]["metadata"]) is layer[1]["metadata"][KEY] for layer in layers)
    (groups,) = to_layers(Decompose(method="k-means", number=3)(source))
    assert groups[2] == "labels" and groups[1]["features"]["group"] == ["not compared", "group 1", "group 2", "group 3"]

"""Forms and computed maps from a deconvolution through pairing, training and explaining into the results file and back."""

from dataclasses import replace

import numpy as np
import pytest

from napari_wse2xai import Computed, Deconvolve, Explain, Pair, Pairable, Peak, Results, SpectralMap, Train, read_results, write_results
from napari_wse2xai.data import AxisKind, Frame
from napari_wse2xai.errors import DataError, SettingsError
from napari_wse2xai.stages.pair import StageCoordinates
from napari_wse2xai.stages.train import OneCycle

FRAME = Frame((9, 12), (0.5, 0.5), (0.0, 0.0), "flake")
TARGET = "trion share / 1"


def smooth(seed: int) -> np.ndarray:
    row, column = np.indices(FRAME.shape)
    return np.sin(0.6 * row + seed) * np.cos(0.45 * column + 2 * seed)


@pytest.fixture(scope="module")
def pair():
    rng = np.random.default_rng(0)
    x, energy = np.arange(220.0, 290.0, 0.8), np.linspace(1.5, 1.8, 90)
    share = (0.5 + 0.3 * smooth(1))[..., None]
    u = (x - 250 - 0.3 * smooth(2)[..., None]) / 6
    raman = 800 * (share / (1 + 4 * u**2) + (1 - share) * np.exp(-4 * np.log(2) * u**2)) + 250 / (1 + ((x - 272) / 4) ** 2)
    weight = 200 * (1.5 + 0.7 * smooth(1)[..., None] + 0.3 * smooth(2)[..., None])
    pl = 900 * np.exp(-((energy - 1.66) ** 2) / 0.0008) + weight * np.exp(-((energy - 1.61) ** 2) / 0.0012)
    maps = [
        SpectralMap.from_arrays(
            (signal + rng.normal(0, 2, signal.shape)).astype(np.float32), axis, kind, frame=FRAME, name=name, laser_nm=532.0
        )
        for signal, axis, kind, name in ((raman, x, AxisKind.RAMAN_SHIFT, "rs"), (pl, energy, AxisKind.ENERGY, "pl"))
    ]
    lines = (
        Peak(name="A1'", shape="pseudo-voigt", position=250, fwhm=6, window=(225, 285)),
        Peak(name="B", position=272, fwhm=8, window=(225, 285)),
    )
    light = (
        Peak(name="X0", shape="gaussian", position=1.66, fwhm=0.05, window=(1.52, 1.78)),
        Peak(name="trion", shape="gaussian", position=1.61, fwhm=0.06, window=(1.52, 1.78)),
    )
    ratio = Computed(name="ratio", expression="B.height / A1'.height")
    part = Computed(name=TARGET, expression="trion.area / (trion.area + X0.area)")
    peaks = Deconvolve(peaks=lines, computed=(ratio,))(maps[0]), Deconvolve(peaks=light, computed=(part,))(maps[1])
    return Pair(method=StageCoordinates())(Pairable(*peaks))


@pytest.fixture(scope="module")
def model(pair):
    quick = {"recipe": OneCycle(epochs=2), "network_on_blocks": False, "surrogates": 39, "device": "cpu"}
    return Train(target=(TARGET,), features=("ratio",), **quick)([pair])


@pytest.mark.filterwarnings("ignore::napari_wse2xai.errors.DataWarning")
def test_they_are_columns_with_names_units_and_errors(model, pair) -> None:
    samples = model.samples
    names = ("A1'.position", "A1'.fwhm", "A1'.height", "A1'.form", "B.position", "B.fwhm", "B.height", "ratio.value")
    assert samples.feature_names == names
    assert samples.feature_units == ("cm-1", "cm-1", "counts", "1", "cm-1", "cm-1", "counts", "1")
    form = samples.image(samples.features[:, 3])
    np.testing.assert_allclose(form, pair.raman.form[0], rtol=1e-5)
    truth = 0.5 + 0.3 * smooth(1)
    assert np.corrcoef(form.ravel(), truth.ravel())[0, 1] > 0.98
    np.testing.assert_allclose(samples.image(samples.feature_errors[:, 7]), pair.raman.computed[0].error, rtol=1e-5)
    assert samples.target_names == (TARGET,)
    assert samples.target_units == ("1",)
    np.testing.assert_allclose(samples.image(samples.targets[:, 0]), pair.pl.computed[0].value, rtol=1e-5)
    assert samples.lines[0].own_form
    assert samples.lines[1].form is None


@pytest.mark.filterwarnings("ignore::napari_wse2xai.errors.DataWarning")
def test_they_are_explained_drawn_kept_and_read_again(model, tmp_path) -> None:
    from matplotlib.figure import Figure

    from napari_wse2xai.layers import to_layers
    from napari_wse2xai.plots.explaining import draw_pdp_panel

    explanation = Explain(refits=4, anyway=True)(model)
    assert explanation.features[3] == "A1'.form"
    draw_pdp_panel(Figure(), explanation)
    assert to_layers(explanation)
    write_results(Results({}, model=model, explanation=explanation), tmp_path / "results.nc")
    read = read_results(tmp_path / "results.nc")
    assert read.model.samples.lines == model.samples.lines
    assert read.model.samples.feature_units == model.samples.feature_units
    assert set(read.model.weights) == {TARGET}
    assert read.explanation.features == explanation.features
    np.testing.assert_array_equal(read.model.predicted, model.predicted)


def test_a_name_that_is_not_computed_is_refused(pair, tmp_path) -> None:
    from napari_wse2xai import recipe

    with pytest.raises(DataError, match=r"computed maps of PL: trion share / 1"):
        Train(target=("share",)).samples([pair])
    with pytest.raises(DataError, match=r"there are: ratio"):
        Train(features=("rato",)).samples([pair])
    bare = replace(pair, raman=replace(pair.raman, computed=()))
    with pytest.raises(DataError, match=r"there are: none"):
        Train(features=("ratio",)).samples([bare])
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("", encoding="utf-8")
    text = "raman: {file: a.txt}\npl: {file: b.txt}\ntrain: {target: hight}\n"
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match="names 'hight', which is not computed; there are 'position', 'fwhm', 'height', 'area'"):
        recipe.load(tmp_path / "recipe.yaml")

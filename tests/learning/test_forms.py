"""Every line is drawn with its own form: against scipy's Voigt profile, Fano's formula and mixtures written out here."""

import json

import numpy as np
import pytest
import torch
from scipy.optimize import brentq
from scipy.special import voigt_profile

from napari_wse2xai.data import NUMBER, Line
from napari_wse2xai.errors import SettingsError
from napari_wse2xai.learning.regressor import SpectralCNNRegressor
from napari_wse2xai.learning.rendering import Rendering

WINDOW = (230.0, 270.0)
LN2 = np.log(2.0)


def voigt(x: np.ndarray, position: float, fwhm: float, height: float, share: float) -> np.ndarray:
    """Of a total FWHM, the Lorentzian's being a share of it: the Gaussian's is searched for, by no approximation."""

    def profile(u: np.ndarray | float, gauss: float) -> np.ndarray | float:
        return voigt_profile(u, gauss / np.sqrt(8 * LN2), share * fwhm / 2)

    gauss = brentq(lambda g: profile(fwhm / 2, g) - 0.5 * profile(0.0, g), 1e-4 * fwhm, 1.2 * fwhm)
    return height * profile(x - position, gauss) / profile(0.0, gauss)


def pseudo_voigt(x: np.ndarray, position: float, fwhm: float, height: float, share: float) -> np.ndarray:
    u = (x - position) / fwhm
    return height * (share / (1 + 4 * u**2) + (1 - share) * np.exp(-4 * LN2 * u**2))


def fano(x: np.ndarray, position: float, fwhm: float, height: float, form: float) -> np.ndarray:
    """(q + e)^2 / (1 + e^2), over q^2: its value at the position is the height."""
    q, e = 1 / form, 2 * (x - position) / fwhm
    return height * (q + e) ** 2 / (1 + e**2) / q**2


ORACLES = {"voigt": voigt, "pseudo-voigt": pseudo_voigt, "fano": fano}
FORMS = {"voigt": (0.15, 0.85), "pseudo-voigt": (0.1, 0.9), "fano": (-0.6, 0.4)}


def drawn(rendering: Rendering, rows: np.ndarray) -> np.ndarray:
    return rendering.draw(torch.as_tensor(rows, dtype=torch.float32)).numpy()


@pytest.mark.parametrize("shape", ORACLES)
def test_each_pixel_has_its_own_form(shape: str) -> None:
    low, high = FORMS[shape]
    table = np.array([[250.0, 6.0, 900.0, low], [250.5, 7.0, 800.0, high], [249.7, 6.5, 700.0, (low + high) / 2 + 0.03]])
    rendering = Rendering.of(table, [Line("A", shape, WINDOW, own_form=True)], length=64)
    x = rendering.channels[0].numpy().astype(float)
    for curve, row in zip(drawn(rendering, table)[:, 0], table, strict=True):
        np.testing.assert_allclose(curve, ORACLES[shape](x, *row), atol=2e-3 * row[2])


@pytest.mark.parametrize("shape", ORACLES)
def test_a_form_that_all_pixels_share_is_drawn(shape: str) -> None:
    for form in FORMS[shape]:
        table = np.array([[250.0, 6.0, 900.0], [250.5, 7.0, 800.0]])
        rendering = Rendering.of(table, [Line("A", shape, WINDOW, form)], length=64)
        x = rendering.channels[0].numpy().astype(float)
        for curve, row in zip(drawn(rendering, table)[:, 0], table, strict=True):
            np.testing.assert_allclose(curve, ORACLES[shape](x, *row, form), atol=2e-3 * row[2])


def test_lines_of_all_kinds_and_numbers_stand_side_by_side() -> None:
    lines = [
        Line("A", "voigt", WINDOW, own_form=True),
        Line("B", "lorentzian", WINDOW),
        Line("C", "fano", WINDOW, 0.3),
        Line("D", "voigt", WINDOW, 0.7),
        Line("ratio", NUMBER, WINDOW),
    ]
    rng = np.random.default_rng(0)
    table = np.array([250, 6, 900, 0.3, 240, 5, 300, 255, 8, 100, 245, 4, 50, 0.4]) * (1 + 1e-3 * rng.normal(size=(40, 14)))
    rendering = Rendering.of(table, lines, length=64)
    x, rows = rendering.channels.numpy().astype(float), drawn(rendering, table[:3])
    for row, values in zip(rows, table[:3], strict=True):
        np.testing.assert_allclose(row[0], voigt(x[0], *values[:4]), atol=2)
        np.testing.assert_allclose(row[1], values[6] / (1 + (2 * (x[1] - values[4]) / values[5]) ** 2), atol=0.6)
        np.testing.assert_allclose(row[2], fano(x[2], *values[7:10], 0.3), atol=0.2)
        np.testing.assert_allclose(row[3], voigt(x[3], *values[10:13], 0.7), atol=0.1)
        assert x[4, row[4].argmax()] == pytest.approx(values[13], abs=3 * (x[4, 1] - x[4, 0]))
    with pytest.raises(SettingsError, match="5 lines need 14 columns"):
        Rendering.of(table[:, :13], lines, length=64)


def test_a_form_reaches_the_prediction_and_survives_a_file(tmp_path) -> None:
    rng = np.random.default_rng(1)
    table = np.column_stack([rng.normal(250, 0.2, 90), rng.normal(6, 0.3, 90), rng.normal(900, 40, 90), rng.uniform(0, 1, 90)])
    lines = (Line("A", "voigt", WINDOW, 0.5, own_form=True),)
    network = SpectralCNNRegressor(lines, max_epochs=30, device="cpu").fit(table, 5 + 3 * table[:, 3])
    moved = table.copy()
    moved[:, 3] = 1 - moved[:, 3]
    assert np.abs(network.predict(moved) - network.predict(table)).max() > 0.05
    network.save(tmp_path / "network")
    again = SpectralCNNRegressor.load(tmp_path / "network")
    np.testing.assert_allclose(again.predict(table), network.predict(table), rtol=1e-6)
    assert again.n_features_in_ == 4
    inputs = torch.as_tensor(np.vstack([table, [[250, 6, 900, 1.5], [250, 6, 900, -0.5]]]), dtype=torch.float32).requires_grad_()
    (slopes,) = torch.autograd.grad(network.module_(inputs).sum(), inputs)
    assert torch.isfinite(slopes).all()


def test_settings_of_before_are_still_read() -> None:
    """Three entries a line, no form: the network is drawn as it was trained, with the usual form."""
    table = np.column_stack([np.linspace(249, 251, 30), np.full(30, 6.0), np.linspace(100, 900, 30)])
    network = SpectralCNNRegressor((Line("A", "voigt", WINDOW),), max_epochs=1, device="cpu", drawing="true").fit(table, table[:, 2])
    settings = json.loads(json.dumps(network.settings()))
    assert settings["lines"] == [["A", "voigt", [230.0, 270.0]]]
    again = SpectralCNNRegressor.from_state(settings, network.state())
    x = again.module_.rendering.channels[0].numpy().astype(float)
    np.testing.assert_allclose(drawn(again.module_.rendering, table[:1])[0, 0], voigt(x, *table[0], 0.5), atol=0.5)

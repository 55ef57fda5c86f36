"""What columns do alone: least squares by numpy and laws that are known are the oracles."""

import numpy as np
import pytest
from sklearn.kernel_approximation import Nystroem
from sklearn.preprocessing import StandardScaler

from napari_wse2xai.learning.columns_alone import DEGREE, DOUBT, ColumnsAlone, TogetherAndAlone
from napari_wse2xai.learning.ridge import RidgePerTarget
from napari_wse2xai.learning.scores import r2

PENALTIES = (1e-6, 1e-3, 1.0, 100.0)


def table(rows: int, seed: int = 0) -> np.ndarray:
    return StandardScaler().fit_transform(np.random.default_rng(seed).standard_normal((rows, 24)))


def test_of_one_column_it_is_least_squares_less_what_noise_gives_it() -> None:
    rng = np.random.default_rng(1)
    x = table(80)[:, :1]
    y = 5.0 + np.sin(x) + rng.standard_normal(x.shape)
    powers = np.tanh(x / 2) ** np.arange(DEGREE + 1)
    best = powers @ np.linalg.lstsq(powers, y, rcond=None)[0] - y.mean()
    found = ColumnsAlone().fit(x, y).predict(x) - y.mean()
    kept = (found * best).sum() / (best**2).sum()
    noise = ((y - y.mean() - found) ** 2).sum() / (len(x) - 1 - DEGREE)
    np.testing.assert_allclose(found, kept * best, atol=1e-8)
    assert 0.5 < kept == pytest.approx(1 - DOUBT * DEGREE * noise / (best**2).sum(), rel=1e-6)


@pytest.mark.filterwarnings("error")
def test_a_column_that_is_the_same_everywhere_does_nothing_and_overflows_nowhere() -> None:
    x = table(80)[:, :3]
    x[:, 1] = 0.0
    np.testing.assert_array_equal(ColumnsAlone().fit(x, 300 * x[:, [0]]).coef_.reshape(3, DEGREE)[1], 0.0)


def test_a_law_of_few_columns_is_found_and_the_others_are_left_out() -> None:
    rng = np.random.default_rng(2)
    x, new = table(400), table(400, seed=9)
    law = [np.exp(-((each[:, 3] - 0.6) ** 2)) + 0.5 * each[:, 7] for each in (x, new)]
    y = np.stack([law[0] + 0.4 * rng.standard_normal(400), rng.standard_normal(400)], axis=1)
    model = ColumnsAlone().fit(x, y)
    assert r2(law[1], model.predict(new)[:, 0]) > 0.9
    acts = model.coef_.reshape(24, DEGREE, 2).any(axis=1).T
    assert acts[0, [3, 7]].all()
    assert acts[0].sum() <= 6
    assert acts[1].sum() <= 4


def test_columns_that_never_change_or_come_twice_do_no_harm() -> None:
    x = table(120)
    y = np.tanh(x[:, [5]])
    with_them = np.hstack([x, np.zeros((120, 1)), x[:, [5]]])
    assert r2(y, ColumnsAlone().fit(with_them, y).predict(with_them))[0] > 0.98


def test_left_out_rows_tell_which_of_two_models_a_target_is_for() -> None:
    rng = np.random.default_rng(3)
    x = table(300)
    near = np.exp(-0.5 * ((x[:, None, :2] - x[None, :5, :2]) ** 2).sum(axis=2)) @ rng.standard_normal(5)
    law = np.tanh(x[:, 0])
    y = np.stack([law + 0.5 * rng.standard_normal(300), near * x[:, 2]], axis=1)
    kernel = Nystroem(gamma=0.002, n_components=150, random_state=0)
    model = TogetherAndAlone(kernel, PENALTIES).fit(x, y)
    assert model.missed_.argmin(axis=0).tolist() == [1, 0]
    together, alone = model.predict(x)
    plain = RidgePerTarget(PENALTIES).fit(kernel.fit_transform(x), y).predict(kernel.transform(x))
    np.testing.assert_allclose(together, plain, rtol=1e-9)
    assert r2(law, alone[:, 0]) > r2(law, plain[:, 0]) + 0.05

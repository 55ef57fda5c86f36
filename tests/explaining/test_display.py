import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.inspection import PartialDependenceDisplay as Theirs
from sklearn.linear_model import LinearRegression

from napari_wse2xai.explaining import PartialDependenceDisplay

OPTIONS = {"grid_resolution": 20, "percentiles": (0.05, 0.95)}


@pytest.fixture
def case():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(80, 3))
    return LinearRegression().fit(table, table @ [2.0, -1.0, 0.5]), table


def axes():
    return Figure().add_subplot()


@pytest.mark.parametrize("kind", ["average", "both", "individual"])
def test_the_same_curves_as_scikit_learn_draws(case, kind: str) -> None:
    model, table = case
    ours = PartialDependenceDisplay.from_estimator(model, table, [0, 2], kind=kind, ax=axes(), samples=None, nodes=None, **OPTIONS)
    theirs = Theirs.from_estimator(model, table, [0, 2], kind=kind, ax=axes(), method="brute", subsample=None, random_state=0, **OPTIONS)
    assert isinstance(ours, Theirs)
    assert ours.deciles == {column: pytest.approx(np.percentile(table[:, column], range(10, 100, 10))) for column in (0, 2)}
    for mine, other in zip(ours.lines_.ravel(), theirs.lines_.ravel(), strict=True):
        np.testing.assert_allclose(mine.get_xdata(), other.get_xdata())
        np.testing.assert_allclose(mine.get_ydata(), other.get_ydata())


def test_pairs_are_contours_with_the_names_of_both(case) -> None:
    model, table = case
    ours = PartialDependenceDisplay.from_estimator(model, table, [1, (0, 2)], feature_names=["a", "b", "c"], ax=axes())
    curve, surface = ours.axes_.ravel()
    assert (curve.get_xlabel(), surface.get_xlabel(), surface.get_ylabel()) == ("b", "a", "c")
    found = ours.pd_results[1]
    np.testing.assert_allclose(np.ptp(found.average[0], axis=0), 2.0 * np.ptp(found.grid_values[0]), rtol=1e-6)

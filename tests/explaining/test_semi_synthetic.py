"""Simulate my flake: what is planted, and how the recovery is judged."""

from dataclasses import replace
from functools import partial

import laws
import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from napari_wse2xai.data import Frame, Line, Samples
from napari_wse2xai.errors import Cancelled, DataError
from napari_wse2xai.explaining import explained, simulate
from napari_wse2xai.explaining.bunch import Bunch
from napari_wse2xai.explaining.planted import PlantedLaw
from napari_wse2xai.explaining.semi_synthetic import Explained, compared, planted_samples

SIDE = 16


@pytest.fixture(scope="module")
def samples() -> Samples:
    flake = laws.flake(3, side=SIDE)
    row, column = np.divmod(np.arange(SIDE**2), SIDE)
    targets = np.where(np.arange(SIDE**2) < 5, np.nan, flake.y)[:, None]
    return Samples(
        lines=tuple(Line(name, "lorentzian", (200.0, 300.0)) for name in ("E'", "A1'", "2LA")),
        axis_unit="cm-1",
        intensity_unit="counts",
        features=flake.X * np.resize([1, 1, 1, 1, 1, 2.0], 9),
        feature_errors=np.zeros_like(flake.X),
        filled=np.zeros(flake.X.shape, dtype=bool),
        target_names=("height",),
        target_units=("counts",),
        targets=targets,
        target_errors=np.zeros_like(targets),
        pl_peak="A",
        flake=np.zeros(SIDE**2, dtype=np.int64),
        row=row,
        column=column,
        frames=(Frame(shape=(SIDE, SIDE), step_um=(0.5, 0.5)),),
        names=("flake",),
    )


class LawTrainer:
    """Gives the planted law itself: an explainer of a perfect model must pass."""

    def __init__(self, samples: Samples, seed: int, noise: float) -> None:
        rng = np.random.default_rng(seed)
        self.law = PlantedLaw.drawn(samples, samples.targets[:, 0], rng, share=1 - noise)

    def __call__(self, planted: Samples, progress) -> PlantedLaw:
        self.planted = planted
        return self.law


def ridge(planted: Samples, progress) -> Ridge:
    known = np.isfinite(planted.targets[:, 0])
    return make_pipeline(StandardScaler(), Ridge()).fit(planted.features[known], planted.targets[known, 0])


def process(planted: Samples, progress):
    known = np.isfinite(planted.targets[:, 0])
    kernel = RBF(4.0, "fixed") + WhiteKernel(0.05, "fixed")
    model = make_pipeline(StandardScaler(), GaussianProcessRegressor(kernel, optimizer=None, normalize_y=True))
    return model.fit(planted.features[known], planted.targets[known, 0])


def test_a_perfect_model_passes_and_the_sentences_say_so(samples) -> None:
    recovery = simulate(samples, LawTrainer(samples, 1, 0.05), partial(explained, refits=4), seed=1)
    assert recovery.passed, recovery
    assert recovery.law == {"saturating": "A1'.height", "linear": "A1'.position", "quadratic": "A1'.fwhm", "partner": "2LA.height"}
    assert max(recovery.ranks.values()) == 4 and recovery.model_r2 > 0.999
    assert min(recovery.slope_correlation.values()) > 0.999
    assert "can be believed" in recovery.sentences[0]
    assert "A1'.height 1st" in recovery.sentences[1] and "4 of 4" in recovery.sentences[1]


def test_a_model_that_learns_finds_the_law_and_one_that_cannot_fails(samples) -> None:
    learnt, linear = (simulate(samples, trainer, partial(explained, refits=4), seed=2, noise=0.02) for trainer in (process, ridge))
    assert learnt.model_r2 > 0.9 and learnt.ranks["saturating"] == 1
    assert learnt.slope_correlation["saturating"] > 0.8
    assert not linear.passed and linear.slope_correlation["partner"] == 0.0
    assert "with care" in linear.sentences[0]


def test_what_is_planted_has_the_share_of_noise_and_of_hidden_variation(samples) -> None:
    values = samples.targets[:, 0]
    law = PlantedLaw.drawn(samples, values, np.random.default_rng(0), share=0.6)
    planted = planted_samples(samples, law, values, (0.1, 0.3), np.random.default_rng(0))
    rest = planted.targets[:, 0] - law.predict(samples.features)
    assert np.isnan(planted.targets[:5]).all() and np.isfinite(planted.targets[5:]).all()
    assert np.isclose(np.nanvar(rest) / np.nanvar(values), 0.4, atol=0.12)
    picture = samples.image(rest)
    assert np.nanmean((picture[1:] - picture[:-1]) ** 2) < 1.6 * np.nanvar(rest)
    assert np.isclose(law.predict(samples.features).std(), np.sqrt(0.6) * np.nanstd(values))
    assert np.isclose(law.predict(samples.features).mean(), np.nanmean(values))


def test_the_order_given_chooses_the_parameters(samples) -> None:
    draw = partial(PlantedLaw.drawn, samples, samples.targets[:, 0])
    law = draw(np.random.default_rng(0), order=[8, 6, 7, 2])
    assert law.columns == {"saturating": 8, "linear": 6, "quadratic": 7, "partner": 2}
    absent = replace(samples, filled=np.tile([True, True, False] + [False] * 6, (SIDE**2, 1)))
    assert PlantedLaw.drawn(absent, samples.targets[:, 0], np.random.default_rng(0), order=range(9)).columns["linear"] == 3


def test_what_is_sure_of_what_has_no_part_and_what_errors_hold_is_counted(samples) -> None:
    law = PlantedLaw.drawn(samples, samples.targets[:, 0], np.random.default_rng(0))
    true = explained(law, samples, refits=2)
    idle = [k for k in range(9) if k not in law.columns.values()]
    slope, error, off = true.slopes.slope.copy(), np.ones((9, SIDE**2)), np.zeros((9, SIDE**2), dtype=bool)
    slope[idle], error[idle], off[idle[0], :10] = 0.0, 1.0, True
    slope[idle[0]], error[idle[0]] = -1.0, np.where(np.arange(SIDE**2) < 30, 0.5, 0.51)
    low, high = true.partial.average - 1e9, true.partial.average + 1e9
    high[idle[0], :25] = low[idle[0], :25]
    found = Explained(true.partial, Bunch(true.slopes, slope=slope, off_cloud=off), Bunch(slope_error=error, low=low, high=high))
    told = compared(found, law, samples, noise=0.0, hidden=0.0, seed=0, target="height")
    assert told.false_slopes == pytest.approx(20 / (5 * SIDE**2)), "twenty are twice their error, and where data are"
    assert told.slope_coverage == pytest.approx(8 / 9), "of one parameter none is within 1.96 errors of none"
    assert told.band_coverage == pytest.approx(1 - 25 / (9 * 50))


def test_each_part_of_the_work_has_its_share_of_the_whole(samples) -> None:
    heard: list[tuple[float, str]] = []

    def trainer(planted: Samples, told) -> Ridge:
        told(0.5, "training")
        return ridge(planted, told)

    simulate(samples, trainer, partial(explained, refits=2), progress=lambda done, message: heard.append((done, message)))
    assert heard[0] == (pytest.approx(0.3), "training") and heard[-1] == (0.95, "Comparing with the truth")
    ends = {word: [done for done, message in heard if message.startswith(word)] for word in ("Curves", "Slopes", "Refits")}
    assert max(ends["Curves"]) == pytest.approx(0.6 + 0.3 * 0.35)
    assert max(ends["Slopes"]) == min(ends["Refits"]) == pytest.approx(0.6 + 0.6 * 0.35)
    assert max(ends["Refits"]) == pytest.approx(0.95) and [done for done, _ in heard] == sorted(done for done, _ in heard)


def test_cancel_passes_and_too_few_parameters_are_refused(samples) -> None:
    def cancel(fraction: float, message: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        simulate(samples, ridge, progress=cancel)
    flat = replace(samples, features=samples.features * 0)
    with pytest.raises(DataError, match="cannot be planted"):
        simulate(flat, ridge)

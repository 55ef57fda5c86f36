"""Backgrounds that are not straight, or that run away: the numbers, their errors, the words, the picture and the file."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.polynomial import Polynomial
from scipy.optimize import curve_fit

import planted_maps as planted
from napari_wse2xai import Deconvolve, Peak, check_model
from napari_wse2xai.data import AxisKind, SpectralMap, Status
from napari_wse2xai.errors import Cancelled, DataWarning
from napari_wse2xai.plots.spectra import SpectrumPlot
from napari_wse2xai.stages import accepted

X, SHAPE = planted.X, planted.SHAPE
WINDOW = (230.0, 270.0)
LINE = (Peak(name="A", position=250, fwhm=4, window=WINDOW),)
TIGHT = (Peak(name="D", position=250, fwhm=12, window=(240, 262)),)
HEIGHT = 520 * (1 + 0.1 * np.random.default_rng(5).normal(size=SHAPE))
CURVES = {
    "a parabola": 100 * ((X - 230) / 20) ** 2,
    "a slight one": 10 * ((X - 230) / 20) ** 2,
    "a strong one, downwards": -400 * ((X - 250) / 20) ** 2,
    "the tail of an emission": 2000 * np.exp((X - 320) / 40),
    "none": 0 * X,
}


def map_of(counts):
    return SpectralMap.from_arrays(counts.astype(np.float32), X, AxisKind.RAMAN_SHIFT)


def on(curve, seed=0, shape=planted.lorentzian):
    rng = np.random.default_rng(seed)
    return planted.noisy(rng, shape(X, 250 + 0.2 * rng.normal(size=SHAPE), 4.0 * np.ones(SHAPE), HEIGHT) + 100 + curve, 6.0)


@pytest.mark.parametrize("name", CURVES)
def test_a_background_that_bends_is_fitted_bent_with_honest_errors(name):
    peaks = Deconvolve(peaks=LINE, pixels="everywhere")(map_of(on(CURVES[name])))
    off = (peaks.height[0] - HEIGHT) / peaks.height_error[0]
    assert (peaks.status == Status.OK).mean() > 0.98
    assert abs(np.median(off)) < 0.25
    assert 0.85 < np.std(off) < 1.15
    assert peaks.under[0].degree == {"none": 1}.get(name, 2)
    truth = (100 + CURVES[name])[peaks.axis.between(*WINDOW)]
    assert np.abs(peaks.background_at(3, 4)[peaks.axis.between(*WINDOW)] - truth).max() < 20
    assert np.abs(peaks.mean_background(0, np.ones(SHAPE, dtype=bool)) - truth).max() < 3


@pytest.mark.parametrize("moment", ["the mean spectrum", "the straight fit", "the bent one after it"])
def test_a_fit_ends_when_it_is_cancelled_whatever_it_is_at(moment):
    told = []

    def listen(fraction, message):
        told.append(fraction)
        refitting = told.count(1.0) > 3
        if {
            "the mean spectrum": "mean" in message,
            "the straight fit": message.startswith("fitting 1 peak to"),
            "the bent one after it": refitting,
        }[moment]:
            raise Cancelled

    with pytest.raises(Cancelled):
        Deconvolve(peaks=LINE, pixels="everywhere")(map_of(on(CURVES["a parabola"])), listen)
    assert told == sorted(told)


def test_a_quadratic_is_solved_as_scipy_solves_it():
    counts = on(CURVES["a parabola"], seed=3)
    peaks = Deconvolve(peaks=LINE, pixels="everywhere", background="quadratic", position_penalty=0.0)(map_of(counts))
    inside = peaks.axis.between(*WINDOW)
    x = X[inside]

    def curve(x, p, w, h, a, b, c):
        return h / (1 + 4 * ((x - p) / w) ** 2) + Polynomial([a, b, c])((x - 250) / 20)

    for row, column in ((0, 0), (7, 3), (13, 14)):
        spectrum = counts[row, column, inside].astype(np.float32)
        best, covariance = curve_fit(curve, x, spectrum, [250, 4, 500, 100, 0, 0])
        assert np.allclose([peaks.position[0, row, column], peaks.fwhm[0, row, column]], best[:2], atol=2e-3)
        assert peaks.height[0, row, column] == pytest.approx(best[2], rel=1e-3)
        assert peaks.height_error[0, row, column] == pytest.approx(np.sqrt(covariance[2, 2]), rel=0.15)


@pytest.mark.parametrize(("shape", "solver"), [("gaussian", "automatic"), ("lorentzian", "channel LM"), ("lorentzian", "moment LM")])
def test_every_solver_bends(shape, solver):
    line = (Peak(name="A", position=250, fwhm=4, window=WINDOW, shape=shape),)
    counts = on(CURVES["a parabola"], shape=getattr(planted, shape))
    peaks = Deconvolve.model_validate({"peaks": line, "pixels": "everywhere", "solver": {"kind": solver}})(map_of(counts))
    off = (peaks.height[0] - HEIGHT) / peaks.height_error[0]
    assert np.abs(off).max() < 5
    assert peaks.under[0].degree == 2


def test_gaps_are_filled_under_a_bent_background():
    counts = on(CURVES["a parabola"])
    counts[2, 3, 105:109] = np.nan
    peaks = Deconvolve(peaks=LINE, pixels="everywhere")(map_of(counts))
    assert abs(peaks.height[0, 2, 3] - HEIGHT[2, 3]) < 5 * peaks.height_error[0, 2, 3]


def test_a_background_that_runs_away_is_held_and_told():
    counts = planted.noisy(np.random.default_rng(2), planted.gaussian(X, 250 * np.ones(SHAPE), 12.0, 200.0) + 100, 6.0)
    with pytest.warns(DataWarning, match=r"background under D ran .* below all that .* widen the window, or choose another line shape"):
        held = Deconvolve(peaks=TIGHT, pixels="everywhere")(map_of(counts))
    free = Deconvolve(peaks=TIGHT, pixels="everywhere", background="linear")(map_of(counts))
    assert np.median(free.background[0]) < 20
    assert 70 < np.median(held.background[0]) < 130
    assert np.median(np.abs(held.height[0] - 200)) < 30 < np.median(np.abs(free.height[0] - 200))
    assert not (held.status == Status.OK).any()
    assert any(each.shape == "gaussian" for each in check_model(held, map_of(counts)))


def test_a_right_model_in_a_tight_window_is_left_alone():
    counts = planted.noisy(np.random.default_rng(2), planted.lorentzian(X, 250 * np.ones(SHAPE), 12.0, 200.0) + 100, 6.0)
    peaks = Deconvolve(peaks=TIGHT, pixels="everywhere")(map_of(counts))
    assert not peaks.under[0].beside
    assert (peaks.status == Status.OK).mean() > 0.98


def test_the_remedy_for_a_bend_is_accepted_and_mends():
    source = map_of(on(CURVES["a parabola"] * 0.3))
    settings = Deconvolve(peaks=LINE, pixels="everywhere", background="linear")
    peaks = settings(source)
    (proposal,) = check_model(peaks, source)
    assert "background: quadratic" in proposal.words
    assert proposal.can_be_accepted
    again = accepted(settings, proposal)(source)
    assert (peaks.status != Status.OK).all()
    assert (again.status == Status.OK).mean() > 0.98
    assert not check_model(again, source)


def test_the_picture_shows_the_background_and_the_file_keeps_it(tmp_path):
    from napari_wse2xai import io
    from napari_wse2xai.data import Results

    source = map_of(on(CURVES["a parabola"]))
    peaks = Deconvolve(peaks=LINE, pixels="everywhere")(source)
    axes = Figure().subplots()
    SpectrumPlot(axes).show(source, 2, 5, peaks)
    (drawn,) = (line for line in axes.lines if line.get_label() == "background")
    assert np.allclose(drawn.get_ydata(), peaks.background_at(2, 5), equal_nan=True)
    io.write_results(Results({"raman": source}, {"raman": peaks}), tmp_path / "results.nc")
    read = io.read_results(tmp_path / "results.nc").peaks["raman"]
    assert read.under == peaks.under
    assert np.allclose(read.background_at(2, 5), peaks.background_at(2, 5), equal_nan=True)


def test_a_background_that_bends_is_no_matter_of_a_shape_that_stays_as_it_is():
    """A tried shape has more room for its widths: the optional line explained the bend, and the shape that was proposed was the old one."""
    dice, x = np.random.default_rng(1), np.linspace(1.38, 1.75, 300)
    lit = planted.gaussian(x, 1.574, 0.0626, dice.uniform(500, 800, (15, 18)))
    fluorescence = dice.uniform(400, 1120, (15, 18, 1)) * np.exp(-(((x - 1.42) / 0.3) ** 2))
    source = SpectralMap.from_arrays(dice.poisson(300 + lit + fluorescence).astype(np.float32), x, AxisKind.ENERGY)
    exciton = Peak(name="A exciton", shape="gaussian", position=1.57, fwhm=0.05, window=(1.44, 1.69))
    trion = Peak(name="trion", shape="gaussian", position=1.54, fwhm=0.06, window=(1.44, 1.69), distance_from="A exciton", optional=True)
    peaks = Deconvolve(peaks=[exciton, trion], pixels="everywhere")(source)
    assert "background bends" in peaks.report
    assert (peaks.status == Status.OK).mean() > 0.98
    assert (np.abs(peaks.fwhm[0] - 0.0626) < 5 * peaks.fwhm_error[0]).all()

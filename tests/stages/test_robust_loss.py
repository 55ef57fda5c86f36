"""The robust loss: lone bad channels move nothing, and without any the fit and its errors are as by squares."""

import numpy as np
import pytest

from napari_wse2xai import Deconvolve, Peak, SpectralMap
from napari_wse2xai.data import AxisKind
from napari_wse2xai.errors import Cancelled

X = np.arange(220.0, 290.0, 0.6)
LINES = ((250.2, 5.0, 400.0), (262.0, 8.0, 250.0))
SHAPE = (21, 33)
PEAKS = tuple(Peak(name=n, position=p, fwhm=w, window=(225, 285)) for n, (p, w, _) in zip("AB", LINES, strict=True))


def made(*, bad: float) -> SpectralMap:
    rng = np.random.default_rng(0)
    counts = 20 + sum(h / (1 + (2 * (X - p) / w) ** 2) for p, w, h in LINES) + 5 * rng.normal(size=(*SHAPE, len(X)))
    hit = rng.random(counts.shape) < bad
    counts[hit] += rng.choice([-1.0, 1.0], hit.sum()) * rng.uniform(60, 300, hit.sum())
    return SpectralMap.from_arrays(counts.astype(np.float32), X, AxisKind.RAMAN_SHIFT)


def pulls(peaks) -> dict[str, np.ndarray]:
    truth = {"position": 0, "fwhm": 1, "height": 2}
    return {
        name: np.stack([(getattr(peaks, name)[k] - LINES[k][i]) / getattr(peaks, f"{name}_error")[k] for k in (0, 1)])
        for name, i in truth.items()
    }


def off(peaks) -> float:
    return float(np.sqrt(np.nanmean((peaks.height[0] - LINES[0][2]) ** 2)))


@pytest.fixture(scope="module")
def fits():
    return {loss: Deconvolve(peaks=PEAKS, pixels="everywhere", loss=loss)(made(bad=0.02)) for loss in ("squares", "robust")}


def test_lone_bad_channels_move_little(fits) -> None:
    assert off(fits["robust"]) < 0.3 * off(fits["squares"])


def test_errors_hold(fits) -> None:
    for name, pull in pulls(fits["robust"]).items():
        known = pull[np.isfinite(pull)]
        assert 0.75 < np.std(known) < 1.35, name
        assert abs(np.mean(known)) < 0.2, name


def test_where_nothing_is_bad_it_is_as_by_squares() -> None:
    source = made(bad=0.0)
    plain, robust = (Deconvolve(peaks=PEAKS, pixels="everywhere", loss=loss)(source) for loss in ("squares", "robust"))
    for name, pull in pulls(robust).items():
        assert 0.9 < np.std(pull) < 1.12, name
        ratio = np.median(getattr(robust, f"{name}_error") / getattr(plain, f"{name}_error"))
        assert ratio == pytest.approx(1.0, abs=0.06)
    away = np.abs(robust.height - plain.height) / plain.height_error
    assert float(np.quantile(away, 0.95)) < 1.0


@pytest.mark.parametrize("moment", [1, 9])
@pytest.mark.parametrize("at", ["lack channels", "robust loss"])
def test_a_fit_that_is_done_again_ends_when_it_is_cancelled(at: str, moment: int) -> None:
    source, told = made(bad=0.02), []
    source.counts[:10][np.random.default_rng(1).integers(30, 42, size=(10, SHAPE[1], 1)) == np.arange(len(X))] = np.nan

    def listen(fraction: float, message: str) -> None:
        told.append(message)
        if sum(at in each for each in told) == moment:
            raise Cancelled

    with pytest.raises(Cancelled):
        Deconvolve(peaks=PEAKS, pixels="everywhere", loss="robust")(source, listen)
    assert at in told[-1]

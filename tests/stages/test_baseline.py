"""Baselines one by one: in this process and in others."""

import time
from dataclasses import replace

import numpy as np
import pytest

from napari_wse2xai.errors import Cancelled
from napari_wse2xai.numerics import baseline as numerics
from napari_wse2xai.stages import Baseline
from napari_wse2xai.stages.baseline import AsymmetricLeastSquares, PiecewiseLinear, ReweightedLeastSquares, Snip


@pytest.fixture(scope="module")
def patch(triangle):
    """A corner of the map with a pixel that was not measured."""
    counts = triangle.raman.counts[:6, :7].copy()
    counts[2, 3] = np.nan
    return replace(triangle.raman, counts=counts, frame=replace(triangle.raman.frame, shape=(6, 7)))


@pytest.mark.parametrize("method", [AsymmetricLeastSquares(), ReweightedLeastSquares(), Snip()])
def test_the_librarys_methods_take_off_what_it_says(patch, method):
    from pybaselines import Baseline as Fitter

    name, options = method.method
    one = patch.counts[4, 5].astype(float)
    expected = one - getattr(Fitter(patch.axis.values), name)(one, **options)[0]
    result = Baseline(method=method)(patch)
    assert result.counts[4, 5] == pytest.approx(expected, abs=0.01)
    assert np.isnan(result.counts[2, 3]).all()


def test_other_processes_give_the_same(patch, monkeypatch):
    here = Baseline(method=Snip())(patch)
    monkeypatch.setattr(numerics, "WORTH", 0.0)
    monkeypatch.setattr(numerics, "PIECE", 10)
    monkeypatch.setattr(numerics.os, "cpu_count", lambda: 2)
    heard = []
    there = Baseline(method=Snip())(patch, lambda done, words: heard.append(done))
    assert np.array_equal(here.counts, there.counts, equal_nan=True)
    assert heard[-1] == 1


def test_cancel_ends_other_processes_soon(triangle, monkeypatch):
    monkeypatch.setattr(numerics, "WORTH", 0.0)
    monkeypatch.setattr(numerics.os, "cpu_count", lambda: 2)
    asked = []

    def cancel(done, words):
        asked.append(time.monotonic())
        raise Cancelled

    with pytest.raises(Cancelled):
        Baseline(method=ReweightedLeastSquares())(triangle.raman, cancel)
    assert time.monotonic() - asked[0] < 0.5


def test_straight_lines_come_off_band_by_band(triangle, monkeypatch):
    from napari_wse2xai.stages import _bands

    stage = Baseline(method=PiecewiseLinear(areas=((150, 330), (330, 440)), margin=10))
    whole = stage(triangle.raman)
    monkeypatch.setattr(_bands, "BAND", 1)
    monkeypatch.setattr(_bands, "LARGE", 1)
    banded = stage(triangle.raman)
    assert np.allclose(banded.counts, whole.counts, atol=1e-2)

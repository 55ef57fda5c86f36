"""The mean of the fits is the mean of the fits."""

import numpy as np
from matplotlib.figure import Figure

from napari_wse2xai.plots.mean_spectrum import draw_mean_spectrum, mean_fit
from napari_wse2xai.plots.spectra import FittedCurves


def test_the_mean_fit_is_the_mean_of_every_pixels_fit(clean_raman, raman_peaks):
    window = raman_peaks.windows[0]
    pixels = np.isfinite(raman_peaks.position).all(axis=0)
    pixels.ravel()[np.flatnonzero(pixels)[5:]] = False
    each = [FittedCurves.of(raman_peaks, row, column).total[raman_peaks.axis.between(*window)] for row, column in np.argwhere(pixels)]
    np.testing.assert_allclose(mean_fit(raman_peaks, window, pixels), np.mean(each, axis=0), rtol=1e-5)


def test_spectrum_and_fit_lie_on_each_other(clean_raman, raman_peaks):
    axes = Figure().subplots()
    draw_mean_spectrum(axes, clean_raman, raman_peaks)
    data, *fits = axes.get_lines()
    assert len(fits) == 2
    for fit in fits:
        measured = np.interp(fit.get_xdata(), data.get_xdata(), data.get_ydata())
        assert np.abs(measured - fit.get_ydata()).max() < 0.05 * data.get_ydata().max()


def test_without_peaks_the_flake_is_averaged(clean_raman):
    axes = Figure().subplots()
    draw_mean_spectrum(axes, clean_raman)
    expected = clean_raman.counts[clean_raman.flake].mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(axes.get_lines()[0].get_ydata(), expected)
    assert axes.get_xlim() == (clean_raman.axis.values[0], clean_raman.axis.values[-1])

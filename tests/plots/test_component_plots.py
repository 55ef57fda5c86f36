"""Spectra of components stand one above the other, each to its own top, over what was compared."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from napari_wse2xai.data import Components, SpectralMap
from napari_wse2xai.data.axis import AxisKind
from napari_wse2xai.errors import DataWarning
from napari_wse2xai.plots.components import draw_components
from napari_wse2xai.stages import Decompose

X = np.linspace(100.0, 199.0, 100)


@pytest.fixture(scope="module")
def components() -> Components:
    """Of two lines, in a map of which the first ten channels are dead."""
    row, column = np.mgrid[:12, :14]
    lines = [height / (1 + ((X - place) / 4.0) ** 2) for place, height in ((130.0, 90.0), (170.0, 60.0))]
    counts = np.einsum("kyx,kc->yxc", [1.0 + np.sin(row / 2.0), 1.0 + (column > 6)], lines) + np.random.default_rng(0).normal(
        0, 1, (12, 14, 100)
    )
    counts[..., :10] = np.nan
    source = SpectralMap.from_arrays(counts.astype(np.float32), X, AxisKind.RAMAN_SHIFT, name="two lines")
    with pytest.warns(DataWarning, match="10 channels"):
        return Decompose(method="NMF")(source)


def test_each_component_reaches_one_above_its_own_zero_and_the_first_is_on_top(components: Components) -> None:
    axes = Figure().subplots()
    draw_components(axes, components)
    curves = [line for line in axes.lines if len(line.get_xdata()) == len(X)]
    count = len(components.names)
    zeros = [1.25 * (count - 1 - index) for index in range(count)]
    assert [np.nanmax(np.abs(curve.get_ydata() - zero)) for curve, zero in zip(curves, zeros, strict=True)] == pytest.approx([1.0] * count)
    assert axes.get_xlim() == (110.0, 199.0), "where there is something to compare"
    assert axes.get_xlabel() == "Raman shift (cm⁻¹)" and not len(axes.get_yticks())
    words = [text.get_text().split("\n") for text in axes.texts]
    assert [name for name, *_ in words] == list(components.names)
    assert [top for *_, top in words] == [f"top {np.nanmax(np.abs(each)):.4g} counts" for each in components.spectra]

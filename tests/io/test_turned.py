"""Scans that are turned against the stage: every spectrum at its own coordinates, and only where there is such a grid."""

import numpy as np
import pytest

from napari_wse2xai.data.transform import pixels_um
from napari_wse2xai.errors import DataWarning
from napari_wse2xai.io.grid import place

NY, NX = 7, 5
ROW, COLUMN = (index.ravel() for index in np.indices((NY, NX)))


def turned_scan(degrees, dy=2.0, dx=1.5, origin=(40.0, -17.0)):
    """Stage coordinates y, x of a scan whose columns run at an angle to +x, from +x towards +y."""
    angle = np.deg2rad(degrees)
    along, down = np.array([np.sin(angle), np.cos(angle)]), np.array([np.cos(angle), -np.sin(angle)])  # (y, x)
    places = np.array(origin) + dx * COLUMN[:, None] * along + dy * ROW[:, None] * down
    return places[:, 0], places[:, 1]


ORDERS = {
    "rows": np.arange(NY * NX),
    "columns": np.arange(NY * NX).reshape(NY, NX).T.ravel(),
    "snake": np.concatenate([row[:: 1 - 2 * (i % 2)] for i, row in enumerate(np.arange(NY * NX).reshape(NY, NX))]),
    "from the last": np.arange(NY * NX)[::-1],
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("degrees", [0.3, 12.5, 30.5, 44.0, 46.0, 80.0, 123.0, -12.5, -75.0])
@pytest.mark.parametrize("jitter", [0.0, 0.02])
def test_every_spectrum_lies_at_its_own_coordinates(order, degrees, jitter, recwarn):
    y, x = turned_scan(degrees)
    rng = np.random.default_rng(0)
    y, x = y + rng.uniform(-jitter, jitter, len(y)), x + rng.uniform(-jitter, jitter, len(x))
    spectra = np.arange(NY * NX, dtype=np.float32)[:, None]
    cube, frame = place(spectra[order], y[order], x[order], "map")
    assert sorted(frame.shape) == sorted((NY, NX))
    assert abs(frame.rotation_deg) <= 45.01
    assert frame.rotation_deg != 0 or degrees == 0.3
    which = cube[:, :, 0].astype(int)
    np.testing.assert_allclose(pixels_um(frame), np.stack([y, x], axis=-1)[which], atol=0.3 if degrees == 0.3 else 1e-9 + 3 * jitter)


def test_a_slanting_line_is_one_column_or_row_on_its_places():
    y, x = 3.0 + 3 * np.arange(9), 4.0 - 4 * np.arange(9)
    with pytest.warns(DataWarning, match="degrees to the stage; it is drawn turned"):
        cube, frame = place(np.arange(9, dtype=np.float32)[:, None], y, x, "line")
    which = cube[:, :, 0].astype(int)
    assert sorted(frame.shape) == [1, 9]
    np.testing.assert_allclose(pixels_um(frame), np.stack([y, x], axis=-1)[which], atol=1e-9)


def test_a_turned_scan_with_holes_stays_a_map():
    y, x = turned_scan(25.0)
    kept = np.random.default_rng(1).random(len(y)) > 0.3
    with pytest.warns(DataWarning) as told:
        cube, frame = place(ROW[kept, None].astype(np.float32), y[kept], x[kept], "map")
    assert any("missing" in str(each.message) for each in told)
    assert np.isfinite(cube).sum() == kept.sum()
    assert sorted(frame.shape) == [NX, NY]


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("count", [5, 8, 20, 100])
def test_points_at_random_are_no_turned_scan(seed, count):
    points = np.random.default_rng(seed).uniform(0, 100, (2, count))
    with pytest.warns(DataWarning):
        _, frame = place(np.zeros((count, 1), np.float32), *points, "points")
    assert frame.rotation_deg == 0

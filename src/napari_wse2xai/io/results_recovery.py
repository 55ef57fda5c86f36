"""Scores of a simulated flake in ``results.nc``, group ``/explanation/recovery``: one entry per planted parameter, attributes."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.data import Recovery
from napari_wse2xai.data import history as histories
from napari_wse2xai.data.recovery import BENT, MAIN
from napari_wse2xai.io import netcdf
from napari_wse2xai.io.hdf5 import numbers_of
from napari_wse2xai.io.results_pixels import put, put_texts, texts

RECOVERY = "recovery"
"""Group within that of the explanation."""
_NUMBERS = ("noise", "hidden", "model_r2", "band_coverage", "slope_coverage", "false_slopes")
_COUNTS = ("parameters", "seed")


def write_recovery(group: Any, recovery: Recovery) -> None:
    """Write the scores into their group."""
    roles = tuple(recovery.law)
    put_texts(group, "role", "role", roles)
    put_texts(group, "planted", "role", tuple(recovery.law.values()))
    put(group, "rank", ("role",), np.array([recovery.ranks[role] for role in roles]), long_name="rank that the parameter was given, from 1")
    curves, maps = _spread(recovery.pdp_r2, roles), _spread(recovery.slope_correlation, roles)
    put(group, "pdp_r2", ("role",), curves, long_name="R2 of the partial dependence against the true one")
    put(group, "slope_correlation", ("role",), maps, long_name="correlation of the slope map with the true one")
    group.attrs.update({name: float(getattr(recovery, name)) for name in _NUMBERS})
    group.attrs.update({name: int(getattr(recovery, name)) for name in _COUNTS})
    group.attrs["passed"] = int(recovery.passed)
    group.attrs["sentences"] = "\n".join(recovery.sentences)
    group.attrs["target"] = recovery.target
    group.attrs["history"] = histories.to_json(recovery.history)


def read_recovery(group: Any) -> Recovery:
    """Read what `write_recovery` wrote."""
    roles = texts(group, "role")
    of_roles = (numbers_of(group[name]).tolist() for name in ("rank", "pdp_r2", "slope_correlation"))
    ranks, curves, maps = (dict(zip(roles, values, strict=True)) for values in of_roles)
    numbers: dict[str, Any] = {name: float(np.asarray(group.attrs[name]).item()) for name in _NUMBERS}
    numbers |= {name: int(np.asarray(group.attrs[name]).item()) for name in _COUNTS}
    return Recovery(
        law=dict(zip(roles, texts(group, "planted"), strict=True)),
        ranks=ranks,
        pdp_r2={role: curves[role] for role in MAIN},
        slope_correlation={role: maps[role] for role in BENT},
        target=netcdf.text_of(group.attrs, "target"),
        history=histories.from_json(netcdf.text_of(group.attrs, "history")),
        **numbers,
    )


def _spread(values: Mapping[str, float], roles: tuple[str, ...]) -> NDArray[np.float64]:
    """Value of each role, NaN for those that have none."""
    return np.array([values.get(role, np.nan) for role in roles], dtype=np.float64)

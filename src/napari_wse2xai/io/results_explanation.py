"""An explanation in ``results.nc``, group ``/explanation``: curves per feature, slope maps on the flake, ranking."""

import json
from typing import Any

import numpy as np

from napari_wse2xai.data import Explanation, Samples
from napari_wse2xai.data import history as histories
from napari_wse2xai.io import netcdf
from napari_wse2xai.io.hdf5 import numbers_of
from napari_wse2xai.io.results_model import read_verdict, write_verdict
from napari_wse2xai.io.results_pixels import (
    make_flakes,
    put,
    put_maps,
    put_texts,
    read_samples,
    texts,
    values_of_maps,
    write_samples,
)
from napari_wse2xai.io.results_recovery import RECOVERY, read_recovery, write_recovery

EXPLANATION, OWN_SAMPLES = "explanation", "explanation_samples"
"""Groups of the explanation, and of the samples where they are not the model's."""
_CURVES = {
    "pdp_grid": "values of the parameter",
    "pdp": "partial dependence: mean prediction with the parameter at the grid's value",
    "pdp_low": "lower end of the 95 % band",
    "pdp_high": "upper end of the 95 % band",
    "supported": "1 where most curves lie within the cloud of the data",
}
_FEATURES = {
    "importance": "standard deviation of the partial dependence over the data",
    "importance_error": "one standard error of it",
    "slope_rms": "root mean square of slope times step",
    "step": "standard deviation of the parameter",
}
_MAPS = {"slope": "ice_slope", "slope_error": "ice_slope_error", "off_cloud": "off_cloud"}
"""Name in the file of each field that has a value per pixel."""
_MEANINGS = {
    "slope": "average slope of the ICE curve between minus and plus one standard deviation of the parameter",
    "slope_error": "one standard deviation of it over refits",
    "off_cloud": "1 where the parameter's standard deviation leads out of the cloud of the data",
}

_PIXELS, _GRID, _FEATURE = ("feature", "pixel"), ("feature", "grid"), ("feature",)
_EXTRA: dict[str, tuple[tuple[str, ...], str]] = {
    "derivative": (_PIXELS, "derivative of the prediction by the parameter"),
    "curvature": (_PIXELS, "second difference of the prediction over plus and minus one standard deviation"),
    "nonlinearity": (_PIXELS, "0 where the ICE curve is straight, 1 where its slopes to either side cancel"),
    "ale": (_GRID, "accumulated local effect at the values of pdp_grid, about the mean prediction"),
    "permutation": (_FEATURE, "R2 lost where the three parameters of the peak are shuffled together, on the pixels of the training"),
    "permutation_error": (_FEATURE, "standard deviation of it over shuffles"),
    "randomised": (_FEATURE, "correlation of the map of derivatives with that of random weights, mean over some networks"),
}
"""Dimensions and meaning of each further result, where it is known."""
_OF_TARGET = {"pdp", "pdp_low", "pdp_high", "importance", "importance_error", "slope_rms", "curvature", "ale"}
_OF_PARAMETER = {"pdp_grid", "step"}
_PER_PARAMETER = {"slope", "slope_error", "derivative"}


def _unit(name: str, target_unit: str) -> dict[str, str]:
    """Attributes that tell a unit: one unit where all features share it, else that of each feature as ``feature_unit`` has it."""
    if name in _OF_TARGET:
        return {"units": target_unit}
    if name in _OF_PARAMETER:
        return {"unit_of_each": "feature_unit"}
    return {"unit_of_each": f"{target_unit} per feature_unit"} if name in _PER_PARAMETER else {"units": "1"}


def write_explanation(group: Any, explanation: Explanation, known: Samples | None = None) -> None:
    """Write an explanation into its group.

    Parameters
    ----------
    known : samples that the file holds already under ``/samples``
    """
    samples, history = explanation.samples, histories.to_json(explanation.history)
    make_flakes(group, samples, history)
    put_texts(group, "feature", "feature", explanation.features)
    put_texts(group, "feature_unit", "feature", explanation.feature_units)
    for dimensions, table in ((_GRID, _CURVES), (_FEATURE, _FEATURES)):
        for name, meaning in table.items():
            put(group, name, dimensions, getattr(explanation, name), long_name=meaning, **_unit(name, explanation.target_unit))
    put(group, "ranking", ("feature_rank",), np.array(explanation.ranking, dtype=np.int64), long_name="features, the most important first")
    if len(explanation.pixels):
        put(group, "pixels", ("curve",), explanation.pixels, long_name="row in the samples of each ICE curve")
        put(group, "ice", ("feature", "curve", "grid"), explanation.ice, units=explanation.target_unit)
    for field, name in _MAPS.items():
        values = getattr(explanation, field)
        about = {"long_name": _MEANINGS[field], **_unit(field, explanation.target_unit)}
        put_maps(group, samples, name, _FEATURE, values, empty=-1 if values.dtype == bool else np.nan, **about)
    _write_words(group, explanation)
    _write_extra(group, explanation, history)
    if explanation.recovery is not None:
        write_recovery(group.create_group(RECOVERY), explanation.recovery)
    if samples is not known:
        write_samples(group.parent.create_group(OWN_SAMPLES), samples, history)


def _write_words(group: Any, explanation: Explanation) -> None:
    write_verdict(group, explanation.verdict)
    group.attrs.update({"target": explanation.target, "units": explanation.target_unit, "name": explanation.name})
    group.attrs["stamp"] = explanation.stamp
    group.attrs["pl_band"] = np.array(explanation.pl_band, dtype=np.float64)
    group.attrs["not_separable"] = json.dumps(explanation.not_separable, ensure_ascii=False)
    group.attrs["remarks"] = json.dumps(explanation.remarks, ensure_ascii=False)


def _write_extra(group: Any, explanation: Explanation, history: str) -> None:
    if not explanation.extra:
        return
    home = group.create_group("extra")
    home.attrs["history"] = history
    for name, values in explanation.extra.items():
        unknown = tuple(f"{name}_{axis}".replace(" ", "_") for axis in range(values.ndim))
        dimensions, meaning = _EXTRA.get(name, (unknown, ""))
        put(home, name.replace(" ", "_"), dimensions, values, long_name=name, comment=meaning, **_unit(name, explanation.target_unit))


def read_explanation(group: Any, known: Samples | None = None) -> Explanation:
    """Read what `write_explanation` wrote.

    Parameters
    ----------
    group : open h5py group
    known : samples of the model in the same file, used where the explanation has none of its own
    """
    own = group.parent.get(OWN_SAMPLES)
    samples = known if own is None and known is not None else read_samples(own)
    target, low_high = netcdf.text_of(group.attrs, "target"), group.attrs["pl_band"]
    arrays: dict[str, Any] = {name: numbers_of(group[name]) for name in (*_CURVES, *_FEATURES)}
    arrays |= {field: values_of_maps(group, samples, name) for field, name in _MAPS.items()}
    arrays |= {name: arrays[name].astype(bool) for name in ("supported", "off_cloud")}
    size = arrays["pdp"].shape
    return Explanation(
        samples=samples,
        target=target,
        target_unit=netcdf.text_of(group.attrs, "units"),
        verdict=read_verdict(group, target),
        features=texts(group, "feature"),
        feature_units=texts(group, "feature_unit"),
        pl_band=(float(low_high[0]), float(low_high[1])),
        pixels=numbers_of(group["pixels"]) if "pixels" in group else np.empty(0, dtype=np.int64),
        ice=numbers_of(group["ice"]) if "ice" in group else np.empty((size[0], 0, size[1])),
        ranking=tuple(int(index) for index in numbers_of(group["ranking"])),
        recovery=read_recovery(group[RECOVERY]) if RECOVERY in group else None,
        **_read_words(group),
        **arrays,
    )


def _read_words(group: Any) -> dict[str, Any]:
    extra = group.get("extra", {})
    return {
        "not_separable": tuple((a, b, rho) for a, b, rho in json.loads(netcdf.text_of(group.attrs, "not_separable"))),
        "extra": {netcdf.text_of(item.attrs, "long_name"): numbers_of(item) for item in extra.values() if "long_name" in item.attrs},
        "remarks": tuple(json.loads(netcdf.text_of(group.attrs, "remarks"))),
        "name": netcdf.text_of(group.attrs, "name"),
        "history": histories.from_json(netcdf.text_of(group.attrs, "history")),
    }

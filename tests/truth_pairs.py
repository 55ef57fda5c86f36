"""Paired maps straight from a synthetic flake's truth, with noise as from fits: no spectra, so a fraction of a second."""

import numpy as np

from napari_wse2xai.data import PARAMETERS, PairedMaps, PeakMaps, Status, Transform
from napari_wse2xai.synthetic import ModalityTruth, SyntheticFlake

ERRORS = {"position": 0.03, "fwhm": 0.05, "height": 1.5}
"""Standard errors of RS; those of PL are a thousandth of its values."""


def truth_pair(flake: SyntheticFlake, *, seed: int = 0) -> PairedMaps:
    """What a good deconvolution and pairing of a flake would give."""
    rng = np.random.default_rng(seed)
    raman, pl = (fitted(getattr(flake, name), getattr(flake.truth, name), rng) for name in ("raman", "pl"))
    return PairedMaps(raman, pl, pl.frame, Transform.similarity(), 0.05, 0.02, 1.0, "stage")


def fitted(source, truth: ModalityTruth, rng: np.random.Generator) -> PeakMaps:
    fields = {}
    for name in PARAMETERS:
        values = getattr(truth, name)
        error = np.where(np.isfinite(values), ERRORS[name] if len(truth.names) > 1 else np.nanmean(values) / 1000, np.nan)
        fields |= {name: values + error * rng.standard_normal(values.shape), f"{name}_error": error.astype(np.float32)}
    status = np.where(np.isfinite(truth.height[0]), Status.OK, Status.NOT_ON_FLAKE).astype(np.uint8)
    span = source.axis.span
    return PeakMaps(
        source.frame,
        source.axis,
        truth.names,
        truth.shapes,
        ((183.0, 300.0),) * 4 + ((314.0, 410.0),) * 4 if len(truth.names) > 1 else (span,),
        **{name: values.astype(np.float32) for name, values in fields.items()},
        status=status,
        reduced_chi2=np.ones(status.shape, dtype=np.float32),
        area=fields["height"].astype(np.float32) * fields["fwhm"].astype(np.float32),
        area_error=fields["height_error"],
        name=source.name,
    )

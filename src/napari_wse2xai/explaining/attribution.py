"""Integrated gradients (Sundararajan et al. 2017) of a network, per parameter and per channel of the lines that it draws."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from napari_wse2xai.errors import DataError
from napari_wse2xai.explaining.bunch import Bunch
from napari_wse2xai.explaining.model import Numbers, TorchModel
from napari_wse2xai.explaining.subject import Subject
from napari_wse2xai.progress import Progress, silent

if TYPE_CHECKING:
    import torch

STEPS = 24
"""Nodes of the Gauss-Legendre rule along the way from the baseline to a pixel."""
PIXELS_AT_ONCE = 16
"""Times the steps: that many rows fit into the cache."""


def integrated_gradients(
    estimator: object,
    X: Numbers | None = None,  # noqa: N803 - scikit-learn's name
    *,
    n_steps: int = STEPS,
    level: str = "channels",
    progress: Progress = silent,
) -> Bunch:
    """Share of each input in the difference between a pixel's prediction and that of the mean pixel.

    Parameters
    ----------
    estimator : with a torch module; for ``channels`` one that draws its lines itself (a part ``rendering``, as
        `learning.SpectralCNNRegressor`)
    X : (n, column) raw units
    n_steps : Gauss-Legendre points between baseline and pixel
    level : ``channels``: of every channel of every drawn line; ``parameters``: of every column
    progress : called per chunk

    Returns
    -------
    Bunch with ``attributions`` (n, line, channel) or (n, column), in the prediction's unit; ``channels`` (line, channel) their places on
    the axis, for ``channels``; ``baseline`` (line, channel) or (column,); ``delta`` (n,) by how much the sum over all inputs misses the
    difference of the predictions (completeness), in the prediction's unit

    Notes
    -----
    The baseline is the mean spectrum (mean parameters).  Dark spectra, the usual choice, lie so far from all data that instance
    normalisation makes the integral diverge there.
    """
    from napari_wse2xai.numerics.threads import single_thread

    subject = Subject.of(estimator, X)
    table, model = subject.table, subject.model
    if not isinstance(model, TorchModel):
        raise DataError("Integrated gradients need a network; explain the network, not one of the reference models.")
    inputs, function, channels = _of_level(model, table, level)
    baseline = inputs.mean(dim=0, keepdim=True)
    with single_thread():
        parts = []
        for start in range(0, len(table), PIXELS_AT_ONCE):
            parts.append(_integrated(function, inputs[start : start + PIXELS_AT_ONCE], baseline, n_steps))
            progress(min(start + PIXELS_AT_ONCE, len(table)) / len(table), "Integrated gradients")
        gained = _without_gradient(function, inputs) - _without_gradient(function, baseline)
    attributions = np.concatenate(parts)
    delta = attributions.reshape(len(table), -1).sum(axis=1) - gained
    return Bunch(attributions=attributions, baseline=baseline[0].double().numpy(), delta=delta, **channels)


Function = Callable[["torch.Tensor"], "torch.Tensor"]


def _of_level(model: TorchModel, table: Numbers, level: str) -> tuple["torch.Tensor", Function, dict[str, Numbers]]:
    """Inputs of the network, or of the part behind the drawing of lines, and that part as a function."""
    import torch

    raw, module = torch.as_tensor(table).to(model.device, model.dtype), model.module
    if level == "parameters":
        return raw, lambda x: module(x)[:, model.target], {}
    rendering = getattr(module, "rendering", None)
    if not isinstance(rendering, torch.nn.Module):
        raise DataError("The network draws no lines of its own, so nothing can be said about channels; use level='parameters'.")
    drawn = rendering(raw).detach()

    def behind(x: "torch.Tensor") -> "torch.Tensor":
        # What the drawing gives is put in its place, so that the rest of the network runs as it is, whatever it is made of.
        hook = rendering.register_forward_hook(lambda *_: x)
        try:
            predicted: torch.Tensor = module(raw[:1].expand(len(x), -1))[:, model.target]
        finally:
            hook.remove()
        return predicted

    return drawn, behind, {"channels": torch.as_tensor(rendering.channels).double().cpu().numpy()}


def _integrated(function: Function, inputs: "torch.Tensor", baseline: "torch.Tensor", steps: int) -> Numbers:
    import torch

    points, weights = np.polynomial.legendre.leggauss(steps)
    away = inputs - baseline
    shape = (-1, *[1] * away.ndim)
    # Nodes and weights of -1 to 1 brought to 0 to 1: some dozens integrate a smooth network to its rounding.
    share = torch.as_tensor((points + 1) / 2).to(away).reshape(shape)
    path = (baseline + share * away).flatten(0, 1).requires_grad_(True)
    (slopes,) = torch.autograd.grad(function(path).sum(), path)
    mean = (torch.as_tensor(weights / 2).to(away).reshape(shape) * slopes.reshape(steps, *away.shape)).sum(dim=0)
    return np.asarray((away * mean).double().cpu().numpy())


def _without_gradient(function: Function, inputs: "torch.Tensor") -> Numbers:
    import torch

    with torch.inference_mode():
        return np.concatenate([function(part).double().cpu().numpy() for part in torch.split(inputs, 256)])

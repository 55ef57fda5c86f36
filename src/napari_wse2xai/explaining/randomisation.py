"""A sanity check (Adebayo et al. 2018): an explanation that does not change with the weights does not explain the network."""

import copy
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from napari_wse2xai.errors import DataError
from napari_wse2xai.explaining.bunch import Bunch
from napari_wse2xai.explaining.model import Numbers, TorchModel
from napari_wse2xai.explaining.subject import Subject
from napari_wse2xai.progress import Progress, silent

if TYPE_CHECKING:
    import torch


REDRAWS = 3
"""Networks of random weights at each step; their correlations are averaged."""
PASSED = 0.2
"""The maps of a network with random weights must correlate less with the true ones."""


def weight_randomisation(
    estimator: object,
    X: Numbers | None = None,  # noqa: N803 - scikit-learn's name
    *,
    redraws: int = REDRAWS,
    cascade: bool = True,
    random_state: int = 0,
    progress: Progress = silent,
) -> Bunch:
    """Compare slope maps with those of the same network with weights drawn anew, from the last layer to the first.

    Parameters
    ----------
    estimator : with a torch module
    X : (n, column) raw units
    redraws : random networks per step
    cascade : draw the layers anew one after the other; else all at once, in one step
    random_state : seed
    progress : called between networks

    Returns
    -------
    Bunch with ``layers`` names of those drawn anew last, the first step having only the last layer; ``correlation`` (step, feature) of the
    derivative maps, mean over redraws; ``collapsed`` (feature,) whether it is below 0.2 once all weights are drawn anew

    Notes
    -----
    Maps are compared, not rankings: what the input looks like, not the weights, sets part of a ranking.  Passing says that the maps
    depend on the weights, nothing more.
    """
    subject = Subject.of(estimator, X)
    table, model, names = subject.table, subject.model, redrawable(subject)
    if not isinstance(model, TorchModel) or not names:
        raise DataError("Only a network has weights that can be drawn anew; explain the network, not one of the reference models.")
    own = model.gradient(table)
    steps = [[name] for name in names] if cascade else [names]
    total = np.zeros((len(steps), table.shape[1]))
    changed = copy.deepcopy(model.module)
    other = replace(model, module=changed)
    for redraw in range(redraws):
        changed.load_state_dict(model.module.state_dict())
        for step, drawn in enumerate(steps):
            progress((redraw * len(steps) + step) / (redraws * len(steps)), "Weights drawn anew")
            for name in drawn:
                _redraw(changed.get_submodule(name), random_state + redraw)
            total[step] += _correlation(own, other.gradient(table))
    mean = total / redraws
    return Bunch(layers=[drawn[-1] for drawn in steps], correlation=mean, collapsed=np.abs(mean[-1]) < PASSED)


def redrawable(subject: Subject) -> list[str]:
    """Layers whose weights can be drawn anew, from the last to the first; none in what is no network."""
    if not isinstance(subject.model, TorchModel):
        return []
    return [name for name, part in subject.model.module.named_modules() if _can_be_redrawn(part)][::-1]


def _can_be_redrawn(part: "torch.nn.Module") -> bool:
    return hasattr(part, "reset_parameters") and any(True for _ in part.parameters(recurse=False))


def _redraw(part: "torch.nn.Module", seed: int) -> None:
    """Draw the weights of one layer as before training; the global random state is left alone."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        part.reset_parameters()  # type: ignore[operator]


def _correlation(a: Numbers, b: Numbers) -> Numbers:
    """Correlation of each column; 0 where one does not vary."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    scale = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return np.asarray(np.divide((a * b).sum(axis=0), scale, out=np.zeros_like(scale), where=scale > 0))

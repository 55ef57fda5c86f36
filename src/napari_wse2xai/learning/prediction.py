"""Prediction in batches that fit in memory."""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_wse2xai.numerics.threads import single_thread

ROWS = 512
"""Pixels predicted at once: what a network makes of more leaves a core's cache."""


def predict_rows(predict: Callable[[Tensor], Tensor], module: nn.Module, features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Apply `predict` to raw features (n, column) on the device the module is on; eval mode is enforced.

    Dropout and batch statistics must not act here: a batch of nearly equal pixels would be normalised by itself.
    """
    device = next(module.buffers()).device
    module.eval()
    with torch.inference_mode(), single_thread():
        parts = [predict(part.to(device)) for part in torch.split(torch.as_tensor(features, dtype=torch.float32), ROWS)]
        predicted: NDArray[np.float64] = torch.cat(parts).double().cpu().numpy()
    return predicted

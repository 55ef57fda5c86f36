"""A few small networks on the bare numbers, trained as one batch of matrices: the CNN's strongest reference model, and its error bar."""

from dataclasses import KW_ONLY, dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data
from torch import Tensor, nn
from torch.nn import functional

from napari_wse2xai.errors import SettingsError
from napari_wse2xai.learning import device as devices
from napari_wse2xai.learning.network_training import TrainingPlan
from napari_wse2xai.learning.prediction import predict_rows
from napari_wse2xai.numerics.standard import or_one

Numbers = NDArray[np.float64]


class StackedLinear(nn.Module):
    """One linear layer per member: (member, n, entering) -> (member, n, leaving)."""

    def __init__(self, members: int, entering: int, leaving: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(members, entering, leaving))
        self.bias = nn.Parameter(torch.empty(members, 1, leaving))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights anew, as torch does for a layer of one network."""
        bound = self.weight.shape[1] ** -0.5
        for drawn in (self.weight, self.bias):
            nn.init.uniform_(drawn, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """Multiply all members at once."""
        return torch.baddbmm(self.bias, x, self.weight)


class NetworkEnsemble(nn.Module):
    """(n, column) raw -> (n, target) raw, the mean of all members; differentiable."""

    feature_mean: Tensor
    feature_scale: Tensor
    target_mean: Tensor
    target_scale: Tensor

    def __init__(self, members: int, columns: int, hidden: int, targets: int) -> None:
        super().__init__()
        self.count = members
        self.layers = nn.Sequential(
            StackedLinear(members, columns, hidden),
            nn.SiLU(),
            StackedLinear(members, hidden, hidden),
            nn.SiLU(),
            StackedLinear(members, hidden, targets),
        )
        for name, size in (("feature", columns), ("target", targets)):
            self.register_buffer(f"{name}_mean", torch.zeros(size))
            self.register_buffer(f"{name}_scale", torch.ones(size))

    def forward(self, features: Tensor) -> Tensor:
        """Mean of the members."""
        return self.members(features).mean(0)

    def members(self, features: Tensor) -> Tensor:
        """Predict by every member, (member, n, target), raw units."""
        standard = ((features - self.feature_mean) / self.feature_scale).expand(self.count, *features.shape)
        predicted: Tensor = self.layers(standard) * self.target_scale + self.target_mean
        return predicted

    @torch.no_grad()
    def learn(self, rows: Tensor, targets: Tensor) -> None:
        """Set the gradients of every member's own mean squared error, of standardised rows (member, n, column) and targets.

        Written out, for torch's small steps back take a third of the time.
        """
        first, *rest = linear = [layer for layer in self.layers if isinstance(layer, StackedLinear)]
        seen, made = [rows], [torch.baddbmm(first.bias, rows, first.weight)]
        for layer in rest:
            seen.append(functional.silu(made[-1]))
            made.append(torch.baddbmm(layer.bias, seen[-1], layer.weight))
        error = (made.pop() - targets) * (2 / targets[0].numel())
        for layer, entered in zip(reversed(linear), reversed(seen), strict=True):
            layer.weight.grad, layer.bias.grad = entered.transpose(1, 2) @ error, error.sum(1, keepdim=True)
            if made:
                error = torch.ops.aten.silu_backward(error @ layer.weight.transpose(1, 2), made.pop())


@dataclass(eq=False, repr=False)
class MLPEnsembleRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Mean of small networks with two hidden layers, which differ in their seeds and, if wanted, in their bootstrap sample.

    Parameters
    ----------
    n_estimators : networks
    hidden : width of both hidden layers
    bootstrap : train each network on its own sample of the pixels, drawn with replacement
    max_epochs, learning_rate, batch_size, weight_decay : AdamW with a one-cycle schedule
    device : see `learning.device.choose`; the processor is faster than most GPUs for networks this small
    random_state : seed; on the processor the same seed gives the same weights

    Attributes
    ----------
    module_ : torch module (n, column) raw float32 -> (n, target) raw, the members' mean
    n_features_in_
    """

    n_estimators: int = 8
    _: KW_ONLY
    hidden: int = 64
    bootstrap: bool = False
    max_epochs: int = 60
    learning_rate: float = 5e-3
    batch_size: int = 128
    weight_decay: float = 0.05
    device: str = "cpu"
    random_state: int | None = 0

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803 - scikit-learn's name
        """Train all networks on X (n, column) and y (n,) or (n, target), raw units."""
        features, targets = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=np.float64, ensure_min_samples=2)
        if self.n_estimators < 1:
            raise SettingsError(f"An ensemble needs at least one network, not n_estimators={self.n_estimators}.")
        self._one_target, device = targets.ndim == 1, devices.choose(self.device)
        seed = int(np.random.SeedSequence(self.random_state).generate_state(1)[0])
        with devices.alike(device):
            self._train(features, targets.reshape(len(targets), -1), device, seed)
        return self

    def predict(self, X: ArrayLike, return_std: bool = False) -> Numbers | tuple[Numbers, Numbers]:  # noqa: N803
        """Predict (n,) or (n, target); with `return_std` also the spread of the members (standard deviation)."""
        members = self.members(X)
        mean: Numbers = members.mean(axis=0)
        return (mean, members.std(axis=0, ddof=min(1, len(members) - 1))) if return_std else mean

    def members(self, X: ArrayLike) -> Numbers:  # noqa: N803
        """Predict by every network: (member, n) or (member, n, target)."""
        check_is_fitted(self)
        features = validate_data(self, X, reset=False, dtype=np.float64)
        predicted = predict_rows(lambda part: self.module_.members(part).transpose(0, 1), self.module_, features).swapaxes(0, 1)
        return predicted[..., 0] if self._one_target else predicted

    def _train(self, features: Numbers, targets: Numbers, device: torch.device, seed: int) -> None:
        drawing = torch.Generator()
        with devices.seeded(device, seed):
            module = NetworkEnsemble(self.n_estimators, features.shape[1], self.hidden, targets.shape[1])
            drawing.set_state(torch.get_rng_state())  # goes on by itself, so that others may draw
        for name, values in (("feature", features), ("target", targets)):
            getattr(module, f"{name}_mean").copy_(torch.as_tensor(values.mean(axis=0)))
            getattr(module, f"{name}_scale").copy_(torch.as_tensor(or_one(values.std(axis=0))))
        self.module_ = module.to(device)
        raw = [torch.as_tensor(values, dtype=torch.float32, device=device) for values in (features, targets)]
        table = (raw[0] - module.feature_mean) / module.feature_scale, (raw[1] - module.target_mean) / module.target_scale
        self._descend(*table, seed, drawing)

    def _descend(self, features: Tensor, targets: Tensor, seed: int, drawing: torch.Generator) -> None:
        plan = TrainingPlan(self.max_epochs, self.learning_rate, self.batch_size, weight_decay=self.weight_decay, seed=seed)
        optimizer = plan.make_optimizer(self.module_, features.device)
        batch = min(plan.batch_size, len(features))
        pools, steps = self._pools(len(features), seed).to(features.device), len(features) // batch
        for epoch in range(plan.max_epochs):
            order = torch.rand(pools.shape, generator=drawing).argsort(1).to(features.device)
            for step in range(steps):
                rows = pools.gather(1, order[:, step * batch : (step + 1) * batch])
                for group in optimizer.param_groups:
                    group["lr"] = plan.rate((epoch * steps + step) / (plan.max_epochs * steps))
                self.module_.learn(features[rows], targets[rows])
                optimizer.step()

    def _pools(self, count: int, seed: int) -> Tensor:
        """Rows that each member learns from, (member, n)."""
        if not self.bootstrap:
            return torch.arange(count).expand(self.n_estimators, count)
        return torch.as_tensor(np.random.default_rng(seed).integers(count, size=(self.n_estimators, count)))

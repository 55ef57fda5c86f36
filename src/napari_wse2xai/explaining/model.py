"""Any fitted estimator as a plain function of the table of parameters, evaluated in evaluation mode and in chunks that fit the cache."""

import copy
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_wse2xai.errors import DataError
from napari_wse2xai.numerics.library_threads import single_threaded
from napari_wse2xai.progress import Progress, silent

if TYPE_CHECKING:
    import torch

Numbers = NDArray[np.float64]
Rows = Callable[[int, int], Numbers]
"""Gives rows start to stop of a table that is too long to be held at once."""

CACHE_BYTES = 4 * 2**20
"""A chunk's largest activation takes no more, so that it stays in a core's cache."""
SMALLEST_CHUNK, LARGEST_CHUNK = 16, 512
"""Rows handed to a network at once, at least and at most, whatever the cache holds."""
DEVICE_CHUNK = 16384
"""Rows at once on a GPU, where launching costs more than memory."""
TABLE_CHUNK = 4096
"""Rows handed to an estimator that is no torch module; a kernel model compares each with every pixel that it knows."""


class Model(Protocol):
    """A fitted model of one target."""

    @property
    def differentiable(self) -> bool:
        """Whether `gradient` works."""
        ...

    def seen(self, table: Numbers) -> Numbers:
        """Return the table as the model sees it: rounded to its precision."""
        ...

    def rows(self, count: int, rows: Rows, progress: Progress = silent, message: str = "") -> Numbers:
        """Predict (count,) for a table that is made in chunks."""
        ...

    def gradient(self, table: Numbers, progress: Progress = silent) -> Numbers:
        """Derivatives (n, feature) of the prediction by each column of the table (n, feature)."""
        ...


def as_model(estimator: Any, *, target: int = 0) -> Model:
    """Make a `Model` of a fitted estimator.

    Parameters
    ----------
    estimator : a torch module, anything with a torch ``module_`` (raw table to raw target), anything with ``predict``, or a `Model`
    target : which column, where the estimator predicts several

    Notes
    -----
    A torch module is copied, and the copy put into evaluation mode: dropout and batch statistics are off whatever state the caller's module
    is in, and that state is left alone.  In training mode a PDP keeps a few percent of its range, because the batch statistics subtract
    the effect that is looked for.  Modules without convolutions are evaluated in float64, where that costs little.
    """
    if isinstance(estimator, TorchModel | TableModel):
        return estimator
    module = getattr(estimator, "module_", estimator if hasattr(estimator, "state_dict") else None)
    if module is not None:
        return TorchModel.of(module, target)
    if not hasattr(estimator, "predict"):
        raise DataError(f"A {type(estimator).__name__} cannot be explained: it has neither predict() nor a torch module; fit it first.")
    return TableModel(estimator, target)


def predict(model: Model, table: Numbers) -> Numbers:
    """Predictions (n,) for a table (n, feature)."""
    return model.rows(len(table), lambda start, stop: table[start:stop])


def moved(
    model: Model, table: Numbers, columns: NDArray[np.int64], there: Numbers, progress: Progress = silent, message: str = ""
) -> Numbers | None:
    """Predictions (feature, k, n) with one column at a time moved to values (feature, k, n); None where a model knows no short way."""
    return model.moved(table, columns, there, progress, message) if isinstance(model, TorchModel) else None


@dataclass(frozen=True, eq=False)
class TableModel:
    """An estimator with ``predict``, as scikit-learn's."""

    estimator: Any
    target: int
    differentiable: bool = False

    def seen(self, table: Numbers) -> Numbers:
        """Return the table itself."""
        return table

    def rows(self, count: int, rows: Rows, progress: Progress = silent, message: str = "") -> Numbers:
        """Predict (count,) for a table that is made in chunks."""
        from sklearn.base import BaseEstimator

        def work(start: int, stop: int) -> Numbers:
            predicted = np.asarray(self.estimator.predict(rows(start, stop)), dtype=np.float64)
            return predicted.reshape(stop - start, -1)[:, self.target]

        # Predicting changes nothing in what scikit-learn makes; of what others make that is not known.
        known = isinstance(self.estimator, BaseEstimator)
        with single_threaded() if known else nullcontext():
            return _in_chunks(TABLE_CHUNK, work, (count,), (progress, message), None if known else 1)

    def gradient(self, table: Numbers, progress: Progress = silent) -> Numbers:
        """Refuse: `ice_slope` with finite steps does for such models."""
        raise DataError(f"A {type(self.estimator).__name__} has no derivatives; use a scheme with finite steps, such as 'central'.")


@dataclass(frozen=True, eq=False)
class TorchModel:
    """A torch module, raw table to raw target; a private copy in evaluation mode."""

    module: "torch.nn.Module"
    target: int
    dtype: "torch.dtype"
    device: "torch.device"
    differentiable: bool = True

    @classmethod
    def of(cls, module: "torch.nn.Module", target: int) -> "TorchModel":
        """Copy a module, in evaluation mode; in float64 where it holds no convolution."""
        import torch

        own = copy.deepcopy(module).eval().requires_grad_(False)
        tensor = next(iter([*own.parameters(), *own.buffers()]), torch.zeros(()))
        convolves = any(isinstance(part, torch.nn.Conv1d | torch.nn.Conv2d) for part in own.modules())
        if convolves or tensor.device.type != "cpu":
            return cls(own, target, tensor.dtype, tensor.device)
        return cls(own.double(), target, torch.float64, tensor.device)

    def seen(self, table: Numbers) -> Numbers:
        """Return the table rounded to the module's precision."""
        import torch

        return np.asarray(torch.as_tensor(table).to(self.dtype).double().numpy())

    def rows(self, count: int, rows: Rows, progress: Progress = silent, message: str = "") -> Numbers:
        """Predict (count,) for a table that is made in chunks."""
        chunk = self._chunk(rows(0, 1))
        return self._chunks(chunk, lambda start, stop: self._values(rows(start, stop)), (count,), (progress, message))

    def gradient(self, table: Numbers, progress: Progress = silent) -> Numbers:
        """Derivatives (n, feature) of the prediction by each column of the table (n, feature), by automatic differentiation."""
        chunk, report = self._chunk(table[:1]), (progress, "Derivatives")
        return self._chunks(chunk, lambda start, stop: self._derivatives(table[start:stop]), table.shape, report)

    def moved(self, table: Numbers, columns: NDArray[np.int64], there: Numbers, progress: Progress, message: str) -> Numbers | None:
        """Predictions (feature, k, n) with one column at a time moved to values; None where the module knows no short way."""
        if not hasattr(self.module, "moved"):
            return None

        def work(start: int, stop: int) -> Numbers:
            return self._moved(table[start:stop], columns, there[..., start:stop])

        shape = (len(table), *there.shape[:2])
        return np.ascontiguousarray(np.moveaxis(self._chunks(LARGEST_CHUNK, work, shape, (progress, message)), 0, -1))

    def _moved(self, rows: Numbers, columns: NDArray[np.int64], there: Numbers) -> Numbers:
        """The same of some rows, (n, feature, k)."""
        import torch

        with torch.inference_mode():
            found = self.module.moved(self._tensor(rows), columns.tolist(), self._tensor(there))  # type: ignore[operator]
            return np.moveaxis(found[..., self.target].double().cpu().numpy(), -1, 0)

    def _chunk(self, row: Numbers) -> int:
        """Rows whose largest activation fits the cache, found by sending one row through."""
        import torch

        if self.device.type != "cpu":
            return DEVICE_CHUNK
        largest = [row.shape[1]]

        def look(_part: object, _inputs: object, output: object) -> None:
            if isinstance(output, torch.Tensor):
                largest.append(output.numel())

        hooks = [part.register_forward_hook(look) for part in self.module.modules()]
        self._values(row)
        for hook in hooks:
            hook.remove()
        return int(np.clip(CACHE_BYTES // (max(largest) * self.dtype.itemsize), SMALLEST_CHUNK, LARGEST_CHUNK))

    def _chunks(self, chunk: int, work: Callable[[int, int], Numbers], shape: tuple[int, ...], report: tuple[Progress, str]) -> Numbers:
        return _in_chunks(chunk, work, shape, report, None if self.device.type == "cpu" else 1)

    def _values(self, table: Numbers) -> Numbers:
        import torch

        with torch.inference_mode():
            return self._of_target(self.module(self._tensor(table))).double().cpu().numpy()

    def _derivatives(self, table: Numbers) -> Numbers:
        import torch

        with torch.enable_grad():
            inputs = self._tensor(table).requires_grad_(True)
            # In evaluation mode a row's prediction hangs on that row alone: the gradient of the sum holds every row's own.
            total = self._of_target(self.module(inputs)).sum()
            (slopes,) = torch.autograd.grad(total, inputs)
        return slopes.double().cpu().numpy()

    def _tensor(self, table: Numbers) -> "torch.Tensor":
        import torch

        return torch.as_tensor(np.ascontiguousarray(table)).to(self.device, self.dtype)

    def _of_target(self, outputs: "torch.Tensor") -> "torch.Tensor":
        return outputs.reshape(len(outputs), -1)[:, self.target]


def _in_chunks(
    chunk: int, work: Callable[[int, int], Numbers], shape: tuple[int, ...], report: tuple[Progress, str], workers: int | None
) -> Numbers:
    """Fill an array chunk by chunk, one chunk per thread: torch's own threads would wait for one another at every small layer."""
    from napari_wse2xai.numerics.threads import in_threads

    values, count = np.empty(shape), shape[0]
    spans = [(start, min(start + chunk, count)) for start in range(0, count, chunk)]
    with closing(in_threads(lambda span: work(*span), spans, workers=workers)) as results:
        for (start, stop), result in zip(spans, results, strict=True):
            values[start:stop] = result
            report[0](stop / count, report[1])
    return values

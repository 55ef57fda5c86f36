"""The training loop: data resident on the device, one index permutation per epoch, no loader."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from napari_wse2xai.errors import Cancelled, DataError, SettingsError, StopTraining
from napari_wse2xai.learning.checkpoint import Checkpoint, UnusableError
from napari_wse2xai.learning.network import SpectralNetwork
from napari_wse2xai.learning.prediction import ROWS
from napari_wse2xai.learning.sobolev import Measure, WrittenOut
from napari_wse2xai.learning.teaching import STEPS, Lessons

Listener = Callable[[float, str, Mapping[str, list[float]]], None]
"""Called with the share done, a message, and the history so far; may raise `Cancelled`."""
OPTIMIZERS = ("adamw", "adam")
SCHEDULES = ("onecycle", "constant")
LOSSES = ("huber", "squared")
WARM_UP = 0.25
"""Share of a one-cycle schedule in which the learning rate rises (Smith & Topin 2018)."""
FIRST_RATE = 0.04
"""Learning rate at the start of a one-cycle schedule, over its peak."""
LOOKS = 10
"""R2 is measured so many times in a run at most."""
PATIENCE_S = 0.3
"""The listener is called at least this often."""
HISTORY = ("epoch", "loss", "r2_training", "r2_validation", "seconds")


@dataclass(frozen=True)
class TrainingPlan:
    """How to train."""

    max_epochs: int
    learning_rate: float
    batch_size: int
    optimizer: str = "adamw"
    schedule: str = "onecycle"
    loss: str = "huber"
    """``squared``, or ``huber``: linear beyond one standard deviation of the target, so that odd pixels do not rule (Huber 1964)."""
    weight_decay: float = 0.0
    jitter: float = 0.0
    """Random part added to every feature in training, in standard deviations of its column: keeps a network smooth (Bishop 1995)."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            raise SettingsError(f"The optimizer '{self.optimizer}' is not known; use {' or '.join(OPTIMIZERS)}.")
        if self.schedule not in SCHEDULES:
            raise SettingsError(f"The schedule '{self.schedule}' is not known; use {' or '.join(SCHEDULES)}.")
        if self.loss not in LOSSES:
            raise SettingsError(f"The loss '{self.loss}' is not known; use {' or '.join(LOSSES)}.")
        if self.max_epochs < 1 or self.batch_size < 2:
            raise SettingsError(f"Train at least 1 epoch in batches of at least 2, not {self.max_epochs} epochs of {self.batch_size}.")

    def rate(self, done: float) -> float:
        """Learning rate when the share `done` of all steps is done; one cycle: up and down along half cosines, to zero."""
        if self.schedule == "constant":
            return self.learning_rate
        if done < WARM_UP:
            return self.learning_rate * (FIRST_RATE + (1 - FIRST_RATE) * _half_cosine(done / WARM_UP))
        return self.learning_rate * _half_cosine((1 - done) / (1 - WARM_UP))

    def make_optimizer(self, module: nn.Module, device: torch.device) -> torch.optim.Optimizer:
        """One fused step for all tensors: otherwise most of the time goes into launching tiny operations."""
        fused = device.type in ("cpu", "cuda")
        make = torch.optim.AdamW if self.optimizer == "adamw" else torch.optim.Adam
        return make(module.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay, fused=fused)


@dataclass(frozen=True)
class SampleTable:
    """Pixels on the device: raw features (n, column) and standardised targets (n, target)."""

    features: Tensor
    targets: Tensor

    def r2(self, module: SpectralNetwork) -> float:
        """R2 of a module that is in eval mode, mean over the targets."""
        with torch.inference_mode():
            parts = [module.standardised(part) for part in torch.split(self.features, ROWS)]
            rest = (torch.cat(parts) - self.targets).square().sum(0)
            whole = (self.targets - self.targets.mean(0)).square().sum(0)
        return float((1 - rest / whole.clamp_min(1e-12)).mean())


@dataclass
class Best:
    """The weights with the best R2 on the training pixels: those of validation must not choose what they judge."""

    r2: float = -math.inf
    epoch: int = 0
    weights: dict[str, Tensor] = field(default_factory=dict)


class Trainer:
    """One run, which can be stopped between any two epochs and taken up again."""

    def __init__(
        self,
        module: SpectralNetwork,
        training: SampleTable,
        validation: SampleTable | None,
        plan: TrainingPlan,
        *,
        lessons: Lessons | None = None,
        listen: Listener | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        self.module, self.training, self.validation, self.plan, self.checkpoint = module, training, validation, plan, checkpoint
        self.listen = listen or (lambda done, message, history: None)
        self.device = training.features.device
        self.lessons, self.written = lessons, WrittenOut.of(module, lessons) if lessons is not None else None
        self.optimizer = plan.make_optimizer(module, self.device)
        self.order = torch.Generator().manual_seed(plan.seed)
        self.batch = min(plan.batch_size, len(training.targets if lessons is None else lessons.targets))
        self.steps = len(training.targets) // self.batch if lessons is None else STEPS
        self.jitter = plan.jitter * training.features.std(0, correction=0)
        self.every = -(-plan.max_epochs // LOOKS)
        self.history: dict[str, list[float]] = {name: [] for name in HISTORY}
        self.best, self.epoch, self.before_s, self.resumed = Best(), 0, 0.0, 0
        self.enough, self.whole = False, False

    def run(self) -> None:
        """Train to the last epoch; leaves the module in eval mode, on `Cancelled` with the best weights so far."""
        self.begun, self.first_step, self.told = time.perf_counter(), self.epoch * self.steps, time.perf_counter()
        try:
            self._go_on()
        except Cancelled:
            if self.best.weights:
                self.module.load_state_dict(self.best.weights)
            raise
        finally:
            self.module.eval()

    def _go_on(self) -> None:
        """Train the epochs that are left; however that ends, a checkpoint is written from which the same outcome follows."""
        try:
            if self.resumed:
                self._tell(0)
            if self.enough:
                raise StopTraining
            while self.epoch < self.plan.max_epochs:
                self._one_more()
                if self.checkpoint and self.checkpoint.due:
                    self.checkpoint.keep(self.state())
                self._tell(0)
        except StopTraining:
            self.enough = self.whole = True  # it will not go on, so it is kept as it is, within an epoch or not
            raise
        finally:
            if self.checkpoint and self.whole:
                self.checkpoint.keep(self.state())
            if self.checkpoint:
                self.checkpoint.write()

    def _one_more(self) -> None:
        """Train one epoch, and measure where it is time; in between there is nothing to go on from."""
        self.whole = False
        loss = self._epoch()
        self.epoch += 1
        if self.epoch % self.every == 0 or self.epoch == self.plan.max_epochs:
            self._look(loss)
        self.whole = True

    @property
    def seconds(self) -> float:
        """Time spent so far, that before a resumption included."""
        return self.before_s + time.perf_counter() - self.begun

    def kept(self) -> dict[str, float]:
        """Epoch and R2 of the weights that the module was left with."""
        if self.epoch < self.plan.max_epochs:
            return {"epoch": self.best.epoch, "r2_training": self.best.r2}
        return {"epoch": self.epoch, **{name: self.history[name][-1] for name in HISTORY if name.startswith("r2")}}

    def state(self) -> dict[str, Any]:
        """Everything needed to go on as if there had been no interruption: tensors, numbers and strings only."""
        random = torch.cuda.get_rng_state(self.device) if self.device.type == "cuda" else torch.get_rng_state()
        return {
            "module": self.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "epoch": self.epoch,
            "seconds": self.seconds,
            "order": self.order.get_state(),
            "random": random,
            "history": self.history,
            "best": {"r2": self.best.r2, "epoch": self.best.epoch, "weights": self.best.weights},
            "enough": self.enough,
        }

    def restore(self, state: Mapping[str, object]) -> None:
        """Take up a run where `state` was taken."""
        try:
            self._restore(state)
        except (KeyError, TypeError, ValueError, RuntimeError) as other:  # what torch raises where names or shapes do not fit
            raise UnusableError("The interrupted run does not fit this version's network; start again without it.") from other
        self.resumed, self.whole = self.epoch, True

    def _restore(self, state: Mapping[str, Any]) -> None:
        self.module.load_state_dict(state["module"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.order.set_state(state["order"])
        self.epoch, self.before_s, self.enough = state["epoch"], state["seconds"], state["enough"]
        self.history, self.best = {name: list(values) for name, values in state["history"].items()}, Best(**state["best"])
        if not self.draws:
            return
        if self.device.type == "cuda":
            torch.cuda.set_rng_state(state["random"], self.device)
        else:
            torch.set_rng_state(state["random"])

    @property
    def draws(self) -> bool:
        """Whether training draws random numbers from torch's own stream."""
        return self.plan.jitter > 0 or any(isinstance(part, nn.Dropout) and part.p > 0 for part in self.module.modules())

    def _epoch(self) -> Tensor:
        """Train one epoch; the mean loss stays on the device, for reading it would make a GPU wait."""
        self.module.train()
        order = self._order().to(self.device)
        total = torch.zeros((), device=self.device)
        for step in range(self.steps):
            total += self._step(order[step * self.batch : (step + 1) * self.batch], self.epoch * self.steps + step)
            if time.perf_counter() - self.told > PATIENCE_S:
                self._tell(step + 1)
        return total / self.steps

    def _order(self) -> Tensor:
        """Rows in the order in which an epoch takes them."""
        if self.lessons is not None:
            return torch.randint(len(self.lessons.targets), (self.steps * self.batch,), generator=self.order)
        return torch.randperm(len(self.training.targets), generator=self.order)

    def _step(self, rows: Tensor, number: int) -> Tensor:
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.rate(number / (self.plan.max_epochs * self.steps))
        measure = nn.functional.mse_loss if self.plan.loss == "squared" else nn.functional.huber_loss
        if self.written is not None:
            loss = self.written.learn(rows, measure, number)
        else:
            self.optimizer.zero_grad()
            loss = self._loss(rows, measure, number)
            loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return loss.detach()

    def _loss(self, rows: Tensor, measure: Measure, number: int) -> Tensor:
        if self.lessons is not None:
            return self.lessons.loss(self.module, rows, measure, number)
        features = self.training.features[rows]
        if self.plan.jitter:
            features = torch.addcmul(features, self.jitter, torch.randn_like(features))
        return measure(self.module.standardised(features), self.training.targets[rows])

    def _look(self, loss: Tensor) -> None:
        """Measure R2, and keep the weights if they are the best."""
        self.module.eval()
        r2 = self.training.r2(self.module)
        if not math.isfinite(r2):
            raise DataError(f"Training diverged at epoch {self.epoch}; use a smaller learning rate than {self.plan.learning_rate:g}.")
        validation = self.validation.r2(self.module) if self.validation else math.nan
        for name, value in zip(HISTORY, (self.epoch, float(loss), r2, validation, self.seconds), strict=True):
            self.history[name].append(value)
        if r2 > self.best.r2:
            self.best = Best(r2, self.epoch, {name: value.detach().clone() for name, value in self.module.state_dict().items()})

    def _tell(self, within: int) -> None:
        """Call the listener after `within` steps of the running epoch."""
        self.told = time.perf_counter()
        done, whole = self.epoch * self.steps + within, self.plan.max_epochs * self.steps
        message = ", ".join([f"epoch {self.epoch} of {self.plan.max_epochs}", *self._scores()])
        if done > self.first_step:
            left = (self.told - self.begun) / (done - self.first_step) * (whole - done)
            message += f", about {_duration(left)} left"
        self.listen(done / whole, message, self.history)

    def _scores(self) -> list[str]:
        latest = {part: self.history[f"r2_{part}"][-1:] for part in ("training", "validation")}
        return [f"{part} R2 {value:.3f}" for part, values in latest.items() for value in values if math.isfinite(value)]


def _half_cosine(share: float) -> float:
    return 0.5 - 0.5 * math.cos(math.pi * share)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

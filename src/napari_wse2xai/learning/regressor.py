"""The paper's network behind scikit-learn's interface."""

import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import KW_ONLY, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from napari_wse2xai.data.line import Line
from napari_wse2xai.errors import DataError, SettingsError
from napari_wse2xai.learning import device as devices
from napari_wse2xai.learning.checkpoint import Checkpoint, read_tensors, write_tensors
from napari_wse2xai.learning.network import Layout, SpectralNetwork
from napari_wse2xai.learning.network_training import Listener, SampleTable, Trainer, TrainingPlan
from napari_wse2xai.learning.prediction import predict_rows
from napari_wse2xai.learning.rendering import Rendering
from napari_wse2xai.learning.smooth_process import GaussianProcess
from napari_wse2xai.learning.teaching import FEWEST_TO_TEACH, Lessons
from napari_wse2xai.numerics.standard import or_one

Numbers = NDArray[np.float64]
DRAWINGS = ("exaggerated", "true")

PAPER = {
    "channels": (32,) * 7 + (64,) * 3,
    "pool_after": (2, 4, 7),
    "length": 256,
    "axis": "window",
    "normalisation": "instance-batch",
    "activation": "leaky-relu",
    "dropout": 0.5,
    "max_epochs": 1000,
    "learning_rate": 1e-3,
    "batch_size": 128,
    "optimizer": "adam",
    "schedule": "constant",
    "loss": "squared",
    "weight_decay": 0.0,
    "jitter": 0.0,
    "drawing": "true",
    "teacher": False,
}
"""Recipe of Yoo et al. 2023; channel widths and length are our choice, for their figure is not public."""


@dataclass(eq=False, repr=False)
class SpectralCNNRegressor(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Convolutional network from line parameters to PL (Yoo et al. 2023), drawn lines and scaling inside the model.

    Parameters
    ----------
    lines : what the columns describe: position, FWHM, height of each, its form where that varies; None for any numbers, each drawn as the
        position of a line
    architecture : ``convolution`` (blocks one after the other) or ``residual`` (the same blocks in threes beside short cuts)
    channels : width of each convolution block
    pool_after : numbers of the blocks that an average pooling follows (``convolution`` only)
    length : channels that a line is drawn on
    axis : ``local``: three FWHM on either side of the line; ``window``: the window the line was fitted in, as the paper draws
        (a table without lines has only local axes)
    normalisation : ``batch``, or ``instance-batch``, the paper's (half of the channels each), which takes half as long again
    activation : ``silu``, smooth, so that slopes of what was learnt are nearer to the truth, or ``leaky-relu``, the paper's
    dropout : share of the units of the linear layers left out in training
    drawing : ``exaggerated``: a standard deviation of every parameter changes its drawn line about as much, so that the network sees all;
        ``true``: as measured, the paper's
    teacher : a Gaussian process learns the pixels first, and the network learns from what it says of them and of pixels between and beside
        them, so that it also learns what one parameter does while the others stay, which no measured pixel shows; False: from the
        measured pixels alone, the paper's way
    jitter : random part added to the columns in training, in standard deviations
    max_epochs, learning_rate, batch_size, optimizer, schedule, loss, weight_decay : how to train; see `PAPER` for the paper's values
    device : ``auto`` (a GPU if there is one), ``cpu``, ``cuda``, ``mps``
    random_state : seed; on the processor the same seed gives the same weights
    on_epoch : called with (share done, message, history), several times a second and after each epoch; may raise `Cancelled`
    checkpoint : file that the run is saved to about every minute and when it ends, in whatever way; see `fit`

    Attributes
    ----------
    module_ : torch module (n, column) raw float32 -> (n, target) raw; always in eval mode; differentiable
    history_ : ``epoch``, ``loss``, ``r2_training``, ``r2_validation``, ``seconds``; lists of equal length, about 10 looks in a run
    best_ : the epoch whose weights are in `module_`, and its R2
    resumed_ : epoch at which an interrupted run was taken up; 0 where it was not
    seconds_ : time of the training, that before an interruption included
    n_features_in_, device_

    Notes
    -----
    The weights after the last epoch are kept, not those that score best on the validation pixels, which would then no longer be a test.
    A cancelled fit raises `Cancelled` and leaves the estimator fitted with the weights that served the training pixels best so far.
    """

    lines: Sequence[Line] | None = None
    _: KW_ONLY
    architecture: str = "convolution"
    channels: Sequence[int] = (32,) * 3 + (64,)
    pool_after: Sequence[int] = (1, 2, 3)
    length: int = 32
    axis: str = "window"
    normalisation: str = "batch"
    activation: str = "silu"
    dropout: float = 0.0
    max_epochs: int = 40
    learning_rate: float = 8e-3
    batch_size: int = 128
    optimizer: str = "adamw"
    schedule: str = "onecycle"
    loss: str = "huber"
    weight_decay: float = 0.01
    jitter: float = 0.0
    drawing: str = "exaggerated"
    teacher: bool = True
    device: str = "auto"
    random_state: int | None = 0
    on_epoch: Listener | None = None
    checkpoint: str | Path | None = None

    @classmethod
    def paper(cls, lines: Sequence[Line] | None = None, **changed: Any) -> Self:
        """Make the estimator of the paper: Adam 1e-3, batches of 128, dropout 0.5, 1,000 epochs, lines drawn on their fitting window."""
        return cls(lines, **{**PAPER, **changed})

    def fit(
        self,
        X: ArrayLike,  # noqa: N803 - scikit-learn's name
        y: ArrayLike,
        validation: tuple[ArrayLike, ArrayLike] | None = None,
        *,
        resume: str | Path | None = None,
    ) -> Self:
        """Train.

        Parameters
        ----------
        X : (n, column), raw units
        y : (n,) or (n, target), raw units
        validation : other pixels, only looked at: their R2 goes into the history
        resume : checkpoint of an earlier, interrupted run of the same settings on the same data; the outcome is that of a run without
            interruption, to the bit

        Raises
        ------
        Cancelled
            From `on_epoch`; the estimator then holds the best weights so far.
        learning.checkpoint.UnusableError
            `resume` is damaged, or of another run.
        """
        features, targets = validate_data(self, X, y, multi_output=True, y_numeric=True, dtype=np.float64, ensure_min_samples=2)
        self._one_target, device, seed = targets.ndim == 1, devices.choose(self.device), self._seed()
        with devices.alike(device), ExitStack() as drawing:
            drawing.enter_context(devices.seeded(device, seed))
            self.module_ = self._build(features, targets.reshape(len(targets), -1)).to(device)
            if not (self.dropout or self.jitter):
                drawing.close()  # nothing is drawn from here on, so that others may
            held = tuple(np.asarray(part, dtype=np.float64) for part in validation) if validation is not None else None
            tables = self._table(features, targets), self._table(*held) if held else None
            self._train(*tables, self._lessons(features, targets), self._plan(seed), resume)
        return self

    def predict(self, X: ArrayLike) -> Numbers:  # noqa: N803
        """Predict (n,), or (n, target) where several targets were learnt."""
        check_is_fitted(self)
        features = validate_data(self, X, reset=False, dtype=np.float64)
        predicted = predict_rows(self.module_, self.module_, features)
        return predicted[:, 0] if self._one_target else predicted

    def settings(self) -> dict[str, Any]:
        """Return what `from_state` needs beside the arrays; JSON-able, whereas `get_params` also holds the callback."""
        settings = {name: value for name, value in self.get_params(deep=False).items() if name not in ("on_epoch", "checkpoint")}
        lines = None if self.lines is None else [_as_listed(_as_line(line)) for line in self.lines]
        return {**settings, "lines": lines, "channels": list(self.channels), "pool_after": list(self.pool_after)}

    def state(self) -> dict[str, NDArray[np.generic]]:
        """Weights, axes and scales as arrays by name."""
        check_is_fitted(self)
        arrays = {name: value.detach().cpu().numpy().copy() for name, value in self.module_.state_dict().items()}
        return {**arrays, "one_target": np.array(self._one_target)}

    @classmethod
    def from_state(cls, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[np.generic]]) -> Self:
        """Make a fitted estimator from what `settings` and `state` returned."""
        known = {name: value for name, value in settings.items() if name in cls._get_param_names()}
        if known.get("lines") is not None:
            known["lines"] = tuple(_as_line(line) for line in known["lines"])
        estimator = cls(**{**known, "channels": tuple(known["channels"]), "pool_after": tuple(known["pool_after"])})
        try:
            estimator._restore(arrays)
        except (KeyError, RuntimeError) as other:  # torch says so where names or shapes of the tensors do not fit
            raise DataError(
                "The weights do not fit this version's network: they are of another version; train the network again."
            ) from other
        return estimator

    def save(self, path: str | Path) -> None:
        """Write weights and settings to one file: tensors and text, no code."""
        write_tensors(path, {"settings": json.dumps(self.settings()), "state": {k: torch.as_tensor(v) for k, v in self.state().items()}})

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read what `save` wrote; nothing in the file is executed."""
        content = read_tensors(path)
        return cls.from_state(json.loads(content["settings"]), {name: value.numpy() for name, value in content["state"].items()})

    def __sklearn_clone__(self) -> Self:
        """Share lines and callback with the clone: a callback may belong to a window, which cannot be copied."""
        return type(self)(**self.get_params(deep=False))

    @property
    def _exaggerated(self) -> bool:
        if self.drawing not in DRAWINGS:
            raise SettingsError(f"The drawing '{self.drawing}' is not known; use {' or '.join(DRAWINGS)}.")
        return self.drawing == "exaggerated"

    def _seed(self) -> int:
        return int(np.random.SeedSequence(self.random_state).generate_state(1)[0])

    def _layout(self) -> Layout:
        return Layout(
            self.architecture,
            tuple(self.channels),
            tuple(self.pool_after),
            self.dropout,
            self.normalisation,
            self.activation,
        )

    def _plan(self, seed: int) -> TrainingPlan:
        return TrainingPlan(
            self.max_epochs,
            self.learning_rate,
            self.batch_size,
            self.optimizer,
            self.schedule,
            self.loss,
            weight_decay=self.weight_decay,
            jitter=self.jitter,
            seed=seed,
        )

    def _build(self, features: Numbers, targets: Numbers) -> SpectralNetwork:
        lines = None if self.lines is None else [_as_line(line) for line in self.lines]
        rendering = Rendering.of(features, lines, length=self.length, axis=self.axis, exaggerated=self._exaggerated)
        network = SpectralNetwork(rendering, self._layout(), targets.shape[1])
        network.target_mean.copy_(torch.as_tensor(targets.mean(axis=0)))
        network.target_scale.copy_(torch.as_tensor(or_one(targets.std(axis=0))))
        return network

    def _table(self, features: Numbers, targets: Numbers) -> SampleTable:
        mean, scale = (buffer.cpu().double().numpy() for buffer in (self.module_.target_mean, self.module_.target_scale))
        standardised = (targets.reshape(len(targets), -1) - mean) / scale
        where = self.module_.target_mean.device
        return SampleTable(*(torch.as_tensor(values, dtype=torch.float32, device=where) for values in (features, standardised)))

    def _lessons(self, features: Numbers, targets: Numbers) -> Lessons | None:
        """What the teacher says of the pixels and of a cloud about them; None where there is no teacher."""
        if not self.teacher or len(features) < FEWEST_TO_TEACH:
            return None
        teacher = GaussianProcess(random_state=self.random_state).fit(features, targets)
        return Lessons.of(teacher, features, self.module_.target_scale, self.module_.target_mean, self.random_state)

    def _train(
        self,
        training: SampleTable,
        validation: SampleTable | None,
        lessons: Lessons | None,
        plan: TrainingPlan,
        resume: str | Path | None,
    ) -> None:
        identity = self._identity(training, validation)
        checkpoint = None if self.checkpoint is None else Checkpoint(self.checkpoint, identity)
        trainer = Trainer(self.module_, training, validation, plan, lessons=lessons, listen=self.on_epoch, checkpoint=checkpoint)
        if resume is not None:
            trainer.restore(Checkpoint.read(resume, identity))
        self.device_, self.resumed_ = str(trainer.device), trainer.resumed
        try:
            trainer.run()
        finally:
            self.history_, self.best_, self.seconds_ = trainer.history, trainer.kept(), trainer.seconds

    def _identity(self, *tables: SampleTable | None) -> str:
        """Settings, kind of device and a digest of the data: a run goes on only with the same of all."""
        digest = sha256()
        for table in tables:
            for values in (table.features, table.targets) if table else ():
                digest.update(values.cpu().numpy().tobytes())
        return json.dumps({**self.settings(), "device": self.module_.target_mean.device.type, "data": digest.hexdigest()})

    def _restore(self, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        tensors = {name: torch.as_tensor(np.asarray(value)) for name, value in arrays.items() if name != "one_target"}
        rows, length = tensors["rendering.axis"].shape
        lines = [_as_line(line) for line in self.lines or ()]
        if "rendering.usual" not in tensors:
            self.drawing = "true"  # all networks of before caricatures were known
        rendering = Rendering(lines, rows, length, exaggerated=self._exaggerated)
        self.module_ = SpectralNetwork(rendering, self._layout(), len(tensors["target_mean"])).eval()
        self.module_.load_state_dict(tensors)
        self.n_features_in_ = sum(len(line.parameters) for line in lines) if lines else rows
        self._one_target, self.history_, self.best_, self.device_ = bool(arrays["one_target"]), {}, {}, "cpu"


def _as_line(line: Line | Sequence[Any]) -> Line:
    """Make a line of what a file holds: name, shape, window, and its form where it has one that is known."""
    if isinstance(line, Line):
        return line
    form, own_form = line[3:5] if len(line) > 3 else (None, False)
    window = (float(line[2][0]), float(line[2][1]))
    return Line(str(line[0]), str(line[1]), window, None if form is None else float(form), own_form=bool(own_form))


def _as_listed(line: Line) -> list[Any]:
    """What a file holds of a line."""
    plain = [line.name, line.shape, list(line.window)]
    return plain if line.form is None and not line.own_form else [*plain, line.form, line.own_form]

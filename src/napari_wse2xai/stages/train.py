"""From paired maps to a trained network, the reference models, and the verdict on it."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Protocol

from pydantic import Field, field_validator

from napari_wse2xai.data import TARGETS, Line, PairedMaps, Samples, TrainedModel
from napari_wse2xai.data.history import mark_of
from napari_wse2xai.progress import Progress, part, silent
from napari_wse2xai.stages._learnable import check_learnable, tell_skimmed
from napari_wse2xai.stages._stage import Settings, Stage, recorded, setting
from napari_wse2xai.stages.unfinished import Unfinished

if TYPE_CHECKING:
    from napari_wse2xai.learning.regressor import SpectralCNNRegressor

Target = Literal["position", "fwhm", "height", "area"] | Annotated[str, Field(min_length=1)]
"""A parameter of the PL peak, or the name of a computed map of the PL."""


class TrainingProgress(Protocol):
    """Progress that also takes the learning curves while they grow: what the training widget draws live."""

    def __call__(self, fraction: float, message: str) -> None:
        """Take progress; may raise `Cancelled`, or `StopTraining`."""
        ...

    def watch(self, validation: str, history: Mapping[str, list[float]]) -> None:
        """Take the curves of the network that is being trained, called from the working thread."""
        ...


class OneCycle(Settings):
    """For a laptop: a Gaussian process learns the pixels first and teaches the network, a smooth one, values and slopes."""

    kind: Literal["one cycle"] = "one cycle"
    epochs: int = setting(40, ge=1, le=100_000, title="Epochs", description="Ten batches each, of what the teacher says.")
    learning_rate: float = setting(8e-3, gt=0, le=1.0, title="Highest learning rate", description="Reached after a quarter of the epochs.")
    batch_size: int = setting(128, ge=2, le=65_536, title="Batch", description="Pixels per step.", unit="pixels")
    dropout: float = setting(0.0, ge=0, lt=1, title="Dropout", description="Share of the units of the linear layers left out in training.")

    def parameters(self) -> dict[str, Any]:
        """Parameters of `learning.SpectralCNNRegressor`."""
        return {
            "max_epochs": self.epochs,
            "learning_rate": self.learning_rate,
            "batch_size": self.batch_size,
            "dropout": self.dropout,
        }


class PaperRecipe(Settings):
    """What Yoo et al. 2023 did: Adam with a constant learning rate, batches of 128, dropout 0.5, 1,000 to 10,000 epochs."""

    kind: Literal["paper"] = "paper"
    epochs: int = setting(
        1000, ge=1, le=100_000, title="Epochs", description="Passes over the training pixels; the paper used 1,000 to 10,000."
    )

    def parameters(self) -> dict[str, Any]:
        """Parameters of `learning.SpectralCNNRegressor`."""
        from napari_wse2xai.learning.regressor import PAPER

        return {**PAPER, "max_epochs": self.epochs}


Recipe = Annotated[OneCycle | PaperRecipe, Field(discriminator="kind")]


class Train(Stage[Sequence[PairedMaps], TrainedModel]):
    """Train the network of Yoo et al. 2023 on paired maps, beside simple reference models, and judge whether it may be interpreted.

    Notes
    -----
    Called with a list of `PairedMaps`, one per flake.  Every model is tested on a random 7:3 split, which is the paper's test and leaks
    between neighbouring pixels, and on spatial blocks with a buffer, which does not; with several flakes also on each flake in turn.
    Surrogate maps that are as smooth as the target but owe nothing to RS show what chance reaches.  The network that is explained is
    trained on all pixels, as in the paper.
    """

    title: ClassVar[str] = "Train"
    order: ClassVar[int] = 120
    takes: ClassVar[tuple[type, ...]] = (PairedMaps,)
    series: ClassVar[bool] = True
    gives: ClassVar[type] = TrainedModel
    effort: ClassVar[float] = 120.0
    kept: ClassVar[str] = "model"

    target: tuple[Target, ...] = setting(
        ("height",), title="Target", description="PL parameter or computed PL map that is predicted from RS; one or several."
    )
    pl_peak: str = setting("", title="PL peak", description="Name of the PL peak whose parameters are predicted; empty: the strongest.")
    features: tuple[str, ...] = setting(
        (), title="Computed features", description="Names of computed RS maps that are learnt from beside the lines."
    )
    architecture: Literal["convolution", "residual"] = setting(
        "convolution", title="Architecture", description="Ten convolution blocks in a row, or residual blocks of three."
    )
    recipe: Recipe = setting(OneCycle(), title="Recipe", description="How the network is trained.")
    without_noise: bool = setting(
        True,
        title="RS without its noise",
        description="Draw every RS value towards what its neighbours and the other parameters tell of it, by the share of noise in it: "
        "noise makes slopes too flat. Chance is compared on the values as measured.",
    )
    without_odd: bool = setting(
        True,
        title="Without odd PL",
        description="Do not learn from pixels whose PL is far from all their neighbours, as dirt, holes and failed fits leave it, where "
        "such pixels are few and hold much of the variance.",
    )
    block_folds: int = setting(
        5, ge=2, le=20, title="Spatial folds", description="Parts of the flake that are held out in turn, each with a buffer around it."
    )
    network_on_blocks: bool = setting(
        True,
        title="Network on spatial folds",
        description="Train the network on the spatial folds too, as the reference models always are. Without it training is much faster.",
    )
    surrogates: int = setting(
        99,
        ge=39,
        le=9999,
        title="Surrogates",
        description="Maps as smooth as the target that owe nothing to RS; p is at least 1 over this number.",
    )
    resamples: int = setting(
        0, ge=0, le=999, title="Resamples", description="How often RS is drawn anew within its errors to see what they do to R²; 0: never."
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = setting(
        "auto", title="Device", description="Where to train; auto takes a GPU where there is one."
    )
    seed: int = setting(0, ge=0, title="Seed", description="Everything random follows from it.")

    @field_validator("target", "features", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any) -> Any:
        """Take a single word for a list of one."""
        return (value,) if isinstance(value, str) else value

    @field_validator("features")
    @classmethod
    def _no_feature_twice(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError("name each computed map only once")
        return value

    @field_validator("target")
    @classmethod
    def _each_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or len(set(value)) < len(value):
            raise ValueError("name at least one target, and each only once")
        return value

    def network(self, lines: tuple[Line, ...]) -> "SpectralCNNRegressor":
        """Network as these settings want it, not yet trained."""
        from napari_wse2xai.learning.regressor import SpectralCNNRegressor

        parameters = self.recipe.parameters()
        return SpectralCNNRegressor(lines, architecture=self.architecture, device=self.device, random_state=self.seed, **parameters)

    def __call__(self, source: Sequence[PairedMaps], progress: Progress = silent, *, checkpoint: str | Path | None = None) -> TrainedModel:
        """Train; with a folder `checkpoint` so that it can be resumed.

        Parameters
        ----------
        source : paired maps, one per flake
        checkpoint : folder that the networks are kept in: those that are trained, and the running one about every minute and when it is
            interrupted.  The same call goes on from there and gives what it would have given without the interruption, to the bit; delete
            the folder once the model is saved.

        Raises
        ------
        DataError
            `checkpoint` holds a training with other settings or data.
        """
        return recorded(self, lambda: self.run(source, progress, checkpoint), self.taken(source))

    def taken(self, source: Sequence[PairedMaps]) -> tuple[str, ...]:
        """Marks of the pairs."""
        return tuple(mark_of(pair.history) for pair in source)

    def samples(self, source: Sequence[PairedMaps]) -> Samples:
        """Table of what is learnt from."""
        return self._learnt_from(self.measured(source))

    def measured(self, source: Sequence[PairedMaps]) -> Samples:
        """The same as it was measured, without odd PL where that is asked."""
        return self._skimmed(self._collected(source))

    def _collected(self, source: Sequence[PairedMaps]) -> Samples:
        """Every paired pixel."""
        return Samples.of(tuple(source), targets=self.target, pl_peak=self.pl_peak, features=self.features)

    def _skimmed(self, collected: Samples) -> Samples:
        """The table without odd PL, where that is asked."""
        from napari_wse2xai.learning.odd_pixels import without_odd

        return without_odd(collected) if self.without_odd else collected

    def _learnt_from(self, measured: Samples) -> Samples:
        """The table without its noise, where that is asked."""
        from napari_wse2xai.learning.calibrated import calibrated

        return calibrated(measured) if self.without_noise else measured

    def run(self, source: Sequence[PairedMaps], progress: Progress, checkpoint: str | Path | None = None) -> TrainedModel:
        """Learn one target after the other."""
        from napari_wse2xai.learning.evaluation import Evaluation, assembled

        collected = self._collected(source)
        measured = self._skimmed(collected)
        check_learnable(measured, source)
        tell_skimmed(collected, measured)
        samples = self._learnt_from(measured)
        count = len(self.target)
        with nullcontext() if checkpoint is None else Unfinished.at(checkpoint, self, samples).claimed() as folder:
            evaluations = [
                Evaluation.learn(
                    self,
                    samples,
                    name,
                    _OfTarget(progress, index / count, (index + 1) / count),
                    measured=measured,
                    checkpoints=folder and folder / _as_folder(name),
                )
                for index, name in enumerate(self.target)
            ]
        return assembled(samples, evaluations)


def _as_folder(target: str) -> str:
    """Name of a target as a folder may be called; that of a computed map may hold any sign."""
    return target if target in TARGETS else f"computed-{sha256(target.encode()).hexdigest()[:16]}"


class _OfTarget:
    """Progress of one target as that of all, with the curves handed on."""

    def __init__(self, progress: Progress, start: float, end: float) -> None:
        self._progress, self._tell = progress, part(progress, start, end)

    def __call__(self, fraction: float, message: str) -> None:
        self._tell(fraction, message)

    def watch(self, validation: str, history: Mapping[str, list[float]]) -> None:
        watch = getattr(self._progress, "watch", None)
        if watch is not None:
            watch(validation, history)
